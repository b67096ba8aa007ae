"""The records of alarms, work orders, deliveries, and their audit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinfall.graph.records import Asked, NewAlarm, NewDelivery, NewWorkOrder, Records
from twinfall.graph.records.schema import APPLICATION_ID, STEPS
from twinfall.ontology.errors import BadSettings, UnknownName

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(tmp_path: Path, clock: Clock) -> Iterator[Records]:
    made = Records(tmp_path / "records.sqlite", now=clock)
    yield made
    made.close()


def alarm(twin: str = "P1", onset: int = 5, affected: tuple[str, ...] = ()) -> NewAlarm:
    return NewAlarm(twin, "watch", "warning", onset, {"score": 1.5}, {"assets": 2}, affected)


def raised(records: Records, new: NewAlarm) -> str:
    with records.change("raiseAlarm", new.twin, who="watch") as change:
        made, _ = change.raise_alarm(new)
    return made.id


def send(records: Records, key: str, target: str = "https://a", **more: object) -> None:
    with records.change("send", key, who="tests") as change:
        change.send(NewDelivery(key, "webhook", target, {"n": key}, **more))  # type: ignore[arg-type]


def test_an_alarm_told_twice_is_one_alarm_with_one_line_in_the_audit(records: Records) -> None:
    first = raised(records, alarm())
    assert raised(records, alarm()) == first
    found = records.alarms(Asked())
    assert found.total == 1
    assert len(records.audit()) == 1


def test_an_alarm_keeps_what_it_was_told(records: Records, clock: Clock) -> None:
    id_ = raised(records, alarm(onset=7))
    kept = records.alarm(id_)
    assert kept is not None
    assert (kept.twin, kept.source, kept.severity, kept.onset) == ("P1", "watch", "warning", 7)
    assert (kept.explanation, kept.impact) == ({"score": 1.5}, {"assets": 2})
    assert (kept.raised, kept.cleared, kept.acknowledged_by) == (clock.now, None, None)


def test_records_are_there_after_a_restart(tmp_path: Path, records: Records) -> None:
    id_ = raised(records, alarm())
    records.close()
    again = Records(tmp_path / "records.sqlite")
    assert again.alarm(id_) is not None
    again.close()


def respond(records: Records, *, acknowledging: str) -> None:
    with records.change("respond", "P1", who="tests") as change:
        change.raise_alarm(alarm())
        change.open_work_order(NewWorkOrder("k", "P1", "Look at it"))
        change.send(NewDelivery("k", "webhook", "https://a", {}))
        change.acknowledge(acknowledging, "")


def test_a_failed_change_leaves_nothing_not_even_in_the_audit(records: Records) -> None:
    with pytest.raises(UnknownName, match="no alarm"):
        respond(records, acknowledging="no such alarm")
    assert records.alarms(Asked()).total == 0
    assert records.work_orders(Asked()).total == 0
    assert records.deliveries() == []
    assert records.audit() == []


def test_one_change_of_many_parts_has_one_line_that_says_who_asked(records: Records) -> None:
    with records.change("respond", "P1", who="anna", request="r-7") as change:
        change.raise_alarm(alarm())
        change.open_work_order(NewWorkOrder("k", "P1", "Look at it"))
        change.send(NewDelivery("k", "webhook", "https://a", {}))
    [line] = records.audit()
    assert (line.who, line.what, line.subject, line.request) == ("anna", "respond", "P1", "r-7")
    assert line.before is None
    assert line.after is not None


def test_a_change_that_changes_nothing_leaves_no_line(records: Records) -> None:
    id_ = raised(records, alarm())
    for _ in range(2):
        with records.change("acknowledge", id_, who="anna") as change:
            change.acknowledge(id_, "seen")
        with records.change("clear", id_, who="watch") as change:
            change.clear_alarm(id_)
    assert [line.what for line in records.audit()] == ["clear", "acknowledge", "raiseAlarm"]


def test_the_audit_cannot_be_altered_by_a_statement(records: Records) -> None:
    raised(records, alarm())
    db = sqlite3.connect(records.path)
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append only"):
            db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    "tampering",
    ["UPDATE audit SET who = 'x' WHERE ix = 2", "DELETE FROM audit WHERE ix = 2"],
)
def test_a_line_changed_in_the_file_itself_shows(records: Records, tampering: str) -> None:
    for onset in range(4):
        raised(records, alarm(onset=onset))
    assert records.first_broken_line() is None
    db = sqlite3.connect(records.path)
    db.executescript(
        f"DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted; {tampering}"
    )
    db.close()
    assert records.first_broken_line() == (3 if "DELETE" in tampering else 2)


def test_an_acknowledgement_names_the_first_who_gave_it(records: Records) -> None:
    id_ = raised(records, alarm())
    for who in ("anna", "ben"):
        with records.change("acknowledge", id_, who=who) as change:
            change.acknowledge(id_, f"seen by {who}")
    kept = records.alarm(id_)
    assert kept is not None
    assert (kept.acknowledged_by, kept.note) == ("anna", "seen by anna")


def test_alarms_that_follow_from_each_other_are_one_incident(records: Records) -> None:
    cause = raised(records, alarm("P1", affected=("T1", "T2")))
    effect = raised(records, alarm("T1"))
    other = raised(records, alarm("X9"))
    found = {one.id: one.incident for one in records.alarms(Asked()).rows}
    assert found[effect] == found[cause]
    assert found[other] != found[cause]


def test_a_cause_found_after_its_effect_joins_the_same_incident(records: Records) -> None:
    effect = raised(records, alarm("T1"))
    cause = raised(records, alarm("P1", affected=("T1",)))
    incidents = {one.incident for one in records.alarms(Asked()).rows}
    assert incidents == {effect}
    assert effect != cause


def test_a_new_alarm_after_the_old_ones_ended_is_a_new_incident(records: Records) -> None:
    old = raised(records, alarm("P1", 1))
    with records.change("clear", old, who="watch") as change:
        change.clear_alarm(old)
    new = raised(records, alarm("P1", 2))
    kept = records.alarm(new)
    assert kept is not None
    assert kept.incident == new


def test_alarms_are_paged_from_the_newest_and_filtered(records: Records) -> None:
    ids = [raised(records, alarm("P1" if n % 2 else "P2", n)) for n in range(5)]
    with records.change("clear", ids[0], who="watch") as change:
        change.clear_alarm(ids[0])
    first = records.alarms(Asked(first=2))
    assert [one.id for one in first.rows] == [ids[4], ids[3]]
    assert (first.total, first.more) == (5, True)
    last = records.alarms(Asked(first=3, before=first.rows[-1].ix))
    assert [one.id for one in last.rows] == [ids[2], ids[1], ids[0]]
    assert not last.more
    assert records.alarms(Asked(open=True)).total == 4
    assert records.alarms(Asked(open=False)).total == 1
    assert records.alarms(Asked(twin="P1")).total == 2


def test_the_same_key_opens_one_work_order(records: Records) -> None:
    for _ in range(2):
        with records.change("open", "P1", who="anna") as change:
            change.open_work_order(NewWorkOrder("k", "P1", "Look at it", "high"))
    page = records.work_orders(Asked())
    [order] = page.rows
    assert order.id == "WO-1"
    assert len(records.audit()) == 1


def test_a_closed_work_order_says_who_closed_it(records: Records) -> None:
    with records.change("open", "P1", who="anna") as change:
        order, _ = change.open_work_order(NewWorkOrder("k", "P1", "Look at it"))
    with records.change("close", order.id, who="ben") as change:
        closed = change.close_work_order(order.id, "bearing replaced")
    assert (closed.closed_by, closed.note) == ("ben", "bearing replaced")
    assert records.work_orders(Asked(open=True)).total == 0


@pytest.mark.parametrize("id_", ["WO-2", "WO-", "WO-x", "1e3", "WO-" + "9" * 40, "WO-²"])
def test_an_unknown_work_order_cannot_be_closed(records: Records, id_: str) -> None:
    with (
        pytest.raises(UnknownName, match="no work order"),
        records.change("close", id_, who="ben") as change,
    ):
        change.close_work_order(id_, "")


def test_a_delivery_is_sent_once_for_its_key(records: Records) -> None:
    send(records, "k")
    send(records, "k")
    assert len(records.deliveries()) == 1


def test_deliveries_are_due_in_their_order_and_not_for_busy_targets(
    records: Records, clock: Clock
) -> None:
    send(records, "a1", "https://a")
    send(records, "b1", "https://b")
    send(records, "a2", "https://a")
    first = records.due()
    assert first is not None
    assert first.key == "a1"
    second = records.due({"https://a"})
    assert second is not None
    assert second.key == "b1"
    records.put_off(first, clock.now + SECOND, "HTTP 503")
    third = records.due({"https://b"})
    assert third is not None
    assert third.key == "a2"
    assert records.next_due({"https://b"}) == clock.now
    clock.now += SECOND
    again = records.due({"https://b"})
    assert again is not None
    assert (again.key, again.answer) == ("a1", "HTTP 503")


def test_a_later_wish_takes_the_place_of_one_that_still_waits(records: Records) -> None:
    send(records, "old", "twinfall/P1/_desired/speed", replaces=True)
    waiting = records.due()
    assert waiting is not None
    send(records, "new", "twinfall/P1/_desired/speed", replaces=True)
    records.put_off(waiting, 0, "the broker is away")  # the old one was under way
    assert [one.state for one in records.deliveries()] == ["waiting", "superseded"]
    due = records.due()
    assert due is not None
    assert due.key == "new"


def test_what_was_given_up_can_be_sent_again_by_hand(records: Records) -> None:
    send(records, "k")
    [one] = records.deliveries()
    records.begin(one)
    with records.change("fail", "k", who="outbox") as change:
        change.finish(one, "failed", "HTTP 404")
    assert records.due() is None
    with records.change("again", "k", who="anna") as change:
        change.send_again("k")
    again = records.due()
    assert again is not None
    assert again.attempts == 0


def test_what_is_done_is_not_done_again(records: Records) -> None:
    send(records, "k")
    [one] = records.deliveries()
    for state in ("done", "failed"):
        with records.change("end", "k", who="outbox") as change:
            change.finish(one, state, "")
    with records.change("again", "k", who="anna") as change:
        assert change.send_again("k").state == "done"
    assert len(records.audit()) == 2


def test_finished_deliveries_are_forgotten_and_the_audit_stays(
    records: Records, clock: Clock
) -> None:
    send(records, "k")
    send(records, "waits")
    [_, one] = records.deliveries()
    with records.change("end", "k", who="outbox") as change:
        change.finish(one, "done", "")
    lines = len(records.audit())
    assert records.forget(clock.now) == 0
    assert records.forget(clock.now + 1) == 1
    assert [one.key for one in records.deliveries()] == ["waits"]
    assert len(records.audit()) == lines


def test_alarms_are_forgotten_long_after_they_were_cleared(records: Records, clock: Clock) -> None:
    old, still = raised(records, alarm("P1")), raised(records, alarm("P2"))
    with records.change("clear", old, who="watch") as change:
        change.clear_alarm(old)
    records.forget(0, clock.now)
    assert records.alarms(Asked()).total == 2
    records.forget(0, clock.now + 1)
    assert [one.id for one in records.alarms(Asked()).rows] == [still]


def test_records_of_the_first_format_are_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    db = sqlite3.connect(path)
    db.executescript(STEPS[0])
    db.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1")
    db.close()
    records = Records(path)
    with records.change("open", "P1", who="anna") as change:
        change.open_work_order(NewWorkOrder("k", "P1", "Look at it", rule="r"))
        same, fresh = change.open_work_order(NewWorkOrder("l", "P1", "Look at it", rule="r"))
    assert (same.id, fresh) == ("WO-1", False)
    records.close()


def test_a_sender_is_woken_after_the_commit(records: Records) -> None:
    seen: list[int] = []
    records.on_send(lambda: seen.append(len(records.deliveries())))
    send(records, "k")
    assert seen == [1]


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(BadSettings, match="not a Twinfall records file"):
        Records(path)
