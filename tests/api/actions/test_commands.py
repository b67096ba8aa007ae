"""Commands and desired values: what the ontology allows, and who may answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.actions.plants import Works
from twinfall.api.actions.commands import MAX_AT_ONCE, MAX_PAYLOAD, Commands
from twinfall.ontology.errors import BadInput, Unavailable, UnknownName, UnknownTwin


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    made = Works(tmp_path)
    yield made
    made.close()


def answering(works: Works, **answer: Any) -> None:
    """The asset answers at once."""

    def reply(topic: str, payload: bytes) -> None:
        _, twin, *_, name = topic.split("/")
        told = {"correlation": json.loads(payload)["correlation"], **answer}
        works.wire.reply(twin, name, json.dumps(told).encode())

    works.wire.on_publish = reply


def test_a_command_is_answered(works: Works) -> None:
    answering(works, payload=2.5)
    commands = works.actions.commands
    order = commands.order("P1", "setSpeed", {"speed": 2.5, "ramp": "PT5S"})
    reply = commands.ask(order, 5.0)
    assert (reply.payload, reply.error, reply.problems) == (2.5, None, ())
    [(topic, body, retain)] = works.wire.published
    assert topic == "twinfall/P1/_command/setSpeed"
    assert json.loads(body)["payload"] == {"speed": 2.5, "ramp": "PT5S"}
    assert not retain


def test_an_answer_that_the_ontology_did_not_promise_is_told_with_its_problem(
    works: Works,
) -> None:
    answering(works, payload="fast")
    commands = works.actions.commands
    reply = commands.ask(commands.order("P1", "setSpeed", {"speed": 1.0}), 5.0)
    assert reply.payload == "fast"
    assert len(reply.problems) == 1


def test_an_assets_refusal_is_handed_on(works: Works) -> None:
    answering(works, error="valve is open")
    commands = works.actions.commands
    reply = commands.ask(commands.order("P1", "stop", None), 5.0)
    assert reply.error == "valve is open"


def test_a_component_has_commands_of_its_own(works: Works) -> None:
    order = works.actions.commands.order("P1/motor", "reset", None)
    assert order.topic == "twinfall/P1/motor/_command/reset"


@pytest.mark.parametrize(
    ("twin", "name", "payload", "error", "message"),
    [
        ("X9", "stop", None, UnknownTwin, "no twin"),
        ("P1/engine", "reset", None, UnknownTwin, "no twin"),
        ("P1", "stpo", None, UnknownName, "no command"),
        ("P1", "flow", None, UnknownName, "no command"),
        ("P1", "motor", None, UnknownName, "no command"),
        ("P1", "stop", 1, BadInput, "takes no payload"),
        ("P1", "setSpeed", None, BadInput, "object"),
        ("P1", "setSpeed", {"speed": "fast"}, BadInput, "number"),
        ("P1", "setSpeed", {"speed": 1.0, "ramp": "soon"}, BadInput, "duration"),
        ("P1", "setSpeed", {"speed": 1.0, "more": 1}, BadInput, "more"),
        ("P1/_command", "stop", None, UnknownTwin, "no twin"),
        ("P1/#", "stop", None, UnknownTwin, "no twin"),
    ],
)
def test_what_the_ontology_does_not_allow_is_not_sent(
    works: Works, twin: str, name: str, payload: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        works.actions.commands.order(twin, name, payload)
    assert works.wire.published == []


def test_a_near_name_is_suggested(works: Works) -> None:
    with pytest.raises(UnknownName) as told:
        works.actions.commands.order("P1", "setSped", None)
    assert told.value.cure == 'did you mean "setSpeed"?'


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("serial", "x", BadInput),
        ("speed", "fast", BadInput),
        ("speed", True, BadInput),
        ("flow", 1.0, UnknownName),
        ("spede", 1.0, UnknownName),
    ],
)
def test_only_a_writable_property_can_be_wished_for(
    works: Works, name: str, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        works.actions.commands.wish("P1", name, value)
    assert works.actions.commands.wish("P1", "speed", 1.5).topic == "twinfall/P1/_desired/speed"


def test_no_answer_in_time_is_not_called_retryable(works: Works) -> None:
    commands = works.actions.commands
    with pytest.raises(Unavailable) as told:
        commands.ask(commands.order("P1", "stop", None), 0.02)
    assert told.value.code == "NO_REPLY"
    assert not told.value.retryable


@pytest.mark.parametrize("seconds", [0.0, -1.0, 61.0, float("nan"), float("inf")])
def test_a_reply_is_waited_for_within_bounds(works: Works, seconds: float) -> None:
    commands = works.actions.commands
    with pytest.raises(BadInput, match="waited for"):
        commands.ask(commands.order("P1", "stop", None), seconds)


def test_another_asset_cannot_answer(works: Works) -> None:
    def reply(topic: str, payload: bytes) -> None:
        correlation = json.loads(payload)["correlation"]
        told = json.dumps({"correlation": correlation, "payload": "forged"}).encode()
        works.wire.reply("P2", "stop", told)
        works.wire.reply("P1", "setSpeed", told)

    works.wire.on_publish = reply
    commands = works.actions.commands
    with pytest.raises(Unavailable, match="has not answered"):
        commands.ask(commands.order("P1", "stop", None), 0.05)


@pytest.mark.parametrize(
    "payload",
    [b"", b"no json", b"[]", b'"x"', b'{"payload": 1}', b'{"correlation": 1}', b"\xff\xfe"],
)
def test_what_is_no_reply_is_left_alone(works: Works, payload: bytes) -> None:
    works.wire.reply("P1", "stop", payload)
    works.wire.reply("P1", "stop", b'{"correlation": "' + b"x" * MAX_PAYLOAD + b'"}')
    assert works.actions.commands.late_replies() == []


def test_replies_that_nobody_waits_for_are_bounded(works: Works) -> None:
    for n in range(3000):
        works.wire.reply("P1", "stop", json.dumps({"correlation": f"c{n}"}).encode())
    assert len(works.actions.commands.late_replies()) == 1000


def test_only_some_commands_wait_at_once(works: Works) -> None:
    """Each holds a thread; the service must still answer questions."""
    commands = works.actions.commands
    order = commands.order("P1", "stop", None)
    waiting = threading.Semaphore(0)
    works.wire.on_publish = lambda *_: waiting.release()
    errors: list[Unavailable] = []

    def ask() -> None:
        try:
            commands.ask(order, 20.0)
        except Unavailable as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(MAX_AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=20)
    with pytest.raises(Unavailable) as told:
        commands.ask(order, 1.0)
    assert told.value.code == "OVERLOADED"
    for _, body, _ in list(works.wire.published):
        works.wire.reply("P1", "stop", body)
    for thread in threads:
        thread.join()
    assert errors == []


def test_without_a_broker_a_command_says_what_to_set(works: Works) -> None:
    with pytest.raises(Unavailable) as told:
        Commands(works.graph).order("P1", "stop", None)
    assert told.value.code == "MQTT_UNAVAILABLE"
    assert "TWINFALL_MQTT" in told.value.cure
