"""The courier: empties the outbox, at its own pace and on its own threads.

A delivery is attempted at least once and, where its sender tells of success, not again. Between
the attempt and the mark the process may die: then the delivery is attempted once more under the
same key, by which a receiver knows it. Whoever fills the outbox is never waited for.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from twinfall.graph.records import Delivery, DeliveryState, Records
from twinfall.ontology.errors import TwinError, Unavailable

THREADS = 4
"""A target that hangs holds up one of them; deliveries to one target go one after the other."""
SHORTEST_PAUSE = 2.0
LONGEST_PAUSE = 3600.0
MAX_ATTEMPTS = 16
"""With these pauses, over some six hours."""
PATIENT_PAUSE = 30.0
"""The longest pause where we wait for our own store or broker."""
IDLE_SECONDS = 5.0
"""Between looks into the outbox when nobody calls."""
STOP_SECONDS = 3.0
NANO = 1_000_000_000
log = logging.getLogger("twinfall.outbox")


class PutOff(Exception):
    """Not now: the message says why, `after` how many seconds to wait at least."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class GiveUp(Exception):
    """Never: trying again cannot help."""


Sender = Callable[[Delivery], str]
"""Delivers one; what was answered. Raises PutOff, GiveUp or a TwinError."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a kind of delivery is tried; `attempts` None: for ever."""

    attempts: int | None = MAX_ATTEMPTS
    longest: float = LONGEST_PAUSE


ENDLESS = Patience(None, PATIENT_PAUSE)


@dataclass(slots=True)
class Courier:
    """Sends what is due. `senders` by kind; `patience` by kind, where it is not the usual one."""

    records: Records
    senders: Mapping[str, Sender]
    patience: Callable[[Delivery], Patience] = lambda _: Patience()
    now: Callable[[], int] = time.time_ns
    chance: random.Random = field(default_factory=random.Random)
    _busy: set[str] = field(default_factory=set)
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _stopping: bool = False
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Deliver in the background from now on, what was left by an earlier run first."""
        self.records.on_send(self.wake)
        for number in range(THREADS):
            thread = threading.Thread(target=self._run, name=f"outbox-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Begin nothing more; wait a little for what is under way. The rest is sent after the next
        start, what was under way and took longer among it.
        """
        with self._turn:
            self._stopping = True
            self._turn.notify_all()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def wake(self) -> None:
        """Look into the outbox now."""
        with self._turn:
            self._turn.notify()

    def deliver_one(self) -> bool:
        """Attempt what is due next, in this thread; False where nothing is."""
        delivery = self._take()
        if delivery is None:
            return False
        try:
            self._deliver(delivery)
        finally:
            with self._turn:
                self._busy.discard(delivery.target)
                self._turn.notify()
        return True

    def _take(self) -> Delivery | None:
        with self._turn:
            delivery = None if self._stopping else self.records.due(self._busy)
            if delivery is not None:
                self._busy.add(delivery.target)
            return delivery

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.expires is not None and delivery.expires <= self.now():
            self._finish(delivery, "expired", delivery.answer or "its time was over")
            return
        most = self.patience(delivery).attempts
        if most is not None and delivery.attempts >= most:
            self._finish(delivery, "failed", f"{most} attempts did not come back")
            return
        self.records.begin(delivery)
        try:
            answer = self._attempt(delivery)
        except PutOff as reason:
            self._put_off(delivery, str(reason), reason.after)
        except GiveUp as reason:
            self._finish(delivery, "failed", str(reason))
        except Exception:  # a worker's loop: one delivery's bug must not hold up the others
            log.exception("delivery %s met a bug", delivery.key)
            self._put_off(delivery, "a bug in Twinfall; the log has more", 0.0)
        else:
            self._finish(delivery, "done", answer)

    def _attempt(self, delivery: Delivery) -> str:
        sender = self.senders.get(delivery.kind)
        if sender is None:
            raise PutOff(f"nothing here sends by {delivery.kind}")
        try:
            return sender(delivery)
        except Unavailable as error:
            raise PutOff(str(error)) from error
        except TwinError as error:
            raise GiveUp(str(error)) from error

    def _put_off(self, delivery: Delivery, reason: str, after: float) -> None:
        patience = self.patience(delivery)
        tried = delivery.attempts + 1
        if patience.attempts is not None and tried >= patience.attempts:
            self._finish(delivery, "failed", f"given up after {tried} attempts: {reason}")
            return
        pause = min(SHORTEST_PAUSE * 2 ** min(tried - 1, 20), patience.longest)
        pause = max(self.chance.uniform(pause / 2, pause), min(after, LONGEST_PAUSE))
        self.records.put_off(delivery, self.now() + round(pause * NANO), reason)

    def _finish(self, delivery: Delivery, state: DeliveryState, answer: str) -> None:
        what = {"done": "delivered", "expired": "deliveryExpired"}.get(state, "deliveryFailed")
        with self.records.change(what, delivery.key, who="outbox") as change:
            change.finish(delivery, state, answer)
        if state != "done":
            log.warning("delivery %s (%s) %s: %s", delivery.key, delivery.kind, state, answer)

    # -- the threads ----------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            try:
                if not self.deliver_one():
                    self._wait()
            except TwinError as error:
                log.error("the outbox cannot be worked on: %s", error)
                self._pause(IDLE_SECONDS)

    def _wait(self) -> None:
        """Until something may be due."""
        with self._turn:
            due = self.records.next_due(self._busy)
            seconds = IDLE_SECONDS if due is None else (due - self.now()) / NANO
            if not self._stopping and seconds > 0:
                self._turn.wait(min(seconds, IDLE_SECONDS))

    def _pause(self, seconds: float) -> None:
        with self._turn:
            if not self._stopping:
                self._turn.wait(seconds)
