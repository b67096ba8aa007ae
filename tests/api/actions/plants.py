"""A waterworks with commands: two pumps feed a tank, the tank a hospital."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.graph.test_records import Clock
from twinfall.api.actions.actions import Actions
from twinfall.api.actions.commands import Listener
from twinfall.api.actions.policyfile import PolicyFile
from twinfall.api.networks import LiveNetwork
from twinfall.graph.graph import Graph
from twinfall.graph.records import Delivery, Records
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ontology.errors import Unavailable

V3 = "dtmi:dtdl:context;3"


def _interface(name: str, *contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "@context": V3,
        "@id": f"dtmi:works:{name};1",
        "@type": "Interface",
        "contents": list(contents),
        **more,
    }


SPEED = {
    "@type": "Object",
    "fields": [{"name": "speed", "schema": "double"}, {"name": "ramp", "schema": "duration"}],
}
MODELS = [
    _interface(
        "Asset",
        {"@type": "Property", "name": "name", "schema": "string"},
        {"@type": "Relationship", "name": "feeds", "target": "dtmi:works:Asset;1"},
    ),
    _interface(
        "Pump",
        {"@type": "Property", "name": "speed", "schema": "double", "writable": True},
        {"@type": "Property", "name": "serial", "schema": "string"},
        {"@type": "Telemetry", "name": "flow", "schema": "double"},
        {"@type": "Command", "name": "stop"},
        {
            "@type": "Command",
            "name": "setSpeed",
            "request": {"name": "to", "schema": SPEED},
            "response": {"name": "reached", "schema": "double"},
        },
        {"@type": "Component", "name": "motor", "schema": "dtmi:works:Motor;1"},
        extends="dtmi:works:Asset;1",
    ),
    _interface("Motor", {"@type": "Command", "name": "reset"}),
    _interface("Tank", extends="dtmi:works:Asset;1"),
    _interface("Hospital", extends="dtmi:works:Asset;1"),
]
DEPENDENCIES = {
    "version": 1,
    "interfaces": {
        "dtmi:works:Asset;1": {"contents": {"feeds": {"dependent": "target", "rule": "any"}}},
        "dtmi:works:Hospital;1": {"asset": {"customers": 200, "services": ["health"]}},
    },
}


class AwayStore:
    """A real store that can be made to stay away."""

    def __init__(self) -> None:
        self.store = SQLiteStore(":memory:")
        self.away = False

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise Unavailable("the store is away")
        return getattr(self.store, name)


class Wire:
    """A link in memory: keeps what is published; `reply` lets an asset answer."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes, bool]] = []
        self.away = False
        self.topics = self
        self._listeners: list[Listener] = []
        self.on_publish: Callable[[str, bytes], None] = lambda *_: None

    def of(self, address: str, kind: str, name: str) -> str:
        return f"twinfall/{address}/{kind}/{name}"

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self.away:
            raise Unavailable("the MQTT broker is away", code="MQTT_UNAVAILABLE")
        self.published.append((topic, payload, retain))
        self.on_publish(topic, payload)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def reply(self, address: str, name: str, payload: bytes) -> None:
        for listener in self._listeners:
            listener(address, name, payload)


class Works:
    """Graph, records and actions over it; `hooks` keeps what webhooks were sent."""

    def __init__(self, folder: Path, policy: str = "") -> None:
        self.folder = folder
        self.store = AwayStore()
        self.graph = Graph(self.store)
        self.graph.load_models(MODELS, [DEPENDENCIES])
        motors: dict[str, Any] = {"motor": {}}
        twins = [TwinInput("P1", "Pump", motors), TwinInput("P2", "Pump", motors)]
        twins += [TwinInput("T1", "Tank"), TwinInput("H1", "Hospital")]
        self.graph.write_twins(twins)
        feeds = [("P1", "T1"), ("T1", "H1"), ("P2", "T1")]
        self.graph.write_relationships([RelationshipInput(a, "feeds", b) for a, b in feeds])
        self.clock = Clock()
        self.hooks: list[Delivery] = []
        self.wire = Wire()
        (folder / "policy.yaml").write_text(policy) if policy else None
        self.open()

    def open(self) -> None:
        records = Records(self.folder / "records.sqlite", now=self.clock)
        policy = PolicyFile(self.folder / "policy.yaml")
        networks = LiveNetwork(self.graph)
        self.actions = Actions(records, self.graph, networks, policy, self._hook, self.clock)
        self.actions.connect(self.wire)

    def _hook(self, delivery: Delivery) -> str:
        self.hooks.append(delivery)
        return "HTTP 200"

    @property
    def records(self) -> Records:
        return self.actions.records

    def deliver(self) -> None:
        while self.actions.courier.deliver_one():
            pass

    def alarm(self, twin: str = "T1", onset: int = 5, severity: Any = "warning") -> str:
        told = {"score": 1.5}
        return self.actions.alarm(twin, "watch:test", severity, onset, told)

    def close(self) -> None:
        self.actions.stop()
        self.store.store.close()
