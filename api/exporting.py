"""The loaded models written into a folder, as they are or in another language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from graphql import build_client_schema, get_introspection_query, print_schema

from twinfall.api.checking import model_rows, write_files, write_models
from twinfall.ontology import Ontology, parse
from twinfall.ontology.exporting import Exported, check_format, dtdl, export

if TYPE_CHECKING:
    from twinfall.api.cli.service import Service

DTDL = "dtdl"
GRAPHQL = "graphql"
OWN = (DTDL, GRAPHQL)
"""Formats that need the graph: the documents as they were loaded, and the registered names."""
SCHEMA_FILE = "schema.graphql"


def export_models(
    service: Service, format_: str, folder: Path, version: int | None = None
) -> list[Path]:
    """The files that were written, never over one that says otherwise; `version` is that of DTDL.
    Raises BadInput, ModelInvalid where that version cannot say a model.
    """
    if format_ == DTDL and version is not None:
        files = dtdl(_ontology(service), version)
        return write_files(((one.name, one.text.encode()) for one in files), folder)
    if format_ == DTDL:
        return write_models(service.export(), folder)
    check_format(format_, OWN)
    files = _sdl(service) if format_ == GRAPHQL else export(_ontology(service), format_)
    return write_files(((one.name, one.text.encode()) for one in files), folder)


def _ontology(service: Service) -> Ontology:
    rows = model_rows(service.export())
    return parse([row for section, row in rows if section == "Models"])


def _sdl(service: Service) -> Iterator[Exported]:
    """The schema that is answered now: models in use have types, under their registered names."""
    answer = service.ask(get_introspection_query(input_value_deprecation=True))
    yield Exported(SCHEMA_FILE, print_schema(build_client_schema(answer["data"])) + "\n")
