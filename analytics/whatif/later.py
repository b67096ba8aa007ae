"""When a scenario happens, and what is done after it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twinfall.analytics.limits import NANO
from twinfall.analytics.members import Members
from twinfall.graph.canonical import canonical_instant
from twinfall.ontology.durations import duration_seconds

MAX_LATER = 1_000
MAX_ACTED = 10_000
"""Ids in one list."""
LAST_YEAR = 2262
"""Later times have no number in ns."""
KINDS = ("repair", "close", "open", "fail")
"""What may be done later, in the order in which it is done."""


@dataclass(frozen=True, slots=True)
class When:
    """So many seconds from now, or (`time`, in ns) then."""

    after: float = 0.0
    time: int | None = None

    def moment(self, now: int) -> int:
        """In ns, seen from `now`."""
        return now + round(self.after * NANO) if self.time is None else self.time


@dataclass(frozen=True, slots=True)
class Later:
    """What is done so many seconds after a scenario has happened: assets fail, are in order again,
    switches and valves open (conduct no more) or close.
    """

    after: float
    fail: tuple[str, ...] = ()
    repair: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    place: str = ""


def read_when(members: Members, value: Any, place: str) -> When | None:
    """A duration from now, or a time with zone."""
    text = value if isinstance(value, str) else ""
    after = duration_seconds(text)
    if after is not None:
        return When(after)
    try:
        return When(time=_nanoseconds(canonical_instant(text)))
    except ValueError:
        cure = "such as PT2H, or 2026-12-01T06:00:00Z"
        members.bad("badTime", place, "it must be a duration from now, or a time with zone", cure)
    return None


def _nanoseconds(text: str) -> int:
    """Of a canonical instant. Raises ValueError before 1970 and after 2261."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(f"{whole}+00:00")
    if not 1970 <= moment.year < LAST_YEAR:
        raise ValueError(text)
    return int(moment.timestamp()) * NANO + int(rest.ljust(9, "0") or 0)


def read_later(members: Members, value: Any, place: str) -> tuple[Later, ...] | None:
    """What is done later."""
    rows = members.rows(value, place, MAX_LATER)
    found = (_later(members, one, f"{place}/{i}") for i, one in enumerate(rows))
    return tuple(one for one in found if one is not None)


def _later(members: Members, value: Any, place: str) -> Later | None:
    found = members.mapping(value, place, ("after", *KINDS))
    if not isinstance(value, dict):
        return None
    after = members.duration(found, "after", place)
    if after is None:
        members.bad("missing", f"{place}/after", "it must be said after how long", "such as PT4H")
        return None
    said = {kind: _ids(members, found[kind], f"{place}/{kind}") for kind in KINDS if kind in found}
    if not said:
        members.bad("missing", place, "nothing is done", f"one of {', '.join(KINDS)}")
    for one in set(said.get("fail", ())) & set(said.get("repair", ())):
        members.bad(
            "contradiction", f"{place}/repair", f"{one[:128]!r} is to fail, too", "keep one"
        )
    for one in set(said.get("open", ())) & set(said.get("close", ())):
        members.bad("contradiction", f"{place}/close", f"{one[:128]!r} is to open, too", "keep one")
    return Later(after, **said, place=place)


def _ids(members: Members, value: Any, place: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(members.texts(value, place, MAX_ACTED)))
