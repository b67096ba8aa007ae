"""What the plant's tests share: where its source files are, and the plant in an embedded store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.plant.build import DEPENDENCIES, ONTOLOGY
from examples.plant.topology import plant
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import import_rows
from twinfall.graph.sqlite import SQLiteStore

SOURCE = Path(__file__).parents[3] / "shared" / "telemetry" / "tennessee-eastman"


def source() -> Path:
    """The published files."""
    if not SOURCE.is_dir():
        pytest.skip("the published runs of the plant are not beside the repository")
    return SOURCE


@contextmanager
def loaded() -> Iterator[Graph]:
    """The plant as the example's files have it."""
    store = SQLiteStore(":memory:")
    graph = Graph(store)
    graph.load_models([ONTOLOGY.read_text()], [DEPENDENCIES.read_text()])
    import_rows(graph, plant().lines([]), refuse=_never)
    yield graph
    store.close()


def _never(line: int, code: str, message: str, raw: bytes) -> None:
    raise AssertionError(f"line {line}: {code} {message}")
