"""How a plant that goes on stands at a moment, by position: its beginning, and what another one
needs to go on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import kernels
from twinfall.analytics.kernels import falling, timers
from twinfall.analytics.votes import decisive

if TYPE_CHECKING:
    from twinfall.analytics.network import Network

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Charges:
    """What buffers `at` these groups, or storages, hold: how many seconds of `full` are `left` now,
    and how many were (`level`) `since` each does what it does (CHARGING, DRAINING, HOLDING), in a
    circle or not.
    """

    at: Ints
    level: Floats
    since: Floats
    full: Floats
    mode: Bytes
    circled: Bytes
    left: Floats


@dataclass(frozen=True, slots=True)
class Moment:
    """Who has failed (`own`, ascending) and who is down (ascending; seconds, -inf: before the
    beginning), feeds whose loss is on its way and when it is felt, buffers and storages that are
    not full, what conducts.
    """

    now: float
    own: Ints
    down: Ints
    since: Floats
    coming: Ints
    due: Floats
    buffers: Charges
    storages: Charges
    conducts: Bytes

    @property
    def next(self) -> float:
        """When the next buffer is empty or the next loss is felt; inf: never."""
        due = [self.due]
        for one in (self.buffers, self.storages):
            runs = (one.mode == timers.DRAINING) & (one.level > 0.0)
            due.append((one.since + one.level)[runs])
        return float(np.concatenate(due).min(initial=np.inf))


def beginning(network: Network, now: float) -> falling.Evolving:
    """Of a plant to which nothing has happened: all buffers are full."""
    feeds, storages, n = network.feeds, network.links.storages, network.n
    late = np.flatnonzero(feeds.transfer > 0).astype(np.int32)
    stored = np.flatnonzero(feeds.autonomy > 0).astype(np.int32)
    first = len(late) + len(stored)
    count = first + len(storages.asset)
    timer = np.zeros(count, timers.TIMER)
    timer["place"] = -1
    timer["since"] = now
    timer["at"] = np.concatenate([late, stored, np.arange(len(storages.asset))])
    timer["kind"] = np.repeat(
        [timers.FEED, timers.BUFFER, timers.STORAGE], [len(late), len(stored), len(storages.asset)]
    )
    full = np.concatenate([feeds.autonomy[stored], storages.autonomy])
    fills = np.concatenate(
        [
            feeds.recharge[stored],
            storages.recharges(),
        ]
    )
    timer["full"][len(late) :] = timer["level"][len(late) :] = full
    with np.errstate(divide="ignore"):
        timer["rate"][len(late) :] = full / fills
    lost = lost_before(network)
    asset = np.zeros(n, falling.ASSET)
    asset["short"] = np.bincount(feeds.consumer[lost], minlength=n)
    asset["buffered"][feeds.consumer[stored]] = 1
    asset["buffered"][storages.asset] = 1
    return falling.Evolving(
        timer=timer,
        heap=np.zeros(count, np.int32),
        size=np.zeros(1, np.int64),
        events=np.zeros(count, np.int32),
        feed_slot=_slots(late, len(feeds.provider), 0),
        buffer_slot=_slots(stored, feeds.count, len(late)),
        first_storage=first,
        black=np.flatnonzero(feeds.black_start).astype(np.int32),
        asset=asset,
        seeds=np.zeros(n, np.int32),
        gain=np.zeros(feeds.count, np.int32),
        rose=np.zeros(n, np.int32),
        regained=np.zeros(feeds.count, np.int32),
        count=np.zeros(7, np.int64),
        room=np.zeros(3, np.int64),
    )


def lost_before(network: Network) -> Flags:
    """Which groups are lost before any failure."""
    fail_at = network.feeds.fail_at
    lost: Flags = (fail_at > 0) & (fail_at <= network.feeds.lost_with(network.baseline))
    return lost


def _slots(of: Any, size: int, first: int) -> Ints:
    """Slot by feed or group, -1 where there is none; empty where none has one."""
    if not len(of):
        return np.zeros(0, np.int32)
    slots = np.full(size, -1, np.int32)
    slots[of] = np.arange(first, first + len(of), dtype=np.int32)
    return slots


def moment_of(
    now: float, arrays: kernels.Arrays, scratch: kernels.Scratch, state: falling.Evolving
) -> Moment:
    """How an evolution stands; O(assets + buffers)."""
    down = np.flatnonzero(scratch.mark["wave"] != kernels.UP).astype(np.int32)
    timer, last = state.timer, state.first_storage + len(arrays.storage)
    feeds = np.flatnonzero((timer["kind"] == timers.FEED) & (timer["place"] >= 0))
    buffers = np.flatnonzero(timer["kind"] == timers.BUFFER)
    return Moment(
        now,
        np.flatnonzero(state.asset["own"]).astype(np.int32),
        down,
        scratch.mark["time"][down],
        timer["at"][feeds],
        timer["due"][feeds],
        _charges(timer[buffers], now),
        _charges(timer[state.first_storage : last], now),
        arrays.conducts.copy(),
    )


def _charges(timer: NDArray[np.void], now: float) -> Charges:
    """Of these, the ones that drain or are not full."""
    left = _left(timer, now)
    some = (timer["mode"] == timers.DRAINING) | (left < timer["full"])
    kept = timer[some]
    return Charges(
        kept["at"],
        kept["level"],
        kept["since"],
        kept["full"],
        kept["mode"],
        kept["circled"],
        left[some],
    )


def _left(timer: NDArray[np.void], now: float) -> Floats:
    """As `timers.left`, of all."""
    passed, level, full = now - timer["since"], timer["level"], timer["full"]
    with np.errstate(invalid="ignore"):
        gained = np.where(passed > 0.0, passed * timer["rate"], 0.0)
    charged = np.where(level < full, np.minimum(level + gained, full), level)
    modes = [timer["mode"] == timers.DRAINING, timer["mode"] == timers.CHARGING]
    left: Floats = np.select(modes, [np.maximum(level - passed, 0.0), charged], level)
    return left


def put(
    moment: Moment, arrays: kernels.Arrays, scratch: kernels.Scratch, state: falling.Evolving
) -> None:
    """Have a beginning stand as it stood at a moment of the same network."""
    mark, timer, storages = scratch.mark, state.timer, moment.storages
    mark["wave"] = kernels.UP
    mark["wave"][moment.down] = np.where(moment.since == -np.inf, kernels.DOWN_BEFORE, 0)
    mark["time"][moment.down] = moment.since
    mark["by"][moment.down] = mark["cause"][moment.down] = -1
    _put_votes(moment, arrays, scratch, state)
    arrays.conducts[:] = moment.conducts
    timer["level"], timer["since"], timer["place"] = timer["full"], moment.now, -1
    timer["mode"], timer["circled"] = timers.CHARGING, 0
    _put_charges(moment.buffers, timer, _slots_of(state.buffer_slot, moment.buffers.at))
    _put_charges(storages, timer, storages.at + state.first_storage)
    coming = _slots_of(state.feed_slot, moment.coming)
    timer["due"][coming] = moment.due
    runs = storages.mode == timers.DRAINING
    scratch.dry[:], scratch.empty[:], scratch.dry_cause[:] = np.inf, 0, -1
    scratch.dry[storages.at[runs]] = storages.since[runs]
    scratch.empty[storages.at[runs]] = storages.level[runs] <= 0.0
    arrays.storage_autonomy[storages.at[runs]] = storages.level[runs]
    drains = (timer["mode"] == timers.DRAINING) & (timer["level"] > 0.0)
    timer["due"][drains] = timer["since"][drains] + timer["level"][drains]
    _set(state, np.append(coming, np.flatnonzero(drains)))
    state.count[:] = 0
    state.count[falling.CIRCLES] = timer["circled"].sum()


def _put_votes(
    moment: Moment, arrays: kernels.Arrays, scratch: kernels.Scratch, state: falling.Evolving
) -> None:
    """Count what is lost, and whose groups that are."""
    flags = np.zeros(len(scratch.mark), np.bool_)
    flags[moment.down] = True
    lost = flags[arrays.provider]
    lost[moment.coming] = False
    groups = len(arrays.rule)
    weight = np.bincount(arrays.group[lost], arrays.weight[lost], groups).astype(np.int32)
    fail_at = arrays.rule["fail_at"]
    short = arrays.rule["consumer"][(fail_at > 0) & (fail_at <= weight)]
    scratch.tally["lost"] = weight
    circled = moment.buffers.at[moment.buffers.circled == 1]
    scratch.tally["lost"][circled] += falling.CIRCLED
    scratch.tally["decided"] = -1
    running = np.zeros(groups, np.bool_)
    running[moment.buffers.at[moment.buffers.mode == timers.DRAINING]] = True
    _put_causes(lost & running[arrays.group], arrays, scratch)
    state.asset["short"] = np.bincount(short, minlength=len(flags))
    state.asset["own"] = 0
    state.asset["own"][moment.own] = 1


def _put_causes(lost: Flags, arrays: kernels.Arrays, scratch: kernels.Scratch) -> None:
    """Say whose loss decided the groups of these lost feeds."""
    edges = np.flatnonzero(lost)
    group, edge = _deciding(edges, _felt(edges, arrays, scratch), arrays)
    scratch.tally["decided"][group] = arrays.provider[edge]


def _deciding(
    edges: NDArray[np.integer], felt: Floats, arrays: kernels.Arrays
) -> tuple[Ints, NDArray[np.integer]]:
    """The groups that lost feeds, `felt` each at its time, lose, and the feed with which too few
    were left of each.
    """
    order = np.lexsort((edges, felt, arrays.group[edges]))
    edges = edges[order]
    group = arrays.group[edges]
    lost = decisive(group, arrays.weight[edges], arrays.rule["fail_at"][group])
    return group[lost], edges[lost]


def _put_charges(charges: Charges, timer: NDArray[np.void], slots: Ints) -> None:
    for name in ("level", "since", "mode", "circled"):
        timer[name][slots] = getattr(charges, name)


def filled(before: Moment, state: falling.Evolving) -> None:
    """Have the buffers of a beginning hold what they held, the others all. What was drawn from one
    is drawn, however long it lasts now.
    """
    timer = state.timer
    timer["level"] = timer["full"]
    for charges, slots in (
        (before.buffers, _slots_of(state.buffer_slot, before.buffers.at)),
        (before.storages, before.storages.at + state.first_storage),
    ):
        there = slots >= 0
        drawn, slots = (charges.full - charges.left)[there], slots[there]
        timer["level"][slots] = np.clip(timer["full"][slots] - drawn, 0.0, timer["full"][slots])


def put_off(before: Moment, arrays: kernels.Arrays, state: falling.Evolving, visible: int) -> None:
    """Those who were down already are felt when it was due, or by now. Gates, the assets from
    `visible` on, were down with what they stand for.
    """
    since = np.full(len(state.asset), np.inf)
    since[before.down] = before.since
    gated = arrays.rule["consumer"][arrays.group] >= visible
    lost = np.flatnonzero(gated & (since[arrays.provider] < np.inf))
    group, edge = _deciding(lost, since[arrays.provider[lost]], arrays)
    np.minimum.at(since, arrays.rule["consumer"][group], since[arrays.provider[edge]])
    timer = state.timer
    feeds = np.flatnonzero((timer["kind"] == timers.FEED) & (timer["place"] >= 0))
    due = dict(zip(before.coming.tolist(), before.due.tolist(), strict=True))
    for slot in feeds[since[arrays.provider[timer["at"][feeds]]] < np.inf].tolist():
        at = int(timer["at"][slot])
        provider = arrays.provider[at]
        felt = since[provider] + arrays.transfer[at] if provider >= visible else before.now
        timer["due"][slot] = max(due.get(at, felt), before.now)
    _set(state, np.flatnonzero(timer["place"] >= 0))


def begun(state: falling.Evolving) -> Flags:
    """Of all timers: those of buffers that drain and of losses on their way."""
    timer = state.timer
    late = (timer["kind"] == timers.FEED) & (timer["place"] >= 0)
    found: Flags = late | ((timer["kind"] != timers.FEED) & (timer["mode"] == timers.DRAINING))
    return found


def backdate(
    arrays: kernels.Arrays,
    scratch: kernels.Scratch,
    state: falling.Evolving,
    before: Flags,
    seconds: float,
    now: float,
) -> None:
    """Have all that has begun since `before`, which is now, begun so much earlier, but no group's
    buffer before the group was lost. What is due by now, is so.
    """
    timer = state.timer
    fresh = np.flatnonzero(begun(state) & ~before)
    earlier = np.full(len(fresh), seconds)
    buffers = timer["kind"][fresh] == timers.BUFFER
    lost = _lost_since(arrays, scratch, timer["at"][fresh[buffers]])
    earlier[buffers] = np.clip(now - lost, 0.0, seconds)
    timer["since"][fresh] -= earlier
    timer["due"][fresh] -= earlier
    runs = fresh[timer["kind"][fresh] == timers.STORAGE] - state.first_storage
    scratch.dry[runs] -= seconds
    _set(state, np.flatnonzero(timer["place"] >= 0))


def _lost_since(arrays: kernels.Arrays, scratch: kernels.Scratch, groups: Ints) -> Floats:
    """Since when each of these has lost too much, by when its providers fell; -inf: nobody knows.
    O(feeds).
    """
    asked = np.zeros(len(arrays.rule), np.bool_)
    asked[groups] = True
    down = scratch.mark["wave"] != kernels.UP
    edges = np.flatnonzero(asked[arrays.group] & down[arrays.provider])
    felt = np.full(len(arrays.provider), -np.inf)
    felt[edges] = _felt(edges, arrays, scratch)
    group, edge = _deciding(edges, felt[edges], arrays)
    found = np.full(len(arrays.rule), -np.inf)
    found[group] = felt[edge]
    return found[groups]


def _felt(edges: NDArray[np.integer], arrays: kernels.Arrays, scratch: kernels.Scratch) -> Floats:
    """When the loss of these feeds, whose providers are down, is felt."""
    time: Floats = scratch.mark["time"][arrays.provider[edges]]
    return time + arrays.transfer[edges] if len(arrays.transfer) else time


def _set(state: falling.Evolving, slots: NDArray[np.integer]) -> None:
    """Let these go off, each when it is due, and no others."""
    order = slots[np.lexsort((slots, state.timer["due"][slots]))]
    state.timer["place"] = -1
    state.heap[: len(order)] = order  # in order of time: the plainest heap
    state.timer["place"][order] = np.arange(len(order))
    state.size[0] = len(order)


def _slots_of(slots: Ints, at: Ints) -> Ints:
    """Of these feeds or groups; -1 where one has none."""
    return slots[at] if len(slots) else np.full(len(at), -1, np.int32)
