"""What a plant remembers outlives the process and the arrays: saved, loaded, carried over."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import assets
from tests.analytics.plants import network_of, plants
from tests.analytics.reference import Plant
from tests.analytics.test_past import HOUR, START, Watch, broken
from twinfall.analytics import AssetNetwork, Network, Standing
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.memory import fingerprint, memory_of, resumed
from twinfall.analytics.memory_text import _head, memory_in, text_of
from twinfall.analytics.past import Past
from twinfall.ontology.errors import BadInput

FEW = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
SECOND = 10**9
STEPS = [0.0, 0.0, 5.0, 10.0, 20.0]


@cache
def _twins(n: int) -> AssetNetwork:
    return assets({}, {f"T{i}": {} for i in range(n)})


def _by_ids(plant: Plant, recharge: float) -> AssetNetwork:
    """A random plant with ids, and names for its groups and carriers."""
    twins, network = _twins(plant.n), network_of(plant, recharge)
    groups = network.feeds.count
    compiled = replace(
        twins.compiled,
        network=network,
        group_names=tuple(f"g{i}" for i in range(groups)),
        group_name=np.arange(groups, dtype=np.int32),
        carriers=("water", "power"),
    )
    return AssetNetwork(compiled, twins.topology, "models")


def _happens(evolution: Evolution, n: int, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["fail", "repair", "advance", "switch", "start", "stop"]))
    at = evolution.now + data.draw(st.sampled_from(STEPS))
    asset = data.draw(st.integers(0, n - 1))
    if kind == "advance":
        evolution.advance(at)
    elif kind == "switch":
        evolution.switch(asset, data.draw(st.booleans()), at)
    else:
        getattr(evolution, kind)(asset, at)


def _seen(evolution: Evolution) -> list[Any]:
    network, down = evolution.network, np.flatnonzero(evolution.down)
    return [
        down.tolist(),
        evolution.falls(down).time.tolist(),
        [evolution.buffer(group) for group in range(network.feeds.count)],
        [evolution.storage(i) for i in range(len(network.links.storages.asset))],
        evolution.next,
    ]


class _Told:
    """The same data to two evolutions: what the first one drew, the second one is given."""

    def __init__(self, data: st.DataObject) -> None:
        self.data, self.drawn = data, list[Any]()

    def draw(self, strategy: st.SearchStrategy[Any]) -> Any:
        self.drawn.append(self.data.draw(strategy))
        return self.drawn[-1]

    def again(self) -> Any:
        given_ = iter(self.drawn)
        return type("Again", (), {"draw": lambda _, __: next(given_)})()


@FEW
@given(plants(), st.sampled_from([0.0, 20.0, 40.0]), st.data())
def test_an_evolution_goes_on_from_its_moment_as_it_would_have(plant, recharge, data) -> None:
    evolution = Evolution(network_of(plant, recharge))
    for _ in range(data.draw(st.integers(0, 8))):
        _happens(evolution, plant.n, data)

    other = Evolution.resumed(network_of(plant, recharge), evolution.moment())

    assert _seen(other) == _seen(evolution)
    for _ in range(data.draw(st.integers(1, 6))):
        told = _Told(data)
        _happens(evolution, plant.n, told)
        _happens(other, plant.n, told.again())
        assert _seen(other) == _seen(evolution)


def _story(plant: Plant, data: st.DataObject) -> list[tuple[int, Standing]]:
    """Moments in ns, and who has failed, what conducts and who runs by then."""
    ids = st.sampled_from([f"T{i}" for i in range(plant.n)])
    failed, conducts, now, found = dict[str, int](), dict[str, bool](), START, []
    for version in range(1, data.draw(st.integers(2, 12))):
        now += int(data.draw(st.sampled_from(STEPS)) * SECOND)
        kind, one = data.draw(st.sampled_from(["fail", "fail", "mend", "turn", "wait"])), None
        if kind == "fail":
            one = data.draw(ids)
            failed.setdefault(one, now - data.draw(st.sampled_from([0, 3 * SECOND])))
        elif kind == "mend":
            failed.pop(data.draw(ids), None)
        elif kind == "turn":
            conducts[data.draw(ids)] = data.draw(st.booleans())
        running = tuple(sorted(data.draw(st.sets(ids, max_size=1))))
        standing = Standing(
            version, tuple(sorted(failed)), since=dict(failed), conducts=dict(conducts),
            running=running,
        )  # fmt: skip
        found.append((now, standing))
    return found


@FEW
@given(plants(), st.sampled_from([0.0, 20.0, 40.0]), st.data())
def test_a_past_that_was_saved_and_loaded_answers_as_one_that_went_on(plant, recharge, data):
    whole, plain = _by_ids(plant, recharge), _by_ids(plant, recharge)
    story = _story(plant, data)
    saved = data.draw(st.integers(0, len(story) - 1))
    went_on, past = Past(), Past()

    for i, (now, standing) in enumerate(story):
        if i == saved:
            memory = past.memory()
            past = Past(memory if memory is None else memory_in(text_of(memory)))
            plain = _by_ids(plant, recharge)
        expected, found = went_on.under(whole, standing, now), past.under(plain, standing, now)

        assert found.baseline_down == expected.baseline_down
        assert found.standing == expected.standing
        assert past.until == went_on.until


@FEW
@given(plants(), plants(), st.sampled_from([0.0, 20.0]), st.data())
def test_whatever_plant_takes_over_stands_by_its_own_rules(plant, other, recharge, data) -> None:
    evolution = Evolution(network_of(plant, recharge))
    for _ in range(data.draw(st.integers(0, 6))):
        _happens(evolution, plant.n, data)
    before, network = evolution.moment(), network_of(other, recharge)
    plain = _by_ids(plant, recharge)
    memory = memory_of(plain, before, "of another plant", START, {})

    taken = resumed(_by_ids(other, recharge), memory, fingerprint(plain))

    assert taken.now == before.now
    assert len(taken.advance(taken.now)) == 0
    up = ~taken.down
    lost = _lost(network, taken)
    for group in range(network.feeds.count):
        held = taken.buffer(group)
        assert 0.0 <= held <= network.feeds.autonomy[group]
        assert held > 0.0 or not lost[group] or not up[network.feeds.consumer[group]]


def _lost(network: Network, evolution: Evolution) -> Any:
    """Groups whose lost feeds have been felt."""
    coming = evolution.moment().coming
    felt = evolution.down[network.feeds.provider]
    felt[coming] = False
    feeds = network.feeds
    weight = np.bincount(feeds.group[felt], feeds.weight[felt], feeds.count)
    return (feeds.fail_at > 0) & (feeds.fail_at <= weight)


def _supplied(autonomy: str, *hospitals: str, tank: str = "PT2H") -> AssetNetwork:
    """Hospitals on one grid, each with a battery; a tank that water from a well fills."""
    return assets(
        {
            "Machine": {"asset": {"source": "water"}},
            "Unit": {
                "contents": {
                    "needs": {
                        "dependent": "source", "group": "power", "autonomy": autonomy,
                        "recharge": "PT8H",
                    },
                    "joins": {"mode": "network", "carrier": "water"},
                },
                "asset": {
                    "source": [{"carrier": "water", "autonomy": tank, "recharge": "PT1H"}]
                },
            },
        },
        {"grid": {}, "well": {"model": "Machine"}, "tank": {}, **{id_: {} for id_ in hospitals}},
        [("well", "joins", "tank"), *((id_, "needs", "grid") for id_ in hospitals)],
    )  # fmt: skip


@pytest.fixture(params=["the graph is written", "the service starts again"])
def again(request: pytest.FixtureRequest) -> Any:
    """Two ways in which the arrays become others."""

    def become(watch: Watch, plain: AssetNetwork) -> None:
        watch.plain = plain
        if request.param == "the service starts again":
            memory = watch.past.memory()
            assert memory is not None
            watch.past = Past(memory_in(text_of(memory)))

    return become


def _spent(plain: AssetNetwork, *failed: str, hours: float) -> Watch:
    watch = Watch(plain)
    watch.after(0)
    for id_ in failed:
        watch.fail(id_)
    watch.after(hours)
    return watch


def test_a_battery_half_spent_is_half_spent_when_others_come(again: Any) -> None:
    watch = _spent(_supplied("PT4H", "A"), "grid", hours=1)
    watch.repair("grid")
    watch.fail("grid")
    watch.after(1)

    again(watch, _supplied("PT4H", "A", "B"))

    assert watch.after(1.9).baseline_down == ("grid",)
    assert watch.after(0.2).baseline_down == ("A", "grid")


def test_a_battery_that_is_new_begins_full(again: Any) -> None:
    watch = _spent(_supplied("PT4H", "A"), "grid", hours=3)
    watch.repair("grid")

    again(watch, _supplied("PT4H", "A", "B"))

    watch.fail("grid")
    assert watch.after(1.1).baseline_down == ("A", "grid")
    assert watch.after(2.8).baseline_down == ("A", "grid")
    assert watch.after(0.2).baseline_down == ("A", "B", "grid")


def test_a_battery_that_is_gone_is_forgotten(again: Any) -> None:
    watch = _spent(_supplied("PT4H", "A", "B"), "grid", hours=3)
    watch.repair("grid")
    again(watch, _supplied("PT4H", "B"))
    watch.after(0)

    again(watch, _supplied("PT4H", "A", "B"))
    watch.fail("grid")

    assert watch.after(1.1).baseline_down == ("B", "grid")


@pytest.mark.parametrize(("autonomy", "left"), [("PT8H", 5), ("PT4H", 1), ("PT3H30M", 0.5)])
def test_what_was_drawn_is_drawn_from_a_battery_of_another_length(
    again: Any, autonomy: str, left: float
) -> None:
    watch = _spent(_supplied("PT4H", "A"), "grid", hours=3)
    watch.repair("grid")

    again(watch, _supplied(autonomy, "A"))

    watch.fail("grid")
    assert watch.after(left - 0.1).baseline_down == ("grid",)
    assert watch.after(0.2).baseline_down == ("A", "grid")


def test_a_battery_shorter_than_what_was_drawn_is_empty(again: Any) -> None:
    watch = _spent(_supplied("PT4H", "A"), "grid", hours=3)
    watch.repair("grid")

    again(watch, _supplied("PT2H", "A"))

    assert watch.fail("grid").baseline_down == ("A", "grid")


def test_a_tank_half_empty_is_half_empty(again: Any) -> None:
    watch = _spent(_supplied("PT4H"), "well", hours=1)
    watch.repair("well")

    again(watch, _supplied("PT4H", "A"))

    watch.fail("well")
    assert watch.after(0.9).baseline_down == ("well",)
    assert watch.after(0.2).baseline_down == ("tank", "well")


def test_a_loop_that_broke_stays_down(again: Any) -> None:
    watch = broken()

    again(watch, watch.plain)

    assert watch.after(1).baseline_down == ("A", "B", "C", "S")
    assert watch.repair("S").baseline_down == ()


def test_what_was_started_by_hand_is_started_once(again: Any) -> None:
    """A stays said to run; when the loop breaks again, that was said of before."""
    watch = broken()
    watch.running = ("A",)
    watch.version += 1
    assert watch.after(0).baseline_down == ("S",)
    watch.fail("B")
    watch.repair("B")

    again(watch, watch.plain)

    assert watch.after(1).baseline_down == ("A", "B", "C", "S")


def test_the_time_in_between_counts() -> None:
    """It is saved an hour after the grid failed, and taken up six hours later."""
    watch = _spent(_supplied("PT4H", "A"), "grid", hours=1)
    memory = watch.past.memory()
    assert memory is not None
    watch.past = Past(memory)

    watch.now += 6 * HOUR

    assert watch.after(0).baseline_down == ("A", "grid")
    assert watch.after(0).standing.stopped == {}


def test_a_failure_is_as_old_as_it_was_whatever_readings_say_of_it_by_now() -> None:
    """After a start the last reading is the first one that is known."""
    watch = _spent(_supplied("PT4H", "A"), "grid", hours=3)
    memory = watch.past.memory()
    assert memory is not None
    watch.past, watch.failed["grid"] = Past(memory), watch.now

    assert watch.after(0).standing.since == {"grid": START}
    assert watch.after(1.1).standing.stopped == {}
    assert watch.after(0).baseline_down == ("A", "grid")


def test_a_clock_that_was_ahead_does_not_hold_up_the_plant() -> None:
    watch = _spent(_supplied("PT4H", "A"), "grid", hours=3)
    watch.repair("grid")
    memory = watch.past.memory()
    assert memory is not None
    watch.past, watch.now = Past(memory), watch.now - 10_000 * HOUR

    watch.fail("grid")

    assert watch.after(0.9).baseline_down == ("grid",)
    assert watch.after(0.2).baseline_down == ("A", "grid")


def test_a_plant_in_which_nothing_has_happened_has_nothing_to_remember() -> None:
    watch = Watch(_supplied("PT4H", "A"))
    watch.after(0)
    assert watch.past.memory() is None

    watch.fail("grid")
    watch.repair("grid")
    watch.after(9)

    memory = watch.past.memory()
    assert memory is not None
    assert memory.is_blank


def test_two_memories_between_which_only_time_has_passed_are_equal() -> None:
    watch = _spent(_supplied("PT4H", "A"), "grid", hours=1)
    before = watch.past.memory()
    watch.after(0.5)

    assert watch.past.memory() == before
    watch.repair("grid")
    assert watch.past.memory() != before


def _text() -> str:
    memory = _spent(_supplied("PT4H", "A"), "grid", "well", hours=1).past.memory()
    assert memory is not None
    return text_of(memory)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda text: "", "damaged"),
        (lambda text: text[:-20], "damaged"),
        (lambda text: text.replace('"A"', '"B"'), "damaged"),
        (lambda text: "[" * 100_000, "damaged"),
        (lambda text: '{"is": "something else"}\n' + text, "not the past of a plant"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "of version 2"),
        (lambda text: _signed(text, '"now":', '"now":-'), "damaged"),
        (lambda text: _signed(text, ',14400.0,', ',NaN,'), "damaged"),
        (lambda text: _signed(text, ',14400.0,', ',"14400",'), "damaged"),
        (lambda text: _signed(text, '"running":[]', '"running":[1]'), "damaged"),
        (lambda text: _signed(text, '"own":{"grid":', '"own":{"grid":1e400'), "damaged"),
    ],
)  # fmt: skip
def test_a_text_that_is_none_of_ours_says_so(damage: Any, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        memory_in(damage(_text()))


def _signed(text: str, old: str, new: str) -> str:
    """Changed by somebody who knows how to make the hash of it."""
    _, said, _ = text.split("\n")
    assert old in said
    return f"{_head(said.replace(old, new))}\n{said.replace(old, new)}\n"


def _ducted() -> AssetNetwork:
    """As the loop of S, A and B; X is fed by P through the duct A, which no answer names."""
    duct = {"backs": {"dependent": "source", "group": "duct", "failureDomain": "A"}}
    held = {"dependent": "source", "group": "power", "rule": "any", "loop": "sustain"}
    return assets(
        {"Unit": {"contents": {"needs": held, **duct}}},
        {id_: {} for id_ in "SABPX"},
        [("A", "needs", "S"), ("A", "needs", "B"), ("B", "needs", "A"), ("X", "backs", "P")],
    )


def test_who_feeds_through_a_duct_that_stopped_is_up(again: Any) -> None:
    watch = Watch(_ducted())
    watch.after(0)
    for id_ in "SA":
        watch.fail(id_)

    assert watch.repair("A").baseline_down == ("A", "B", "S", "X")
    again(watch, _ducted())
    assert watch.after(1).baseline_down == ("A", "B", "S", "X")


def _late_ducts(*more: str) -> AssetNetwork:
    """X is fed by P through a duct, and feels the loss of it an hour later."""
    said = {"needs": {"dependent": "source", "transfer": "PT1H", "failureDomain": "domain:duct"}}
    ids = {id_: {} for id_ in ("P", "X", *more)}
    return assets({"Unit": {"contents": said}}, ids, [("X", "needs", "P")])


@pytest.mark.parametrize("failed", ["P", "domain:duct"])
def test_what_was_lost_through_a_duct_is_felt_when_it_was_to_be(again: Any, failed: str) -> None:
    watch = Watch(_late_ducts())
    watch.after(0)
    watch.fail(failed)
    assert "X" not in watch.after(0.5).baseline_down

    again(watch, _late_ducts("new"))
    assert "X" not in watch.after(0.4).baseline_down
    assert "X" in watch.after(0.11).baseline_down

    again(watch, _late_ducts("new", "newer"))
    assert "X" in watch.after(0).baseline_down
