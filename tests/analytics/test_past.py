"""What the live plant has been through: loops that broke stay down, batteries as full as left."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.analytics.plant import assets
from twinfall.analytics import AssetNetwork, Standing
from twinfall.analytics.past import Past, otherwise

HOUR = 3600 * 10**9
START = 10**18
"""When it began, in ns."""

SUSTAINED = {
    "Unit": {
        "contents": {
            "needs": {"dependent": "source", "group": "power", "rule": "any", "loop": "sustain"}
        }
    }
}
LOOP = assets(
    SUSTAINED,
    {"S": {}, "A": {}, "B": {}, "C": {}},
    [("A", "needs", "S"), ("A", "needs", "B"), ("B", "needs", "A"), ("C", "needs", "B")],
)
"""S starts A and B, which then hold each other; C hangs on B."""
BATTERY = assets(
    {
        "Unit": {
            "contents": {
                "needs": {
                    "dependent": "source", "group": "power", "autonomy": "PT4H", "recharge": "PT8H",
                }
            }
        }
    },
    {"grid": {}, "hospital": {}},
    [("hospital", "needs", "grid")],
)  # fmt: skip
SWITCHED = assets(
    {
        "Machine": {"asset": {"source": "power"}},
        "Unit": {
            "asset": {"conducts": {"from": "closed", "default": True}},
            "contents": {
                "joins": {"mode": "network", "carrier": "power"},
                "needs": {
                    "dependent": "source", "group": "power", "autonomy": "PT4H", "recharge": "PT8H",
                },
            },
        },
    },
    {"grid": {"model": "Machine"}, "breaker": {}, "bus": {}, "hospital": {}, "sensor": {}},
    [("grid", "joins", "breaker"), ("breaker", "joins", "bus"), ("hospital", "needs", "bus")],
)  # fmt: skip


@dataclass
class Watch:
    """A plant that is told who has failed, hour by hour."""

    plain: AssetNetwork
    past: Past = field(default_factory=Past)
    failed: dict[str, int] = field(default_factory=dict)
    running: tuple[str, ...] = ()
    conducts: dict[str, bool] = field(default_factory=dict)
    version: int = 0
    now: int = START

    def after(self, hours: float) -> AssetNetwork:
        self.now += int(hours * HOUR)
        standing = Standing(
            self.version,
            tuple(sorted(self.failed)),
            since=dict(self.failed),
            conducts=dict(self.conducts),
            running=self.running,
        )
        return self.past.under(self.plain, standing, self.now)

    def set(self, switch: str, on: bool, after: float) -> AssetNetwork:
        self.conducts[switch] = on
        self.version += 1
        return self.after(after)

    def fail(self, id_: str) -> AssetNetwork:
        self.failed[id_] = self.now
        self.version += 1
        return self.after(0)

    def repair(self, id_: str) -> AssetNetwork:
        del self.failed[id_]
        self.version += 1
        return self.after(0)


def broken() -> Watch:
    """The source is away, the loop ran on until A failed; A is in order again."""
    watch = Watch(LOOP)
    watch.after(0)
    assert watch.fail("S").baseline_down == ("S",)
    assert watch.fail("A").baseline_down == ("A", "B", "C", "S")
    watch.repair("A")
    return watch


def spent(hours: float) -> Watch:
    """The grid was away for so long, and has just come back."""
    watch = Watch(BATTERY)
    watch.after(0)
    watch.fail("grid")
    watch.after(hours)
    watch.repair("grid")
    return watch


def test_a_loop_that_broke_does_not_come_back_by_itself() -> None:
    now = broken().after(1)

    assert now.baseline_down == ("A", "B", "C", "S")
    assert now.state("A") == "failed"
    assert now.reason("A").message == 'its group "power" lost 2 of 2: B, S'


def test_it_comes_back_with_what_starts_it() -> None:
    assert broken().repair("S").baseline_down == ()


def test_it_comes_back_when_a_person_says_that_it_runs() -> None:
    watch = broken()
    watch.running, watch.version = ("A",), watch.version + 1

    assert watch.after(0).baseline_down == ("S",)


def test_it_stays_down_when_the_graph_is_written() -> None:
    watch = broken()
    watch.plain = assets(
        SUSTAINED,
        {"S": {}, "A": {}, "B": {}, "C": {}, "D": {}},
        [("A", "needs", "S"), ("A", "needs", "B"), ("B", "needs", "A"), ("C", "needs", "B")],
    )  # fmt: skip

    assert watch.after(1).baseline_down == ("A", "B", "C", "S")


def test_what_stopped_can_run_in_a_plant_that_lets_it() -> None:
    stopped = broken().after(1)

    same, mended = (otherwise(stopped, stopped, s) for s in (stopped.standing, Standing(9)))

    assert same.baseline_down == ("A", "B", "C", "S")
    assert mended.baseline_down == ()


def test_an_impact_on_a_stopped_asset_is_nothing() -> None:
    now = broken().after(1)

    assert now.impact(["B"]).count == 0


def test_a_battery_that_was_not_full_again_does_not_last_four_hours() -> None:
    watch = spent(3)
    watch.after(2)
    watch.fail("grid")

    assert watch.after(1.9).baseline_down == ("grid",)
    assert watch.after(0.2).baseline_down == ("grid", "hospital")
    assert watch.past.until > watch.now


def test_the_past_says_when_it_takes_the_next_one_down() -> None:
    watch = Watch(BATTERY)
    watch.after(0)
    watch.fail("grid")

    assert 0 <= watch.past.until - (START + 4 * HOUR) < 10**3


def test_a_switch_moves_when_it_is_seen_to_move() -> None:
    """It opens for an hour, of which the battery knows."""
    watch = Watch(SWITCHED)
    watch.after(0)
    watch.set("breaker", False, after=5)
    watch.set("breaker", True, after=1)
    assert watch.after(1).baseline_down == ()

    watch.fail("bus")

    assert watch.after(3.4).baseline_down == ("bus",)
    assert watch.after(0.2).baseline_down == ("bus", "hospital")


def test_what_stopped_and_is_gone_is_forgotten() -> None:
    watch = broken()
    watch.plain = assets(SUSTAINED, {"S": {}, "A": {}, "C": {}}, [("A", "needs", "S")])

    assert watch.after(1).baseline_down == ("A", "S")
    watch.plain = assets(SUSTAINED, {"S": {}, "A": {}, "B": {}}, [("A", "needs", "B")])
    assert watch.after(1).baseline_down == ("S",)


def test_time_that_goes_backwards_stands_still() -> None:
    watch = Watch(BATTERY)
    watch.after(0)
    watch.fail("grid")
    watch.after(3)

    watch.after(-2)
    watch.after(2.9)

    assert watch.after(0).baseline_down == ("grid",)
    assert watch.after(0.2).baseline_down == ("grid", "hospital")


def test_what_failed_long_ago_is_found_so_at_the_first_look() -> None:
    watch = Watch(BATTERY)
    watch.failed["grid"] = START - 5 * HOUR

    assert watch.after(0).baseline_down == ("grid", "hospital")


def test_ten_thousand_changes_leave_nothing_behind() -> None:
    watch = Watch(LOOP)
    began = watch.after(0)
    for i in range(5_000):
        one = "SABC"[i % 4]
        watch.fail(one)
        watch.repair(one)
        if i % 4 == 0:
            watch.running, watch.version = ("A",), watch.version + 1
            watch.after(0.001)
            watch.running = ()
    watch.failed = {}

    assert watch.after(1).baseline_down == began.baseline_down == ()
    assert watch.past.until > watch.now
