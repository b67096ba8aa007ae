"""Traps that cascade computations fall into; each test is named for one."""

from __future__ import annotations

import networkx as nx
import numpy as np

from twinfall.analytics import Network, Storages

OWN_FEEDS = 40_000
"""More than a 16-bit counter holds."""


def _groups(n: int, *groups: tuple[int, list[int], str], **more: object) -> Network:
    """Directed groups: (consumer, providers, rule); k of `atLeast` is 2."""
    feeds = [(p, c, g) for g, (c, providers, _) in enumerate(groups) for p in providers]
    return Network.from_arrays(
        n,
        [f[0] for f in feeds],
        [f[1] for f in feeds],
        group=[f[2] for f in feeds],
        rule=[rule for _, _, rule in groups],
        k=[2] * len(groups),
        **more,
    )


def _mesh(n: int, connections: list[tuple[int, int]], sources: set[int], **more: object) -> Network:
    return Network.from_arrays(
        n, [], [], group=[], rule=[], connections=connections, carrier=[0] * len(connections),
        source=[int(i in sources) for i in range(n)], **more,
    )  # fmt: skip


def _down(network: Network, *failed: int, **more: float) -> list[int]:
    return network.impact(list(failed), **more).asset.tolist()


def test_failure_runs_from_provider_to_consumer_and_never_back() -> None:
    chain = _groups(3, (1, [0], "all"), (2, [1], "all"))

    assert _down(chain, 0) == [1, 2]
    assert _down(chain, 2) == []


def test_redundancy_is_not_plain_reachability() -> None:
    two_of_three = _groups(4, (3, [0, 1, 2], "atLeast"))

    assert _down(two_of_three, 0) == []
    assert _down(two_of_three, 0, 2) == [3]


def test_any_holds_until_the_last_feed_and_all_until_the_first() -> None:
    network = _groups(5, (3, [0, 1, 2], "any"), (4, [0, 1, 2], "all"))

    assert _down(network, 0, 1) == [4]
    assert _down(network, 0, 1, 2) == [3, 4]


def test_two_that_only_support_each_other_are_down_with_their_source() -> None:
    # 0 feeds the pair 1 <-> 2, each of which can live on the source or on the other
    pair = _groups(3, (1, [0, 2], "any"), (2, [0, 1], "any"))

    assert not pair.baseline.any()
    assert _down(pair, 0) == [1, 2]


def test_two_that_only_support_each_other_were_never_up() -> None:
    phantom = _groups(3, (1, [2], "any"), (2, [1], "any"))

    assert phantom.baseline.tolist() == [False, True, True]
    assert _down(phantom, 0) == []


def test_a_circle_that_sustains_itself_survives_its_source_and_not_its_member() -> None:
    pair = _groups(3, (1, [0, 2], "any"), (2, [1], "any"), sustain=[True, True])

    assert _down(pair, 0) == []
    assert _down(pair, 1) == [2]


def _behind_a_circle(**more: object) -> Network:
    """0 feeds 1; 1 and 2 feed each other; 3 hangs on 1."""
    return _groups(4, (1, [0, 2], "any"), (2, [1], "any"), (3, [1], "all"), **more)


def _times(network: Network, *failed: int) -> dict[int, float]:
    impact = network.impact(list(failed))
    return dict(zip(impact.asset.tolist(), impact.time.tolist(), strict=True))


def test_behind_a_circle_a_loss_is_felt_as_late_as_behind_anything_else() -> None:
    network = _behind_a_circle(transfer=[0, 0, 0, 10])

    assert _times(network, 0) == {1: 0, 2: 0, 3: 10}
    impact = network.impact([0])
    assert impact.wave.tolist() == [1, 1, 2]
    assert impact.cause.tolist() == [0, 0, 1]


def test_behind_a_circle_a_battery_begins_when_what_fed_it_is_down() -> None:
    network = _behind_a_circle(autonomy=[3600, 0, 14400])

    assert _times(network, 0) == {1: 3600, 2: 3600, 3: 18000}


def test_what_hangs_on_a_circle_and_takes_no_time_falls_in_its_wave() -> None:
    impact = _behind_a_circle().impact([0])

    assert impact.wave.tolist() == [1, 1, 1]


def test_a_circle_behind_a_circle_falls_when_the_loss_is_felt() -> None:
    # 1 <-> 2 behind 0, and 3 <-> 4 behind 1
    groups = (1, [0, 2], "any"), (2, [1], "any"), (3, [1, 4], "any"), (4, [3], "any")

    assert _times(_groups(5, *groups), 0) == {1: 0, 2: 0, 3: 0, 4: 0}
    late = _groups(5, *groups, transfer=[0, 0, 0, 10, 0, 0])
    assert _times(late, 0) == {1: 0, 2: 0, 3: 10, 4: 10}
    stored = _groups(5, *groups, autonomy=[0, 0, 0, 60])
    assert _times(stored, 0) == {1: 0, 2: 0, 3: 60, 4: 60}
    both = _groups(5, *groups, transfer=[0, 0, 0, 10, 0, 0], autonomy=[0, 0, 0, 60])
    assert _times(both, 0) == {1: 0, 2: 0, 3: 70, 4: 70}


def test_a_tank_behind_a_circle_begins_when_its_pump_is_down() -> None:
    # The pumps 1 and 2 feed each other; 1 is the source of the main 3, at which is the tank 4.
    network = _groups(
        5, (1, [0, 2], "any"), (2, [1], "any"), autonomy=[60, 0],
        connections=[[1, 3], [3, 4]], carrier=[0, 0], source=[0, 1, 0, 0, 0],
        storages=Storages(np.array([4]), np.array([0]), np.array([100.0])),
    )  # fmt: skip

    assert _times(network, 0) == {1: 60, 2: 60, 3: 160, 4: 160}


def test_within_a_circle_no_loss_is_waited_for() -> None:
    network = _behind_a_circle(transfer=[0, 20, 20, 10])

    assert _times(network, 0) == {1: 0, 2: 0, 3: 10}


def test_a_black_starter_holds_the_circle_that_feeds_it() -> None:
    plant = _groups(3, (1, [2], "all"), (2, [1], "all"), black_start=[False, True, False])

    assert not plant.baseline.any()
    assert _down(plant, 2) == [1]


def test_a_black_starter_whose_circle_is_broken_is_down() -> None:
    # 2 needs 1 and the grid 0, which is no source of anything and has lost its own circle
    plant = _groups(4, (1, [2], "all"), (2, [1, 3], "all"), (3, [3], "all"),
                    black_start=[False, True, False, False])  # fmt: skip

    assert plant.baseline.tolist() == [False, True, True, True]


def test_the_same_provider_twice_is_no_redundancy() -> None:
    twice = _groups(3, (2, [0, 0, 1, 1], "atLeast"))

    assert _down(twice, 0) == [2]  # at least 2 of 2, not of 4


def test_a_common_provider_behind_two_feeds_shows_as_a_single_point_of_failure() -> None:
    duct = _groups(4, (1, [0], "all"), (2, [0], "all"), (3, [1, 2], "any"))

    assert duct.criticality().tolist() == [3, 0, 0, 0]


def test_an_unsatisfiable_group_is_named_and_not_silently_lost_or_held() -> None:
    network = Network.from_arrays(
        4, [0, 1, 0], [2, 2, 3], group=[0, 0, 1], rule=["atLeast", "atLeast"], k=[3, 0]
    )

    assert network.feeds.unsatisfiable.tolist() == [0, 1]
    assert not network.baseline.any()
    assert _down(network, 0, 1) == []


def test_a_further_feed_raises_the_margin_of_k_out_of_n() -> None:
    assert _down(_groups(5, (4, [0, 1, 2], "atLeast")), 0, 1) == [4]
    assert _down(_groups(5, (4, [0, 1, 2, 3], "atLeast")), 0, 1) == []


def test_a_feed_less_is_a_margin_less_and_never_one_more() -> None:
    assert _down(_groups(5, (4, [0, 1, 2], "atLeast")), 0) == []
    assert _down(_groups(5, (4, [0, 1], "atLeast")), 0) == [4]


def test_an_articulation_point_with_a_source_on_each_side_takes_nobody_along() -> None:
    line = [(0, 1), (1, 2), (2, 3), (3, 4)]
    network = _mesh(5, line, {0, 4})

    assert set(nx.articulation_points(nx.Graph(line))) == {1, 2, 3}
    assert network.criticality().tolist() == [0, 0, 0, 0, 0]
    assert _mesh(5, line, {0}).criticality().tolist() == [4, 3, 2, 1, 0]


def test_an_island_without_a_source_does_not_keep_itself_alive() -> None:
    ring = _mesh(5, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 2)], {0})

    assert _down(ring, 1) == [2, 3, 4]
    assert set(ring.impact([1]).wave) == {1}


def test_an_open_switch_is_fed_and_passes_nothing_on() -> None:
    line = [(0, 1), (1, 2), (2, 3), (3, 4)]
    network = _mesh(5, line, {0, 4}, conducts=[True, True, False, True, True])

    assert not network.baseline.any()
    assert _down(network, 4) == [3]  # the switch itself stays fed from the other side
    assert _down(network, 0) == [1]


def test_a_check_valve_passes_one_way_only() -> None:
    network = _mesh(3, [(0, 1), (2, 1)], {0}, oneway=[True, True])

    assert network.baseline.tolist() == [False, False, True]


def test_parallel_branches_are_not_merged() -> None:
    # bus 0 - branches 2 and 3 - bus 1: branches are assets
    network = _mesh(4, [(0, 2), (2, 1), (0, 3), (3, 1)], {0})

    assert _down(network, 2) == []
    assert _down(network, 2, 3) == [1]


def test_a_network_is_no_directed_dependency() -> None:
    line = _mesh(3, [(0, 1), (1, 2)], {0, 2})

    assert _down(line, 0) == []  # fed backwards


def test_the_wave_is_not_the_time() -> None:
    # 1 lives 60 s, 2 fails at once, 3 hangs on 2; 4 hangs on 1
    network = _groups(5, (1, [0], "all"), (2, [0], "all"), (3, [2], "all"), (4, [1], "all"),
                      autonomy=[60, 0, 0, 0])  # fmt: skip

    impact = network.impact([0])

    assert impact.asset.tolist() == [2, 3, 1, 4]
    assert impact.wave.tolist() == [1, 2, 3, 4]
    assert impact.time.tolist() == [0, 0, 60, 60]


def test_the_earliest_failure_time_is_that_of_the_deciding_loss() -> None:
    # at least 2 of three feeds that are felt after 10, 20 and 30 s, then 100 s of autonomy
    network = Network.from_arrays(
        4, [0, 1, 2], [3, 3, 3], group=[0, 0, 0], rule=["atLeast"], k=[2],
        transfer=[10, 30, 20], autonomy=[100],
    )  # fmt: skip

    impact = network.impact([0, 1, 2])

    assert impact.time.tolist() == [120]
    assert impact.cause.tolist() == [2]


def test_equal_times_have_one_order_whatever_the_order_of_the_question() -> None:
    network = _groups(9, *((c, [c % 3], "all") for c in range(3, 9)))

    first, second = network.impact([0, 1, 2]), network.impact([2, 0, 1])

    assert first.asset.tolist() == second.asset.tolist() == [3, 4, 5, 6, 7, 8]
    assert first.cause.tolist() == second.cause.tolist() == [0, 1, 2, 0, 1, 2]


def test_what_comes_after_the_horizon_has_not_happened() -> None:
    network = _groups(2, (1, [0], "all"), autonomy=[60])

    assert _down(network, 0, horizon=59.9) == []
    assert _down(network, 0, horizon=60) == [1]


def test_a_tank_is_a_source_from_when_it_lost_its_own_supply() -> None:
    # reservoir 0 - pump 1 - tank 2 - house 3; pump needs 4 and lives 5 s without
    network = Network.from_arrays(
        5, [4], [1], group=[0], rule=["all"], autonomy=[5],
        connections=[(0, 1), (1, 2), (2, 3)], carrier=[0, 0, 0], source=[1, 0, 0, 0, 0],
        storages=Storages(np.array([2]), np.array([0]), np.array([100.0])),
    )  # fmt: skip

    impact = network.impact([4])

    assert impact.asset.tolist() == [1, 2, 3]
    assert impact.time.tolist() == [5, 105, 105]
    assert impact.cause.tolist() == [4, 1, 2]


def test_the_failed_are_not_counted_among_the_affected() -> None:
    chain = _groups(3, (1, [0], "all"), (2, [1], "all"))

    assert _down(chain, 0, 1) == [2]
    assert chain.impact([0, 0, 1]).failed.tolist() == [0, 1]


def test_what_was_down_before_is_nobodys_impact() -> None:
    # 1 hangs on itself, so 2 is down before 0 fails
    network = _groups(3, (1, [1], "all"), (2, [0, 1], "all"))

    assert network.baseline.tolist() == [False, True, True]
    assert _down(network, 0) == []
    assert _down(network, 1) == []


def test_a_question_cannot_leak_into_the_next() -> None:
    network = _groups(4, (3, [0, 1, 2], "atLeast"))

    assert _down(network, 0) == []
    assert _down(network, 1) == []
    assert _down(network, 0, 1) == [3]
    assert _down(network, 2) == []


def test_no_depth_hides_what_is_far_away() -> None:
    deep = 5_000
    chain = _groups(deep, *((i, [i - 1], "all") for i in range(1, deep)))

    impact = chain.impact([0])

    assert len(impact) == deep - 1
    assert impact.wave[-1] == deep - 1


def test_a_counter_holds_more_feeds_than_sixteen_bits() -> None:
    hub = _groups(OWN_FEEDS + 1, (OWN_FEEDS, list(range(OWN_FEEDS)), "any"))

    assert _down(hub, *range(OWN_FEEDS - 1)) == []
    assert _down(hub, *range(OWN_FEEDS)) == [OWN_FEEDS]


def _coupled(power: list[tuple[int, int]], **more: object) -> Network:
    """Plant 0 and pump 1 are in both carriers; grid 2 gives power, well 3 water."""
    connections = [*power, (3, 1), (1, 0)]
    carrier = [0] * len(power) + [1, 1]
    return Network.from_arrays(4, [], [], group=[], rule=[], connections=connections,
                               carrier=carrier, source=[0, 0, 1, 2], **more)  # fmt: skip


def test_coupled_carriers_fall_together() -> None:
    network = _coupled([(2, 0), (2, 1)])

    assert not network.baseline.any()
    assert _down(network, 2) == [0, 1]
    assert _down(network, 3) == [0, 1]


def test_carriers_that_wait_for_each_other_need_a_black_start() -> None:
    # the pump gets its power through the plant, which gets its water through the pump
    stuck = _coupled([(2, 0), (0, 1)])
    started = _coupled([(2, 0), (0, 1)], black_start=[True, False, False, False])

    assert stuck.baseline.tolist() == [True, True, False, False]
    assert not started.baseline.any()
    assert _down(started, 3) == [0, 1]
