"""A graph of the plant on the embedded store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.graph.plant import DOCUMENTS
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore


@pytest.fixture
def graph() -> Iterator[Graph]:
    """A graph that knows the plant's models and has no twins."""
    store = SQLiteStore(":memory:", holder="tests")
    graph = Graph(store)
    graph.load_models(DOCUMENTS)
    yield graph
    store.close()
