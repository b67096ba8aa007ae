"""What a requirement says: of which assets, and what must hold of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from twinfall.analytics.states import State
from twinfall.graph.plan import Condition

Severity = Literal["error", "warn"]
LIMITED = ("assets", "customers", "value")
"""Totals of an impact that a requirement may limit, besides services."""


@dataclass(frozen=True, slots=True)
class Named:
    """Assets by id, and by models (DTMIs, already with all that extend them)."""

    ids: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """The assets that are all of what is given here; each list is of alternatives.

    `models` has the models with all that extend them; `where` is asked of the graph.
    """

    models: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    where: Condition | None = None
    excepted: Named = Named()


@dataclass(frozen=True, slots=True)
class SinglePoints:
    """An asset has at most `max` single points of failure that are not excepted; within `within`
    seconds of the failure where that is given.
    """

    max: int = 0
    excepted: Named = Named()
    within: float | None = None


@dataclass(frozen=True, slots=True)
class CutSets:
    """At most `max` minimal sets of up to `order` assets, none of them excepted, take an asset
    down together.
    """

    order: int = 2
    max: int = 0
    excepted: Named = Named()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much of a total, or of a service's count."""

    what: str
    max: float
    service: bool = False


@dataclass(frozen=True, slots=True)
class ImpactLimits:
    """The failure of one asset takes no more along than this, within `within` seconds."""

    limits: tuple[Limit, ...]
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Survival:
    """An asset lives for at least `min` seconds after any single other failure."""

    min: float
    excepted: Named = Named()


@dataclass(frozen=True, slots=True)
class Autonomy:
    """An asset lives for at least `min` seconds after it lost the group; each of its groups."""

    min: float
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Margin:
    """Of the group, at least `min` more feeds can be lost, whichever; of each of its groups."""

    min: int
    group: str | None = None


@dataclass(frozen=True, slots=True)
class InState:
    """An asset is in one of these states now."""

    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Up:
    """An asset is not down now, by whatever reason."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """All that is declared of an asset could be followed."""


Demand: TypeAlias = (
    SinglePoints | CutSets | ImpactLimits | Survival | Autonomy | Margin | InState | Up | Evaluated
)


@dataclass(frozen=True, slots=True)
class Skip:
    """Not judged before `until` (ns), and why."""

    until: int
    reason: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement. `kind` is the word of the file for its demand; `optional`: it may select
    nothing.
    """

    name: str
    of: Selection
    kind: str
    demand: Demand
    description: str = ""
    severity: Severity = "error"
    optional: bool = False
    skip: Skip | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Requirements:
    """All of a file, in its order."""

    items: tuple[Requirement, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.items)
