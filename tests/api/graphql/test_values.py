"""Values in and out: 64-bit integers, times, enumerations, lists, structures."""

from __future__ import annotations

import pytest

from tests.api.graphql.plant import Plant

ALL = """
  serial pulses installed bought warranty critical color tags levels truth position status
"""


def test_values_come_out_as_their_types_promise(plant: Plant) -> None:
    found = plant.ask(f'{{ Pump(where: {{id: {{eq: "P1"}}}}) {{ nodes {{ {ALL} }} }} }}')
    assert found["Pump"]["nodes"] == [
        {
            "serial": 9_007_199_254_740_993,
            "pulses": 7,
            "installed": "2020-01-01T00:00:00Z",
            "bought": "2019-12-24",
            "warranty": "P2Y",
            "critical": True,
            "color": "red",
            "tags": ["a", "b"],
            "levels": ["high", "low"],
            "truth": "yes",
            "position": {"x": 1.0, "y": 2.0},
            "status": "running",
        }
    ]


def test_missing_values_are_null(plant: Plant) -> None:
    found = plant.ask(f'{{ Pump(where: {{id: {{eq: "P3"}}}}) {{ nodes {{ {ALL} }} }} }}')
    assert set(found["Pump"]["nodes"][0].values()) == {None}


def test_values_keep_the_wire_form_of_the_ontology(plant: Plant) -> None:
    values = plant.ask('{ twin(id: "P1") { _values } }')["twin"]["_values"]
    assert values["status"] == 1
    assert values["color"] == "R"
    assert values["id"] == "plate 1"
    assert values["motor"] == {"power": 5.0, "status": "good"}


def test_an_enumeration_whose_names_graphql_cannot_hold_is_text(plant: Plant) -> None:
    found = plant.ask('{ __type(name: "Pump") { fields { name type { name } } } }')
    types = {field["name"]: field["type"]["name"] for field in found["__type"]["fields"]}
    assert types["truth"] == "String"
    assert types["color"] == "PumpColor"
    assert types["serial"] == "Long"


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1, 0])
def test_every_64_bit_integer_survives(fresh: Plant, number: int) -> None:
    write = (
        'mutation($v: JSON) { writeTwins(twins: [{id: "P", model: "Pump", '
        "values: $v}]) { written } }"
    )
    fresh.ask(write, v={"serial": number})
    query = "query($n: Long) { Pump(where: {serial: {eq: $n}}) { nodes { serial } } }"
    assert fresh.ask(query, n=number) == {"Pump": {"nodes": [{"serial": number}]}}
