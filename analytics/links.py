"""The undirected half of a network: connections that transport a carrier from its sources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinfall.analytics.given import columns, counted, flags, numbers, positions, whole
from twinfall.ontology.errors import BadInput

MAX_CARRIERS = 31
"""Carriers are bits of an int32."""


def _no_ints() -> NDArray[np.int32]:
    return np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class Storages:
    """Assets that feed a carrier for `autonomy` seconds after they lost their own supply, and
    take `recharge` seconds to fill when they are empty.
    """

    asset: NDArray[np.int32] = field(default_factory=_no_ints)
    carrier: NDArray[np.int32] = field(default_factory=_no_ints)
    autonomy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    recharge: NDArray[np.float64] | None = None

    def recharges(self) -> NDArray[np.float64]:
        """Seconds; 0, at once, where nothing is said."""
        return np.zeros(len(self.asset)) if self.recharge is None else self.recharge


@dataclass(frozen=True, slots=True)
class Links:
    """Arcs begin -> end in the directions in which a carrier passes, and who feeds it."""

    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    carrier: NDArray[np.int32]
    carriers: int
    member: NDArray[np.int32]
    source: NDArray[np.int32]
    conducts: NDArray[np.uint8]
    storages: Storages

    def members(self) -> tuple[Any, Any]:
        """The assets connected in each carrier: start [C + 1] and ascending positions."""
        found = [np.flatnonzero(self.member >> c & 1) for c in range(self.carriers)]
        start = np.concatenate([[0], np.cumsum([len(f) for f in found])])
        members = np.concatenate(found) if found else np.zeros(0)
        return start.astype(np.int32), members.astype(np.int32)


def links_of(
    n: int,
    connections: ArrayLike | None,
    carrier: ArrayLike | None,
    oneway: ArrayLike | None,
    assets: tuple[Any, Any],
    storages: Storages | None,
) -> Links:
    """Check and normalise connections [m, 2] with carrier and oneway [m], (source, conducts)."""
    pairs = _pairs(n, connections)
    kind = _carriers([] if carrier is None else carrier, "carrier")
    single = flags(oneway, len(pairs), "oneway") > 0
    counted(kind, len(pairs), "carrier")
    source, conducts = assets
    bits = (
        np.zeros(n, np.int32) if source is None else counted(whole(source, "source"), n, "source")
    )
    if len(bits) and bits.min() < 0:
        raise BadInput(
            "source has a bit for each carrier", path="source", cure=f"0 to 2**{MAX_CARRIERS} - 1"
        )
    passes = np.ones(n, np.uint8) if conducts is None else flags(conducts, n, "conducts")
    kept = stored(n, storages)
    top = max([int(kind.max(initial=-1)), int(kept.carrier.max(initial=-1))])
    carriers = max(top + 1, int(bits.max(initial=0)).bit_length())
    back = ~single
    return Links(
        begin=np.ascontiguousarray(np.concatenate([pairs[:, 0], pairs[back, 1]])),
        end=np.ascontiguousarray(np.concatenate([pairs[:, 1], pairs[back, 0]])),
        carrier=np.ascontiguousarray(np.concatenate([kind, kind[back]])),
        carriers=carriers,
        member=_member(n, pairs, kind),
        source=np.ascontiguousarray(bits),
        conducts=passes,
        storages=kept,
    )


def _carriers(values: Any, name: str) -> NDArray[np.int32]:
    kind = whole(values, name)
    if len(kind) and (kind.min() < 0 or kind.max() >= MAX_CARRIERS):
        raise BadInput(f"carriers are numbered 0 to {MAX_CARRIERS - 1}", path=name)
    return kind


def _pairs(n: int, connections: Any) -> NDArray[np.int32]:
    if connections is None or not len(connections):
        return np.zeros((0, 2), np.int32)
    ends = [positions(column, n, "connections") for column in columns(connections, "connections")]
    return np.stack(ends, axis=1)


def _member(n: int, pairs: Any, kind: Any) -> NDArray[np.int32]:
    member = np.zeros(n, np.int32)
    for column in (0, 1):
        np.bitwise_or.at(member, pairs[:, column], (1 << kind).astype(np.int32))
    return member


def stored(n: int, storages: Storages | None) -> Storages:
    """Check and normalise storages."""
    if storages is None:
        return Storages()
    asset = positions(storages.asset, n, "storages.asset")
    carrier = _carriers(
        counted(storages.carrier, len(asset), "storages.carrier"), "storages.carrier"
    )
    autonomy = numbers(storages.autonomy, len(asset), 0.0, "storages.autonomy")
    recharge = numbers(storages.recharge, len(asset), 0.0, "storages.recharge")
    spot = carrier.astype(np.int64) * n + asset
    again = np.ones(len(spot), bool)
    again[np.unique(spot, return_index=True)[1]] = False
    for at in np.flatnonzero(again):
        raise BadInput(
            f"asset {asset[at]} stores carrier {carrier[at]} already",
            path=f"storages.asset[{at}]",
            cure="one storage for an asset and a carrier",
        )
    kept = autonomy > 0  # who stores nothing is no source
    return Storages(asset[kept], carrier[kept], autonomy[kept], recharge[kept])
