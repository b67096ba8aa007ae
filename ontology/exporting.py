"""Models written out in another language: what `twinfall model export --format` knows.

A format is a function from an ontology to files. Where a language cannot say what DTDL says, the
format's own module tells what is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.errors import BadInput
from twinfall.ontology.json_schema import model_schema
from twinfall.ontology.ontology import Ontology
from twinfall.ontology.writing import written


@dataclass(frozen=True, slots=True)
class Exported:
    """One file: its name, without a folder, and its text."""

    name: str
    text: str


Format = Callable[[Ontology], Iterator[Exported]]


def export(ontology: Ontology, format_: str) -> Iterator[Exported]:
    """The models as files of a format, in order of DTMI. Raises BadInput for an unknown one."""
    check_format(format_)
    return FORMATS[format_](ontology)


def check_format(format_: str, more: Collection[str] = ()) -> None:
    """Raises BadInput where a format is neither known here nor among `more`."""
    known = sorted((*FORMATS, *more))
    if format_ not in known:
        cure = did_you_mean(format_, known) or f"known are {', '.join(known)}"
        raise BadInput(f"nothing is known of the format {format_[:40]!r}", cure=cure)


def file_stem(dtmi: str) -> str:
    """A file name for a model: `dtmi:example:Pump;1` is `example_Pump-1`."""
    return dtmi.removeprefix("dtmi:").replace(":", "_").replace(";", "-")


def _json_schemas(ontology: Ontology) -> Iterator[Exported]:
    for dtmi in sorted(ontology.interfaces):
        text = json.dumps(model_schema(ontology, dtmi), ensure_ascii=False, indent=2)
        yield Exported(f"{file_stem(dtmi)}.schema.json", text + "\n")


def dtdl(ontology: Ontology, version: int) -> Iterator[Exported]:
    """The models in this version of DTDL. Raises ModelInvalid where it cannot say them."""
    for dtmi, text in zip(sorted(ontology.interfaces), written(ontology, version), strict=True):
        indented = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
        yield Exported(f"{file_stem(dtmi)}.json", indented + "\n")


def _rdf(format_: str) -> Format:
    def files(ontology: Ontology) -> Iterator[Exported]:
        from twinfall.ontology.rdf.writing import files as rdf_files  # rdflib takes its time

        for name, text in rdf_files(ontology, format_):
            yield Exported(name, text)

    return files


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "json-schema": _json_schemas,
        "owl": _rdf("owl"),
        "shacl": _rdf("shacl"),
        "jsonld": _rdf("jsonld"),
    }
)
