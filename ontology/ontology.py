"""The closed result of a parse: what may exist."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.errors import UnknownName
from twinfall.ontology.model import Interface, Schema


@dataclass(frozen=True, slots=True, eq=False)
class Ontology:
    """Interfaces by DTMI, flattened; immutable.

    `schemas` holds complex schemas by id (a SchemaReference resolves here), `elements` every
    element as the conformance data describes them, `documents` the canonical JSON texts it was
    parsed from, `hash` identifies the content whatever the order of documents.
    """

    interfaces: Mapping[str, Interface]
    schemas: Mapping[str, Schema]
    documents: tuple[str, ...]
    hash: str
    extension: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def interface(self, dtmi: str) -> Interface:
        """The interface; UnknownName suggests the nearest."""
        found = self.interfaces.get(dtmi)
        if found is None:
            cure = did_you_mean(dtmi, self.interfaces)
            raise UnknownName(f"there is no model {dtmi}", cure=cure)
        return found

    def is_a(self, model: str, ancestor: str) -> bool:
        """Whether `model` is `ancestor` or extends it; false for unknown models."""
        known = self.interfaces.get(model)
        return known is not None and (model == ancestor or ancestor in known.ancestors)

    def family(self, model: str) -> tuple[str, ...]:
        """The model and all that extend it, sorted. Raises UnknownName."""
        return tuple(sorted((model, *self.interface(model).descendants)))


def content_hash(documents: Sequence[str]) -> str:
    """A hash of the texts, whatever their order."""
    digest = hashlib.sha256()
    for text in sorted(set(documents)):
        digest.update(text.encode())
        digest.update(b"\0")
    return digest.hexdigest()
