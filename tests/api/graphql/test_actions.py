"""Alarms, work orders, commands and the outbox in GraphQL, and who may do what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.api.actions.plants import Works
from twinfall.api.access import Access
from twinfall.api.graphql import GraphQLService

POLICY = """
version: 1
rules:
  - name: any
    do: [{workOrder: {title: "Look at {twin}"}}, {webhook: "https://hooks.example.com/secret?k=1"}]
"""
ALARMS = """query($open: Boolean, $twin: ID, $first: Int, $after: String) {
  alarms(open: $open, twin: $twin, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id twin source severity onset raised cleared acknowledgedBy acknowledgedAt note
            explanation impact incident } } }"""


class Room:
    """The works, their actions, and GraphQL over both."""

    def __init__(self, folder: Path) -> None:
        self.works = Works(folder, POLICY)
        self.service = GraphQLService(self.works.graph, actions=self.works.actions)
        self.blind = GraphQLService(self.works.graph)

    def answer(
        self, query: str, role: str = "operator", *, blind: bool = False, **given: Any
    ) -> dict[str, Any]:
        access = Access("anna", role)  # type: ignore[arg-type]
        service = self.blind if blind else self.service
        work = service.execute(query, given, None, access, "request-7", True)
        answer: dict[str, Any] = orjson.loads(asyncio.run(work).body)
        return answer

    def ask(self, query: str, role: str = "operator", **given: Any) -> Any:
        answer = self.answer(query, role, **given)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def code(self, query: str, role: str = "operator", *, blind: bool = False, **given: Any) -> str:
        [error] = self.answer(query, role, blind=blind, **given)["errors"]
        code: str = error["extensions"]["code"]
        return code


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.works.close()


def test_alarms_are_listed_with_impact_and_reason(room: Room) -> None:
    id_ = room.works.alarm("T1", 1_700_000_000_123_456_789)
    [alarm] = room.ask(ALARMS, "viewer", open=True)["alarms"]["nodes"]
    assert alarm["id"] == alarm["incident"] == id_
    assert (alarm["twin"], alarm["severity"], alarm["source"]) == ("T1", "warning", "watch:test")
    assert alarm["onset"] == "2023-11-14T22:13:20.123456789Z"
    assert alarm["explanation"] == {"score": 1.5}
    assert alarm["impact"]["customers"] == 200
    assert alarm["cleared"] is alarm["acknowledgedBy"] is alarm["note"] is None


def test_alarms_are_paged_from_the_newest(room: Room) -> None:
    ids = [room.works.alarm("T1", n) for n in range(5)]
    seen, after = [], None
    while True:
        page = room.ask(ALARMS, first=2, after=after)["alarms"]
        assert page["totalCount"] == 5
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ids[::-1]
    assert room.code(ALARMS, after="nonsense") == "BAD_QUERY"


def test_an_alarm_is_acknowledged_by_who_asks(room: Room) -> None:
    id_ = room.works.alarm("T1")
    done = room.ask(
        'mutation($id: ID!) { acknowledgeAlarm(id: $id, note: "on my way") {'
        " acknowledgedBy acknowledgedAt note } }",
        id=id_,
    )["acknowledgeAlarm"]
    assert (done["acknowledgedBy"], done["note"]) == ("anna", "on my way")
    assert done["acknowledgedAt"] is not None
    [line, *_] = room.ask("{ audit { what who subject request before after } }", "admin")["audit"]
    assert line == {
        "what": "acknowledgeAlarm",
        "who": "anna",
        "subject": id_,
        "request": "request-7",
        "before": line["before"],
        "after": line["after"],
    }
    assert line["before"] != line["after"]


def test_work_orders_are_opened_listed_and_closed(room: Room) -> None:
    alarm = room.works.alarm("T1")
    opened = room.ask('mutation { openWorkOrder(twin: "P1", title: "Grease") { id priority } }')
    assert opened["openWorkOrder"] == {"id": "WO-2", "priority": "normal"}
    query = """query($open: Boolean) { workOrders(open: $open) {
      nodes { id twin title alarm closedBy } } }"""
    nodes = room.ask(query, "viewer", open=True)["workOrders"]["nodes"]
    assert nodes == [
        {"id": "WO-2", "twin": "P1", "title": "Grease", "alarm": None, "closedBy": None},
        {"id": "WO-1", "twin": "T1", "title": "Look at T1", "alarm": alarm, "closedBy": None},
    ]
    room.ask('mutation { closeWorkOrder(id: "WO-1", note: "done") { closed } }')
    assert [n["id"] for n in room.ask(query, open=True)["workOrders"]["nodes"]] == ["WO-2"]
    assert [n["closedBy"] for n in room.ask(query, open=False)["workOrders"]["nodes"]] == ["anna"]


def test_a_command_is_sent_and_its_reply_handed_on(room: Room) -> None:
    def reply(topic: str, payload: bytes) -> None:
        told = {"correlation": json.loads(payload)["correlation"], "payload": "slow"}
        room.works.wire.reply("P1", "setSpeed", json.dumps(told).encode())

    room.works.wire.on_publish = reply
    done = room.ask(
        'mutation($payload: JSON) { sendCommand(twin: "P1", name: "setSpeed", payload: $payload,'
        ' timeout: "PT5S") { payload error problems } }',
        payload={"speed": 1.5},
    )["sendCommand"]
    assert done["payload"] == "slow"
    assert done["error"] is None
    assert len(done["problems"]) == 1


def test_a_command_without_reply_or_right_is_an_error(room: Room) -> None:
    stop = 'mutation { sendCommand(twin: "P1", name: "stop", timeout: "PT0.02S") { payload } }'
    assert room.code(stop) == "NO_REPLY"
    assert room.code(stop.replace("stop", "stpo")) == "UNKNOWN_NAME"
    assert room.code(stop.replace("PT0.02S", "P1M")) == "BAD_QUERY"
    assert room.code(stop, blind=True) == "STORE_UNAVAILABLE"


def test_a_wish_is_in_the_outbox_until_the_broker_has_it(room: Room) -> None:
    done = room.ask(
        'mutation { setDesired(twin: "P1", name: "speed", value: 2.5) { key kind state target } }'
    )["setDesired"]
    assert (done["kind"], done["state"]) == ("mqtt", "waiting")
    assert done["target"] == "twinfall/P1/_desired/speed"
    room.works.deliver()
    query = "{ outbox(state: done) { totalCount nodes { key state attempts answer next } } }"
    [node] = room.ask(query)["outbox"]["nodes"]
    assert node["key"] == done["key"]
    assert (node["attempts"], node["next"]) == (1, None)


def test_the_outbox_shows_no_path_of_a_webhook(room: Room) -> None:
    room.works.alarm("T1")
    answer = room.answer("{ outbox { nodes { key kind target answer } } }")
    targets = [n["target"] for n in answer["data"]["outbox"]["nodes"] if n["kind"] == "webhook"]
    assert targets == ["https://hooks.example.com"]
    assert "secret" not in json.dumps(answer)


def test_a_failed_delivery_can_be_sent_again(room: Room) -> None:
    room.works.alarm("T1")
    room.works.actions.courier.senders = {}
    records = room.works.records
    [key] = [one.key for one in records.deliveries() if one.kind == "webhook"]
    [hook] = [one for one in records.deliveries() if one.kind == "webhook"]
    with records.change("fail", key, who="tests") as change:
        change.finish(hook, "failed", "HTTP 404")
    query = "mutation($key: ID!) { sendAgain(key: $key) { state attempts } }"
    assert room.ask(query, key=key)["sendAgain"] == {"state": "waiting", "attempts": 0}
    assert room.code(query, key="nobody") == "UNKNOWN_NAME"


MUTATIONS = [
    'acknowledgeAlarm(id: "x") { id }',
    'openWorkOrder(twin: "P1", title: "x") { id }',
    'closeWorkOrder(id: "WO-1") { id }',
    'sendCommand(twin: "P1", name: "stop") { payload }',
    'setDesired(twin: "P1", name: "speed", value: 1) { key }',
    'sendAgain(key: "x") { key }',
]


@pytest.mark.parametrize("field", MUTATIONS)
@pytest.mark.parametrize("role", ["viewer", "ingest"])
def test_only_operators_may_act(room: Room, field: str, role: str) -> None:
    assert room.code(f"mutation {{ {field} }}", role) == "FORBIDDEN"
    assert room.works.records.audit() == []


def test_an_operator_may_not_change_the_graph_or_read_the_audit(room: Room) -> None:
    assert room.code('mutation { deleteTwins(ids: ["P1"]) { written } }') == "FORBIDDEN"
    assert room.code("{ audit { what } }") == "FORBIDDEN"
    assert room.code("{ outbox { totalCount } }", "viewer") == "FORBIDDEN"


@pytest.mark.parametrize("field", ["alarms { totalCount }", "workOrders { totalCount }"])
def test_where_no_records_are_kept_that_is_said(room: Room, field: str) -> None:
    assert room.code(f"{{ {field} }}", blind=True) == "STORE_UNAVAILABLE"
