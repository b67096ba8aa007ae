"""What is normal for a model type, learned from its healthy history, and how far a twin is off.

Two statistics, each in units of its own threshold; the larger is the score:

- level: the Mahalanobis distance of the mean of the last samples from normal. It sees sensors
  that no longer belong together, and slow drifts.
- surprise: the squared error of a forecast of every sensor from all sensors' last samples,
  exponentially smoothed. It sees abrupt changes and a different rhythm.

Neither knows the time of day nor how long a twin has run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.detectors.detector import Column, Driver, Floats, Flock, Rows, Warmth

CLIP = 8.0
"""Standardised readings and errors count as no more than this, so that one wild reading is not
remembered for long.
"""
CARRY = 3
"""A silent sensor's last reading stands for so many samples; then the sensor is left out."""
LEAST_PRESENT = 0.5
"""With fewer sensors than this share there is no score."""
MAX_SHOCK = 3.0
"""Squared forecast error of one sample, over its usual size, that counts at most."""
SHORT_MASKS = 32
"""Different sets of silent sensors handled exactly in one call; beyond that a silent sensor is
taken at its mean.
"""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Mean and scale per column: of the model type, and of each twin it was learned from."""

    mean: Floats
    scale: Floats
    twins: tuple[str, ...]
    own_mean: Floats
    own_scale: Floats

    def of(self, twins: Sequence[str]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Mean and scale (twin, column), and whether they are the twin's own."""
        place = {twin: at for at, twin in enumerate(self.twins)}
        at = np.array([place.get(twin, -1) for twin in twins], dtype=np.intp)
        own = at >= 0
        mean = np.repeat(self.mean[None], len(twins), axis=0)
        scale = np.repeat(self.scale[None], len(twins), axis=0)
        mean[own], scale[own] = self.own_mean[at[own]], self.own_scale[at[own]]
        return mean, scale, own


@dataclass(frozen=True, slots=True)
class Coefficients:
    """What scikit-learn fitted, as plain arrays over standardised readings."""

    together: Floats
    """(column, column) precision of a single sample: fills what is silent."""
    level: Floats
    """(column, column) precision of the mean over a window of samples."""
    weights: Floats
    """(lag x column, column) forecast weights; the newest sample comes first."""
    bias: Floats
    spread: Floats
    """Size of the forecast error per column, from rows the forecast was not fitted on."""


@dataclass(frozen=True, slots=True)
class Normal:
    """A learned detector: a `Detector`."""

    model: str
    columns: tuple[Column, ...]
    window: int
    """Samples in the mean whose level is judged."""
    smoothing: float
    """Share of the newest error in the smoothed one."""
    baseline: Baseline
    coefficients: Coefficients
    limits: Floats
    """Thresholds of level and surprise."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Where it was learned: training window, rows, hash of the data, versions, metrics."""

    @property
    def lags(self) -> int:
        """Samples a forecast looks back at."""
        return len(self.coefficients.weights) // len(self.columns)

    @property
    def every(self) -> int:
        """Sample period, ns; 0 where it was not known in training."""
        return int(self.facts.get("every", 0))

    @property
    def warm_up(self) -> int:
        """Samples before a twin is scored for the first time."""
        return max(self.window, self.lags + 1)

    def follow(self, twins: Sequence[str]) -> Flock:
        """Begin to follow these twins: nothing seen yet."""
        count, width = len(twins), len(self.columns)
        mean, scale, own = self.baseline.of(twins)
        return Flock(
            twins=list(twins),
            mean=mean,
            scale=scale,
            own=own,
            ring=np.zeros((count, self.warm_up, width)),
            count=np.zeros(count, dtype=np.int64),
            last=np.full((count, width), np.nan),
            age=np.full((count, width), CARRY + 1, dtype=np.int64),
            surprise=np.ones((count, width)),
            forecast=np.zeros((count, width)),
            parts=np.full((count, 2), np.nan),
        )

    def score(self, flock: Flock, which: Rows, rows: Floats) -> Floats:
        """Take in the next sample of each twin; scores in units of the threshold."""
        values, known = _carry(flock, which, rows)
        z = np.clip((values - flock.mean[which]) / flock.scale[which], -CLIP, CLIP)
        z = self._fill(z, known)
        present = np.maximum(known.sum(axis=1), 1)
        past = flock.ring[which]
        error = self._surprise(flock, which, (past, z, known))
        ring = np.concatenate([past[:, 1:], z[:, None]], axis=1)
        flock.ring[which] = ring
        flock.count[which] += 1
        mean = ring[:, -self.window :].mean(axis=1)
        # A filled sensor adds no distance of its own: what is left speaks for all.
        distance = ((mean @ self.coefficients.level) * mean).sum(axis=1) / present
        parts = np.stack([distance, error], axis=1) / self.limits
        scored = (flock.count[which] >= self.warm_up) & (
            known.sum(axis=1) >= LEAST_PRESENT * len(self.columns)
        )
        parts[~scored] = np.nan
        flock.parts[which] = parts
        return np.asarray(parts.max(axis=1))

    def forget(self, flock: Flock, which: Rows) -> None:
        """Start these twins anew, as after a gap in their readings."""
        flock.count[which] = 0
        flock.age[which] = CARRY + 1
        flock.surprise[which] = 1.0
        flock.parts[which] = np.nan

    def _fill(self, z: Floats, known: NDArray[np.bool_]) -> Floats:
        """Give silent sensors the value that the others of the same sample say."""
        holes = np.flatnonzero(~known.all(axis=1))
        if not len(holes):
            return z
        z[holes] = np.where(known[holes], z[holes], 0.0)
        masks, group = np.unique(known[holes], axis=0, return_inverse=True)
        for at, mask in enumerate(masks[:SHORT_MASKS]):
            silent = np.flatnonzero(~mask)
            if len(silent) == len(mask):
                continue
            rows = holes[group.ravel() == at]
            inner = self.coefficients.together[np.ix_(silent, silent)]
            outer = self.coefficients.together[np.ix_(silent, np.flatnonzero(mask))]
            told = -np.linalg.solve(inner, outer @ z[np.ix_(rows, np.flatnonzero(mask))].T).T
            z[np.ix_(rows, silent)] = np.clip(told, -CLIP, CLIP)
        return z

    def _surprise(
        self, flock: Flock, which: Rows, sample: tuple[Floats, Floats, NDArray[np.bool_]]
    ) -> Floats:
        """The smoothed squared forecast error of each row, the mean over known sensors."""
        past, z, known = sample
        lags = self.lags
        newest_first = past[:, : -lags - 1 : -1].reshape(len(z), lags * z.shape[1])
        forecast = newest_first @ self.coefficients.weights + self.coefficients.bias
        error = np.clip((z - forecast) / self.coefficients.spread, -CLIP, CLIP)
        before = flock.surprise[which]
        able = known & (flock.count[which] >= lags)[:, None]
        squared = self._shocks_limited(error**2, able)
        smoothed = np.where(able, before + self.smoothing * (squared - before), before)
        flock.surprise[which], flock.forecast[which] = smoothed, forecast
        return np.asarray((smoothed * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1))

    def _shocks_limited(self, squared: Floats, able: NDArray[np.bool_]) -> Floats:
        """No single sample counts for more than `MAX_SHOCK`, however wild: a jump is over after a
        few samples, and what lasts is surprising again and again.
        """
        mean = (squared * able).sum(axis=1) / np.maximum(able.sum(axis=1), 1)
        return np.asarray(squared * np.minimum(1.0, MAX_SHOCK / np.maximum(mean, 1e-12))[:, None])

    def explain(self, flock: Flock, twin: int) -> list[Driver]:
        """Every sensor's share of the larger statistic, the largest first."""
        mean, scale = flock.mean[twin], flock.scale[twin]
        level, surprise = np.nan_to_num(flock.parts[twin])
        if level > surprise:
            observed = flock.ring[twin, -self.window :].mean(axis=0)
            precision = self.coefficients.level
            # What the other sensors leave unexplained of each: its error given all of them.
            unexplained = (precision @ observed) / np.diag(precision)
            expected = observed - unexplained
            weight = unexplained**2 * np.diag(precision)
        else:
            observed, expected = flock.ring[twin, -1], flock.forecast[twin]
            weight = flock.surprise[twin] * (flock.age[twin] <= CARRY)
        share = weight / max(float(weight.sum()), 1e-300)
        order = np.argsort(-share, kind="stable")
        return [
            Driver(
                self.columns[at],
                float(share[at]),
                float(mean[at] + scale[at] * observed[at]),
                float(mean[at] + scale[at] * expected[at]),
            )
            for at in order
        ]

    def warmth(self, flock: Flock, twin: int) -> Warmth:
        """COLD until `warm_up` samples are seen."""
        if flock.count[twin] < self.warm_up:
            return "COLD"
        return "OWN" if flock.own[twin] else "FLEET"

    def dump(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        """The arrays and the facts that make the same detector again."""
        base, fitted = self.baseline, self.coefficients
        arrays = {
            "mean": base.mean,
            "scale": base.scale,
            "own_mean": base.own_mean,
            "own_scale": base.own_scale,
            "together": fitted.together,
            "level": fitted.level,
            "weights": fitted.weights,
            "bias": fitted.bias,
            "spread": fitted.spread,
            "limits": self.limits,
        }
        facts = {
            "model": self.model,
            "columns": [[c.path, c.name, c.unit] for c in self.columns],
            "window": self.window,
            "smoothing": self.smoothing,
            "twins": list(base.twins),
            "facts": dict(self.facts),
        }
        return arrays, facts


def _carry(flock: Flock, which: Rows, rows: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The rows with short gaps bridged by the last reading, and which columns are known."""
    fresh = np.isfinite(rows)
    values = np.where(fresh, rows, flock.last[which])
    age = np.where(fresh, 0, np.minimum(flock.age[which] + 1, CARRY + 1))
    flock.last[which], flock.age[which] = values, age
    return values, age <= CARRY
