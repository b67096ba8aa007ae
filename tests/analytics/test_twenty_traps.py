"""Where each trap of a cascade computation is tested: twenty traps, each with its tests by name."""

from __future__ import annotations

from importlib import import_module

import pytest

TRAPS: dict[str, dict[str, list[str]]] = {
    "1 the arrow is read the wrong way round": {
        "analytics.test_traps": ["failure_runs_from_provider_to_consumer_and_never_back"],
        "analytics.test_assets": ["the_end_that_depends_is_declared_and_not_read_off_the_arrow"],
    },
    "2 plain reach over redundancy": {
        "analytics.test_traps": ["redundancy_is_not_plain_reachability"],
        "analytics.test_golden": ["a_fed_neighbour_is_not_enough_of_a_reason_to_be_up"],
    },
    "3 phantom support": {
        "analytics.test_traps": [
            "two_that_only_support_each_other_are_down_with_their_source",
            "an_island_without_a_source_does_not_keep_itself_alive",
        ],
    },
    "4 what a circle held up comes back by itself": {
        "analytics.test_traps": ["carriers_that_wait_for_each_other_need_a_black_start"],
        "analytics.whatif.test_what_if": [
            "a_circle_comes_back_with_its_root_only_if_something_in_it_can_start"
        ],
    },
    "5 one provider counted twice": {
        "analytics.test_traps": ["the_same_provider_twice_is_no_redundancy"],
        "analytics.test_assets": ["two_relationships_to_one_provider_are_one_feed"],
    },
    "6 a common cause behind two feeds": {
        "analytics.test_traps": [
            "a_common_provider_behind_two_feeds_shows_as_a_single_point_of_failure"
        ],
        "analytics.test_declared": ["domains_are_single_points_of_failure_like_assets"],
    },
    "7 failed by itself and for want of a feed": {
        "api.test_states_repaired": [
            "what_failed_by_itself_and_for_want_of_a_feed_is_up_when_both_reasons_are_gone"
        ],
    },
    "8 the order of failures and repairs": {
        "api.test_states_repaired": [
            "a_repaired_asset_stays_down_while_its_feed_is",
            "in_whatever_order_things_fail_and_are_repaired",
        ],
    },
    "9 groups that nothing can satisfy, ends that are gone": {
        "analytics.test_traps": ["an_unsatisfiable_group_is_named_and_not_silently_lost_or_held"],
        "analytics.test_assets": [
            "a_quorum_that_no_feeds_can_meet_is_unknown_and_never_silently_up"
        ],
    },
    "10 feeds added and taken away under k of n": {
        "analytics.test_traps": [
            "a_further_feed_raises_the_margin_of_k_out_of_n",
            "a_feed_less_is_a_margin_less_and_never_one_more",
        ],
    },
    "11 articulation points for single points of failure": {
        "analytics.test_traps": [
            "an_articulation_point_with_a_source_on_each_side_takes_nobody_along"
        ],
        "analytics.test_golden": ["single_points_of_failure_of_a_water_network"],
    },
    "12 a carrier as directed feeds; switches, check valves, parallel branches": {
        "analytics.test_traps": [
            "a_network_is_no_directed_dependency",
            "an_open_switch_is_fed_and_passes_nothing_on",
            "a_check_valve_passes_one_way_only",
            "parallel_branches_are_not_merged",
        ],
        "analytics.models.test_power": ["two_branches_side_by_side_are_two"],
    },
    "13 connected, and still too little": {
        "analytics.test_votes": [
            "a_group_with_shares_is_lost_when_those_left_are_less_than_it_needs",
            "shares_that_make_exactly_what_is_needed_are_enough",
        ],
        "analytics.models.test_power": ["power_that_enters_a_bus_leaves_it_on_every_island"],
    },
    "14 bridges, islands, no number where there is none": {
        "analytics.models.test_power": [
            "factors_of_a_bridge_are_undefined_and_nothing_else_is",
            "an_island_without_generation_is_dark_and_one_without_load_is_idle",
        ],
    },
    "15 the wave is not the time": {
        "analytics.test_traps": [
            "the_wave_is_not_the_time",
            "the_earliest_failure_time_is_that_of_the_deciding_loss",
            "equal_times_have_one_order_whatever_the_order_of_the_question",
        ],
    },
    "16 self, customers and services counted twice; degraded is not failed": {
        "analytics.test_traps": [
            "the_failed_are_not_counted_among_the_affected",
            "what_was_down_before_is_nobodys_impact",
        ],
        "analytics.test_assets": ["a_customer_fed_by_two_lost_assets_is_counted_once"],
        "analytics.test_votes": ["a_lost_group_may_only_degrade_its_consumer"],
    },
    "17 rounds, ties at the capacity, endpoints": {
        "analytics.models.test_load": [
            "all_transfers_of_a_round_are_added_before_anything_is_tested",
            "equal_loads_that_differ_by_rounding_only_do_not_fail",
            "the_load_is_the_betweenness_of_networkx",
        ],
    },
    "18 silence, flapping, late and repeated readings, maintenance": {
        "analytics.test_live": ["silence_is_unknown_and_never_ok"],
        "analytics.test_limits": [
            "a_limit_is_left_only_by_its_hysteresis",
            "late_readings_change_nothing",
        ],
        "api.test_states": ["maintenance_is_no_failure_but_takes_redundancy_away"],
        "analytics.test_rootcause": ["an_effect_does_not_come_before_its_cause"],
    },
    "19 leaks, totals of a page, hidden depth": {
        "analytics.test_traps": [
            "a_question_cannot_leak_into_the_next",
            "no_depth_hides_what_is_far_away",
        ],
        "analytics.test_assets": ["totals_are_of_everything_affected_whatever_page_is_read"],
        "analytics.whatif.test_what_if": ["no_scenario_leaves_a_trace_in_the_plant"],
        "api.graphql.test_scenarios": ["scenarios_are_compared_on_one_moment"],
    },
    "20 chances of what hangs together; small counters; ids used again": {
        "analytics.whatif.test_probabilities": [
            "two_of_three_that_fail_independently_are_lost_by_the_binomial_law",
            "two_of_three_behind_one_cause_are_lost_as_often_as_the_cause",
            "an_edge_that_several_ways_share_counts_once",
        ],
        "analytics.whatif.test_what_if": ["the_same_seed_brings_the_same_luck_to_another_scenario"],
        "analytics.test_traps": ["a_counter_holds_more_feeds_than_sixteen_bits"],
        "api.test_networks": ["an_id_that_is_used_again_stands_for_the_new_twin_only"],
    },
}


def test_there_are_twenty() -> None:
    assert [int(trap.split()[0]) for trap in TRAPS] == list(range(1, 21))


@pytest.mark.parametrize("trap", TRAPS)
def test_the_tests_of_a_trap_are_there(trap: str) -> None:
    for module, names in TRAPS[trap].items():
        tests = import_module(f"tests.{module}")
        for name in names:
            assert callable(getattr(tests, f"test_{name}")), f"{module}: {name}"
