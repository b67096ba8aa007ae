"""Limits the plain way: one reading after the other. What the vectorised machines must equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan


@dataclass
class Level:
    """One level of one limit of one reading."""

    low: float
    high: float
    hysteresis: float
    hold: int
    beyond: bool = False
    outside_since: int | None = None

    def read(self, time: int, value: float) -> None:
        since = self.outside_since
        if since is not None and not self.beyond and time - since >= self.hold:
            self.beyond = True  # it lasted until this reading came
        if value < self.low or value > self.high:
            if since is None:
                self.outside_since = time
                self.beyond = self.hold == 0
        elif self.low + self.hysteresis <= value <= self.high - self.hysteresis or not self.beyond:
            self.outside_since, self.beyond = None, False

    def is_beyond(self, now: int) -> bool:
        return self.beyond or (
            self.outside_since is not None and now - self.outside_since >= self.hold
        )


@dataclass
class Sensor:
    """One reading of one asset, with its levels degraded and failed."""

    levels: tuple[Level, Level]
    stale: int | None = None
    time: int | None = None
    value: float = field(default=float("nan"))

    def read(self, time: int, value: float, *, replaces: bool) -> None:
        if self.time is not None and (time < self.time or (time == self.time and not replaces)):
            return
        self.time = time
        if isnan(value):
            return
        self.value = value
        for level in self.levels:
            level.read(time, value)

    def state(self, now: int) -> str:
        if self.stale is not None and (self.time is None or now - self.time > self.stale):
            return "unknown"
        seen = now if self.time is None else max(now, self.time)
        degraded, failed = (level.is_beyond(seen) for level in self.levels)
        return "failed" if failed else "degraded" if degraded else "ok"
