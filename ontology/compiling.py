"""From elements to the compiled ontology: inheritance flattened, schemas built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from twinfall.ontology.dtdl.elements import Element, Reading
from twinfall.ontology.dtdl.resolve import find
from twinfall.ontology.dtdl.view import Elements
from twinfall.ontology.model import (
    Array,
    Content,
    Enum,
    EnumValue,
    Field,
    Interface,
    Kind,
    Map,
    Object,
    Primitive,
    Schema,
    SchemaReference,
)
from twinfall.ontology.ontology import Ontology, content_hash

_NAMED_STANDARDS = ("dtmi:standard:schema:geospatial:", "dtmi:dtdl:instance:Schema:")
_NO_TEXT: Mapping[str, str] = MappingProxyType({})
EXTENSION_PREFIX = "dtmi:twinfall:dependency:v1:"
_REQUIRED = "dtmi:dtdl:extension:requirement:"


def compile_ontology(reading: Reading, documents: Sequence[str]) -> Ontology:
    """The ontology of a reading without problems."""
    return _Compiler(reading).ontology(documents)


class _Compiler:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.schemas: dict[str, Schema] = {}
        self.building: set[str] = set()
        self.own: dict[str, dict[str, Content]] = {}

    def ontology(self, documents: Sequence[str]) -> Ontology:
        interfaces = {i: e for i, e in self.reading.elements.items() if e.type == "Interface"}
        ancestors = {i: tuple(self.ancestors(interfaces, i)) for i in interfaces}
        descendants: dict[str, list[str]] = {i: [] for i in interfaces}
        for i, line in ancestors.items():
            for ancestor in line:
                descendants[ancestor].append(i)
        self.own = {i: self.contents(e) for i, e in interfaces.items()}
        for element in self.reading.elements.values():
            if element.is_a("ComplexSchema"):
                self.schema(element.id)
        made = {
            i: self.interface(interfaces[i], ancestors[i], tuple(sorted(descendants[i])))
            for i in sorted(interfaces)
        }
        return Ontology(
            interfaces=MappingProxyType(made),
            schemas=MappingProxyType(self.schemas),
            documents=tuple(documents),
            hash=content_hash(documents),
            elements=Elements(self.reading.elements),
            extension=MappingProxyType(self.extension(interfaces)),
        )

    def extension(self, interfaces: Mapping[str, Element]) -> dict[str, dict[str, Any]]:
        """What the models say through the dependency extension, as a sidecar would."""
        found: dict[str, dict[str, Any]] = {}
        for id_ in sorted(interfaces):
            own = interfaces[id_]
            said: dict[str, Any] = {}
            if own.extras:
                said["asset"] = _declared(own)
            contents = (self.reading.elements[c] for c in own.links.get("contents", ()))
            named = {c.literals["name"]: _declared(c) for c in contents if c.supplements}
            said["contents"] = {name: members for name, members in named.items() if members}
            said = {part: members for part, members in said.items() if members}
            if said:
                found[id_] = said
        return found

    def ancestors(self, interfaces: Mapping[str, Element], start: str) -> Iterator[str]:
        """Nearest first, breadth first, each once."""
        seen = {start}
        level = [start]
        while level:
            above = [p for i in level for p in interfaces[i].links.get("extends", ())]
            level = [p for p in dict.fromkeys(above) if p not in seen]
            seen.update(level)
            yield from level

    def interface(
        self, element: Element, ancestors: tuple[str, ...], descendants: tuple[str, ...]
    ) -> Interface:
        contents = dict(self.own[element.id])
        for ancestor in ancestors:
            for name, content in self.own[ancestor].items():
                contents.setdefault(name, content)
        return Interface(
            id=element.id,
            dtdl_version=element.version,
            display_name=_texts(element, "displayName"),
            description=_texts(element, "description"),
            extends=tuple(element.links.get("extends", ())),
            ancestors=ancestors,
            descendants=descendants,
            contents=MappingProxyType(contents),
        )

    def contents(self, interface: Element) -> dict[str, Content]:
        found = {}
        for id_ in interface.links.get("contents", ()):
            element = self.reading.elements[id_]
            content = self.content(element, interface.id)
            found[content.name] = content
        return found

    def content(self, element: Element, interface: str) -> Content:
        literals, links = element.literals, element.links
        component = element.type == "Component"
        schema = self.linked(element, "schema") if not component else None
        properties = {}
        for id_ in links.get("properties", ()):
            made = self.content(self.reading.elements[id_], interface)
            properties[made.name] = made
        unit, semantic = _unit(element)
        return Content(
            name=literals["name"],
            kind=cast(Kind, element.type),
            id=element.id,
            declared_in=interface,
            display_name=_texts(element, "displayName"),
            description=_texts(element, "description"),
            schema=schema,
            writable=literals.get("writable", False),
            unit=unit,
            semantic_type=semantic,
            interface=links["schema"][0] if component else None,
            target=next(iter(links.get("target", ())), None),
            properties=MappingProxyType(properties),
            max_multiplicity=literals.get("maxMultiplicity"),
            request=self.payload(element, "request"),
            response=self.payload(element, "response"),
        )

    def linked(self, element: Element, name: str) -> Schema | None:
        targets = element.links.get(name)
        return self.schema(targets[0]) if targets else None

    def payload(self, element: Element, name: str) -> Schema | None:
        targets = element.links.get(name)
        return self.linked(self.reading.elements[targets[0]], "schema") if targets else None

    def schema(self, id_: str) -> Schema:
        known = self.schemas.get(id_)
        if known is not None:
            return known
        if id_.startswith(_NAMED_STANDARDS):
            return Primitive(id_.rsplit(":", 1)[-1].partition(";")[0])
        if id_ in self.building:
            return SchemaReference(id_)
        element = find(self.reading, id_)
        if element is None:
            raise KeyError(id_)
        if not element.is_a("ComplexSchema"):
            return Primitive(_primitive(element))
        self.building.add(id_)
        made = self.complex(element)
        self.building.discard(id_)
        self.schemas[id_] = made
        return made

    def complex(self, element: Element) -> Schema:
        if element.type == "Array":
            return Array(element.id, self.schema(element.links["elementSchema"][0]))
        if element.type == "Map":
            value = self.element(element.links["mapValue"][0])
            return Map(element.id, self.schema(value.links["schema"][0]))
        if element.type == "Object":
            return Object(element.id, tuple(self.fields(element)))
        return self.enum(element)

    def element(self, id_: str) -> Element:
        found = find(self.reading, id_)
        if found is None:
            raise KeyError(id_)
        return found

    def fields(self, element: Element) -> Iterator[Field]:
        for id_ in element.links.get("fields", ()):
            field = self.element(id_)
            schema = self.schema(field.links["schema"][0])
            required = any(s.id.startswith(_REQUIRED) for s in field.supplements)
            yield Field(field.literals["name"], schema, required)

    def enum(self, element: Element) -> Enum:
        value_schema = element.links["valueSchema"][0].rsplit(":", 1)[-1].partition(";")[0]
        values = [self.element(v).literals for v in element.links.get("enumValues", ())]
        return Enum(
            element.id, value_schema, tuple(EnumValue(v["name"], v["enumValue"]) for v in values)
        )


def _declared(element: Element) -> dict[str, Any]:
    """Members of the dependency extension, by name."""
    size = len(EXTENSION_PREFIX)
    return {
        id_[size:].partition(":")[2]: value
        for id_, value in element.extras.items()
        if id_.startswith(EXTENSION_PREFIX)
    }


def _primitive(element: Element) -> str:
    return element.type[0].lower() + element.type[1:]


def _texts(element: Element, name: str) -> Mapping[str, str]:
    found: Any = element.literals.get(name)
    return MappingProxyType(found) if found else _NO_TEXT


def _unit(element: Element) -> tuple[str | None, str | None]:
    """The bare unit and semantic type, such as kilowatt and Power."""
    semantic = next((s.term for s in element.supplements if s.kind == "SemanticType"), None)
    for id_, value in element.extras.items():
        if id_.partition(";")[0].endswith("property:unit") and isinstance(value, str):
            return value.rsplit(":", 1)[-1].partition(";")[0], semantic
    return None, semantic
