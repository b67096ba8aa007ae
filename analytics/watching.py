"""The learned watch: readings in columns come in, alarms and health per asset come out.

A `Watch` holds one detector per model type and follows the assets it is told of. Readings are
aligned to samples by their source time and all assets of a model are scored by one call. Files
in its folder keep the detectors and the alarms that stand; what a detector remembers of the last
samples comes back by feeding the last readings again (`refill`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.alarms import Alarm, Symptom
from twinfall.analytics.detectors import Normal, Recipe, load, save
from twinfall.analytics.detectors.detector import Floats, Warmth
from twinfall.analytics.membership import Asset
from twinfall.analytics.standing import StandingAlarms
from twinfall.analytics.training import Trace, train
from twinfall.analytics.watched import Watched
from twinfall.ontology.errors import BadInput, UnknownName

log = logging.getLogger("twinfall.watch")

MAX_SERIES = 10_000_000

Key = Callable[[int], tuple[str, str]]
"""A series' address and reading name."""


@dataclass(frozen=True, slots=True)
class Health:
    """How an asset does. `value` is 0..100, 100 being as in training; None while unknown.

    `state`: COLD (too few samples yet), UNKNOWN (too few sensors speak), NORMAL, or ALARM.
    """

    twin: str
    model: str
    value: float | None
    state: Literal["COLD", "UNKNOWN", "NORMAL", "ALARM"]
    score: float | None
    warmth: Warmth
    at: int
    """Time of the newest sample, ns; 0 before the first."""
    symptoms: tuple[Symptom, ...] = ()
    """The sensors that explain the score, the largest share first; also while all is well."""


class Watch:
    """Detectors at work. Safe for threads; alarms are told after the lock is let go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = RLock()
        self._models: dict[str, Watched] = {}
        self._assets: dict[str, list[Asset]] = {}
        self._listeners: list[Callable[[Alarm], None]] = []
        self._key: Key | None = None
        self._standing = StandingAlarms(folder / "alarms.json")
        self.unreadable: dict[str, str] = {}
        """Manifests that could not be loaded, and why."""
        for manifest in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            if manifest != self._standing.path:
                self._load(manifest)

    def bind(self, key: Key) -> None:
        """How to find the address and reading name of a series, as the catalogue knows them."""
        with self._lock:
            self._key = key
            for watched in self._models.values():
                watched.forget_series()

    def listen(self, listener: Callable[[Alarm], None]) -> None:
        """Tell of every alarm raised or cleared, on the thread that observed it."""
        self._listeners.append(listener)

    # Assets and detectors

    def follow(self, model: str, assets: Iterable[Asset]) -> None:
        """Watch these assets of a model, besides those watched already.

        Kept for when the model's detector is trained later. An asset told again has its parts
        replaced.
        """
        with self._lock:
            known = {asset.twin: asset for asset in self._assets.get(model, ())}
            known.update((asset.twin, asset) for asset in assets)
            self._assets[model] = list(known.values())
            if model in self._models:
                self._models[model].follow(self._assets[model])

    def leave(self, twins: Iterable[str]) -> None:
        """Watch these no more, as when they are deleted; alarms of theirs stand no more."""
        gone = set(twins)
        with self._lock:
            for model, assets in self._assets.items():
                kept = [asset for asset in assets if asset.twin not in gone]
                if len(kept) < len(assets):
                    self._assets[model] = kept
                    if model in self._models:
                        self._models[model].follow(kept)
            forgotten = [self._standing.forget(twin) for twin in gone]
            if any(forgotten):
                self._standing.save()

    def assets(self, model: str) -> list[Asset]:
        """Those followed."""
        with self._lock:
            return list(self._assets.get(model, ()))

    def detectors(self) -> Mapping[str, Normal]:
        """The detector of each model that has one."""
        with self._lock:
            return {model: watched.detector for model, watched in self._models.items()}

    def detector(self, model: str) -> Normal:
        """The model's detector. Raises UnknownName where it has none."""
        with self._lock:
            if model not in self._models:
                raise UnknownName(
                    f"no detector for {model}", cure="train one on a healthy period first"
                )
            return self._models[model].detector

    def train(
        self,
        model: str,
        histories: Mapping[str, Sequence[Trace]],
        *,
        every: int | None = None,
        recipe: Recipe | None = None,
    ) -> Normal:
        """Learn from the twins' healthy histories, keep the detector and watch with it.

        Raises BadInput where there is too little to learn from; the old detector then stays.
        """
        detector = train(model, histories, every=every, recipe=recipe)
        self.adopt(detector)
        return detector

    def adopt(self, detector: Normal) -> None:
        """Keep this detector and watch its model with it from now on."""
        if not detector.every > 0:
            raise BadInput(
                f"{detector.model}: the sample period is unknown", cure="give `every` in training"
            )
        with self._lock:
            save(detector, detector.model, self._folder)
            self._install(detector)

    def _load(self, manifest: Path) -> None:
        try:
            self._install(load(manifest))
        except BadInput as err:
            # One bad file must not stop the watch of all other models, or the service.
            self.unreadable[manifest.name] = str(err)
            log.error("a detector could not be loaded: %s", err)

    def _install(self, detector: Normal) -> None:
        watched = Watched(detector, self._standing)
        watched.follow(self._assets.get(detector.model, ()))
        self._models[detector.model] = watched

    # Readings

    def observe(
        self, series: NDArray[np.int32], times: NDArray[np.int64], numbers: Floats
    ) -> list[Alarm]:
        """Take in readings, entry i of every column being reading i; the alarms they lead to.

        Times in ns. Series must be bound. Listeners are told before this returns.
        """
        alarms: list[Alarm] = []
        with self._lock:
            for watched in self._models.values():
                alarms += watched.observe(self._places, (series, times, numbers))
            if alarms:
                self._standing.save()
        for alarm in alarms:
            self._tell(alarm)
        return alarms

    def refill(self, series: NDArray[np.int32], times: NDArray[np.int64], numbers: Floats) -> None:
        """Feed the last readings again after a start, without alarms being raised or cleared."""
        with self._lock:
            for watched in self._models.values():
                watched.refill(self._places, (series, times, numbers))

    def look_back(self) -> int:
        """How much history `refill` needs, ns: the longest warm-up of any detector."""
        with self._lock:
            found = [w.detector.every * (w.detector.warm_up + 4) for w in self._models.values()]
            return max(found, default=0)

    def late(self) -> int:
        """Readings left out because their sample was already judged."""
        with self._lock:
            return sum(watched.late for watched in self._models.values())

    def _places(self, series: int) -> tuple[str, str]:
        if self._key is None or not 0 <= series < MAX_SERIES:
            raise BadInput(f"series {series} is not bound", cure="call bind first")
        return self._key(series)

    def _tell(self, alarm: Alarm) -> None:
        for listener in self._listeners:
            try:
                listener(alarm)
            except Exception:
                # The edge of the room: one listener's failure is its own, and must be seen.
                log.exception("a listener failed on alarm %s of %s", alarm.id, alarm.twin)

    # Answers

    def health(self, twin: str) -> list[Health]:
        """The asset's health by each detector that watches it; empty where none does."""
        with self._lock:
            found = [watched.health(twin) for watched in self._models.values()]
        return [Health(**facts) for facts in found if facts is not None]

    def standing(self) -> list[Alarm]:
        """The alarms raised and not cleared, oldest first."""
        with self._lock:
            return self._standing.alarms()

    def summary(self) -> list[dict[str, object]]:
        """Each detector with what it was learned from, as `twinfall detector list` prints it."""
        with self._lock:
            return [
                {
                    "model": model,
                    "sensors": len(watched.detector.columns),
                    "assets": len(watched),
                    "every": watched.detector.every,
                    **json.loads(json.dumps(dict(watched.detector.facts))),
                }
                for model, watched in sorted(self._models.items())
            ]
