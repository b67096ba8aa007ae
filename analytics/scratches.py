"""Scratches: what a question writes on, kept for the next one."""

from __future__ import annotations

import threading
from collections.abc import Container
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import kernels

WORKING = frozenset(
    [
        *("order", "seen", "reached", "root", "queue", "support", "scope", "begun"),
        *("events", "seeds", "gain", "rose", "regained"),
    ]
)
"""Columns with nothing in them between one question, or change, and the next."""
MAX_SCRATCHES = 8
"""Kept for the next question; more are made when more questions run at once."""

T = TypeVar("T", bound=Any)


class Scratches:
    """The scratches of one settled network. Safe for threads: each is one question's at a time."""

    def __init__(
        self,
        arrays: kernels.Arrays,
        baseline: NDArray[np.bool_],
    ) -> None:
        self._arrays = arrays
        self._baseline = baseline
        self._lock = threading.Lock()
        self._spare: list[kernels.Scratch] = []

    def take(self) -> kernels.Scratch:
        """One that is clean."""
        with self._lock:
            if self._spare:
                return self._spare.pop()
        scratch = scratch_of(self._arrays, grounding=self._arrays.cyclic)
        kernels.prepare(self._arrays, scratch, self._baseline)
        return scratch

    def give(self, scratch: kernels.Scratch) -> None:
        """Give back one that is clean again."""
        with self._lock:
            if len(self._spare) < MAX_SCRATCHES:
                self._spare.append(scratch)


def scratch_of(arrays: kernels.Arrays, *, grounding: bool) -> kernels.Scratch:
    """A new one, in which everything is up; `grounding`: whether support is to be derived on it."""
    n, groups, storages = len(arrays.member), len(arrays.rule), len(arrays.storage)
    connected = n if len(arrays.member_start) > 1 else 0
    mark = np.zeros(n, kernels.MARK)
    mark["wave"] = kernels.UP
    return kernels.Scratch(
        mark=mark,
        tally=np.zeros(groups, kernels.TALLY),
        order=np.zeros(n, np.int32),
        seen=np.zeros(n // 64 + 1, np.uint64),
        reached=np.zeros(connected, np.uint8),
        root=np.zeros(n if grounding else connected, np.int32),
        queue=np.zeros(n if grounding else connected, np.int32),
        support=np.zeros(n if grounding else 0, kernels.SUPPORT),
        scope=np.zeros(n if grounding else 0, np.int32),
        begun=np.zeros(groups if grounding else 0, np.int32),
        counts=np.zeros(1, np.int64),
        dry=np.full(storages, np.inf),
        empty=np.zeros(storages, np.uint8),
        dry_cause=np.zeros(storages, np.int32),
    )


def copied(rows: T, into: T | None, shared: Container[int]) -> T:
    """A copy of these columns, all but what nobody changes (by `id`) and what is only written on
    while a change is made; in the place of another copy where that has the same shape.
    """
    places = rows if into is None else into
    made: T = rows._make(
        one if not isinstance(one, np.ndarray) or id(one) in shared else _copy(name, one, place)
        for name, one, place in zip(rows._fields, rows, places, strict=True)
    )
    return made


def _copy(name: str, column: Any, place: Any) -> Any:
    fits = place is not column and isinstance(place, np.ndarray) and place.shape == column.shape
    if name in WORKING:
        return place if fits else np.zeros(column.shape, column.dtype)
    made = place if fits else np.empty_like(column)
    made.view(np.uint8)[:] = column.view(np.uint8)  # ten times as fast as field by field
    return made
