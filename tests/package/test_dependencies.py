"""What is installed is used, and what is used is installed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("ontology", "graph", "ingestion", "analytics", "api")
MODULES = {
    "paho-mqtt": "paho",
    "prometheus-client": "prometheus_client",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "strawberry-graphql": "strawberry",
}
"""Distributions whose module has another name."""
BROUGHT_ALONG = {"starlette": "fastapi", "anyio": "fastapi", "graphql": "strawberry-graphql"}
"""Modules that come with a dependency and are part of its interface."""
NOT_IMPORTED = {"neo4j-rust-ext"}
"""Works by being installed: the driver decodes with it."""

EXTRAS = {"uvloop", "httptools", "pandapower", "PIL"}
"""Modules of the extras `fast` and `power`."""


def _dependencies() -> set[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return {re.split(r"[<>=~! \[]", text)[0] for text in project["dependencies"]}


def _imported() -> set[str]:
    """Top-level names of other people's modules that the rooms import."""
    found: set[str] = set()
    for room in ROOMS:
        for path in (REPOSITORY / room).rglob("*.py"):
            if "graphiql" not in path.parts:  # the page's sources: not packed
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.Import):
                        found |= {alias.name.partition(".")[0] for alias in node.names}
                    elif isinstance(node, ast.ImportFrom) and node.module:
                        found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"twinfall"}


def test_every_dependency_is_imported() -> None:
    wanted = {MODULES.get(name, name) for name in _dependencies() - NOT_IMPORTED}
    assert wanted - _imported() == set()


def test_every_import_is_a_dependency() -> None:
    declared = _dependencies()
    known = {MODULES.get(name, name) for name in declared}
    known |= {module for module, owner in BROUGHT_ALONG.items() if owner in declared}
    assert _imported() - known - EXTRAS == set()
