"""What the city answers: the queries that a newcomer is given, and what they say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.examples.conftest import REPOSITORY
from twinfall.api.access import LOCAL
from twinfall.api.demo import city_queries
from twinfall.api.graphql import GraphQLService
from twinfall.graph.graph import Graph

ANY_GRAPH = sorted((REPOSITORY / "api" / "graphiql" / "src" / "queries").glob("*.graphql"))


@pytest.fixture(scope="module")
def service(graph: Graph) -> GraphQLService:
    return GraphQLService(graph)


def _ask(
    service: GraphQLService, query: str, variables: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The data; an answer with any error fails the test."""
    answer = asyncio.run(service.execute(query, variables, None, LOCAL, "test"))
    body = json.loads(answer.body)
    assert "errors" not in body, body
    data: dict[str, Any] = body["data"]
    return data


def test_the_first_query_shows_each_pump_between_its_motor_and_its_water(
    service: GraphQLService,
) -> None:
    pumps = _ask(service, city_queries()[0][1])["Pump"]
    assert pumps["totalCount"] == len(pumps["nodes"]) == 8
    for pump in pumps["nodes"]:
        assert pump["impeller"]["shutOffHead"] > 0
        assert pump["drivenBy"]["nodes"][0]["id"].startswith("P_MP")
        assert pump["feeds"]["nodes"]
        assert pump["_in"]["feeds"]["nodes"]


def test_the_second_query_lists_the_largest_loads_first(service: GraphQLService) -> None:
    loads = _ask(service, city_queries()[1][1])["Load"]
    powers = [load["activePower"] for load in loads["nodes"]]
    assert loads["totalCount"] == len(powers) == 9
    assert powers == sorted(powers, reverse=True)
    assert all(power >= 0.25 for power in powers)
    assert all(load["_in"]["feeds"]["nodes"][0]["id"].endswith("L") for load in loads["nodes"])


def test_the_third_query_tells_the_story_of_the_substation(service: GraphQLService) -> None:
    impact = _ask(service, city_queries()[2][1])["impact"]
    assert [wave["at"] for wave in impact["waves"]] == ["PT0S", "PT0S", "PT5H36M"]
    assert sum(wave["count"] for wave in impact["waves"]) == impact["totals"]["assets"]
    assert impact["affected"]["totalCount"] == impact["totals"]["assets"]
    for affected in impact["affected"]["nodes"]:
        path = [step["id"] for step in affected["path"]]
        assert path[0] == "P_B1000"
        assert path[-1] == affected["twin"]["id"]


@pytest.mark.parametrize("file", ANY_GRAPH, ids=lambda path: path.stem)
def test_the_queries_for_any_graph_are_answered(service: GraphQLService, file: Path) -> None:
    text = file.read_text()
    data = _ask(service, text, {"id": "W_WP1"} if "$id" in text else None)
    assert all(data.values())


def test_a_newcomer_can_read_units_and_meaning_in_the_schema(service: GraphQLService) -> None:
    sdl = service.sdl()
    assert "Lifts water from a source into the network, one way." in sdl
    assert "Hazen-Williams" in sdl
