"""Every parser that takes user text, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.fuzz import files, models, registers, telling, triples
from tests.fuzz.law import Target

TARGETS: Mapping[str, Callable[[], Target]] = MappingProxyType(
    {
        "dtdl": models.dtdl,
        "loading": models.loading,
        "sidecar": models.sidecars,
        "requirements": models.requirements,
        "policy": models.policies,
        "scenario": models.scenarios,
        "ndjson": telling.rows,
        "line": telling.lines,
        "json": telling.json_rows,
        "mqtt": telling.messages,
        "graphql": telling.questions,
        "register": registers.registers,
        "rdf": triples.classes,
        "rdf-twins": triples.twins,
        "grid": files.grids,
        "gzip": files.packed,
        "detector": files.detectors,
    }
)
