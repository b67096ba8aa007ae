"""What changed between two models, and whether what was valid and asked before still is.

A change is **compatible** when every twin that was valid stays valid with its values, and every
query and write that worked still works; **breaking** when not; **wording** when only people notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from twinfall.ontology.dtmi import read_dtmi
from twinfall.ontology.model import (
    Array,
    Content,
    Enum,
    Interface,
    Map,
    Object,
    Primitive,
    Schema,
    SchemaReference,
)
from twinfall.ontology.ontology import Ontology

Weight = Literal["breaking", "compatible", "wording"]
WEIGHTS: tuple[Weight, ...] = ("breaking", "compatible", "wording")
MAX_DEPTH = 24
"""Of schemas that are compared."""

_WIDER = {
    "integer": {"long", "double", "decimal"},
    "long": {"decimal"},
    "short": {"integer", "long", "float", "double", "decimal"},
    "byte": {"short", "integer", "long", "float", "double", "decimal"},
    "unsignedByte": {"short", "integer", "long", "unsignedShort", "unsignedInteger",
                     "unsignedLong", "float", "double", "decimal"},
    "unsignedShort": {"integer", "long", "unsignedInteger", "unsignedLong", "float", "double"},
    "unsignedInteger": {"long", "unsignedLong", "double"},
    "float": {"double"},
}  # fmt: skip
"""Every value of the one is a value of the others."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `where` is the content (and the field or property below it), empty for the
    interface itself.
    """

    weight: Weight
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes from one model to another, the heaviest first."""

    old: str
    new: str
    changes: tuple[Change, ...]

    @property
    def verdict(self) -> Weight | Literal["same"]:
        """The heaviest of its changes."""
        return self.changes[0].weight if self.changes else "same"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two model sets: models that came, went, or differ. Versions of one model are matched by
    everything before the version, where each side has one.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def verdict(self) -> Weight | Literal["same"]:
        """The heaviest change; a model that went is breaking, one that came compatible."""
        found: list[str] = [one.verdict for one in self.differences]
        found += ["breaking"] * len(self.removed) + ["compatible"] * len(self.added)
        return next((weight for weight in WEIGHTS if weight in found), "same")


def compare(old: Ontology, new: Ontology) -> Comparison:
    """What changed between two model sets."""
    pairs = {dtmi: dtmi for dtmi in old.interfaces if dtmi in new.interfaces}
    before = _by_path(dtmi for dtmi in old.interfaces if dtmi not in pairs)
    after = _by_path(dtmi for dtmi in new.interfaces if dtmi not in pairs)
    for path, versions in before.items():
        if len(versions) == 1 and len(after.get(path, ())) == 1:
            pairs[versions[0]] = after[path][0]
    matched = set(pairs.values())
    found = [
        difference(old.interfaces[a], new.interfaces[b], old, new) for a, b in sorted(pairs.items())
    ]
    return Comparison(
        tuple(sorted(dtmi for dtmi in new.interfaces if dtmi not in matched)),
        tuple(sorted(dtmi for dtmi in old.interfaces if dtmi not in pairs)),
        tuple(one for one in found if one.changes or one.old != one.new),
    )


def difference(
    old: Interface, new: Interface, before: Ontology, after: Ontology | None = None
) -> Difference:
    """What changed from one model to another, inherited contents included."""
    changes = list(_Comparer(before, after or before).interfaces(old, new))
    changes.sort(key=lambda change: (WEIGHTS.index(change.weight), change.where, change.message))
    return Difference(old.id, new.id, tuple(dict.fromkeys(changes)))


def _by_path(dtmis: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for dtmi in dtmis:
        known = read_dtmi(dtmi)
        found.setdefault(known.path if known else dtmi, []).append(dtmi)
    return found


class _Comparer:
    def __init__(self, before: Ontology, after: Ontology) -> None:
        self.before = before
        self.after = after

    def interfaces(self, old: Interface, new: Interface) -> Iterator[Change]:
        for ancestor in old.ancestors:
            if not self._stands_for(new.id, ancestor):
                message = f"no longer extends {ancestor}: queries for that one miss it"
                yield Change("breaking", "", message)
        for ancestor in new.ancestors:
            if ancestor not in old.ancestors and not self._is_version(ancestor, old.ancestors):
                yield Change("compatible", "", f"extends {ancestor} as well")
        yield from self._texts("", old, new)
        for name, content in old.contents.items():
            if name not in new.contents:
                yield Change("breaking", name, f"the {content.kind.lower()} is gone")
            else:
                yield from self._contents(name, content, new.contents[name])
        for name, content in new.contents.items():
            if name not in old.contents:
                yield Change("compatible", name, f"a new {content.kind.lower()}")

    def _contents(self, where: str, old: Content, new: Content) -> Iterator[Change]:
        if old.kind != new.kind:
            yield Change("breaking", where, f"was a {old.kind}, is a {new.kind}")
            return
        yield from self._texts(where, old, new)
        if old.unit != new.unit:
            weight: Weight = "compatible" if old.unit is None else "breaking"
            message = f"the unit is {new.unit or 'none'}, was {old.unit or 'none'}"
            yield Change(weight, where, message)
        if old.writable and not new.writable:
            yield Change("breaking", where, "can no longer be written by clients")
        elif new.writable and not old.writable:
            yield Change("compatible", where, "can be written by clients")
        yield from self._schemas(where, old.schema, new.schema, 0)
        yield from self._payloads(where, old, new)
        yield from self._relationship(where, old, new)
        if old.kind == "Component":
            yield from self._component(where, old, new)

    def _texts(
        self, where: str, old: Interface | Content, new: Interface | Content
    ) -> Iterator[Change]:
        for what in ("display_name", "description"):
            before, after = getattr(old, what), getattr(new, what)
            if dict(before) != dict(after):
                word = what.replace("_n", "N")
                yield Change("wording", where, f"the {word} is {_text(after)}, was {_text(before)}")

    def _payloads(self, where: str, old: Content, new: Content) -> Iterator[Change]:
        for what in ("request", "response"):
            before, after = getattr(old, what), getattr(new, what)
            if (before is None) != (after is None):
                message = f"the {what} is {_named(after)}, was {_named(before)}"
                yield Change("breaking", where, message)
            elif before is not None:
                yield from self._schemas(f"{where}/{what}", before, after, 0)

    def _relationship(self, where: str, old: Content, new: Content) -> Iterator[Change]:
        if old.target != new.target:
            wider = new.target is None or (
                old.target is not None and self._stands_for(old.target, new.target)
            )
            renamed = old.target is not None and new.target is not None
            same = renamed and self._is_version(old.target or "", [new.target or ""])
            message = f"the target is {new.target or 'any twin'}, was {old.target or 'any twin'}"
            message += ": the twins there are to be migrated as well" if same else ""
            yield Change("compatible" if wider or same else "breaking", where, message)
        if old.max_multiplicity != new.max_multiplicity:
            more = new.max_multiplicity is None or (
                old.max_multiplicity is not None and new.max_multiplicity > old.max_multiplicity
            )
            said = (new.max_multiplicity or "any number", old.max_multiplicity or "any number")
            message = f"at most {said[0]} of it, was {said[1]}"
            yield Change("compatible" if more else "breaking", where, message)
        for name, content in old.properties.items():
            if name not in new.properties:
                yield Change("breaking", f"{where}/{name}", "the property is gone")
            else:
                yield from self._contents(f"{where}/{name}", content, new.properties[name])
        for name in new.properties.keys() - old.properties.keys():
            yield Change("compatible", f"{where}/{name}", "a new property")

    def _component(self, where: str, old: Content, new: Content) -> Iterator[Change]:
        if old.interface == new.interface or old.interface is None or new.interface is None:
            return
        before = self.before.interfaces[old.interface]
        after = self.after.interfaces[new.interface]
        yield Change("compatible", where, f"the component is {after.id}, was {before.id}")
        for change in self.interfaces(before, after):
            yield Change(change.weight, f"{where}/{change.where}".rstrip("/"), change.message)

    # -- schemas --------------------------------------------------------------------------

    def _schemas(
        self, where: str, old: Schema | None, new: Schema | None, depth: int
    ) -> Iterator[Change]:
        old, new = self._resolved(old, self.before), self._resolved(new, self.after)
        if old is None or new is None or depth > MAX_DEPTH:
            return
        if isinstance(old, Primitive) and isinstance(new, Primitive):
            if old.name != new.name:
                weight: Weight = (
                    "compatible" if new.name in _WIDER.get(old.name, ()) else "breaking"
                )
                yield Change(weight, where, f"is {new.name}, was {old.name}")
        elif isinstance(old, Enum) and isinstance(new, Enum):
            yield from self._enums(where, old, new)
        elif isinstance(old, Object) and isinstance(new, Object):
            yield from self._objects(where, old, new, depth)
        elif isinstance(old, Array) and isinstance(new, Array):
            yield from self._schemas(f"{where}/[]", old.element, new.element, depth + 1)
        elif isinstance(old, Map) and isinstance(new, Map):
            yield from self._schemas(f"{where}/{{}}", old.value, new.value, depth + 1)
        else:
            yield Change("breaking", where, f"is {_named(new)}, was {_named(old)}")

    def _enums(self, where: str, old: Enum, new: Enum) -> Iterator[Change]:
        before = {value.value: value.name for value in old.values}
        after = {value.value: value.name for value in new.values}
        for value in before.keys() - after.keys():
            yield Change("breaking", where, f"the value {value!r} is gone")
        for value in after.keys() - before.keys():
            yield Change("compatible", where, f"a new value {value!r}")
        for value in before.keys() & after.keys():
            if before[value] != after[value]:
                message = f"the value {value!r} is called {after[value]}, was {before[value]}"
                yield Change("breaking", where, message)

    def _objects(self, where: str, old: Object, new: Object, depth: int) -> Iterator[Change]:
        before = {field.name: field for field in old.fields}
        after = {field.name: field for field in new.fields}
        for name, field in before.items():
            if name not in after:
                yield Change("breaking", f"{where}/{name}", "the field is gone")
                continue
            if after[name].required and not field.required:
                yield Change("breaking", f"{where}/{name}", "the field must be given now")
            yield from self._schemas(f"{where}/{name}", field.schema, after[name].schema, depth + 1)
        for name, field in after.items():
            if name not in before:
                weight: Weight = "breaking" if field.required else "compatible"
                yield Change(weight, f"{where}/{name}", "a new field")

    def _resolved(self, schema: Schema | None, within: Ontology) -> Schema | None:
        return within.schemas.get(schema.id) if isinstance(schema, SchemaReference) else schema

    # -- models ---------------------------------------------------------------------------

    def _stands_for(self, model: str, ancestor: str) -> bool:
        """Whether a twin of `model` is found where `ancestor`, or its other version, is asked."""
        known = self.after.interfaces.get(model) or self.before.interfaces.get(model)
        line = [model, *(known.ancestors if known else ())]
        return ancestor in line or self._is_version(ancestor, line)

    def _is_version(self, dtmi: str, among: Iterable[str]) -> bool:
        known = read_dtmi(dtmi)
        others = (read_dtmi(other) for other in among)
        return known is not None and any(o is not None and o.path == known.path for o in others)


def _named(schema: Schema | None) -> str:
    if schema is None:
        return "none"
    return schema.name if isinstance(schema, Primitive) else f"a {type(schema).__name__.lower()}"


def _text(texts: Mapping[str, str]) -> str:
    return f'"{next(iter(texts.values()))}"' if texts else "empty"
