"""What the city must withstand, and what it does: the example file, on the demo's data."""

from __future__ import annotations

import time

import pytest

from tests.examples.conftest import REPOSITORY
from twinfall.analytics import AssetNetwork, Standing, topology_request
from twinfall.analytics.requirements import (
    GraphTwins,
    Report,
    Vocabulary,
    check,
    read_requirements,
)
from twinfall.graph.graph import Graph
from twinfall.ontology.errors import Refused

FILE = REPOSITORY / "examples" / "city" / "city.requirements.yaml"
NOW = 1_800_000_000 * 10**9


@pytest.fixture(scope="module")
def network(graph: Graph) -> AssetNetwork:
    request = topology_request(graph.ontology, graph.dependencies)
    return AssetNetwork.compile(graph.store.topology(request), graph.ontology, graph.dependencies)


def _report(graph: Graph, network: AssetNetwork) -> Report:
    requirements = read_requirements(FILE.read_bytes(), Vocabulary.of(graph.models))
    return check(requirements, network, NOW, GraphTwins(graph.fetch))


def _verdicts(report: Report) -> dict[str, tuple[str, int]]:
    return {one.requirement.name: (one.verdict, one.failing) for one in report.findings}


def test_some_hold_and_some_break(graph: Graph, network: AssetNetwork) -> None:
    report = _report(graph, network)

    assert _verdicts(report) == {
        "everything is up": ("held", 0),
        "everything that is declared could be followed": ("held", 0),
        "the fire brigade has water for five hours after any electrical failure": ("held", 0),
        "no single failure leaves more than half of the hydrants dry within four hours": (
            "held",
            0,
        ),
        "no transformer takes more than 500 customers along": ("broken", 2),
        "no line takes more than 400 customers along": ("held", 0),
        "transformers live for half an hour without their cooling": ("held", 0),
        "every pump has a second way to its power": ("broken", 8),
        "no load hangs on more than 40 assets": ("broken", 8),
        "the water holds without the tank": ("skipped", 0),
    }
    assert not report.holds


def test_witnesses_are_the_worst_and_agree_with_impact(graph: Graph, network: AssetNetwork) -> None:
    by_name = {one.requirement.name: one for one in _report(graph, network).findings}

    witnesses = by_name["no transformer takes more than 500 customers along"].witnesses
    assert [(w.id, w.value) for w in witnesses] == [("P_TF0", 1473), ("P_TF705", 686)]
    for witness in witnesses:
        assert witness.totals == network.impact([witness.id]).totals
    load = by_name["no load hangs on more than 40 assets"].witnesses[0]
    for (cause,), path in zip(load.failures, load.paths, strict=True):
        assert (path.ids[0], path.ids[-1]) == (cause, load.id)
        assert load.id in {row.id for row in network.impact([cause]).affected()}


def test_points_of_failure_are_those_whose_failure_takes_the_load_down(
    graph: Graph, network: AssetNetwork
) -> None:
    load = next(
        one
        for one in _report(graph, network).findings
        if one.requirement.name == "no load hangs on more than 40 assets"
    ).witnesses[0]

    one_by_one = sum(
        load.id in {row.id for row in network.impact([id_]).affected()}
        for id_ in network.ids
        if id_.startswith("P_") and id_ != load.id
    )

    assert load.value == one_by_one


def test_with_the_main_bus_down_nobody_withstands_anything_more(
    graph: Graph, network: AssetNetwork
) -> None:
    failed = Standing(1, failed=("P_B1000",), since={"P_B1000": NOW - 3600 * 10**9})

    verdicts = _verdicts(_report(graph, network.under(failed, NOW)))

    assert verdicts["everything is up"][0] == "broken"
    fire = "the fire brigade has water for five hours after any electrical failure"
    assert verdicts[fire] == ("broken", 52)  # they live on the tank, for four hours and a half


def test_a_check_that_has_its_time_ends_with_a_reason(graph: Graph, network: AssetNetwork) -> None:
    demand = {"name": "no three", "of": {"all": True}, "require": {"cutSets": {"order": 3}}}
    read = read_requirements({"version": 1, "requirements": [demand]}, Vocabulary.of(graph.models))

    began = time.monotonic()
    with pytest.raises(Refused) as refused:
        check(read, network, NOW, GraphTwins(graph.fetch), seconds=0.5)

    assert refused.value.code == "TOO_COSTLY"
    assert time.monotonic() - began < 20
