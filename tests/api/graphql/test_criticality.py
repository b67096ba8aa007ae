"""What matters most and what takes an asset down, in GraphQL. The plant: B1 powers the motors
of P1 and P2, a motor is needed by its pump, P1 feeds T1 and T2, P2 feeds T2, T1 feeds A1.
"""

from __future__ import annotations

from tests.api.graphql.plant import Plant

RANK = """query($by: CriticalityOrder, $model: String, $first: Int, $after: String) {
  criticality(by: $by, model: $model, first: $first, after: $after) {
    snapshot totalCount nodes { rank id assets customers } pageInfo { hasNextPage endCursor } } }"""
CUTS = """query($of: ID!, $order: Int) {
  spof(of: $of, maxOrder: $order) { complete totalCount sets { order members path } } }"""


def test_single_failures_are_ranked_and_paged(plant: Plant) -> None:
    first = plant.ask(RANK, by="assets", first=2)["criticality"]
    after = first["pageInfo"]["endCursor"]
    second = plant.ask(RANK, by="assets", first=2, after=after)["criticality"]

    assert (first["nodes"][0]["id"], first["nodes"][0]["assets"]) == ("B1", 7)
    assert first["pageInfo"]["hasNextPage"]
    ids = [node["id"] for node in first["nodes"] + second["nodes"]]
    assert len(set(ids)) == 4


def test_a_ranking_may_be_of_one_model(plant: Plant) -> None:
    found = plant.ask(RANK, by="assets", model="Pump")["criticality"]

    assert {node["id"] for node in found["nodes"]} <= {"P1", "P2", "P3"}
    assert plant.refusal(RANK, by="assets", model="Pimp")["code"] == "UNKNOWN_NAME"
    assert plant.refusal(RANK, by="assets", after="x")["code"] == "BAD_QUERY"


def test_single_points_of_failure_come_with_the_way_they_take(plant: Plant) -> None:
    found = plant.ask(CUTS, of="A1")["spof"]

    assert found["complete"]
    sets = {tuple(cut["members"]): cut["path"] for cut in found["sets"]}
    assert sets["B1",] == ["B1", "P1/motor", "P1", "T1", "A1"]
    assert set(sets) == {("B1",), ("P1/motor",), ("P1",), ("T1",)}


def test_sets_come_in_pages(plant: Plant) -> None:
    ask = """query($first: Int, $after: String) { spof(of: "A1", first: $first, after: $after) {
      totalCount sets { members } pageInfo { hasNextPage endCursor } } }"""
    whole = plant.ask(ask, first=100)["spof"]
    first = plant.ask(ask, first=3)["spof"]
    last = plant.ask(ask, first=3, after=first["pageInfo"]["endCursor"])["spof"]
    beyond = plant.ask(ask, first=3, after="9")["spof"]

    assert first["sets"] + last["sets"] == whole["sets"]
    assert [one["pageInfo"]["hasNextPage"] for one in (first, last, whole)] == [True, False, False]
    assert beyond["sets"] == []


def test_a_page_of_a_wrong_size_is_told_what_to_ask_for(plant: Plant) -> None:
    many, few = (plant.refusal(RANK, by="assets", first=first) for first in (501, -1))
    near = '{ impact(failed: ["P1"]) { nearMisses(first: 501) { group } } }'

    assert (many["path"], many["cure"]) == ("first", "take the next page with `after`")
    assert few["cure"] == plant.refusal(near)["cure"] == "ask for 1 to 500"


def test_an_order_or_asset_there_is_not_is_refused(plant: Plant) -> None:
    assert plant.refusal(CUTS, of="A1", order=4)["code"] == "BAD_INPUT"
    assert plant.refusal(CUTS, of="A9")["code"] == "UNKNOWN_TWIN"


def test_partners_are_asked_for(plant: Plant) -> None:
    found = plant.ask('{ criticalWith(id: "P1") { count ids } }')["criticalWith"]

    assert found["count"] == len(found["ids"])
