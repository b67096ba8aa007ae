"""Readings as JSON: an array or NDJSON of rows, one reading a row or a twin's several.

`{"twin", "name", "value", "time"?, "unit"?, "seq"?}` or `{"_twin": "P1", "_time"?: t, name: v}`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import orjson

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding import flat
from twinfall.ingestion.decoding.columns import Columns, Layouts, name_fault, twin_fault
from twinfall.ingestion.decoding.times import MS, MS_LIMIT, BadTime, time_of
from twinfall.ingestion.frame import NO_TIME, Frame
from twinfall.ontology.errors import BadInput

MAX_ROWS = 1_000_000
MAX_SEQ = 2**62
MAX_UNIT = 100
_MEMBERS = {"twin", "name", "value", "time", "unit", "seq"}
_BEFORE_COLON = (b'":', b" :", b"\t:", b"\n:", b"\r:")
_BROKEN = object()
"""Stands for a line that is no JSON and was refused."""
_ABSENT, _TWICE, _ONCE = object(), object(), object()
Raw = Callable[[int], bytes]


def decode_rows(
    body: bytes, catalogue: Catalogue, *, content_type: str = "", source: str = "http"
) -> Frame:
    """See RowDecoder.decode, which remembers layouts from body to body."""
    return RowDecoder(catalogue).decode(body, content_type=content_type, source=source)


class RowDecoder:
    """Decodes bodies of JSON rows; safe from many threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._layouts = Layouts(catalogue)

    def decode(self, body: bytes, *, content_type: str = "", source: str = "http") -> Frame:
        """A frame of every row. What begins with `[` is an array, unless the content type says
        NDJSON; anything else is a row a line. A line that is no JSON is refused by itself.

        Raises BadInput BAD_JSON where no row can be parsed, TOO_LARGE beyond MAX_ROWS.
        """
        layouts = self._layouts.now()
        columns = Columns(self._catalogue)
        lines = "ndjson" in content_type or "jsonl" in content_type
        whole = not lines and body.lstrip()[:1] == b"["
        rows, raw = _of_array(body) if whole else _of_lines(body, columns)
        twice = _twice(body, rows, raw, whole=whole)
        for at, row in enumerate(rows):
            if at in twice:
                columns.refuse(at, "BAD_ROW", "has a member twice", raw(at))
            else:
                _take(columns, layouts, at, row, raw)
        return columns.frame(source, raw)


def _of_array(body: bytes) -> tuple[list[Any], Raw]:
    rows = _parsed(body)
    _check_count(len(rows))

    @functools.cache
    def again() -> list[bytes]:
        return [orjson.dumps(row) for row in orjson.loads(body)]

    return rows, lambda row: again()[row]


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"the body is not JSON: {error.msg}", code="BAD_JSON", path=place) from None


def _of_lines(body: bytes, columns: Columns) -> tuple[list[Any], Raw]:
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    _check_count(len(lines))
    try:
        return list(map(orjson.loads, lines)), lines.__getitem__
    except orjson.JSONDecodeError:
        return _of_broken_lines(body, lines, columns), lines.__getitem__


def _of_broken_lines(body: bytes, lines: list[bytes], columns: Columns) -> list[Any]:
    """The rows of lines of which some are no JSON; those are refused."""
    rows: list[Any] = []
    for at, line in enumerate(lines):
        try:
            rows.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            columns.refuse(at, "BAD_JSON", f"is not JSON: {error.msg}", line)
            rows.append(_BROKEN)
    if all(row is _BROKEN for row in rows):  # one row over several lines, or nothing at all
        whole = _parsed(body)
        lines[:] = [body]
        columns.faults.clear()
        return [whole]
    return rows


def _check_count(count: int) -> None:
    if count > MAX_ROWS:
        raise BadInput(f"more than {MAX_ROWS} rows", code="TOO_LARGE", cure="send fewer at once")


def _twice(body: bytes, rows: list[Any], raw: Raw, *, whole: bool) -> frozenset[int]:
    """Rows in which a member stands twice: parsing keeps only the last of such, silently.

    With as many colons after texts as rows have members there is none; only a body that fails
    this, by such a row, an object as value or a colon inside a text, is read again with care.
    """
    members = sum(len(row) for row in rows if type(row) is dict)
    if body.count(b":") <= members or sum(map(body.count, _BEFORE_COLON)) <= members:
        return frozenset()
    try:
        if whole:
            marks = _marked(body)
            marks = marks if isinstance(marks, list) else [marks]
        else:
            marks = [row if row is _BROKEN else _marked(raw(at)) for at, row in enumerate(rows)]
    except RecursionError:
        raise BadInput("the body is nested too deep", code="BAD_JSON") from None
    return frozenset(at for at, mark in enumerate(marks) if mark is _TWICE)


def _marked(text: bytes) -> Any:
    """The JSON with `_TWICE` for every object that has a member twice, or such an object in one."""
    return json.loads(text.decode(), object_pairs_hook=_mark, parse_int=len, parse_float=len)


def _mark(pairs: list[tuple[str, Any]]) -> object:
    if len({name for name, _ in pairs}) < len(pairs):
        return _TWICE
    return _TWICE if any(value is _TWICE for _, value in pairs) else _ONCE


def _take(columns: Columns, layouts: flat.Known, at: int, row: Any, raw: Raw) -> None:
    if type(row) is not dict:
        if row is not _BROKEN:
            columns.refuse(at, "BAD_ROW", "a row must be an object", raw(at))
        return
    twin = row.pop("_twin", _ABSENT)
    if twin is _ABSENT:
        _single(columns, at, row, raw)
    elif type(twin) is str:
        flat.take(columns, layouts, at, twin, row, raw)
    else:
        columns.refuse(at, "BAD_ROW", f"`_twin`: {twin_fault(twin)}", raw(at))


def _single(columns: Columns, at: int, row: dict[str, Any], raw: Raw) -> None:
    time = row.get("time")
    if type(time) is int and -MS_LIMIT < time < MS_LIMIT:
        instant = time * MS
    elif time is None:
        instant = NO_TIME
    else:
        try:
            instant = time_of(time)
        except BadTime as error:
            columns.refuse(at, "BAD_TIME", str(error), raw(at))
            return
    if _is_plain(columns, row):
        columns.add(at, row["twin"], row["name"], row["value"], instant)
        return
    code, fault = _single_fault(columns, row)
    if fault:
        columns.refuse(at, code, fault, raw(at))
        return
    place = columns.add(at, row["twin"], row["name"], row["value"], instant)
    if row.get("unit") is not None:
        columns.units[place] = row["unit"]
    if row.get("seq") is not None:
        columns.seqs[place] = row["seq"]


def _is_plain(columns: Columns, row: dict[str, Any]) -> bool:
    """Whether it is of a known series and has no members but `value` and perhaps `time`."""
    if len(row) != 3 + ("time" in row) or "value" not in row:
        return False
    twin, name = row.get("twin"), row.get("name")
    return type(twin) is str and type(name) is str and (twin, name) in columns.known


def _single_fault(columns: Columns, row: dict[str, Any]) -> tuple[str, str]:
    if not row.keys() <= _MEMBERS:
        extra = min(row.keys() - _MEMBERS)[:60]
        return "BAD_ROW", f"{extra!r} is no member of a row (a flat row has `_twin`)"
    if "value" not in row:
        return "BAD_ROW", "`value` is missing"
    twin, name = row.get("twin"), row.get("name")
    if fault := twin_fault(twin):
        return "BAD_ROW", f"`twin`: {fault}"
    known = type(name) is str and (twin, name) in columns.known
    if not known and (fault := name_fault(name)):
        return "BAD_ROW", f"`name`: {fault}"
    return unit_or_seq_fault(row.get("unit"), row.get("seq"))


def unit_or_seq_fault(unit: Any, seq: Any) -> tuple[str, str]:
    """Code and reason why a unit or sequence number cannot be one; empty where both can."""
    if unit is not None and not (isinstance(unit, str) and len(unit) <= MAX_UNIT):
        return "BAD_UNIT", f"a unit is a text of at most {MAX_UNIT} characters"
    if seq is None or (type(seq) is int and 0 <= seq < MAX_SEQ):
        return "", ""
    return "BAD_ROW", f"a sequence number is a whole number from 0 to {MAX_SEQ - 1}"
