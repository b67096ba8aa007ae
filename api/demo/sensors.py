"""The demo's thread: it fills in a past once, then lets the sensors speak."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twinfall.api.demo import city_rows
from twinfall.api.demo.city_day import CityDay
from twinfall.api.demo.feeding import Feed
from twinfall.api.demo.plant import NORMAL, SAMPLE_SECONDS, plant_run, plant_variables
from twinfall.api.demo.story import story
from twinfall.ontology.errors import Unavailable

if TYPE_CHECKING:
    from twinfall.ingestion.telemetry import Telemetry

    from twinfall.api.services import Services

SPEED = 180.0
"""The plant's samples are three minutes apart: at this speed they come every second."""
MAX_SPEED = 18_000.0
CITY_SECONDS = 5.0
CITY_PAST_SECONDS, CITY_PAST_STEP = 86_400, 600
"""How much of the city's past the first start fills in, and how densely."""
CHUNK = 50
"""Rows of the past submitted together."""
RETRY_SECONDS = 0.5
PAST = "demo.past"
"""A file in the data folder: the past was filled in."""
SECOND = 10**9
log = logging.getLogger("twinfall.demo")

Rows = Sequence[Sequence[float]]


class Sensors:
    """Speaks from `__enter__` to `__exit__`. `tell` gets a line when the plant's story turns;
    `learn` is called once, when the past is filled in, before the story begins.
    """

    def __init__(
        self,
        services: Services,
        *,
        speed: float = SPEED,
        tell: Callable[[str], None] = lambda _: None,
        learn: Callable[[Services, int], None] = lambda *_: None,
    ) -> None:
        self._services = services
        self._tell = tell
        self._learn = learn
        self._step = SAMPLE_SECONDS / min(speed, MAX_SPEED)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-sensors", daemon=True)

    def __enter__(self) -> Sensors:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            telemetry = self._telemetry()
            if telemetry is not None:
                plant = Feed(telemetry, [(v.twin, v.name) for v in plant_variables()])
                day = CityDay(city_rows())
                city = Feed(telemetry, day.keys)
                self._fill_in(plant, city, day)
                self._learn(self._services, round(self._step * SECOND))
                self._speak(plant, city, day)
        except Exception:
            # The edge of the thread: whatever ends it must be seen.
            log.exception("the demo's sensors fell silent")

    def _telemetry(self) -> Telemetry | None:
        """The service's, as soon as the store can be reached; None when stopped before."""
        while not self._stop.is_set():
            try:
                return self._services.telemetry
            except Unavailable:
                self._stop.wait(RETRY_SECONDS)
        return None

    def _fill_in(self, plant: Feed, city: Feed, day: CityDay) -> None:
        """At the first start, the normal run and a day of the city stand behind the present."""
        mark = self._services.folder / PAST
        if mark.exists():
            return
        now = time.time()
        normal = plant_run(NORMAL).tolist()
        first = math.floor(now / self._step) - len(normal)
        self._submit(plant, [self._at(first + i) for i in range(len(normal))], normal)
        start = math.floor(now / CITY_PAST_STEP) * CITY_PAST_STEP - CITY_PAST_SECONDS
        times = range(start, start + CITY_PAST_SECONDS, CITY_PAST_STEP)
        self._submit(city, [t * SECOND for t in times], [day.at(t).tolist() for t in times])
        if not self._stop.is_set():
            mark.write_text("the normal run of the plant, a day of the city\n", encoding="utf-8")

    def _at(self, tick: int) -> int:
        """Time of the plant's sample of that number since 1970, ns."""
        return round(tick * self._step * SECOND)

    def _submit(self, feed: Feed, times: Sequence[int], rows: Rows) -> None:
        for start in range(0, len(times), CHUNK):
            part = slice(start, start + CHUNK)
            while not self._stop.is_set() and not self._said(feed, times[part], rows[part]):
                self._stop.wait(RETRY_SECONDS)

    def _said(self, feed: Feed, times: Sequence[int], rows: Rows) -> bool:
        try:
            feed.say(times, rows)
        except (Unavailable, TimeoutError) as error:
            log.warning("readings of the demo were not taken: %s", error)
            return False
        return True

    def _speak(self, plant: Feed, city: Feed, day: CityDay) -> None:
        samples = story()
        tick = math.floor(time.time() / self._step) + 1
        city_at = math.ceil(time.time() / CITY_SECONDS) * CITY_SECONDS
        while not self._stop.wait(max(0.0, min(tick * self._step, city_at) - time.time())):
            now = time.time()
            if now >= tick * self._step:
                sample = next(samples)
                if sample.begins:
                    self._tell(sample.begins)
                self._said(plant, [self._at(tick)], [sample.values.tolist()])
                # Ticks missed while the machine slept are not made up for.
                tick = max(tick + 1, math.floor(time.time() / self._step))
            if now >= city_at:
                self._said(city, [round(city_at * SECOND)], [day.at(city_at).tolist()])
                city_at = max(city_at + CITY_SECONDS, math.floor(now / CITY_SECONDS) * CITY_SECONDS)
