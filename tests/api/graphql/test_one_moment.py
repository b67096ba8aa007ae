"""All that one request asks is answered from one moment of the plant."""

from __future__ import annotations

import pytest

from tests.api.graphql.plant import Plant
from twinfall.analytics import AssetNetwork
from twinfall.api.graphql.service import GraphQLService
from twinfall.api.networks import LiveNetwork
from twinfall.graph.twins import TwinInput

ROOTS = """
  criticality { snapshot totalCount }
  spof(of: "P1") { snapshot }
  impact(failed: ["P1"]) { snapshot }
  whatIf(scenario: {fail: ["P1"]}) { impact { snapshot } }
  rootCause(alarms: [{id: "P1"}]) { snapshot }
"""


class WrittenMeanwhile:
    """Arrays of a graph into which somebody else writes whenever they were taken."""

    def __init__(self, plant: Plant) -> None:
        self.plant, self.written = plant, 0
        self.live = LiveNetwork(plant.graph)

    def current(self) -> AssetNetwork:
        found = self.live.current()
        self.written += 1
        self.plant.graph.write_twins([TwinInput(f"N{self.written}", "Pump")])
        return found


@pytest.fixture
def written(fresh: Plant) -> Plant:
    """A plant that is written to meanwhile."""
    fresh.fill()
    fresh.service = GraphQLService(fresh.graph, WrittenMeanwhile(fresh))
    return fresh


def test_root_fields_of_a_query_are_of_one_moment(written: Plant) -> None:
    first, second = (written.ask(f"{{ {ROOTS} }}") for _ in range(2))

    assert len(_snapshots(first)) == len(_snapshots(second)) == 1
    assert _snapshots(first) != _snapshots(second)
    counts = [answer["criticality"]["totalCount"] for answer in (first, second)]
    assert counts[1] == counts[0] + 1


def test_a_question_sees_what_was_written_before_it(fresh: Plant) -> None:
    fresh.fill()
    fresh.ask(f"{{ {ROOTS} }}")

    fresh.ask('mutation { writeTwins(twins: [{id: "P77", model: "Pump"}]) { written } }')

    assert fresh.ask('{ impact(failed: ["P77"]) { totals { assets } } }')["impact"] is not None


def test_a_mutation_sees_what_the_one_before_it_wrote(fresh: Plant) -> None:
    fresh.fill()

    answer = fresh.ask(
        """mutation {
          before: showImpact(failed: ["P1"]) { shown }
          write: writeTwins(twins: [{id: "P77", model: "Pump"}]) { written }
          after: showImpact(failed: ["P77"]) { shown }
        }"""
    )

    assert answer["write"] == {"written": 1}
    assert answer["after"] is not None  # there is a P77


def _snapshots(answer: dict[str, dict[str, str]]) -> set[str]:
    whole = [answer[name]["snapshot"] for name in ("criticality", "spof", "impact", "rootCause")]
    return {*whole, answer["whatIf"]["impact"]["snapshot"]}  # type: ignore[index]
