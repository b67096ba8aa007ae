"""One model's detector with the assets it watches: places of series, samples, scores, alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.alarms import Alarm, Episodes, Symptom, alarm_id
from twinfall.analytics.detectors import Normal
from twinfall.analytics.detectors.detector import Floats, joined
from twinfall.analytics.membership import Asset
from twinfall.analytics.sampling import Grid, Samples
from twinfall.analytics.standing import StandingAlarms

NOT_ASKED, NOT_WATCHED = -1, -2
MAX_SYMPTOMS = 3
"""Sensors named with an alarm or with a twin's health."""

Readings = tuple[NDArray[np.int32], NDArray[np.int64], Floats]
Places = Callable[[int], tuple[str, str]]


class Watched:
    """The assets of one model. Not safe for threads."""

    def __init__(self, detector: Normal, standing: StandingAlarms) -> None:
        self.detector = detector
        self.flock = detector.follow(())
        self._standing = standing
        self._grid = Grid(len(detector.columns))
        self._episodes = Episodes()
        self._asset_at: dict[str, int] = {}
        self._places: dict[tuple[str, str], tuple[int, int]] = {}
        self._columns_at: dict[str, list[tuple[str, int]]] = {}
        for at, column in enumerate(detector.columns):
            self._columns_at.setdefault(column.path, []).append((column.name, at))
        self._address: dict[str, dict[str, str]] = {}
        self.forget_series()

    def forget_series(self) -> None:
        """Ask anew where each series belongs."""
        self._asset = np.empty(0, dtype=np.int32)
        self._column = np.empty(0, dtype=np.int32)

    def __len__(self) -> int:
        return len(self._address)

    @property
    def late(self) -> int:
        """Readings that came after their sample was judged."""
        return self._grid.late

    def follow(self, assets: Sequence[Asset]) -> None:
        """Watch exactly these assets; those already watched keep what is remembered of them."""
        self._address = {
            asset.twin: {path: address for address, path in asset.places().items()}
            for asset in assets
        }
        new = [asset for asset in assets if asset.twin not in self._asset_at]
        for asset in new:
            self._asset_at[asset.twin] = len(self._asset_at)
        if new:
            self.flock = joined(self.flock, self.detector.follow([asset.twin for asset in new]))
            self._grid.grow(len(new))
            self._episodes.grow(len(new))
        self._places = {
            (address, name): (self._asset_at[asset.twin], column)
            for asset in assets
            for address, path in asset.places().items()
            for name, column in self._columns_at.get(path, ())
        }
        self._restore([asset.twin for asset in new])
        self.forget_series()

    def _restore(self, twins: Sequence[str]) -> None:
        for twin in twins:
            if self._standing.get(self.detector.model, twin):
                self._episodes.standing.add(self._asset_at[twin])

    # Readings

    def observe(self, places: Places, readings: Readings) -> list[Alarm]:
        """Take in readings; the alarms raised and cleared by them."""
        alarms = []
        for samples in self._samples(places, readings):
            times = samples.periods * self.detector.every
            for asset, state in self._score(samples, times):
                at = int(np.flatnonzero(samples.assets == asset)[0])
                alarms.append(self._alarm(asset, state, int(times[at])))
        return alarms

    def refill(self, places: Places, readings: Readings) -> None:
        """Take in readings for what is to be remembered of them alone."""
        for samples in self._samples(places, readings):
            self.detector.forget(self.flock, samples.fresh_start)
            self.detector.score(self.flock, samples.assets, samples.values)

    def _samples(self, places: Places, readings: Readings) -> Any:
        series, times, numbers = readings
        self._learn(places, series)
        assets = self._asset[series]
        mine = np.flatnonzero(assets >= 0)
        periods = times[mine] // self.detector.every
        columns = self._column[series[mine]].astype(np.intp)
        return self._grid.put(assets[mine].astype(np.intp), columns, periods, numbers[mine])

    def _learn(self, places: Places, series: NDArray[np.int32]) -> None:
        """Where series not seen before belong."""
        if not len(series):
            return
        missing = int(series.max()) + 1 - len(self._asset)
        if missing > 0:
            # Half as much again, so that a growing catalogue does not copy at every call.
            room = np.full(missing + len(self._asset) // 2, NOT_ASKED, dtype=np.int32)
            self._asset = np.concatenate([self._asset, room])
            self._column = np.concatenate([self._column, room])
        for one in np.unique(series[self._asset[series] == NOT_ASKED]).tolist():
            place = self._places.get(places(one), (NOT_WATCHED, NOT_WATCHED))
            self._asset[one], self._column[one] = place

    def _score(
        self, samples: Samples, times: NDArray[np.int64]
    ) -> list[tuple[int, Literal["RAISED", "CLEARED"]]]:
        self.detector.forget(self.flock, samples.fresh_start)
        scores = self.detector.score(self.flock, samples.assets, samples.values)
        fresh = np.isfinite(samples.values).mean(axis=1)
        return list(self._episodes.take(samples.assets, times, scores, fresh))

    def _alarm(self, asset: int, state: Literal["RAISED", "CLEARED"], at: int) -> Alarm:
        twin, model = self.flock.twins[asset], self.detector.model
        before = self._standing.get(model, twin)
        onset = self._episodes.onset(asset) if before is None else before.onset
        symptoms = self._symptoms(asset)
        alarm = Alarm(
            id=alarm_id(twin, model, onset) if before is None else before.id,
            twin=twin,
            model=model,
            state=state,
            onset=onset,
            at=at,
            score=float(self._episodes.score[asset]),
            symptoms=tuple(symptoms[:MAX_SYMPTOMS]),
            suspect=_suspect(twin, symptoms),
            detector=str(self.detector.facts.get("data_hash", "")),
        )
        if state == "RAISED":
            self._episodes.standing.add(asset)
            self._standing.raise_(alarm)
        else:
            self._episodes.standing.discard(asset)
            self._standing.clear(alarm)
        return alarm

    def _symptoms(self, asset: int) -> list[Symptom]:
        twin = self.flock.twins[asset]
        address = self._address[twin]
        return [
            Symptom(
                # A part that this asset lacks has no address; its sensor's path still tells.
                address.get(driver.column.path, f"{twin}/{driver.column.path}"),
                driver.column.name,
                driver.column.unit,
                driver.share,
                driver.observed,
                driver.expected,
            )
            for driver in self.detector.explain(self.flock, asset)
        ]

    # Answers

    def health(self, twin: str) -> dict[str, Any] | None:
        """What `Health` says of the twin; None where it is not watched."""
        if twin not in self._address:
            return None
        asset = self._asset_at[twin]
        warmth = self.detector.warmth(self.flock, asset)
        score, value = float(self._episodes.score[asset]), float(self._episodes.health[asset])
        known = bool(np.isfinite(score))
        state = "NORMAL" if known else "COLD" if warmth == "COLD" else "UNKNOWN"
        if asset in self._episodes.standing:
            state = "ALARM"
        return {
            "twin": twin,
            "model": self.detector.model,
            "value": value if known else None,
            "state": state,
            "score": score if known else None,
            "warmth": warmth,
            "at": int(self._episodes.at[asset]),
            "symptoms": tuple(self._symptoms(asset)[:MAX_SYMPTOMS]) if known else (),
        }


def _suspect(twin: str, symptoms: Sequence[Symptom]) -> str:
    """The twin with the largest share in all; components count for their owner."""
    shares: dict[str, float] = {}
    for symptom in symptoms:
        owner = symptom.address.partition("/")[0]
        shares[owner] = shares.get(owner, 0.0) + symptom.share
    return max(shares, key=lambda owner: (shares[owner], owner == twin), default=twin)
