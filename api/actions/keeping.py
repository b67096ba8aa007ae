"""Keeping the records true to those who watch: what to raise and what to clear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinfall.graph.records import Alarm, Severity, alarm_id


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm as its source knows it; `source` may be a part of the one followed (`watch:...`).

    Not `exact`: the source cannot tell after a restart since when; an open alarm of the same twin
    and source is this one.
    """

    twin: str
    source: str
    severity: Severity
    onset: int
    explanation: Mapping[str, Any]
    exact: bool = True

    @property
    def id(self) -> str:
        """Of the alarm that this is."""
        return alarm_id(self.twin, self.source, self.onset)


@dataclass(frozen=True, slots=True)
class Followed:
    """A source. `sure`: whether it knows by now that an alarm it does not name is over."""

    standing: Callable[[], Iterable[Standing]]
    sure: Callable[[Alarm], bool]


def differences(
    there: Sequence[Alarm], known: Iterable[Standing]
) -> tuple[list[Standing], list[Alarm]]:
    """Of the open alarms and what their source knows: those to raise, and those to clear."""
    wanted = {_key(one): one for one in known}
    found = {key for alarm in there for key in _keys(alarm)}
    missing = [one for key, one in wanted.items() if key not in found]
    return missing, [alarm for alarm in there if not _keys(alarm) & wanted.keys()]


def _key(one: Standing) -> tuple[str, ...]:
    return (one.id,) if one.exact else (one.twin, one.source)


def _keys(alarm: Alarm) -> set[tuple[str, ...]]:
    """By either of these a source may know an alarm."""
    return {(alarm.id,), (alarm.twin, alarm.source)}
