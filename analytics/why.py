"""Why an asset goes down: what its group had lost by then, and from whom that came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twinfall.analytics.feeds import Feeds
from twinfall.analytics.network import Impact

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork

MAX_NAMED = 10
"""Lost providers named in `votes`."""
MAX_PATH = 1_000


@dataclass(frozen=True, slots=True)
class Lost:
    """The providers that a group lost, by position, and the weight of all that it has."""

    providers: tuple[int, ...]
    weights: Mapping[int, int]

    @property
    def size(self) -> int:
        return len(self.weights)

    @property
    def shared(self) -> bool:
        """Whether shares are weighed, not feeds counted."""
        return any(weight > 1 for weight in self.weights.values())

    @property
    def weight(self) -> int:
        return sum(self.weights[p] for p in self.providers)

    def decisive(self, fail_at: int) -> list[int]:
        """Providers left, any of which would lose the group if it were the next one lost."""
        if not self.weight < fail_at:
            return []
        left = sorted(set(self.weights) - set(self.providers))
        return [p for p in left if self.weight + self.weights[p] >= fail_at]


class Losses:
    """What was lost when in one impact, gates included."""

    def __init__(self, assets: AssetNetwork, whole: Impact) -> None:
        self.assets = assets
        self.whole = whole

    @cached_property
    def row(self) -> dict[int, int]:
        """Of what goes down, the row of the impact, by position."""
        return {int(asset): row for row, asset in enumerate(self.whole.asset)}

    @cached_property
    def failed(self) -> frozenset[int]:
        """What the question fails."""
        return frozenset(int(asset) for asset in self.whole.failed)

    def shown(self, asset: int) -> int:
        """The asset itself; of a gate, the asset that it stands for."""
        behind = asset - self.assets.visible
        return asset if behind < 0 else int(self.assets.compiled.behind[behind])

    def path(self, asset: int) -> tuple[str, ...]:
        """From a failed asset along the causes to this one, past gates."""
        path, seen = [asset], {asset}
        while asset not in self.failed and asset in self.row and len(path) < MAX_PATH:
            asset = int(self.whole.cause[self.row[asset]])
            if asset < 0 or asset in seen:
                break
            path.append(asset)
            seen.add(asset)
        if asset >= self.assets.visible:  # one that goes down anyway by the horizon
            path.append(self.shown(asset))
        named = dict.fromkeys(p for p in reversed(path) if p < self.assets.visible)
        return tuple(self.assets.ids[p] for p in named)

    def why(self, group: int, asset: int) -> tuple[str, str]:
        """The name of the group (or carrier) that took the asset down, and how it stood."""
        compiled = self.assets.compiled
        if group < 0:
            carrier = compiled.carriers[-2 - group]
            return carrier, f"no source of {carrier} reached"
        network = self.assets.network
        row = self.row[asset]
        time = self.assets.course.began(group, float(self.whole.time[row]))
        lost = self.lost(network.feeds, network.edges_of(group), time, float(self.whole.wave[row]))
        return compiled.group_names[compiled.group_name[group]], self.said(
            lost, network.feeds, group
        )

    def said(self, lost: Lost, feeds: Feeds, group: int) -> str:
        """The votes of a group, for people."""
        named = [self.assets.ids[self.shown(p)] for p in lost.providers[:MAX_NAMED]]
        left_out = len(lost.providers) - len(named)
        more = f" and {left_out} more" if left_out else ""
        votes = f"{len(lost.providers)} of {lost.size} lost"
        votes += f": {', '.join(named)}{more}" if named else ""
        fail_at = int(feeds.fail_at[group])
        if lost.shared and lost.weight >= fail_at:
            total = sum(lost.weights.values())
            left = (total - lost.weight) / (total - fail_at + 1)
            votes += f", {left:.0%} of what it needs left"
        if lost.weight < fail_at:
            votes += ", the others only hung on each other"
        return votes

    def lost(self, feeds: Feeds, edges: Any, time: float, wave: float) -> Lost:
        """What a group with these feeds lost until then."""
        weight = {int(feeds.provider[e]): int(feeds.weight[e]) for e in edges}
        delay = {int(feeds.provider[e]): float(feeds.transfer[e]) for e in edges}
        return Lost(tuple(p for p in sorted(weight) if self._gone(p, delay[p], time, wave)), weight)

    def _gone(self, provider: int, transfer: float, time: float, wave: float) -> bool:
        gone = self.assets.course.gone_at(provider)
        if gone < np.inf and gone + transfer <= time:
            return True
        if provider in self.failed:
            return transfer <= time
        row = self.row.get(provider)
        if row is None or self.whole.wave[row] >= wave:
            return False
        return float(self.whole.time[row]) + transfer <= time
