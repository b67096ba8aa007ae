"""What a scenario says in vain is told with the answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analytics.plant import DOCUMENTS
from tests.analytics.whatif.plants import NEEDS, Plant
from twinfall.analytics import AssetNetwork, Standing

FAR = "POLYGON ((100 -1, 101 -1, 101 1, 100 1, 100 -1))"
BAND = "POLYGON ((0.5 -1, 1.5 -1, 1.5 1, 0.5 1, 0.5 -1))"


@pytest.fixture(scope="module")
def plant() -> Plant:
    """H needs A; A stands at 1, B at 2, H nowhere."""
    return Plant({"A": {"worth": 1.0}, "B": {"worth": 2.0}, "H": {}}, [("H", "needs", "A")])


@pytest.fixture(scope="module")
def failed(plant: Plant) -> AssetNetwork:
    """A has failed, and H is down with it."""
    return plant.assets.under(Standing(1, failed=("A",), since={"A": 0}), 10)


def _told(plant: Plant, scenario: Any, **more: Any) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in plant.what_if(scenario, **more).warnings]


def test_what_fits_and_acts_is_not_warned_of(plant: Plant) -> None:
    added = {"source": "H", "name": "needs", "target": "B"}

    assert _told(plant, {"fail": ["A"], "add": [added], "set": {"H": {"people": 3}}}) == []


def test_a_polygon_that_hits_nobody_is_told_with_both_extents(plant: Plant) -> None:
    found = plant.what_if({"hazard": {"polygon": FAR, "intensity": 1}})

    lost, missed = found.warnings
    assert lost.message == "1 of 3 twins have no location, and cannot be hit"
    assert missed.code == "nobodyHit"
    assert missed.message == (
        "no asset lies in the polygon, which spans x 100 to 101, y -1 to 1; the 2 twins with a "
        "location span x 1 to 2, y 0 to 0"
    )


def test_degrees_over_a_plane_of_metres_are_guessed() -> None:
    plant = Plant({"A": {"worth": 4000.0}}, [])

    [found] = plant.what_if({"hazard": {"polygon": FAR, "intensity": 1}}).warnings

    assert found.cure.startswith("the polygon seems to be in degrees, the assets stand on a plane")


@pytest.mark.parametrize(
    "polygon",
    [
        f"SRID=3067;{BAND}",
        {
            "type": "Polygon",
            "coordinates": [[[0.5, -1], [1.5, -1], [1.5, 1], [0.5, 1]]],
            "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3067"}},
        },
    ],
)
def test_a_polygon_in_other_coordinates_is_told(plant: Plant, polygon: Any) -> None:
    found = plant.what_if({"hazard": {"polygon": polygon, "intensity": 1}}).warnings

    assert [one.code for one in found] == ["noLocation", "otherCrs"]
    assert "3067, the assets are in a local plane" in found[1].message


def test_one_coordinate_system_under_two_names_is_one() -> None:
    unit = {**NEEDS["Unit"], "location": None}
    where = {"x": {"from": "worth"}, "y": 0, "crs": "EPSG:3067"}
    declared = {"Unit": {**unit, "asset": {**NEEDS["Unit"]["asset"], "location": where}}}
    declared["Unit"].pop("location")
    plant = Plant({"A": {"worth": 1.0}}, [], declared)
    hazard = {"polygon": BAND, "intensity": 1, "crs": "urn:ogc:def:crs:EPSG::3067"}

    assert _told(plant, {"hazard": hazard}) == []
    assert _told(plant, {"hazard": {**hazard, "crs": "EPSG:4326"}}) == [
        ("otherCrs", "/hazard/polygon")
    ]


def test_repairing_what_is_in_order_is_told(plant: Plant, failed: AssetNetwork) -> None:
    assert _told(plant, {"repair": ["A", "B"]}, assets=failed) == [("inOrder", "/repair/1")]


def test_repairing_what_is_down_for_want_of_something_else_says_so(
    plant: Plant, failed: AssetNetwork
) -> None:
    [found] = plant.what_if({"repair": ["H"]}, assets=failed).warnings

    assert found.cure == "it is down for want of something else: repair that"


def test_failing_what_is_down_already_is_told(plant: Plant, failed: AssetNetwork) -> None:
    found = plant.what_if({"fail": ["A", "H"]}, assets=failed).warnings

    assert [one.message for one in found] == [
        "A is down by itself already",
        "H is down already for want of something else",
    ]


@pytest.mark.parametrize("member", ["add", "remove", "change"])
def test_a_relationship_that_carries_no_failure_is_told(plant: Plant, member: str) -> None:
    scenario = {member: [{"source": "H", "name": "near", "target": "A"}]}

    assert _told(plant, scenario) == [("carriesNothing", f"/{member}/0")]


def test_adding_what_is_there_is_told(plant: Plant) -> None:
    scenario = {"add": [{"source": "H", "name": "needs", "target": "A"}]}

    assert _told(plant, scenario) == [("alreadyThere", "/add/0")]


def test_values_that_no_declaration_reads_are_told(plant: Plant) -> None:
    changed = {"source": "H", "name": "needs", "target": "A", "properties": {"share": 0.5}}

    found = plant.what_if({"set": {"A": {"quorum": 3}}, "change": [changed]}).warnings

    assert [(one.code, one.path) for one in found] == [
        ("notRead", "/change/0/properties/share"),
        ("notRead", "/set/A/quorum"),
    ]
    assert found[1].cure == "declare it as {from: quorum, default: V} to have it read"


def test_a_reading_that_a_switch_follows_can_be_set() -> None:
    documents = [
        {
            **DOCUMENTS[0],
            "contents": [
                *DOCUMENTS[0]["contents"],
                {"@type": "Telemetry", "name": "shut", "schema": "boolean"},
            ],
        },
        *DOCUMENTS[1:],
    ]
    declared = {
        "Unit": {
            "asset": {"conducts": {"from": "shut", "default": True}},
            "contents": {"joins": {"mode": "network", "carrier": "water"}},
        },
        "Machine": {"asset": {"source": ["water"]}},
    }
    twins = {"A": {"model": "Machine"}, "B": {}, "C": {}}
    plant = Plant(twins, [("B", "joins", "A"), ("C", "joins", "B")], declared, documents)

    found = plant.what_if({"set": {"B": {"shut": False}}})

    assert found.newly_down == ("C",)
    assert found.warnings == ()


def test_of_very_many_warnings_the_rest_is_counted(plant: Plant) -> None:
    near = {"source": "H", "name": "near", "target": "A"}

    found = plant.what_if({"add": [near] * 250}).warnings

    assert len(found) == 101
    assert found[-1].message == "and 150 more warnings"
