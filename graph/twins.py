"""Twins and relationships as records, and a batch of writes to them.

A twin's `values` hold its properties by their ontology names, verbatim. On the outer door
(GraphQL, NDJSON) a component's values are nested under the component's name; inside, a component
is a `Node` of its own with address `<twin>/<component>` and an owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

JSON = Any


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TwinInput:
    """A whole twin as a caller writes it; components nested in `values`. `if_version`: write only
    over exactly this version (0: only if new; None: whatever is there).
    """

    id: str
    model: str
    values: Mapping[str, JSON] = field(default_factory=_empty)
    if_version: int | None = None


@dataclass(frozen=True, slots=True)
class TwinPatch:
    """A JSON merge patch (RFC 7396) of a twin's values; null removes."""

    id: str
    merge: Mapping[str, JSON]
    if_version: int | None = None


@dataclass(frozen=True, slots=True)
class RelationshipInput:
    """A whole relationship; `id` is unique per source (None: `<name>:<target>`)."""

    source: str
    name: str
    target: str
    id: str | None = None
    properties: Mapping[str, JSON] = field(default_factory=_empty)


@dataclass(frozen=True, slots=True)
class RelationshipKey:
    """Identifies a relationship: its id is unique per source twin."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Node:
    """A stored twin or component. `owner` and `component` are set for components only.

    A component's `version` equals its owner's. `caption` is the `_name` people read.
    """

    id: str
    model: str
    values: Mapping[str, JSON]
    version: int
    caption: str = ""
    owner: str | None = None
    component: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A stored relationship. `_hasComponent` edges are implied by `Node.owner`, never listed."""

    source: str
    id: str
    name: str
    target: str
    properties: Mapping[str, JSON] = field(default_factory=_empty)


ChangeKind = Literal[
    "twinWritten", "twinDeleted", "relationshipWritten", "relationshipDeleted", "modelsLoaded"
]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed, in the order of its cursor (`seq`, dense per graph).

    `subject` is the twin id or `<source>/<relationship id>` with `/` between; `before` and
    `after` are whole outer values (components nested; a relationship as id, source, name,
    target, properties), None where it did not or does not exist. `at` is RFC 3339 UTC.
    """

    seq: int
    kind: ChangeKind
    subject: str
    model: str | None
    version: int | None
    before: JSON
    after: JSON
    at: str
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """A twin was deleted, with its components, by the change `seq`, at `at` (RFC 3339 UTC)."""

    seq: int
    id: str
    at: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Writes that become visible together or not at all; already judged against the ontology.

    `nodes` and `edges` are the full state after the write; `drop_nodes` (component nodes listed
    too) takes every relationship at them along. `expected` maps a twin id to the version the
    judge saw (0: absent): a store that finds another raises Conflict STALE_VERSION and writes
    nothing. `id` makes the batch safe to repeat when a commit's outcome is unknown.
    """

    id: str
    nodes: tuple[Node, ...] = ()
    drop_nodes: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    drop_edges: tuple[RelationshipKey, ...] = ()
    expected: Mapping[str, int] = field(default_factory=_empty)
    changes: tuple[Change, ...] = ()
    """In order; `seq` is 0 here, the store numbers them."""


@dataclass(frozen=True, slots=True)
class LatestCopy:
    """Latest readings of a twin by telemetry name; `as_of` is the time of the newest, in ns."""

    twin: str
    values: Mapping[str, str | int | float | bool]
    as_of: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How an impact finds a twin: `failed` is what the question fails (wave 0), `down` and
    `degraded` what that takes along.
    """

    twin: str
    how: Literal["failed", "down", "degraded"]
    wave: int


@dataclass(frozen=True, slots=True)
class WorkOrderNode:
    """A work order as it stands in the graph beside the twin that it concerns.

    `caption` is what Neo4j Browser shows; `facts` are scalars under names of ours. None of them
    is called `id`, `twin` or begins with `_`.
    """

    id: str
    twin: str
    caption: str
    facts: Mapping[str, str | int | float | bool] = field(default_factory=_empty)
