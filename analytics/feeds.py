"""The directed half of a network: feeds in groups that vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinfall.ontology.errors import BadInput

RULES = ("all", "any", "atLeast")


@dataclass(frozen=True, slots=True)
class Feeds:
    """E feeds in G groups of n assets, by provider; one provider at most once in a group.

    `fail_at` is the number of lost feeds that loses the group, 0 for the `unsatisfiable` ones.
    """

    provider: NDArray[np.int32]
    group: NDArray[np.int32]
    transfer: NDArray[np.float64]
    consumer: NDArray[np.int32]
    fail_at: NDArray[np.int32]
    autonomy: NDArray[np.float64]
    sustain: NDArray[np.uint8]
    black_start: NDArray[np.uint8]
    unsatisfiable: NDArray[np.int32]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.consumer)


def feeds_of(
    n: int,
    edges: tuple[ArrayLike, ArrayLike, ArrayLike],
    groups: tuple[Sequence[str], Any, Any, Any],
    transfer: ArrayLike | None,
    black_start: ArrayLike | None,
) -> Feeds:
    """Check and normalise (provider, consumer, group) and (rule, k, autonomy, sustain).

    A provider that feeds a group twice counts once, and is lost when its slowest feed is.
    """
    provider, consumer, group = (_positions(x) for x in edges)
    rule, k, autonomy, sustain = groups
    count = len(rule)
    _check_edges(n, count, provider, consumer, group)
    delay = _column(transfer, len(provider), 0.0, "transfer")
    owner = np.full(count, -1, np.int32)
    owner[group] = consumer
    if not np.array_equal(owner[group], consumer):
        bad = int(group[np.argmax(owner[group] != consumer)])
        raise BadInput(f"group {bad} has feeds of two consumers", path="group")
    if (owner < 0).any():
        raise BadInput(f"group {int(np.argmax(owner < 0))} has no feeds", path="group")
    provider, group, delay = _distinct(provider, group, delay)
    size = np.bincount(group, minlength=count).astype(np.int32)
    fail_at, unsatisfiable = _thresholds(rule, k, size)
    return Feeds(
        provider,
        group,
        delay,
        owner,
        fail_at,
        _column(autonomy, count, 0.0, "autonomy"),
        _flags(sustain, count, False, "sustain"),
        _flags(black_start, n, False, "black_start"),
        unsatisfiable,
    )


def _positions(values: ArrayLike) -> NDArray[np.int32]:
    return np.ascontiguousarray(np.asarray(values, np.int32).reshape(-1))


def _check_edges(n: int, count: int, provider: Any, consumer: Any, group: Any) -> None:
    if not len(provider) == len(consumer) == len(group):
        lengths = (len(provider), len(consumer), len(group))
        raise BadInput(f"provider, consumer and group have lengths {lengths}", path="provider")
    for name, column in (("provider", provider), ("consumer", consumer)):
        if len(column) and (column.min() < 0 or column.max() >= n):
            raise BadInput(f"assets are numbered 0 to {n - 1}", path=name)
    if len(group) and (group.min() < 0 or group.max() >= count):
        raise BadInput(f"groups are numbered 0 to {count - 1}, as many as rules", path="group")


def _distinct(provider: Any, group: Any, delay: Any) -> tuple[Any, Any, Any]:
    if not len(provider):
        return provider, group, delay
    key = provider.astype(np.int64) * (int(group.max()) + 1) + group
    order = np.lexsort((-delay, key))
    key = key[order]
    kept = order[np.concatenate([[True], key[1:] != key[:-1]])]
    provider, group, delay = (np.ascontiguousarray(c[kept]) for c in (provider, group, delay))
    return provider, group, delay


def _thresholds(rule: Sequence[str], k: Any, size: Any) -> tuple[Any, Any]:
    code = np.array([_rule(i, name) for i, name in enumerate(rule)], np.int8)
    wanted = np.zeros(len(code), np.int32) if k is None else np.asarray(k, np.int32).reshape(-1)
    if wanted.shape != code.shape:
        raise BadInput(f"k has {len(wanted)} entries for {len(code)} groups", path="k")
    fail_at = np.select([code == 0, code == 1], [np.ones_like(size), size], size - wanted + 1)
    bad = (code == 2) & ((wanted < 1) | (wanted > size))
    fail_at[bad] = 0
    return fail_at.astype(np.int32), np.flatnonzero(bad).astype(np.int32)


def _rule(position: int, name: str) -> int:
    if name not in RULES:
        raise BadInput(f"{name!r} is not one of {', '.join(RULES)}", path=f"rule[{position}]")
    return RULES.index(name)


def _column(values: Any, count: int, default: float, name: str) -> NDArray[np.float64]:
    if values is None:
        return np.full(count, default)
    column = np.ascontiguousarray(np.asarray(values, np.float64).reshape(-1))
    if len(column) != count:
        raise BadInput(f"{name} has {len(column)} entries, not {count}", path=name)
    if np.isnan(column).any() or (column < 0).any():
        raise BadInput(f"{name} holds seconds, zero or more", path=name)
    return column


def _flags(values: Any, count: int, default: bool, name: str) -> NDArray[np.uint8]:
    if values is None:
        return np.full(count, default, np.uint8)
    column = np.ascontiguousarray(np.asarray(values, bool).reshape(-1).astype(np.uint8))
    if len(column) != count:
        raise BadInput(f"{name} has {len(column)} entries, not {count}", path=name)
    return column
