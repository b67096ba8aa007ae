"""Fields to where DTDL takes them: a name once along every line of descent.

DTDL forbids a content to be declared again below, even more narrowly, and one name twice in what
an interface inherits. So what an ancestor has already is left out, and what two unrelated
ancestors of one class both have moves into an interface of its own that both extend.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from twinfall.ontology.rdf.classes import Class, Field, Vocabulary

MAX_LEVELS = 12
"""Of extending, in DTDL v4."""
Known: TypeAlias = Mapping[str, frozenset[str]]
SHARED = "_subject"
"""Behind a predicate's IRI: what has it, where classes that are not related do."""


@dataclass(slots=True)
class Family:
    """Ancestors of classes, each with itself, in an order that has parents first."""

    order: list[str] = field(default_factory=list)
    above: dict[str, frozenset[str]] = field(default_factory=dict)


def place(found: Vocabulary, known: Known) -> Family:
    """Make the classes legal for DTDL; `known` are classes of models that are there already, each
    with the predicates that it has.
    """
    _check_parents(found, known)
    _break_circles(found)
    _limit_depth(found)
    family = family_of(found.classes)
    _share(found, family)
    family = family_of(found.classes)
    for iri in family.order:
        _leave_out(found, family, found.classes[iri], known)
    return family


def family_of(classes: Mapping[str, Class]) -> Family:
    """The family of classes without circles."""
    family = Family()
    for iri in sorted(classes):
        _visit(classes, iri, family)
    return family


def _visit(classes: Mapping[str, Class], start: str, family: Family) -> None:
    waiting = [start]
    while waiting:
        iri = waiting[-1]
        parents = [p for p in classes[iri].parents if p in classes]
        missing = [p for p in parents if p not in family.above]
        if missing and iri not in family.above:
            waiting += missing
            continue
        waiting.pop()
        if iri not in family.above:
            family.above[iri] = frozenset({iri}).union(*(family.above[p] for p in parents))
            family.order.append(iri)


def _check_parents(found: Vocabulary, known: Known) -> None:
    for one in found.classes.values():
        for parent in one.parents:
            if parent not in found.classes and parent not in known:
                found.lose("parent", one.iri, f"extends {parent}, which is not here")
        there = [p for p in one.parents if p in found.classes or p in known]
        one.parents = list(dict.fromkeys(there))


def _break_circles(found: Vocabulary) -> None:
    """Classes that extend each other in a circle: the parent that closes it is left out."""
    done: set[str] = set()
    for start in sorted(found.classes):
        path: list[str] = []
        on_path: set[str] = set()
        waiting = [(start, False)]
        while waiting:
            iri, leaving = waiting.pop()
            if leaving:
                on_path.discard(path.pop())
                done.add(iri)
                continue
            if iri in done or iri not in found.classes:
                continue
            path.append(iri)
            on_path.add(iri)
            waiting.append((iri, True))
            one = found.classes[iri]
            for parent in [p for p in one.parents if p in on_path]:
                one.parents.remove(parent)
                found.lose("circle", iri, f"extends {parent} in a circle: not kept")
            waiting += [(p, False) for p in one.parents if p not in done]


def _limit_depth(found: Vocabulary) -> None:
    """Deeper classes extend what stands higher; one level is left for what is shared."""
    depth: dict[str, int] = {}
    for iri in family_of(found.classes).order:
        one = found.classes[iri]
        while True:
            level = 1 + max((depth.get(p, 0) for p in one.parents), default=0)
            if level < MAX_LEVELS:
                break
            deepest = max(one.parents, key=lambda p: (depth.get(p, 0), p))
            found.lose("depth", iri, f"extends {deepest} too deep: it extends what that extends")
            rest = [p for p in one.parents if p != deepest]
            one.parents = list(dict.fromkeys([*rest, *found.classes[deepest].parents]))
        depth[iri] = level


def _share(found: Vocabulary, family: Family) -> None:
    """Where a class would inherit a predicate from two that are not related, both extend a third
    that has it.
    """
    holders: dict[str, set[str]] = defaultdict(set)
    for one in found.classes.values():
        for predicate in one.fields:
            holders[predicate].add(one.iri)
    for predicate in sorted(holders):
        top = _tops(holders[predicate], family)
        if len(top) > 1 and any(len(top & family.above[iri]) > 1 for iri in family.order):
            _share_one(found, family, predicate, sorted(top))


def _tops(holders: Iterable[str], family: Family) -> set[str]:
    """The holders that inherit from no other one."""
    every = set(holders)
    return {iri for iri in every if len(every & family.above[iri]) == 1}


def _share_one(found: Vocabulary, family: Family, predicate: str, top: list[str]) -> None:
    fields = [found.classes[iri].fields.pop(predicate) for iri in top]
    shared = Class(predicate + SHARED, labels={"en": f"What has {_last(predicate)}"})
    shared.fields[predicate] = _widest(fields, family)
    if any(_says(f) != _says(shared.fields[predicate]) for f in fields):
        found.lose("range", predicate, f"is told by {len(top)} classes: what all of them allow")
    found.classes[shared.iri] = shared
    for iri in top:
        found.classes[iri].parents.append(shared.iri)


def _widest(fields: list[Field], family: Family) -> Field:
    first = fields[0]
    if any(f.kind != first.kind or f.schema != first.schema for f in fields):
        things = [f for f in fields if f.kind == "Relationship"]
        first = things[0] if things else replace(first, schema="string")
    targets = {t for f in fields for t in f.targets} if all(f.targets for f in fields) else set()
    most = [f.most for f in fields]
    count = None if None in most else max(m for m in most if m is not None)
    return replace(first, targets=tuple(sorted(targets)), most=count)


def _says(field: Field) -> tuple[object, ...]:
    return field.kind, str(field.schema), field.targets, field.most


def _last(iri: str) -> str:
    return iri.replace("#", "/").rstrip("/").rsplit("/", 1)[-1]


def _leave_out(found: Vocabulary, family: Family, one: Class, known: Known) -> None:
    """What an ancestor has already."""
    for iri in family.above[one.iri]:
        for parent in set(found.classes[iri].parents) - found.classes.keys():
            for predicate in known.get(parent, frozenset()) & one.fields.keys():
                del one.fields[predicate]
                found.lose("narrowed", one.iri, f"says {predicate}, which {parent} has already")
    for predicate in list(one.fields):
        for iri in family.above[one.iri] - {one.iri}:
            upper = found.classes[iri].fields.get(predicate)
            if upper is None:
                continue
            own = one.fields.pop(predicate)
            if _says(own) != _says(upper):
                found.lose("narrowed", one.iri, f"says {predicate} more narrowly than {iri}")
            break


def common(targets: Iterable[str], family: Family) -> str | None:
    """The lowest class that all targets are; None where there is none, or no single one."""
    known = [t for t in targets if t in family.above]
    if not known:
        return None
    shared = frozenset.intersection(*(family.above[t] for t in known))
    lowest = [one for one in shared if not any(one in family.above[o] - {o} for o in shared)]
    return lowest[0] if len(lowest) == 1 else None
