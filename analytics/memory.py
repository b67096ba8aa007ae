"""Memory: what a live plant has been through, by twin ids, so that it outlives arrays and process.

Arrays come and go with the graph. Where they are equal to those the memory is of, a plant goes on
exactly as it stood; in other ones with what it still knows of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.moments import Charges, Moment
from twinfall.graph.identity import owner_of

Positions = NDArray[np.int32]
Column = NDArray[np.float64]
Name: TypeAlias = str | int
"""The id of a twin, component or domain; the number of a gate, which has none."""


class Charge(NamedTuple):
    """What a buffer holds, of an asset for a group or a carrier `of`: as in `Charges`."""

    asset: Name
    of: str
    level: float
    since: float
    full: float
    mode: int
    circled: int


class Coming(NamedTuple):
    """A feed that is lost, and when that is felt."""

    provider: Name
    consumer: Name
    group: str
    due: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a network (a hash) at a moment: `now` and all times in seconds since `origin` (ns).

    `own` failed by themselves, each since then (ns); `down` are these and all others that are down,
    since when (None: before the beginning). Of `running` people say that they run. `switches`
    stand otherwise than declared. `left` is what the buffers, then the storages, hold `now`. Two
    are equal where nothing has happened between them.
    """

    network: str
    origin: int
    now: float = field(compare=False)
    own: Mapping[str, int] = field(default_factory=dict)
    running: frozenset[str] = frozenset()
    down: Mapping[Name, float | None] = field(default_factory=dict)
    switches: Mapping[Name, bool] = field(default_factory=dict)
    coming: tuple[Coming, ...] = ()
    buffers: tuple[Charge, ...] = ()
    storages: tuple[Charge, ...] = ()
    left: tuple[float, ...] = field(default=(), compare=False)

    @property
    def is_blank(self) -> bool:
        """Whether a plant that remembers nothing is the same."""
        seen = (self.own, self.running, self.down, self.switches, self.coming)
        return not any((*seen, self.buffers, self.storages))

    def without(self, twins: Set[str]) -> Memory:
        """The same but for these twins, who are gone."""

        def stays(*names: Name) -> bool:
            return all(isinstance(one, int) or owner_of(one) not in twins for one in names)

        return replace(
            self,
            network="",  # what is left is of no plant that ever was
            own={one: since for one, since in self.own.items() if stays(one)},
            running=frozenset(one for one in self.running if stays(one)),
            down={one: since for one, since in self.down.items() if stays(one)},
            switches={one: on for one, on in self.switches.items() if stays(one)},
            coming=tuple(one for one in self.coming if stays(one.provider, one.consumer)),
            buffers=tuple(one for one in self.buffers if stays(one.asset)),
            storages=tuple(one for one in self.storages if stays(one.asset)),
            left=tuple(left for one, left in self.charges() if stays(one.asset)),
        )

    def charges(self) -> Iterator[tuple[Charge, float]]:
        """Of buffers, then of storages, and what each holds now."""
        return zip((*self.buffers, *self.storages), self.left, strict=True)


def fingerprint(plain: AssetNetwork) -> str:
    """A hash of all that decides how a plant goes on. O(assets + feeds)."""
    compiled, arrays, feeds = plain.compiled, plain.network.arrays, plain.network.feeds
    digest = hashlib.sha256()
    for names in (plain.ids, compiled.domains, compiled.group_names, compiled.carriers):
        digest.update(f"{len(names)}\n".encode())
        digest.update("\n".join(names).encode())
    for column in (
        arrays.provider, arrays.group, arrays.transfer, arrays.weight, arrays.rule,
        arrays.autonomy, arrays.sustain, arrays.member, arrays.source, arrays.conducts,
        arrays.black_start, arrays.pass_start, arrays.pass_to, arrays.storage,
        arrays.storage_carrier, arrays.storage_autonomy, compiled.group_name, feeds.recharge,
        plain.network.links.storages.recharges(),
    ):  # fmt: skip
        one = column[:1] if column.strides == (0,) else column  # one zero, shown everywhere
        digest.update(f"{len(column)}\n".encode())
        digest.update(np.ascontiguousarray(one).tobytes())
    return digest.hexdigest()


def memory_of(
    plain: AssetNetwork,
    moment: Moment,
    mark: str,
    origin: int,
    own: Mapping[str, int],
    running: frozenset[str] = frozenset(),
) -> Memory:
    """How a plant stands at a moment; `mark` is the plant's fingerprint. O(what is not well)."""
    names, compiled = _Names(plain), plain.compiled
    arrays, buffers, storages = plain.network.arrays, moment.buffers, moment.storages
    turned = np.flatnonzero(moment.conducts != arrays.conducts).astype(np.int32)
    since = (None if time == -np.inf else time for time in moment.since.tolist())
    felt = arrays.group[moment.coming]
    coming = zip(
        names.of(arrays.provider[moment.coming]),
        names.of(arrays.rule["consumer"][felt]),
        names.of_groups(felt),
        moment.due.tolist(),
        strict=True,
    )
    carriers = [compiled.carriers[i] for i in arrays.storage_carrier[storages.at].tolist()]
    return Memory(
        mark,
        origin,
        moment.now,
        {id_: time for id_, time in own.items() if id_ in plain},
        running,
        dict(zip(names.of(moment.down), since, strict=True)),
        dict(zip(names.of(turned), (moment.conducts[turned] > 0).tolist(), strict=True)),
        tuple(Coming(*one) for one in coming),
        _said(buffers, names.of(arrays.rule["consumer"][buffers.at]), names.of_groups(buffers.at)),
        _said(storages, names.of(arrays.storage[storages.at]), carriers),
        (*buffers.left.tolist(), *storages.left.tolist()),
    )


def resumed(plain: AssetNetwork, memory: Memory, mark: str) -> Evolution:
    """A plant that goes on from what is remembered. Where it is another one by now: whatever it
    has no more is forgotten, buffers that are new are full, and what is down stays so unless it
    can run; what was drawn from a buffer stays drawn where its length is another.
    """
    if memory.network == mark:
        found = _Found(plain, gates=True)
        moment = found.moment(memory)
        if not found.missing:
            return Evolution.resumed(plain.network, moment)
    evolution = Evolution(plain.network, memory.now)
    evolution.carry(_Found(plain, gates=False).moment(memory))
    return evolution


def _said(charges: Charges, assets: list[Name], of: list[str]) -> tuple[Charge, ...]:
    columns = (
        charges.level.tolist(),
        charges.since.tolist(),
        charges.full.tolist(),
        charges.mode.tolist(),
        charges.circled.tolist(),
    )
    return tuple(map(Charge, assets, of, *columns))


class _Names:
    """What stands at positions, and how groups are called."""

    def __init__(self, plain: AssetNetwork) -> None:
        self._ids, self._visible = plain.ids, plain.visible
        self._groups, self._group = plain.compiled.group_names, plain.compiled.group_name

    def of(self, positions: Positions) -> list[Name]:
        ids, visible = self._ids, self._visible
        return [ids[at] if at < visible else at - visible for at in positions.tolist()]

    def of_groups(self, groups: Positions) -> list[str]:
        return [self._groups[name] for name in self._group[groups].tolist()]


class _Found:
    """Where what is remembered stands in a plant; `missing` counts what does not. Without gates:
    they stand as what they stand for does.
    """

    def __init__(self, plain: AssetNetwork, *, gates: bool) -> None:
        self._plain, self._gates = plain, gates
        self._arrays, self._compiled = plain.network.arrays, plain.compiled
        self._known: dict[Name, int] = {}
        names: dict[str, int] = {}
        alike = [names.setdefault(name, i) for i, name in enumerate(self._compiled.group_names)]
        self._names, self._alike = names, np.array(alike, np.int32)
        self.missing = 0

    def moment(self, memory: Memory) -> Moment:
        """In positions."""
        conducts = self._arrays.conducts.copy()
        for at, on in zip(self._at(memory.switches), memory.switches.values(), strict=True):
            self.missing += at < 0
            if at >= 0:
                conducts[at] = on
        since = [-np.inf if time is None else time for time in memory.down.values()]
        down, (fell,) = self._sorted(self._at(memory.down), np.array(since, np.float64))
        coming, (due,) = self._sorted(
            self._feeds(memory.coming), np.array([one.due for one in memory.coming], np.float64)
        )
        left = np.array(memory.left, np.float64)
        first = len(memory.buffers)
        groups = self._groups(
            [one.asset for one in memory.buffers], [one.of for one in memory.buffers]
        )
        return Moment(
            memory.now,
            np.intersect1d(self._plain.some_positions(memory.own), down),
            down,
            fell,
            coming,
            due,
            self._charges(groups, memory.buffers, left[:first]),
            self._charges(self._stored(memory.storages), memory.storages, left[first:]),
            conducts,
        )

    def _sorted(self, at: Positions, *columns: Column) -> tuple[Positions, list[Column]]:
        """Those that were found, ascending, and their columns."""
        order = np.argsort(at, kind="stable")
        order = order[at[order] >= 0]
        self.missing += len(at) - len(order)
        return at[order], [column[order] for column in columns]

    def _charges(self, at: Positions, charges: Sequence[Charge], left: Column) -> Charges:
        rows = np.array([one[2:] for one in charges], np.float64).reshape(-1, 5)
        at, columns = self._sorted(at, *rows.T, left)
        level, since, full, mode, circled, held = columns
        flags = mode.astype(np.uint8), circled.astype(np.uint8)
        return Charges(at, level, since, full, *flags, held)

    def _at(self, names: Iterable[Name]) -> Positions:
        known = self._known
        for name in names:
            if name not in known:
                known[name] = self._find(name)
        return np.array([known[name] for name in names], np.int32)

    def _find(self, name: Name) -> int:
        if isinstance(name, str):
            return self._plain.find(name)
        if self._gates and 0 <= name < self._plain.network.n - self._plain.visible:
            return self._plain.visible + name
        return -1

    def _groups(self, assets: Sequence[Name], of: Sequence[str]) -> Positions:
        """Each asset's group of that name; -1 where it has none."""
        at = self._at(assets)
        wanted = np.array([self._names.get(name, -1) for name in of], np.int32)
        start = self._arrays.group_start
        count = np.where(at >= 0, start[at + 1] - start[at], 0)
        row = np.repeat(np.arange(len(at)), count)
        within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        groups = self._arrays.groups[start[at[row]] + within]
        same = self._alike[self._compiled.group_name[groups]] == wanted[row]
        found = np.full(len(at), -1, np.int32)
        found[row[same]] = groups[same]
        return found

    def _stored(self, charges: Sequence[Charge]) -> Positions:
        arrays, carriers = self._arrays, self._compiled.carriers
        kinds = (carriers[i] for i in arrays.storage_carrier.tolist()) if charges else ()
        spots = zip(arrays.storage.tolist() if charges else (), kinds, strict=True)
        number = {spot: i for i, spot in enumerate(spots)}
        at = self._at([one.asset for one in charges]).tolist()
        keys = zip(at, (one.of for one in charges), strict=True)
        return np.array([number.get(key, -1) for key in keys], np.int32)

    def _feeds(self, coming: Sequence[Coming]) -> Positions:
        groups = self._groups([one.consumer for one in coming], [one.group for one in coming])
        providers, start = self._at([one.provider for one in coming]), self._arrays.out_start
        found = np.full(len(coming), -1, np.int32)
        for i, (provider, group) in enumerate(zip(providers, groups, strict=True)):
            if provider >= 0 and group >= 0:
                begin, end = int(start[provider]), int(start[provider + 1])
                edges = np.flatnonzero(self._arrays.group[begin:end] == group)
                found[i] = begin + int(edges[0]) if len(edges) else -1
        return found
