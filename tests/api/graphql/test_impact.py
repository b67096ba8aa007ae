"""What fails next, asked in GraphQL. The plant: B1 powers the motors of P1 and P2 (10 s), a motor
is needed by its pump, P1 feeds T1 and T2, P2 feeds T2, T1 feeds A1; all feeds are needed.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.graphql.plant import MODELS, Plant
from twinfall.api.graphql import roots
from twinfall.api.networks import LiveNetwork
from twinfall.graph.twins import TwinInput


def test_an_impact_lists_what_fails_when_and_why(plant: Plant) -> None:
    found = plant.ask(
        '{ impact(failed: ["B1"]) { snapshot totals { assets customers value services '
        "{ name count } } waves { wave at count } affected { totalCount nodes { twin { __typename "
        "id _name } wave at to group votes cause { id _name } failureDomain path { id } } } } }"
    )["impact"]
    assert found["snapshot"]
    assert found["totals"]["assets"] == 7
    assert found["totals"]["customers"] == 20.0
    assert found["totals"]["services"] == [{"name": "water", "count": 2}]
    assert sum(wave["count"] for wave in found["waves"]) == 7
    assert {wave["at"] for wave in found["waves"]} == {"PT10S"}
    nodes = {node["twin"]["id"]: node for node in found["affected"]["nodes"]}
    assert set(nodes) == {"P1/motor", "P2/motor", "P1", "P2", "T1", "T2", "A1"}
    assert found["affected"]["totalCount"] == 7
    assert nodes["P1"]["twin"] == {"__typename": "Pump", "id": "P1", "_name": "First pump"}
    assert nodes["P1"]["to"] == "failed"
    assert nodes["P1"]["group"] == "motor"
    assert nodes["P1"]["cause"]["id"] == "P1/motor"
    assert nodes["T1"]["cause"] == {"id": "P1", "_name": "First pump"}
    assert {node["failureDomain"] for node in nodes.values()} == {None}
    assert [twin["id"] for twin in nodes["A1"]["path"]] == ["B1", "P1/motor", "P1", "T1", "A1"]


def test_a_failure_domain_that_is_no_twin_is_named_as_the_cause() -> None:
    in_trench = {"dependent": "target", "rule": "all", "failureDomain": "domain:trench"}
    contents = {"dtmi:plant:Asset;1": {"contents": {"feeds": in_trench}}}
    query = (
        "query($failed: [ID!]!) { impact(failed: $failed) { affected { nodes "
        "{ twin { id } cause { id } failureDomain path { id } } } } }"
    )
    with contextlib.closing(Plant([])) as plant:
        plant.graph.load_models(MODELS, [{"version": 1, "interfaces": contents}])
        plant.fill()
        lost = plant.ask(query, failed=["domain:trench"])["impact"]["affected"]["nodes"]
        fallen = plant.ask(query, failed=["T1"])["impact"]["affected"]["nodes"]

    cut = {node["twin"]["id"]: node for node in lost}
    assert set(cut) == {"T1", "T2", "A1"}
    assert cut["T1"]["cause"] is None
    assert cut["T1"]["failureDomain"] == "domain:trench"
    assert [node["twin"]["id"] for node in fallen] == ["A1"]
    assert fallen[0]["cause"] == {"id": "T1"}
    assert fallen[0]["failureDomain"] is None


def test_a_horizon_ends_the_cascade(plant: Plant) -> None:
    query = 'query($h: Duration) { impact(failed: ["B1"], horizon: $h) { totals { assets } } }'
    assert plant.ask(query, h="PT9S")["impact"]["totals"]["assets"] == 0
    assert plant.ask(query, h="PT11S")["impact"]["totals"]["assets"] == 7
    assert plant.ask(query, h=None)["impact"]["totals"]["assets"] == 7
    for wrong, code in (("P1M", "BAD_QUERY"), ("soon", "BAD_QUERY")):
        assert plant.refusal(query, h=wrong)["code"] == code


def test_an_impact_is_one_fetch_for_all_its_twins(plant: Plant) -> None:
    query = (
        '{ impact(failed: ["B1"]) { affected { nodes { twin { id ... on Pump { ratedFlow feeds '
        "{ totalCount } } } cause { id } path { id _state } } } nearMisses { twin { id } } "
        "baselineDown { id } } }"
    )
    plant.ask(query)
    plant.store.calls.clear()
    found = plant.ask(query)["impact"]["affected"]["nodes"]
    assert plant.store.calls["fetch"] == 1
    assert plant.store.calls["topology"] == 0
    by_id = {node["twin"]["id"]: node for node in found}
    assert by_id["P1"]["twin"]["ratedFlow"] == 3.5
    assert by_id["P1"]["twin"]["feeds"] == {"totalCount": 2}
    assert by_id["P1"]["path"][0] == {"id": "B1", "_state": "ok"}
    plant.store.calls.clear()
    plant.ask('{ impact(failed: ["B1"]) { totals { assets } waves { count } } }')
    assert plant.store.calls["fetch"] == 0


def test_the_impact_of_each_twin_of_a_page_adds_one_fetch_together(plant: Plant) -> None:
    query = (
        "{ Pump { nodes { id _impact { totals { assets } affected { nodes { twin { id } } } } } } }"
    )
    plant.store.calls.clear()
    nodes = plant.ask(query)["Pump"]["nodes"]
    assert plant.store.calls["fetch"] == 2
    affected = {
        node["id"]: [one["twin"]["id"] for one in node["_impact"]["affected"]["nodes"]]
        for node in nodes
    }
    assert affected == {"P1": ["A1", "T1", "T2"], "P2": ["T2"], "P3": []}
    assert nodes[0]["_impact"]["totals"] == {"assets": 3}


def test_the_affected_come_in_pages(plant: Plant) -> None:
    query = (
        'query($a: String, $n: Int) { impact(failed: ["B1"]) { affected(first: $n, after: $a) '
        "{ totalCount nodes { twin { id } } edges { cursor node { wave } } "
        "pageInfo { hasNextPage endCursor } } } }"
    )
    whole = plant.ask(query, n=100)["impact"]["affected"]
    seen, after = [], None
    while True:
        page = plant.ask(query, n=3, a=after)["impact"]["affected"]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        assert page["edges"][-1]["cursor"] == after
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == whole["nodes"]
    for forged in ("x", "AAAA", "W10", "WyJhZmZlY3RlZCIsLTFd", "WyJhZmZlY3RlZCIsInkiXQ"):
        assert plant.refusal(query, n=3, a=forged)["code"] == "BAD_QUERY"


def test_an_unknown_twin_is_named_with_those_like_it(plant: Plant) -> None:
    error = plant.refusal('{ impact(failed: ["P1", "P2/motr"]) { snapshot } }')
    assert error["code"] == "UNKNOWN_TWIN"
    assert "P2/motr" in error["message"]
    assert "P2/motor" in error["cure"]


def test_an_impact_inside_an_impact_is_refused(plant: Plant) -> None:
    query = '{ impact(failed: ["B1"]) { affected { nodes { twin { _impact { snapshot } } } } } }'
    assert plant.refusal(query)["code"] == "TOO_COSTLY"


def test_too_many_failures_at_once_are_refused(plant: Plant) -> None:
    query = "query($f: [ID!]!) { impact(failed: $f) { snapshot } }"
    assert plant.refusal(query, f=[f"X{n}" for n in range(1001)])["code"] == "TOO_COSTLY"


DOWN = {
    "version": 1,
    "interfaces": {
        "dtmi:plant:Note;1": {"asset": {"source": ["power"]}},
        "dtmi:plant:Motor;1": {"contents": {"poweredBy": {"mode": "network", "carrier": "power"}}},
        "dtmi:plant:Pump;1": {"contents": {"motor": {"dependent": "source"}}},
    },
}


@pytest.fixture
def unfed(fresh: Plant) -> Plant:
    """A plant whose bus, and so its two connected motors, reach no source of power."""
    fresh.graph.load_models([], [DOWN])
    fresh.fill()
    return fresh


def states(plant: Plant) -> dict[str, str]:
    nodes = plant.ask("{ twins(components: true) { nodes { id _state } } }")["twins"]["nodes"]
    return {node["id"]: node["_state"] for node in nodes}


def test_states_are_fields_and_filters(plant: Plant) -> None:
    assert set(states(plant).values()) == {"ok"}
    found = plant.ask(
        "{ a: Pump(where: {_state: {eq: ok}}) { totalCount } "
        "b: Pump(where: {_state: {in: [failed, degraded]}}) { totalCount } "
        "c: Asset(where: {_not: {_state: {eq: ok}}}) { totalCount } }"
    )
    assert found == {"a": {"totalCount": 3}, "b": {"totalCount": 0}, "c": {"totalCount": 0}}


def test_a_filter_on_state_is_no_further_store_call(plant: Plant) -> None:
    states(plant)
    plant.store.calls.clear()
    plant.ask("{ Pump(where: {_state: {eq: ok}}) { totalCount nodes { id _state } } }")
    assert plant.store.calls["fetch"] == 1
    assert set(plant.store.calls) <= {"fetch", "cursor"}


def test_what_is_down_before_any_failure_is_said_and_can_be_filtered(unfed: Plant) -> None:
    found = unfed.ask(
        '{ impact(failed: ["N1"]) { totals { assets } baselineDown { id } } '
        "Pump(where: {_state: {eq: failed}}) { nodes { id _state motor { _state } } } "
        "up: Pump(where: {_state: {eq: ok}}) { nodes { id } } }"
    )
    assert found["impact"]["totals"]["assets"] == 0
    assert [twin["id"] for twin in found["impact"]["baselineDown"]] == [
        "B1",
        "P1",
        "P1/motor",
        "P2",
        "P2/motor",
    ]
    failed = {"_state": "failed", "motor": {"_state": "failed"}}
    assert found["Pump"]["nodes"] == [{"id": "P1", **failed}, {"id": "P2", **failed}]
    assert [twin["id"] for twin in found["up"]["nodes"]] == ["P3"]


def test_more_twins_in_a_state_than_the_bound_are_refused(
    unfed: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "{ twins(where: {_state: {eq: ok}}, components: true) { totalCount } }"
    monkeypatch.setattr(roots, "MAX_IN_STATE", 5)  # as many as are not ok
    assert unfed.ask(query) == {"twins": {"totalCount": 6}}
    monkeypatch.setattr(roots, "MAX_IN_STATE", 4)
    assert unfed.refusal(query)["code"] == "TOO_COSTLY"


def test_the_arrays_follow_the_graph(fresh: Plant) -> None:
    networks = LiveNetwork(fresh.graph)
    before = networks.current()
    assert networks.current() is before
    fresh.graph.write_twins([TwinInput("P9", "Pump")])
    after = networks.current()
    assert after is not before
    assert "P9" in after.ids
    fresh.graph.load_models([], [DOWN])
    assert networks.current() is not after


def test_many_askers_share_one_compilation(fresh: Plant) -> None:
    fresh.fill()
    networks = LiveNetwork(fresh.graph)
    fresh.store.calls.clear()
    start = threading.Barrier(8)

    def ask() -> object:
        start.wait()
        return networks.current()

    with ThreadPoolExecutor(8) as pool:
        found = {id(asked.result()) for asked in [pool.submit(ask) for _ in range(8)]}
    assert len(found) == 1
    assert fresh.store.calls["topology"] == 1
