"""What goes wrong is said with code, place, cure and request id, and nothing else leaks."""

from __future__ import annotations

import logging

import pytest

from tests.api.graphql.plant import Plant
from twinfall.ontology.errors import Unavailable


def test_an_error_of_ours_keeps_code_cure_and_place(plant: Plant) -> None:
    answer = plant.answer('{ a: twins(model: "Pmp") { totalCount } }')
    assert answer["errors"] == [
        {
            "message": "no model 'Pmp' is loaded",
            "locations": [{"line": 1, "column": 3}],
            "path": ["a"],
            "extensions": {
                "code": "UNKNOWN_NAME",
                "path": None,
                "cure": "did you mean 'Pump'?",
                "requestId": "request-7",
                "retryable": False,
            },
        }
    ]
    assert answer["status"] == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ Pump { nodes { nmae } } }", "Did you mean 'name'"),
        ("{ Pump { nodes { name } }", "Expected Name, found <EOF>"),
        ("{ twin { id } }", "of type 'ID!' is required"),
        ('{ twin(id: "P1") }', "must have a selection of subfields"),
        ("query($x: Nope) { twin(id: $x) { id } }", "Unknown type 'Nope'"),
        ("subscription { x }", "subscription"),
        ("fragment f on Twin { id }", "no operation"),
        ('{ twin(id: "P1") { ...f } }', "Unknown fragment 'f'"),
        (
            "query($id: ID!) { twin(id: $id) { id } }",
            "variable '$id' has invalid value",
        ),
        ('{ twin(id: "P1") { _values { x } } }', "must not have a selection"),
        ("{ Tank { nodes { ... on Pump { id } } } }", "can never be of type 'Pump'"),
    ],
)
def test_a_wrong_query_says_what_is_wrong(plant: Plant, query: str, words: str) -> None:
    error = plant.answer(query)["errors"][0]
    assert error["extensions"]["code"] == "BAD_QUERY"
    assert words.lower() in error["message"].replace('"', "'").lower()


def test_all_mistakes_of_a_query_are_listed(plant: Plant) -> None:
    answer = plant.answer("{ Pump { nodes { x1 x2 x3 } } }")
    assert len(answer["errors"]) == 3
    assert "data" not in answer


def test_a_number_without_end_is_a_wrong_query(plant: Plant) -> None:
    query = "{ Pump(where: {serial: {eq: " + "9" * 5000 + "}}) { totalCount } }"
    assert plant.refusal(query)["code"] == "BAD_QUERY"


class Broken(Exception):
    """A bug."""


def test_a_bug_is_masked_and_logged_with_the_request_id(
    fresh: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> object:
        raise Broken("secret path /etc/neo4j")

    monkeypatch.setattr(fresh.graph, "fetch", fail)
    with caplog.at_level(logging.ERROR):
        error = fresh.refusal("{ twins { nodes { id } } }")
    assert error["code"] == "INTERNAL"
    assert "secret" not in str(error)
    assert "request-7" in error["message"]
    assert "secret path" in caplog.text
    assert "request-7" in caplog.text


def test_a_store_that_is_away_is_worth_another_try(
    fresh: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> object:
        raise Unavailable("Neo4j does not answer", cure="start it")

    monkeypatch.setattr(fresh.graph, "fetch", away)
    error = fresh.refusal('{ twin(id: "P1") { id } }')
    assert error["code"] == "STORE_UNAVAILABLE"
    assert error["retryable"] is True
    assert error["cure"] == "start it"


def test_one_failing_root_field_leaves_a_nullable_other_alone(plant: Plant) -> None:
    answer = plant.answer(
        '{ ok: twin(id: "P1") { id } bad: twin(id: "P1") { '
        '_relationships(name: "x") { totalCount } } }'
    )
    assert answer["data"] == {"ok": {"id": "P1"}, "bad": None}
    assert [error["path"] for error in answer["errors"]] == [["bad"]]
