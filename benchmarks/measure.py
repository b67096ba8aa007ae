"""Timing as distributions: what a figure was, how often, and on which machine."""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """Wall-clock milliseconds of `count` calls, one client, after `warm` uncounted ones."""

    name: str
    p50: float
    p99: float
    count: int
    note: str = ""

    def row(self, beside: Figure | None = None) -> str:
        """A Markdown table row; with the ratio to a peer of the same run where there is one."""
        ratio = f"{self.p50 / beside.p50:.1f} × {beside.name}" if beside else ""
        return f"| {self.name} | {self.p50:.2f} | {self.p99:.2f} | {ratio} | {self.note} |"


HEADER = "| | p50 ms | p99 ms | ratio in this run | |\n|---|---|---|---|---|"


def measure(
    name: str, call: Callable[[], object], *, count: int = 200, warm: int = 20, note: str = ""
) -> Figure:
    """Time single calls one after the other; garbage is collected before, not between."""
    for _ in range(warm):
        call()
    gc.collect()
    taken = np.empty(count)
    for i in range(count):
        start = time.perf_counter()
        call()
        taken[i] = time.perf_counter() - start
    p50, p99 = np.percentile(taken * 1e3, [50, 99])
    return Figure(name, float(p50), float(p99), count, note)


def machine() -> str:
    """One line about where this ran."""
    model = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    except OSError:
        model = platform.processor()
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"{os.cpu_count()} cores ({model}), {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, load average {load}"
    )
