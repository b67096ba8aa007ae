"""Options that write an answer, or a list of it, into files."""

from __future__ import annotations

import base64
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

Csv = Annotated[Path | None, typer.Option("--csv", help="Write the whole list to this CSV file.")]
GeoJson = Annotated[
    Path | None,
    typer.Option("--geojson", help="Write all of the list that have a location to this file."),
]
Svg = Annotated[Path | None, typer.Option("--svg", help="Draw it into this SVG file.")]
Png = Annotated[Path | None, typer.Option("--png", help="Draw it into this PNG file.")]


class ImpactList(StrEnum):
    """Lists of an impact."""

    AFFECTED = "affected"
    WAVES = "waves"
    SERVICES = "services"
    NEAR_MISSES = "nearMisses"
    NOT_EVALUATED = "notEvaluated"
    BASELINE_DOWN = "baselineDown"


Files = dict[str, Path]
"""What is wanted, by the GraphQL field that has it."""


def wanted(
    csv: Path | None = None,
    geojson: Path | None = None,
    svg: Path | None = None,
    png: Path | None = None,
) -> Files:
    """The fields to ask for, and the files for them."""
    given = {"csv": csv, "geoJson": geojson, "svg": svg, "png": png}
    return {name: path for name, path in given.items() if path is not None}


def fields(files: Files, of: str = "") -> str:
    """What to select for these files; `of` are the arguments of fields with a list to choose."""
    return " ".join(name + (of if name in ("csv", "geoJson") else "") for name in files)


def write(files: Files, record: dict[str, Any]) -> None:
    """Take the fields out of the record that was answered, into their files. Raises BadInput."""
    import orjson

    for name, path in files.items():
        content = record.pop(name)
        if name == "png":
            raw = base64.b64decode(content)
        else:
            raw = content.encode() if isinstance(content, str) else orjson.dumps(content)
        _save(path, raw)


def _save(path: Path, raw: bytes) -> None:
    from twinfall.ontology.errors import BadInput

    try:
        path.write_bytes(raw)
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror}", code="BAD_FILE", path=str(path)
        ) from error
