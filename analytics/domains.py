"""Failure domains: what is lost together because it lies in one duct, one building, one rack.

A feed or connection in a domain runs through a **gate**, an asset of ours that no answer shows: it
is down when its provider or the domain is. Domains are assets that can be failed; a free name gets
a position of its own behind the twins, a gate one behind those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.columns import Place, words
from twinfall.analytics.grouping import NO_DOMAIN, Columns, Groups, Note
from twinfall.analytics.votes import RULES

Rows = NDArray[np.int32]

FREE = "domain:"
"""How the name of a domain begins that is no twin."""
MAX_NAME = 256


@dataclass(slots=True)
class Domains:
    """The domains that feeds name, with positions; `note` is told of names that nothing has."""

    position: Mapping[str, int]
    twins: int
    note: Note
    free: dict[str, int] = field(default_factory=dict)

    def of(self, twins: Rows, value: Any, place: Place) -> Rows:
        """The position of each row's domain, or NO_DOMAIN."""
        if value is None:
            return np.full(len(twins), NO_DOMAIN, np.int32)
        named = words(value, place)
        found = {name: self._find(name) for name in set(named) if name}
        for name, at in found.items():
            if at == NO_DOMAIN:
                rows = twins[[one == name for one in named]]
                self.note(rows, f"its failure domain {name[:MAX_NAME]!r} is no twin")
        return np.array([found.get(one or "", NO_DOMAIN) for one in named], np.int32)

    def _find(self, name: str) -> int:
        if name.startswith(FREE) and len(name) <= MAX_NAME:
            return self.free.setdefault(name, self.twins + len(self.free))
        return self.position.get(name, NO_DOMAIN)


@dataclass(frozen=True, slots=True)
class Gates:
    """Gates by position behind `first`: `behind[i]` is the provider of gate i (or its domain,
    for a connection). Their feeds: provider, gate, and the gate's group, numbered from 0.
    """

    first: int
    behind: Rows
    provider: Rows
    gate: Rows
    group: Rows
    rules: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many gates there are."""
        return len(self.behind)


@dataclass(slots=True)
class Builder:
    """Makes gates, one after the other."""

    first: int
    behind: list[int] = field(default_factory=list)
    feeds: list[tuple[int, int, int]] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    def gate(self, behind: int, *needs: tuple[str, list[int]]) -> int:
        """A gate that needs each of these (rule, providers); its position."""
        at = self.first + len(self.behind)
        self.behind.append(behind)
        for rule, providers in needs:
            self.feeds.extend((provider, at, len(self.rules)) for provider in providers)
            self.rules.append(rule)
        return at

    def built(self) -> Gates:
        """What has been made."""
        rows = np.array(self.feeds, np.int32).reshape(-1, 3)
        behind = np.array(self.behind, np.int32)
        provider, gate, group = rows.T
        return Gates(self.first, behind, provider, gate, group, tuple(self.rules))


def through_gates(groups: Groups, builder: Builder) -> Columns:
    """The rows with each feed that lies in a domain led through a gate.

    Of several feeds of one provider in one group, one that lies in no domain makes the others'
    domains idle; otherwise all the domains must be lost. Shares are lost feed by feed.
    """
    rows = groups.rows
    placed = rows.domain != NO_DOMAIN
    if not placed.any():
        return rows
    together: dict[tuple[int, int, int], list[int]] = {}
    for row in np.flatnonzero(_with_their_like(groups, placed)).tolist():
        shared = rows.rule[row] == RULES.index("capacity")
        key = (int(groups.group[row]), int(rows.provider[row]), row if shared else -1)
        together.setdefault(key, []).append(row)
    provider = rows.provider.copy()
    for (_, feeder, _), same in together.items():
        domains = {int(rows.domain[row]) for row in same} - {feeder}
        if NO_DOMAIN in domains or not domains:
            continue
        provider[same] = builder.gate(feeder, ("all", [feeder]), ("any", sorted(domains)))
    columns = {name: getattr(rows, name) for name in Columns.__dataclass_fields__}
    return Columns(**{**columns, "provider": provider})


def _with_their_like(groups: Groups, placed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows in a domain, and those of the same provider and group."""
    rows = groups.rows
    key = groups.group.astype(np.int64) << 32 | rows.provider.astype(np.int64)
    found: NDArray[np.bool_] = np.isin(key, key[placed])
    return found


def connections_through_gates(
    pairs: Any, carrier: Rows, oneway: Any, domain: Rows, builder: Builder
) -> tuple[Any, Rows, Any]:
    """The connections [m, 2] with each that lies in a domain led through a gate."""
    placed = np.flatnonzero(domain != NO_DOMAIN)
    if not len(placed):
        return pairs, carrier, oneway
    gates = np.array(
        [builder.gate(int(domain[row]), ("all", [int(domain[row])])) for row in placed], np.int32
    )
    begin, end = pairs[placed, 0], pairs[placed, 1]
    kept = np.delete(np.arange(len(pairs)), placed)
    led = [pairs[kept], np.stack([begin, gates], axis=1), np.stack([gates, end], axis=1)]
    again = (kept, placed, placed)
    return (
        np.concatenate(led),
        np.concatenate([carrier[rows] for rows in again]),
        np.concatenate([oneway[rows] for rows in again]),
    )
