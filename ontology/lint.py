"""Lint: what a valid model set says that its author hardly meant.

Nothing here makes a model invalid. Each finding names the element, the reason and a cure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from twinfall.ontology.declarations import Binding, Dependencies, Feed
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtmi import read_dtmi
from twinfall.ontology.model import Array, Content, Enum, Map, Object, Primitive, Schema
from twinfall.ontology.names import Names
from twinfall.ontology.ontology import Ontology

MAX_NAMED = 5
"""Elements that one message names."""
NUMBERS = frozenset({"double", "float", "integer", "long", "decimal", "short", "byte"})
Level = Literal["warning", "hint"]
_MISSES_UNIT = re.compile(
    r"(?i)(temp|pressure|flow|power|energy|current|voltage|speed|velocity|level|humidity|mass|"
    r"weight|length|height|width|area|volume|angle|frequency|torque|force|illuminance|distance)"
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something odd: `element` is a DTMI, or a content as `DTMI/name`."""

    element: str
    code: str
    message: str
    cure: str = ""
    level: Level = "warning"


def lint(ontology: Ontology, dependencies: Dependencies | None = None) -> list[Finding]:
    """All findings, by element, then code."""
    found = [
        *_targets(ontology),
        *_same_names(ontology),
        *_differing_schemas(ontology),
        *_untold(ontology),
        *_unmeasured(ontology),
        *_qualified(ontology),
    ]
    if dependencies is not None:
        found += [*_idle_feeds(ontology, dependencies), *_carriers(dependencies)]
    return sorted(found)


# -- relationships ---------------------------------------------------------------------------------


def _targets(ontology: Ontology) -> Iterator[Finding]:
    folded = {dtmi.casefold(): dtmi for dtmi in ontology.interfaces}
    for content in _own(ontology, "Relationship"):
        target = content.target
        if target is None or target in ontology.interfaces:
            continue
        place = _place(content)
        if target.casefold() in folded:
            cure = f'did you mean "{folded[target.casefold()]}"?'
            message = f"its target {target} is there only in another letter case: nothing fits it"
            yield Finding(place, "targetCase", message, cure)
        else:
            cure = did_you_mean(target, ontology.interfaces) or "define it, or leave target out"
            message = f"its target {target} is not among the models: no twin can be related"
            yield Finding(place, "danglingTarget", message, cure)


# -- names -----------------------------------------------------------------------------------------


def _same_names(ontology: Ontology) -> Iterator[Finding]:
    """Interfaces of one last segment: one of them gets another name in GraphQL and Cypher."""
    alike: dict[str, list[str]] = defaultdict(list)
    for dtmi in ontology.interfaces:
        known = read_dtmi(dtmi)
        if known is not None:
            alike[known.local.casefold()].append(dtmi)
    for same in alike.values():
        paths = {_path(dtmi) for dtmi in same}
        if len(paths) > 1:
            others = _named(same[1:])
            message = f"{len(paths)} models have this last segment: also {others}"
            cure = "an alias in the settings gives each a name of your choice"
            yield Finding(same[0], "sameLocalName", message, cure, "hint")


def _qualified(ontology: Ontology) -> Iterator[Finding]:
    names = Names.extend({}, ontology)
    for dtmi in names.qualified:
        message = f'is called "{names.of(dtmi)}" in GraphQL and Cypher: its last segment is taken'
        cure = "an alias in the settings gives it another name, before it is loaded first"
        yield Finding(dtmi, "qualifiedName", message, cure, "hint")


def _differing_schemas(ontology: Ontology) -> Iterator[Finding]:
    """One name, different meanings: queries over several models cannot ask for it as one field."""
    meanings: dict[str, dict[str, Content]] = defaultdict(dict)
    for content in _own(ontology, "Property", "Telemetry"):
        said = f"{content.kind} {_said(content.schema)}"
        meanings[content.name].setdefault(said, content)
    for name, by_meaning in meanings.items():
        if len(by_meaning) > 1:
            where = [f"{what} in {c.declared_in}" for what, c in by_meaning.items()]
            message = f'"{name}" means different things: {_named(where, "; ")}'
            first = next(iter(by_meaning.values()))
            cure = "use one schema, or different names"
            yield Finding(_place(first), "sameNameOtherSchema", message, cure, "hint")


# -- what people read ------------------------------------------------------------------------------


def _untold(ontology: Ontology) -> Iterator[Finding]:
    for interface in ontology.interfaces.values():
        if not interface.display_name:
            message = "has no displayName: people see its DTMI"
            yield Finding(interface.id, "noDisplayName", message, "", "hint")
        silent = [
            name
            for name, content in interface.contents.items()
            if content.declared_in == interface.id and not content.display_name
        ]
        if silent:
            message = f"{len(silent)} contents have no displayName: {_named(silent)}"
            yield Finding(interface.id, "contentsWithoutDisplayName", message, "", "hint")


def _unmeasured(ontology: Ontology) -> Iterator[Finding]:
    """Numbers that are called like a quantity and say no unit."""
    for content in _own(ontology, "Property", "Telemetry"):
        number = isinstance(content.schema, Primitive) and content.schema.name in NUMBERS
        if number and content.unit is None and _MISSES_UNIT.search(content.name):
            version = ontology.interfaces[content.declared_in].dtdl_version
            message = "is a number without a unit: readings in another unit cannot be told"
            yield Finding(_place(content), "noUnit", message, _UNIT_CURES.get(version, ""), "hint")


_UNIT_CURES = {
    2: 'a semantic type, such as "Temperature", brings its unit',
    3: "dtmi:dtdl:extension:quantitativeTypes;1 has semantic types with units",
    4: "dtmi:dtdl:extension:quantitativeTypes;2 has semantic types with units",
}


# -- dependencies ----------------------------------------------------------------------------------


def _idle_feeds(ontology: Ontology, dependencies: Dependencies) -> Iterator[Finding]:
    """Declarations that can never make anything fail."""
    for dtmi, feeds in dependencies.feeds.items():
        for name, feed in feeds.items():
            content = ontology.interfaces[dtmi].contents[name]
            if content.declared_in != dtmi and _is_inherited(dependencies, ontology, dtmi, name):
                continue
            place = f"{dtmi}/{name}"
            if content.kind == "Relationship" and _is_impossible(content, ontology):
                message = "is declared to carry failure, and no twin can be its target"
                yield Finding(place, "declaredInVain", message, "correct the target")
            yield from _idle(place, content, feed)


def _is_inherited(dependencies: Dependencies, ontology: Ontology, dtmi: str, name: str) -> bool:
    """Whether the declaration of an ancestor says the same of this content."""
    own = dependencies.feeds[dtmi][name]
    above = ontology.interfaces[dtmi].ancestors
    return any(dependencies.feeds.get(a, {}).get(name) == own for a in above)


def _is_impossible(content: Content, ontology: Ontology) -> bool:
    return content.target is not None and content.target not in ontology.interfaces


def _idle(place: str, content: Content, feed: Feed) -> Iterator[Finding]:
    single = content.kind == "Component" or content.max_multiplicity == 1
    alone = single and feed.mode == "directed" and feed.group == content.name
    if alone and feed.rule == "any":
        message = 'the rule "any" votes over one feed at most: it does what "all" does'
        yield Finding(place, "voteOfOne", message, "name a group that other feeds share", "hint")
    if alone and feed.priority != 1 and not isinstance(feed.priority, Binding):
        message = "stands by for nothing: no other feed is in its group"
        yield Finding(place, "standbyForNothing", message, "give it the group it stands by for")
    if feed.mode == "directed" and feed.probability == 0:
        message = "has the probability 0: it never carries failure"
        yield Finding(place, "neverCarries", message, "leave the declaration out")


def _carriers(dependencies: Dependencies) -> Iterator[Finding]:
    """Sources without a network feed nothing, and storages alone keep nothing up. (That a network
    has no source at all is an error.)
    """
    carried: dict[str, list[str]] = defaultdict(list)
    for dtmi, feeds in dependencies.feeds.items():
        for name, feed in feeds.items():
            if feed.mode == "network" and feed.carrier:
                carried[feed.carrier].append(f"{dtmi}/{name}")
    fed: dict[str, list[str]] = defaultdict(list)
    for dtmi, asset in dependencies.assets.items():
        for source in asset.source:
            fed[source.carrier].append(dtmi)
    for carrier in fed.keys() - carried.keys():
        message = f'is a source of "{carrier}", which no relationship carries'
        yield Finding(min(fed[carrier]), "sourceOfNothing", message, "declare a network of it")
    for carrier in carried.keys() & fed.keys():
        if _only_stored(dependencies, carrier):
            message = f'only storages give "{carrier}": without another source all of it is down'
            yield Finding(min(fed[carrier]), "onlyStorages", message, "declare a lasting source")


def _only_stored(dependencies: Dependencies, carrier: str) -> bool:
    sources = [
        source
        for asset in dependencies.assets.values()
        for source in asset.source
        if source.carrier == carrier
    ]
    return all(source.autonomy is not None for source in sources)


# -- words -----------------------------------------------------------------------------------------


def _own(ontology: Ontology, *kinds: str) -> Iterator[Content]:
    """Contents of these kinds, each where it is declared."""
    for interface in ontology.interfaces.values():
        for content in interface.contents.values():
            if content.declared_in == interface.id and content.kind in kinds:
                yield content


def _place(content: Content) -> str:
    return f"{content.declared_in}/{content.name}"


def _path(dtmi: str) -> str:
    known = read_dtmi(dtmi)
    return known.path if known else dtmi


def _named(words: Iterable[str], between: str = ", ") -> str:
    every = list(words)
    more = f" and {len(every) - MAX_NAMED} more" if len(every) > MAX_NAMED else ""
    return between.join(every[:MAX_NAMED]) + more


def _said(schema: Schema | None) -> str:
    if isinstance(schema, Primitive):
        return schema.name
    if isinstance(schema, Enum):
        return f"enumeration of {_named(str(v.value) for v in schema.values)}"
    if isinstance(schema, Array):
        return f"array of {_said(schema.element)}"
    if isinstance(schema, Map):
        return f"map of {_said(schema.value)}"
    if isinstance(schema, Object):
        return f"object of {_named(field.name for field in schema.fields)}"
    return "structure"


def counts(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many of each code."""
    found: dict[str, int] = defaultdict(int)
    for finding in findings:
        found[finding.code] += 1
    return found
