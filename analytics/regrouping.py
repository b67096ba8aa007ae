"""Feeds in which the groups of some consumers are replaced; all others are moved as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.feeds import Feeds, sparse
from twinfall.analytics.kernels import RULE
from twinfall.analytics.votes import Standbys, packed_codes, unpacked_codes
from twinfall.graph.column import MISSING
from twinfall.graph.splicing import Splice
from twinfall.graph.touched import Touched

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Side:
    """Feeds as they lie in the kernels' arrays. The first `keyed` groups are in order of consumer;
    what comes behind stays there.
    """

    feeds: Feeds
    keyed: int
    out_start: Any
    in_start: Any
    in_edges: Any
    group_start: Any
    groups: Any


@dataclass(frozen=True, slots=True)
class Regrouped:
    """The feeds, and how their groups moved; `same`: nothing did, the feeds are those of before."""

    feeds: Feeds
    groups: Splice
    same: bool


def regrouped(
    side: Side, touch: Touched, fresh: Feeds, black_start: NDArray[np.uint8]
) -> Regrouped:
    """The feeds with the `fresh` groups, in order of consumer, instead of those of the touched.
    O(touched), and a copy of the columns. `black_start` is of all assets.
    """
    feeds = side.feeds
    removed = _entries(side.group_start, side.groups, touch.before)
    lost = _entries(side.in_start, side.in_edges, removed)
    old_of = _old_positions(touch)
    owners = np.searchsorted(feeds.consumer[: side.keyed], old_of(fresh.consumer))
    groups = Splice(feeds.count, removed, owners)
    if touch.splice is None and _is_as(feeds, removed, lost, fresh, black_start):
        return Regrouped(feeds, groups, True)
    came = np.zeros(0, np.int32) if touch.splice is None else touch.splice.added
    ends = old_of(fresh.provider), np.isin(fresh.provider, came)
    before = _edge_places(side, ends, owners[fresh.group])
    edges = Splice(len(feeds.provider), lost, before)
    return Regrouped(_spliced(feeds, fresh, groups, edges, touch, black_start), groups, False)


def _entries(start: Any, listed: Any, keys: Any) -> Ints:
    """All that is listed under these keys, ascending."""
    found = [listed[start[key] : start[key + 1]] for key in keys.tolist()]
    return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int32)


def _old_positions(touch: Touched) -> Any:
    """Before which old position each new one stands, or where it stood."""
    splice = touch.splice
    if splice is None:
        return lambda at: at
    place = splice.place
    stays = np.flatnonzero(place != MISSING)
    return lambda at: np.append(stays, len(place))[np.searchsorted(place[stays], at)]


def _edge_places(side: Side, providers: tuple[Any, Any], owners: Any) -> list[int]:
    """Before which old feed each new one comes, by provider, then by group. Of `providers` is told
    where they stood, and whether they are new: before whom, then.
    """
    start, group = side.out_start, side.feeds.group
    found = []
    rows = (column.tolist() for column in (*providers, owners))
    for provider, is_new, owner in zip(*rows, strict=True):
        begin = int(start[provider])
        end = begin if is_new else int(start[provider + 1])
        found.append(begin + int(np.searchsorted(group[begin:end], owner)))
    return found


def _is_as(feeds: Feeds, removed: Ints, lost: Ints, fresh: Feeds, black_start: Any) -> bool:
    """Whether the groups that go are those that come."""
    if len(removed) != fresh.count or len(lost) != len(fresh.provider):
        return False
    gone = feeds.of_groups(removed, lost)
    names = ("provider", "group", "transfer", "weight", "rule", "autonomy", "sustain", "recharge")
    stand = ("feed", "priority", "start", "weight")
    return (
        all(np.array_equal(getattr(gone, n), getattr(fresh, n)) for n in (*names, "codes", "unmet"))
        and all(
            np.array_equal(getattr(gone.standbys, n), getattr(fresh.standbys, n)) for n in stand
        )
        and np.array_equal(feeds.black_start, black_start)
    )


def _spliced(
    old: Feeds, fresh: Feeds, groups: Splice, edges: Splice, touch: Touched, black_start: Any
) -> Feeds:
    provider, group = old.provider, old.group
    if touch.splice is not None:
        provider = _moved(provider, touch.splice)
    if groups.moves:
        group = groups.place[group]
    rule = np.empty(groups.size, RULE)
    consumer = old.consumer if touch.splice is None else _moved(old.consumer, touch.splice)
    rule["consumer"] = groups.array(consumer, fresh.consumer)
    rule["fail_at"] = groups.array(old.fail_at, fresh.fail_at)
    codes = (unpacked_codes(old.codes, old.count), unpacked_codes(fresh.codes, fresh.count))
    return Feeds(
        provider=edges.array(provider, fresh.provider),
        group=edges.array(group, groups.added[fresh.group]),
        transfer=_column(edges, old.transfer, fresh.transfer),
        weight=edges.array(old.weight, fresh.weight),
        rule=rule,
        autonomy=_column(groups, old.autonomy, fresh.autonomy),
        sustain=_column(groups, old.sustain, fresh.sustain),
        black_start=black_start,
        standbys=_standbys(edges, old.standbys, fresh.standbys),
        codes=packed_codes(groups.array(*codes)),
        recharge=_column(groups, old.recharge, fresh.recharge),
        unmet=_column(groups, old.unmet, fresh.unmet),
    )


def _moved(positions: Any, splice: Splice) -> Any:
    """Positions of assets where they are now; what stands behind the twins moved along."""
    place, shift = splice.place, splice.size - len(splice.place)
    behind = positions >= len(place)
    if not behind.any():
        return place[positions]
    return np.where(behind, positions + shift, place[np.minimum(positions, len(place) - 1)])


def _column(splice: Splice, old: Any, fresh: Any) -> Any:
    """A column that takes no memory where all is zero."""
    if not old.any() and not fresh.any():
        return np.broadcast_to(old.dtype.type(0), splice.size)
    return sparse(splice.array(old, fresh))


def _standbys(edges: Splice, old: Standbys, fresh: Standbys) -> Standbys:
    if not len(old.feed) and not len(fresh.feed):
        return old
    place = edges.place[old.feed] if len(old.feed) else old.feed
    kept = place != MISSING
    feed = np.concatenate([place[kept], edges.added[fresh.feed]]).astype(np.int32)
    order = np.argsort(feed)
    columns = (
        np.concatenate([getattr(old, name)[kept], getattr(fresh, name)])[order]
        for name in ("priority", "start", "weight")
    )
    return Standbys(feed[order], *columns)
