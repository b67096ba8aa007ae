"""Playing a file of readings: as they were, faster, or as if they came in now.

With their own times, playing a file again changes nothing: a reading is known by twin, name and
time. A file that was cut off half-way is simply played again.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.frame import Fault, Frame, Receipt, row_of
from twinfall.ingestion.sources.batches import Submitting
from twinfall.ingestion.sources.files import Cell, Entry, FileForm, entries
from twinfall.ontology.errors import BadSettings, Unavailable

SOURCE = "replay"
READINGS_AT_ONCE = 5_000
UNDER_WAY = 4
TICK = 0.1
"""Seconds of the player's time in one batch, at a speed."""
OVERLOADED_PAUSE = 0.2
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_WORDS = {"true": True, "false": False}
Send = Callable[[Sequence[Entry]], "Future[Receipt]"]


@dataclass(frozen=True, slots=True)
class Replay:
    """How a file is played. `speed` 2 is twice as fast as it was; None: as fast as it is taken.

    `stamps`: `original` keeps the times of the file; `now` moves them so that the first reading is
    of the moment the play begins, the others after it at `speed`, which must be given.
    """

    speed: float | None = None
    stamps: Literal["original", "now"] = "original"
    form: FileForm = field(default_factory=FileForm)


@dataclass(slots=True)
class Played:
    """What became of a file so far: `until` is the latest source time, ns."""

    readings: int = 0
    stored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    until: int = 0


def replay(
    path: Path,
    pipeline: Submitting,
    catalogue: Catalogue,
    how: Replay | None = None,
    **more: Any,
) -> Played:
    """Play a file into a pipeline. `more`: see `play`."""
    return play(path, into(pipeline, catalogue), how or Replay(), **more)


def play(
    path: Path,
    send: Send,
    how: Replay,
    *,
    progress: Callable[[Played], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Played:
    """Play a file until it ends or `stop` is set; `progress` is told after every batch.

    Raises BadInput BAD_FILE, BadSettings for a speed that is none, and what `send` raises, save
    that it waits where too much is waiting already.
    """
    if how.speed is not None and not 0 < how.speed < float("inf"):
        raise BadSettings(f"a speed is a positive number, not {how.speed}", path="--speed")
    if how.speed is None and how.stamps == "now":
        raise BadSettings("times from now on would run ahead", path="--speed", cure="give a speed")
    stop = stop or threading.Event()
    played = Played()
    under_way: deque[tuple[Future[Receipt], Sequence[Entry]]] = deque()
    for batch in _batches(entries(path, how.form), how, stop):
        while len(under_way) >= UNDER_WAY:
            _finish(under_way, played, send)
            progress(played)
        played.until = max(played.until, max(entry.time for entry in batch))
        played.readings += len(batch)
        under_way.append((_sent(send, batch), batch))
    while under_way:
        _finish(under_way, played, send)
        progress(played)
    return played


def _sent(send: Send, batch: Sequence[Entry]) -> Future[Receipt]:
    while True:
        try:
            return send(batch)
        except Unavailable as error:
            if error.code != "OVERLOADED":
                raise
            time.sleep(OVERLOADED_PAUSE)


def _finish(
    under_way: deque[tuple[Future[Receipt], Sequence[Entry]]], played: Played, send: Send
) -> None:
    future, batch = under_way.popleft()
    while (error := future.exception()) is not None:
        if not isinstance(error, Unavailable) or error.code != "OVERLOADED":
            raise error
        time.sleep(OVERLOADED_PAUSE)
        future = _sent(send, batch)
    receipt = future.result()
    played.stored += receipt.stored
    played.refused.update(fault.code for fault in receipt.refused)


def _batches(source: Iterator[Entry], how: Replay, stop: threading.Event) -> Iterator[list[Entry]]:
    """Entries in groups, each given out when it is due."""
    clock = _Clock(how)
    batch: list[Entry] = []
    for entry in source:
        due = clock.due(entry)
        if batch and (len(batch) >= READINGS_AT_ONCE or due > clock.now):
            yield batch
            batch = []
            if not clock.wait(due, stop):
                return
        batch.append(clock.stamped(entry))
    if batch and not stop.is_set():
        yield batch


class _Clock:
    """When an entry is due, on the player's clock, and what time it is given."""

    def __init__(self, how: Replay) -> None:
        self._how = how
        self._first: int | None = None
        self._began_ns, self._began = time.time_ns(), time.monotonic()
        self.now = 0.0
        """Seconds since the beginning, up to which entries go into the batch at hand."""

    def _since(self, entry: Entry) -> float:
        if self._first is None and not entry.fault:
            self._first = entry.time
        return 0.0 if entry.fault else (entry.time - (self._first or 0)) / 1e9

    def due(self, entry: Entry) -> float:
        """In seconds since the beginning."""
        return 0.0 if self._how.speed is None else self._since(entry) / self._how.speed

    def wait(self, due: float, stop: threading.Event) -> bool:
        """Until then; False where the play is stopped."""
        if stop.wait(max(0.0, due - (time.monotonic() - self._began))):
            return False
        self.now = max(due, time.monotonic() - self._began) + (TICK if self._how.speed else 0.0)
        return True

    def stamped(self, entry: Entry) -> Entry:
        if self._how.stamps == "original" or entry.fault:
            return entry
        moved = self._began_ns + round(self.due(entry) * 1e9)
        return Entry(entry.line, entry.twin, entry.name, entry.value, moved, entry.unit)


def into(pipeline: Submitting, catalogue: Catalogue) -> Send:
    """Send entries to a pipeline; a cell of CSV becomes what its series takes."""

    def send(batch: Sequence[Entry]) -> Future[Receipt]:
        good = [entry for entry in batch if not entry.fault]
        learnt = catalogue.learn({(entry.twin, entry.name) for entry in good})
        series = [found if isinstance(found := learnt[e.twin, e.name], int) else -1 for e in good]
        values = [
            _as_kind(entry.value, catalogue.of(at).kind if at >= 0 else "")
            for entry, at in zip(good, series, strict=True)
        ]
        frame = Frame(
            SOURCE,
            np.array(series, np.int32),
            values,
            np.array([entry.time for entry in good], np.int64),
            np.arange(len(good), dtype=np.int32),
            lambda row: frame.alone(row, good[row].twin, good[row].name),
            {i: (e.twin, e.name) for i, e in enumerate(good) if series[i] < 0},
            {i: e.unit for i, e in enumerate(good) if e.unit},
            faults=[_fault(len(good), entry) for entry in batch if entry.fault],
        )
        return pipeline.submit(frame)

    return send


def rows_of(batch: Sequence[Entry]) -> bytes:
    """Entries as NDJSON for `POST /ingest`. One at fault is a row that is refused there, and so
    kept with its reason.
    """
    return b"\n".join(
        orjson.dumps({"twin": e.twin, "name": e.name, "fault": f"line {e.line}: {e.fault}"})
        if e.fault
        else row_of(e.twin, e.name, _as_kind(e.value, ""), time=e.time, unit=e.unit)
        for e in batch
    )


def _fault(row: int, entry: Entry) -> Fault:
    raw = row_of(entry.twin, entry.name, entry.value)
    code = "BAD_TIME" if entry.twin else "BAD_ROW"
    return Fault(row, code, f"line {entry.line}: {entry.fault}", entry.twin, entry.name, raw)


def _as_kind(value: Any, kind: str) -> Any:
    """A cell's text as what a series of this kind takes; of no kind, as what it looks like."""
    if not isinstance(value, Cell):
        return value
    text = str(value)
    if kind == "text":
        return text
    looks = text.strip()
    if kind == "json" or looks[:1] in ("{", "["):
        try:
            return orjson.loads(looks)
        except orjson.JSONDecodeError:
            return text
    if _WHOLE.fullmatch(looks):
        return int(looks)
    if _NUMBER.fullmatch(looks) and len(looks) < 400:
        return float(looks)
    return _WORDS.get(looks.lower(), text)
