"""Which assets matter most: what each one's failure alone takes along, and what that costs a year.

N-1 over everything, on the plant as it stands today: what is down already takes nothing along,
and redundancy that is used up is gone. `expected` is failures a year times hours until repair times
the value lost meanwhile, in value-hours a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.cutsets import CutSets, Limits, cut_sets
from twinfall.analytics.lasting import lasting, with_down
from twinfall.ontology.errors import BadInput, Refused

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork
    from twinfall.analytics.network import Network

Order = Literal["assets", "customers", "value", "expected"]
ORDERS: tuple[Order, ...] = get_args(Order)
Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
HOUR = 3_600.0
MAX_PARTNERS = 200_000
"""Assets among which partners are looked for."""


@dataclass(frozen=True, slots=True)
class Critical:
    """One asset's failure: how many others it takes down, and what is lost with it and them.

    `rank` is shared by equals. `expected` is None where no failure rate or repair time is known.
    """

    rank: int
    id: str
    assets: int
    customers: float
    value: float
    expected: float | None
    failure_rate: float | None
    repair_time: float | None


class Criticality:
    """All assets of one moment by what their failure means; made once, read in pages."""

    def __init__(self, assets: AssetNetwork) -> None:
        self.snapshot = assets.snapshot
        self._assets = assets
        self.network: Network = lasting(assets)
        listing = self.network.listing()
        compiled, n = assets.compiled, self.network.n
        counts = np.diff(listing.start)
        up = ~self.network.baseline
        self._columns: dict[str, Floats] = {"assets": counts.astype(np.float64)}
        for name in ("customers", "value"):
            own: Floats = getattr(compiled, name)
            taken = np.add.reduceat(np.append(own[listing.asset], 0.0), listing.start[:-1])
            taken[counts == 0] = 0.0
            self._columns[name] = np.where(up, taken + own, 0.0)
        self._rate, self._repair = compiled.failure_rate, compiled.repair_time
        lost = self._columns["value"]
        self._columns["expected"] = np.nan_to_num(self._rate * self._repair / HOUR * lost)
        takes_part = np.arange(n) < assets.visible
        self._all = np.flatnonzero(takes_part & up).astype(np.int32)

    def page(
        self, by: Order = "assets", start: int = 0, first: int = 25, among: Ints | None = None
    ) -> tuple[list[Critical], int]:
        """The most critical first, equals in order of id, and how many there are in all.

        `among` are positions to choose from. Raises BadInput for an order there is not.
        """
        if by not in self._columns:
            raise BadInput(f"{by!r} is no order: there are {', '.join(ORDERS)}", path="by")
        chosen = self._all if among is None else np.intersect1d(self._all, among)
        column = self._columns[by][chosen]
        order = np.argsort(-column, kind="stable")
        chosen, column = chosen[order], column[order]
        begins = np.ones(len(column), bool)
        begins[1:] = column[1:] != column[:-1]
        rank = np.maximum.accumulate(np.where(begins, np.arange(len(column)), 0)) + 1
        shown = range(start, min(start + first, len(chosen)))
        return [self._one(int(chosen[i]), int(rank[i])) for i in shown], len(chosen)

    def cut_sets(self, id_: str, order: int = 1, limits: Limits | None = None) -> CutSets:
        """The minimal cut sets of an asset as things stand. Raises UnknownTwin, BadInput."""
        at = self._assets.position_of(id_)
        return cut_sets(self.network, at, order, limits=limits or Limits())

    def partners(self, id_: str) -> list[str]:
        """Assets whose failure together with this one's takes down more than both do alone, by
        id: those that a further failure would hit harder. O(assets) cascades; raises Refused
        where that is too many.
        """
        network, at = self.network, self._assets.position_of(id_)
        if len(self._all) > MAX_PARTNERS:
            raise Refused(
                f"{len(self._all)} assets would have to be tried, at most {MAX_PARTNERS} are",
                code="TOO_COSTLY",
                cure="ask for the cut sets of an asset that matters",
            )
        if network.baseline[at]:
            return []
        down = network.baseline.copy()
        down[network.down([at])] = True
        after = with_down(network, down).criticality()
        alone = network.listing()
        found = []
        for other in self._all.tolist():
            if down[other] or other == at:
                continue
            fresh = int(np.count_nonzero(~down[alone.of(other)]))
            if after[other] > fresh:
                found.append(self._assets.ids[other])
        return found

    def _one(self, asset: int, rank: int) -> Critical:
        columns, rate, repair = self._columns, self._rate[asset], self._repair[asset]
        known = not (np.isnan(rate) or np.isnan(repair))
        return Critical(
            rank,
            self._assets.ids[asset],
            int(columns["assets"][asset]),
            float(columns["customers"][asset]),
            float(columns["value"][asset]),
            float(columns["expected"][asset]) if known else None,
            None if np.isnan(rate) else float(rate),
            None if np.isnan(repair) else float(repair),
        )
