"""Declared directed feeds, row by row, put together into groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.columns import Place, amount, column, number, seconds, whole
from twinfall.analytics.votes import RULES
from twinfall.ontology.declarations import Feed, Group

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]

NO_DOMAIN = -1


class Note(Protocol):
    """Told of positions that are not evaluated fully, and why."""

    def __call__(self, positions: Any, reason: str, assumed: bool = False) -> None:
        """`assumed`: they are judged all the same, under an assumption."""
        ...


@dataclass(frozen=True, slots=True)
class Declared:
    """Relationships, or components and their owners, of one declaration."""

    feed: Feed
    source: Rows
    target: Rows
    place: Place


@dataclass(frozen=True, slots=True)
class Columns:
    """Directed feeds, one row each: who feeds whom in which group, and what is said of it.

    `rule` is a position in `RULES`, `degrade` whether losing the group degrades only, to `level`.
    `domain` is the position of the failure domain, or NO_DOMAIN.
    """

    provider: Rows
    consumer: Rows
    name: Rows
    transfer: Floats
    share: Floats
    priority: Floats
    start: Floats
    domain: Rows
    rule: Rows
    k: Floats
    min_share: Floats
    autonomy: Floats
    recharge: Floats
    sustain: Rows
    degrade: Rows
    level: Floats

    def __len__(self) -> int:
        return len(self.provider)

    def take(self, rows: Any) -> Columns:
        """These rows."""
        return Columns(*(getattr(self, name)[rows] for name in NAMES))


NAMES = tuple(Columns.__dataclass_fields__)
INTEGERS = {"provider", "consumer", "name", "domain", "rule", "sustain", "degrade"}
OF_GROUP = ("k", "min_share", "autonomy", "level")


def joined(parts: list[Columns]) -> Columns:
    """All rows, one after the other."""
    none = {name: np.zeros(0, np.int32 if name in INTEGERS else np.float64) for name in NAMES}
    return Columns(
        *(np.concatenate([none[n], *(getattr(part, n) for part in parts)]) for n in NAMES)
    )


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows with dense group numbers, one for each consumer and name, and each group's first row."""

    rows: Columns
    group: Rows
    first: Rows

    def of(self, name: str) -> Any:
        """A column by group."""
        return getattr(self.rows, name)[self.first]

    def rules(self) -> NDArray[np.int8]:
        """The rule of each group, by position in `RULES`."""
        rules: NDArray[np.int8] = self.of("rule").astype(np.int8)
        return rules

    def wanted(self) -> Rows:
        """k of each group; 0, which nothing satisfies, where it has no usable value."""
        most = np.iinfo(np.int32).max
        wanted: Rows = np.nan_to_num(self.of("k"), nan=0.0).clip(0, most).astype(np.int32)
        return wanted


def grouped(rows: Columns, names: int, note: Note) -> Groups:
    """Number the groups. One whose feeds are bound to different values takes the first, and
    `note` is told of it.
    """
    key = rows.consumer.astype(np.int64) * max(1, names) + rows.name
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    for what in ("k", "min_share", "autonomy", "recharge"):
        values = getattr(rows, what)
        differs = ~((values == values[first][group]) | np.isnan(values))
        if differs.any():
            note(rows.consumer[differs], f"its feeds give different values for {what}")
    return Groups(rows, group.astype(np.int32), first.astype(np.int32))


@dataclass(slots=True)
class Reader:
    """Reads declarations into columns. `note(positions, reason)` is told what cannot be used,
    `domain(text)` gives the position of a failure domain, or NO_DOMAIN.
    """

    groups: Mapping[str, Mapping[str, Group]]
    note: Note
    domain: Callable[[Rows, Any, Place], Rows]
    names: dict[str, int] = field(default_factory=dict)

    def read(self, items: list[Declared]) -> Columns:
        """All directed feeds."""
        return joined([part for item in items for part in self._parts(item)])

    def _parts(self, item: Declared) -> Iterator[Columns]:
        """By what the consumers' models say about the group."""
        consumer = item.source if item.feed.dependent == "source" else item.target
        topology = item.place.topology
        models = topology.model[consumer]
        declared: dict[Group | None, list[int]] = {}
        for code in np.unique(models):
            groups = self.groups.get(topology.models[code], {})
            declared.setdefault(groups.get(item.feed.group), []).append(int(code))
        for group, codes in declared.items():
            rows = np.flatnonzero(np.isin(models, codes)).astype(np.int32)
            yield self._columns(item, group or _said_by(item.feed), rows)

    def _columns(self, item: Declared, said: Group, rows: Rows) -> Columns:
        feed = item.feed
        source, target = item.source[rows], item.target[rows]
        ends = (target, source) if feed.dependent == "source" else (source, target)
        provider, consumer = ends
        edge_rows = None if item.place.rows is None else item.place.rows[rows]
        place = Place(item.place.topology, consumer, item.place.edges, edge_rows)
        count = len(rows)

        def read(value: Any, as_: Any, what: str, default: float) -> Floats:
            return self._certain(
                column(value, place, as_), consumer, f'{what} of "{feed.group}"', default
            )

        priority = read(feed.priority, whole, "priority", 1.0)
        start = read(feed.start_time, seconds, "startTime", 0.0)
        self._unsure(feed, place, consumer, priority)
        level = np.full(count, 0.0) if said.level is None else column(said.level, place, number)
        full = np.full
        return Columns(
            provider=provider,
            consumer=consumer,
            name=full(count, self.names.setdefault(feed.group, len(self.names)), np.int32),
            transfer=read(feed.transfer, seconds, "transfer", 0.0),
            share=read(feed.share, amount, "share", 0.0)
            if said.rule == "capacity"
            else _ones(count),
            priority=priority,
            start=start,
            domain=self.domain(consumer, feed.failure_domain, place),
            rule=full(count, RULES.index(said.rule), np.int32),
            k=column(said.k, place, whole) if said.rule == "atLeast" else np.zeros(count),
            min_share=self._min_share(said, place, consumer, feed.group),
            autonomy=read(said.autonomy, seconds, "autonomy", 0.0),
            recharge=read(said.recharge or 0.0, seconds, "recharge", 0.0),
            sustain=full(count, int(said.loop == "sustain"), np.int32),
            degrade=full(count, int(said.effect == "degrade"), np.int32),
            level=np.clip(np.nan_to_num(level, nan=0.0), 0.0, 1.0),
        )

    def _min_share(self, said: Group, place: Place, consumer: Rows, group: str) -> Floats:
        if said.rule != "capacity":
            return np.zeros(len(consumer))
        values = column(said.min_share, place, amount)
        return self._certain(values, consumer, f'minShare of "{group}"', 0.0)

    def _unsure(self, feed: Feed, place: Place, consumer: Rows, priority: Floats) -> None:
        name = f'group "{feed.group}"'
        unsure = column(feed.probability, place, number) < 1
        self.note(consumer[unsure], f"{name}: a probability counts as certain", True)
        failing = (column(feed.start_failure, place, number) > 0) & (priority > 1)
        self.note(consumer[failing], f"{name}: a standby counts as sure to start", True)

    def _certain(self, values: Floats, twins: Rows, what: str, default: float) -> Floats:
        """Values with the default where there is none, and a note about each of those."""
        missing = np.isnan(values)
        if missing.any():
            self.note(twins[missing], f"{what} has no usable value")
            values = np.where(missing, default, values)
        return values


def _said_by(feed: Feed) -> Group:
    return Group(
        feed.rule, feed.k, feed.min_share, feed.autonomy, feed.recharge, feed.loop, feed.effect,
        feed.level,
    )  # fmt: skip


def _ones(count: int) -> Floats:
    return np.ones(count)
