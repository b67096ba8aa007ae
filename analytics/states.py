"""How an asset is, and why: words that the live state and the arrays share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "degraded", "failed", "unknown"]
STATES: tuple[State, ...] = ("ok", "degraded", "unknown", "failed")
"""From good to bad: the last one that anything says holds."""

Kind = Literal[
    "limit", "stale", "silent", "alarm", "maintenance", "operator", "dependency", "notEvaluated"
]
"""What decided: a limit that was crossed; a reading too old, or none yet; a learned alarm; people;
what the asset depends on; a declaration that could not be followed.
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an asset is not ok. Times in ns; `who` and `note` of the person who said so.

    `since` is the source time of the first reading beyond the limit, the time of the last reading
    that came, or when the person said it.
    """

    kind: Kind
    message: str
    reading: str | None = None
    value: float | None = None
    limit: float | None = None
    since: int | None = None
    until: int | None = None
    who: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An asset's own state changed; `version` grows with every change."""

    id: str
    before: State
    after: State
    version: int
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One moment of all own states: ids by state (those not named are ok), in order of id.

    `out` are in maintenance: no failure, and they give nothing to others. `since` says from when
    on (ns) what failed or is out gives nothing; those it does not name, for ever. `conducts` has
    the switches and valves that follow a reading. Of `running` people say that they are ok.
    `stopped` are in order, and down since then (ns) for what was before: a loop that broke, a
    buffer spent.
    """

    version: int = 0
    failed: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    since: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    conducts: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    running: tuple[str, ...] = ()
    stopped: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
