"""The door for arrays: what it refuses, what it hands out, and questions side by side."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from benchmarks.cascade import resident
from benchmarks.synthetic import city
from twinfall.analytics import Network, Storages
from twinfall.ontology.errors import BadInput

PAIR: dict[str, Any] = {"group": [0], "rule": ["all"]}


@pytest.mark.parametrize(
    ("arrays", "more", "place"),
    [
        (([0], [2]), PAIR, "consumer"),
        (([-1], [1]), PAIR, "provider"),
        (([0, 1], [1]), PAIR, "provider"),
        (([0], [1]), {"group": [1], "rule": ["all"]}, "group"),
        (([0], [1]), {"group": [0], "rule": ["all", "any"]}, "group"),
        (([0, 1], [1, 0]), {"group": [0, 0], "rule": ["all"]}, "group"),
        (([0], [1]), {"group": [0], "rule": ["most"]}, "rule"),
        (([0], [1]), {**PAIR, "k": [1, 2]}, "k"),
        (([0], [1]), {**PAIR, "transfer": [-1]}, "transfer"),
        (([0], [1]), {**PAIR, "transfer": [1, 2]}, "transfer"),
        (([0], [1]), {**PAIR, "autonomy": [float("nan")]}, "autonomy"),
        (([0], [1]), {**PAIR, "sustain": [True, False]}, "sustain"),
        (([0], [1]), {**PAIR, "black_start": [True]}, "black_start"),
        (([0], [1]), {**PAIR, "connections": [[0, 2]], "carrier": [0]}, "connections"),
        (([0], [1]), {**PAIR, "connections": [[0, 1]]}, "carrier"),
        (([0], [1]), {**PAIR, "connections": [[0, 1]], "carrier": [31]}, "carrier"),
        (([0], [1]), {**PAIR, "source": [1]}, "source"),
        (([0], [1]), {**PAIR, "value": [1.0]}, "value"),
        (
            ([0], [1]),
            {**PAIR, "storages": Storages(np.array([5]), np.array([0]), np.array([1.0]))},
            "storages",
        ),
        (
            ([0], [1]),
            {**PAIR, "storages": Storages(np.array([0]), np.array([0]), np.array([-1.0]))},
            "storages",
        ),
    ],
)
def test_arrays_that_contradict_each_other_are_refused_with_their_name(
    arrays: Any, more: dict[str, Any], place: str
) -> None:
    with pytest.raises(BadInput) as refused:
        Network.from_arrays(2, *arrays, **more)
    assert refused.value.path.startswith(place)


def test_a_position_beyond_the_last_asset_cannot_fail() -> None:
    network = Network.from_arrays(2, [0], [1], **PAIR)

    for failed in ([2], [-1]):
        with pytest.raises(BadInput, match="0 to 1"):
            network.impact(failed)


def test_a_network_may_be_empty() -> None:
    network = Network.from_arrays(0, [], [], group=[], rule=[])

    assert len(network.impact([])) == 0
    assert len(network.criticality()) == 0


def test_networkx_gets_feeds_and_connections_in_the_direction_of_failure() -> None:
    network = Network.from_arrays(
        4, [0], [1], group=[0], rule=["all"], transfer=[7],
        connections=[[1, 2], [2, 3]], carrier=[0, 1], oneway=[False, True],
    )  # fmt: skip

    graph = network.to_networkx()

    assert sorted(graph.nodes) == [0, 1, 2, 3]
    [feed] = graph.get_edge_data(0, 1).values()
    assert (feed["group"], feed["transfer"]) == (0, 7.0)
    assert graph.get_edge_data(1, 2) == graph.get_edge_data(2, 1) == {0: {"carrier": 0}}
    assert graph.get_edge_data(2, 3) == {0: {"carrier": 1}}
    assert not graph.has_edge(3, 2)


def test_questions_at_the_same_time_do_not_meet() -> None:
    n = 2_000
    chain = Network.from_arrays(
        n, range(n - 1), range(1, n), group=range(n - 1), rule=["all"] * (n - 1)
    )
    wrong: list[int] = []

    def ask(start: int) -> None:
        for failed in range(start, n, 97):
            found = chain.impact([failed]).asset
            if not np.array_equal(found, np.arange(failed + 1, n)):
                wrong.append(failed)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


@pytest.mark.parametrize("moments", [1, 3, 2_000])
def test_a_large_impact_is_told_by_time_then_position_and_leaves_no_trace(moments: int) -> None:
    made = city(20_000)
    chance = np.random.default_rng(moments)
    network = Network.from_arrays(
        made.assets, made.provider, made.consumer, group=made.group, rule=made.rule, k=made.k,
        sustain=made.sustain, transfer=chance.integers(0, moments, len(made.provider)),
    )  # fmt: skip
    kinds = ("substation", "feeder", "transformer", "junction", "pump")
    for failed in [[made.one(kind)] for kind in kinds] + [[made.one(kind) for kind in kinds]]:
        found = network.impact(failed)
        order = np.lexsort((found.asset, found.time))

        assert list(order) == list(range(len(found)))
        assert sorted([*failed, *found.asset]) == sorted(network.down(failed))
        again = network.impact(failed)
        np.testing.assert_array_equal(again.cause, found.cause)
        np.testing.assert_array_equal(again.wave, found.wave)


def test_a_city_of_plain_groups_takes_no_more_than_25_bytes_a_feed_and_60_an_asset() -> None:
    a_feed, an_asset = resident(city(20_000).network())

    assert a_feed <= 25
    assert an_asset <= 60


def test_buffers_and_delays_take_memory_only_where_there_are_any() -> None:
    made = city(5_000)
    plain = resident(made.network())
    groups, feeds = len(made.rule), len(made.provider)

    def with_times(**times: Any) -> tuple[float, float]:
        return resident(
            Network.from_arrays(
                made.assets, made.provider, made.consumer, group=made.group, rule=made.rule,
                k=made.k, sustain=made.sustain, **times,
            )
        )  # fmt: skip

    assert with_times(autonomy=np.zeros(groups), transfer=np.zeros(feeds)) == plain
    assert with_times(transfer=np.ones(feeds))[0] == plain[0] + 8
    assert with_times(autonomy=np.ones(groups))[1] > plain[1]
