"""The loop: an alarm, its impact, what the policy says, and what goes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.actions.plants import Works
from tests.graph.test_records import SECOND
from twinfall.api.actions.actions import Caller
from twinfall.api.actions.keeping import Standing
from twinfall.graph.records import Asked, WorkOrder
from twinfall.ontology.errors import BadInput, Unavailable, UnknownName, UnknownTwin

POLICY = """
version: 1
rules:
  - name: somebody loses water
    when: {severity: warning, minCustomers: 100}
    do:
      - workOrder: {title: "Look at {twin} ({affected} more)", priority: high}
      - webhook: https://hooks.example.com/secret-path
  - name: a pump
    when: {model: Pump}
    do:
      - command: {name: stop, within: PT1M}
      - desired: {name: speed, value: 0.0}
  - name: it is over
    when: {event: cleared}
    do:
      - webhook: https://hooks.example.com/over
"""
Make = Callable[..., Works]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Works] = []

    def works(policy: str = POLICY) -> Works:
        made.append(Works(tmp_path, policy))
        return made[0]

    yield works
    for one in made:
        one.close()


@pytest.fixture
def works(make: Make) -> Works:
    return make()


def orders(works: Works) -> list[WorkOrder]:
    return works.records.work_orders(Asked()).rows


def test_an_alarm_is_recorded_with_its_impact(works: Works) -> None:
    kept = works.records.alarm(works.alarm("T1"))
    assert kept is not None
    assert kept.impact is not None
    assert (kept.impact["assets"], kept.impact["customers"]) == (1, 200.0)
    assert kept.impact["services"] == [{"name": "health", "count": 1}]
    assert kept.impact["first"][0]["twin"] == "H1"


def test_an_alarm_with_impact_opens_a_work_order_beside_its_asset(works: Works) -> None:
    id_ = works.alarm("T1")
    [order] = orders(works)
    assert (order.twin, order.title, order.priority) == ("T1", "Look at T1 (1 more)", "high")
    assert (order.alarm, order.incident, order.opened_by) == (id_, id_, "watch:test")
    works.deliver()
    [node] = works.graph.store.work_orders(["T1"])
    assert node.id == order.id
    assert node.facts["state"] == "open"


def test_the_webhook_tells_of_alarm_impact_and_work_order(works: Works) -> None:
    id_ = works.alarm("T1")
    works.deliver()
    [hook] = works.hooks
    assert hook.target == "https://hooks.example.com/secret-path"
    told = hook.payload
    assert told["type"] == "alarm.raised"
    assert told["alarm"]["id"] == told["incident"] == id_
    assert told["alarm"]["twin"] == "T1"
    assert told["alarm"]["model"] == "dtmi:works:Tank;1"
    assert told["alarm"]["explanation"] == {"score": 1.5}
    assert told["impact"]["customers"] == 200.0
    assert told["workOrder"] == "WO-1"
    assert told["rule"] == "somebody loses water"


def test_nothing_is_sent_before_the_courier_comes(works: Works) -> None:
    """Whoever raises an alarm waits for the disk, never for a webhook."""
    works.alarm("T1")
    assert works.hooks == []
    assert works.wire.published == []
    assert {one.state for one in works.records.deliveries()} == {"waiting"}


def test_alarm_work_order_and_deliveries_are_one_line_of_the_audit(works: Works) -> None:
    works.alarm("T1")
    [line] = works.records.audit()
    assert (line.what, line.who) == ("raiseAlarm", "watch:test")


def test_a_rule_that_does_not_match_does_nothing(works: Works) -> None:
    works.alarm("T1", severity="info")
    assert orders(works) == []
    assert works.records.deliveries() == []


def test_an_alarm_told_again_does_nothing_again(works: Works) -> None:
    for _ in range(3):
        works.alarm("T1")
        works.deliver()
    assert len(orders(works)) == 1
    assert len(works.hooks) == 1


def test_one_incident_is_answered_once(works: Works) -> None:
    works.alarm("T1", 1)
    works.alarm("T1", 2)
    works.deliver()
    assert len(works.hooks) == 1
    incidents = {alarm.incident for alarm in works.records.alarms(Asked()).rows}
    assert len(incidents) == 1


def test_a_rule_may_act_for_every_alarm(make: Make) -> None:
    works = make(POLICY.replace("name: somebody", "once: alarm\n    name: somebody"))
    works.alarm("T1", 1)
    works.alarm("T1", 2)
    works.deliver()
    assert len(works.hooks) == 2
    assert len({hook.key for hook in works.hooks}) == 2


def test_as_long_as_a_work_order_is_open_its_rule_opens_no_other_on_the_twin(
    works: Works,
) -> None:
    for onset in range(3):
        works.actions.clear(works.alarm("T1", onset))
    [order] = orders(works)
    works.deliver()
    told = [h.payload["workOrder"] for h in works.hooks if h.payload["type"] == "alarm.raised"]
    assert told == [order.id] * 3
    works.actions.close_work_order(order.id, "done", ANNA)
    works.alarm("T1", 9)
    assert len(orders(works)) == 2


def test_the_end_of_an_incident_is_told_when_its_last_alarm_is_cleared(works: Works) -> None:
    first, second = works.alarm("T1", 1), works.alarm("T1", 2)
    works.deliver()
    works.hooks.clear()
    assert works.actions.clear(first)
    works.deliver()
    assert works.hooks == []
    assert works.actions.clear(second)
    works.deliver()
    [hook] = works.hooks
    assert hook.payload["type"] == "alarm.cleared"
    assert hook.payload["alarm"]["cleared"] is not None
    assert not works.actions.clear(second)
    assert not works.actions.clear("nobody")


def test_a_command_of_the_policy_is_sent_and_its_answer_noted(works: Works) -> None:
    works.alarm("P1")
    works.deliver()
    sent = {topic: (json.loads(body), retain) for topic, body, retain in works.wire.published}
    body, retain = sent["twinfall/P1/_command/stop"]
    assert not retain
    assert body["payload"] is None
    assert sent["twinfall/P1/_desired/speed"] == (0.0, True)
    answer = {"correlation": body["correlation"], "payload": "stopped"}
    works.wire.reply("P1", "stop", json.dumps(answer).encode())
    works.actions.note_replies()
    found = {one.key: one for one in works.records.deliveries()}
    assert found[body["correlation"]].answer == json.dumps(answer)


def test_an_asset_cannot_answer_a_command_to_another(works: Works) -> None:
    works.alarm("P1")
    works.deliver()
    body = json.loads(works.wire.published[0][1])
    works.wire.reply("P2", "stop", json.dumps(body).encode())
    works.actions.note_replies()
    found = {one.key: one for one in works.records.deliveries()}
    assert found[body["correlation"]].answer == "the broker has it"


def test_a_command_that_could_not_be_sent_in_time_is_never_sent(works: Works) -> None:
    works.wire.away = True
    works.alarm("P1")
    works.deliver()
    works.clock.now += 61 * SECOND
    works.wire.away = False
    works.deliver()
    topics = [topic for topic, *_ in works.wire.published]
    assert topics == ["twinfall/P1/_desired/speed"]  # a wish stands for as long as it takes
    states = {one.target: one.state for one in works.records.deliveries()}
    assert states["twinfall/P1/_command/stop"] == "expired"


def test_a_command_the_ontology_refuses_is_recorded_as_failed(make: Make) -> None:
    works = make(
        "version: 1\nrules: [{name: a, do: [{command: {name: open}}, {desired: {name: serial, "
        'value: "x"}}, {command: {name: setSpeed, payload: {speed: fast}}}]}]'
    )
    works.alarm("P1")
    answers = [one.answer or "" for one in works.records.deliveries()][::-1]
    assert "no command 'open'" in answers[0]
    assert "not writable" in answers[1]
    assert "speed" in answers[2]
    assert {one.state for one in works.records.deliveries()} == {"failed"}


def test_a_command_may_name_another_twin(make: Make) -> None:
    works = make(
        "version: 1\nrules: [{name: a, do: [{command: {name: reset, twin: '{twin}/motor'}},"
        " {command: {name: stop, twin: P2}}]}]"
    )
    works.alarm("P1")
    works.deliver()
    topics = {topic for topic, *_ in works.wire.published}
    assert topics == {"twinfall/P1/motor/_command/reset", "twinfall/P2/_command/stop"}


def test_while_the_store_is_away_alarms_are_kept_and_answered_later(works: Works) -> None:
    works.store.away = True
    id_ = works.alarm("T1")
    kept = works.records.alarm(id_)
    assert kept is not None
    assert kept.impact is None
    works.deliver()
    assert works.hooks == []
    works.store.away = False
    works.clock.now += 60 * SECOND
    works.deliver()
    assert len(works.hooks) == 1
    assert len(orders(works)) == 1
    kept = works.records.alarm(id_)
    assert kept is not None
    assert kept.impact is not None
    assert works.graph.store.work_orders(["T1"])


def test_an_alarm_of_a_twin_that_is_not_in_the_graph_is_kept(works: Works) -> None:
    kept = works.records.alarm(works.alarm("X9"))
    assert kept is not None
    assert kept.impact == {"problem": kept.impact["problem"]}  # type: ignore[index]
    assert "no twin 'X9'" in kept.impact["problem"]


def test_after_a_restart_what_waited_is_sent(works: Works) -> None:
    works.alarm("T1")
    works.actions.stop()
    works.open()
    works.deliver()
    assert len(works.hooks) == 1
    assert works.graph.store.work_orders(["T1"])


def test_without_a_policy_alarms_are_recorded_and_nothing_is_done(make: Make) -> None:
    works = make("")
    assert works.records.alarm(works.alarm("T1")) is not None
    assert works.records.deliveries() == []


def test_a_changed_policy_holds_from_the_next_alarm_on(works: Works) -> None:
    (works.folder / "policy.yaml").write_text(
        "version: 1\nrules: [{name: new, do: [{webhook: 'https://new.example.com/'}]}]"
    )
    works.alarm("T1")
    works.deliver()
    assert [hook.target for hook in works.hooks] == ["https://new.example.com/"]


def test_a_policy_changed_into_a_bad_one_is_told_and_the_old_one_holds(works: Works) -> None:
    (works.folder / "policy.yaml").write_text("version: 1\nrules: [{name: new, whne: {}}]")
    works.alarm("T1")
    works.deliver()
    assert len(works.hooks) == 1
    problem = works.actions.status()["policyProblem"]
    assert 'did you mean "when"?' in problem


def test_the_records_follow_what_their_source_knows(works: Works) -> None:
    """So that neither a crash nor a full disk between the two leaves an alarm behind."""
    standing = [
        Standing("T1", "watch:test", "warning", 5, {}),
        Standing("P2", "watch", "info", 6, {}),
    ]
    stale = works.alarm("P1")
    works.actions.alarm("P1", "limits", "warning", 9, {})
    works.actions.follow("watch", lambda: standing)
    works.actions.agree()
    found = {alarm.twin + alarm.source for alarm in works.records.alarms(Asked(open=True)).rows}
    assert found == {"T1watch:test", "P2watch", "P1limits"}
    kept = works.records.alarm(stale)
    assert kept is not None
    assert kept.cleared is not None
    lines = len(works.records.audit())
    works.actions.agree()
    assert len(works.records.audit()) == lines


# -- people ---------------------------------------------------------------------------

ANNA = Caller("anna", "request-1")


def test_a_work_order_opened_and_closed_by_hand_shows_in_the_graph(works: Works) -> None:
    order = works.actions.open_work_order("P1", "Grease the bearing", "low", ANNA)
    works.deliver()
    assert works.graph.store.work_orders(["P1"])[0].facts["openedBy"] == "anna"
    works.actions.close_work_order(order.id, "greased", ANNA)
    works.deliver()
    [node] = works.graph.store.work_orders(["P1"])
    assert (node.facts["state"], node.facts["note"]) == ("closed", "greased")


@pytest.mark.parametrize(
    ("twin", "title", "priority", "error"),
    [
        ("X9", "Look", "low", UnknownTwin),
        ("P1", " ", "low", BadInput),
        ("P1", "x" * 501, "low", BadInput),
        ("P1", "Look", "urgent", BadInput),
    ],
)
def test_a_bad_work_order_is_refused_and_leaves_no_line(
    works: Works, twin: str, title: str, priority: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        works.actions.open_work_order(twin, title, priority, ANNA)
    assert works.records.audit() == []


def test_each_deed_of_a_person_leaves_one_line_with_the_request(works: Works) -> None:
    alarm = works.alarm("P1", severity="info")
    before = len(works.records.audit())
    works.actions.acknowledge(alarm, "seen", ANNA)
    order = works.actions.open_work_order("P1", "Look", "low", ANNA)
    works.actions.close_work_order(order.id, "", ANNA)
    works.actions.desire("P1", "speed", 3.5, ANNA)
    for error in (BadInput, UnknownName):
        with pytest.raises(error):
            works.actions.desire("P1", "speed" if error is BadInput else "spede", "x", ANNA)
    lines = works.records.audit()[: -before or None]
    assert [line.what for line in lines] == [
        "setDesired",
        "closeWorkOrder",
        "openWorkOrder",
        "acknowledgeAlarm",
    ]
    assert {(line.who, line.request) for line in lines} == {("anna", "request-1")}


def test_a_wish_waits_for_the_broker_and_only_the_last_is_told(works: Works) -> None:
    works.wire.away = True
    for speed in (1.0, 2.0, 3.0):
        works.actions.desire("P1", "speed", speed, ANNA)
        works.deliver()
    works.wire.away = False
    works.clock.now += 3600 * SECOND
    works.deliver()
    assert works.wire.published == [("twinfall/P1/_desired/speed", b"3.0", True)]


def test_a_command_is_in_the_audit_even_where_nobody_answers(works: Works) -> None:
    with pytest.raises(Unavailable, match="has not answered"):
        works.actions.command("P1", "stop", None, 0.05, ANNA)
    assert [line.what for line in works.records.audit()] == ["sendCommand"]


# -- the live state -------------------------------------------------------------------


def test_what_gets_worse_stays_one_incident_with_one_work_order(works: Works) -> None:
    now = [Standing("T1", "state:degraded", "warning", 5, {}, exact=False)]
    works.actions.follow("state", lambda: now)
    works.actions.agree()
    now[:] = [Standing("T1", "state:failed", "critical", 9, {}, exact=False)]
    works.actions.agree()
    worse, first = works.records.alarms(Asked()).rows
    assert (first.source, worse.source) == ("state:degraded", "state:failed")
    assert worse.incident == first.incident
    assert first.cleared is not None
    assert len(orders(works)) == 1


def test_a_source_that_forgot_since_when_raises_nothing_anew(works: Works) -> None:
    now = [Standing("T1", "state:failed", "critical", 5, {}, exact=False)]
    works.actions.follow("state", lambda: now)
    works.actions.agree()
    now[:] = [Standing("T1", "state:failed", "critical", 70, {}, exact=False)]
    works.actions.agree()
    assert works.records.alarms(Asked()).total == 1


def test_a_state_that_comes_back_is_a_new_alarm(works: Works) -> None:
    now = [Standing("T1", "state:failed", "critical", 5, {}, exact=False)]
    works.actions.follow("state", lambda: now)
    works.actions.agree()
    again, now[:] = list(now), []
    works.actions.agree()
    assert works.records.alarms(Asked(open=True)).total == 0
    now[:] = again
    works.actions.agree()
    assert works.records.alarms(Asked(open=True)).total == 1
    assert works.records.alarms(Asked()).total == 2


def test_what_a_source_is_not_sure_about_stays_open(works: Works) -> None:
    ids = [works.alarm(twin) for twin in ("T1", "P1")]
    works.actions.follow("watch", list, lambda alarm: alarm.twin == "P1")
    works.actions.agree()
    assert [one.id for one in works.records.alarms(Asked(open=True)).rows] == ids[:1]
