"""Readings from an MQTT broker: QoS 1, a persistent session, each acknowledged after its commit.

The one file that imports an MQTT client. One thread of ours owns the client: it reads what came,
submits it, and sends acknowledgements when receipts are there, so an acknowledgement can never get
into a connection other than that of its message. What a crash interrupts the broker sends again.
MQTT 5 (OASIS, 2019): sections 3.1.2.11 (session, receive maximum), 3.8.3.1 (options), 4.4.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import selectors
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding.mqtt_frames import MAX_PAYLOAD, Message, MessageDecoder
from twinfall.ingestion.decoding.topics import Topics, is_ours
from twinfall.ingestion.sources.batches import Batch, Batches, Submitting
from twinfall.ingestion.sources.broker import MqttOptions, address_of, cork, topic_of, without_delay
from twinfall.ontology.errors import BadInput, BadSettings, Unavailable

MESSAGES_AT_ONCE = 1_000
FRAMES_UNDER_WAY = 4
"""While so many wait for their receipts, what comes is gathered into the next one."""
MAX_BYTES = 64_000_000
"""Of payloads between arrival and acknowledgement; beyond it nothing more is read."""
KEEP_ALIVE, TICK = 30, 1.0
CONNECT_SECONDS = 5.0
STOP_SECONDS = 5.0
"""For what is under way when we are told to stop."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between attempts to connect: doubled each time, and the half of it by chance."""
STEADY_SECONDS = 10.0
"""A connection that held so long begins with the shortest pause again."""
PUBLISH_SECONDS = 5.0
NOT_RETAINED, RETAINED_AT_FIRST = 2, 1
SESSION_TAKEN_OVER = 0x8E
log = logging.getLogger("twinfall.mqtt")
Listener = Callable[[str, str, bytes], None]


@dataclass(frozen=True, slots=True)
class _Publication:
    topic: str
    payload: bytes
    retain: bool
    done: Future[None]


class MqttSource:
    """A connection that comes back by itself. Raises BadSettings for a bad URL or certificate."""

    def __init__(
        self,
        url: str,
        pipeline: Submitting,
        catalogue: Catalogue,
        options: MqttOptions | None = None,
    ) -> None:
        self._options = options = options or MqttOptions()
        address = address_of(url)
        self._host = address.hostname or ""
        self._port = address.port or (8883 if address.scheme == "mqtts" else 1883)
        self.topics = Topics(catalogue, options.prefix, options.template)
        decoder = MessageDecoder(catalogue, self.topics)
        self._batches = Batches(pipeline, decoder, self._acknowledge, self._wake)
        self._incoming: list[paho.MQTTMessage] = []
        self._incoming_bytes = 0
        self._outgoing: queue.SimpleQueue[_Publication] = queue.SimpleQueue()
        self._publishing: dict[int, Future[None]] = {}
        self._listeners: list[Listener] = []
        self._stopping, self._connected = threading.Event(), threading.Event()
        self._connection = self._received = self._acknowledged = self._ignored = 0
        self._refusal = ""
        self._client = self._made(address)
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def _made(self, address: SplitResult) -> paho.Client:
        options = self._options
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id or f"twinfall-{self.topics.prefix.replace('/', '-')}",
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_SECONDS
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_publish = self._on_subscribe, self._on_publish
        client.on_message = self._on_message
        # With this the client leaves writing to us: one write for many acknowledgements.
        client.on_socket_register_write = lambda *_: None
        user = options.user or unquote(address.username or "")
        if user:
            client.username_pw_set(user, options.password or unquote(address.password or ""))
        if address.scheme == "mqtts":
            try:
                client.tls_set(ca_certs=options.ca_file, tls_version=ssl.PROTOCOL_TLS_CLIENT)
            except (OSError, ssl.SSLError) as error:
                raise BadSettings(
                    f"the broker's certificate authority cannot be read: {error}",
                    path=options.ca_file or "TWINFALL_MQTT",
                    cure="name a file in PEM form",
                ) from error
        return client

    def start(self) -> None:
        """Connect in the background; a broker that is away is tried again for ever."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more, acknowledge what is stored within a few seconds, disconnect. The session
        stays: what was not acknowledged comes again at the next start.
        """
        self._stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS + CONNECT_SECONDS)
        self._woken.close()
        self._waker.close()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and still answers."""
        return self._connected.is_set()

    def status(self) -> dict[str, Any]:
        """Gauges and counters since the start: `connected`, `connections`, `received`, `waiting`
        (messages not acknowledged yet), `acknowledged`, `retained_ignored`, `stored` and `refused`
        (readings), `refusal` (why the broker does not take us, where it said so).
        """
        return {
            "connected": self.connected,
            "connections": self._connection,
            "received": self._received,
            "waiting": self._batches.messages + len(self._incoming),
            "acknowledged": self._acknowledged,
            "retained_ignored": self._ignored,
            "stored": self._batches.stored,
            "refused": self._batches.refused,
            "refusal": self._refusal,
        }

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1; returns when the broker has it. Raises Unavailable where it does not
        say so in time: it may have it all the same.
        """
        if not self.connected:
            raise Unavailable("the MQTT broker is away", code="MQTT_UNAVAILABLE")
        done: Future[None] = Future()
        self._outgoing.put(_Publication(topic, payload, retain, done))
        self._wake()
        try:
            done.result(PUBLISH_SECONDS)
        except TooLate:
            raise Unavailable("the MQTT broker does not answer", code="MQTT_UNAVAILABLE") from None

    def listen(self, listener: Listener) -> None:
        """Hear every reply to a command: address, name, payload. Called in the thread that reads:
        it must be quick.
        """
        self._listeners.append(listener)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # full: it will wake anyway
            self._waker.send(b"\0")

    # What follows runs in our thread only.

    def _run(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._connect()
                self._converse()
            except (OSError, ValueError) as error:
                log.warning("the MQTT broker at %s:%s: %s", self._host, self._port, error)
                # The client forgets the socket of a failed handshake; the frames here hold it open.
                traceback.clear_frames(error.__traceback__)
            except Exception:  # the loop must go on, whatever a client's bug may be
                log.exception("the MQTT connection failed")
            self._gone()
            tries = 0 if time.monotonic() - began > STEADY_SECONDS else tries + 1
            pause = min(SHORTEST_PAUSE * 2 ** min(tries, 10), LONGEST_PAUSE)
            self._idle(random.uniform(max(pause / 2, SHORTEST_PAUSE), pause))  # noqa: S311

    def _idle(self, seconds: float) -> None:
        """Wait without a connection; what was under way still gets kept."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stopping.wait(min(left, 0.25)):
            self._batches.settle(time.monotonic())

    def _connect(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._options.session
        properties.ReceiveMaximum = self._options.receive_maximum
        self._connection += 1
        self._client.connect(
            self._host, self._port, KEEP_ALIVE, clean_start=False, properties=properties
        )

    def _gone(self) -> None:
        """The connection is over: what came over it and is not submitted comes again."""
        self._connected.clear()
        self._incoming.clear()
        self._incoming_bytes = 0
        for future in self._publishing.values():
            future.set_exception(Unavailable("the broker is away", code="MQTT_UNAVAILABLE"))
        self._publishing.clear()

    def _converse(self) -> None:
        """Read, submit, acknowledge until the connection is over or we are told to stop."""
        sock = self._client.socket()
        if sock is None:
            return
        without_delay(sock)
        misc_at, deadline = 0.0, float("inf")
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            while self._client.socket() is sock:
                if self._waited(selector, sock) and not self._read():
                    return
                now = time.monotonic()
                self._batches.settle(now)
                self._take()
                self._publish_waiting()
                if now - misc_at > TICK:
                    self._client.loop_misc()
                    misc_at = now
                self._write(sock)
                if self._stopping.is_set():
                    deadline = min(deadline, now + STOP_SECONDS)
                    if not self._batches.under_way or now > deadline:
                        self._client.disconnect()
                        self._client.loop_write()
                        return

    def _waited(self, selector: selectors.BaseSelector, sock: Any) -> bool:
        """Wait until there is something to do; whether there is something to read."""
        wanted = selectors.EVENT_READ if self._has_room() else 0
        wanted |= selectors.EVENT_WRITE if self._client.want_write() else 0
        key = selector.get_map().get(sock)
        if key is not None and key.events != wanted:
            selector.unregister(sock)
        if wanted and (key is None or key.events != wanted):
            selector.register(sock, wanted)
        decrypted = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        due = self._batches.next_due()
        pause = TICK if due is None else min(TICK, max(0.0, due - time.monotonic()))
        events = selector.select(0 if decrypted and self._has_room() else pause)
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        readable = any(k.fileobj is sock and mask & selectors.EVENT_READ for k, mask in events)
        return readable or (decrypted and self._has_room())

    def _has_room(self) -> bool:
        waiting = self._batches.bytes + self._incoming_bytes
        full = waiting > MAX_BYTES or len(self._incoming) > 10 * MESSAGES_AT_ONCE
        return not full and not self._stopping.is_set()

    def _read(self) -> bool:
        """Read what is there, up to a bound; False where the connection is over."""
        for _ in range(MESSAGES_AT_ONCE):
            before = len(self._incoming)
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return False
            if len(self._incoming) == before:
                break
        return True

    def _take(self) -> None:
        while self._incoming and self._batches.under_way < FRAMES_UNDER_WAY:
            group = self._incoming[:MESSAGES_AT_ONCE]
            del self._incoming[:MESSAGES_AT_ONCE]
            messages: list[Message] = []
            numbers: list[int] = []
            for message in group:
                payload = bytes(message.payload)
                self._incoming_bytes -= len(payload)
                if self._is_reading(message, payload):
                    messages.append((topic_of(message), payload[: MAX_PAYLOAD + 1]))
                    numbers.append(message.mid if message.qos else 0)
                elif message.qos:
                    self._client.ack(message.mid, message.qos)
            self._received += len(group)
            if messages:
                self._batches.take(messages, numbers, self._connection)

    def _is_reading(self, message: paho.MQTTMessage, payload: bytes) -> bool:
        """Whether it is one; hands replies on. Retained messages are old values."""
        if message.retain and not self._options.accept_retained:
            self._ignored += 1
            return False
        topic = topic_of(message)
        if not is_ours(topic):
            return True
        reply = self.topics.of_reply(topic)
        if reply is not None:
            for listener in self._listeners:
                try:
                    listener(*reply, payload)
                except Exception:  # a listener's bug stops no reading
                    log.exception("a reply was not understood")
        return False

    def _acknowledge(self, batch: Batch) -> None:
        if batch.connection != self._connection or not self._client.is_connected():
            return  # the broker sends it again; stored is stored
        for number in batch.numbers:
            if number:
                self._client.ack(number, 1)
        self._acknowledged += len(batch.numbers)

    def _write(self, sock: Any) -> None:
        if not self._client.want_write():
            return
        cork(sock, True)
        self._client.loop_write()
        if self._client.socket() is sock:
            cork(sock, False)

    def _publish_waiting(self) -> None:
        while not self._outgoing.empty():
            out = self._outgoing.get()
            try:
                sent = self._client.publish(out.topic, out.payload, qos=1, retain=out.retain)
            except ValueError as error:  # a topic or payload that cannot be
                out.done.set_exception(BadInput(str(error), code="BAD_REQUEST"))
            else:
                self._publishing[sent.mid] = out.done

    def _on_connect(
        self, client: paho.Client, _data: Any, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            log.error("the MQTT broker at %s:%s refuses us: %s", self._host, self._port, reason)
            return
        self._refusal = ""
        retained = RETAINED_AT_FIRST if self._options.accept_retained else NOT_RETAINED
        options = SubscribeOptions(qos=1, noLocal=True, retainHandling=retained)
        client.subscribe([(topics, options) for topics in self.topics.filters])
        self._connected.set()
        kept = "with" if flags.session_present else "without"
        log.info("connected to %s:%s, %s a kept session", self._host, self._port, kept)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self._incoming.append(message)
        self._incoming_bytes += len(message.payload)

    def _on_subscribe(
        self, _client: Any, _data: Any, _mid: int, reasons: list[Any], _properties: Any
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                self._refusal = f"subscription: {reason}"
                log.error("the MQTT broker lets us read nothing: %s", reason)

    def _on_publish(
        self, _client: Any, _data: Any, mid: int, reason: Any, _properties: Any
    ) -> None:
        done = self._publishing.pop(mid, None)
        if done is None or done.done():
            return
        if reason.is_failure:
            done.set_exception(Unavailable(f"refused: {reason}", code="MQTT_UNAVAILABLE"))
        else:
            done.set_result(None)

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._connected.clear()
        if not self._stopping.is_set():
            log.warning("the MQTT broker at %s:%s is away: %s", self._host, self._port, reason)
        if getattr(reason, "value", 0) == SESSION_TAKEN_OVER:
            self._refusal = "another client uses our client id"
            log.error("another client connects with our client id; give one a different id")
