"""What holds in the end when some assets have failed, and by what each asset is held.

The same fixed point as `grounding.settle`, written down with who came first: an asset is held by
feeds and neighbours that were held before it, so that following them back ends at sources and at
assets that need nothing. Arrays are handed on one by one: a look into a tuple of them costs more
than the step it is for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinfall.analytics.kernels.arrays import i64, u64
from twinfall.analytics.kernels.compiled import compiled, inner

LATE = np.int32(2**30)
"""The rank of what does not hold."""


@compiled
def hold(a: Any, out: Any, rank: Any, fed_by: Any, work: Any) -> None:
    """Find what holds while the assets flagged in `out` have failed; flags all that goes down.

    rank[v] is when v was held (LATE: it is not, 0 for black starters that were assumed), and
    fed_by[c, v] from whom it first got carrier c (itself for a source, -1: not at all).
    """
    black = a.black_start.copy()
    any_black = black.any()
    opened, member = work[0], a.member
    while True:
        while True:
            _derive(a, out, black, rank, fed_by, work)
            dropped = False
            for asset in range(len(out) if any_black else 0):
                assumed = black[asset] == 1 and out[asset] == 0
                if assumed and _lacks(opened, member, fed_by, i64(asset)):
                    black[asset] = 0
                    dropped = True
            if not dropped:
                break
        gone = False
        for asset in range(len(out)):
            if out[asset] == 0 and rank[asset] == LATE:
                out[asset] = 1
                gone = True
        if not gone or not a.sustain.any():
            return


@inner
def _lacks(opened: Any, member: Any, fed_by: Any, asset: int) -> bool:
    if opened[u64(asset)] > 0:
        return True
    if member[u64(asset)] == 0:
        return False
    for carrier in range(len(fed_by)):
        if member[u64(asset)] >> carrier & 1 and fed_by[carrier, asset] < 0:
            return True
    return False


@inner
def _derive(a: Any, out: Any, black: Any, rank: Any, fed_by: Any, work: Any) -> None:
    """work[0]: open groups of each asset; work[1]: the queue; work[2, :G]: weight each group lacks;
    work[3, :G]: whether it is sustained.
    """
    n, opened, queue, member = len(out), work[0], work[1], a.member
    _open(a, out, rank, fed_by, work)
    tail = i64(0)
    for asset in range(n):
        if black[asset] == 1 and out[asset] == 0:
            rank[asset] = 0
            queue[tail] = asset
            tail += 1
    for asset in range(n):
        tail = _held(out, rank, fed_by, member, opened, queue, i64(asset), tail)
    head = i64(0)
    some = black.any()
    fed, before = i64(0), i64(-1)
    while head < tail or fed > before:
        tail = _work(a, out, rank, fed_by, work, head, tail)
        head, before = tail, fed
        for asset in range(n if some else 0):  # an assumed one may only now be fed itself
            if black[asset] == 1 and out[asset] == 0 and member[asset] != 0:
                tail = _pass_on(
                    a.conducts, a.pass_start, a.pass_to, out, rank, fed_by, member, opened, queue,
                    i64(asset), tail,
                )  # fmt: skip
        fed = _fed(black, fed_by) if some else before


@inner
def _fed(black: Any, fed_by: Any) -> Any:
    """How many carriers reach black starters."""
    count = i64(0)
    for asset in range(len(black)):
        if black[asset] == 1:
            for carrier in range(len(fed_by)):
                count += fed_by[carrier, asset] >= 0
    return count


@inner
def _open(a: Any, out: Any, rank: Any, fed_by: Any, work: Any) -> None:
    source, rule, in_start, in_edges = a.source, a.rule, a.in_start, a.in_edges
    provider, weight, sustain = a.provider, a.weight, a.sustain
    opened, lacks, sustained = work[0], work[2], work[3]
    opened[: len(out)] = 0
    rank[:] = LATE
    for carrier in range(len(fed_by)):
        for asset in range(len(out)):
            fed_by[carrier, asset] = asset if source[asset] >> carrier & 1 else -1
    for group in range(len(rule)):
        lacks[group] = 0
        sustained[group] = 0
        if rule[group].fail_at == 0:
            continue
        total, lost = i64(0), i64(0)
        for at in range(in_start[group], in_start[group + 1]):
            total += weight[in_edges[at]]
            if out[provider[in_edges[at]]] == 1:
                lost += weight[in_edges[at]]
        lacks[group] = total - rule[group].fail_at + 1
        if len(sustain) > 0 and sustain[group] == 1:
            sustained[group] = lost < rule[group].fail_at
        if sustained[group] == 0:
            opened[rule[group].consumer] += 1


@inner
def _work(a: Any, out: Any, rank: Any, fed_by: Any, work: Any, head: int, tail: int) -> Any:
    opened, queue, lacks, sustained = work[0], work[1], work[2], work[3]
    out_start, group_of, weight, rule, member = a.out_start, a.group, a.weight, a.rule, a.member
    conducts, pass_start, pass_to = a.conducts, a.pass_start, a.pass_to
    while head < tail:
        asset = i64(queue[head])
        head += 1
        for edge in range(out_start[asset], out_start[asset + 1]):
            group = u64(group_of[edge])
            before = lacks[group]
            lacks[group] = before - weight[edge]
            if before > 0 and lacks[group] <= 0:
                consumer = i64(rule[group].consumer)
                if sustained[group] == 0:
                    opened[consumer] -= 1
                tail = _held(out, rank, fed_by, member, opened, queue, consumer, tail)
        if member[asset] != 0:
            tail = _pass_on(
                conducts, pass_start, pass_to, out, rank, fed_by, member, opened, queue, asset, tail
            )
    return tail


@inner
def _held(
    out: Any, rank: Any, fed_by: Any, member: Any, opened: Any, queue: Any, asset: int, tail: int
) -> Any:
    at = u64(asset)
    if out[at] == 1 or rank[at] != LATE or _lacks(opened, member, fed_by, asset):
        return tail
    rank[at] = tail + 1
    queue[u64(tail)] = asset
    return tail + 1


@inner
def _pass_on(
    conducts: Any, pass_start: Any, pass_to: Any, out: Any, rank: Any, fed_by: Any, member: Any,
    opened: Any, queue: Any, asset: int, tail: int,
) -> Any:  # fmt: skip
    """Pass on what reaches an asset that holds and conducts."""
    if conducts[asset] == 0:
        return tail
    for carrier in range(len(fed_by)):
        if fed_by[carrier, asset] < 0 or member[asset] >> carrier & 1 == 0:
            continue
        base = carrier * len(out) + asset
        for at in range(pass_start[base], pass_start[base + 1]):
            other = i64(pass_to[at])
            if fed_by[carrier, other] < 0 and out[other] == 0:
                fed_by[carrier, other] = asset
                tail = _held(out, rank, fed_by, member, opened, queue, other, tail)
    return tail


@compiled
def held_by(a: Any, rank: Any, fed_by: Any, target: int, inside: Any, way: Any) -> Any:
    """One way in which the target is held: how many assets of `way` it takes, the target first.

    While these are up, so is the target. Of equal choices those are taken that are in already,
    then the heaviest votes, then who was held first. `inside` is zero before and after.
    """
    rule, group_start, groups, member = a.rule, a.group_start, a.groups, a.member
    inside[target] = 1
    way[0] = target
    head, tail = i64(0), i64(1)
    while head < tail:
        asset = i64(way[head])
        head += 1
        for at in range(group_start[asset], group_start[asset + 1]):
            if rule[groups[at]].fail_at > 0:
                tail = _voters(a, rank, asset, i64(groups[at]), inside, way, tail)
        for carrier in range(len(fed_by)):
            by = i64(fed_by[carrier, asset])
            if member[asset] >> carrier & 1 and by >= 0 and inside[by] == 0:
                inside[by] = 1
                way[tail] = by
                tail += 1
    for i in range(tail):
        inside[way[i]] = 0
    return tail


@inner
def _voters(a: Any, rank: Any, asset: int, group: int, inside: Any, way: Any, tail: int) -> Any:
    """Take in feeds until the group has its votes."""
    rule, provider, weight, in_edges = a.rule, a.provider, a.weight, a.in_edges
    begin, end = a.in_start[group], a.in_start[group + 1]
    votes = i64(1) - rule[group].fail_at
    for at in range(begin, end):
        votes += weight[in_edges[at]]
    own = rank[asset]
    sustained = len(a.sustain) > 0 and a.sustain[group] == 1
    anybody = sustained or own == 0  # needs no derivation, only that they are up
    for at in range(begin, end):
        edge = in_edges[at]
        other = provider[edge]
        if inside[other] == 1 and rank[other] != LATE and (anybody or rank[other] < own):
            votes -= weight[edge]
    while votes > 0:
        best, heaviest, first = i64(-1), i64(0), i64(LATE)
        for at in range(begin, end):
            edge = in_edges[at]
            other = provider[edge]
            may = inside[other] == 0 and rank[other] != LATE and (anybody or rank[other] < own)
            better = weight[edge] > heaviest or (weight[edge] == heaviest and rank[other] < first)
            if may and weight[edge] > 0 and better:
                best, heaviest, first = i64(other), i64(weight[edge]), i64(rank[other])
        if best < 0:
            return tail
        inside[best] = 1
        way[tail] = best
        tail += 1
        votes -= heaviest
    return tail
