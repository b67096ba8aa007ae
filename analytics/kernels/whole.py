"""What can be seen of a network without deriving the support of everything."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import i64
from twinfall.analytics.kernels.compiled import compiled, inner


@compiled
def all_fed(a: Any) -> bool:
    """Whether every carrier reaches all that is connected in it while everything is up."""
    n, source, conducts = len(a.member), a.source, a.conducts
    pass_start, pass_to = a.pass_start, a.pass_to
    member_start, members = a.member_start, a.members
    carriers = len(member_start) - 1
    reached = np.zeros(n if carriers > 0 else 0, np.int32)
    queue = np.empty(len(members), np.int32)
    for carrier in range(carriers):
        bit = np.int32(1) << carrier
        tail = 0
        for at in range(member_start[carrier], member_start[carrier + 1]):
            asset = i64(members[at])
            if source[asset] & bit:
                reached[asset] |= bit
                queue[tail] = asset
                tail += 1
        head = 0
        while head < tail:
            asset = i64(queue[head])
            head += 1
            if conducts[asset] == 0:
                continue
            base = i64(carrier) * n + asset
            for at in range(pass_start[base], pass_start[base + 1]):
                other = i64(pass_to[at])
                if not reached[other] & bit:
                    reached[other] |= bit
                    queue[tail] = other
                    tail += 1
        if tail < member_start[carrier + 1] - member_start[carrier]:
            return False
    return True


@compiled
def is_without_circles(a: Any, circling: Any, begin: Any, most: int) -> bool:
    """Whether nothing that follows from these assets is in a circle, as `circling` (which may be
    empty) has it or by feeds that lead back. False also where that leads to what is connected in a
    carrier, or to more than `most` assets.
    """
    n, member = len(a.member), a.member
    out_start, group_of, rule, sustain = a.out_start, a.group, a.rule, a.sustain
    waits = np.zeros(n, np.int32)  # 1, and how many feeds come from among those that follow
    order = np.empty(min(n, most + len(begin)), np.int32)
    tail = 0
    for at in range(len(begin)):
        if waits[begin[at]] == 0:
            waits[begin[at]] = 1
            order[tail] = begin[at]
            tail += 1
    head = 0
    while head < tail:
        asset = i64(order[head])
        head += 1
        if member[asset] != 0 or (len(circling) > 0 and circling[asset] == 1):
            return False
        for edge in range(out_start[asset], out_start[asset + 1]):
            group = group_of[edge]
            if len(sustain) > 0 and sustain[group] == 1:
                continue
            consumer = i64(rule[group].consumer)
            if waits[consumer] == 0:
                if tail == len(order):
                    return False
                waits[consumer] = 1
                order[tail] = consumer
                tail += 1
            waits[consumer] += 1
    unwound: bool = _unwinds(a, waits, order[:tail])
    return unwound


@inner
def _unwinds(a: Any, waits: Any, order: Any) -> bool:
    """Whether these can be put in an order in which each comes after all that feed it."""
    out_start, group_of, rule, sustain = a.out_start, a.group, a.rule, a.sustain
    queue = np.empty(len(order), np.int32)
    tail = 0
    for at in range(len(order)):
        if waits[order[at]] == 1:
            queue[tail] = order[at]
            tail += 1
    head = 0
    while head < tail:
        asset = i64(queue[head])
        head += 1
        for edge in range(out_start[asset], out_start[asset + 1]):
            group = group_of[edge]
            if len(sustain) > 0 and sustain[group] == 1:
                continue
            consumer = i64(rule[group].consumer)
            waits[consumer] -= 1
            if waits[consumer] == 1:
                queue[tail] = consumer
                tail += 1
    return bool(tail == len(order))
