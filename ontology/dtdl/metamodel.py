"""The DTDL metamodel as typed data: classes, properties, contexts, supplemental types.

Read once, on first use, from `metamodel.json` (condensed from the reference parser's digest, see
`digest.py`) and the extensions beside it, which have the same form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson

from twinfall.ontology.dtmi import child_id

_FILES = ("metamodel.json", "dependency.json", "rdf.json")
_XSD = "http://www.w3.org/2001/XMLSchema#"
JSON_DATATYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"
"""The datatype of extension members that hold any JSON value (rdf:JSON)."""

_ELEMENT_MARKS = frozenset({"@type", "schema", "enumValue", "fields"})
_IMPLIED = {
    "fields": "Field",
    "enumValues": "EnumValue",
    "mapKey": "MapKey",
    "mapValue": "MapValue",
}
_IMPLIED |= {"elementSchema": "Array", "schema": "Object"}
ENTITY_KEYWORDS = frozenset({"@id", "@type", "@context"})


@dataclass(frozen=True, slots=True)
class PropertyRule:
    """What a class says of one of its properties.

    `datatype` is set for literals (`string`, `langString`, `integer`, `boolean`, `any`, ...) and
    empty for links to elements; `of` is the class linked to (empty: any identifier, as in
    `Relationship.target`). Limits that depend on the limit context are maps from its name.
    """

    name: str
    datatype: str = ""
    of: str = ""
    barred: bool = False
    optional: bool = False
    plural: bool = False
    min_count: int = 0
    max_count: int | None = None
    max_length: Mapping[str, int] = field(default_factory=dict)
    pattern: re.Pattern[str] | None = None
    min_inclusive: int | None = None
    max_inclusive: int | None = None
    type_implied: bool = False
    id_required: bool = False
    segment: str = ""
    by_name: bool = False
    unique: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    value_ids: frozenset[str] = frozenset()
    versions: frozenset[int] = frozenset()
    id: str = ""
    instance_of: str = ""
    child_of: str = ""
    unique_value: bool = False

    @property
    def links(self) -> bool:
        """Whether it leads to elements, not only to identifiers as `Relationship.target` does."""
        return bool(self.of or self.instance_of)


@dataclass(frozen=True, slots=True)
class ClassRule:
    """A material class (Interface, Property, Array, ...) of one DTDL version."""

    name: str
    version: int
    ancestry: frozenset[str]
    concrete: frozenset[str]
    elemental: frozenset[str]
    abstract: bool
    type_optional: bool
    id_required: bool
    id_required_when: frozenset[str]
    properties: Mapping[str, PropertyRule]
    keys: Mapping[str, PropertyRule]
    """The properties under every way to write them: by term and by DTMI. Of the classes that
    derive from it, `concrete` may be defined in a model, `elemental` only referred to.
    """


@dataclass(frozen=True, slots=True)
class SupplementalType:
    """A type that an extension adds to an element beside its class."""

    id: str
    context: str
    kind: str
    abstract: bool
    parent: str
    cotypes: frozenset[str]
    cotype_versions: frozenset[int]
    cocotypes: tuple[str, ...]
    discotypes: tuple[str, ...]
    properties: Mapping[str, PropertyRule]
    constraints: Sequence[Mapping[str, Any]]
    siblings: Sequence[Mapping[str, Any]]

    @property
    def term(self) -> str:
        """The bare name: `Velocity`, `Required`."""
        return self.id.partition(";")[0].rsplit(":", 1)[-1]


@dataclass(frozen=True, slots=True)
class Metamodel:
    """All that the reader knows of the language."""

    contexts: Mapping[str, Mapping[str, str]]
    classes: Mapping[int, Mapping[str, ClassRule]]
    class_ids: Mapping[str, tuple[str, int]]
    supplemental: Mapping[str, SupplementalType]
    standard: Mapping[str, Mapping[str, Any]]
    """Standard elements (schemas, units) by id, nested ones too, as raw JSON."""
    aliases: Mapping[str, str]
    controls: Sequence[Mapping[str, Any]]
    identifiers: Mapping[str, Any]
    reserved: Mapping[str, Sequence[str]]
    reserved_prefixes: tuple[str, ...]
    limit_contexts: Mapping[str, str]
    partition_bytes: Mapping[int, Mapping[str, int]]
    rootable: Mapping[int, frozenset[str]]
    definable: Mapping[int, frozenset[str]]
    """Classes whose elements a model may define: not abstract, not of the language's own."""
    class_names: frozenset[str]
    apocrypha: Mapping[int, Mapping[str, str]]
    open_versions: frozenset[int]
    keyword_versions: frozenset[int]
    limit_versions: frozenset[int]
    leading: frozenset[str]
    """Extensions whose context may stand before that of the language (IoT Central writes so)."""

    def is_a(self, supplemental: str, ancestor: str) -> bool:
        """Whether a supplemental type is `ancestor` or derives from it."""
        while supplemental:
            if supplemental == ancestor:
                return True
            known = self.supplemental.get(supplemental)
            supplemental = known.parent if known else ""
        return False


def _optional_pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text) if text else None


def _datatype(given: Mapping[str, Any]) -> str:
    if "datatype" in given:
        return str(given["datatype"])
    if given.get("literal"):
        return "any"
    written = str(given.get("type", ""))
    if written == JSON_DATATYPE:
        return "json"
    if written.startswith(_XSD):
        return written.removeprefix(_XSD)
    return ""


def _rule(name: str, given: Mapping[str, Any]) -> PropertyRule:
    linked = str(given.get("class", ""))
    return PropertyRule(
        name=name,
        datatype=_datatype(given),
        of=linked,
        barred=given.get("barred", False),
        optional=given.get("optional", False),
        plural=given.get("plural", False),
        min_count=given.get("minCount", 0),
        max_count=given.get("maxCount"),
        max_length=_by_limit(given.get("maxLength")),
        pattern=_optional_pattern(given.get("pattern")),
        min_inclusive=given.get("minInclusive"),
        max_inclusive=given.get("maxInclusive"),
        type_implied=given.get("typeImplied", False),
        id_required=given.get("idRequired", False),
        segment=given.get("dtmiSegment", ""),
        by_name="dictionaryKey" in given,
        unique=tuple(given.get("uniqueProperties", ())),
        values=tuple(given.get("values", ())),
        value_ids=frozenset(given.get("valueUris", ())),
        versions=frozenset(given.get("versions", ())),
        instance_of=str(given.get("type", "")),
        child_of=given.get("childOf", ""),
        unique_value=given.get("uniqueValue", False),
    )


def _by_limit(given: Any) -> Mapping[str, int]:
    if given is None:
        return {}
    return given if isinstance(given, dict) else {"": given}


def _class(name: str, version: int, given: Mapping[str, Any]) -> ClassRule:
    rules = {n: _rule(n, p) for n, p in given["properties"].items()}
    written = {n: r for n, r in rules.items() if not r.barred}
    return ClassRule(
        name=name,
        version=version,
        ancestry=frozenset(given["ancestry"]),
        concrete=frozenset(given.get("concrete", ())),
        elemental=frozenset(given.get("elemental", ())),
        abstract=given.get("abstract", False),
        type_optional=given.get("typeOptional", False),
        id_required=given.get("idRequired", False),
        id_required_when=frozenset(given.get("idRequiredWhen", ())),
        properties=rules,
        keys=written | {f"dtmi:dtdl:property:{n};{version}": r for n, r in written.items()},
    )


def _definable(classes: Mapping[str, ClassRule]) -> frozenset[str]:
    return frozenset(n for rule in classes.values() for n in rule.concrete)


def _supplemental(name: str, given: Mapping[str, Any]) -> SupplementalType:
    properties = {
        id_: _rule(p["propertyName"], p) for id_, p in given.get("properties", {}).items()
    }
    return SupplementalType(
        id=name,
        context=given["extensionContext"],
        kind=given["extensionKind"],
        abstract=given.get("abstract", False),
        parent=given.get("parent", ""),
        cotypes=frozenset(given.get("cotypes", ())),
        cotype_versions=frozenset(given.get("cotypeVersions", ())),
        cocotypes=tuple(given.get("cocotypes", ())),
        discotypes=tuple(given.get("discotypes", ())),
        properties=properties,
        constraints=given.get("constraints", ()),
        siblings=given.get("siblings", ()),
    )


def _index(element: dict[str, Any], found: dict[str, Mapping[str, Any]]) -> None:
    """Note an element and those inside it, which get an identifier where they have none."""
    found[element["@id"]] = element
    for key, value in element.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and not item.keys().isdisjoint(_ELEMENT_MARKS):
                name = [f"__{item['name']}"] if isinstance(value, list) else []
                item.setdefault("@id", child_id(element["@id"], f"_{key}", *name))
                item.setdefault("@type", _IMPLIED[key])
                _index(item, found)


def _unaliased(standard: Mapping[str, Mapping[str, Any]], id_: str) -> str:
    while "aliasFor" in standard[id_]:
        id_ = standard[id_]["aliasFor"]
    return id_


def _merged(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    whole = dict(parts[0])
    for extension in parts[1:]:
        for name, value in extension.items():
            if isinstance(value, dict):
                whole[name] = {**whole[name], **value}
    return whole


@lru_cache(maxsize=1)
def metamodel() -> Metamodel:
    """The language, loaded on first use."""
    folder = files(__package__)
    parts = [orjson.loads(folder.joinpath(name).read_bytes()) for name in _FILES]
    given = _merged(parts)
    standard: dict[str, Mapping[str, Any]] = {}
    for element in given["elements"]:
        _index(element, standard)
    classes = {
        int(v): {n: _class(n, int(v), c) for n, c in by_name.items()}
        for v, by_name in given["classes"].items()
    }
    return Metamodel(
        contexts=given["contexts"],
        classes=classes,
        class_ids={
            f"dtmi:dtdl:class:{n};{v}": (n, v) for v, named in classes.items() for n in named
        },
        supplemental={n: _supplemental(n, t) for n, t in given["supplementalTypes"].items()},
        standard=standard,
        aliases={i: _unaliased(standard, i) for i, e in standard.items() if "aliasFor" in e},
        reserved_prefixes=tuple(
            sorted({p for ps in given["reservedIdPrefixes"].values() for p in ps})
        ),
        controls=given["descendantControls"],
        identifiers={
            "definition": given["identifierDefinition"],
            "reference": given["identifierReference"],
        },
        reserved=given["reservedIdPrefixes"],
        limit_contexts={c: v["spec"] for c, v in given["limitContexts"].items()},
        partition_bytes={int(v): p.get("maxBytes", {}) for v, p in given["partitions"].items()},
        rootable={int(v): frozenset(c) for v, c in given["rootableClasses"].items()},
        definable={v: _definable(named) for v, named in classes.items()},
        class_names=frozenset(n for named in classes.values() for n in named),
        apocrypha={int(v): a for v, a in given["apocrypha"].items()},
        open_versions=frozenset(given["openVersions"]),
        keyword_versions=frozenset(given["keywordVersions"]),
        limit_versions=frozenset(given["limitVersions"]),
        leading=frozenset(given["implicitVersions"]),
    )
