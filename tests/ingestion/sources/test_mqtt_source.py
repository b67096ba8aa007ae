"""Readings from a real mosquitto: nothing acknowledged is lost, nothing is acknowledged early."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.ingestion.pumps import history, pumps
from tests.servers.mosquitto import Mosquitto, mosquitto
from twinfall.ingestion.frame import Frame, Receipt
from twinfall.ingestion.sources.broker import MqttOptions
from twinfall.ingestion.sources.mqtt import MqttSource
from twinfall.ingestion.telemetry import Telemetry
from twinfall.ontology.errors import BadSettings, Unavailable

pytestmark = pytest.mark.usefixtures("needs_mosquitto")
MS = 1_760_000_000_000
SECONDS = 30.0


def until(true: Callable[[], Any]) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Device:
    """A client as devices have one: what `publish` returns from, the broker has."""

    def __init__(self, broker: Mosquitto, **login: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if login:
            self._client.username_pw_set(login["user"], login["password"])
        self._client.on_message = lambda _c, _d, m: self.heard.append((m.topic, m.payload))
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def publish(self, topic: str, payload: Any, *, retain: bool = False, qos: int = 1) -> None:
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(topic, raw, qos=qos, retain=retain).wait_for_publish(SECONDS)

    def listen(self, topics: str) -> None:
        done = []
        self._client.on_subscribe = lambda *_: done.append(1)
        self._client.subscribe(topics, qos=1)
        until(lambda: done)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(needs_mosquitto: None) -> Iterator[Mosquitto]:
    with mosquitto() as started:
        yield started


@pytest.fixture
def device(broker: Mosquitto) -> Iterator[Device]:
    made = Device(broker)
    yield made
    made.close()


@contextmanager
def reading(
    broker: Mosquitto, telemetry: Telemetry, pipeline: Any = None, **options: Any
) -> Iterator[MqttSource]:
    """A source that is connected."""
    source = MqttSource(
        f"mqtt://127.0.0.1:{broker.port}",
        pipeline or telemetry.pipeline,
        telemetry.catalogue,
        MqttOptions(**options),
    )
    source.start()
    try:
        until(lambda: source.connected)
        until(lambda: _subscribed(broker))
        yield source
    finally:
        source.stop()


def _subscribed(broker: Mosquitto) -> bool:
    return "Sending SUBACK" in broker.log() or "SUBSCRIBE" in broker.log()


def _flow(n: int) -> dict[str, Any]:
    return {"_value": n, "_time": MS + n}


class Faulty:
    """A pipeline with a fault before it."""

    def __init__(self, telemetry: Telemetry, fault: Callable[[Frame], None]) -> None:
        self._telemetry, self._fault = telemetry, fault
        self.asked = 0

    def submit(self, frame: Frame) -> Future[Receipt]:
        self.asked += 1
        self._fault(frame)
        return self._telemetry.submit(frame)


def test_messages_are_stored_visible_and_acknowledged(
    broker: Mosquitto, device: Device, telemetry: Telemetry
) -> None:
    with reading(broker, telemetry) as source:
        device.publish("twinfall/P1/flow", _flow(1))
        device.publish("twinfall/P1/motor", [{"_time": MS, "temperature": 40, "vibration": 1}])
        device.publish("twinfall/P1/running", b"true")
        device.publish("twinfall/P1/flow", b"not JSON")
        until(lambda: source.status()["acknowledged"] == 4)
        told = source.status()
        assert (told["stored"], told["refused"], told["waiting"]) == (4, 1, 0)
        assert history(telemetry, "P1", "flow") == [((MS + 1) * 10**6, 1.0)]
        assert telemetry.latest_of(["P1/motor"])["P1/motor"]["temperature"].value == 40
        (letter,) = telemetry.dead_letters.page()
        assert (letter.code, letter.raw) == ("BAD_JSON", b"twinfall/P1/flow\nnot JSON")


def test_what_is_published_while_we_are_away_comes_when_we_are_back(
    broker: Mosquitto, device: Device, telemetry: Telemetry
) -> None:
    with reading(broker, telemetry):
        pass
    for n in range(50):
        device.publish("twinfall/P1/flow", _flow(n))
    with reading(broker, telemetry) as source:
        until(lambda: source.status()["acknowledged"] == 50)
    assert [value for _, value in history(telemetry, "P1", "flow")] == list(range(50))


def test_what_was_not_acknowledged_comes_again(
    broker: Mosquitto, device: Device, telemetry: Telemetry
) -> None:
    class Silent:
        def submit(self, _frame: Frame) -> Future[Receipt]:
            return Future()  # a disk that never answers

    with reading(broker, telemetry, Silent()) as source:
        for n in range(20):
            device.publish("twinfall/P1/flow", _flow(n))
        until(lambda: source.status()["received"] >= 20)
        assert source.status()["acknowledged"] == 0
    with reading(broker, telemetry) as source:
        until(lambda: source.status()["acknowledged"] == 20)
    assert [value for _, value in history(telemetry, "P1", "flow")] == list(range(20))


def test_a_broker_that_stops_and_starts_loses_and_doubles_nothing(
    broker: Mosquitto, telemetry: Telemetry
) -> None:
    with reading(broker, telemetry) as source:
        for round_ in range(3):
            device = Device(broker)
            for n in range(round_ * 100, round_ * 100 + 100):
                device.publish("twinfall/P1/flow", _flow(n))
            device.close()
            broker.stop()
            until(lambda: not source.connected)
            broker.start()
            until(lambda: source.connected)
        until(lambda: len(history(telemetry, "P1", "flow")) == 300)
    assert [value for _, value in history(telemetry, "P1", "flow")] == list(range(300))


def test_an_acknowledgement_never_reaches_another_connection(
    broker: Mosquitto, telemetry: Telemetry
) -> None:
    """The broker forgets its session: numbers begin anew, so an old one names a new message."""
    waiting: list[Future[Receipt]] = []

    class Slow:
        def submit(self, frame: Frame) -> Future[Receipt]:
            if len(waiting) < 1 and len(frame.values):
                waiting.append(Future())
                return waiting[0]
            return Future()

    with reading(broker, telemetry, Slow()) as source:
        device = Device(broker)
        device.publish("twinfall/P1/flow", _flow(1))
        until(lambda: waiting)
        device.close()
        broker.stop()
        (broker.home / "mosquitto.db").unlink()
        broker.start()
        until(lambda: source.status()["connections"] > 1 and source.connected)
        device = Device(broker)
        device.publish("twinfall/P1/flow", _flow(2))
        until(lambda: source.status()["received"] >= 2)
        waiting[0].set_result(Receipt(1))
        until(lambda: source.status()["stored"] == 1)
        assert source.status()["acknowledged"] == 0
        device.close()
    with reading(broker, telemetry) as source:
        until(lambda: history(telemetry, "P1", "flow") == [((MS + 2) * 10**6, 2.0)])


def test_a_full_disk_holds_messages_back_until_there_is_room(
    broker: Mosquitto, device: Device, telemetry: Telemetry
) -> None:
    full = [True]

    def fault(_frame: Frame) -> None:
        if full:
            raise Unavailable("no space left", code="DISK_FULL")

    with reading(broker, telemetry, Faulty(telemetry, fault)) as source:
        for n in range(10):
            device.publish("twinfall/P1/flow", _flow(n))
        until(lambda: source.status()["waiting"] == 10)
        assert source.status()["acknowledged"] == 0
        full.clear()
        until(lambda: source.status()["acknowledged"] == 10)
    assert len(history(telemetry, "P1", "flow")) == 10


def test_known_series_do_not_wait_for_a_graph_that_is_away(
    broker: Mosquitto, device: Device, telemetry: Telemetry
) -> None:
    telemetry.catalogue.learn([("P1", "flow")])
    away = [True]

    def fault(frame: Frame) -> None:
        if away and frame.unknown:
            raise Unavailable("the graph is away")

    with reading(broker, telemetry, Faulty(telemetry, fault)) as source:
        device.publish("twinfall/P1/flow", _flow(0))
        until(lambda: source.status()["acknowledged"] == 1)
        for n in range(1, 20):
            device.publish("twinfall/P1/flow", _flow(n))
            device.publish("twinfall/P2/flow", _flow(n))
        until(lambda: len(history(telemetry, "P1", "flow")) == 20)
        until(lambda: source.status()["waiting"] == 19)  # the last one comes after P1's last
        away.clear()
        until(lambda: source.status()["acknowledged"] == 39)
    assert len(history(telemetry, "P2", "flow")) == 19


def test_a_message_that_breaks_the_pipeline_becomes_a_dead_letter(
    broker: Mosquitto, device: Device, telemetry: Telemetry
) -> None:
    def fault(frame: Frame) -> None:
        if 13 in list(frame.values):
            raise ZeroDivisionError("a bug")

    with reading(broker, telemetry, Faulty(telemetry, fault)) as source:
        for n in range(10, 20):
            device.publish("twinfall/P1/flow", _flow(n))
        until(lambda: source.status()["acknowledged"] == 10)
    assert len(history(telemetry, "P1", "flow")) == 9
    (letter,) = telemetry.dead_letters.page()
    assert letter.code == "POISON"
    assert b'"_value": 13' in letter.raw


@pytest.mark.parametrize("accept", [True, False])
def test_retained_messages_are_old_values_unless_wanted(
    broker: Mosquitto, device: Device, telemetry: Telemetry, accept: bool
) -> None:
    device.publish("twinfall/P1/flow", _flow(1), retain=True)
    with reading(broker, telemetry, accept_retained=accept) as source:
        device.publish("twinfall/P2/flow", _flow(2))
        until(lambda: history(telemetry, "P2", "flow"))
        until(lambda: source.status()["waiting"] == 0)
    assert len(history(telemetry, "P1", "flow")) == int(accept)


def test_commands_go_out_and_replies_come_back(
    broker: Mosquitto, device: Device, telemetry: Telemetry
) -> None:
    heard: list[tuple[str, str, bytes]] = []
    device.listen("twinfall/+/_command/+")
    with reading(broker, telemetry) as source:
        source.listen(lambda *_: 1 / 0)  # a listener's bug stops nothing
        source.listen(lambda *told: heard.append(told))
        topic = source.topics.of("A%b+c#1", "_command", "start")
        source.publish(topic, b'{"correlation":"7"}')
        until(lambda: device.heard)
        assert device.heard == [("twinfall/A%25b%2Bc%231/_command/start", b'{"correlation":"7"}')]
        device.publish("twinfall/A%25b%2Bc%231/_reply/start", {"correlation": "7"})
        until(lambda: heard)
        assert heard == [("A%b+c#1", "start", b'{"correlation": "7"}')]
        assert telemetry.dead_letters.page() == []
        source.publish(source.topics.of("P1", "_desired", "speed"), b"3", retain=True)
    late = Device(broker)
    late.listen("twinfall/P1/_desired/#")
    until(lambda: late.heard)
    assert late.heard == [("twinfall/P1/_desired/speed", b"3")]
    late.close()


def test_a_template_reads_the_topics_of_others(
    broker: Mosquitto, device: Device, telemetry: Telemetry
) -> None:
    with reading(broker, telemetry, template="plant/+/{name}/of/{twin}") as source:
        heard: list[str] = []
        source.listen(lambda address, _name, _payload: heard.append(address))
        device.publish("plant/north/flow/of/P1", b"4")
        device.publish("plant/north/flow", b"5")
        device.publish("twinfall/P1/motor/_reply/x", b"{}")
        until(lambda: heard == ["P1/motor"])
        until(lambda: source.status()["stored"] == 1)
        assert source.status()["received"] == 2


def test_a_broker_that_wants_a_password_gets_it_and_no_log_does(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with mosquitto({"ann": "sesame%/1"}) as broker:
        wrong = MqttSource(
            f"mqtt://ann:guess@127.0.0.1:{broker.port}", telemetry.pipeline, telemetry.catalogue
        )
        wrong.start()
        until(lambda: wrong.status()["refusal"])
        assert not wrong.connected
        with pytest.raises(Unavailable, match="broker is away"):
            wrong.publish("twinfall/P1/_command/x", b"")
        wrong.stop()
        url = f"mqtt://ann:sesame%25%2F1@127.0.0.1:{broker.port}"
        source = MqttSource(url, telemetry.pipeline, telemetry.catalogue)
        source.start()
        until(lambda: source.connected)
        device = Device(broker, user="ann", password="sesame%/1")
        device.publish("twinfall/P1/flow", _flow(3))
        until(lambda: source.status()["acknowledged"] == 1)
        device.close()
        source.stop()
    assert "sesame" not in caplog.text
    assert "guess" not in caplog.text
    assert "sesame" not in repr(MqttOptions(password="sesame"))


def test_a_source_that_never_finds_its_broker_stops_at_once(telemetry: Telemetry) -> None:
    source = MqttSource("mqtt://127.0.0.1:1", telemetry.pipeline, telemetry.catalogue)
    source.start()
    until(lambda: source.status()["connections"])
    source.stop()
    assert not source.connected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:1883",
        "http://host",
        "mqtt://",
        "mqtt://host:port",
        "mqtt://[::1",
        "mqtt:host",
    ],
)
def test_an_address_that_is_none_is_said_at_the_start_without_its_password(
    telemetry: Telemetry, url: str
) -> None:
    with pytest.raises(BadSettings, match="is no address") as refused:
        MqttSource(url.replace("host", "u:secret@host"), telemetry.pipeline, telemetry.catalogue)
    assert "secret" not in str(refused.value)


def test_a_certificate_authority_that_is_no_file_is_said_at_the_start(
    telemetry: Telemetry, tmp_path: Path
) -> None:
    options = MqttOptions(ca_file=str(tmp_path / "nothing.pem"))
    with pytest.raises(BadSettings, match="cannot be read"):
        MqttSource("mqtts://host", telemetry.pipeline, telemetry.catalogue, options)


def test_a_stop_waits_for_what_is_under_way(
    broker: Mosquitto, device: Device, tmp_path: Path
) -> None:
    with pumps(tmp_path) as telemetry:
        with reading(broker, telemetry) as source:
            for n in range(200):
                device.publish("twinfall/P1/flow", _flow(n))
            until(lambda: source.status()["received"] == 200)
        told = source.status()
        assert told["acknowledged"] == 200
        assert len(history(telemetry, "P1", "flow")) == 200
