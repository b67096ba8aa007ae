"""Judges writes of relationships: pure functions from the rows, what is stored, the ontology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from twinfall.graph.identity import default_relationship_id, relationship_id_fault
from twinfall.graph.outer import outer_edge
from twinfall.graph.twins import Edge, Node, RelationshipInput, RelationshipKey
from twinfall.graph.values_judge import ValuesJudge
from twinfall.graph.verdict import Fault, RowFault, Suggestions, Verdict, Writing
from twinfall.ontology import Ontology
from twinfall.ontology.model import Content


@dataclass(slots=True)
class StoredRelationships:
    """What the store has: the twins and components at both ends by id, the relationships with
    these keys, and how many of each (source, name) there are.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: Mapping[tuple[str, str], Edge] = field(default_factory=dict)
    degrees: Mapping[tuple[str, str], int] = field(default_factory=dict)


class RelationshipRules:
    """What the ontology allows between two models."""

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self._suggestions = Suggestions()
        self.values = ValuesJudge(ontology, self._suggestions)

    def declared(self, name: str, source_model: str) -> Content:
        """The relationship as the source's model declares it. Raises RowFault."""
        contents = self._ontology.interfaces[source_model].contents
        content = contents.get(name)
        if content is not None and content.kind == "Relationship":
            return content
        known = [n for n, c in contents.items() if c.kind == "Relationship"]
        raise RowFault(
            Fault(
                "UNKNOWN_NAME",
                f"{source_model} has no relationship {name!r}",
                cure=self._suggestions.near(name, known) or _listed(known),
            )
        )

    def target_fault(self, content: Content, target_model: str) -> Fault | None:
        """Why the relationship may not end at a twin of this model, or None."""
        if content.target is None or self._ontology.is_a(target_model, content.target):
            return None
        return Fault(
            "NOT_ALLOWED",
            f"{content.name!r} must end at a {content.target}, this twin is a {target_model}",
        )

    def faults(self, edge: Edge, source_model: str, target_model: str) -> list[Fault]:
        """Everything that forbids this relationship between twins of these models."""
        try:
            content = self.declared(edge.name, source_model)
        except RowFault as fault:
            return list(fault.faults)
        _, faults = self.values.relationship(content, edge.properties)
        wrong_target = self.target_fault(content, target_model)
        return faults if wrong_target is None else [wrong_target, *faults]


def limited(
    ontology: Ontology, rows: Sequence[RelationshipInput], nodes: Mapping[str, Node]
) -> list[tuple[str, str]]:
    """The (source, name) pairs whose number of relationships the ontology limits."""
    found = set()
    for row in rows:
        source = nodes.get(row.source)
        model = ontology.interfaces.get(source.model) if source else None
        content = model.contents.get(row.name) if model else None
        if content is not None and content.max_multiplicity is not None:
            found.add((row.source, row.name))
    return sorted(found)


def relationship_id(row: RelationshipInput) -> str:
    """The id given, or the default one."""
    return default_relationship_id(row.name, row.target) if row.id is None else row.id


def judge_relationships(
    rows: Sequence[RelationshipInput],
    stored: StoredRelationships,
    ontology: Ontology,
    writing: Writing,
) -> Verdict:
    """Judge whole relationships."""
    return _RelationshipJudge(stored, ontology, writing).judge(rows)


def judge_relationship_deletions(
    keys: Sequence[RelationshipKey], edges: Mapping[tuple[str, str], Edge], writing: Writing
) -> Verdict:
    """Judge the removal of relationships."""
    verdict = Verdict()
    seen: set[tuple[str, str]] = set()
    for index, key in enumerate(keys):
        edge = edges.get((key.source, key.id))
        try:
            if edge is None:
                raise RowFault(
                    Fault(
                        "UNKNOWN_RELATIONSHIP",
                        f"twin {key.source} has no relationship with id {key.id!r}",
                    )
                )
            _check_once(key.source, key.id, seen)
        except RowFault as fault:
            verdict.refuse(index, fault)
            continue
        assert edge is not None
        verdict.accepted += 1
        seen.add((key.source, key.id))
        verdict.drop_edges.append(key)
        verdict.changes.append(
            writing.change(
                "relationshipDeleted", f"{edge.source}/{edge.id}", before=outer_edge(edge)
            )
        )
    return verdict


class _RelationshipJudge:
    def __init__(self, stored: StoredRelationships, ontology: Ontology, writing: Writing) -> None:
        self._stored = stored
        self._rules = RelationshipRules(ontology)
        self._writing = writing
        self._verdict = Verdict()
        self._seen: set[tuple[str, str]] = set()
        self._degrees = dict(stored.degrees)

    def judge(self, rows: Sequence[RelationshipInput]) -> Verdict:
        for index, row in enumerate(rows):
            try:
                self._row(row)
            except RowFault as fault:
                self._verdict.refuse(index, fault)
            else:
                self._verdict.accepted += 1
        return self._verdict

    def _row(self, row: RelationshipInput) -> None:
        id_ = relationship_id(row)
        _check_id(row, id_)
        source = self._end(row.source, "source")
        target = self._end(row.target, "target")
        content = self._rules.declared(row.name, source.model)
        _check_once(row.source, id_, self._seen)
        properties, faults = self._rules.values.relationship(content, row.properties)
        wrong_target = self._rules.target_fault(content, target.model)
        if wrong_target is not None:
            faults.insert(0, wrong_target)
        if faults:
            raise RowFault(*faults)
        edge = Edge(row.source, id_, row.name, row.target, properties)
        old = self._stored.edges.get((edge.source, edge.id))
        self._count(edge, old, content)
        self._seen.add((edge.source, edge.id))
        self._write(edge, old)

    def _end(self, id_: str, which: str) -> Node:
        node = self._stored.nodes.get(id_)
        if node is None:
            raise RowFault(Fault("UNKNOWN_TWIN", f"there is no twin {id_!r}", f"/{which}"))
        return node

    def _count(self, edge: Edge, old: Edge | None, content: Content) -> None:
        """Keep to maxMultiplicity; a relationship that is replaced counts once."""
        if old is not None and old.name == edge.name:
            return
        here = (edge.source, edge.name)
        count = self._degrees.get(here, 0)
        if content.max_multiplicity is not None and count >= content.max_multiplicity:
            raise RowFault(
                Fault(
                    "NOT_ALLOWED",
                    f"twin {edge.source} may have at most {content.max_multiplicity}"
                    f" {edge.name!r} and has {count}",
                    cure="delete one first",
                )
            )
        self._degrees[here] = count + 1
        if old is not None:
            self._degrees[old.source, old.name] = self._degrees.get((old.source, old.name), 1) - 1

    def _write(self, edge: Edge, old: Edge | None) -> None:
        after = outer_edge(edge)
        before = None if old is None else outer_edge(old)
        if _text(before) == _text(after):
            return
        self._verdict.edges.append(edge)
        self._verdict.changes.append(
            self._writing.change(
                "relationshipWritten", f"{edge.source}/{edge.id}", before=before, after=after
            )
        )


def _check_id(row: RelationshipInput, id_: str) -> None:
    fault = relationship_id_fault(id_)
    if fault is None:
        return
    if row.id is None:
        raise RowFault(
            Fault(
                "BAD_ID",
                f"the default id {id_[:64]!r}... is too long",
                cure="give the relationship an id of its own",
            )
        )
    raise RowFault(Fault("BAD_ID", fault))


def _check_once(source: str, id_: str, seen: set[tuple[str, str]]) -> None:
    if (source, id_) in seen:
        raise RowFault(
            Fault(
                "DUPLICATE",
                f"relationship {id_!r} of twin {source} is in this batch twice",
                cure="send it once, or give each an id of its own",
            )
        )


def _listed(names: Sequence[str]) -> str:
    return f"it has {', '.join(sorted(names)[:10])}" if names else "it has no relationships"


def _text(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
