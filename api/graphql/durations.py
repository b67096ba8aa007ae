"""Durations between ISO 8601 text and seconds."""

from __future__ import annotations

from twinfall.ontology.durations import CURE, duration_seconds, why_no_duration
from twinfall.ontology.errors import BadQuery

_DAY = 86_400


def seconds(text: str, path: str = "") -> float:
    """Seconds in a duration. Raises BadQuery, with the argument as `path`, where it is none, is
    negative or has no fixed length.
    """
    found = duration_seconds(text)
    if found is None:
        raise BadQuery(why_no_duration(text), path=path, cure=CURE)
    return found


def duration_text(value: float) -> str:
    """A duration of days, hours, minutes and seconds, to the millisecond: `P1DT2H`, `PT0S`."""
    whole, milli = divmod(round(value * 1000), 1000)
    days, rest = divmod(whole, _DAY)
    hours, rest = divmod(rest, 3600)
    minutes, second = divmod(rest, 60)
    fraction = f".{milli:03d}".rstrip("0") if milli else ""
    time = "".join(
        [
            f"{hours}H" if hours else "",
            f"{minutes}M" if minutes else "",
            f"{second}{fraction}S" if second or fraction else "",
        ]
    )
    if not days and not time:
        return "PT0S"
    return "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")
