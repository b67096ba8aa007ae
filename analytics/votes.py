"""How the feeds of a group vote: a weight each, and how much lost weight loses the group.

Counting rules give every feed the weight 1. In `capacity` the shares are weights, compared to a
millionth of `minShare`. A standby that starts too late for the autonomy to bridge it has no weight:
it cannot prevent the interruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinfall.analytics.given import INT64, counted, numbers, whole
from twinfall.ontology.errors import BadInput

RULES = ("all", "any", "atLeast", "capacity")
UNITS = 1_000_000
"""Parts of `minShare` in which shares are compared."""
MOST = 2**30
"""All weights of a group together."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What is said of G groups and their E feeds; None where nothing is.

    `priority` 1 is a normal feed, 2 and above a standby, which carries `start` seconds after it
    is needed.
    """

    rule: Sequence[str] | NDArray[np.int8]
    """Names, or positions in `RULES`."""
    k: ArrayLike | None = None
    share: ArrayLike | None = None
    min_share: ArrayLike | None = None
    priority: ArrayLike | None = None
    start: ArrayLike | None = None


@dataclass(frozen=True, slots=True)
class Votes:
    """int32 weights [E]; for each group all of them together, the lost weight that loses it (0:
    it can never be satisfied, and is never evaluated), and the weight that such a group needs.
    """

    weight: NDArray[np.int32]
    total: NDArray[np.int32]
    fail_at: NDArray[np.int32]
    unmet: NDArray[np.int64]

    @property
    def unsatisfiable(self) -> NDArray[np.int32]:
        """Groups that are never evaluated."""
        return np.flatnonzero(self.fail_at == 0).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Standbys:
    """Feeds of priority 2 and above, by position: the seconds until they carry, and the weight
    that they have if they are in time.
    """

    feed: NDArray[np.int32]
    priority: NDArray[np.float64]
    start: NDArray[np.float64]
    weight: NDArray[np.int32]


def votes(
    ballot: Ballot, group: NDArray[np.int32], autonomy: NDArray[np.float64]
) -> tuple[Votes, Standbys]:
    """Weigh the feeds (their groups given, one feed for each provider) by the rules."""
    code, wanted = _rules(ballot)
    count, edges = len(code), len(group)
    priority = numbers(ballot.priority, edges, 1.0, "priority")
    start = numbers(ballot.start, edges, 0.0, "start")
    size = np.bincount(group, minlength=count)
    normal = np.bincount(group, weights=priority <= 1, minlength=count)
    need = np.select(
        [code == 0, code == 1, code == 2],
        [np.where(normal > 0, normal, size), np.ones(count), wanted],
        UNITS,
    ).astype(np.int64)
    weight = np.ones(edges, np.int64)
    _weigh_shares(ballot, code, group, size, (weight, need))
    said = np.flatnonzero(priority > 1).astype(np.int32)
    standbys = Standbys(said, priority[said], start[said], weight[said].astype(np.int32))
    standby = _standbys(group, weight, need, priority, start)
    weight[standby & (start > autonomy[group])] = 0
    total = np.bincount(group, weights=weight, minlength=count).astype(np.int64)
    fail_at = total - need + 1
    fail_at[(need < 1) | (need > total)] = 0
    unmet = np.where(fail_at == 0, need, 0)
    weighed = Votes(
        weight.astype(np.int32), total.astype(np.int32), fail_at.astype(np.int32), unmet
    )
    return weighed, standbys


def unweighed(
    code: NDArray[np.int8], group: NDArray[np.int32], votes: Votes, standbys: Standbys
) -> Ballot:
    """What could have been said to the same end: shares are parts of a `minShare` of 1."""
    weight = votes.weight.astype(np.int64)
    weight[standbys.feed] = standbys.weight
    priority, start = np.ones(len(group)), np.zeros(len(group))
    priority[standbys.feed], start[standbys.feed] = standbys.priority, standbys.start
    need = np.where(votes.fail_at > 0, votes.total - votes.fail_at + 1, votes.unmet)
    shared = (code == RULES.index("capacity"))[group]
    units = parts(np.bincount(group, minlength=len(code)))[group]
    share = np.where(shared, weight / units, 1.0)
    return Ballot(code, need, share, (need > 0).astype(np.float64), priority, start)


def rule_codes(rule: Sequence[str] | NDArray[np.int8]) -> NDArray[np.int8]:
    """Rules by position in `RULES`. Raises BadInput where one is none."""
    if isinstance(rule, np.ndarray) and rule.dtype == np.int8:
        return rule
    numbered = {name: i for i, name in enumerate(RULES)}
    if isinstance(rule, str) or not isinstance(rule, Sequence | np.ndarray):
        raise BadInput("rule is a list of words, one for each group", path="rule")
    codes = [numbered.get(name, -1) if isinstance(name, str) else -1 for name in rule]
    if -1 in codes:
        at = codes.index(-1)
        message = f"{str(rule[at])[:40]!r} is not one of {', '.join(RULES)}"
        raise BadInput(message, path=f"rule[{at}]")
    return np.array(codes, np.int8)


def packed_codes(code: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Rules as two rows of bits."""
    return np.packbits(np.stack([code & 1, code >> 1]).astype(bool), axis=1)


def unpacked_codes(codes: NDArray[np.uint8], count: int) -> NDArray[np.int8]:
    """The positions in `RULES` of so many rules."""
    low, high = np.unpackbits(codes, axis=1, count=count).astype(np.int8)
    code: NDArray[np.int8] = low | high << 1
    return code


def rule_of(codes: NDArray[np.uint8], group: int) -> str:
    """The rule of one group."""
    byte, bit = group >> 3, 7 - (group & 7)  # one by one: a row of two costs ten times as much
    low, high = int(codes[0, byte]) >> bit & 1, int(codes[1, byte]) >> bit & 1
    return RULES[low | high << 1]


def _rules(ballot: Ballot) -> tuple[Any, Any]:
    code = rule_codes(ballot.rule)
    if ballot.k is None and (code == RULES.index("atLeast")).any():
        raise BadInput("k must be given where a rule is atLeast", path="k", cure="one a group")
    if ballot.k is None:
        return code, np.zeros(len(code), np.int64)
    k = whole(ballot.k, "k", cure="a whole number for each group", bits=INT64)
    return code, counted(k, len(code), "k")


def parts(size: Any) -> Any:
    """Of how many parts `minShare` is in a group of so many feeds."""
    return np.minimum(UNITS, MOST // np.maximum(size, 1))


def _weigh_shares(ballot: Ballot, code: Any, group: Any, size: Any, into: tuple[Any, Any]) -> None:
    """Shares as whole parts of `minShare`; sums of them may be wrong by half a part each."""
    weight, need = into
    chosen = code == RULES.index("capacity")
    if not chosen.any():
        return
    share = numbers(ballot.share, len(group), 1.0, "share")
    least = numbers(ballot.min_share, len(code), 0.0, "min_share")
    units = parts(size)
    feeds = np.flatnonzero(chosen[group])
    owner = group[feeds]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        brought = np.nan_to_num(share[feeds] / least[owner], nan=0.0, posinf=1.0)
    weight[feeds] = np.rint(np.minimum(brought, 1.0) * units[owner])
    need[chosen] = np.maximum(units - size, 1)[chosen]
    need[chosen & (least <= 0)] = 0


def _standbys(group: Any, weight: Any, need: Any, priority: Any, start: Any) -> NDArray[np.bool_]:
    """Which feeds stand by: those that the normal ones, and standbys before them, do not need."""
    standby: NDArray[np.bool_] = priority > 1
    if not standby.any():
        return standby
    order = np.lexsort((np.arange(len(group)), start, priority, group))
    carried = np.cumsum(weight[order])
    begin = np.concatenate([[True], group[order][1:] != group[order][:-1]])
    before = carried - weight[order]
    before -= np.repeat(before[begin], np.diff(np.append(np.flatnonzero(begin), len(group))))
    standby[order] &= before >= need[group[order]]
    return standby


def decisive(
    group: NDArray[np.integer], weight: NDArray[np.integer], fail_at: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Of feeds that are lost, group by group (ascending) in order of time: which are those with
    whose loss their group, lost at this weight, is lost. 0 is lost by none.
    """
    gathered = np.cumsum(weight, dtype=np.int64)
    first = np.searchsorted(group, group)
    gathered -= (gathered - weight)[first]
    found: NDArray[np.bool_] = (fail_at > 0) & (gathered >= fail_at) & (gathered - weight < fail_at)
    return found
