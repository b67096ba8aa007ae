"""A topology that follows the change feed: what was written since, put into its columns.

The result is what the store would read, row for row, at a cost of what was written and of copying
the columns that it touches.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twinfall.graph.column import Column
from twinfall.graph.identity import component_address
from twinfall.graph.splicing import Splice, replaced
from twinfall.graph.store import EdgeColumns, Topology, TopologyRequest
from twinfall.graph.twins import Change
from twinfall.ontology import Ontology

Key = tuple[str, str]


class NotFollowed(Exception):
    """The changes do not say all that happened, or not what it means: read the graph again."""


@dataclass(slots=True)
class Changes:
    """What changes come to: of each twin and relationship, how it is in the end; None: it is gone.

    `names` are those under which each relationship stands or stood, `ends` the twins between which
    one stands or stood.
    """

    cursor: int
    twins: dict[str, Change | None] = field(default_factory=dict)
    edges: dict[Key, Mapping[str, Any] | None] = field(default_factory=dict)
    names: dict[str, set[Key]] = field(default_factory=dict)
    ends: set[str] = field(default_factory=set)

    def take(self, changes: Iterable[Change]) -> None:
        """The next changes. Raises NotFollowed where one is missing or is not understood."""
        for change in changes:
            if change.seq != self.cursor + 1:
                raise NotFollowed(f"change {self.cursor + 1} is not in the feed")
            self.cursor = change.seq
            if change.kind in ("relationshipWritten", "relationshipDeleted"):
                self._edge(change)
            elif change.kind in ("twinWritten", "twinDeleted"):
                self.twins[change.subject] = change if change.kind == "twinWritten" else None

    def __len__(self) -> int:
        return len(self.twins) + len(self.edges)

    def _edge(self, change: Change) -> None:
        said = [one for one in (change.before, change.after) if isinstance(one, dict)]
        try:
            key = said[-1]["source"], said[-1]["id"]
            for one in said:
                self.names.setdefault(one["name"], set()).add(key)
                self.ends.update((one["source"], one["target"]))
            self.edges[key] = change.after
        except (IndexError, KeyError) as error:
            raise NotFollowed(f"change {change.seq} says too little") from error


def followed(
    topology: Topology, request: TopologyRequest, ontology: Ontology, changes: Changes
) -> Topology:
    """The topology after these changes. Columns, lists and mappings in which nothing changed are
    the same objects.

    `ontology` is that of both moments. Raises NotFollowed.
    """
    return _Following(topology, request, ontology).after(changes)


def is_same(one: Topology, other: Topology) -> bool:
    """Whether nothing but the cursor differs between a topology and what it became."""
    return one.ids is other.ids and all(
        getattr(one, name) is getattr(other, name) for name in ("model", "edges", "values")
    )


def positions_of(ids: Sequence[str], id_: str) -> list[int]:
    """Of a twin and its components among ascending ids."""
    own = bisect_left(ids, id_)
    found = [own] if own < len(ids) and ids[own] == id_ else []
    # No id has a `/` but a component's: theirs lie between `id/` and `id0`.
    start = bisect_left(ids, f"{id_}/")
    return [*found, *range(start, bisect_left(ids, f"{id_}0", start))]


@dataclass(frozen=True, slots=True)
class _Node:
    model: str
    values: Mapping[str, Any]
    owner: str = ""
    component: str = ""


class _Following:
    def __init__(self, topology: Topology, request: TopologyRequest, ontology: Ontology) -> None:
        self.old = topology
        self.request = request
        self.ontology = ontology
        self.written: dict[str, _Node] = {}
        """Nodes as they are in the end; of those that were there, `known` has the old position."""
        self.known: dict[str, int] = {}
        self.splice: Splice | None = None
        self.ids = topology.ids

    def after(self, changes: Changes) -> Topology:
        removed = self._nodes(changes.twins)
        self._splice(removed)
        models, model = self._models()
        return Topology(
            cursor=changes.cursor,
            ids=self.ids,
            models=models,
            model=model,
            owner=self._owners(),
            component=self._components(),
            edges=self._edges(changes),
            values=self._values(),
        )

    # -- twins ----------------------------------------------------------------------------

    def _nodes(self, twins: Mapping[str, Change | None]) -> list[int]:
        """Fill `written` and `known`; the old positions of what goes."""
        removed = []
        for id_, change in twins.items():
            if change is not None:
                self.written.update(self._nodes_of(id_, change))
            for at in positions_of(self.old.ids, id_):
                node = self.old.ids[at]
                if node in self.written:
                    self.known[node] = at
                else:
                    removed.append(at)
        return sorted(removed)

    def _nodes_of(self, id_: str, change: Change) -> dict[str, _Node]:
        model = change.model or ""
        interface = self.ontology.interfaces.get(model)
        if interface is None or not isinstance(change.after, dict):
            raise NotFollowed(f"change {change.seq} is of a model that is not loaded")
        nodes = {id_: _Node(model, change.after)}
        for name, part in interface.of_kind("Component").items():
            if name in change.after:
                address = component_address(id_, name)
                nodes[address] = _Node(part.interface or "", change.after[name], id_, name)
        return nodes

    def _splice(self, removed: list[int]) -> None:
        self.new = sorted(id_ for id_ in self.written if id_ not in self.known)
        if removed or self.new:
            before = [bisect_left(self.old.ids, id_) for id_ in self.new]
            self.splice = Splice(len(self.old.ids), removed, before)
            self.ids = self.splice.listed(self.old.ids, self.new)

    def _at(self, id_: str) -> int:
        """The new position of a twin or component."""
        at = bisect_left(self.ids, id_)
        if at == len(self.ids) or self.ids[at] != id_:
            raise NotFollowed(f"{id_} is not there")
        return at

    def _models(self) -> tuple[list[str], Any]:
        models, model = self.old.models, self.old.model
        fresh = {node.model for node in self.written.values()} - set(models)
        if fresh:
            models = sorted({*models, *fresh})
            code = {dtmi: i for i, dtmi in enumerate(models)}
            model = np.array([code[dtmi] for dtmi in self.old.models], np.int32)[model]
        code = {dtmi: i for i, dtmi in enumerate(models)}
        if self.splice:
            model = self.splice.array(model, [code[self.written[id_].model] for id_ in self.new])
        for id_, at in self.known.items():
            at = at if self.splice is None else int(self.splice.place[at])
            if model[at] != code[self.written[id_].model]:
                model = model.copy() if model is self.old.model else model
                model[at] = code[self.written[id_].model]
        return models, model

    def _owners(self) -> Any:
        if self.splice is None:
            return self.old.owner
        owners = [self.written[id_].owner for id_ in self.new]
        added = [self._at(owner) if owner else -1 for owner in owners]
        place = np.append(self.splice.place, np.int32(-1))
        return self.splice.array(place[self.old.owner], added)

    def _components(self) -> list[str]:
        if self.splice is None:
            return self.old.component
        added = [self.written[id_].component for id_ in self.new]
        return self.splice.listed(self.old.component, added)

    # -- values ---------------------------------------------------------------------------

    def _values(self) -> Mapping[str, Mapping[int, Any]]:
        values = {
            name: self._column(name, Column.of(self.old.values.get(name, {})))
            for name in self.request.properties
        }
        same = all(column is self.old.values.get(name) for name, column in values.items())
        return self.old.values if same else values

    def _column(self, name: str, column: Column) -> Column:
        said = {}
        for id_, node in self.written.items():
            value = self._value(node, name)
            at = self.known.get(id_)
            if not _same(value, None if at is None else column.get(at)):
                said[self._at(id_)] = value
        if self.splice is None:
            return replaced(column, said)
        return self.splice.column(column, said)

    def _value(self, node: _Node, name: str) -> Any:
        """The node's own property; a component of that name is none."""
        content = self.ontology.interfaces[node.model].contents.get(name)
        is_part = content is not None and content.kind == "Component"
        return None if is_part else node.values.get(name)

    # -- relationships --------------------------------------------------------------------

    def _edges(self, changes: Changes) -> Mapping[str, EdgeColumns]:
        edges = {}
        for name in self.request.relationships:
            keys = changes.names.get(name, set())
            edges[name] = self._moved(name, keys, changes.edges)
        same = all(columns is self.old.edges.get(name) for name, columns in edges.items())
        return self.old.edges if same else edges

    def _moved(
        self, name: str, keys: Iterable[Key], said: Mapping[Key, Mapping[str, Any] | None]
    ) -> EdgeColumns:
        old = self.old.edges[name]
        removed, coming = set(), []
        for key in keys:
            after = said[key] if (said[key] or {}).get("name") == name else None
            row, found = self._row(old, key)
            if found and after is not None and self._is_as(old, row, after):
                continue
            if found:
                removed.add(row)
            if after is not None:
                coming.append((self._at(key[0]), key[1], row, after))
        if self.splice is not None:
            place = self.splice.place
            lost = (place[old.source] < 0) | (place[old.target] < 0)
            removed.update(np.flatnonzero(lost).tolist())
        if not removed and not coming:
            return old if self.splice is None else self._renumbered(old)
        coming.sort(key=lambda one: one[:2])
        return self._spliced(old, sorted(removed), coming)

    def _renumbered(self, old: EdgeColumns) -> EdgeColumns:
        assert self.splice is not None
        place = self.splice.place
        return EdgeColumns(place[old.source], place[old.target], old.ids, old.properties)

    def _spliced(
        self,
        old: EdgeColumns,
        removed: Sequence[int],
        coming: Sequence[tuple[int, str, int, Mapping[str, Any]]],
    ) -> EdgeColumns:
        rows = Splice(len(old.ids), removed, [row for _, _, row, _ in coming])
        moved = old if self.splice is None else self._renumbered(old)
        properties = {}
        for name in self.request.relationship_properties:
            values = (after["properties"].get(name) for _, _, _, after in coming)
            said = zip(rows.added.tolist(), values, strict=True)
            properties[name] = rows.column(
                Column.of(old.properties.get(name, {})),
                {at: value for at, value in said if value is not None},
            )
        return EdgeColumns(
            rows.array(moved.source, [source for source, *_ in coming]),
            rows.array(moved.target, [self._at(after["target"]) for *_, after in coming]),
            rows.listed(old.ids, [id_ for _, id_, _, _ in coming]),
            properties,
        )

    def _row(self, old: EdgeColumns, key: Key) -> tuple[int, bool]:
        """Where a relationship is among the old ones, or would be, and whether it is there."""
        source, id_ = key
        at = bisect_left(self.old.ids, source)
        start = int(np.searchsorted(old.source, at))
        if at == len(self.old.ids) or self.old.ids[at] != source:
            return start, False
        end = int(np.searchsorted(old.source, at, side="right"))
        row = bisect_left(old.ids, id_, start, end)
        return row, row < end and old.ids[row] == id_

    def _is_as(self, old: EdgeColumns, row: int, after: Mapping[str, Any]) -> bool:
        return self.old.ids[old.target[row]] == after["target"] and all(
            _same(after["properties"].get(name), old.properties.get(name, {}).get(row))
            for name in self.request.relationship_properties
        )


def _same(one: Any, other: Any) -> bool:
    """1, 1.0 and true are not."""
    return type(one) is type(other) and bool(one == other)
