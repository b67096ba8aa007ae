"""The live state: what readings, people and alarms say together, and who is told."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.plant import PREFIX
from twinfall.analytics import Change, Standing, topology_request
from twinfall.analytics.limits import NANO, Limits, compile_limits
from twinfall.analytics.live import LiveState, Said
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import TwinInput

MINUTE = 60 * NANO
DOCUMENTS = [
    {
        "@context": "dtmi:dtdl:context;3",
        "@type": "Interface",
        "@id": f"{PREFIX}Machine;1",
        "contents": [
            {"@type": "Telemetry", "name": "heat", "schema": "double"},
            {"@type": "Telemetry", "name": "noise", "schema": "double"},
            {"@type": "Telemetry", "name": "note", "schema": "string"},
            {"@type": "Telemetry", "name": "closed", "schema": "boolean"},
            {"@type": "Property", "name": "wear", "schema": "double", "writable": True},
            {"@type": "Property", "name": "patience", "schema": "duration"},
        ],
    }
]
HEAT = {"heat": {"degraded": {"max": 80}, "failed": {"min": 0, "max": 95}, "hysteresis": 2}}


def limits_of(said: Mapping[str, Any], twins: Mapping[str, Mapping[str, Any]]) -> Limits:
    """The limits of machines declared like this."""
    graph = Graph(SQLiteStore(":memory:"))
    declared = {"version": 1, "interfaces": {f"{PREFIX}Machine;1": {"asset": said}}}
    graph.load_models(DOCUMENTS, [declared])
    graph.write_twins([TwinInput(id_, f"{PREFIX}Machine;1", v) for id_, v in twins.items()])
    topology = graph.topology(topology_request(graph.ontology, graph.dependencies))
    found = compile_limits(topology, graph.ontology, graph.dependencies)
    graph.store.close()
    return found


class Room:
    """A live state over machines; series are numbered as (machine, reading) come."""

    def __init__(self, said: Mapping[str, Any], *machines: str, **values: Any) -> None:
        self.keys: list[tuple[str, str]] = []
        self.live = LiveState(lambda series: self.keys[series])
        self.changes: list[Change] = []
        self.live.listen(self.changes.append)
        self.limits = limits_of(said, dict.fromkeys(machines, values))
        self.fresh = self.live.follow(self.limits, 0)

    def say(self, twin: str, name: str, value: float, at: int, **more: Any) -> None:
        key = (twin, name)
        if key not in self.keys:
            self.keys.append(key)
        series = np.array([self.keys.index(key)], np.int32)
        columns = (series, np.array([at], np.int64), np.array([value]))
        self.live.observe(*columns, more.pop("now", at), **more)

    def told(self) -> list[tuple[str, str, str]]:
        self.live.tell()
        told = [(c.id, c.before, c.after) for c in self.changes]
        self.changes.clear()
        return told


def test_the_worst_that_a_fresh_reading_says_holds() -> None:
    said = {**HEAT, "noise": {"degraded": {"max": 5}}}
    room = Room({"limits": said}, "m")
    room.say("m", "noise", 6, 1)
    assert room.live.state("m") == "degraded"
    room.say("m", "heat", 96, 2)
    assert room.live.state("m") == "failed"
    reason = room.live.reason("m")
    assert reason is not None
    assert reason.message == "heat is 96, failed above 95"
    assert (reason.kind, reason.reading, reason.value, reason.limit) == ("limit", "heat", 96, 95)
    room.say("m", "heat", 20, 3)
    reason = room.live.reason("m")
    assert reason is not None
    assert reason.message == "noise is 6, degraded above 5"
    room.say("m", "noise", 1, 4)
    assert room.live.state("m") == "ok"
    assert room.live.reason("m") is None


def test_a_reason_names_the_side_and_the_hysteresis() -> None:
    room = Room({"limits": HEAT}, "m")
    room.say("m", "heat", -1, 1)
    reason = room.live.reason("m")
    assert reason is not None
    assert reason.message == "heat is -1, failed below 0"
    room.say("m", "heat", 1, 2)
    assert room.live.state("m") == "failed"
    reason = room.live.reason("m")
    assert reason is not None
    assert "not back by the hysteresis" in reason.message
    assert reason.since == 1


def test_silence_is_unknown_and_never_ok() -> None:
    room = Room({"limits": HEAT, "stale": "PT1M"}, "m")
    assert room.live.state("m") == "unknown"
    reason = room.live.reason("m")
    assert reason is not None
    assert reason.kind == "silent"
    room.say("m", "heat", 99, 10 * MINUTE)
    assert room.live.state("m") == "failed"
    room.live.tick(11 * MINUTE)
    assert room.live.state("m") == "failed"
    room.live.tick(11 * MINUTE + 1)
    assert room.live.state("m") == "unknown"
    reason = room.live.reason("m")
    assert reason is not None
    assert (reason.kind, reason.reading, reason.since) == ("stale", "heat", 10 * MINUTE)
    room.say("m", "heat", 20, 12 * MINUTE)
    assert room.live.state("m") == "ok"


def test_a_fresh_reading_that_says_failed_outweighs_another_ones_silence() -> None:
    said = {**HEAT, "noise": {"degraded": {"max": 5}}}
    room = Room({"limits": said, "stale": "PT1M"}, "m")
    room.say("m", "noise", 1, MINUTE)
    room.say("m", "heat", 99, 3 * MINUTE)
    assert room.live.state("m") == "failed"
    room.say("m", "heat", 20, 3 * MINUTE + 1)
    assert room.live.state("m") == "unknown"


def test_without_limits_any_reading_is_a_sign_of_life() -> None:
    room = Room({"stale": "PT1M"}, "m")
    assert room.live.state("m") == "unknown"
    room.say("m", "note", float("nan"), MINUTE)
    assert room.live.state("m") == "ok"
    room.live.tick(3 * MINUTE)
    assert room.live.state("m") == "unknown"


def test_nothing_declared_is_ok_whatever_comes() -> None:
    room = Room({"value": 1}, "m")
    room.say("m", "heat", 1e9, 1)
    room.live.tick(10 * MINUTE)
    assert room.live.state("m") == "ok"
    assert len(room.limits) == 0


def test_staleness_may_be_a_property_of_each_twin() -> None:
    limits = limits_of({"stale": {"from": "patience"}}, {"a": {"patience": "PT2M"}, "b": {}})
    assert limits.ids == ("a",)
    assert limits.stale.tolist() == [2 * MINUTE]


def test_a_property_is_judged_by_its_value_in_the_graph_and_never_stale() -> None:
    said = {"limits": {"wear": {"failed": {"max": 10}}}}
    room = Room(said, "m", wear=11.0)
    assert room.live.state("m") == "failed"
    reason = room.live.reason("m")
    assert reason is not None
    assert (reason.value, reason.since) == (11.0, None)
    room.live.follow(limits_of(said, {"m": {"wear": 3.0}}), 1)
    assert room.live.state("m") == "ok"


def test_changes_only_are_told_in_order_with_a_growing_version() -> None:
    room = Room({"limits": HEAT}, "a", "b")
    room.say("a", "heat", 20, 1)
    assert room.told() == []
    room.say("a", "heat", 90, 2)
    room.say("a", "heat", 91, 3)
    room.say("b", "heat", 99, 3)
    room.say("a", "heat", 20, 4)
    room.live.tell()
    assert [c.version for c in room.changes] == sorted({c.version for c in room.changes})
    assert room.told() == [
        ("a", "ok", "degraded"),
        ("b", "ok", "failed"),
        ("a", "degraded", "ok"),
    ]


def test_a_listener_that_fails_takes_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    room = Room({"limits": HEAT}, "m")
    heard: list[str] = []

    def fail(change: Change) -> None:
        raise ValueError(change.id)

    room.live.listen(fail)
    room.live.listen(lambda change: heard.append(change.after))
    room.say("m", "heat", 99, 1)
    room.live.tell()
    assert heard == ["failed"]
    assert "a change of m could not be heard" in caplog.text


def test_a_listener_may_change_and_ask() -> None:
    room = Room({"limits": HEAT}, "m")
    seen: list[str] = []

    def put_right(change: Change) -> None:
        seen.append(change.after)
        if change.after == "failed":
            room.live.say(Said("m", "ok", "nobody", 1))
            room.live.tell()

    room.live.listen(put_right)
    room.say("m", "heat", 99, 1)
    room.live.tell()
    assert seen == ["failed", "ok"]


def test_in_maintenance_it_is_out_and_no_failure() -> None:
    room = Room({"limits": HEAT}, "m")
    room.live.say(Said("m", None, "ann", 5, until=100, note="new seal"))
    room.say("m", "heat", 99, 6)
    assert room.live.state("m") == "unknown"
    assert room.live.standing().out == ("m",)
    assert room.live.standing().failed == ()
    reason = room.live.reason("m")
    assert reason is not None
    assert (reason.kind, reason.who, reason.since, reason.until) == ("maintenance", "ann", 5, 100)
    assert reason.note == "new seal"
    room.live.tick(99)
    assert room.live.state("m") == "unknown"
    room.live.tick(100)
    assert room.live.state("m") == "failed"
    assert room.live.standing().failed == ("m",)


def test_maintenance_of_what_was_unknown_already_is_a_change_of_standing() -> None:
    room = Room({"stale": "PT1M"}, "m")
    before = room.live.standing()
    assert before.unknown == ("m",)
    room.live.say(Said("m", None, "ann", 5))
    after = room.live.standing()
    assert after.version > before.version
    assert (after.unknown, after.out) == ((), ("m",))
    room.live.take_back("m", maintenance=True)
    assert room.live.standing().unknown == ("m",)


def test_a_persons_word_wins_until_it_is_taken_back() -> None:
    room = Room({"limits": HEAT}, "m")
    room.live.say(Said("m", "failed", "ann", 5, note="it leaks"))
    room.say("m", "heat", 20, 6)
    assert room.live.state("m") == "failed"
    reason = room.live.reason("m")
    assert reason is not None
    assert (reason.kind, reason.who, reason.note) == ("operator", "ann", "it leaks")
    room.live.say(Said("m", "ok", "bob", 7))
    room.say("m", "heat", 99, 8)
    assert room.live.state("m") == "ok"
    reason = room.live.reason("m")
    assert reason is not None
    assert reason.who == "bob"
    room.live.take_back("m", maintenance=False)
    assert room.live.state("m") == "failed"


def test_a_learned_alarm_degrades_what_is_ok_and_nothing_else() -> None:
    room = Room({"limits": HEAT}, "m")
    room.live.alarm("m", "one", "odd heat")
    room.live.alarm("m", "two", "odd noise")
    assert room.live.state("m") == "degraded"
    reason = room.live.reason("m")
    assert reason is not None
    assert (reason.kind, reason.message) == ("alarm", "odd heat; odd noise")
    room.say("m", "heat", 99, 1)
    assert room.live.state("m") == "failed"
    room.say("m", "heat", 20, 2)
    room.live.alarm("m", "one", None)
    assert room.live.state("m") == "degraded"
    room.live.alarm("m", "two", None)
    room.live.alarm("m", "two", None)
    assert room.live.state("m") == "ok"


def test_a_switch_stands_as_its_last_reading_says() -> None:
    room = Room({"conducts": {"from": "closed", "default": False}}, "m")
    assert room.live.standing().conducts == {"m": False}
    before = room.live.version
    room.say("m", "closed", 1.0, 1)
    assert room.live.standing().conducts == {"m": True}
    assert room.live.version > before
    assert room.told() == []
    again = room.live.version
    room.say("m", "closed", 1.0, 2)
    assert room.live.version == again


def test_what_is_watched_goes_on_where_it_stood_when_the_graph_changes() -> None:
    said = {"limits": {"heat": {"failed": {"max": 95}, "hysteresis": 2, "hold": "PT1M"}}}
    room = Room(said, "m")
    room.say("m", "heat", 99, MINUTE)
    wider = limits_of(said, {"a": {}, "m": {}})
    assert room.live.follow(wider, MINUTE) == [("a", "heat")]
    room.live.tick(2 * MINUTE)
    assert room.live.state("m") == "failed"
    room.say("a", "heat", 99, 2 * MINUTE)
    room.say("a", "heat", 99, 3 * MINUTE)
    assert room.live.state("a") == "failed"
    raised = limits_of({"limits": {"heat": {"failed": {"max": 120}}}}, {"m": {}})
    assert room.live.follow(raised, 3 * MINUTE) == []
    assert room.live.state("m") == "ok"
    assert room.live.state("a") == "ok"
    assert sorted(room.told()[-2:]) == [("a", "failed", "ok"), ("m", "failed", "ok")]


def test_now_never_goes_back() -> None:
    room = Room({"stale": "PT1M"}, "m")
    room.say("m", "heat", 1, MINUTE)
    room.live.tick(3 * MINUTE)
    room.live.tick(MINUTE)
    assert room.live.state("m") == "unknown"


words = st.one_of(
    st.tuples(st.just("read"), st.integers(0, 2), st.sampled_from([20.0, 90.0, 99.0])),
    st.tuples(st.just("tick"), st.integers(0, 3), st.none()),
    st.tuples(st.just("out"), st.integers(0, 2), st.booleans()),
    st.tuples(
        st.just("force"), st.integers(0, 2), st.sampled_from(["ok", "failed", "unknown", None])
    ),
    st.tuples(st.just("alarm"), st.integers(0, 2), st.booleans()),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(words, max_size=25))
def test_told_changes_and_standing_always_agree_with_the_states(steps: Sequence[Any]) -> None:
    room = Room({"limits": HEAT, "stale": "PT1M"}, "m0", "m1", "m2")
    heard = {id_: room.live.state(id_) for id_ in ("m0", "m1", "m2")}
    room.told()
    now, version = 0, room.live.version
    for what, which, value in steps:
        _step(room, what, f"m{which}", value, now)
        now += which * MINUTE if what == "tick" else 1
        for id_, before, after in room.told():
            assert heard[id_] == before != after
            heard[id_] = after
        assert heard == {id_: room.live.state(id_) for id_ in heard}
        standing = room.live.standing()
        assert standing.version >= version
        version = standing.version
        _agree(standing, heard)


def _step(room: Room, what: str, id_: str, value: Any, now: int) -> None:
    if what == "read":
        room.say(id_, "heat", value, now)
    elif what == "tick":
        room.live.tick(now)
    elif what == "alarm":
        room.live.alarm(id_, "one", "odd" if value else None)
    elif value in (None, False):
        room.live.take_back(id_, maintenance=what == "out")
    else:
        room.live.say(Said(id_, None if what == "out" else value, "ann", now))


def _agree(standing: Standing, heard: Mapping[str, str]) -> None:
    by = {"failed": standing.failed, "degraded": standing.degraded}
    for state, ids in by.items():
        assert list(ids) == sorted(id_ for id_, known in heard.items() if known == state)
    unknown = sorted([*standing.unknown, *standing.out])
    assert unknown == sorted(id_ for id_, known in heard.items() if known == "unknown")


def test_many_threads_leave_what_one_would() -> None:
    machines = [f"m{n}" for n in range(8)]
    room = Room({"limits": HEAT}, *machines)
    room.keys = [(id_, "heat") for id_ in machines]
    heard: dict[str, str] = {}
    room.live.listen(lambda change: heard.__setitem__(change.id, change.after))

    def work(series: int) -> None:
        column = np.array([series], np.int32)
        for time in range(1, 200):
            value = 99.0 if time % 2 else 20.0
            room.live.observe(column, np.array([time], np.int64), np.array([value]), time)
            room.live.tell()
            room.live.standing()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    room.live.tell()
    assert heard == dict.fromkeys(machines, "failed")
    assert room.live.standing().failed == tuple(machines)
