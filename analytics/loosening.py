"""Room in the arrays of an evolution for feeds that come and go.

Every provider gets spare feeds and every group spare places. A spare feed has no weight and votes
in a group that nobody has; a spare place points at such a feed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import kernels
from twinfall.analytics.feeds import Feeds
from twinfall.analytics.kernels.falling import Evolving
from twinfall.analytics.kernels.timers import FEED
from twinfall.analytics.votes import MOST, rule_of
from twinfall.ontology.errors import BadInput

SPARE_SHARE = 4
"""One place more for each so many that there are."""


class Wanted(NamedTuple):
    """The weight of a group, how much of it is needed, and the lost weight that loses the group
    (0: never).
    """

    total: int
    need: int
    fail_at: int


@dataclass(slots=True)
class Loose:
    """The group that nobody has, a spare feed, and what each group needs, by rule."""

    nobody: int
    nothing: int
    codes: NDArray[np.uint8]
    total: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    need: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def copy(self) -> Loose:
        """One of its own."""
        return replace(self, total=self.total.copy(), need=self.need.copy())

    def wanted(self, group: int, more: int, k: int | None) -> Wanted:
        """What the group wants once it has so much more weight, k from now on of an `atLeast`
        group. Raises BadInput where that is more than can be counted.
        """
        total, need = int(self.total[group]) + more, int(self.need[group])
        if k is not None:
            need = k
        elif rule_of(self.codes, group) == "all":
            need += more
        if total > MOST:
            raise BadInput(f"group {group} has no room for more feeds", path="group")
        return Wanted(total, need, total - need + 1 if 1 <= need <= total else 0)

    def take(self, group: int, wanted: Wanted) -> None:
        """It has that now."""
        self.total[group], self.need[group] = wanted.total, wanted.need


def loosened(
    arrays: kernels.Arrays,
    scratch: kernels.Scratch,
    state: Evolving,
    loose: Loose,
    crowded: tuple[int, int] | None,
) -> tuple[kernels.Arrays, kernels.Scratch, Evolving, Loose]:
    """The same state with room for more; twice as much as there is for a crowded provider and
    group. O(assets + feeds).
    """
    if loose.nobody < 0:
        arrays, scratch, state = _with_nobody(arrays, scratch, state)
        loose = replace(loose, nobody=len(arrays.rule) - 1)
    live = np.flatnonzero(arrays.group != loose.nobody)
    n, groups = len(arrays.member), len(arrays.rule)
    out_start = _starts(np.bincount(arrays.provider[live], minlength=n), crowded and crowded[0])
    out_start[-1] += 1  # the spare feed that stays spare
    size = int(out_start[-1])
    moved = out_start[arrays.provider[live]] + _ranks(arrays.provider[live])
    provider = np.repeat(np.arange(n, dtype=np.int32), np.diff(out_start))
    group = np.full(size, loose.nobody, np.int32)
    group[moved] = arrays.group[live]
    in_start = _starts(np.bincount(arrays.group[live], minlength=groups), crowded and crowded[1])
    in_edges = np.full(int(in_start[-1]), size - 1, np.int32)
    renumbered = np.zeros(len(arrays.group), np.int64)
    renumbered[live] = moved
    voters = renumbered[arrays.in_edges[arrays.in_edges != loose.nothing]]
    in_edges[in_start[group[voters]] + _ranks(group[voters])] = voters
    made = arrays._replace(
        provider=provider,
        group=group,
        transfer=_moved(arrays.transfer, live, moved, size),
        weight=_moved(arrays.weight, live, moved, size),
        out_start=out_start.astype(np.int32),
        in_start=in_start.astype(np.int32),
        in_edges=in_edges,
        circling=arrays.circling.copy(),
    )
    loose = replace(loose, nothing=size - 1)
    return made, scratch, _with_slots(state, live, moved, size), loose


def spare_leads_elsewhere(arrays: kernels.Arrays, loose: Loose, connected: tuple[int, int]) -> None:
    """Let spare feeds not lead to these two, which are to be connected: whoever follows what hangs
    on an asset goes along them.
    """
    if loose.nobody < 0 or int(arrays.rule["consumer"][loose.nobody]) not in connected:
        return
    leaf = arrays.member == 0
    leaf[arrays.provider[arrays.group != loose.nobody]] = False
    leaf[list(connected)] = False
    arrays.rule["consumer"][loose.nobody] = int(np.argmax(leaf))


def needs(feeds: Feeds) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The weight that each group has, and that it needs: more than there can be where it was never
    evaluated.
    """
    total = np.bincount(feeds.group, feeds.weight, feeds.count).astype(np.int64)
    return total, np.where(feeds.fail_at > 0, total - feeds.fail_at + 1, np.int64(2**40))


def _with_nobody(
    arrays: kernels.Arrays, scratch: kernels.Scratch, state: Evolving
) -> tuple[kernels.Arrays, kernels.Scratch, Evolving]:
    """One group more, which is never evaluated; on its consumer hangs nothing, if possible."""
    leaves = np.flatnonzero((np.diff(arrays.out_start) == 0) & (arrays.member == 0))
    rule = np.zeros(1, arrays.rule.dtype)
    rule["consumer"] = leaves[0] if len(leaves) else 0
    slots = state.buffer_slot
    return (
        arrays._replace(
            rule=np.concatenate([arrays.rule, rule]),
            autonomy=_with_zero(arrays.autonomy),
            sustain=_with_zero(arrays.sustain),
        ),
        scratch._replace(tally=np.concatenate([scratch.tally, np.zeros(1, scratch.tally.dtype)])),
        state._replace(
            gain=np.append(state.gain, np.int32(0)),
            regained=np.append(state.regained, np.int32(0)),
            buffer_slot=np.append(slots, np.int32(-1)) if len(slots) else slots,
        ),
    )


def _with_slots(state: Evolving, live: Any, moved: Any, size: int) -> Evolving:
    """Timers of feeds know them by their new numbers."""
    if not len(state.feed_slot):
        return state
    slots = np.full(size, -1, np.int32)
    slots[moved] = state.feed_slot[live]
    timed = np.flatnonzero(slots >= 0)
    state.timer["at"][state.timer["kind"] == FEED] = 0
    state.timer["at"][slots[timed]] = timed
    return state._replace(feed_slot=slots)


def _with_zero(column: Any) -> Any:
    """One entry more, where the column is not left out."""
    return np.append(column, np.zeros(1, column.dtype)) if len(column) else column


def _starts(counts: Any, crowded: int | None) -> NDArray[np.int64]:
    """Where each one's places begin, with some to spare."""
    room = counts + 1 + counts // SPARE_SHARE
    if crowded is not None:
        room[crowded] = 2 * counts[crowded] + 4
    return np.concatenate([[0], np.cumsum(room)])


def _ranks(keys: Any) -> NDArray[np.int64]:
    """Of ascending keys, the how manieth each is of its kind."""
    first = np.concatenate([[True], keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, bool)
    begin = np.flatnonzero(first)
    sizes = np.diff(np.append(begin, len(keys)))
    ranks: NDArray[np.int64] = np.arange(len(keys)) - np.repeat(begin, sizes)
    return ranks


def _moved(values: Any, live: Any, moved: Any, size: int) -> Any:
    if not len(values):
        return values
    made = np.zeros(size, values.dtype)
    made[moved] = values[live]
    return made
