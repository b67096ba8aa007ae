"""A network given to networkx and taken back."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import answers, rows
from twinfall.analytics import Network, Storages

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(rows(), st.data())
def test_the_graph_of_networkx_has_all_that_the_network_was_made_of(plant, data) -> None:
    asked = sorted(data.draw(st.sets(st.integers(0, plant.n - 1), min_size=1, max_size=2)))
    horizon = data.draw(st.sampled_from([float("inf"), 0.0, 15.0]))
    network = plant.network()

    graph = network.to_networkx()
    again = network_of(graph)

    assert answers(again, asked, horizon) == answers(network, asked, horizon)
    assert again.value.tolist() == network.value.tolist()
    assert [graph.nodes[a]["down"] for a in graph] == network.baseline.tolist()
    assert again.what_if(fail=asked).criticality().tolist() == (
        network.what_if(fail=asked).criticality().tolist()
    )


@FEW
@given(rows())
def test_groups_vote_the_same_when_feeds_go_after_the_way_there_and_back(plant) -> None:
    network = plant.network()
    again = network_of(network.to_networkx())

    for provider, group in zip(network.feeds.provider, network.feeds.group, strict=True):
        gone = [(provider, group)]
        votes = (n.what_if(remove=gone).feeds.fail_at.tolist() for n in (again, network))
        assert next(votes) == next(votes)


def network_of(graph: nx.MultiDiGraph) -> Network:
    """As docs/cascade.md has it."""
    groups, nodes = graph.graph["groups"], [graph.nodes[a] for a in range(len(graph))]
    edges = list(graph.edges(data=True))
    feeds = [(p, c, d) for p, c, d in edges if "group" in d]
    arcs = [(b, e, d["carrier"]) for b, e, d in edges if "carrier" in d]
    stored = [
        (a, c, *times)
        for a, node in enumerate(nodes)
        for c, times in node.get("storages", {}).items()
    ]

    def of_feeds(name: str) -> list[Any]:
        return [d[name] for _, _, d in feeds]

    def of_groups(name: str) -> list[Any]:
        return [g[name] for g in groups]

    return Network.from_arrays(
        len(graph), [p for p, _, _ in feeds], [c for _, c, _ in feeds],
        group=of_feeds("group"), share=of_feeds("share"), priority=of_feeds("priority"),
        start=of_feeds("start"), transfer=of_feeds("transfer"),
        rule=of_groups("rule"), k=of_groups("k"), min_share=of_groups("min_share"),
        autonomy=of_groups("autonomy"), recharge=of_groups("recharge"),
        sustain=of_groups("sustain"),
        connections=[arc[:2] for arc in arcs], carrier=[arc[2] for arc in arcs],
        oneway=[True] * len(arcs),
        source=[node["source"] for node in nodes], conducts=[node["conducts"] for node in nodes],
        black_start=[node["black_start"] for node in nodes],
        value=[node["value"] for node in nodes],
        storages=Storages(*(np.array([row[i] for row in stored]) for i in range(4))),
        visible=graph.graph["visible"],
    )  # fmt: skip
