"""Twins in RDF: in and out of Turtle, JSON-LD and N-Triples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson

from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import ImportReport, export_rows, import_rows
from twinfall.graph.rdf.identity import BASE, TwinIds
from twinfall.graph.rdf.reading import NotTaken, Rows, as_lines, read_rows
from twinfall.graph.rdf.turtle import turtle
from twinfall.graph.rdf.writing import triples_of
from twinfall.ontology import Ontology
from twinfall.ontology.errors import BadInput
from twinfall.ontology.rdf.iris import Iris
from twinfall.ontology.rdf.reading import Source, triples

__all__ = [
    "BASE",
    "NotTaken",
    "Rows",
    "as_lines",
    "export_rdf",
    "import_rdf",
    "read_export",
    "refused_row",
    "rows_of",
    "written",
]

WRITTEN = {"turtle": "turtle", "jsonld": "json-ld", "ntriples": "nt"}
"""Formats that are written, as rdflib calls them."""


def import_rdf(
    graph: Graph,
    sources: Sequence[Source],
    *,
    who: str = "",
    why: str = "",
    base: str = BASE,
    refuse: Callable[[NotTaken], None] = lambda _: None,
) -> ImportReport:
    """Import what these texts say of things, as `import_rows` would; what cannot be taken goes to
    `refuse`. Importing the same again changes nothing.
    """
    rows = rows_of(sources, graph.ontology, _sections(export_rows(graph)), base)
    for one in rows.refused:
        refuse(one)

    def take(line: int, code: str, message: str, raw: bytes) -> None:
        refuse(refused_row(rows, code, message, raw))

    report = import_rows(graph, as_lines(rows), who=who, why=why, refuse=take)
    report.refused += len(rows.refused)
    for one in rows.refused:
        report.by_code[one.code] = report.by_code.get(one.code, 0) + 1
    return report


def rows_of(
    sources: Sequence[Source],
    ontology: Ontology,
    stored: Iterable[tuple[str, Any]],
    base: str = BASE,
) -> Rows:
    """The rows that these texts say; `stored` are the rows of the graph's export, whose twins
    keep their ids.
    """
    iris = Iris.of(ontology)
    known: dict[str, str] = {}
    taken: dict[str, str] = {}
    names: dict[str, str | None] = {}
    for section, row in stored:
        if section != "Twins":
            continue
        model = row["$metadata"]["$model"]
        if model not in names:
            interface = ontology.interfaces.get(model)
            names[model] = iris.identity(interface) if interface else None
        iri = row.get(names[model] or "") or ""
        taken[row["$dtId"]] = iri
        if iri:
            known[iri] = row["$dtId"]
    return read_rows(triples(sources), ontology, TwinIds(known, taken, base))


def refused_row(rows: Rows, code: str, message: str, raw: bytes) -> NotTaken:
    """Why the graph refused a row, said of the thing that RDF calls so."""
    row = orjson.loads(raw)
    id_ = str(row.get("$dtId") or row.get("$sourceId") or "")
    subject = rows.iris.get(id_.partition("/")[0], id_)
    return NotTaken(subject, code, message, raw.decode("utf-8", "replace"))


def export_rdf(graph: Graph, format_: str, base: str = BASE) -> str:
    """The twins and relationships as RDF. Raises BadInput for an unknown format."""
    return written(_sections(export_rows(graph)), graph.ontology, format_, base)


def written(
    rows: Iterable[tuple[str, Any]], ontology: Ontology, format_: str, base: str = BASE
) -> str:
    """The rows of an export as a text. Raises BadInput for an unknown format."""
    if format_ not in WRITTEN:
        raise BadInput(
            f"twins are not written as {format_[:40]!r}", cure=f"known are {', '.join(WRITTEN)}"
        )
    made = triples_of(rows, ontology, base)
    return turtle(made) if format_ == "turtle" else str(made.serialize(format=WRITTEN[format_]))


def read_export(blocks: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    """The rows of an export that comes in blocks, each with its section."""
    rest = b""
    section = ""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            row = orjson.loads(line)
            if set(row) == {"Section"}:
                section = row["Section"]
            else:
                yield section, row


_sections = read_export
