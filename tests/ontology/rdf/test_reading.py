"""Nothing is fetched, and what is too large, too deep or no RDF is refused cleanly."""

from __future__ import annotations

import json
import socket
from typing import NoReturn

import pytest

from tests.ontology.rdf.reading import PREFIXES, read
from twinfall.ontology.errors import BadInput, Refused, TwinError
from twinfall.ontology.rdf import Source, reading, triples


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    tried: list[str] = []

    def refuse(*to: object, **more: object) -> NoReturn:
        tried.append(str(to))
        raise OSError("no network in this test")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


@pytest.mark.parametrize(
    "context",
    [
        "https://example.org/context.jsonld",
        ["https://example.org/context.jsonld"],
        {"@import": "https://example.org/context.jsonld"},
        {"x": {"@id": "https://x.example/x", "@context": "https://example.org/inner.jsonld"}},
    ],
)
def test_a_remote_context_is_refused_and_not_fetched(
    context: object, no_network: list[str]
) -> None:
    text = json.dumps({"@context": context, "@id": "https://x.example/a", "x": {"y": 1}})
    with pytest.raises(BadInput, match="nothing is fetched"):
        triples([Source("a.jsonld", text.encode(), "json-ld")])
    assert no_network == []


def test_imports_are_not_followed(no_network: list[str]) -> None:
    read("<https://example.org/o> a owl:Ontology ; owl:imports <https://example.org/far.ttl> .")
    assert no_network == []


@pytest.mark.parametrize("name", ["a.rdf", "a.owl", "a.trig", "a"])
def test_other_formats_are_refused_with_a_cure(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        Source.of_file(name, b"")
    assert "Turtle" in refused.value.cure


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        (b"ex:a ex:b", "turtle"),
        (b"\xff\xfe", "turtle"),
        (b"{", "json-ld"),
        (b"[" * 5_000 + b"]" * 5_000, "json-ld"),
        (b"<a> <b> " + b"[ <p> " * 5_000, "turtle"),
        (b"<http://a> <http://b> .", "nt"),
        (b'{"@context": {"@vocab": 3}, "a": 1}', "json-ld"),
    ],
)
def test_bad_texts_are_refused_by_name(text: bytes, format_: str) -> None:
    with pytest.raises(TwinError) as refused:
        triples([Source("bad", text, format_)])
    assert refused.value.path == "bad"


def test_brackets_in_texts_comments_and_iris_are_no_depth() -> None:
    deep = "[(" * 500
    text = f'{PREFIXES} ex:a rdfs:label "{deep}", """{deep}" {deep}""" . # {deep}\n'
    assert len(triples([Source("a.ttl", text.encode(), "turtle")])) == 2


def test_a_schema_told_beside_that_is_no_json_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="no JSON") as refused:
        read("ex:A a owl:Class . ex:p a owl:DatatypeProperty ; rdfs:domain ex:A ;"
             " <dtmi:dtdl:property:schema> '[{' .")  # fmt: skip
    assert refused.value.path == "https://example.org/plant#p"


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"<urn:a> <urn:b> <urn:c{n}> .\n" for n in range(20)).encode()
    monkeypatch.setattr(reading, "MAX_TRIPLES", 10)
    with pytest.raises(Refused) as refused:
        triples([Source("a.nt", text, "nt")])
    assert refused.value.code == "TOO_LARGE"
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    with pytest.raises(Refused):
        triples([Source("a.nt", text, "nt")])
