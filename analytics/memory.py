"""Memory: what a live plant has been through, by twin ids, so that it outlives arrays and process.

Arrays come and go with the graph. Where they are equal to those the memory is of, a plant goes on
exactly as it stood; in other ones with what it still knows of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

import numpy as np

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.moments import Charges, Moment
from twinfall.graph.identity import owner_of

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
    names = _Names(plain)
    since = [None if time == -np.inf else time for time in moment.since.tolist()]
    default = plain.network.arrays.conducts
    turned = np.flatnonzero(moment.conducts != default).tolist()
    return Memory(
        mark,
        origin,
        moment.now,
        {id_: time for id_, time in own.items() if id_ in plain},
        running,
        dict(zip(map(names.of, moment.down.tolist()), since, strict=True)),
        {names.of(at): bool(moment.conducts[at]) for at in turned},
        tuple(
            Coming(*names.of_feed(edge), due)
            for edge, due in zip(moment.coming.tolist(), moment.due.tolist(), strict=True)
        ),
        _said(moment.buffers, names.of_group),
        _said(moment.storages, names.of_storage),
        (*moment.buffers.left.tolist(), *moment.storages.left.tolist()),
    )


def resumed(plain: AssetNetwork, memory: Memory, mark: str) -> Evolution:
    """A plant that goes on from what is remembered. Where it is another one by now: whatever it
    has no more is forgotten, buffers that are new are full, and what is down stays so unless it
    can run; what was drawn from a buffer stays drawn where its length is another.
    """
    found = _Found(plain)
    if memory.network == mark:
        moment = found.moment(memory, gates=True)
        if not found.missing:
            return Evolution.resumed(plain.network, moment)
    evolution = Evolution(plain.network, memory.now)
    evolution.carry(found.moment(memory, gates=False))
    return evolution


def _said(charges: Charges, name: Callable[[int], tuple[Name, str]]) -> tuple[Charge, ...]:
    return tuple(
        Charge(*name(at), level, since, full, mode, circled)
        for at, level, since, full, mode, circled in zip(
            charges.at.tolist(),
            charges.level.tolist(),
            charges.since.tolist(),
            charges.full.tolist(),
            charges.mode.tolist(),
            charges.circled.tolist(),
            strict=True,
        )
    )


class _Names:
    """What stands at a position is called so."""

    def __init__(self, plain: AssetNetwork) -> None:
        self.plain = plain
        self.arrays, self.compiled = plain.network.arrays, plain.compiled

    def of(self, at: int) -> Name:
        visible = self.plain.visible
        return self.plain.ids[at] if at < visible else at - visible

    def of_group(self, group: int) -> tuple[Name, str]:
        consumer = int(self.arrays.rule["consumer"][group])
        return self.of(consumer), self.compiled.group_names[self.compiled.group_name[group]]

    def of_storage(self, i: int) -> tuple[Name, str]:
        carrier = self.compiled.carriers[self.arrays.storage_carrier[i]]
        return self.of(int(self.arrays.storage[i])), carrier

    def of_feed(self, edge: int) -> tuple[Name, Name, str]:
        return self.of(int(self.arrays.provider[edge])), *self.of_group(self.arrays.group[edge])


class _Found:
    """Where what is remembered stands in a plant; `missing` counts what does not."""

    def __init__(self, plain: AssetNetwork) -> None:
        self.plain = plain
        self.arrays, self.compiled = plain.network.arrays, plain.compiled
        self.missing = 0
        carriers = [self.compiled.carriers[one] for one in self.arrays.storage_carrier]
        spots = zip(self.arrays.storage.tolist(), carriers, strict=True)
        self.storage = {spot: i for i, spot in enumerate(spots)}

    def moment(self, memory: Memory, *, gates: bool) -> Moment:
        """In positions; without gates, which stand as what they stand for does."""
        down = {self.at(name, gates): since for name, since in memory.down.items()}
        conducts = self.arrays.conducts.copy()
        for name, on in memory.switches.items():
            at = self.at(name, gates)
            if at >= 0:
                conducts[at] = on
        coming = {self.feed(one, gates): one.due for one in memory.coming}
        for found in (down, coming):
            found.pop(-1, None)
        positions = np.array(sorted(down), np.int32)
        edges = np.array(sorted(coming), np.int32)
        since = (down[at] for at in positions.tolist())
        charges, first = list(memory.charges()), len(memory.buffers)
        return Moment(
            memory.now,
            np.intersect1d(self.plain.some_positions(memory.own), positions),
            positions,
            np.array([-np.inf if time is None else time for time in since], np.float64),
            edges,
            np.array([coming[edge] for edge in edges.tolist()], np.float64),
            self.charges(
                {self.group(one.asset, one.of, gates): (one, left) for one, left in charges[:first]}
            ),
            self.charges({self.stored(one, gates): (one, left) for one, left in charges[first:]}),
            conducts,
        )

    def charges(self, by: dict[int, tuple[Charge, float]]) -> Charges:
        by.pop(-1, None)
        at = sorted(by)
        rows = [by[i][0] for i in at]
        return Charges(
            np.array(at, np.int32),
            np.array([one.level for one in rows], np.float64),
            np.array([one.since for one in rows], np.float64),
            np.array([one.full for one in rows], np.float64),
            np.array([one.mode for one in rows], np.uint8),
            np.array([one.circled for one in rows], np.uint8),
            np.array([by[i][1] for i in at], np.float64),
        )

    def at(self, name: Name, gates: bool) -> int:
        found = -1
        if isinstance(name, str):
            found = self.plain.position_of(name) if name in self.plain else -1
        elif gates and 0 <= name < self.plain.network.n - self.plain.visible:
            found = self.plain.visible + name
        self.missing += found < 0
        return found

    def group(self, asset: Name, of: str, gates: bool) -> int:
        at = self.at(asset, gates)
        if at < 0:
            return -1
        mine = self.arrays.groups[self.arrays.group_start[at] : self.arrays.group_start[at + 1]]
        names, name = self.compiled.group_names, self.compiled.group_name
        found = [int(group) for group in mine if names[name[group]] == of]
        self.missing += not found
        return found[0] if found else -1

    def stored(self, charge: Charge, gates: bool) -> int:
        found = self.storage.get((self.at(charge.asset, gates), charge.of), -1)
        self.missing += found < 0
        return found

    def feed(self, coming: Coming, gates: bool) -> int:
        provider, group = (
            self.at(coming.provider, gates),
            self.group(coming.consumer, coming.group, gates),
        )
        if provider < 0 or group < 0:
            return -1
        start = self.arrays.out_start
        begin, end = int(start[provider]), int(start[provider + 1])
        found = np.flatnonzero(self.arrays.group[begin:end] == group)
        self.missing += not len(found)
        return begin + int(found[0]) if len(found) else -1
