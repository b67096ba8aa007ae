"""What may exist: DTDL in, a compiled Ontology out. Pure: no network, no store, no clock."""

from __future__ import annotations

from twinfall.ontology.names import Names, content_name, field_name
from twinfall.ontology.ontology import Ontology
from twinfall.ontology.parsing import parse

__all__ = ["Names", "Ontology", "content_name", "field_name", "parse"]
