"""Judges writes of twins: pure functions from the rows, what is stored and the ontology.

Rows are judged in order and later rows see earlier ones. A twin that would not change moves no
version and makes no change. All components of a twin are written with it, at its version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import orjson

from twinfall.graph.identity import caption, component_address, owner_of, twin_id_fault
from twinfall.graph.judge_relationships import RelationshipRules
from twinfall.graph.outer import components_of, merged, outer_edge, outer_values
from twinfall.graph.twins import Edge, Node, TwinInput, TwinPatch
from twinfall.graph.values_judge import Judged, ValuesJudge
from twinfall.graph.verdict import Fault, RowFault, Suggestions, Verdict, Writing
from twinfall.ontology import Ontology
from twinfall.ontology.dtmi import newer_version


@dataclass(slots=True)
class Stored:
    """What the store has of the twins at hand: the twins by id, each with its components, for
    twins that change their model or go also the relationships at them, and the twins there.
    No twin comes to a `decommissioned` model.
    """

    twins: Mapping[str, Mapping[str, Node]] = field(default_factory=dict)
    edges: Sequence[Edge] = ()
    ends: Mapping[str, Node] = field(default_factory=dict)
    decommissioned: Set[str] = frozenset()


def judge_twins(
    rows: Sequence[TwinInput | TwinPatch], stored: Stored, ontology: Ontology, writing: Writing
) -> Verdict:
    """Judge whole twins and patches of twins.

    Twins that change their model together are judged as if all of them did; where one cannot, the
    others are judged again without it.
    """
    held: set[int] = set()
    while True:
        planned = _planned(rows, held, ontology) if stored.edges else {}
        verdict = _TwinJudge(stored, ontology, writing, planned).judge(rows)
        wrong = {error.index for error in verdict.refused} - held
        if not planned or not wrong:
            return verdict
        held |= wrong


def _planned(
    rows: Sequence[TwinInput | TwinPatch], held: Set[int], ontology: Ontology
) -> dict[str, str]:
    """The models that twins are to have."""
    return {
        row.id: row.model
        for index, row in enumerate(rows)
        if isinstance(row, TwinInput) and index not in held and isinstance(row.id, str)
        if isinstance(row.model, str) and row.model in ontology.interfaces
    }


def judge_deletions(ids: Sequence[str], stored: Stored, writing: Writing) -> Verdict:
    """Judge the removal of twins with their components and every relationship at them."""
    verdict = Verdict()
    going: set[str] = set()
    for index, id_ in enumerate(ids):
        try:
            _check_address(id_, going)
            twin = stored.twins.get(id_, {}).get(id_)
            if twin is None:
                raise RowFault(_unknown_twin(id_))
        except RowFault as fault:
            verdict.refuse(index, fault)
            continue
        verdict.accepted += 1
        going.add(id_)
    for edge in stored.edges:
        if owner_of(edge.source) in going or owner_of(edge.target) in going:
            verdict.changes.append(
                writing.change(
                    "relationshipDeleted", f"{edge.source}/{edge.id}", before=outer_edge(edge)
                )
            )
    for id_ in sorted(going):
        nodes = stored.twins[id_]
        twin = nodes[id_]
        verdict.drop_nodes.extend([id_, *(part.id for part in components_of(twin, nodes))])
        verdict.expected[id_] = twin.version
        verdict.changes.append(
            writing.change(
                "twinDeleted",
                id_,
                model=twin.model,
                version=twin.version,
                before=outer_values(twin, nodes),
            )
        )
    return verdict


class _TwinJudge:
    def __init__(
        self, stored: Stored, ontology: Ontology, writing: Writing, planned: Mapping[str, str]
    ) -> None:
        self._stored = stored
        self._ontology = ontology
        self._suggestions = Suggestions()
        self._values = ValuesJudge(ontology, self._suggestions)
        self._writing = writing
        self._verdict = Verdict()
        self._seen: set[str] = set()
        self._models = {id_: planned.get(id_, node.model) for id_, node in stored.ends.items()}

    def judge(self, rows: Sequence[TwinInput | TwinPatch]) -> Verdict:
        for index, row in enumerate(rows):
            try:
                self._row(row)
            except RowFault as fault:
                self._verdict.refuse(index, fault)
            else:
                self._verdict.accepted += 1
        return self._verdict

    def _row(self, row: TwinInput | TwinPatch) -> None:
        _check_address(row.id, self._seen)
        nodes = self._stored.twins.get(row.id, {})
        old = nodes.get(row.id)
        _check_version(row.if_version, old)
        if isinstance(row, TwinPatch):
            row = _patched(row, old, nodes)
        if row.model not in self._ontology.interfaces:
            cure = self._suggestions.near(row.model, self._ontology.interfaces)
            raise RowFault(Fault("UNKNOWN_NAME", f"no model {row.model!r} is loaded", cure=cure))
        if row.model in self._stored.decommissioned and (old is None or old.model != row.model):
            raise RowFault(self._decommissioned(row.model))
        judged = self._values.twin(row.model, row.values)
        if judged.faults:
            raise RowFault(*judged.faults)
        fresh = self._nodes(row, judged, 1 if old is None else old.version + 1)
        if old is not None and old.model != row.model:
            self._check_relationships(nodes, fresh)
        self._seen.add(row.id)
        self._write(fresh, nodes)

    def _decommissioned(self, model: str) -> Fault:
        later = newer_version(model, set(self._ontology.interfaces) - self._stored.decommissioned)
        undo = f"`twinfall model decommission {model} --undo` lets it take twins again"
        return Fault(
            "DECOMMISSIONED",
            f"the model {model} is decommissioned: it takes no new twins",
            cure=f"write it as {later}, or {undo}" if later else undo,
        )

    def _nodes(self, row: TwinInput, judged: Judged, version: int) -> dict[str, Node]:
        contents = self._ontology.interfaces[row.model].contents
        nodes = {row.id: Node(row.id, row.model, judged.own, version, caption(row.id, judged.own))}
        for name, values in judged.components.items():
            address = component_address(row.id, name)
            nodes[address] = Node(
                id=address,
                model=contents[name].interface or "",
                values=values,
                version=version,
                caption=caption(address, values),
                owner=row.id,
                component=name,
            )
        return nodes

    def _write(self, fresh: Mapping[str, Node], nodes: Mapping[str, Node]) -> None:
        twin = next(iter(fresh.values()))
        old = nodes.get(twin.id)
        after = outer_values(twin, fresh)
        before = None if old is None else outer_values(old, nodes)
        if old is not None and old.model == twin.model and _same(before, after):
            return
        self._verdict.expected[twin.id] = 0 if old is None else old.version
        self._verdict.nodes.extend(fresh.values())
        self._verdict.drop_nodes.extend(id_ for id_ in nodes if id_ not in fresh)
        self._verdict.changes.append(
            self._writing.change(
                "twinWritten",
                twin.id,
                model=twin.model,
                version=twin.version,
                before=before,
                after=after,
            )
        )

    def _check_relationships(self, nodes: Mapping[str, Node], fresh: Mapping[str, Node]) -> None:
        """A twin may change its model only when every relationship at it stays allowed."""
        models = {**self._models, **{id_: node.model for id_, node in fresh.items()}}
        rules = RelationshipRules(self._ontology)
        faults = []
        for edge in self._stored.edges:
            if edge.source not in nodes and edge.target not in nodes:
                continue
            gone = [end for end in (edge.source, edge.target) if end in nodes and end not in fresh]
            if gone:
                faults.append(f"component {gone[0]} would go")
                continue
            faults.extend(
                fault.message
                for fault in rules.faults(edge, models[edge.source], models[edge.target])
            )
        if faults:
            raise RowFault(
                Fault(
                    "NOT_ALLOWED",
                    f"the new model does not allow a relationship there is: {faults[0]}",
                    cure="delete these relationships first",
                )
            )
        self._models = models


def _patched(patch: TwinPatch, old: Node | None, nodes: Mapping[str, Node]) -> TwinInput:
    if old is None:
        raise RowFault(_unknown_twin(patch.id))
    if not isinstance(patch.merge, dict):
        raise RowFault(Fault("BAD_VALUE", "a merge patch is an object"))
    return TwinInput(old.id, old.model, merged(outer_values(old, nodes), patch.merge))


def _check_address(id_: str, seen: set[str]) -> None:
    """A twin's id, not yet in this batch; a component is written through its owner."""
    if isinstance(id_, str) and "/" in id_:
        owner, _, name = id_.partition("/")
        raise RowFault(
            Fault(
                "IS_COMPONENT",
                f"{id_} is a component: it is created, written and deleted with its owner",
                cure=f'write twin {owner} with {{"{name}": {{...}}}}',
            )
        )
    fault = twin_id_fault(id_)
    if fault is not None:
        raise RowFault(Fault("BAD_ID", fault))
    if id_ in seen:
        raise RowFault(
            Fault("DUPLICATE", f"twin {id_} is in this batch twice", cure="send it once")
        )


def _check_version(if_version: int | None, old: Node | None) -> None:
    if if_version is None:
        return
    found = 0 if old is None else old.version
    if found == if_version:
        return
    if if_version == 0:
        raise RowFault(Fault("EXISTS", f"the twin exists, at version {found}"))
    raise RowFault(
        Fault(
            "STALE_VERSION",
            f"the twin is at version {found}, not {if_version}"
            if found
            else "the twin does not exist",
            cure="read it again and repeat the change",
        )
    )


def _unknown_twin(id_: str) -> Fault:
    return Fault("UNKNOWN_TWIN", f"there is no twin {id_}")


def _same(one: object, other: object) -> bool:
    """Equal as JSON: unlike Python's, 1 is not true and not 1.0; order of members is nothing."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        other, option=orjson.OPT_SORT_KEYS
    )
