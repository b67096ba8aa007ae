"""The closed result of a parse: what may exist."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtdl.text import NotStrict
from twinfall.ontology.errors import Problem, UnknownName
from twinfall.ontology.instances import read_instance, standard_schema
from twinfall.ontology.model import Interface, Schema
from twinfall.ontology.values import Check, compile_check

MAX_CHECKS = 100_000
"""Compiled checks kept by one ontology."""


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
    elements: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    extension: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """What the models say through the dependency extension: interface -> asset, contents."""
    _checks: dict[int, tuple[Schema, Check]] = field(default_factory=dict, repr=False)
    """Compiled checks by the identity of their schema, which is kept beside."""

    def interface(self, dtmi: str) -> Interface:
        """The interface; UnknownName suggests the nearest."""
        found = self.interfaces.get(dtmi)
        if found is None:
            words = {id_.partition(";")[0].rpartition(":")[2] for id_ in self.interfaces}
            cure = did_you_mean(dtmi, self.interfaces) or did_you_mean(dtmi, words)
            raise UnknownName(f"there is no model {dtmi}", cure=cure)
        return found

    def is_a(self, model: str, ancestor: str) -> bool:
        """Whether `model` is `ancestor` or extends it; false for unknown models."""
        known = self.interfaces.get(model)
        return known is not None and (model == ancestor or ancestor in known.ancestors)

    def family(self, model: str) -> tuple[str, ...]:
        """The model and all that extend it, sorted. Raises UnknownName."""
        return tuple(sorted((model, *self.interface(model).descendants)))

    def check_value(self, schema: Schema, value: Any) -> list[Problem]:
        """What is wrong with a parsed JSON value; `path` is a JSON pointer into the value."""
        known = self._checks.get(id(schema))
        if known is None or known[0] is not schema:
            known = (schema, compile_check(schema, self.schemas))
            if len(self._checks) < MAX_CHECKS:
                self._checks[id(schema)] = known
        problems: list[Problem] = []
        known[1](value, "", problems, 0)
        return problems

    def check_instance(self, dtmi: str, json_text: str) -> list[Problem]:
        """What is wrong with a JSON text as a value of the schema with this identifier.

        Raises UnknownName for an identifier that is no schema.
        """
        schema = self.schemas.get(dtmi) or standard_schema(dtmi)
        if schema is None:
            raise UnknownName(f"{dtmi} is no schema", cure=did_you_mean(dtmi, self.schemas))
        try:
            value = read_instance(json_text)
        except NotStrict as err:
            return [Problem(err.code, err.message, line=err.line)]
        return self.check_value(schema, value)


def content_hash(documents: Sequence[str]) -> str:
    """A hash of the texts, whatever their order."""
    digest = hashlib.sha256()
    for text in sorted(set(documents)):
        digest.update(text.encode())
        digest.update(b"\0")
    return digest.hexdigest()
