"""A compiled graph after changes: what they touch is compiled anew, the rest is moved as it is.

The result is what compiling everything would give, number for number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.assembling import circles_of, fed_arrays, linked_arrays
from twinfall.analytics.compiling import (
    Compiled,
    black_starts,
    hard_feeds,
    note_unsatisfiable,
    numbered,
    switches,
    worths,
)
from twinfall.analytics.degrading import Soft
from twinfall.analytics.domains import Builder
from twinfall.analytics.feeds import Feeds
from twinfall.analytics.gathering import (
    Gathering,
    NotEvaluated,
    Places,
    carriers_in,
    group_names,
)
from twinfall.analytics.grouping import Groups
from twinfall.analytics.kernels import Arrays, is_without_circles
from twinfall.analytics.links import Links, Storages, links_of, stored
from twinfall.analytics.network import Network
from twinfall.analytics.regrouping import Regrouped, Side, regrouped
from twinfall.graph.store import Topology
from twinfall.graph.touched import Touched
from twinfall.ontology.declarations import Dependencies

FEW = 1_000
SHARE = 20
"""Touched assets that are compiled by themselves: so many, or one in so many of all."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A topology and where each twin is in it."""

    topology: Topology
    position: Mapping[str, int]


def recompiled(
    compiled: Compiled, old: Moment, new: Moment, dependencies: Dependencies, touch: Touched
) -> Compiled | None:
    """The graph after the changes that touch these; None where it must be compiled as a whole:
    for many changes, and where failure domains or carriers come or go.
    """
    if len(touch.after) > max(FEW, len(new.topology.ids) // SHARE):
        return None
    if touch.splice is not None and _declares_domains(dependencies):
        return None
    if compiled.group_names[:-1] != tuple(group_names(dependencies)):
        return None
    work = _Recompiling(compiled, old, new, dependencies, touch)
    if work.meets_domains() or not work.carriers_stay():
        return None
    return work.result()


def _declares_domains(dependencies: Dependencies) -> bool:
    feeds = (feed for of_model in dependencies.feeds.values() for feed in of_model.values())
    return any(feed.failure_domain is not None for feed in feeds)


class _Recompiling:
    def __init__(
        self,
        compiled: Compiled,
        old: Moment,
        new: Moment,
        dependencies: Dependencies,
        touch: Touched,
    ) -> None:
        self.before = compiled
        self.topology = new.topology
        self.dependencies = dependencies
        self.touch = touch
        self.was = Gathering(old.topology, dependencies, old.position, touch.before)
        self.now = Gathering(new.topology, dependencies, new.position, touch.after)
        self.all = Gathering(new.topology, dependencies, new.position)
        self.behind = compiled.network.n - len(old.topology.ids)
        """How many positions are no twins."""
        self.n = len(new.topology.ids) + self.behind
        self.directed = self.now.feeds("directed")
        self.gone = self.was.feeds("directed", "network")
        self.came = self.now.feeds("network")
        self.relinked = bool(self.came) or any(one.feed.mode == "network" for one in self.gone)

    # -- whether it can be done ---------------------------------------------------------------

    def meets_domains(self) -> bool:
        """Whether a feed that is touched lies, or lay, in a failure domain, or a network that is
        touched has connections that do.
        """
        feeds = (one.feed for one in (*self.gone, *self.came, *self.directed))
        gated = self.relinked and len(self.before.behind) > 0
        return gated or any(feed.failure_domain is not None for feed in feeds)

    def carriers_stay(self) -> bool:
        """Whether the same carriers are in use."""
        names = self.before.carriers
        if self.relinked:
            self.network = self.all.feeds("network")
            connected = {one.feed.carrier or "" for one in self.network}
        else:
            bits = int(np.bitwise_or.reduce(self.before.network.links.member, initial=0))
            connected = {name for at, name in enumerate(names) if bits >> at & 1}
        carriers = carriers_in(self.topology, self.dependencies, connected)
        self.now.carriers = self.all.carriers = carriers
        return tuple(carriers) == names

    # -- the result ---------------------------------------------------------------------------

    def result(self) -> Compiled:
        """The graph after the changes."""
        before, work = self.before, self.now
        rows = work.reader.read(self.directed)
        hard = numbered(work, rows.take(rows.degrade == 0) if rows.degrade.any() else rows)
        soft = numbered(work, rows.take(rows.degrade == 1))
        fed = self._fed(hard)
        worth = [
            self.moved(old, said)
            for old, (said, _) in zip(
                (before.customers, before.value, before.failure_rate, before.repair_time),
                worths(work),
                strict=True,
            )
        ]
        network = self._network(fed)
        names = fed.groups.array(before.group_name, hard.of("name"))
        degrading = self._degrading(soft)
        customers, value, failure_rate, repair_time = worth
        return Compiled(
            network,
            before.domains,
            before.behind,
            degrading,
            before.group_names,
            before.group_name if fed.same else names,
            before.carriers,
            customers,
            value,
            failure_rate,
            repair_time,
            self._services(),
            self._not_evaluated(),
            self._places(),
        )

    def moved(self, old: NDArray[Any], said: NDArray[Any]) -> NDArray[Any]:
        """A column by position, with what is said of those that are touched."""
        after, body = self.touch.after, self._shifted(old)
        new = said[after].astype(old.dtype)
        if body is old:
            if np.array_equal(old[after], new, equal_nan=old.dtype.kind == "f"):
                return old
            body = old.copy()
        body[after] = new
        return body

    def _shifted(self, old: NDArray[Any]) -> NDArray[Any]:
        """A column by position, with zeros for twins that came."""
        splice, twins = self.touch.splice, len(old) - self.behind
        if splice is None:
            return old
        added = np.zeros(len(splice.added), old.dtype)
        return np.concatenate([splice.array(old[:twins], added), old[twins:]])

    def place(self, positions: NDArray[np.int32]) -> NDArray[np.int32]:
        """Where twins are now."""
        splice = self.touch.splice
        return positions if splice is None else splice.place[positions]

    # -- feeds --------------------------------------------------------------------------------

    def _fed(self, hard: Groups) -> Regrouped:
        network, work = self.before.network, self.now
        arrays, names = network.arrays, len(work.reader.names)
        black_start = self.moved(arrays.black_start, black_starts(work).astype(np.uint8))
        starts = np.zeros(self.n, bool)
        fresh = hard_feeds(self.n, hard, Builder(self.n).built(), starts)
        note_unsatisfiable(work, fresh, hard)
        keyed = int(np.count_nonzero(self.before.group_name < names))
        side = Side(
            network.feeds, keyed, arrays.out_start, arrays.in_start, arrays.in_edges,
            arrays.group_start, arrays.groups,
        )  # fmt: skip
        return regrouped(side, self.touch, fresh, black_start)

    def _degrading(self, groups: Groups) -> Soft:
        soft, work = self.before.soft, self.now
        fresh = Soft.of(self.n, groups, work.reader.names)
        note_unsatisfiable(work, fresh.feeds, groups)
        side = Side(soft.feeds, len(soft), soft.by_provider[0], *soft.by_group, *soft.by_consumer)
        black_start = np.zeros(self.n, np.uint8)
        found = regrouped(side, self.touch, fresh.feeds, black_start)
        if found.same and np.array_equal(found.groups.array(soft.level, fresh.level), soft.level):
            return soft
        return Soft(
            found.feeds,
            soft.names,
            found.groups.array(soft.name, fresh.name),
            found.groups.array(soft.level, fresh.level),
            self.n,
        )

    # -- networks -----------------------------------------------------------------------------

    def _network(self, fed: Regrouped) -> Network:
        before, links = self.before.network, self._links()
        if fed.same and links is before.links:
            return before
        arrays, n, old = before.arrays, self.n, before.links
        parts = arrays._asdict()
        if not fed.same:
            parts |= fed_arrays(n, fed.feeds)
        if links is not old:
            parts |= linked_arrays(n, links)
        alike = links.begin is old.begin and links.source is old.source
        if not (fed.same and alike and links.carriers == old.carriers):
            parts |= self._circles(arrays, fed.feeds, links, parts)
        visible = before.visible + n - before.n
        worth = np.broadcast_to(1.0, n)
        return Network(fed.feeds, links, Arrays(**parts), worth, visible)

    def _circles(
        self, before: Arrays, feeds: Feeds, links: Links, parts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Who can be in a circle: the same as before, where what is touched is in none."""
        circling = before.circling
        if not self.relinked and not (len(circling) and circling[self.touch.before].any()):
            moved = self._shifted(circling) if len(circling) else circling
            made = Arrays(**{**parts, "circling": moved})
            if is_without_circles(made, moved, self.touch.after, len(self.topology.ids) // SHARE):
                return {"circling": moved, "cyclic": before.cyclic}
        return circles_of(self.n, feeds, links)

    def _links(self) -> Links:
        before = self.before.network.links
        conducts = self.moved(before.conducts, switches(self.now).astype(np.uint8))
        source, storages = self._sources()
        if self.relinked:
            pairs, carrier, oneway, _ = self.all.connections(self.network)
            return links_of(self.n, pairs, carrier, oneway, (source, conducts), storages)
        same = conducts is before.conducts and source is before.source
        if same and storages is before.storages and self.touch.splice is None:
            return before
        top = max(int(before.carrier.max(initial=-1)), int(storages.carrier.max(initial=-1)))
        return Links(
            self.place(before.begin),
            self.place(before.end),
            before.carrier,
            max(top + 1, int(source.max(initial=0)).bit_length()),
            self._shifted(before.member),
            source,
            conducts,
            storages,
        )

    def _sources(self) -> tuple[NDArray[np.int32], Storages]:
        """Carrier bits of the sources, and the storages, as `Links` has them."""
        before = self.before.network.links
        if not self._declare("source"):
            storages = before.storages
            if self.touch.splice is not None:
                storages = replace(storages, asset=self.place(storages.asset))
            return self._shifted(before.source), storages
        bits, storages = self.all.sources()
        source = self.moved(before.source, bits)
        kept = stored(self.n, storages)
        return source, before.storages if _are_alike(kept, before.storages) else kept

    def _declare(self, member: str) -> bool:
        """Whether the model of something touched, before or after, declares this of assets."""
        both = (*self.was.twins_of(), *self.now.twins_of())
        return any(getattr(asset, member) for asset, twins in both if len(twins))

    # -- assets -------------------------------------------------------------------------------

    def _services(self) -> tuple[tuple[str, NDArray[np.int32]], ...]:
        now, before = dict(self.now.services()), dict(self.before.services)
        touched = np.zeros(len(self.was.topology.ids), bool)
        touched[self.touch.before] = True
        found = []
        for name in sorted({*now, *before}):
            old, new = before.get(name, _NONE), now.get(name, _NONE)
            if self.touch.splice is not None or len(new) or touched[old].any():
                kept = self.place(old[~touched[old]])
                old = np.sort(np.concatenate([kept, new]))
            found.append((name, old))
        return tuple(found)

    def _not_evaluated(self) -> tuple[NotEvaluated, ...]:
        was, now = self.was.topology.ids, self.topology.ids
        touched = {was[at] for at in self.touch.before} | {now[at] for at in self.touch.after}
        kept = {row for row in self.before.not_evaluated if row.id not in touched}
        return tuple(sorted(kept | self.now.reasons | self.all.reasons))

    def _places(self) -> Places:
        before, here = self.before.places, self.now.places(len(self.topology.ids))
        x, y = self.moved(before.x, here.x), self.moved(before.y, here.y)
        systems = self.all.systems() if self._declare("location") else before.systems
        if x is before.x and y is before.y and systems == before.systems:
            return before
        return Places(x, y, systems)


_NONE = np.zeros(0, np.int32)


def _are_alike(one: Storages, other: Storages) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("asset", "carrier", "autonomy")
    ) and np.array_equal(one.recharges(), other.recharges())
