"""TwinStore: the questions Twinfall asks of a graph store, and the promises of an answer.

Two stores give equal answers: `SQLiteStore` (embedded) and `Neo4jStore`. The contract suite in
`tests/graph/contract` runs over both. Calls block; the web room runs them in threads. All
methods are safe to call from several threads at once; writes are serialised.

Failures: `Unavailable` (STORE_UNAVAILABLE) within 2 s when the store is away, `Conflict`
(GRAPH_IN_USE) when another process holds the lease, `Conflict` (STALE_VERSION) from `apply`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twinfall.graph.plan import Fetch, Row, RowPage
from twinfall.graph.twins import (
    Batch,
    Change,
    Deletion,
    Edge,
    LatestCopy,
    Mark,
    Node,
    WorkOrderNode,
)
from twinfall.graph.values import FieldTypes

Positions = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class StoredModels:
    """What is loaded: DTDL documents and dependency sidecars as JSON texts, and the name
    registry (DTMI -> registered short name), which only ever grows. Decommissioned models (DTMIs,
    sorted) take no new twins.
    """

    documents: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    cursor: int = 0
    """The change feed's position when this was read."""
    decommissioned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TopologyRequest:
    """Which relationships (by name) and which properties to bring along."""

    relationships: tuple[str, ...]
    properties: tuple[str, ...] = ()
    """Twin properties, each brought for the twins that have it."""
    relationship_properties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeColumns:
    """Relationships of one name as columns: positions of both ends, and properties by name as
    {row: value} for the rows that have one. Rows are in order of (source id, relationship id).
    """

    source: Positions
    target: Positions
    ids: Sequence[str]
    properties: Mapping[str, Mapping[int, Any]]
    """Each a `Column` where a store made it."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole graph as arrays, at one moment (`cursor`). Twins are in order of id, components
    included; `owner` is the owner's position or -1; `component` the component's name or "".
    """

    cursor: int
    ids: list[str]
    models: list[str]
    model: Positions
    """Index into `models`."""
    owner: Positions
    component: list[str]
    edges: Mapping[str, EdgeColumns]
    values: Mapping[str, Mapping[int, Any]]
    """Property name -> {position: value}, each a `Column` where a store made it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Stored twins by model (components apart) and relationships by name."""

    twins: Mapping[str, int]
    components: Mapping[str, int]
    relationships: Mapping[str, int]


class TwinStore(Protocol):
    """One graph."""

    def use(self, types: FieldTypes) -> None:
        """How properties are stored, by model; called at start and after each model load."""
        ...

    def load_models(self) -> StoredModels:
        """The models, sidecars and names last saved; empty at first."""
        ...

    def save_models(self, models: StoredModels, change: Change) -> int:
        """Replace the set, adding names, in one transaction; the feed's new cursor. Also creates
        what the store needs for new names (constraints, indexes).
        """
        ...

    def nodes(self, ids: Sequence[str]) -> dict[str, Node]:
        """Those of these twins that exist, each with its components, by id."""
        ...

    def edges(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Edge]:
        """Those of these relationships, by (source, id), that exist."""
        ...

    def edges_at(self, ids: Sequence[str]) -> list[Edge]:
        """All relationships that start or end at these twins, ordered by (source, id)."""
        ...

    def out_degree(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """How many relationships of a name start at a twin, for each (twin id, name)."""
        ...

    def apply(self, batch: Batch) -> int:
        """Write in one transaction; the feed's new cursor. Safe to repeat with the same batch."""
        ...

    def fetch(self, plan: Fetch) -> RowPage:
        """Answer a plan in one round trip; `rows` are `Row`."""
        ...

    def topology(self, request: TopologyRequest) -> Topology:
        """The graph as arrays, consistent with one moment of the change feed."""
        ...

    def counts(self) -> Counts:
        """How much is stored."""
        ...

    def size(self) -> tuple[int, int]:
        """All twins, components apart, and all relationships: what `counts` come to, sooner."""
        ...

    def scan(self) -> Iterator[tuple[list[Node], list[Edge]]]:
        """Everything in bounded chunks, of one consistent moment where the store can: all nodes
        in order of id (components right after their owners), then all relationships in order of
        (source, id).
        """
        ...

    def put_work_orders(self, orders: Sequence[WorkOrderNode]) -> None:
        """Write work orders beside their twins, in one transaction; one of the same id is
        replaced. Without its twin it stands alone. They are no twins: nothing else here answers
        them, nor do they enter the change feed.
        """
        ...

    def work_orders(self, twins: Sequence[str]) -> list[WorkOrderNode]:
        """The work orders that stand beside these twins, by id."""
        ...

    def copy_latest(self, rows: Sequence[LatestCopy]) -> None:
        """Show the latest readings on the twins, for people who look at the graph with tools of
        its own, under the ontology's names and with `_asOf`. A copy: it answers no question here,
        moves no version and enters no change feed. A store without such tools does nothing.
        """
        ...

    def show_impact(self, rows: Sequence[Mark]) -> int:
        """Show these on their twins instead of what was shown before, for people who look at the
        graph with tools of its own: `_state`, `_wave` and the labels `_Affected` and `_Failed`,
        `_Down` or `_Degraded`. As `copy_latest`, it answers no question here. How many bear a mark
        now: 0 in a store without such tools.
        """
        ...

    def cursor(self) -> int:
        """The seq of the last change; 0 at first."""
        ...

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Changes with seq > after, in order."""
        ...

    def deletions(self, after: int, limit: int = 1000) -> list[Deletion]:
        """Of those changes the ones that deleted a twin; the others are not unpacked."""
        ...

    def ping(self) -> None:
        """Return when the store answers; raises Unavailable (within 2 s) otherwise."""
        ...

    def close(self) -> None:
        """Give back the lease and every resource. The store is not usable afterwards."""
        ...


__all__ = [
    "Counts",
    "EdgeColumns",
    "Positions",
    "Row",
    "StoredModels",
    "Topology",
    "TopologyRequest",
    "TwinStore",
]
