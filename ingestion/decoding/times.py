"""The time of a reading as sources write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

NS_LIMIT = 2**63
"""Times lie between 1677 and 2262: what nanoseconds in 64 bits can say."""
MS = 10**6
MS_LIMIT = NS_LIMIT // MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,30}))?(?:[Zz]|([+-][0-9]{2}:[0-9]{2}))"
)


class BadTime(Exception):
    """A time that cannot be read; the message says why."""


def time_of(value: Any) -> int:
    """RFC 3339 with a zone, or whole epoch milliseconds, in ns; digits beyond are cut. Raises
    BadTime.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadTime("a time must be RFC 3339 or epoch milliseconds")
    if isinstance(value, float):
        if not value.is_integer():
            raise BadTime("epoch milliseconds must be a whole number")
        value = int(value)
    if not -MS_LIMIT < value < MS_LIMIT:
        raise BadTime("a time must lie between 1677 and 2262, in milliseconds since 1970")
    return int(value) * MS


def _from_text(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise BadTime(f"{text[:60]!r} is no RFC 3339 time with a zone")
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{zone or '+00:00'}")
        since = moment - _EPOCH
    except (ValueError, OverflowError):
        raise BadTime(f"{text[:60]!r} is no time of a calendar") from None
    seconds = since.days * 86_400 + since.seconds
    found = seconds * 10**9 + (int(fraction[:9].ljust(9, "0")) if fraction else 0)
    if not -NS_LIMIT < found < NS_LIMIT:
        raise BadTime("a time must lie between 1677 and 2262")
    return found
