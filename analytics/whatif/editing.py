"""The plant with relationships added and removed and values set, as if somebody had written that.

The declarations say what a change means, as they do for what is written: a relationship that
carries no failure changes nothing. The graph itself is never touched.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from twinfall.analytics.assets import MAX_COMPARED
from twinfall.analytics.positions import Positions
from twinfall.analytics.whatif.scenario import Link, Scenario
from twinfall.graph.column import Column
from twinfall.graph.splicing import replaced
from twinfall.graph.store import EdgeColumns, Topology
from twinfall.ontology.errors import BadInput, UnknownTwin
from twinfall.ontology.model import Content
from twinfall.ontology.ontology import Ontology


def edited(topology: Topology, scenario: Scenario, ontology: Ontology) -> Topology:
    """The topology as the scenario has it. Raises UnknownTwin, BadInput with the place."""
    return _Editor(topology, ontology).edit(scenario)


class _Editor:
    def __init__(self, topology: Topology, ontology: Ontology) -> None:
        self.topology = topology
        self.ontology = ontology
        self.position = Positions(topology.ids)

    def edit(self, scenario: Scenario) -> Topology:
        edges = dict(self.topology.edges)
        for name in {link.name for link in scenario.remove}:
            edges[name] = self._without(name, scenario.remove)
        for i, link in enumerate(scenario.add):
            self._check(link, f"add/{i}")
        for name in {link.name for link in scenario.add}:
            edges[name] = self._with(edges.get(name), [x for x in scenario.add if x.name == name])
        values = self._set(scenario.set)
        return replace(self.topology, edges=edges, values=values)

    # -- relationships --------------------------------------------------------------------

    def _check(self, link: Link, path: str) -> None:
        source, target = self._at(link.source, path), self._at(link.target, path)
        model = self._model(source)
        content = self.ontology.interfaces[model].contents.get(link.name)
        if content is None or content.kind != "Relationship":
            known = self.ontology.interfaces[model].of_kind("Relationship")
            near = difflib.get_close_matches(link.name, known, n=1)
            cure = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
            raise BadInput(f'{model} has no relationship "{link.name[:64]}"', path=path, cure=cure)
        if content.target and not self.ontology.is_a(self._model(target), content.target):
            message = f"{link.target} is a {self._model(target)}, not a {content.target}"
            raise BadInput(message, path=path)
        self._check_values(content.properties, link.properties, f"{path}/properties")

    def _without(self, name: str, gone: tuple[Link, ...]) -> EdgeColumns:
        edges = self.topology.edges.get(name)
        pairs = set()
        for i, link in enumerate(gone):
            if link.name == name:
                path = f"remove/{i}"
                pairs.add((self._at(link.source, path), self._at(link.target, path), path))
        kept = np.ones(0 if edges is None else len(edges.source), bool)
        for source, target, path in sorted(pairs):
            hit = (
                (edges.source == source) & (edges.target == target)
                if edges is not None
                else np.zeros(0, bool)
            )
            if not hit.any():
                ids = self.topology.ids
                raise BadInput(
                    f"{ids[source]} has no such relationship {name} to {ids[target]}",
                    path=path,
                    cure="only relationships that are declared to carry failure are known here",
                )
            kept &= ~hit
        assert edges is not None
        rows = np.flatnonzero(kept)
        return _rows_of(edges, rows)

    def _with(self, edges: EdgeColumns | None, links: list[Link]) -> EdgeColumns:
        source = [self.position[link.source] for link in links]
        target = [self.position[link.target] for link in links]
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

    # -- values ---------------------------------------------------------------------------

    def _set(self, said: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[int, Any]]:
        values: dict[str, dict[int, Any]] = {}
        for id_, given in said.items():
            path = f"set/{id_}"
            at = self._at(id_, path)
            contents = self.ontology.interfaces[self._model(at)].contents
            known = {n: c for n, c in contents.items() if c.kind in ("Property", "Telemetry")}
            self._check_values(known, given, path)
            for name, value in given.items():
                values.setdefault(name, {})[at] = value
        return _with_values(self.topology.values, values)

    def _check_values(
        self, known: Mapping[str, Content], given: Mapping[str, Any], path: str
    ) -> None:
        for name, value in given.items():
            content = known.get(name)
            if content is None or content.schema is None:
                near = difflib.get_close_matches(str(name), known, n=1)
                cure = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
                raise BadInput(f'there is no "{str(name)[:64]}"', path=path, cure=cure)
            problems = self.ontology.check_value(content.schema, value)
            if problems:
                raise BadInput(problems[0].message, path=f"{path}/{name}", cure=problems[0].cure)

    def _at(self, id_: str, path: str) -> int:
        at = self.position.get(id_)
        if at is None:
            few = self.topology.ids if len(self.topology.ids) <= MAX_COMPARED else ()
            near = difflib.get_close_matches(id_[:128], few, n=3)
            cure = f"did you mean {', '.join(near)}?" if near else "ids are case-sensitive"
            raise UnknownTwin(f"there is no twin {id_[:128]!r}", path=path, cure=cure)
        return at

    def _model(self, at: int) -> str:
        return self.topology.models[int(self.topology.model[at])]


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
