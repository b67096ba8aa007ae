"""The demo's city, compiled into the package: models, dependencies, twins and relationships.

Made from the Micropolis files by `examples/city/convert.py`; see README.md here for the origin.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import orjson

ARCHIVE = "city.ndjson.gz"
DEPENDENCIES = "city.dependencies.yaml"
LIVE = ".live."
"""In the file name of a query whose answer changes by itself."""


def city_rows() -> Iterator[bytes]:
    """The whole city as NDJSON lines, models first, as `twinfall import` takes them."""
    with files(__package__).joinpath(ARCHIVE).open("rb") as packed, gzip.open(packed) as lines:
        yield from lines


def city_documents() -> list[dict[str, Any]]:
    """The city's DTDL interfaces."""
    documents: list[dict[str, Any]] = []
    section = ""
    for line in city_rows():
        row = orjson.loads(line)
        if "Section" in row:
            section = row["Section"]
            if section == "Twins":
                break
        elif section == "Models":
            documents.append(row)
    return documents


def city_dependencies() -> list[str]:
    """The city's dependency declarations, as YAML texts."""
    return [files(__package__).joinpath(DEPENDENCIES).read_text(encoding="utf-8")]


def city_queries() -> list[tuple[str, str]]:
    """Queries to begin with whose answers change only with the graph: title and GraphQL text."""
    return demo_queries(telemetry=False)


def demo_queries(*, telemetry: bool) -> list[tuple[str, str]]:
    """Queries to begin with, each its title and its GraphQL text; the query page has them too.

    With `telemetry` also those that ask for readings, states and alarms.
    """
    texts = [
        entry.read_text(encoding="utf-8")
        for entry in sorted(files(__package__).joinpath("queries").iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".graphql") and (telemetry or LIVE not in entry.name)
    ]
    return [(text.split("\n", 1)[0].removeprefix("# "), text) for text in texts]


__all__ = ["city_dependencies", "city_documents", "city_queries", "city_rows", "demo_queries"]
