"""ISO 8601 durations."""

from __future__ import annotations

import re

_Y = r"(?:(?:\d+Y)|(?:\d+\.\d+Y$))?"
_MO = r"(?:(?:\d+M)|(?:\d+\.\d+M$))?"
_W = r"(?:(?:\d+W)|(?:\d+\.\d+W$))?"
_D = r"(?:(?:\d+D)|(?:\d+\.\d+D$))?"
_H = r"(?:(?:\d+H)|(?:\d+\.\d+H$))?"
DURATION = re.compile(
    rf"P(?!$)(?:(?:{_Y}{_MO})|{_W}){_D}(?:T(?!$){_H}{_MO}(?:\d+(?:\.\d+)?S)?)?", re.ASCII
)
"""As DTDL reads it: years and months or weeks, days, then time; only the last part a fraction."""

_FIXED = re.compile(
    r"P(?!$)(?:(?P<weeks>\d+(?:\.\d+)?)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?!$)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_SECONDS = {"weeks": 604_800.0, "days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0}
MAX_DIGITS = 15


CURE = "give weeks, days, hours, minutes and seconds: P1DT12H, PT90S"


def why_no_duration(text: str) -> str:
    """What is wrong with a text of which `duration_seconds` makes nothing."""
    shown = repr(text[:40])
    if text.strip().startswith(("-", "P-", "PT-")):
        return f"{shown} is negative: a duration lasts from zero on"
    if len(text) <= MAX_DIGITS * len(_SECONDS) and DURATION.fullmatch(text):
        return f"{shown} counts years or months, which have no fixed length"
    return f"{shown} is no ISO 8601 duration"


def duration_seconds(text: str) -> float | None:
    """Seconds in a duration of weeks, days and time; None where it is none, or where it counts
    years or months, which have no fixed length.
    """
    if len(text) > MAX_DIGITS * len(_SECONDS):
        return None
    match = _FIXED.fullmatch(text)
    if match is None:
        return None
    return sum(float(n) * _SECONDS[unit] for unit, n in match.groupdict().items() if n)
