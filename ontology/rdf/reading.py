"""RDF texts into triples. Nothing is fetched: no remote context, no import; sizes are bounded.

rdflib's parsers are used as they are; what bounds them stands around them.
"""

from __future__ import annotations

import json
import re
import threading
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

import rdflib
from rdflib import Graph
from rdflib.plugins.stores.memory import Memory

from twinfall.ontology.errors import BadInput, Refused, TwinError
from twinfall.ontology.rdf.terms import check_term

FORMATS: Mapping[str, str] = MappingProxyType(
    {".ttl": "turtle", ".turtle": "turtle", ".nt": "nt", ".jsonld": "json-ld"}
)
"""Endings of files, and what they hold."""
OTHER_FORMATS = frozenset({".rdf", ".owl", ".xml", ".trig", ".nq", ".n3"})
"""Endings of RDF that is not read: XML entities, several graphs, rules."""
MAX_BYTES = 64 * 2**20
"""Of all texts read together."""
MAX_TRIPLES = 2_000_000
MAX_DEPTH = 64
"""Of brackets within brackets."""
MAX_SECONDS = 300.0
"""For all texts read together."""
BASE = "urn:twinfall:base:"
"""What relative IRIs are taken to be relative to, where a text names no base."""
_CHECK_EVERY = 4096
_TOKENS = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\''
    r'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|<[^<>\s]*>|\#[^\n]*|[\[(]|[\])]',
    re.DOTALL,
)
_SWITCH = threading.Lock()
"""rdflib's switch is one for the process."""
_CONTEXT_WORDS = ("@context", "@import")


@dataclass(frozen=True, slots=True)
class Source:
    """One text and how it is written; `name` is what messages call it."""

    name: str
    text: bytes
    format: str

    @classmethod
    def of_file(cls, name: str, text: bytes) -> Source:
        """A file's text. Raises BadInput where its ending is of no format that is read."""
        return cls(name, text, format_of(name))


def is_rdf(name: str) -> bool:
    """Whether a file's ending says that it holds RDF."""
    return PurePath(name).suffix.lower() in FORMATS


def format_of(name: str) -> str:
    """The format of a file, by its ending. Raises BadInput."""
    ending = PurePath(name).suffix.lower()
    if ending not in FORMATS:
        raise BadInput(
            f"RDF is read from {', '.join(FORMATS)}, not from {ending or 'a file of no ending'}",
            code="BAD_FILE",
            path=name,
            cure="convert it to Turtle, for example with `rdfpipe -o turtle`",
        )
    return FORMATS[ending]


def triples(sources: Iterable[Source]) -> Graph:
    """All triples of the texts together.

    Raises BadInput BAD_FILE for what cannot be read, Refused TOO_LARGE over a limit.
    """
    store = _Bounded(time.monotonic() + MAX_SECONDS)
    graph = Graph(store=store)
    total = 0
    for source in sources:
        total += len(source.text)
        if total > MAX_BYTES:
            raise Refused(f"more than {MAX_BYTES} bytes of RDF", code="TOO_LARGE", path=source.name)
        _read(source, graph)
    return graph


def _read(source: Source, graph: Graph) -> None:
    text = _decoded(source)
    if source.format == "json-ld":
        _check_json(source.name, text)
    elif source.format == "turtle":
        _check_depth(source.name, text)
    try:
        with _as_written():
            graph.parse(data=text, format=source.format, publicID=BASE)
    except TwinError as error:
        error.path = error.path or source.name
        raise
    except Exception as error:  # rdflib lets errors of any kind through; each is a bad text
        raise BadInput(
            f"cannot be read as {source.format}: {_first_lines(error)}",
            code="BAD_FILE",
            path=source.name,
        ) from None


@contextmanager
def _as_written() -> Iterator[None]:
    """Literals keep their text: rdflib would cut fractions of seconds and rewrite durations."""
    with _SWITCH:
        before = rdflib.NORMALIZE_LITERALS
        rdflib.NORMALIZE_LITERALS = False
        try:
            with warnings.catch_warnings():  # rdflib's JSON-LD reader uses what it deprecates
                warnings.filterwarnings("ignore", category=DeprecationWarning, module="rdflib")
                yield
        finally:
            rdflib.NORMALIZE_LITERALS = before


def _decoded(source: Source) -> str:
    try:
        return source.text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"is not UTF-8 text (byte {error.start})", code="BAD_FILE", path=source.name
        ) from None


def _first_lines(error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return said[:300]


def _check_depth(name: str, text: str) -> None:
    """rdflib descends bracket by bracket: refuse what would exhaust the stack."""
    depth = 0
    for token in _TOKENS.finditer(text):
        mark = token.group()
        if mark in "[(":
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep(name)
        elif mark in "])":
            depth -= 1


def _too_deep(name: str) -> BadInput:
    return BadInput(f"nested deeper than {MAX_DEPTH} levels", code="TOO_LARGE", path=name)


def _check_json(name: str, text: str) -> None:
    """Refuse remote contexts before rdflib would fetch them, and JSON that is too deep."""
    try:
        level: list[Any] = [json.loads(text)]
    except (ValueError, RecursionError) as error:
        raise BadInput(f"is no JSON: {_first_lines(error)}", code="BAD_FILE", path=name) from None
    for _ in range(MAX_DEPTH):
        if not level:
            return
        for value in level:
            if isinstance(value, dict):
                _check_context(name, value)
        level = [inner for value in level for inner in _members(value)]
    if level:
        raise _too_deep(name)


def _members(value: Any) -> Iterable[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inner if isinstance(one, dict | list)]


def _check_context(name: str, value: Mapping[str, Any]) -> None:
    for word in _CONTEXT_WORDS:
        given = value.get(word)
        for one in given if isinstance(given, list) else [given]:
            if isinstance(one, str):
                raise BadInput(
                    f"refers to the remote context {one[:200]}, and nothing is fetched",
                    code="BAD_FILE",
                    path=name,
                    cure="put the context itself into the file",
                )


class _Bounded(Memory):
    """A store that stops at the limits."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline
        self._count = 0

    def add(self, triple: Any, *args: Any, **more: Any) -> None:
        """Take one triple."""
        for term in triple:
            check_term(term)
        self._count += 1
        if self._count > MAX_TRIPLES:
            raise Refused(f"more than {MAX_TRIPLES} triples", code="TOO_LARGE")
        if self._count % _CHECK_EVERY == 0 and time.monotonic() > self._deadline:
            raise Refused(f"reading took longer than {MAX_SECONDS:.0f} s", code="TOO_COSTLY")
        super().add(triple, *args, **more)
