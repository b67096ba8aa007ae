"""The directed half of a network: feeds in groups that vote."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinfall.analytics.given import flags, numbers, positions, size, whole
from twinfall.analytics.kernels import RULE
from twinfall.analytics.votes import (
    Ballot,
    Standbys,
    Votes,
    packed_codes,
    rule_codes,
    unpacked_codes,
    unweighed,
    votes,
)
from twinfall.ontology.errors import BadInput


@dataclass(frozen=True, slots=True)
class Feeds:
    """E feeds in G groups of n assets, by provider; one provider at most once in a group.

    `rule` has of each group its consumer and the lost weight that loses it (0: never evaluated),
    `autonomy` and `recharge` are in seconds, `sustain` whether a group sustains itself, `codes` its
    rule as bits, `unmet` what a group that is never evaluated would need. Columns in which all is
    zero are one zero, shown everywhere.
    """

    provider: NDArray[np.int32]
    group: NDArray[np.int32]
    transfer: NDArray[np.float64]
    weight: NDArray[np.int32]
    rule: NDArray[Any]
    autonomy: NDArray[np.float64]
    sustain: NDArray[np.uint8]
    black_start: NDArray[np.uint8]
    standbys: Standbys
    codes: NDArray[np.uint8]
    recharge: NDArray[np.float64]
    unmet: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.rule)

    @property
    def consumer(self) -> NDArray[np.int32]:
        """Of each group, the asset it feeds."""
        return self.rule["consumer"]

    @property
    def fail_at(self) -> NDArray[np.int32]:
        """Of each group, the lost weight that loses it; 0 where it is never evaluated."""
        return self.rule["fail_at"]

    def of_groups(self, groups: NDArray[Any], rows: NDArray[Any]) -> Feeds:
        """These groups alone, ascending, with their feeds, which are in these rows, ascending."""
        return replace(
            self,
            provider=self.provider[rows],
            group=np.searchsorted(groups, self.group[rows]).astype(np.int32),
            transfer=self.transfer[rows],
            weight=self.weight[rows],
            rule=self.rule[groups],
            autonomy=self.autonomy[groups],
            sustain=self.sustain[groups],
            codes=packed_codes(unpacked_codes(self.codes, self.count)[groups]),
            recharge=self.recharge[groups],
            unmet=self.unmet[groups],
            standbys=_of_rows(self.standbys, rows),
        )

    @property
    def unsatisfiable(self) -> NDArray[np.int32]:
        """Groups that no number of feeds satisfies: k outside 1..n, too little to share."""
        return np.flatnonzero(self.fail_at == 0).astype(np.int32)

    def lost_with(self, down: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Of each group, the weight that is lost where these assets are down."""
        edges = np.flatnonzero(down[self.provider]) if down.any() else np.zeros(0, np.int64)
        weights = self.weight[edges]
        return np.bincount(self.group[edges], weights, self.count).astype(np.int32)

    def said(self) -> Said:
        """What could have been said of these groups and feeds to the same end."""
        code = unpacked_codes(self.codes, self.count)
        total = np.bincount(self.group, self.weight, self.count).astype(np.int32)
        votes = Votes(self.weight, total, self.fail_at, self.unmet)
        ballot = unweighed(code, self.group, votes, self.standbys)
        return Said(ballot, self.autonomy, self.sustain, self.transfer, self.recharge)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of groups and feeds besides who feeds whom."""

    ballot: Ballot
    autonomy: Any = None
    sustain: Any = None
    transfer: Any = None
    recharge: Any = None


def feeds_of(
    n: int, edges: tuple[ArrayLike, ArrayLike, ArrayLike], said: Said, black_start: Any
) -> Feeds:
    """Check and normalise (provider, consumer, group) and what is said of them.

    A provider that feeds a group twice counts once, with its shares together, and is lost when
    its slowest feed is.
    """
    n, count = size(n), len(rule_codes(said.ballot.rule))
    provider, consumer = positions(edges[0], n, "provider"), positions(edges[1], n, "consumer")
    group = whole(edges[2], "group")
    _check_edges(count, provider, consumer, group)
    delay = numbers(said.transfer, len(provider), 0.0, "transfer")
    owner = np.full(count, -1, np.int32)
    owner[group] = consumer
    if not np.array_equal(owner[group], consumer):
        bad = int(group[np.argmax(owner[group] != consumer)])
        raise BadInput(f"group {bad} has feeds of two consumers", path="group")
    if (owner < 0).any():
        raise BadInput(f"group {int(np.argmax(owner < 0))} has no feeds", path="group")
    said = replace(said, transfer=delay)
    return voted(owner, (provider, group), said, flags(black_start, n, "black_start"))


def voted(
    owner: NDArray[np.int32],
    edges: tuple[NDArray[np.int32], NDArray[np.int32]],
    said: Said,
    black_start: NDArray[np.uint8],
) -> Feeds:
    """The same of (provider, group) and the consumer of each group, which may have no feeds."""
    count = len(owner)
    provider, group, delay, ballot = _distinct(*edges, said.transfer, said.ballot)
    autonomy = numbers(said.autonomy, count, 0.0, "autonomy")
    weighed, standbys = votes(ballot, group, autonomy)
    rule = np.zeros(count, RULE)
    rule["consumer"], rule["fail_at"] = owner, weighed.fail_at
    return Feeds(
        provider,
        group,
        sparse(delay),
        weighed.weight,
        rule,
        sparse(autonomy),
        sparse(flags(said.sustain, count, "sustain")),
        black_start,
        standbys,
        packed_codes(rule_codes(ballot.rule)),
        sparse(numbers(said.recharge, count, 0.0, "recharge")),
        sparse(weighed.unmet),
    )


def _of_rows(standbys: Standbys, rows: NDArray[Any]) -> Standbys:
    """Those among these feeds, which are renumbered; ascending."""
    if not len(standbys.feed):
        return standbys
    at = np.searchsorted(rows, standbys.feed)
    kept = np.flatnonzero(np.append(rows, -1)[at] == standbys.feed)
    columns = (standbys.priority[kept], standbys.start[kept], standbys.weight[kept])
    return Standbys(at[kept].astype(np.int32), *columns)


def sparse(column: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, in no memory where all are zero."""
    return column if column.any() else np.broadcast_to(column.dtype.type(0), column.shape)


def kept(column: NDArray[Any]) -> NDArray[Any]:
    """As the kernels take it: empty where all is zero."""
    return column if column.any() else np.zeros(0, column.dtype)


def _check_edges(count: int, provider: Any, consumer: Any, group: Any) -> None:
    if not len(provider) == len(consumer) == len(group):
        lengths = (len(provider), len(consumer), len(group))
        raise BadInput(f"provider, consumer and group have lengths {lengths}", path="provider")
    if len(group) and (group.min() < 0 or group.max() >= count):
        raise BadInput(f"groups are numbered 0 to {count - 1}, as many as rules", path="group")


def _distinct(provider: Any, group: Any, delay: Any, ballot: Ballot) -> tuple[Any, ...]:
    """By provider, then group; of several feeds between the same the slowest is kept."""
    if not len(provider):
        return provider, group, delay, ballot
    columns = {
        name: numbers(getattr(ballot, name), len(provider), 0.0, name)
        for name in ("share", "priority", "start")
        if getattr(ballot, name) is not None
    }
    key = provider.astype(np.int64) * (int(group.max()) + 1) + group
    order = np.lexsort((-delay, key))
    key = key[order]
    first = np.concatenate([[True], key[1:] != key[:-1]])
    kept = order[first]
    merged = {name: column[kept] for name, column in columns.items()}
    if "share" in columns:
        merged["share"] = np.add.reduceat(columns["share"][order], np.flatnonzero(first))
    provider, group, delay = (np.ascontiguousarray(c[kept]) for c in (provider, group, delay))
    return provider, group, delay, replace(ballot, **merged)
