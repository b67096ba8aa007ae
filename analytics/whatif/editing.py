"""The plant with relationships added, changed and removed and values set, as if somebody had
written that.

The declarations say what a change means, as they do for what is written: a relationship that
carries no failure changes nothing. The graph itself is never touched. That everything named is
there was checked before (`fitting`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from twinfall.analytics.whatif.relationships import Relationships
from twinfall.analytics.whatif.scenario import Link, Scenario
from twinfall.graph.column import Column
from twinfall.graph.splicing import replaced
from twinfall.graph.store import EdgeColumns, Topology

Edges = dict[str, EdgeColumns]


def edited(known: Relationships, scenario: Scenario) -> Topology:
    """The topology as a scenario that fits has it."""
    topology, position = known.topology, known.position
    edges: Edges = dict(topology.edges)
    for name, links in _by_name(scenario.change):
        if name in edges:
            edges[name] = _changed(edges[name], known, links)
    for name, links in _by_name(scenario.remove):
        if name in edges:
            edges[name] = _without(edges[name], known, links)
    for name, links in _by_name(scenario.add):
        edges[name] = _with(edges.get(name), position, links)
    said: dict[str, dict[int, Any]] = {}
    for id_, given in scenario.set.items():
        for name, value in given.items():
            said.setdefault(name, {})[position[id_]] = value
    return replace(topology, edges=edges, values=_with_values(topology.values, said))


def _by_name(links: Iterable[Link]) -> Iterable[tuple[str, list[Link]]]:
    found: dict[str, list[Link]] = {}
    for link in links:
        found.setdefault(link.name, []).append(link)
    return found.items()


def _changed(edges: EdgeColumns, known: Relationships, links: list[Link]) -> EdgeColumns:
    said: dict[str, dict[int, Any]] = {}
    for link in links:
        for row in known.rows(link).tolist():
            for name, value in link.properties.items():
                said.setdefault(name, {})[row] = value
    return replace(edges, properties=_with_values(edges.properties, said))


def _without(edges: EdgeColumns, known: Relationships, links: list[Link]) -> EdgeColumns:
    kept = np.ones(len(edges.source), bool)
    kept[known.all_rows(links)] = False
    return _rows_of(edges, np.flatnonzero(kept))


def _with(edges: EdgeColumns | None, position: Mapping[str, int], links: list[Link]) -> EdgeColumns:
    source = [position[link.source] for link in links]
    target = [position[link.target] for link in links]
    begun = 0 if edges is None else len(edges.source)
    said: dict[str, dict[int, Any]] = {}
    for i, link in enumerate(links):
        for name, value in link.properties.items():
            said.setdefault(name, {})[begun + i] = value
    properties = _with_values({} if edges is None else edges.properties, said)
    none = np.zeros(0, np.int32)
    before = (none, none) if edges is None else (edges.source, edges.target)
    return EdgeColumns(
        np.append(before[0], source).astype(np.int32),
        np.append(before[1], target).astype(np.int32),
        [*([] if edges is None else edges.ids), *("" for _ in links)],
        properties,
    )


def _with_values(
    columns: Mapping[str, Mapping[int, Any]], said: Mapping[str, Mapping[int, Any]]
) -> Mapping[str, Mapping[int, Any]]:
    """The columns with what is said instead of what was there."""
    none: Mapping[int, Any] = {}
    changed = {
        name: replaced(Column.of(columns.get(name, none)), values) for name, values in said.items()
    }
    return {**columns, **changed}


def _rows_of(edges: EdgeColumns, rows: Any) -> EdgeColumns:
    properties = {}
    for name, values in edges.properties.items():
        column = Column.of(values)
        kept = np.isin(column.at, rows)
        properties[name] = column.take(
            kept, np.searchsorted(rows, column.at[kept]).astype(np.int32)
        )
    ids = [edges.ids[row] for row in rows]
    return EdgeColumns(edges.source[rows], edges.target[rows], ids, properties)
