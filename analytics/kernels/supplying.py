"""The carriers of a plant that goes on: as `carriers`, with storages that recharge."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import UP, i64
from twinfall.analytics.kernels.carriers import (
    begin_at_sources,
    find_roots,
    name_causes,
    reach,
    touched,
)
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.falling import fall, rest, run_dry, seed
from twinfall.analytics.kernels.timers import CHARGING, left


@inner
def carriers_lost(a: Any, s: Any, e: Any, down: int, new: Any, now: float, wave: int) -> Any:
    """Take down what no longer reaches a source, in the carriers of what fell last."""
    carriers = len(a.member_start) - 1
    if carriers == 0:
        return down
    dirty = touched(a.member, s.order, new)
    for carrier in range(carriers):
        if dirty >> carrier & 1:
            down = carrier_lost(a, s, e, down, new, i64(carrier), now, wave)
    return down


@inner
def carrier_lost(
    a: Any, s: Any, e: Any, down: int, new: Any, carrier: int, now: float, wave: int
) -> Any:
    """One carrier, given the waves up to `wave`; what falls makes the next one."""
    mark, root, reached, members = s.mark, s.root, s.reached, a.members
    first, last = a.member_start[carrier], a.member_end[carrier]
    tail = begin_at_sources(a, s, carrier, wave)
    tail = reach(a, s, carrier, i64(0), tail, wave)
    find_roots(a, s, new, carrier, wave, tail, now)
    head = tail
    tail = _begin_at_storages(a, s, e, carrier, tail, now, wave)
    reach(a, s, carrier, head, tail, wave)
    begin = down
    for at in range(first, last):
        asset = i64(members[at])
        if mark[asset].wave > wave and reached[asset] == 0:
            how = (now, wave + 1, -2 - carrier, i64(root[asset]))
            down = fall(a, s, e, down, asset, how)
    name_causes(a, s, (begin, down), wave)
    return down


@inner
def _begin_at_storages(
    a: Any, s: Any, e: Any, carrier: int, tail: int, now: float, wave: int
) -> Any:
    """Queue the storages that no source reaches and that are not empty; new ones begin to run,
    those that are reached again recharge.
    """
    head = tail
    for i in range(len(a.storage)):
        asset = a.storage[i]
        if not _is_connected(a, i64(i), carrier) or s.mark[asset].wave <= wave:
            continue
        slot = i64(e.first_storage + i)
        if s.reached[asset] == 1:
            if e.timer[slot].circled == 0 and s.mark[asset].wave == UP:
                _rest(a, s, e, i64(i), now)
            continue
        if s.mark[asset].wave != UP:  # it has fallen in this very wave
            if left(e.timer, slot, now) > 0.0:
                s.queue[tail] = asset
                tail += 1
            continue
        if s.dry[i] == np.inf:
            root = i64(s.root[asset])
            s.dry_cause[i] = root if root > -2 else s.dry_cause[-2 - root]
            run_dry(a, s, e, i64(i), now)
        if s.empty[i] == 0:
            s.queue[tail] = asset
            tail += 1
    for at in range(head, tail):
        s.reached[s.queue[at]] = 1
    return tail


@inner
def _is_connected(a: Any, i: int, carrier: int) -> bool:
    return bool(a.storage_carrier[i] == carrier and a.member[a.storage[i]] >> carrier & 1)


@inner
def _rest(a: Any, s: Any, e: Any, i: int, now: float) -> None:
    """A storage that is reached recharges; whether what reaches it hangs on it is looked at."""
    asset = i64(a.storage[i])
    if a.cyclic and s.dry[i] < np.inf and a.circling[asset] == 1:
        seed(e, asset)
    rest(s, e, i, CHARGING, now)
