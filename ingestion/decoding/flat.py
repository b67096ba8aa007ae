"""Several readings of one twin at one instant: `{name: value, ...}`, in JSON rows and in MQTT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinfall.ingestion.decoding.columns import (
    NAME_BYTES,
    Columns,
    Remembered,
    name_fault,
    twin_fault,
)
from twinfall.ingestion.decoding.times import MS, MS_LIMIT, BadTime, time_of
from twinfall.ingestion.frame import NO_TIME, row_of

Raw = Callable[[int], bytes]
Known = Remembered
"""Series by twin and names."""


def take(
    columns: Columns, layouts: Known, row: int, twin: str, entry: dict[str, Any], raw: Raw
) -> None:
    """Add the readings of an entry; `_time` is taken out of it. Every name that cannot be one is
    refused by itself; where the time cannot be read the whole entry is.
    """
    time = entry.pop("_time", None)
    if type(time) is int and -MS_LIMIT < time < MS_LIMIT:
        instant = time * MS
    elif time is None:
        instant = NO_TIME
    else:
        try:
            instant = time_of(time)
        except BadTime as error:
            columns.refuse(row, "BAD_TIME", str(error), raw(row))
            return
    names = (*entry,)
    series = layouts.get((twin, names))
    if series is not None:
        columns.extend(row, series, entry.values(), instant)
    elif fault := twin_fault(twin) or ("" if names else "holds no reading"):
        columns.refuse(row, "BAD_ROW", fault, raw(row))
    else:
        _one_by_one(columns, row, twin, entry, instant)
        found = [columns.known.get((twin, name), -1) for name in names]
        if min(found) >= 0:
            layouts.keep((twin, names), found, sum(map(len, names)) + NAME_BYTES * len(names))


def _one_by_one(columns: Columns, row: int, twin: str, entry: dict[str, Any], instant: int) -> None:
    for name, value in entry.items():
        if fault := name_fault(name):
            alone = row_of(twin, name, value, time=instant)
            columns.refuse(row, "UNKNOWN_NAME", fault, alone)
        else:
            columns.add(row, twin, name, value, instant)
