"""The map between IRIs and DTMIs, as it stands in the models themselves.

Models that were read from RDF carry the IRI of every element (extension `dtmi:twinfall:rdf;1`), so
the map is stored, versioned and exported with them. What has no IRI of its own is named by its
DTMI, which is an IRI.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twinfall.ontology.dtmi import newer_version
from twinfall.ontology.model import Content, Interface
from twinfall.ontology.ontology import Ontology
from twinfall.ontology.rdf.vocabulary import IDENTITY

_MEMBER = "dtmi:twinfall:rdf:v1:Rdf:"


@dataclass(frozen=True, slots=True)
class ContentIri:
    """How RDF calls a content: its predicate, others of the same meaning, its inverse; for a
    structured value the predicates of its fields by name.
    """

    predicate: str
    same: tuple[str, ...] = ()
    inverse: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Iris:
    """Both directions, of classes and of contents."""

    classes: Mapping[str, str]
    """DTMI by IRI, the newest version."""
    of_class: Mapping[str, str]
    """IRI by DTMI, where it is not the DTMI itself."""
    contents: Mapping[tuple[str, str], ContentIri]
    """By declaring DTMI and name, where there is one."""

    @classmethod
    def of(cls, ontology: Ontology) -> Iris:
        """The map that these models carry."""
        of_class: dict[str, str] = {}
        contents: dict[tuple[str, str], ContentIri] = {}
        for text in ontology.documents:
            if '"Rdf"' in text or _MEMBER in text:
                for dtmi, element in _interfaces(json.loads(text)):
                    if (iri := _member(element, "iri")) is not None:
                        of_class[dtmi] = iri
                    contents |= _contents(dtmi, element)
        classes = {dtmi: dtmi for dtmi in ontology.interfaces}
        for dtmi in sorted(of_class):
            older = classes.get(of_class[dtmi])
            if older is None or newer_version(older, [dtmi]):
                classes[of_class[dtmi]] = dtmi
        return cls(classes, of_class, contents)

    def class_iri(self, dtmi: str) -> str:
        """The IRI of a model."""
        return self.of_class.get(dtmi, dtmi)

    def content_iri(self, content: Content) -> ContentIri:
        """How RDF calls a content."""
        known = self.contents.get((content.declared_in, content.name))
        return known if known is not None else ContentIri(content.id)

    def predicates(self, interface: Interface) -> dict[str, Content]:
        """The contents of a model, inherited ones too, by each IRI that stands for them."""
        found: dict[str, Content] = {}
        for content in interface.contents.values():
            called = self.content_iri(content)
            for iri in (called.predicate, *called.same):
                found.setdefault(iri, content)
        return found

    def inverses(self, interface: Interface) -> dict[str, Content]:
        """The relationships of a model by the IRIs that say the same from the other end."""
        calls = ((c, self.content_iri(c)) for c in interface.of_kind("Relationship").values())
        return {called.inverse: content for content, called in calls if called.inverse}

    def identity(self, interface: Interface) -> str | None:
        """The name of the property that holds the twin's own IRI, where the model has one."""
        for content in interface.of_kind("Property").values():
            if self.content_iri(content).predicate == IDENTITY:
                return content.name
        return None


def _interfaces(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every interface of a document, those within others too."""
    waiting = [value]
    while waiting:
        at = waiting.pop()
        if isinstance(at, dict):
            types = at.get("@type")
            if isinstance(at.get("@id"), str) and "Interface" in _list(types):
                yield at["@id"], at
            waiting += at.values()
        elif isinstance(at, list):
            waiting += at


def _contents(
    dtmi: str, element: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str], ContentIri]]:
    found = []
    for content in _list(element.get("contents")):
        if isinstance(content, dict) and (iri := _member(content, "iri")) is not None:
            same = tuple(str(one) for one in _list(_member(content, "sameAs")))
            inverse = _member(content, "inverseOf") or ""
            called = ContentIri(iri, same, inverse, _fields(content.get("schema")))
            found.append(((dtmi, str(content.get("name"))), called))
    return iter(found)


def _fields(schema: Any) -> dict[str, Any]:
    """Predicates of the fields of an object: name to predicate, and to those of its own fields."""
    if not isinstance(schema, dict) or "fields" not in schema:
        return {}
    return {
        str(one.get("name")): (iri, _fields(one.get("schema")))
        for one in _list(schema["fields"])
        if isinstance(one, dict) and (iri := _member(one, "iri")) is not None
    }


def _member(element: Mapping[str, Any], name: str) -> Any:
    if "Rdf" not in _list(element.get("@type")):
        return None
    return element.get(name, element.get(_MEMBER + name))


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
