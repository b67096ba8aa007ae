"""The outbox against everything that can happen to it, in any order."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.graph.test_records import SECOND, Clock
from twinfall.api.actions.courier import MAX_ATTEMPTS, Courier, GiveUp, PutOff
from twinfall.graph.records import Delivery, NewDelivery, Records

FINAL = ("done", "failed", "expired", "superseded")


class Killed(BaseException):
    """The process ends here."""


class OutboxMachine(RuleBasedStateMachine):
    """Keys are put in, sent, refused, put off; the process dies before or after sending; time
    passes. What must hold is below.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.outcome = "ok"
        self.accepted: set[str] = set()
        self.unmarked: set[str] = set()
        """Accepted by the receiver when the process was killed, before the outbox knew."""
        self.ended: dict[str, str] = {}
        self.put_in: set[str] = set()
        self._open()

    def _open(self) -> None:
        path = Path(self.folder.name) / "records.sqlite"
        self.records = Records(path, now=self.clock)
        self.courier = Courier(
            self.records, {"webhook": self._send}, now=self.clock, chance=random.Random(1)
        )

    def _send(self, delivery: Delivery) -> str:
        assert delivery.key not in self.ended, "sent after its end"
        assert delivery.expires is None or delivery.expires > self.clock.now, "sent too late"
        if self.outcome == "killed before":
            raise Killed
        once = delivery.key not in self.accepted or delivery.key in self.unmarked
        assert once, "sent again though nothing was killed in between"
        assert delivery.payload == {"n": delivery.key}
        if self.outcome == "later":
            raise PutOff("HTTP 503")
        if self.outcome == "never":
            raise GiveUp("HTTP 404")
        self.accepted.add(delivery.key)
        if self.outcome == "killed after":
            self.unmarked.add(delivery.key)
            raise Killed
        return "HTTP 200"

    @rule(
        key=st.sampled_from("abcdefgh"),
        place=st.sampled_from(["https://x", "https://y"]),
        replaces=st.booleans(),
        lifetime=st.sampled_from([None, 3, 60]),
    )
    def put(self, key: str, place: str, replaces: bool, lifetime: int | None) -> None:
        expires = None if lifetime is None else self.clock.now + lifetime * SECOND
        new = NewDelivery(key, "webhook", place, {"n": key}, None, expires, replaces)
        with self.records.change("send", key, who="tests") as change:
            assert (change.send(new) is None) == (key in self.put_in)
        self.put_in.add(key)

    @rule(outcome=st.sampled_from(["ok", "later", "never", "killed before", "killed after"]))
    def deliver(self, outcome: str) -> None:
        self.outcome = outcome
        try:
            self.courier.deliver_one()
        except Killed:
            self.records.close()
            self._open()

    @rule(outcome=st.sampled_from(["ok", "never"]))
    def deliver_all(self, outcome: str) -> None:
        self.outcome = outcome
        while self.courier.deliver_one():
            pass

    @rule(seconds=st.sampled_from([1, 5, 100, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.now += seconds * SECOND

    @precondition(lambda self: self.ended)
    @rule(data=st.data())
    def try_again_by_hand(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.ended)))
        with self.records.change("sendAgain", key, who="tests") as change:
            again = change.send_again(key)
        assert again.state == (
            "waiting" if self.ended[key] in ("failed", "expired") else self.ended[key]
        )
        if again.state == "waiting":
            del self.ended[key]

    @rule()
    def restart(self) -> None:
        self.records.close()
        self._open()

    @invariant()
    def nothing_is_lost_and_no_end_is_left(self) -> None:
        found = {one.key: one for one in self.records.deliveries(first=100)}
        assert found.keys() == self.put_in
        for key, one in found.items():
            if key in self.ended:
                assert one.state == self.ended[key]
            elif one.state in FINAL:
                self.ended[key] = one.state
            if one.state == "done":
                assert key in self.accepted, "done and never sent"
            assert one.attempts <= MAX_ATTEMPTS

    @invariant()
    def the_audit_holds_together(self) -> None:
        assert self.records.first_broken_line() is None

    def teardown(self) -> None:
        self.records.close()
        self.folder.cleanup()


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
