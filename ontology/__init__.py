"""What may exist: DTDL in, a compiled Ontology out. Pure: no network, no store, no clock."""

from __future__ import annotations

from twinfall.ontology.dependencies import canonical_sidecar, read_dependencies
from twinfall.ontology.durations import duration_seconds
from twinfall.ontology.names import Names, content_name, field_name
from twinfall.ontology.ontology import Ontology
from twinfall.ontology.parsing import parse

__all__ = [
    "Names",
    "Ontology",
    "canonical_sidecar",
    "content_name",
    "duration_seconds",
    "field_name",
    "parse",
    "read_dependencies",
]
