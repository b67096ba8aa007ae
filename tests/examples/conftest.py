"""The city, as it ships and as its source files have it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twinfall.api.demo import city_dependencies, city_documents, city_rows
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import import_rows
from twinfall.graph.sqlite import SQLiteStore

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY.parent / "shared" / "topologies" / "micropolis"


@dataclass(frozen=True)
class City:
    """The rows of the shipped file, sorted out."""

    twins: Mapping[str, Mapping[str, Any]]
    relationships: Sequence[Mapping[str, Any]]

    def of(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Twins of exactly this interface."""
        model = f"dtmi:example:city:{kind};1"
        return {id: t for id, t in self.twins.items() if t["$metadata"]["$model"] == model}


@pytest.fixture(scope="session")
def city() -> City:
    twins, relationships = {}, []
    for line in city_rows():
        row = json.loads(line)
        if "$dtId" in row:
            twins[row["$dtId"]] = row
        elif "$relationshipId" in row:
            relationships.append(row)
    return City(twins, relationships)


@pytest.fixture(scope="session")
def graph() -> Iterator[Graph]:
    """The city in an embedded store."""
    store = SQLiteStore(":memory:")
    graph = Graph(store)
    graph.load_models(city_documents(), city_dependencies())
    import_rows(graph, city_rows(), refuse=_never)
    yield graph
    store.close()


def _never(line: int, code: str, message: str, raw: bytes) -> None:
    raise AssertionError(f"line {line}: {code} {message}")


@pytest.fixture(scope="session")
def source() -> Path:
    """The unpacked source files."""
    if not SOURCE.is_dir():
        pytest.skip("the source files of Micropolis are not beside the repository")
    return SOURCE


@pytest.fixture(scope="session")
def water_file(source: Path) -> Mapping[str, list[list[str]]]:
    """The EPANET file, read anew: section -> rows of words."""
    sections: dict[str, list[list[str]]] = {}
    name = ""
    for line in (source / "water" / "water.inp").read_text().splitlines():
        words = line.partition(";")[0].split()
        if words and words[0].startswith("["):
            name = words[0]
        elif words:
            sections.setdefault(name, []).append(words)
    return sections


@pytest.fixture(scope="session")
def power_file(source: Path) -> Mapping[str, list[dict[str, Any]]]:
    """The pandapower file, read anew: table -> rows."""
    tables = json.loads((source / "power" / "power.json").read_text())["_object"]
    read = {}
    for name in ("bus", "line", "trafo", "switch", "load", "motor", "ext_grid"):
        frame = json.loads(tables[name]["_object"])
        read[name] = [dict(zip(frame["columns"], row, strict=True)) for row in frame["data"]]
    return read


def rows_of(path: Path, delimiter: str) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))
