"""Classes as DTDL documents, each element with the IRI that it comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rdflib import RDFS

from twinfall.ontology.dtdl.text import canonical
from twinfall.ontology.dtmi import child_id, read_dtmi
from twinfall.ontology.rdf import vocabulary as words
from twinfall.ontology.rdf.classes import Class, Field, Loss, Vocabulary
from twinfall.ontology.rdf.identifiers import digest, dtmi_of, name_of, qualified_name
from twinfall.ontology.rdf.placing import Family, common
from twinfall.ontology.writing import AMBIGUOUS

EXTENSION = "dtmi:twinfall:rdf;1"
IDENTITY_NAME = "iri"
OF_RESOURCE: Mapping[str, tuple[str, str]] = {
    IDENTITY_NAME: (words.IDENTITY, "The IRI that this twin has in RDF."),
    "label": (str(RDFS.label), "What people call it."),
    "comment": (str(RDFS.comment), "What people say of it."),
}
"""Properties of everything that is named in RDF: predicate and description."""
QUANTITATIVE: Mapping[int, str] = {
    3: "dtmi:dtdl:extension:quantitativeTypes;1",
    4: "dtmi:dtdl:extension:quantitativeTypes;2",
}
"""The context of semantic types; DTDL v2 has them in itself."""
VERSION = 4
"""Of DTDL, where nothing else is told: the one that says most."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: DTDL documents in order of DTMI, and what could not be carried over."""

    documents: tuple[str, ...]
    losses: tuple[Loss, ...]
    dtmis: Mapping[str, str] = field(default_factory=dict)
    """The DTMI of each class by its IRI."""


def write_documents(
    found: Vocabulary, family: Family, known: Mapping[str, str], version: int
) -> Read:
    """The documents of classes that are placed; `known` has DTMIs of classes by IRI."""
    dtmis = {**known, **_dtmis(found, version)}
    written = _Writer(found, family, dtmis, _names(found))
    texts = [written.interface(one) for one in found.classes.values()]
    if written.identified:
        texts.append(canonical(_resource()))
    own = {iri: dtmis[iri] for iri in found.classes}
    return Read(tuple(sorted(texts)), tuple(sorted(found.losses)), own)


def _dtmis(found: Vocabulary, version: int) -> dict[str, str]:
    made: dict[str, str] = {}
    taken: dict[str, str] = {}
    for iri in sorted(found.classes):
        dtmi = dtmi_of(iri, version)
        if dtmi in taken:
            found.lose("name", iri, f"would have the DTMI of {taken[dtmi]}: its own has a digest")
            path, _, rest = dtmi.partition(";")
            dtmi = f"{path[:110].rstrip('_:')}_x{digest(iri)};{rest}"
        made[iri] = dtmi
        taken[dtmi] = iri
    return made


def _names(found: Vocabulary) -> dict[str, str]:
    """A name for each predicate, one everywhere; of equal ones the first by IRI has the plain."""
    told = {
        f.predicate: f.extra["name"]
        for one in found.classes.values() for f in one.fields.values() if "name" in f.extra
    }  # fmt: skip
    by_name: dict[str, list[str]] = defaultdict(list)
    for predicate in sorted({p for one in found.classes.values() for p in one.fields}):
        if predicate not in told:
            by_name[name_of(predicate)].append(predicate)
    names = dict(told)
    for name, predicates in by_name.items():
        for index, predicate in enumerate(predicates):
            plain = index == 0 and name not in OF_RESOURCE
            names[predicate] = name if plain else qualified_name(predicate)
            if not plain:
                found.lose("name", predicate, f"is called {names[predicate]}: {name} is taken")
    _distinct(names, set(told))
    return names


def _distinct(names: dict[str, str], told: set[str]) -> None:
    taken: set[str] = set()
    for predicate in sorted(set(names) - told):
        if names[predicate] in taken:
            names[predicate] = f"{names[predicate][:50].rstrip('_')}_x{digest(predicate)}"
        taken.add(names[predicate])


def _resource() -> dict[str, Any]:
    contents = [
        {"@type": ["Property", "Rdf"], "name": name, "schema": "string", "iri": predicate,
         "description": description}
        for name, (predicate, description) in OF_RESOURCE.items()
    ]  # fmt: skip
    return {
        "@context": [f"dtmi:dtdl:context;{VERSION}", EXTENSION], "@id": words.RESOURCE,
        "@type": "Interface", "displayName": "Resource",
        "description": "What RDF names: everything that has an IRI.", "contents": contents,
    }  # fmt: skip


class _Writer:
    """Writes interfaces; what it needs of all of them is at hand."""

    def __init__(
        self,
        found: Vocabulary,
        family: Family,
        dtmis: Mapping[str, str],
        names: Mapping[str, str],
    ) -> None:
        self._found = found
        self._family = family
        self._dtmis = dtmis
        self._names = names
        self._same: dict[str, list[str]] = defaultdict(list)
        for other, predicate in sorted(found.same.items()):
            self._same[predicate].append(other)
        self.identified = False

    def interface(self, one: Class) -> str:
        """One document."""
        dtmi = self._dtmis[one.iri]
        native = dtmi == one.iri
        version = one.version or VERSION
        contents = [
            self._content(field, dtmi, version)
            for field in sorted(one.fields.values(), key=lambda f: self._names[f.predicate])
        ]
        extends = [self._dtmis[parent] for parent in one.parents]
        if not native and not extends:
            extends = [words.RESOURCE]
            self.identified = True
        made: dict[str, Any] = {
            "@context": self._context(version, contents, native),
            "@id": dtmi,
            "@type": "Interface" if native else ["Interface", "Rdf"],
        }
        if not native:
            made["iri"] = one.iri
        made |= _words_of(one)
        if extends:
            made["extends"] = extends
        if contents:
            made["contents"] = contents
        return canonical(made)

    @staticmethod
    def _context(version: int, contents: Iterable[Any], native: bool) -> Any:
        used = [f"dtmi:dtdl:context;{version}"]
        text = canonical(list(contents))
        if '"unit":' in text and version in QUANTITATIVE:
            used.append(QUANTITATIVE[version])
        if not native or '"Rdf"' in text:
            used.append(EXTENSION)
        return used if len(used) > 1 else used[0]

    def _content(self, field: Field, dtmi: str, version: int) -> dict[str, Any]:
        field = self._kept(field)
        name = self._names[field.predicate]
        extra = {key: value for key, value in field.extra.items() if key != "name"}
        semantic = extra.pop("semanticType", None)
        types = [field.kind, *([semantic] if semantic else [])]
        made: dict[str, Any] = {"name": name}
        auto = child_id(dtmi, "_contents", f"__{name}")
        native = read_dtmi(field.predicate)
        if native is None or (native.is_reserved and field.predicate != auto):
            types.append("Rdf")
            made["iri"] = field.predicate
            made |= self._relations(field.predicate)
        elif field.predicate != auto:
            made["@id"] = field.predicate
        made["@type"] = types if len(types) > 1 else types[0]
        made |= self._meaning(field, version) | _words_of(field)
        return made | extra

    def _kept(self, field: Field) -> Field:
        """What leads to a class that is not here leads to no twin: its IRI is kept as text."""
        if field.kind != "Relationship" or len(field.targets) != 1:
            return field
        target = field.targets[0]
        if target in self._dtmis or read_dtmi(target) is not None:
            return field
        message = f"leads to a {target}, which is not here: its IRI is kept as text"
        self._found.lose("range", field.predicate, message)
        return replace(field, kind="Property", schema="string", targets=())

    def _relations(self, predicate: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if self._same[predicate]:
            made["sameAs"] = self._same[predicate]
        inverse = self._found.inverse.get(predicate)
        if inverse is not None:
            made["inverseOf"] = inverse
        return made

    def _meaning(self, field: Field, version: int) -> dict[str, Any]:
        if field.kind in ("Property", "Telemetry"):
            named = isinstance(field.schema, str) and field.schema in AMBIGUOUS
            return (
                {"schema": f"dtmi:dtdl:instance:Schema:{field.schema};4"}
                if named
                else {"schema": field.schema}
            )
        if field.kind == "Command":
            return {}
        target = self._target(field)
        if field.kind == "Component":
            return {"schema": target}
        made: dict[str, Any] = {} if target is None else {"target": target}
        if field.most is not None:
            made["maxMultiplicity"] = field.most
        return made

    def _target(self, field: Field) -> str | None:
        if not field.targets:
            return None
        if len(field.targets) == 1:
            target = field.targets[0]
            if target in self._dtmis:
                return self._dtmis[target]
            return target if read_dtmi(target) is not None else None
        unknown = [t for t in field.targets if t not in self._family.above]
        chosen = None if unknown else common(field.targets, self._family)
        to = chosen or "anything"
        message = f"leads to one of {len(field.targets)} classes: kept as leading to {to}"
        self._found.lose("union", field.predicate, message)
        return None if chosen is None else self._dtmis[chosen]


def _words_of(one: Class | Field) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if one.labels:
        made["displayName"] = dict(one.labels)
    if one.comments:
        made["description"] = dict(one.comments)
    return made
