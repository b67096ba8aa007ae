"""mqtts://: readings through TLS, and only from a broker whose certificate we trust."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingestion.pumps import history
from tests.ingestion.sources.test_mqtt_source import MS, until
from tests.servers.certificates import certificate
from tests.servers.mosquitto import Mosquitto, mosquitto
from twinfall.ingestion.sources.broker import MqttOptions
from twinfall.ingestion.sources.mqtt import MqttSource
from twinfall.ingestion.telemetry import Telemetry

pytestmark = pytest.mark.usefixtures("needs_mosquitto")
COUNT = 3_000


def _source(broker: Mosquitto, telemetry: Telemetry, ca: Path | None, name: str) -> MqttSource:
    options = MqttOptions(ca_file=None if ca is None else str(ca), client_id=name)
    url = f"mqtts://127.0.0.1:{broker.port}"
    return MqttSource(url, telemetry.pipeline, telemetry.catalogue, options)


def test_readings_come_through_tls_without_a_stop(telemetry: Telemetry, tmp_path: Path) -> None:
    """More in one piece than TLS hands out at once: what it has decrypted must not wait."""
    cert, key = certificate(tmp_path)
    with mosquitto(certfile=cert, keyfile=key) as broker:
        reader = _source(broker, telemetry, cert, "reader")
        writer = _source(broker, telemetry, cert, "writer")
        reader.start()
        writer.start()
        until(lambda: reader.connected and writer.connected)
        until(lambda: broker.log().count("Sending SUBACK") == 2)
        payload = ",".join(f'{{"_time":{MS + n},"flow":{n}}}' for n in range(COUNT))
        writer.publish("twinfall/P1", f"[{payload}]".encode())
        for n in range(20):
            writer.publish("twinfall/P2/flow", f'{{"_value":{n},"_time":{MS + n}}}'.encode())
        until(lambda: reader.status()["acknowledged"] == 21)
        assert len(history(telemetry, "P1", "flow")) == COUNT
        assert len(history(telemetry, "P2", "flow")) == 20
        assert writer.status()["received"] == 0  # its own come back to nobody
        reader.stop()
        writer.stop()


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # paho's
def test_a_certificate_of_an_authority_we_do_not_know_is_not_trusted(
    telemetry: Telemetry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = certificate(tmp_path)
    with mosquitto(certfile=cert, keyfile=key) as broker:
        source = _source(broker, telemetry, None, "stranger")
        source.start()
        until(lambda: "certificate verify failed" in caplog.text.lower())
        assert not source.connected
        source.stop()
