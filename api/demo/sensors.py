"""The demo's thread: it fills in a past once, then lets the sensors speak."""

from __future__ import annotations

import logging
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
    from twinfall.api.services import Services
    from twinfall.ingestion.telemetry import Telemetry

SPEED = 180.0
"""The plant's samples are three minutes apart: at this speed they come every second."""
MAX_SPEED = 18_000.0
CITY_STEP = 5 * 10**9
"""ns between two readings of each of the city's sensors."""
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
    `learn` is called once, when the past is filled in, before the story begins; `start_up` when
    the plant is to be started after a fault, and says whether it then runs.
    """

    def __init__(
        self,
        services: Services,
        *,
        speed: float = SPEED,
        tell: Callable[[str], None] = lambda _: None,
        learn: Callable[[Services, int], None] = lambda *_: None,
        start_up: Callable[[Services], bool] = lambda _: False,
    ) -> None:
        self._services = services
        self._tell = tell
        self._learn = learn
        self._start_up = start_up
        self._step = round(SAMPLE_SECONDS / min(speed, MAX_SPEED) * SECOND)  # ns: exact on the grid
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
                self._learn(self._services, self._step)
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
        now = time.time_ns()
        normal = plant_run(NORMAL).tolist()
        first = now // self._step - len(normal)
        self._submit(plant, [(first + i) * self._step for i in range(len(normal))], normal)
        start = now // SECOND // CITY_PAST_STEP * CITY_PAST_STEP - CITY_PAST_SECONDS
        times = range(start, start + CITY_PAST_SECONDS, CITY_PAST_STEP)
        self._submit(city, [t * SECOND for t in times], [day.at(t).tolist() for t in times])
        if not self._stop.is_set():
            mark.write_text("the normal run of the plant, a day of the city\n", encoding="utf-8")

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
        plant_at, city_at = self._next(self._step), self._next(CITY_STEP)
        while not self._stop.wait(max(0, min(plant_at, city_at) - time.time_ns()) / SECOND):
            now = time.time_ns()
            if now >= plant_at:
                sample = next(samples)
                if sample.begins:
                    self._tell(sample.begins)
                self._said(plant, [plant_at], [sample.values.tolist()])
                if sample.starts and self._start_up(self._services):
                    self._tell("started up: all of the plant runs again")
                # What was missed while the machine slept is not made up for.
                plant_at = max(plant_at + self._step, self._next(self._step) - self._step)
            if now >= city_at:
                self._said(city, [city_at], [day.at(city_at / SECOND).tolist()])
                city_at = max(city_at + CITY_STEP, self._next(CITY_STEP) - CITY_STEP)

    def _next(self, step: int) -> int:
        """The next multiple of the step since 1970, ns."""
        return (time.time_ns() // step + 1) * step
