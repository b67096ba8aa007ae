"""Which twins changes touch, in the topology before them and in the one after them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinfall.graph.following import Changes, positions_of
from twinfall.graph.splicing import Splice
from twinfall.graph.store import Topology

Positions = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Touched:
    """Twins and components whose model, values or relationships may differ, by position `before`
    and `after`, ascending; those that went are among the first, those that came among the second.
    `splice` is how positions moved; None: none did.
    """

    before: Positions
    after: Positions
    splice: Splice | None = None


def touched(old: Topology, new: Topology, changes: Changes) -> Touched:
    """What these changes touch, which made `new` of `old`. O(changes), and O(relationships) where
    twins went or got another model.
    """
    every = {id_ for id_ in changes.ends if _has(new.ids, id_)}
    for id_ in changes.twins:
        every.update(_nodes(old.ids, id_), _nodes(new.ids, id_))
    gone = sorted(id_ for id_ in every if not _has(new.ids, id_))
    came = sorted(id_ for id_ in every if not _has(old.ids, id_))
    remodelled = {id_ for id_ in every.difference(gone, came) if _is_other(old, new, id_)}
    every.update(_neighbours(old, _at(old.ids, [*gone, *remodelled])))
    splice = None
    if gone or came:
        before_whom = [bisect_left(old.ids, id_) for id_ in came]
        splice = Splice(len(old.ids), _at(old.ids, gone), before_whom)
    before = _at(old.ids, sorted(id_ for id_ in every if _has(old.ids, id_)))
    after = _at(new.ids, sorted(id_ for id_ in every if _has(new.ids, id_)))
    return Touched(np.array(before, np.int32), np.array(after, np.int32), splice)


def _is_other(old: Topology, new: Topology, id_: str) -> bool:
    """Whether a twin has got another model."""
    was, now = bisect_left(old.ids, id_), bisect_left(new.ids, id_)
    return bool(old.models[old.model[was]] != new.models[new.model[now]])


def _nodes(ids: Sequence[str], id_: str) -> set[str]:
    return {ids[at] for at in positions_of(ids, id_)}


def _has(ids: Sequence[str], id_: str) -> bool:
    at = bisect_left(ids, id_)
    return at < len(ids) and ids[at] == id_


def _at(ids: Sequence[str], wanted: Iterable[str]) -> list[int]:
    return [bisect_left(ids, id_) for id_ in wanted]


def _neighbours(topology: Topology, twins: Sequence[int]) -> set[str]:
    """Who has relationships with these."""
    if not twins:
        return set()
    chosen = np.zeros(len(topology.ids), bool)
    chosen[twins] = True
    found: set[int] = set()
    for edges in topology.edges.values():
        rows = np.flatnonzero(chosen[edges.source] | chosen[edges.target])
        found.update(edges.source[rows].tolist(), edges.target[rows].tolist())
    return {topology.ids[at] for at in found}
