"""How the outbox is emptied: attempts, pauses, ends."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.graph.test_records import SECOND, Clock
from twinfall.api.actions.courier import (
    ENDLESS,
    LONGEST_PAUSE,
    MAX_ATTEMPTS,
    PATIENT_PAUSE,
    Courier,
    GiveUp,
    Patience,
    PutOff,
)
from twinfall.graph.records import Delivery, NewDelivery, Records
from twinfall.ontology.errors import BadInput, Unavailable


class Post:
    """An outbox with a courier whose sender does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.records = Records(folder / "records.sqlite", now=self.clock)
        self.sent: list[str] = []
        self.answer: Callable[[Delivery], str] = lambda _: "HTTP 200"
        self.courier = self.made()

    def made(self, patience: Patience | None = None) -> Courier:
        return Courier(
            self.records,
            {"webhook": self._send},
            (lambda _: patience) if patience else (lambda _: Patience()),
            self.clock,
            random.Random(7),
        )

    def _send(self, delivery: Delivery) -> str:
        self.sent.append(delivery.key)
        return self.answer(delivery)

    def put(self, key: str, target: str = "https://a", **more: object) -> None:
        with self.records.change("send", key, who="tests") as change:
            change.send(NewDelivery(key, "webhook", target, {"n": key}, **more))  # type: ignore[arg-type]

    def fail(self, error: BaseException) -> None:
        def answer(_: Delivery) -> str:
            raise error

        self.answer = answer

    def one(self) -> Delivery:
        [found] = self.records.deliveries()
        return found


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    made = Post(tmp_path)
    yield made
    made.courier.stop()
    made.records.close()


def test_what_is_delivered_is_done_and_not_sent_again(post: Post) -> None:
    post.put("k")
    assert post.courier.deliver_one()
    assert not post.courier.deliver_one()
    assert post.sent == ["k"]
    assert (post.one().state, post.one().answer, post.one().attempts) == ("done", "HTTP 200", 1)


def test_the_outcome_stands_in_the_audit(post: Post) -> None:
    post.put("good")
    post.courier.deliver_one()
    post.fail(GiveUp("HTTP 404"))
    post.put("bad")
    post.courier.deliver_one()
    lines = [(line.what, line.subject, line.who) for line in post.records.audit()]
    assert lines == [
        ("deliveryFailed", "bad", "outbox"),
        ("send", "bad", "tests"),
        ("delivered", "good", "outbox"),
        ("send", "good", "tests"),
    ]


def test_pauses_double_with_some_chance_up_to_an_hour(post: Post) -> None:
    post.put("k")
    post.fail(PutOff("HTTP 503"))
    pauses = []
    while post.courier.deliver_one():
        found = post.one()
        if found.state != "waiting":
            break
        pauses.append((found.next_at - post.clock.now) / SECOND)
        post.clock.now = found.next_at
    assert len(pauses) == MAX_ATTEMPTS - 1
    for n, pause in enumerate(pauses):
        whole = min(2.0 * 2**n, LONGEST_PAUSE)
        assert whole / 2 <= pause <= whole
    assert len({pause / min(2.0 * 2**n, LONGEST_PAUSE) for n, pause in enumerate(pauses)}) > 3


def test_after_the_last_attempt_a_delivery_has_failed(post: Post) -> None:
    post.put("k")
    post.fail(PutOff("HTTP 503"))
    for _ in range(MAX_ATTEMPTS + 5):
        post.courier.deliver_one()
        post.clock.now += round(LONGEST_PAUSE * SECOND)
    assert len(post.sent) == MAX_ATTEMPTS
    assert post.one().state == "failed"
    assert post.one().answer == f"given up after {MAX_ATTEMPTS} attempts: HTTP 503"


def test_a_receiver_says_how_long_to_wait(post: Post) -> None:
    post.put("k")
    post.fail(PutOff("HTTP 429", 600.0))
    post.courier.deliver_one()
    assert post.one().next_at == post.clock.now + 600 * SECOND


def test_a_final_refusal_is_not_tried_again(post: Post) -> None:
    for n, error in enumerate([GiveUp("HTTP 404"), BadInput("no public address")]):
        post.fail(error)
        post.put(f"k{n}")
        post.courier.deliver_one()
        post.clock.now += 10_000 * SECOND
        assert not post.courier.deliver_one()
    assert [one.state for one in post.records.deliveries()] == ["failed", "failed"]


def test_for_our_own_store_the_courier_waits_as_long_as_it_takes(post: Post) -> None:
    courier = post.made(ENDLESS)
    post.put("k")
    post.fail(Unavailable("the store is away"))
    for _ in range(3 * MAX_ATTEMPTS):
        assert courier.deliver_one()
        found = post.one()
        assert found.next_at - post.clock.now <= PATIENT_PAUSE * SECOND
        post.clock.now = found.next_at
    post.answer = lambda _: "there"
    assert courier.deliver_one()
    assert post.one().state == "done"


def test_what_is_too_late_is_not_sent(post: Post) -> None:
    post.put("k", expires=post.clock.now + SECOND)
    post.put("in time", expires=post.clock.now + 3 * SECOND)
    post.clock.now += SECOND
    while post.courier.deliver_one():
        pass
    assert post.sent == ["in time"]
    states = {one.key: one.state for one in post.records.deliveries()}
    assert states == {"k": "expired", "in time": "done"}


def test_a_bug_in_one_sender_holds_nobody_up(post: Post) -> None:
    post.put("k")
    post.fail(ZeroDivisionError())
    assert post.courier.deliver_one()
    assert post.one().state == "waiting"
    post.answer = lambda _: "fine"
    post.put("next", "https://b")
    assert post.courier.deliver_one()
    assert post.sent == ["k", "next"]


def test_an_attempt_that_ends_the_process_is_counted(post: Post) -> None:
    """Else one that always does would keep the service from ever starting."""
    post.put("k")
    post.fail(KeyboardInterrupt())  # what no handler of ours catches, as a kill would be
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            post.courier.deliver_one()
    assert post.courier.deliver_one()
    assert len(post.sent) == MAX_ATTEMPTS
    assert post.one().state == "failed"


def test_a_target_that_hangs_holds_up_nobody_else(post: Post) -> None:
    held, sent = threading.Event(), threading.Event()

    def answer(delivery: Delivery) -> str:
        if delivery.target == "https://hangs":
            assert held.wait(20)
        else:
            sent.set()
        return "fine"

    post.answer = answer
    for n in range(10):
        post.put(f"h{n}", "https://hangs")
    post.put("other", "https://other")
    courier = post.made()
    courier.start()
    assert sent.wait(20)
    assert [key for key in post.sent if key.startswith("h")] == ["h0"]
    held.set()
    courier.stop()


def test_what_is_put_in_while_the_courier_sleeps_wakes_it(post: Post) -> None:
    sent = threading.Event()

    def answer(_: Delivery) -> str:
        sent.set()
        return "fine"

    post.answer = answer
    courier = post.made()
    courier.start()
    post.put("k")
    assert sent.wait(20)
    courier.stop()


def test_a_stopped_courier_leaves_the_rest_for_the_next(post: Post) -> None:
    post.courier.stop()
    post.put("k")
    assert not post.courier.deliver_one()
    assert post.made().deliver_one()
    assert post.sent == ["k"]


def test_a_kind_nobody_sends_here_waits(post: Post) -> None:
    with post.records.change("send", "k", who="tests") as change:
        change.send(NewDelivery("k", "mqtt", "twinfall/P1/_command/stop", {}))
    assert post.courier.deliver_one()
    assert post.one().state == "waiting"
