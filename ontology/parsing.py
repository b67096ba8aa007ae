"""`parse`: DTDL documents in, an Ontology out, or every reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twinfall.ontology.compiling import compile_ontology
from twinfall.ontology.dtdl.elements import Options, Reading, Resolver
from twinfall.ontology.dtdl.lines import line_of
from twinfall.ontology.dtdl.metamodel import metamodel
from twinfall.ontology.dtdl.reader import read_document
from twinfall.ontology.dtdl.resolve import check_links, undefined_references
from twinfall.ontology.dtdl.rules import check_names, check_rules
from twinfall.ontology.dtdl.text import canonical, read_documents
from twinfall.ontology.errors import ModelIncomplete, ModelInvalid, Problem
from twinfall.ontology.ontology import Ontology

LARGE_DOCUMENT = 200_000
"""Characters from which the length of a document's interfaces is measured in bytes."""
MAX_RESOLVER_ROUNDS = 64
"""How often a resolver is asked; each answer may refer to more."""


def parse(
    documents: Sequence[Any],
    *,
    undefined_extensions: str | None = None,
    max_version: int = 4,
    acceptable_limits: Sequence[str] | None = None,
    resolver: Resolver | None = None,
) -> Ontology:
    """Read DTDL v2, v3 and v4 documents, each a JSON text or a parsed value.

    `undefined_extensions`: "allow" or "disallow" contexts and types of unknown extensions (None:
    as the standard says, allowed in DTDL v2 only). `resolver` is asked for models that are referred
    to and missing. Raises ModelInvalid with all problems, ModelIncomplete where models are missing.
    """
    limits = None if acceptable_limits is None else tuple(acceptable_limits)
    reading = Reading(metamodel(), Options(undefined_extensions, max_version, limits, resolver))
    texts: list[Any] = []
    values: list[Any] = []
    _read_all(reading, documents, texts, values)
    _check_valid(reading, texts)
    missing = _complete(reading, texts, values)
    check_links(reading)
    _check_valid(reading, texts)
    if missing:
        raise ModelIncomplete(missing)
    check_rules(reading)
    _check_valid(reading, texts)
    return compile_ontology(reading, [canonical(v) for v in values])


def _read_all(
    reading: Reading, documents: Sequence[Any], texts: list[Any], values: list[Any]
) -> None:
    found, problems = read_documents(documents)
    offset = len(texts)
    texts.extend(documents)
    values.extend(found)
    reading.problems += [replace(p, document=(p.document or 0) + offset) for p in problems]
    refused = {p.document for p in problems}
    known = len(reading.elements)
    for number, value in enumerate(found):
        if number in refused:
            continue
        reading.document = number + offset
        given = documents[number]
        reading.large = not isinstance(given, str | bytes) or len(given) > LARGE_DOCUMENT
        read_document(reading, value)
    check_names(reading, known)


def _complete(reading: Reading, texts: list[Any], values: list[Any]) -> list[str]:
    """Ask the resolver until nothing is missing or it has no more; what is missing still."""
    missing = _undefined(reading)
    asked: set[str] = set()
    for _ in range(MAX_RESOLVER_ROUNDS):
        if not missing or reading.options.resolver is None:
            break
        wanted = [m for m in missing if m not in asked]
        answer = reading.options.resolver(wanted) if wanted else None
        if answer is None:
            break
        asked.update(wanted)
        _read_all(reading, answer, texts, values)
        _check_valid(reading, texts)
        missing = _undefined(reading)
    return missing


def _undefined(reading: Reading) -> list[str]:
    """What somebody could still define: not what belongs to the language and its extensions."""
    reserved = reading.metamodel.reserved_prefixes
    return [m for m in undefined_references(reading) if not m.startswith(reserved)]


def _check_valid(reading: Reading, texts: Sequence[Any]) -> None:
    if reading.problems:
        raise ModelInvalid([_located(p, texts) for p in reading.problems])


def _located(problem: Problem, texts: Sequence[Any]) -> Problem:
    if problem.line is not None or problem.document is None:
        return problem
    text = texts[problem.document]
    return replace(problem, line=line_of(text, problem.path)) if isinstance(text, str) else problem
