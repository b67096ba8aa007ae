"""Build hook: put the rooms, which stand at the top of the repository, into the package.

`twinfall/` holds a symbolic link to each room, so that a checkout and an editable install import
them in place. A wheel cannot hold links: there the folders themselves are packed. They are not
listed in `pyproject.toml`, because then an editable install would copy them into site-packages,
where they would grow stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOMS = ("ontology", "graph", "ingestion", "analytics", "api")
LEFT_OUT = {"__pycache__", "graphiql"}
"""`api/graphiql` is the source of `api/static`, which is packed built."""
PAGE = Path("api", "static", "index.html")


class Rooms(BuildHookInterface):  # type: ignore[type-arg]  # the parameter is hatchling's own
    """Packs each room as `twinfall/<room>`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a wheel is built; `version` is standard or editable."""
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / PAGE).is_file():
            raise FileNotFoundError(f"{PAGE} is missing: run `make graphiql` before building")
        for room in ROOMS:
            for entry in sorted((root / room).iterdir()):
                if entry.name not in LEFT_OUT:
                    build_data["force_include"][str(entry)] = f"twinfall/{room}/{entry.name}"
