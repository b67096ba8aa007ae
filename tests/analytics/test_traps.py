"""What goes wrong in cascade engines, each as one fact about ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from twinfall.analytics import Network, Storages
from twinfall.ontology.errors import BadInput


def directed(n: int, *groups: tuple[str, list[int], int], **more: Any) -> Network:
    """Groups as (rule, providers, consumer); `k` and the like per group."""
    rows = [(p, c, g) for g, (_, providers, c) in enumerate(groups) for p in providers]
    columns = [[row[i] for row in rows] for i in range(3)]
    rule = [group[0] for group in groups]
    return Network.from_arrays(n, columns[0], columns[1], group=columns[2], rule=rule, **more)


def wired(n: int, wires: list[tuple[int, int]], sources: set[int], **more: Any) -> Network:
    """One carrier over connections."""
    bits = [int(i in sources) for i in range(n)]
    kind = [0] * len(wires)
    return Network.from_arrays(
        n, [], [], group=[], rule=[], connections=wires, carrier=kind, source=bits, **more
    )


def down(network: Network, *failed: int, horizon: float = float("inf")) -> set[int]:
    return {int(a) for a in network.impact(failed, horizon).asset}


def test_failure_runs_from_provider_to_consumer_and_never_back() -> None:
    network = directed(3, ("all", [0], 1), ("all", [1], 2))

    assert down(network, 0) == {1, 2}
    assert down(network, 2) == set()


def test_two_of_three_feeds_carry_on_with_one_lost() -> None:
    network = directed(4, ("atLeast", [0, 1, 2], 3), k=[2])

    assert down(network, 0) == set()
    assert down(network, 0, 2) == {3}


def test_two_assets_that_hold_each_other_up_go_when_their_source_goes() -> None:
    network = directed(3, ("any", [0, 2], 1), ("any", [1], 2))

    assert down(network, 0) == {1, 2}


def test_a_loop_without_a_source_is_down_before_anything_fails() -> None:
    network = directed(3, ("all", [1], 0), ("all", [0], 1))

    assert network.baseline.tolist() == [True, True, False]
    assert down(network, 0) == set()


def test_a_loop_that_sustains_itself_runs_until_a_feed_is_lost() -> None:
    network = directed(2, ("all", [1], 0), ("all", [0], 1), sustain=[True, True])

    assert not network.baseline.any()
    assert down(network, 0) == {1}


def test_a_black_starter_holds_its_loop_only_where_the_loop_holds_it() -> None:
    held = directed(2, ("all", [1], 0), ("all", [0], 1), black_start=[True, False])
    dropped = directed(
        3, ("all", [1], 0), ("all", [0], 1), ("all", [2], 0), ("all", [2], 2),
        black_start=[True, False, False],
    )  # fmt: skip

    assert not held.baseline.any()
    assert dropped.baseline.all()


def test_the_same_provider_twice_is_one_feed() -> None:
    network = directed(2, ("any", [0, 0], 1))

    assert down(network, 0) == {1}
    assert len(network.feeds.provider) == 1


@pytest.mark.parametrize("k", [0, -1, 3])
def test_a_group_that_can_never_hold_is_named_and_never_evaluated(k: int) -> None:
    network = directed(3, ("atLeast", [0, 1], 2), k=[k])

    assert network.feeds.unsatisfiable.tolist() == [0]
    assert down(network, 0, 1) == set()


def test_a_mesh_without_a_source_is_dead() -> None:
    network = wired(4, [(0, 1), (1, 2), (2, 3), (3, 1)], {0})

    assert down(network, 0) == {1, 2, 3}


def test_what_splits_off_with_its_own_source_loses_nobody() -> None:
    network = wired(5, [(0, 1), (1, 2), (2, 3), (3, 4)], {0, 4})

    assert network.criticality().tolist() == [0, 0, 0, 0, 0]


def test_a_one_way_connection_does_not_carry_back() -> None:
    network = wired(3, [(0, 1), (2, 1)], {0, 2}, oneway=[True, False])

    assert down(network, 2) == set()
    assert down(wired(3, [(0, 1), (1, 2)], {2}, oneway=[True, False]), 1) == set()


def test_an_open_switch_is_fed_and_passes_nothing_on() -> None:
    network = wired(3, [(0, 1), (1, 2)], {0}, conducts=[True, False, True])

    assert network.baseline.tolist() == [False, False, True]


def test_waves_are_counted_and_times_are_told_apart() -> None:
    network = directed(
        4, ("all", [0], 1), ("all", [1], 2), ("all", [0], 3), autonomy=[60.0, 0.0, 10.0]
    )

    impact = network.impact([0])

    assert impact.asset.tolist() == [3, 1, 2]
    assert impact.time.tolist() == [10.0, 60.0, 60.0]
    assert impact.wave.tolist() == [1, 2, 3]


def test_equal_times_are_in_order_of_position() -> None:
    network = directed(4, *(("all", [0], c) for c in (3, 1, 2)))

    assert network.impact([0]).asset.tolist() == [1, 2, 3]


def test_a_feed_is_lost_when_its_transfer_is_over_and_not_at_a_horizon_before() -> None:
    network = directed(2, ("all", [0], 1), transfer=[30.0], autonomy=[12.0])

    assert down(network, 0, horizon=41.9) == set()
    assert network.impact([0], 42.0).time.tolist() == [42.0]


def test_a_tank_feeds_what_hangs_on_it_until_it_is_empty() -> None:
    tank = Storages(np.array([2]), np.array([0]), np.array([3600.0]))
    network = wired(4, [(0, 1), (1, 2), (2, 3)], {0}, storages=tank)

    impact = network.impact([1])

    assert impact.asset.tolist() == [2, 3]
    assert impact.time.tolist() == [3600.0, 3600.0]
    assert impact.cause.tolist() == [1, 2]


def test_the_failed_are_not_counted_and_the_others_once() -> None:
    network = directed(3, ("all", [0], 1), ("all", [1], 2))

    impact = network.impact([0, 0, 1])

    assert impact.failed.tolist() == [0, 1]
    assert impact.asset.tolist() == [2]


def test_a_chain_of_a_hundred_thousand_ends_without_recursion() -> None:
    n = 100_000
    line = np.arange(n - 1)
    network = Network.from_arrays(n, line, line + 1, group=line, rule=["all"] * (n - 1))

    impact = network.impact([0])

    assert len(impact) == n - 1
    assert int(impact.wave.max()) == n - 1


def test_a_hub_with_more_feeds_than_a_short_counts() -> None:
    n = 40_001
    network = directed(n, ("any", list(range(n - 1)), n - 1))

    assert down(network, *range(n - 2)) == set()
    assert down(network, *range(n - 1)) == {n - 1}


def test_questions_at_the_same_time_do_not_meet() -> None:
    rng = np.random.default_rng(7)
    n = 500
    provider, consumer = rng.integers(0, n, (2, 3 * n))
    later = provider < consumer
    provider, consumer = provider[later], consumer[later]
    network = Network.from_arrays(
        n, provider, consumer, group=np.arange(len(provider)), rule=["all"] * len(provider)
    )
    alone = [down(network, a) for a in range(n)]

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda a: down(network, a), range(n)))

    assert together == alone


def test_nothing_and_everything_can_fail() -> None:
    network = directed(3, ("all", [0], 1), ("all", [1], 2))

    assert down(network) == set()
    assert down(network, 0, 1, 2) == set()
    assert len(Network.from_arrays(0, [], [], group=[], rule=[]).criticality()) == 0


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"provider": [5]}, "provider"),
        ({"consumer": [-1]}, "consumer"),
        ({"provider": [0, 1]}, "provider"),
        ({"group": [1]}, "group"),
        ({"rule": ["most"]}, "rule[0]"),
        ({"rule": ["all", "all"]}, "group"),
        ({"k": [1, 2]}, "k"),
        ({"transfer": [-1.0]}, "transfer"),
        ({"transfer": [float("nan")]}, "transfer"),
        ({"autonomy": []}, "autonomy"),
        ({"connections": [[0, 9]], "carrier": [0]}, "connections"),
        ({"connections": [[0, 1]], "carrier": []}, "connections"),
        ({"connections": [[0, 1]], "carrier": [40]}, "carrier"),
        ({"conducts": [True]}, "source"),
        ({"value": [1.0]}, "value"),
    ],
)
def test_arrays_that_contradict_each_other_are_refused_by_name(
    change: dict[str, Any], place: str
) -> None:
    arrays = {"provider": [0], "consumer": [1], "group": [0], "rule": ["all"]} | change

    with pytest.raises(BadInput) as error:
        Network.from_arrays(2, arrays.pop("provider"), arrays.pop("consumer"), **arrays)

    assert error.value.path == place


def test_an_asset_outside_the_network_cannot_fail() -> None:
    with pytest.raises(BadInput, match="0 to 1"):
        directed(2, ("all", [0], 1)).impact([2])


def test_networkx_gets_every_feed_and_every_direction_of_a_connection() -> None:
    network = Network.from_arrays(
        3, [0], [1], group=[0], rule=["all"], connections=[[1, 2]], carrier=[0], source=[0, 1, 0]
    )

    assert set(network.to_networkx().edges()) == {(0, 1), (1, 2), (2, 1)}
