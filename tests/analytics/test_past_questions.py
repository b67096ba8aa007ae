"""Questions put to a plant that has been through something: what is left in buffers counts."""

from __future__ import annotations

import pytest

from tests.analytics.plant import assets
from tests.analytics.test_past import BATTERY, HOUR, START, SWITCHED, Watch, spent
from twinfall.analytics import AssetNetwork, Standing
from twinfall.analytics.past import plant_now


def _hours(found: AssetNetwork, failed: str) -> dict[str, float]:
    rows = found.impact([failed]).affected()
    return {row.id: pytest.approx(row.at / 3600, abs=1e-6) for row in rows}


def test_an_impact_counts_what_is_left_of_a_battery() -> None:
    watch = Watch(BATTERY)
    assert _hours(watch.after(0), "grid") == {"hospital": 4}
    watch.fail("grid")
    watch.after(3)

    assert _hours(watch.repair("grid"), "grid") == {"hospital": 1}
    assert _hours(watch.after(2), "grid") == {"hospital": 2}
    full = watch.after(5)
    assert _hours(full, "grid") == {"hospital": 4}
    assert full.as_is is None


def test_a_horizon_counts_what_is_left_too() -> None:
    watch = spent(3)
    now = watch.after(0)

    assert now.impact(["grid"], 3600).count == 1
    short = now.impact(["grid"], 3599)
    assert short.count == 0
    assert [(miss.id, miss.until) for miss in short.near] == [("hospital", 3600)]


def test_behind_an_open_breaker_a_hospital_lives_on_its_battery() -> None:
    watch = Watch(SWITCHED)
    watch.conducts["breaker"] = True
    watch.after(0)

    now = watch.set("breaker", False, after=0)

    assert now.baseline_down == ("bus",)
    assert now.state("hospital") == "ok"
    assert now.until == pytest.approx(START + 4 * HOUR, abs=1e6)
    assert _hours(now, "grid") == {"breaker": 0}  # the others fall anyway
    assert watch.after(3.9).baseline_down == ("bus",)
    assert watch.after(0.2).baseline_down == ("bus", "hospital")
    assert watch.after(0).reason("hospital").message == 'its group "power" lost 1 of 1: bus'
    assert watch.set("breaker", True, after=0).baseline_down == ()


def test_a_failure_that_is_heard_of_late_drains_since_it_was() -> None:
    watch = Watch(BATTERY)
    watch.failed["hospital"] = START  # so that the plant is looked at
    watch.after(0)
    watch.repair("hospital")
    watch.after(3)
    watch.failed["grid"] = watch.now - 2 * HOUR
    watch.version += 1

    assert watch.after(0).baseline_down == ("grid",)
    assert watch.after(1.9).baseline_down == ("grid",)
    assert watch.after(0.2).baseline_down == ("grid", "hospital")


def test_a_failure_that_is_heard_of_after_the_battery_ran_empty_takes_along_at_once() -> None:
    watch = Watch(BATTERY)
    watch.failed["hospital"] = START
    watch.after(0)
    watch.repair("hospital")
    watch.after(6)
    watch.failed["grid"] = watch.now - 5 * HOUR
    watch.version += 1

    assert watch.after(0).baseline_down == ("grid", "hospital")
    assert watch.past.memory().down["hospital"] == pytest.approx(5 * 3600)


@pytest.mark.parametrize(("since", "left"), [(5, 3), (0.5, 3.5)])
def test_what_is_heard_of_late_has_drained_nothing_while_another_fed(
    since: float, left: float
) -> None:
    needs = {"dependent": "source", "group": "power", "rule": "any", "autonomy": "PT4H"}
    watch = Watch(
        assets(
            {"Unit": {"contents": {"needs": needs}}},
            {"grid": {}, "engine": {}, "hospital": {}},
            [("hospital", "needs", "grid"), ("hospital", "needs", "engine")],
        )
    )
    watch.fail("hospital")
    watch.repair("hospital")
    watch.after(6)
    watch.fail("engine")
    watch.after(1)
    watch.failed["grid"] = watch.now - int(since * HOUR)
    watch.version += 1

    assert watch.after(left - 0.1).baseline_down == ("engine", "grid")
    assert watch.after(0.2).baseline_down == ("engine", "grid", "hospital")


def test_what_is_unknown_may_have_drained_it() -> None:
    watch = spent(3)
    standing = Standing(9, unknown=("grid",))

    now = watch.past.under(watch.plain, standing, watch.now)

    assert now.as_is is not None
    assert now.state("hospital") == "unknown"
    assert now.impact(["grid"]).bounds.pessimistic.assets == 1
    assert now.impact(["grid"]).bounds.optimistic.assets == 0


def test_what_is_asked_changes_nothing() -> None:
    watch = spent(3)
    now = watch.after(0)
    before = plant_now(now).moment()

    for _ in range(2):
        now.impact(["hospital", "grid"])
        now.impact(["grid"], 60)
    after = plant_now(now).moment()

    assert (after.now, after.buffers.left) == (before.now, before.buffers.left)
    assert watch.past.memory() == watch.past.memory()


def test_the_votes_of_a_battery_that_is_not_full_name_what_was_lost() -> None:
    watch = spent(3)

    rows = [watch.after(hours).impact(["grid"]).affected()[0] for hours in (0, 1, 2)]

    assert [row.at / 3600 for row in rows] == [1, 1.5, 2.5]
    assert {row.votes for row in rows} == {"1 of 1 lost: grid"}


def test_what_has_failed_already_takes_along_what_a_spent_battery_lets_go() -> None:
    watch = spent(3)
    watch.after(2)
    watch.fail("grid")

    assert _hours(watch.after(1), "grid") == {"hospital": 1}
    assert _hours(watch.after(1.1), "grid") == {"hospital": 0}  # Four full hours are not over yet.
    assert _hours(watch.after(5), "grid") == {"hospital": 0}


def test_a_path_names_the_failed_one_behind_a_gate_that_closes_anyway() -> None:
    needs = {"dependent": "source", "autonomy": "PT1H"}
    duct = needs | {"failureDomain": "domain:duct"}
    contents = {"needs": duct, "backs": needs}
    watch = Watch(
        assets(
            {"Unit": {"contents": contents}},
            {"G": {}, "A": {}, "H": {}},
            [("A", "backs", "G"), ("H", "needs", "A")],
        )
    )
    watch.after(0)
    watch.fail("G")

    (found,) = watch.after(0.5).impact(["A"], 3600).affected()

    assert (found.id, found.at, found.path) == ("H", 3600, ("A", "H"))


def test_what_an_open_breaker_cut_off_is_unknown_only_for_what_it_hangs_on() -> None:
    watch = Watch(SWITCHED)
    watch.conducts["breaker"] = True
    watch.after(0)
    watch.set("breaker", False, after=0)
    watch.after(1)
    conducts = {"breaker": False}

    def with_unknown(id_: str) -> AssetNetwork:
        standing = Standing(watch.version, unknown=(id_,), conducts=conducts)
        return watch.past.under(watch.plain, standing, watch.now)

    aside = with_unknown("sensor")
    assert aside.state("hospital") == "ok"
    assert aside.until == pytest.approx(START + 4 * HOUR, abs=1e6)
    grid = with_unknown("grid")  # it may have been down before, and the battery be empty
    assert grid.state("hospital") == "unknown"


def test_of_what_has_failed_already_the_answer_is_of_the_same_moment() -> None:
    watch = Watch(BATTERY)
    watch.after(0)
    watch.fail("grid")
    now = watch.after(3).at(watch.plain.cursor + 5)

    found = now.impact(["grid"])

    assert found.snapshot.startswith(f"{now.cursor}-")
    assert [(row.id, row.at) for row in found.affected()] == [("hospital", pytest.approx(3600))]


def test_a_plant_that_is_started_by_hand_runs_though_nothing_else_has_happened() -> None:
    needs = {"dependent": "source", "group": "power", "rule": "any"}
    backs = {"dependent": "source", "autonomy": "PT1H"}
    circle = [("A", "needs", "B"), ("B", "needs", "A"), ("D", "backs", "C")]
    twins = {id_: {} for id_ in "ABCD"}
    watch = Watch(assets({"Unit": {"contents": {"needs": needs, "backs": backs}}}, twins, circle))
    assert watch.after(0).baseline_down == ("A", "B")

    watch.running, watch.version = ("A",), watch.version + 1

    assert watch.after(0).baseline_down == ()
