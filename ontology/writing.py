"""Models written as DTDL of any version that can say them.

Written from the elements of a parse, so nothing is lost on the way; the parser then judges what
was written by the rules of its version. What a version cannot say is a problem with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from twinfall.ontology.dtdl.metamodel import Metamodel, SupplementalType, metamodel
from twinfall.ontology.dtdl.text import canonical
from twinfall.ontology.errors import BadInput, ModelInvalid, Problem
from twinfall.ontology.ontology import Ontology
from twinfall.ontology.parsing import parse

VERSIONS = (2, 3, 4)
AMBIGUOUS = frozenset({"byte"})
"""A schema and, beside quantities, a unit: such a schema is named by its DTMI."""
RDF_IRI = "dtmi:twinfall:rdf:v1:Rdf"
"""The co-type that only holds an IRI: DTDL v2 has no place for it but the comment."""
_SINGLE = ("schema", "elementSchema", "mapKey", "mapValue", "request", "response", "valueSchema")
_SEVERAL = ("fields", "enumValues", "schemas")
_COMPUTED = frozenset(
    {"languageMajorVersion", "definedIn", "childOf", "extendedBy", "commands", "components",
     "relationships", "telemetries", "contents"}
)  # fmt: skip
_CLASSES = frozenset(
    {"Interface", "Property", "Telemetry", "Relationship", "Component", "Command", "Object",
     "Array", "Map", "Enum", "Field", "EnumValue", "MapKey", "MapValue", "CommandRequest",
     "CommandResponse", "CommandPayload"}
)  # fmt: skip
_IMPLIED = frozenset(
    {"Field", "EnumValue", "MapKey", "MapValue", "CommandRequest", "CommandResponse"}
    | {"CommandPayload"}
)
_QUANTITIES = ("dtmi:dtdl:extension:quantitativeTypes", "dtmi:dtdl:context")
_CLOCK = re.compile(r"(?:(\d+)\.)?(\d+):(\d+):(\d+)")


def written(ontology: Ontology, version: int) -> list[str]:
    """Each interface as a document of this version of DTDL, in order of DTMI.

    Raises ModelInvalid with every problem where the version cannot say a model.
    """
    if version not in VERSIONS:
        raise BadInput(f"there is no DTDL version {version}", cure="known are 2, 3 and 4")
    if not ontology.elements and ontology.interfaces:
        ontology = parse(ontology.documents)
    writer = _Writer(ontology, version)
    texts = [canonical(writer.document(dtmi)) for dtmi in sorted(ontology.interfaces)]
    problems = writer.problems + _judged(texts, version)
    if problems:
        raise ModelInvalid(
            problems, f"DTDL version {version} cannot say these models: {len(problems)} problems"
        )
    return texts


def element_json(ontology: Ontology, id_: str) -> Any:
    """An element as it stands in a document of its own version: a term, or an object that holds
    all it needs. Schemas with names of their own stand in place, without the name unless they
    refer to themselves.
    """
    version = int(ontology.elements[id_]["properties"]["languageMajorVersion"])
    return _InPlace(ontology, version).inner(id_, "")


def _judged(texts: list[str], version: int) -> list[Problem]:
    try:
        parse(texts, max_version=version)
    except ModelInvalid as error:
        return [*error.problems]
    return []


class _Writer:
    """Writes elements; `problems` grows where a version has no word for something."""

    def __init__(self, ontology: Ontology, version: int) -> None:
        self._ontology = ontology
        self._elements = ontology.elements
        self._version = version
        self._metamodel: Metamodel = metamodel()
        self._contexts: set[str] = set()
        self.problems: list[Problem] = []

    def document(self, dtmi: str) -> dict[str, Any]:
        """One interface with its context."""
        self._contexts = set()
        interface = self._ontology.interfaces[dtmi]
        made = self._object(dtmi)
        own = [c.id for c in interface.contents.values() if c.declared_in == dtmi]
        if own:
            made["contents"] = [self._object(id_) for id_ in own]
        if interface.extends:
            made["extends"] = list(interface.extends)
        core = f"dtmi:dtdl:context;{self._version}"
        contexts = [core, *sorted(self._contexts - {core})]
        made["@context"] = contexts if len(contexts) > 1 else core
        return made

    def inner(self, id_: str, parent: str) -> Any:
        """A schema, payload or the like, where it is used: in place, or by its name."""
        element = self._elements[id_]
        if element["type"] not in _CLASSES or id_.startswith(("dtmi:dtdl:", "dtmi:standard:")):
            return id_ if _term(id_) in AMBIGUOUS else _term(id_)
        if element["type"] == "Interface":
            return id_
        if parent and element["properties"].get("childOf") != parent:
            return id_
        return self._object(id_)

    def _object(self, id_: str) -> dict[str, Any]:
        element = self._elements[id_]
        made: dict[str, Any] = {} if ":_" in id_ else {"@id": id_}
        types = [element["type"], *self._supplements(element)]
        if len(types) > 1 or types[0] not in _IMPLIED:
            made["@type"] = types if len(types) > 1 else types[0]
        for name, value in element["properties"].items():
            if name not in _COMPUTED and value not in (None, [], {}):
                self._member(made, element, name, value)
        self._extras(made, element)
        for term in element["undefinedTypes"]:
            self._problem(element, "undefinedTerm", f"has the type {term}, which nobody defines")
        return made

    def _member(self, made: dict[str, Any], element: Any, name: str, value: Any) -> None:
        id_ = element["id"]
        if name in _SINGLE:
            made[name] = self.inner(value, id_)
        elif name in _SEVERAL:
            made[name] = [self._object(one) for one in value]
        elif name == "properties":
            if element["type"] == "Relationship":
                made[name] = [self._object(one) for one in value]
        elif name == "extends":
            made[name] = list(value)
        elif not (name == "writable" and value is False):
            made[name] = dict(value) if isinstance(value, Mapping) else value

    # -- what extensions say ------------------------------------------------------------------

    def _supplements(self, element: Any) -> list[str]:
        found = []
        for id_ in element["supplementalTypes"]:
            known = self._metamodel.supplemental[id_]
            fitting = self._fitting(known)
            if fitting is not None:
                if fitting.context:
                    self._contexts.add(fitting.context)
                found.append(fitting.term)
            elif id_ != RDF_IRI:
                message = f"DTDL version {self._version} has no type {known.term}"
                cure = "dependency declarations may stand in a sidecar" if _ours(id_) else ""
                self._problem(element, "invalidCotypeVersion", message, cure)
        return found

    def _fitting(self, known: SupplementalType) -> SupplementalType | None:
        """The same type as this version of DTDL has it."""
        if self._version in known.cotype_versions:
            return known
        others = [
            one for one in self._metamodel.supplemental.values()
            if one.term == known.term and self._version in one.cotype_versions
            and _family(one.context) == _family(known.context)
        ]  # fmt: skip
        return min(others, key=lambda one: one.context, default=None)

    def _extras(self, made: dict[str, Any], element: Any) -> None:
        for id_, value in element["supplementalProperties"].items():
            owner = next((o for o in self._owners(element) if id_ in o.properties), None)
            if owner is None or self._fitting(owner) is None:
                if id_ == f"{RDF_IRI}:iri" and "comment" not in made:
                    made["comment"] = value
                continue
            rule = owner.properties[id_]
            if rule.datatype == "duration":
                value = _duration(value)
            elif isinstance(value, str) and not rule.datatype:
                value = _term(value)
            made[rule.name] = value

    def _owners(self, element: Any) -> Iterable[SupplementalType]:
        return [self._metamodel.supplemental[id_] for id_ in element["supplementalTypes"]]

    def _problem(self, element: Any, code: str, message: str, cure: str = "") -> None:
        self.problems.append(Problem(code, message, element=element["id"], cure=cure))


class _InPlace(_Writer):
    """Writes everything where it is used."""

    def __init__(self, ontology: Ontology, version: int) -> None:
        super().__init__(ontology, version)
        self._around: list[str] = []
        self._recursive: set[str] = set()

    def inner(self, id_: str, parent: str) -> Any:
        """A schema that is being written already refers to itself: by its name."""
        if id_ in self._around:
            self._recursive.add(id_)
            return id_
        return super().inner(id_, "")

    def _object(self, id_: str) -> dict[str, Any]:
        self._around.append(id_)
        made = super()._object(id_)
        self._around.pop()
        if id_ not in self._recursive:
            made.pop("@id", None)
        return made


def _ours(id_: str) -> bool:
    return id_.startswith("dtmi:twinfall:dependency:")


def _family(context: str) -> str:
    """A context without its version; quantities were part of the language in DTDL v2."""
    bare = context.partition(";")[0]
    return _QUANTITIES[0] if bare in ("", *_QUANTITIES) else bare


def _term(id_: str) -> str:
    """The name of a standard schema or unit."""
    return id_.partition(";")[0].rsplit(":", 1)[-1]


def _duration(text: str) -> str:
    """`1.00:00:15`, as elements show durations, in ISO 8601."""
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return text
    days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
    day = f"{days}D" if days else ""
    return f"P{day}T{hours}H{minutes}M{seconds}S"
