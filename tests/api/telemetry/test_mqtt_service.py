"""A service that takes its readings from a real broker."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.publish as paho
import pytest

from tests.api.telemetry.test_readings import MODEL
from tests.servers.mosquitto import Mosquitto, mosquitto
from twinfall.api.services import Services
from twinfall.api.settings import Settings
from twinfall.graph.twins import TwinInput

WAIT_SECONDS = 20


@pytest.fixture
def broker(needs_mosquitto: None) -> Iterator[Mosquitto]:
    with mosquitto() as started:
        yield started


def wait(services: Services, stored: int) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while services.telemetry.status()["stored"] < stored and time.monotonic() < end:
        time.sleep(0.02)


@pytest.mark.timeout(60)
def test_readings_come_over_mqtt_and_wait_at_the_broker_while_we_are_away(
    tmp_path: Path, broker: Mosquitto
) -> None:
    settings = Settings(dir=tmp_path, mqtt=f"mqtt://127.0.0.1:{broker.port}")

    def publish(value: float) -> None:
        payload = json.dumps({"_value": value, "_time": 1_760_000_000_000 + int(value)})
        paho.single("twinfall/P1/flow", payload, qos=1, port=broker.port)

    services = Services(settings, tmp_path, "tests")
    services.open()
    services.graph.load_models([MODEL])
    services.graph.write_twins([TwinInput("P1", str(MODEL["@id"]), {})])
    end = time.monotonic() + WAIT_SECONDS
    while services.telemetry.status()["stored"] < 1 and time.monotonic() < end:
        publish(1.0)  # until the subscription stands
        time.sleep(0.1)
    services.close()
    publish(2.0)
    publish(3.0)

    again = Services(settings, tmp_path, "tests")
    again.open()
    try:
        before = again.telemetry.status()["stored"]
        wait(again, before + 2)
        assert again.telemetry.latest_of(["P1"])["P1"]["flow"].value == 3.0
    finally:
        again.close()
