"""Classes and what they may have, as OWL and SHACL tell it: read from triples, not yet DTDL.

What has no place here is told as a loss: every statement about a class or a property that DTDL
cannot say.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from rdflib import OWL, RDF, RDFS, SKOS, BNode, Graph, URIRef
from rdflib.term import Node

from twinfall.ontology.rdf import vocabulary as words
from twinfall.ontology.rdf.ordering import ordered
from twinfall.ontology.rdf.vocabulary import BRICK, SH

Dtdl: TypeAlias = Any
"""A schema as it stands in a DTDL document: a term, or an object."""


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """Something that could not be carried over: `code` sorts losses, `subject` is an IRI."""

    code: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Field:
    """What a class may have: a property (with `schema`) or a relationship (to `targets`, any of
    them; none: to anything). `extra` holds further members of the content as DTDL has them.
    """

    predicate: str
    kind: Literal["Property", "Relationship", "Telemetry", "Component", "Command"]
    schema: Dtdl = None
    targets: tuple[str, ...] = ()
    most: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Class:
    """A class with its own fields by predicate."""

    iri: str
    parents: list[str] = field(default_factory=list)
    labels: Mapping[str, str] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)
    version: int | None = None


@dataclass(slots=True)
class Vocabulary:
    """What the triples say: classes by IRI, and of predicates their inverses, and those that mean
    the same (each with the one that stands for it).
    """

    classes: dict[str, Class] = field(default_factory=dict)
    inverse: dict[str, str] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    losses: set[Loss] = field(default_factory=set)

    def lose(self, code: str, subject: Node | str, message: str) -> None:
        """Note a loss."""
        self.losses.add(Loss(code, str(subject), message))

    def representative(self, predicate: Node | str) -> str:
        """The predicate that stands for this one."""
        return self.same.get(str(predicate), str(predicate))


def read_classes(graph: Graph) -> Vocabulary:
    """The classes of all texts, with their parents, words and relations among predicates; their
    fields come from `shapes` and `owl`.
    """
    found = Vocabulary()
    for iri in sorted(_class_iris(graph)):
        found.classes[iri] = _class(graph, URIRef(iri), found)
    _alias(graph, found)
    _predicates(graph, found)
    _untold(graph, found)
    return found


def _class_iris(graph: Graph) -> set[str]:
    """Classes; shapes that target nothing and that no property is told to fit; domains."""
    named = {s for kind in words.CLASSES for s in graph.subjects(RDF.type, kind)}
    named |= set(graph.objects(None, SH.targetClass))
    named |= {one for one in graph.objects(None, RDFS.domain) if _may_be_class(graph, one)}
    named |= {s for s, o in graph.subject_objects(RDFS.subClassOf) if not is_value_shape(graph, s)}
    values = set(graph.objects(None, SH.node))
    for shape in graph.subjects(RDF.type, SH.NodeShape):
        aims = any((shape, aim, None) in graph for aim in _TARGETS)
        if not aims and shape not in values and not is_value_shape(graph, shape):
            named.add(shape)
    return {
        str(one)
        for one in named
        if isinstance(one, URIRef) and not words.is_built_in(one) and one not in words.TOP
    }


_TARGETS = (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode, SH.target)


def _may_be_class(graph: Graph, one: Node) -> bool:
    return isinstance(one, URIRef) and not is_value_shape(graph, one)


def is_value_shape(graph: Graph, shape: Node) -> bool:
    """A shape of values (a number with its unit, say): told as a shape, not as a class, and used
    for what a property holds.
    """
    if any((shape, RDF.type, kind) in graph for kind in words.CLASSES):
        return False
    if (shape, RDF.type, SH.NodeShape) not in graph:
        return False
    return (None, SH.node, shape) in graph or _is_used_as_value(graph, shape)


def _is_used_as_value(graph: Graph, shape: Node) -> bool:
    users = graph.subjects(SH["class"], shape)
    return any((user, SH.path, None) in graph for user in users) and any(
        (parent, RDF.type, SH.NodeShape) in graph and parent != shape
        for parent in graph.objects(shape, RDFS.subClassOf)
    )


def _class(graph: Graph, iri: URIRef, found: Vocabulary) -> Class:
    made = Class(str(iri), labels=_labels(graph, iri, found), comments=_comments(graph, iri, found))
    for parent in ordered(graph, graph.objects(iri, RDFS.subClassOf)):
        if isinstance(parent, BNode) or parent in words.TOP or parent == iri:
            continue
        if words.is_built_in(str(parent)):
            found.lose("parent", iri, f"is a {parent}, which is no model")
        elif not is_value_shape(graph, parent):
            made.parents.append(str(parent))
    context = graph.value(iri, words.VERSION)
    if context is not None and str(context) in ("2", "3", "4"):
        made.version = int(str(context))
    if (iri, OWL.deprecated, None) in graph:
        found.lose("deprecated", iri, "is deprecated")
    return made


def _alias(graph: Graph, found: Vocabulary) -> None:
    """Of two classes that are the same, one extends the other; Brick tells which is the alias."""
    for left, right in sorted(graph.subject_objects(OWL.equivalentClass)):
        if isinstance(left, BNode):
            continue
        if str(left) not in found.classes or str(right) not in found.classes:
            if isinstance(left, URIRef) and isinstance(right, URIRef) and left != right:
                found.lose("equivalent", left, f"is the same as {right}, which is not here")
            elif isinstance(left, URIRef):
                found.lose("expression", left, "is the same as what an expression says")
            continue
        one, other = _alias_first(graph, left, right)
        if not _is_above(found, one, other) and not _is_above(found, other, one):
            found.classes[one].parents.append(other)
        if left != right:
            found.lose("equivalent", one, f"is the same as {other}: it extends it, one way")


def _alias_first(graph: Graph, left: Node, right: Node) -> tuple[str, str]:
    if (left, BRICK.aliasOf, right) in graph:
        return str(left), str(right)
    if (right, BRICK.aliasOf, left) in graph:
        return str(right), str(left)
    first, second = sorted((str(left), str(right)))
    return second, first


def _is_above(found: Vocabulary, upper: str, lower: str) -> bool:
    """Whether `upper` is `lower` or one of its ancestors."""
    seen, waiting = set(), [lower]
    while waiting:
        at = waiting.pop()
        if at == upper:
            return True
        if at not in seen and at in found.classes:
            seen.add(at)
            waiting += found.classes[at].parents
    return False


def _predicates(graph: Graph, found: Vocabulary) -> None:
    for left, right in sorted(graph.subject_objects(OWL.equivalentProperty)):
        first, second = sorted((found.representative(left), found.representative(right)))
        if first != second and isinstance(left, URIRef) and isinstance(right, URIRef):
            found.same = {k: first if v == second else v for k, v in found.same.items()}
            found.same[second] = first
    for left, right in sorted(graph.subject_objects(OWL.inverseOf)):
        if isinstance(left, URIRef) and isinstance(right, URIRef):
            one, other = found.representative(left), found.representative(right)
            found.inverse[one], found.inverse[other] = other, one
    for lower, upper in sorted(graph.subject_objects(RDFS.subPropertyOf)):
        if isinstance(lower, URIRef) and isinstance(upper, URIRef) and lower != upper:
            found.lose("subProperty", lower, f"is a kind of {upper}, and does not imply it here")


_LOST: Mapping[URIRef, tuple[str, str]] = {
    OWL.disjointWith: ("disjoint", "excludes {}"),
    SH["not"]: ("constraint", "has a condition that something must not hold (sh:not)"),
    SH.rule: ("rule", "has rules that derive triples"),
    SH.sparql: ("constraint", "has a condition in SPARQL"),
    SH.xone: ("constraint", "has a condition that exactly one of several shapes fits"),
    SH["or"]: ("constraint", "has a condition that one of several shapes fits"),
    SH["and"]: ("constraint", "has a condition that several shapes fit"),
    SH.node: ("constraint", "has the conditions of another shape"),
    OWL.hasKey: ("constraint", "has a key"),
    OWL.disjointUnionOf: ("expression", "is told as a union"),
    OWL.unionOf: ("expression", "is told as a union"),
    OWL.intersectionOf: ("expression", "is told as an intersection"),
    OWL.oneOf: ("expression", "is told by its members"),
}


def _untold(graph: Graph, found: Vocabulary) -> None:
    """What classes say beyond parents, words and fields."""
    for iri in found.classes:
        for predicate, (code, message) in _LOST.items():
            for other in graph.objects(URIRef(iri), predicate):
                found.lose(code, iri, message.format(other))


# -- words -------------------------------------------------------------------------------------


def _labels(graph: Graph, subject: Node, found: Vocabulary) -> Mapping[str, str]:
    return texts(graph, subject, (RDFS.label, SKOS.prefLabel, SH.name), found)


def _comments(graph: Graph, subject: Node, found: Vocabulary) -> Mapping[str, str]:
    return texts(graph, subject, (SKOS.definition, RDFS.comment, SH.description), found)


def described(graph: Graph, subjects: Iterable[Node], made: Field, found: Vocabulary) -> Field:
    """The field with the words of these: of its shape, else of its predicate."""
    labels: Mapping[str, str] = {}
    comments: Mapping[str, str] = {}
    for subject in subjects:
        labels = labels or _labels(graph, subject, found)
        comments = comments or _comments(graph, subject, found)
    return replace(made, labels=labels, comments=comments)


MAX_TEXT = 512
"""Characters of a display name or description."""


def texts(
    graph: Graph, subject: Node, predicates: Iterable[URIRef], found: Vocabulary
) -> dict[str, str]:
    """What the first of the predicates that is there says, one text a language."""
    for predicate in predicates:
        said: dict[str, list[str]] = defaultdict(list)
        for text in graph.objects(subject, predicate):
            said[_language(text, subject, found)].append(str(text))
        if said:
            return dict(_one_each(said, subject, found))
    return {}


def _one_each(
    said: Mapping[str, list[str]], subject: Node, found: Vocabulary
) -> Iterator[tuple[str, str]]:
    for language, several in sorted(said.items()):
        text = min(several)
        if len(several) > 1:
            found.lose("text", subject, f"has {len(several)} texts in {language}: one is kept")
        if len(text) > MAX_TEXT:
            found.lose("text", subject, f"has a text of {len(text)} characters: it is cut")
            text = text[: MAX_TEXT - 1] + "…"
        yield language, text


def _language(text: Node, subject: Node, found: Vocabulary) -> str:
    tag = str(getattr(text, "language", None) or "en")
    parts = tag.split("-")
    parts[0] = parts[0].lower()
    parts[1:] = [p.title() if len(p) == 4 else p.upper() for p in parts[1:]]
    made = "-".join(parts)
    if re.fullmatch(r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", made):
        return made
    found.lose("language", subject, f"has a text in {tag[:40]}, kept as {parts[0][:4]}")
    return parts[0] if re.fullmatch(r"[a-z]{2,4}", parts[0]) else "en"
