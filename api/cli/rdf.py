"""What commands do with RDF: losses told, files of things turned into rows of an import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfall.api.cli.output import console

if TYPE_CHECKING:
    from twinfall.api.cli.service import Service
    from twinfall.graph.rdf import NotTaken, Rows
    from twinfall.ontology import Ontology
    from twinfall.ontology.rdf import Loss

FIRST_SHOWN = 5
BASE = "urn:twinfall:twin:"
"""Before the ids of twins that have no IRI of their own, where a command is given no other."""


def print_losses(losses: Sequence[Loss]) -> None:
    """How much RDF says that DTDL cannot, with the first few."""
    if not losses:
        return
    out = console()
    by_code = Counter(loss.code for loss in losses)
    counts = ", ".join(f"{count} {code}" for code, count in by_code.most_common())
    out.print(f"DTDL cannot say {len(losses)} statements of the RDF: {counts}", markup=False)
    for loss in losses[:FIRST_SHOWN]:
        out.print(f"  {loss.subject} {loss.message} [{loss.code}]", markup=False)
    if len(losses) > FIRST_SHOWN:
        out.print("  ...; --json lists all", markup=False)


def loaded_models(graph: Service) -> Ontology:
    """The models that are loaded."""
    from twinfall.api.checking import model_rows
    from twinfall.ontology import parse

    rows = model_rows(graph.export())
    return parse([row for section, row in rows if section == "Models"])


def rows_of_file(graph: Service, path: Path, base: str) -> Rows:
    """What a file of RDF says of things, as rows for this graph."""
    from twinfall.api.checking import rdf_sources
    from twinfall.graph.rdf import read_export, rows_of

    return rows_of(rdf_sources([path]), loaded_models(graph), read_export(graph.export()), base)


def exported(graph: Service, format_: str, base: str) -> bytes:
    """The twins as RDF."""
    from twinfall.graph.rdf import read_export, written

    text = written(read_export(graph.export()), loaded_models(graph), format_, base)
    return text.encode()


def entry(refused: NotTaken) -> dict[str, Any]:
    """A line of the file of what was refused."""
    return {
        "subject": refused.subject, "code": refused.code, "reason": refused.message,
        "triple": refused.triple,
    }  # fmt: skip
