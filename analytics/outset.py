"""The state that an evolution begins with: nothing has failed, every buffer is full."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.kernels import falling, timers
from twinfall.analytics.network import Network

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

NOBODY = np.zeros(0, np.int32)


def evolving(network: Network, now: float) -> falling.Evolving:
    """What an evolution of it has beside a scratch, at that time."""
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
    fills = np.concatenate([feeds.recharge[stored], storages.recharges()])
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
        return NOBODY
    slots = np.full(size, -1, np.int32)
    slots[of] = np.arange(first, first + len(of), dtype=np.int32)
    return slots
