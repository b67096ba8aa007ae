"""Which DTDL schema a column of texts has, and its values in that schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

LONGEST_INTEGER = 2**31 - 1
LONGEST_LONG = 2**63 - 1
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False}
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,18})")
_NUMBER = re.compile(r"[+-]?(\d{1,300}\.?\d{0,300}|\.\d{1,300})([eE][+-]?\d{1,3})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?")


def schema_of(texts: Sequence[str]) -> str:
    """The narrowest of boolean, integer, long, double, date, dateTime that holds all texts, else
    string. Numbers with leading zeros stay texts: they are codes.
    """
    for schema in ("boolean", "integer", "long", "double", "date", "dateTime"):
        if texts and all(value_of(text, schema) is not None for text in texts):
            return schema
    return "string"


def value_of(text: str, schema: str) -> Any:
    """The text as a JSON value of the schema; None where it is not one. A dateTime without zone
    is taken as UTC.
    """
    match schema:
        case "boolean":
            return _BOOLEANS.get(text.lower())
        case "integer" | "long":
            return _whole(text, LONGEST_INTEGER if schema == "integer" else LONGEST_LONG)
        case "double":
            return _number(text)
        case "date":
            return _date(text)
        case "dateTime":
            return _time(text)
        case _:
            return text


def _whole(text: str, longest: int) -> int | None:
    if not _WHOLE.fullmatch(text):
        return None
    value = int(text)
    return value if abs(value) <= longest else None


def _number(text: str) -> float | None:
    code = text.lstrip("+-")
    if not _NUMBER.fullmatch(text) or (code[:1] == "0" and code[1:2].isdigit()):
        return None
    value = float(text)
    return value if abs(value) < float("inf") else None


def _date(text: str) -> str | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _time(text: str) -> str | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):  # OverflowError: before the year 1 or after 9999 in UTC
        return None
