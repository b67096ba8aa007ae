"""The whole loop on real servers: a reading by MQTT, a limit, an alarm, its impact, a work order,
a webhook and a command, and back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.api.actions.plants import DEPENDENCIES, MODELS
from tests.api.actions.receiver import Receiver, receiver
from tests.api.running import Server, served, until
from tests.servers.mosquitto import Mosquitto, mosquitto

pytestmark = pytest.mark.usefixtures("needs_mosquitto")
POLICY = """
version: 1
rules:
  - name: no flow
    when: {model: Pump, state: failed, minCustomers: 100}
    do:
      - workOrder: {title: "Look at {twin}", priority: high}
      - webhook: WEBHOOK
      - command: {name: stop}
  - name: over
    when: {event: cleared}
    do: [{webhook: WEBHOOK}]
"""
LIMITS = {"flow": {"failed": {"min": 1.0}}}


class Pump:
    """A pump at the broker: tells its flow, hears commands and wishes, answers `setSpeed`."""

    def __init__(self, broker: Mosquitto, twin: str) -> None:
        self.heard: dict[str, Any] = {}
        self.twin = twin
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", broker.port)
        for kind in ("_command", "_desired"):
            self._client.subscribe(f"twinfall/{twin}/{kind}/#", qos=1)
        self._client.loop_start()

    def _hear(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        name = message.topic.rpartition("/")[2]
        told = json.loads(message.payload)
        if name == "setSpeed":
            answer = {"correlation": told["correlation"], "payload": told["payload"]["speed"]}
            self._client.publish(f"twinfall/{self.twin}/_reply/{name}", json.dumps(answer), qos=1)
        self.heard[name] = told

    def flow(self, value: float) -> None:
        self._client.publish(f"twinfall/{self.twin}/flow", json.dumps(value), qos=1)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Site:
    def __init__(self, server: Server, broker: Mosquitto, hooks: Receiver) -> None:
        self.server, self.broker, self.hooks = server, broker, hooks
        limited = json.loads(json.dumps(DEPENDENCIES))
        limited["interfaces"]["dtmi:works:Pump;1"] = {"asset": {"limits": LIMITS}}
        self.ask(
            "mutation($models: [JSON!]!, $limits: [JSON!]) {"
            " loadModels(documents: $models, dependencies: $limits) { loaded } }",
            models=MODELS,
            limits=[limited],
        )
        self.ask(
            'mutation { writeTwins(twins: [{id: "P1", model: "Pump", values: {motor: {}}},'
            ' {id: "T1", model: "Tank"}, {id: "H1", model: "Hospital"}]) { written errors { message'
            ' } } writeRelationships(relationships: [{source: "P1", name: "feeds", target: "T1"},'
            ' {source: "T1", name: "feeds", target: "H1"}]) { written } }'
        )

    def ask(self, query: str, **variables: Any) -> Any:
        answer = self.server.send(
            "POST",
            "/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"content-type": "application/json"},
        ).json
        assert "errors" not in answer, answer
        return answer["data"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with mosquitto() as broker, receiver() as hooks:
        data = tmp_path / "data"
        policy = tmp_path / "policy.yaml"
        policy.write_text(POLICY.replace("WEBHOOK", hooks.url()))
        settings = {
            "TWINFALL_MQTT": f"mqtt://127.0.0.1:{broker.port}",
            "TWINFALL_POLICY": str(policy),
            "TWINFALL_WEBHOOK_ALLOW": hooks.named,
            "TWINFALL_WEBHOOK_SECRET": "whsec_dGVzdA==",
        }
        with served(tmp_path, **settings) as server:
            assert not (data / "twinfall.policy.yaml").exists()
            yield Site(server, broker, hooks)
            assert server.stop() == 0


def test_a_failing_pump_leads_to_work_order_webhook_and_command(site: Site) -> None:
    pump = Pump(site.broker, "P1")

    def told() -> bool:
        pump.flow(0.0)  # again and again: the first may come before the service listens
        return bool(site.hooks.received)

    until(told)
    [hook] = site.hooks.received
    assert hook.json["type"] == "alarm.raised"
    assert hook.json["alarm"]["twin"] == "P1"
    assert hook.json["impact"]["customers"] == 200
    assert hook.json["workOrder"] == "WO-1"
    assert hook.headers["webhook-signature"].startswith("v1,")

    [alarm] = site.ask("{ alarms(open: true) { nodes { id twin source severity } } }")["alarms"][
        "nodes"
    ]
    assert (alarm["twin"], alarm["source"], alarm["severity"]) == ("P1", "state:failed", "critical")
    [order] = site.ask("{ workOrders { nodes { id twin title alarm } } }")["workOrders"]["nodes"]
    assert order == {"id": "WO-1", "twin": "P1", "title": "Look at P1", "alarm": alarm["id"]}
    until(lambda: "stop" in pump.heard)
    assert pump.heard["stop"]["payload"] is None

    pump.flow(6.0)
    until(lambda: len(site.hooks.received) == 2)
    assert site.hooks.received[1].json["type"] == "alarm.cleared"
    assert site.ask("{ alarms(open: true) { totalCount } }")["alarms"]["totalCount"] == 0
    pump.leave()


def test_a_command_and_a_wish_reach_the_pump_by_the_broker(site: Site) -> None:
    pump = Pump(site.broker, "P1")
    query = (
        'mutation { sendCommand(twin: "P1", name: "setSpeed", payload: {speed: 2.5}) {'
        " payload error problems } }"
    )
    reply = site.ask(query)["sendCommand"]
    assert reply == {"payload": 2.5, "error": None, "problems": []}
    site.ask('mutation { setDesired(twin: "P1", name: "speed", value: 7.5) { key } }')
    until(lambda: "speed" in pump.heard)
    pump.leave()
    late = Pump(site.broker, "P1")
    assert until(lambda: late.heard.get("speed")) == 7.5
    late.leave()
