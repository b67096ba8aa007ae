"""How a broker is reached: its address, our options, and what its socket is told."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from twinfall.ingestion.decoding.topics import PREFIX
from twinfall.ontology.errors import BadSettings


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """How to connect. The password belongs into `password` or the URL; neither is ever shown.

    `client_id` names the session that the broker keeps for us: it must stay the same from start to
    start, and differ between services on one broker. `session` is how long it is kept, in seconds.
    `receive_maximum` bounds the messages on their way to us: our back-pressure.
    """

    prefix: str = PREFIX
    template: str | None = None
    client_id: str = ""
    ca_file: str | None = None
    user: str = ""
    password: str = ""
    accept_retained: bool = False
    session: int = 7 * 86_400
    receive_maximum: int = 5_000

    def __repr__(self) -> str:
        return f"MqttOptions(prefix={self.prefix!r}, client_id={self.client_id!r})"


def without_delay(sock: Any) -> None:
    """Send small packets at once."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def cork(sock: Any, on: bool) -> None:
    """Hold small packets back so that many acknowledgements leave as one; where the system can."""
    option = getattr(socket, "TCP_CORK", None)
    if option is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, int(on))


def address_of(url: str) -> SplitResult:
    """The parts of the broker's URL; its password never gets into a message."""
    with contextlib.suppress(ValueError):
        address = urlsplit(url)
        _ = address.port  # raises where it is none
        if address.scheme in ("mqtt", "mqtts") and address.hostname:
            return address
    raise BadSettings(
        "is no address of an MQTT broker",
        path="TWINFALL_MQTT",
        cure="mqtt://host:1883, or mqtts://user:password@host:8883",
    )


def topic_of(message: Any) -> str:
    """The topic of a client's message."""
    try:
        return str(message.topic)
    except UnicodeDecodeError:
        return "\ufffd"  # brokers pass none on; it would be refused as a topic
