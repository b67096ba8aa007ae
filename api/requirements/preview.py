"""The graph that an import would give, beside it: judged before anything is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from twinfall.analytics import AssetNetwork, topology_request
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import ImportReport, Refuse, import_rows
from twinfall.graph.sqlite import SQLiteStore


@contextmanager
def preview(
    present: Iterable[bytes],
    models: tuple[Sequence[str], Sequence[str]] = ((), ()),
    waiting: Callable[[], None] = lambda: None,
) -> Iterator[Graph]:
    """A copy of a graph (as its export gives it), with these documents and sidecars loaded.
    `waiting` is called now and then, for large graphs take a while.
    """
    store = SQLiteStore(":memory:")
    try:
        graph = Graph(store)
        import_rows(graph, present, why="preview", progress=lambda _: waiting())
        documents, sidecars = models
        if documents or sidecars:
            graph.load_models(documents, sidecars, why="preview")
        yield graph
    finally:
        store.close()


def imported(
    graph: Graph,
    lines: Iterable[bytes],
    refuse: Refuse,
    waiting: Callable[[], None] = lambda: None,
) -> ImportReport:
    """Take a file into it; refused rows are told as an import tells them."""
    return import_rows(graph, lines, why="preview", refuse=refuse, progress=lambda _: waiting())


def arrays_of(graph: Graph) -> AssetNetwork:
    """Its arrays, as if all were well."""
    models = graph.models
    topology = graph.topology(topology_request(models.ontology, models.dependencies))
    return AssetNetwork.compile(topology, models.ontology, models.dependencies)
