"""Commands and desired values to assets, by MQTT: checked against the ontology, answered or not.

`twinfall/{address}/_command/{name}` carries `{"correlation", "payload"}`; the asset answers on
`.../_reply/{name}` with the same correlation. `.../_desired/{name}` is retained: an asset that was
away finds it when it comes back.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from twinfall.graph.graph import Graph
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.errors import BadInput, Problem, Unavailable, UnknownName, UnknownTwin
from twinfall.ontology.model import Content, Schema

MAX_AT_ONCE = 8
"""Commands that wait for their replies; each holds a thread of the service."""
MAX_SECONDS = 60.0
"""The longest wait for a reply."""
MAX_PAYLOAD = 65_536
"""Bytes of a command, a desired value or a reply."""
MAX_LATE = 1_000
"""Replies nobody waits for that are kept until they are noted."""
Listener = Callable[[str, str, bytes], None]


class Names(Protocol):
    """How topics are called."""

    def of(self, address: str, kind: str, name: str) -> str:
        """The topic of `_command`, `_reply` or `_desired` of a twin or component."""


class Link(Protocol):
    """The connection to assets, as `ingestion.sources.mqtt.MqttSource` is one."""

    @property
    def topics(self) -> Names:
        """How its topics are called."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Return when the broker has it; raises Unavailable."""

    def listen(self, listener: Listener) -> None:
        """Hear every reply: address, name, payload; quickly."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command that the ontology allows, and where it goes."""

    twin: str
    name: str
    topic: str
    payload: Any
    response: Schema | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What an asset answered; `error` in its own words, `problems` where the payload is not what
    the ontology promises.
    """

    payload: Any
    error: str | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class LateReply:
    """A reply nobody waits for: perhaps to a command of the outbox."""

    correlation: str
    topic: str
    text: str


@dataclass(slots=True)
class _Waiting:
    twin: str
    name: str
    answer: Future[dict[str, Any]] = field(default_factory=Future)


class Commands:
    """Sends commands and hears the replies; not connected, every use says so."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}
        self._late: deque[LateReply] = deque(maxlen=MAX_LATE)

    def connect(self, link: Link) -> None:
        """Send and hear over this connection."""
        self._link = link
        link.listen(self.hear)

    # -- what the ontology allows ---------------------------------------------------------

    def order(self, twin: str, name: str, payload: Any) -> Order:
        """A command, checked. Raises UnknownTwin, UnknownName, BadInput BAD_VALUE, and
        Unavailable where the store is away or no broker is set.
        """
        content = self._content(twin, name, "Command")
        if content.request is None and payload is not None:
            raise BadInput(
                f"the command {name} takes no payload", code="BAD_VALUE", path=f"{twin}/{name}"
            )
        if content.request is not None:
            self._check(content.request, payload, f"{twin}/{name}")
        topic = self._linked().topics.of(twin, "_command", name)
        return Order(twin, name, topic, payload, content.response)

    def wish(self, twin: str, name: str, value: Any) -> Order:
        """A desired value, checked: of a property that the model declares writable."""
        content = self._content(twin, name, "Property")
        if not content.writable:
            raise BadInput(
                f"the property {name} is not writable",
                code="NOT_ALLOWED",
                path=f"{twin}/{name}",
                cure="a model says `writable: true` of what an asset lets others set",
            )
        assert content.schema is not None
        self._check(content.schema, value, f"{twin}/{name}")
        return Order(twin, name, self._linked().topics.of(twin, "_desired", name), value)

    def _content(self, twin: str, name: str, kind: str) -> Content:
        node = self._graph.store.nodes([twin]).get(twin)
        if node is None:
            raise UnknownTwin(f"there is no twin {twin[:200]!r}", path=twin[:200])
        contents = self._graph.ontology.interfaces[node.model].contents
        content = contents.get(name)
        if content is None or content.kind != kind:
            known = [one for one, content in contents.items() if content.kind == kind]
            raise UnknownName(
                f"{twin} has no {kind.lower()} {name[:200]!r}",
                path=f"{twin}/{name[:200]}",
                cure=did_you_mean(name, known) or f"it has {', '.join(known) or 'none'}",
            )
        return content

    def _check(self, schema: Schema, value: Any, path: str) -> None:
        problems = self._graph.ontology.check_value(schema, value)
        if problems:
            first = problems[0]
            raise BadInput(
                first.message, code="BAD_VALUE", path=f"{path}{first.path}", cure=first.cure
            )
        if len(orjson.dumps(value)) > MAX_PAYLOAD:
            raise BadInput(f"it is larger than {MAX_PAYLOAD} bytes", code="TOO_LARGE", path=path)

    # -- on the wire ----------------------------------------------------------------------

    def ask(self, order: Order, seconds: float) -> Reply:
        """Send a command and wait for its reply.

        Raises Unavailable NO_REPLY after `seconds`: whether the asset acted is then not known, so
        it does not call itself retryable.
        """
        if not 0 < seconds <= MAX_SECONDS:
            raise BadInput(f"a reply is waited for up to {MAX_SECONDS:g} s, not {seconds:g} s")
        correlation, waiting = uuid.uuid4().hex, _Waiting(order.twin, order.name)
        with self._lock:
            if len(self._waiting) >= MAX_AT_ONCE:
                raise Unavailable(
                    f"{MAX_AT_ONCE} commands wait for their replies", code="OVERLOADED"
                )
            self._waiting[correlation] = waiting
        try:
            self.publish(order.topic, {"correlation": correlation, "payload": order.payload})
            answer = waiting.answer.result(seconds)
        except TooLate:
            late = Unavailable(
                f"{order.twin} has not answered {order.name} within {seconds:g} s",
                code="NO_REPLY",
                path=order.topic,
                cure="look at the asset before you send it again: it may have acted",
            )
            late.retryable = False
            raise late from None
        finally:
            with self._lock:
                del self._waiting[correlation]
        return self._reply(order, answer)

    def publish(self, topic: str, body: Any, *, retain: bool = False) -> None:
        """Publish a JSON value; returns when the broker has it."""
        self._linked().publish(topic, orjson.dumps(body), retain=retain)

    def hear(self, address: str, name: str, payload: bytes) -> None:
        """Take in a reply; what is none is left alone."""
        if len(payload) > MAX_PAYLOAD:
            return
        try:
            answer = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return
        correlation = answer.get("correlation") if isinstance(answer, dict) else None
        if not isinstance(correlation, str):
            return
        with self._lock:
            waiting = self._waiting.get(correlation)
            # An asset answers for itself only, whatever correlations it may have overheard.
            if waiting is not None and (waiting.twin, waiting.name) == (address, name):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)
                return
        if waiting is None:
            topic = self._linked().topics.of(address, "_command", name)
            self._late.append(LateReply(correlation, topic, payload.decode("utf-8", "replace")))

    def late_replies(self) -> list[LateReply]:
        """Those that came since the last call."""
        found = []
        while self._late:
            found.append(self._late.popleft())
        return found

    def _reply(self, order: Order, answer: dict[str, Any]) -> Reply:
        payload, error = answer.get("payload"), answer.get("error")
        problems: list[Problem] = []
        if order.response is not None and error is None:
            problems = self._graph.ontology.check_value(order.response, payload)
        return Reply(payload, None if error is None else str(error), tuple(problems))

    def _linked(self) -> Link:
        if self._link is None:
            raise Unavailable(
                "no MQTT broker is set", code="MQTT_UNAVAILABLE", cure="set TWINFALL_MQTT"
            )
        return self._link
