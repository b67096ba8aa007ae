"""What lint finds in models that are valid, each by its code."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ontology.reference import interface
from twinfall.ontology import parse, read_dependencies
from twinfall.ontology.lint import Finding, lint

PUMP, TANK = "dtmi:example:Pump;1", "dtmi:example:Tank;1"


def _found(models: list[Any], declared: dict[str, Any] | None = None) -> dict[str, Finding]:
    """Findings by code; the last of each."""
    ontology = parse(models)
    sidecars = [] if declared is None else [{"version": 1, "interfaces": declared}]
    return {one.code: one for one in lint(ontology, read_dependencies(sidecars, ontology))}


def _to(name: str, target: str | None = None, **more: Any) -> dict[str, Any]:
    found = {"@type": "Relationship", "name": name, "displayName": name, **more}
    return found if target is None else {**found, "target": target}


def _tidy(name: str, *contents: dict[str, Any]) -> dict[str, Any]:
    return interface(name, contents=list(contents), displayName=name)


def test_nothing_is_said_of_a_model_without_oddities() -> None:
    declared = {
        PUMP: {"contents": {"feeds": {"mode": "network", "carrier": "water"}}},
        TANK: {"asset": {"source": ["water"]}},
    }

    assert _found([_tidy("Pump", _to("feeds", TANK)), _tidy("Tank")], declared) == {}


@pytest.mark.parametrize(
    ("target", "code", "cure"),
    [
        ("dtmi:example:tank;1", "targetCase", TANK),
        ("dtmi:example:Tonk;1", "danglingTarget", TANK),
        ("dtmi:other:Thing;1", "danglingTarget", ""),
    ],
)
def test_targets_that_nothing_fits(target: str, code: str, cure: str) -> None:
    found = _found([_tidy("Pump", _to("feeds", target)), _tidy("Tank")])

    assert found[code].element == f"{PUMP}/feeds"
    assert found[code].level == "warning"
    assert cure in found[code].cure


def test_two_models_of_one_last_segment_and_the_one_that_is_called_otherwise() -> None:
    other = {**_tidy("Pump"), "@id": "dtmi:example:water:Pump;1"}

    found = _found([_tidy("Pump"), other])

    assert "dtmi:example:water:Pump;1" in found["sameLocalName"].message
    assert found["qualifiedName"].element == "dtmi:example:water:Pump;1"


def test_one_name_with_two_meanings() -> None:
    def level(schema: str) -> dict[str, Any]:
        return {"@type": "Property", "name": "grade", "displayName": "grade", "schema": schema}

    found = _found([_tidy("Pump", level("double")), _tidy("Tank", level("string"))])

    assert "Property double" in found["sameNameOtherSchema"].message
    assert "Property string" in found["sameNameOtherSchema"].message


def test_what_people_would_read_and_numbers_without_a_unit() -> None:
    bare = {"@type": "Telemetry", "name": "outletTemperature", "schema": "double"}

    found = _found([interface("Pump", contents=[bare])])

    assert found["noDisplayName"].element == PUMP
    assert "outletTemperature" in found["contentsWithoutDisplayName"].message
    assert found["noUnit"].element == f"{PUMP}/outletTemperature"
    assert "quantitativeTypes" in found["noUnit"].cure


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ({TANK: {"asset": {"source": ["water"]}}}, "sourceOfNothing"),
        (
            {
                PUMP: {"contents": {"feeds": {"mode": "network", "carrier": "water"}}},
                TANK: {"asset": {"source": [{"carrier": "water", "autonomy": "PT1H"}]}},
            },
            "onlyStorages",
        ),
        ({PUMP: {"contents": {"single": {"dependent": "source", "rule": "any"}}}}, "voteOfOne"),
        (
            {PUMP: {"contents": {"single": {"dependent": "source", "priority": 2}}}},
            "standbyForNothing",
        ),
        (
            {PUMP: {"contents": {"single": {"dependent": "source", "probability": 0}}}},
            "neverCarries",
        ),
        ({PUMP: {"contents": {"lost": {"dependent": "source"}}}}, "declaredInVain"),
    ],
)
def test_declarations_that_can_make_nothing_fail(declared: dict[str, Any], code: str) -> None:
    pump = _tidy(
        "Pump",
        _to("feeds", TANK),
        _to("single", TANK, maxMultiplicity=1),
        _to("lost", "dtmi:other:Gone;1"),
    )

    assert code in _found([pump, _tidy("Tank")], declared)
