"""Connections that are laid and cut, in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import UP, i64
from twinfall.analytics.kernels.compiled import inner
from twinfall.analytics.kernels.falling import DIRTY, JOINED, PASSED, TOUCHED, rest, run_dry, seed
from twinfall.analytics.kernels.rows import append, insert, take_out
from twinfall.analytics.kernels.timers import HOLDING, left


@inner
def join(a: Any, s: Any, e: Any, pair: Any, now: float) -> bool:
    """Let two (one, other, carrier, whether only from one to the other) ask for the carrier that is
    to connect them; whether both, if they are up, have what they are to pass on.
    """
    one, other, carrier, oneway, _, _ = pair
    fresh_one, fresh_other = _joins(a, e, one, carrier), _joins(a, e, other, carrier)
    has_one, has_other = not fresh_one, not fresh_other
    if fresh_one:
        given = not oneway and _gives(a, s, other, carrier, has_other)
        has_one = given or _has_itself(a, s, e, one, carrier, now)
    if fresh_other:
        given = _gives(a, s, one, carrier, has_one)
        has_other = given or _has_itself(a, s, e, other, carrier, now)
    if not has_one and not oneway:
        has_one = _gives(a, s, other, carrier, has_other)
    sound_one = has_one or s.mark[one].wave != UP
    return bool(sound_one and (has_other or s.mark[other].wave != UP))


@inner
def lay(a: Any, e: Any, pair: Any) -> None:
    one, other, carrier, oneway, _, _ = pair
    _lay_arc(a, e, one, other, carrier)
    if not oneway:
        _lay_arc(a, e, other, one, carrier)
    _look_at(a, e, one, other, carrier)


@inner
def led_to(pair: Any) -> Any:
    """Whom a connection leads to."""
    one, other, _, oneway, _, _ = pair
    led = np.empty(2, np.int32)
    led[0], led[1] = other, one
    return led[: 1 if oneway else 2]


@inner
def disconnect(a: Any, s: Any, e: Any, pair: Any, now: float) -> Any:
    """Cut all that connects two assets in a carrier; who does not ask for the carrier any more."""
    one, other, carrier, _, _, _ = pair
    passed, touched = (a.pass_start, a.pass_end, a.pass_to), (a.touch_start, a.touch_end, a.touch)
    base = i64(carrier) * len(a.member)
    take_out(passed, base + one, other)
    take_out(passed, base + other, one)
    take_out(touched, base + one, other)
    take_out(touched, base + other, one)
    _look_at(a, e, one, other, carrier)
    left_out = np.empty(2, np.int32)
    size = i64(0)
    for asset in (one, other):
        if _leaves(a, s, e, asset, carrier, now):
            left_out[size] = asset
            size += 1
    return left_out[:size]


@inner
def _look_at(a: Any, e: Any, one: int, other: int, carrier: int) -> None:
    e.count[DIRTY] |= i64(1) << carrier
    if a.cyclic:
        seed(e, i64(one))
        seed(e, i64(other))


@inner
def _joins(a: Any, e: Any, asset: int, carrier: int) -> bool:
    """Make an asset a member of a carrier; whether it was none."""
    if a.member[asset] >> carrier & 1:
        return False
    a.member[asset] |= i64(1) << carrier
    insert((a.member_start, a.member_end, a.members), e.room, JOINED, carrier, asset)
    return True


@inner
def _leaves(a: Any, s: Any, e: Any, asset: int, carrier: int, now: float) -> bool:
    """Whether an asset has no connections any more, and is no member then. What is in a storage
    that nothing is connected to stays in it.
    """
    at = i64(carrier) * len(a.member) + asset
    if a.touch_start[at] != a.touch_end[at] or a.member[asset] >> carrier & 1 == 0:
        return False
    a.member[asset] &= ~(i64(1) << carrier)
    take_out((a.member_start, a.member_end, a.members), carrier, asset)
    for i in range(len(a.storage)):
        if a.storage[i] == asset and a.storage_carrier[i] == carrier:
            rest(s, e, i64(i), HOLDING, now)
    return True


@inner
def _lay_arc(a: Any, e: Any, one: int, other: int, carrier: int) -> None:
    base = i64(carrier) * len(a.member)
    touched = (a.touch_start, a.touch_end, a.touch)
    append((a.pass_start, a.pass_end, a.pass_to), e.room, PASSED, base + one, other)
    append(touched, e.room, TOUCHED, base + one, other)
    append(touched, e.room, TOUCHED, base + other, one)


@inner
def _gives(a: Any, s: Any, asset: int, carrier: int, has: bool) -> bool:
    """Whether an asset passes a carrier on over a connection that leads away from it."""
    up = s.mark[asset].wave == UP and a.conducts[asset] == 1
    return bool(up and (has or a.source[asset] >> carrier & 1))


@inner
def _has_itself(a: Any, s: Any, e: Any, asset: int, carrier: int, now: float) -> bool:
    """Whether an asset feeds a carrier by itself; a storage that is up begins to run for it."""
    if a.source[asset] >> carrier & 1:
        return True
    for i in range(len(a.storage)):
        if a.storage[i] != asset or a.storage_carrier[i] != carrier:
            continue
        if left(e.timer, i64(e.first_storage + i), now) > 0.0:
            if s.mark[asset].wave == UP:
                s.dry_cause[i] = -1
                run_dry(a, s, e, i64(i), now)
            return True
    return False
