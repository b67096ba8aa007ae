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
from twinfall.analytics.kernels.compiled import compiled

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
    lacks = work[0]
    while True:
        while True:
            _derive(a, out, black, rank, fed_by, work)
            dropped = False
            for asset in range(len(out) if any_black else 0):
                if black[asset] == 1 and out[asset] == 0 and lacks[asset] > 0:
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


@compiled
def _derive(a: Any, out: Any, black: Any, rank: Any, fed_by: Any, work: Any) -> None:
    """work[0]: groups and carriers that each asset lacks; work[1]: the queue; work[2, :G]: weight
    each group lacks; work[3, :G]: whether it is sustained.
    """
    n, lacks, queue, member = len(out), work[0], work[1], a.member
    lacks[:n] = 0
    rank[:] = LATE
    _open_carriers(a.source, member, fed_by, lacks)
    _open_groups(
        a.rule,
        a.in_start,
        a.in_edges,
        a.provider,
        a.weight,
        a.sustain,
        out,
        lacks,
        work[2],
        work[3],
    )
    tail = i64(0)
    for asset in range(n):
        if black[asset] == 1 and out[asset] == 0:
            rank[asset] = 0
            queue[tail] = asset
            tail += 1
    again = queue[:tail].copy()
    for asset in range(n):
        if lacks[asset] == 0 and out[asset] == 0 and rank[asset] == LATE:
            rank[asset] = tail + 1
            queue[tail] = asset
            tail += 1
    fed, carried = i64(0), i64(0)
    reached, before = i64(0), i64(-1)
    while fed < tail or reached > before:
        fed = tail = _feed(
            a.out_start, a.group, a.weight, a.rule, out, rank, lacks, work[2], work[3], queue, fed,
            tail,
        )  # fmt: skip
        carried = tail = _carry(
            a.conducts, a.pass_start, a.pass_to, out, rank, fed_by, member, lacks, queue, carried,
            i64(-1), queue, tail,
        )  # fmt: skip
        tail = _carry(  # an assumed one may only now be fed itself
            a.conducts, a.pass_start, a.pass_to, out, rank, fed_by, member, lacks, again, i64(0),
            i64(len(again)), queue, tail,
        )  # fmt: skip
        before, reached = reached, _reached(again, fed_by)


@compiled
def _reached(assets: Any, fed_by: Any) -> Any:
    """How many carriers reach these, all together."""
    count = i64(0)
    for asset in assets:
        for carrier in range(len(fed_by)):
            count += fed_by[carrier, asset] >= 0
    return count


@compiled
def _open_carriers(source: Any, member: Any, fed_by: Any, lacks: Any) -> None:
    for carrier in range(len(fed_by)):
        for asset in range(len(member)):
            own = source[asset] >> carrier & 1
            fed_by[carrier, asset] = asset if own else -1
            lacks[asset] += member[asset] >> carrier & 1 & ~own


@compiled
def _open_groups(
    rule: Any, in_start: Any, in_edges: Any, provider: Any, weight: Any, sustain: Any, out: Any,
    lacks: Any, wanting: Any, sustained: Any,
) -> None:  # fmt: skip
    for group in range(len(rule)):
        wanting[group] = 0
        sustained[group] = 0
        if rule[group].fail_at == 0:
            continue
        total, lost = i64(0), i64(0)
        for at in range(in_start[group], in_start[group + 1]):
            total += weight[in_edges[at]]
            if out[provider[in_edges[at]]] == 1:
                lost += weight[in_edges[at]]
        wanting[group] = total - rule[group].fail_at + 1
        if len(sustain) > 0 and sustain[group] == 1:
            sustained[group] = lost < rule[group].fail_at
        if sustained[group] == 0:
            lacks[rule[group].consumer] += 1


@compiled
def _feed(
    out_start: Any, group_of: Any, weight: Any, rule: Any, out: Any, rank: Any, lacks: Any,
    wanting: Any, sustained: Any, queue: Any, head: int, tail: int,
) -> Any:  # fmt: skip
    """Let those in the queue from `head` on vote, and those that are held by it."""
    while head < tail:
        asset = u64(queue[u64(head)])
        head += 1
        for edge in range(out_start[asset], out_start[asset + u64(1)]):
            group = u64(group_of[edge])
            before = wanting[group]
            wanting[group] = before - weight[edge]
            if before <= 0 or wanting[group] > 0 or sustained[group] == 1:
                continue
            other = u64(rule[group].consumer)
            lacks[other] -= 1
            if lacks[other] == 0 and out[other] == 0 and rank[other] == LATE:
                rank[other] = tail + 1
                queue[u64(tail)] = other
                tail += 1
    return tail


@compiled
def _carry(
    conducts: Any, pass_start: Any, pass_to: Any, out: Any, rank: Any, fed_by: Any, member: Any,
    lacks: Any, some: Any, head: int, end: int, queue: Any, tail: int,
) -> Any:  # fmt: skip
    """Pass on what reaches these of `some` that conduct, from `head` to `end`; -1: `some` is the
    queue, to its end, which moves on.
    """
    while head < (tail if end < 0 else end):
        asset = i64(some[u64(head)])
        head += 1
        for carrier in range(len(fed_by) if conducts[asset] == 1 else 0):
            if fed_by[carrier, asset] < 0 or member[asset] >> carrier & 1 == 0:
                continue
            base = carrier * len(out) + asset
            for at in range(pass_start[base], pass_start[base + 1]):
                other = i64(pass_to[at])
                if fed_by[carrier, other] >= 0 or out[other] == 1:
                    continue
                fed_by[carrier, other] = asset
                lacks[other] -= 1
                if lacks[other] == 0 and rank[other] == LATE:
                    rank[other] = tail + 1
                    queue[u64(tail)] = other
                    tail += 1
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


@compiled
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
