"""What `where` and `sort` ask."""

from __future__ import annotations

import pytest

from tests.api.graphql.plant import Plant


def ids(plant: Plant, arguments: str, root: str = "Pump") -> list[str]:
    found = plant.ask(f"{{ {root}({arguments}) {{ nodes {{ id }} }} }}")
    return [node["id"] for node in found[root]["nodes"]]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("{ratedFlow: {gt: 1.25}}", ["P1"]),
        ("{ratedFlow: {gte: 1.25, lt: 3.5}}", ["P2"]),
        ("{ratedFlow: {in: [1.25, 3.5]}}", ["P1", "P2"]),
        ("{ratedFlow: {null: true}}", ["P3"]),
        ("{ratedFlow: {null: false}}", ["P1", "P2"]),
        ("{serial: {eq: 9007199254740993}}", ["P1"]),
        ("{serial: {lt: 9007199254740993}}", ["P2"]),
        ('{name: {contains: "pump"}}', ["P1", "P2"]),
        ('{name: {startsWith: "First"}}', ["P1"]),
        ('{name: {endsWith: "ond pump"}}', ["P2"]),
        ('{name: {contains: "PUMP"}}', []),
        ("{status: {eq: stopped}}", ["P2"]),
        ("{status: {in: [stopped, running]}}", ["P1", "P2"]),
        ("{color: {eq: red}}", ["P1"]),
        ("{critical: {eq: true}}", ["P1"]),
        ('{installed: {eq: "2020-01-01T00:00:00Z"}}', ["P1"]),
        ('{installed: {lte: "2020-01-01T02:00:00+02:00"}}', ["P1"]),
        ('{bought: {lt: "2020-01-01"}}', ["P1"]),
        ('{warranty: {eq: "P2Y"}}', ["P1"]),
        ("{tags: {null: false}}", ["P1"]),
        ("{position: {null: true}}", ["P2", "P3"]),
        ("{motor: {power: {gt: 4}}}", ["P1", "P3"]),
        ("{motor: {poweredBy: {some: {voltage: {eq: 20}}}}}", ["P1", "P2"]),
        ('{feeds: {some: {name: {eq: "Deep tank"}}}}', ["P1", "P2"]),
        ("{feeds: {none: {}}}", ["P3"]),
        ('{feeds: {all: {name: {eq: "Deep tank"}}}}', ["P2", "P3"]),
        ('{feeds: {some: {}, none: {name: {eq: "Tank"}}}}', ["P2"]),
        ('{id: {in: ["P1", "P3", "T1"]}}', ["P1", "P3"]),
        ('{id: {startsWith: "P"}}', ["P1", "P2", "P3"]),
        ('{_name: {eq: "First pump"}}', ["P1"]),
        ("{_version: {gt: 1}}", []),
        ('{_or: [{id: {eq: "P1"}}, {id: {eq: "P2"}}], _not: {name: {startsWith: "F"}}}', ["P2"]),
        ("{_not: {ratedFlow: {gt: 2}}}", ["P2", "P3"]),
        ("{_and: [{ratedFlow: {gt: 1}}, {ratedFlow: {lt: 2}}]}", ["P2"]),
        ("{_or: []}", []),
        ("{}", ["P1", "P2", "P3"]),
        ('{model: {eq: "Pump"}}', ["P1", "P2", "P3"]),
        ('{type: {eq: "centrifugal"}, class: {eq: "A"}, model_: {eq: "KSB"}}', ["P1"]),
    ],
)
def test_where_finds(plant: Plant, where: str, expected: list[str]) -> None:
    assert ids(plant, f"where: {where}") == expected


def test_incoming_relationships_can_be_asked_about(plant: Plant) -> None:
    assert ids(plant, "where: {_in: {feeds: {none: {}}}}", "Tank") == []
    assert ids(plant, 'where: {_in: {feeds: {some: {id: {eq: "P2"}}}}}', "Tank") == ["T2"]
    assert ids(plant, "where: {_in: {feeds: {some: {_in: {feeds: {some: {}}}}}}}", "Asset") == [
        "A1"
    ]


def test_models_are_named_short_or_in_full_and_with_all_that_extend_them(plant: Plant) -> None:
    assert ids(plant, 'where: {model: {is: "Tank"}}', "twins") == ["T1", "T2"]
    assert ids(plant, 'where: {model: {eq: "dtmi:plant:Tank;1"}}', "twins") == ["T1"]
    assert ids(plant, 'where: {model: {in: ["Bus", "Note"]}}', "twins") == ["B1", "N1"]


def test_a_page_of_relationships_is_filtered_by_twin_and_by_relationship(plant: Plant) -> None:
    found = plant.ask(
        '{ twin(id: "P1") { ... on Pump { '
        'a: feeds(where: {name: {eq: "Tank"}}) { totalCount nodes { id } } '
        "b: feeds(edge: {share: {lt: 0.3}}) { totalCount nodes { id } } "
        'c: feeds(edge: {since: {null: true}, _not: {share: {gt: 1}}}, where: {id: {eq: "T1"}}) '
        "{ totalCount } } } }"
    )["twin"]
    assert found["a"] == {"totalCount": 1, "nodes": [{"id": "T1"}]}
    assert found["b"] == {"totalCount": 1, "nodes": [{"id": "T2"}]}
    assert found["c"] == {"totalCount": 0}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("[{ratedFlow: ASC}]", ["P2", "P1", "P3"]),
        ("[{ratedFlow: DESC}]", ["P3", "P1", "P2"]),
        ("[{id: DESC}]", ["P3", "P2", "P1"]),
        ("[{_version: ASC}, {name: DESC}]", ["P3", "P2", "P1"]),
        ("[{status: ASC}]", ["P2", "P1", "P3"]),
        ("[]", ["P1", "P2", "P3"]),
    ],
)
def test_sort_orders_by_one_field_after_the_other(
    plant: Plant, sort: str, expected: list[str]
) -> None:
    assert ids(plant, f"sort: {sort}") == expected


def test_variables_carry_filters(plant: Plant) -> None:
    query = "query($w: PumpWhere, $s: [PumpSort!]) { Pump(where: $w, sort: $s) { nodes { id } } }"
    found = plant.ask(query, w={"status": {"in": ["running", "stopped"]}}, s=[{"name": "DESC"}])
    assert [node["id"] for node in found["Pump"]["nodes"]] == ["P2", "P1"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("where: {name: null}", "BAD_QUERY", "null"),
        ("where: {name: {eq: null}}", "BAD_QUERY", "null"),
        ("where: {feeds: {some: null}}", "BAD_QUERY", "null"),
        ("sort: [{id: ASC, name: ASC}]", "BAD_QUERY", "exactly one"),
        ("sort: [{}]", "BAD_QUERY", "exactly one"),
        ('where: {model: {eq: "Pmp"}}', "UNKNOWN_NAME", "Pmp"),
        ('where: {ratedFlow: {eq: "x"}}', "BAD_QUERY", "Float"),
        ('where: {installed: {eq: "yesterday"}}', "BAD_QUERY", "RFC 3339"),
        ("where: {status: {eq: 1}}", "BAD_QUERY", "AssetStatus"),
        ('where: {nmae: {eq: "x"}}', "BAD_QUERY", "nmae"),
        ("where: {serial: {eq: 1.5}}", "BAD_QUERY", "whole number"),
        ("where: {serial: {eq: 99999999999999999999}}", "BAD_QUERY", "64 bits"),
        ("first: 0", "BAD_QUERY", "1 to 500"),
        ("first: 501", "BAD_QUERY", "1 to 500"),
        ("first: null", "BAD_QUERY", "1 to 500"),
        ('after: "nonsense"', "BAD_QUERY", "cursor"),
    ],
)
def test_a_wrong_argument_is_refused_with_its_reason(
    plant: Plant, arguments: str, code: str, words: str
) -> None:
    error = plant.refusal(f"{{ Pump({arguments}) {{ nodes {{ id }} }} }}")
    assert error["code"] == code
    assert words in error["message"] + str(error["cure"])


def test_conditions_are_bounded(plant: Plant) -> None:
    many = [{"id": {"startsWith": str(n)}} for n in range(501)]
    query = "query($w: PumpWhere) { Pump(where: $w) { nodes { id } } }"
    assert plant.refusal(query, w={"_or": many})["code"] == "TOO_COSTLY"
    deep: dict[str, object] = {"id": {"eq": "P1"}}
    for _ in range(20):
        deep = {"_not": deep}
    assert plant.refusal(query, w=deep)["code"] == "TOO_COSTLY"
    ids_ = [str(n) for n in range(10_001)]
    assert plant.refusal(query, w={"id": {"in": ids_}})["code"] == "TOO_COSTLY"


@pytest.mark.parametrize(
    "text",
    [
        "' OR 1=1 --",
        '"; DROP TABLE twins; --',
        "`) DETACH DELETE n //",
        "\\u0000",
        "${jndi:ldap://x}",
        "%' OR '%'='",
    ],
)
def test_text_from_outside_is_only_ever_compared(plant: Plant, text: str) -> None:
    query = (
        "query($t: String!, $i: ID!) { a: Pump(where: {name: {eq: $t}}) { totalCount } "
        "b: Pump(where: {name: {contains: $t}}) { totalCount } "
        "c: Pump(where: {id: {eq: $i}}) { totalCount } d: twin(id: $i) { id } }"
    )
    found = plant.ask(query, t=text, i=text)
    assert found == {**{key: {"totalCount": 0} for key in "abc"}, "d": None}
    assert plant.ask("{ twins { totalCount } }") == {"twins": {"totalCount": 8}}
    refused = plant.refusal(
        'query($n: String) { twin(id: "P1") { _relationships(name: $n) { totalCount } } }', n=text
    )
    assert refused["code"] == "UNKNOWN_NAME"
