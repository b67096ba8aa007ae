"""Messages between their arrival and their acknowledgement.

A batch is submitted as one frame and acknowledged when its receipt is there. What cannot be kept
now is tried again for ever, with growing pauses: it is the sender's broker that keeps it meanwhile.
What breaks a frame is found by submitting its messages one by one, and becomes a dead letter.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twinfall.ingestion.decoding.columns import MAX_RAW
from twinfall.ingestion.decoding.mqtt_frames import SOURCE, Message, MessageDecoder, raw_of
from twinfall.ingestion.frame import Fault, Frame, Receipt
from twinfall.ontology.errors import Unavailable

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
"""Seconds until what could not be kept is submitted again."""
log = logging.getLogger("twinfall.mqtt")


class Submitting(Protocol):
    """A pipeline, as far as a source needs it."""

    def submit(self, frame: Frame) -> Future[Receipt]:
        """See Pipeline.submit."""


@dataclass(slots=True)
class Batch:
    """Messages and what acknowledges each; `connection` numbers the one they came over."""

    messages: Sequence[Message]
    numbers: Sequence[int]
    connection: int
    future: Future[Receipt] | None = None
    tries: int = 0
    due: float = 0.0
    poison: bool = False
    parted: bool = False

    def part(self, which: Sequence[int]) -> Batch:
        """Some of its messages as a batch of their own."""
        messages = [self.messages[i] for i in which]
        return Batch(messages, [self.numbers[i] for i in which], self.connection, parted=True)


class Batches:
    """The batches under way, oldest first, and those that wait to be tried again.

    One thread uses it. `ready` is called, by any thread, when there may be something to settle.
    """

    def __init__(
        self,
        pipeline: Submitting,
        decoder: MessageDecoder,
        acknowledge: Callable[[Batch], None],
        ready: Callable[[], None],
    ) -> None:
        self._pipeline, self._decoder = pipeline, decoder
        self._acknowledge, self._ready = acknowledge, ready
        self._under_way: deque[Batch] = deque()
        self._held: list[Batch] = []
        self.stored = self.refused = self.bytes = self.messages = 0

    def __len__(self) -> int:
        return len(self._under_way) + len(self._held)

    @property
    def under_way(self) -> int:
        """Batches whose receipt is awaited."""
        return len(self._under_way)

    def take(self, messages: Sequence[Message], numbers: Sequence[int], connection: int) -> None:
        """Submit messages that came."""
        self.messages += len(messages)
        self.bytes += sum(len(payload) for _, payload in messages)
        self._submit(Batch(messages, numbers, connection))

    def settle(self, now: float) -> None:
        """Acknowledge what is kept, from the oldest on; try again what is due."""
        while self._under_way:
            future = self._under_way[0].future
            if future is None or not future.done():
                break
            self._settled(self._under_way.popleft(), future, now)
        for batch in [b for b in self._held if b.due <= now]:
            self._held.remove(batch)
            self._submit(batch)

    def next_due(self) -> float | None:
        """When something is to be tried again; None where nothing is."""
        return min((batch.due for batch in self._held), default=None)

    def _submit(self, batch: Batch) -> None:
        try:
            frame = self._poisoned(batch) if batch.poison else self._decoder.decode(batch.messages)
            batch.future = self._pipeline.submit(frame)
        except Exception as error:  # any: whatever it is, the message must not be lost
            batch.future = Future()
            batch.future.set_exception(error)
        self._under_way.append(batch)
        batch.future.add_done_callback(lambda _: self._ready())

    def _settled(self, batch: Batch, future: Future[Receipt], now: float) -> None:
        error = future.exception()
        if error is None:
            receipt = future.result()
            self.stored += receipt.stored
            self.refused += len(receipt.refused)
            self.messages -= len(batch.messages)
            self.bytes -= sum(len(payload) for _, payload in batch.messages)
            self._acknowledge(batch)
        elif isinstance(error, Unavailable):
            self._hold(self._without_known(batch, error), now, error)
        elif len(batch.messages) > 1:
            log.error("a group of messages could not be taken; one by one", exc_info=error)
            for i in range(len(batch.messages)):
                self._submit(batch.part([i]))
        elif not batch.poison:
            log.error("a message could not be taken", exc_info=error)
            batch.poison = True
            self._submit(batch)
        else:
            self._hold(batch, now, error)

    def _hold(self, batch: Batch, now: float, error: BaseException) -> None:
        pause = min(FIRST_PAUSE * 2**batch.tries, LONGEST_PAUSE)
        batch.tries = min(batch.tries + 1, 16)
        batch.due = now + pause
        self._held.append(batch)
        log.warning("%d messages wait to be kept: %s", len(batch.messages), error)

    def _without_known(self, batch: Batch, error: Unavailable) -> Batch:
        """What of a batch really needs the graph while it is away; the rest is submitted: readings
        of known series never wait for the graph.
        """
        if error.code != "STORE_UNAVAILABLE" or batch.parted:
            return batch
        topics = self._decoder.topics
        known = [i for i, (topic, _) in enumerate(batch.messages) if topics.known(topic)]
        if not known or len(known) == len(batch.messages):
            return batch
        self._submit(batch.part(known))
        chosen = set(known)
        return batch.part([i for i in range(len(batch.messages)) if i not in chosen])

    def _poisoned(self, batch: Batch) -> Frame:
        faults = [
            Fault(row, "POISON", "could not be read at all", raw=raw_of(message)[:MAX_RAW])
            for row, message in enumerate(batch.messages)
        ]
        return Frame(
            SOURCE,
            np.zeros(0, np.int32),
            [],
            np.zeros(0, np.int64),
            np.zeros(0, np.int32),
            lambda row: raw_of(batch.messages[row]),
            faults=faults,
        )
