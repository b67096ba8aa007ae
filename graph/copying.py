"""A whole graph from one store into another, empty one: what backup and restore rest on.

Ids, versions and the name registry stay as they are. The change feed does not come along: the
target's begins with one entry for the copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

from twinfall.graph.store import TwinStore
from twinfall.graph.twins import Batch, Change, Edge, Node
from twinfall.graph.values import FieldTypes
from twinfall.ontology.errors import Conflict
from twinfall.ontology.ontology import Ontology

ROWS = 1000
"""Nodes or relationships written in one transaction; a component stays with its owner."""
T = TypeVar("T")


def copy_graph(
    source: TwinStore,
    target: TwinStore,
    ontology: Ontology,
    *,
    who: str = "",
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Copy models, twins, components and relationships; how many rows were written.

    `ontology` is the source's. `progress` is told the rows so far. Raises Conflict EXISTS where
    the target holds models or twins already.
    """
    check_empty(target)
    types = FieldTypes.of(ontology.interfaces)
    models = source.load_models()
    at = datetime.now(UTC).isoformat()
    change = Change(0, "modelsLoaded", "models", None, None, None, None, at, who, "restore")
    target.save_models(models, change)
    target.use(types)
    source.use(types)
    written = 0
    for nodes, edges in source.scan():
        batches: list[tuple[tuple[Node, ...], tuple[Edge, ...]]] = [
            (tuple(chunk), ()) for chunk in _whole(nodes)
        ]
        batches += [((), tuple(chunk)) for chunk in _chunks(edges)]
        for some_nodes, some_edges in batches:
            target.apply(Batch(uuid4().hex, nodes=some_nodes, edges=some_edges))
            written += len(some_nodes) + len(some_edges)
            progress(written)
    return written


def check_empty(store: TwinStore) -> None:
    """Raises Conflict EXISTS where the store holds models or twins."""
    counts, models = store.counts(), store.load_models()
    if counts.twins or models.documents:
        raise Conflict(
            f"the graph is not empty: {sum(counts.twins.values())} twins,"
            f" {len(models.documents)} models",
            code="EXISTS",
            cure="restore into an empty one",
        )


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), ROWS):
        yield rows[start : start + ROWS]


def _whole(nodes: Sequence[Node]) -> Iterator[list[Node]]:
    """Chunks that begin with an owner, so that no component is written before it."""
    chunk: list[Node] = []
    for node in nodes:
        if len(chunk) >= ROWS and node.owner is None:
            yield chunk
            chunk = []
        chunk.append(node)
    if chunk:
        yield chunk
