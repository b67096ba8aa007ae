"""What travels through the pipeline: readings in columns, never one Python object a reading.

A `Frame` is what one source said at once, decoded and not yet judged. A `Block` is what was found
good: it goes to the journal, to latest, to history and to whoever watches. Times are nanoseconds
since 1970-01-01 UTC throughout, so that a source of any precision keeps its identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

NO_TIME = -(2**63)
"""The reading came without a time: the time of receipt holds, and the reading is marked."""
NO_SEQ = -1

UNTIMED = 1
"""Mark of a reading whose time is that of receipt."""
LATE = 2
"""Mark of a reading older than the latest of its series when it came."""


@dataclass(slots=True)
class Frame:
    """Readings as one source said them: entry i of every column is reading i."""

    source: str
    """Who said it: `http`, `line`, `mqtt`, `replay`."""
    series: NDArray[np.int32]
    """The catalogue's series; -1 where twin and name are in `unknown`."""
    values: Sequence[Any] | NDArray[np.float64]
    """The JSON value as parsed: float, int, bool, str, list, dict or None; as an array where all
    are floats.
    """
    times: NDArray[np.int64]
    """Source times in ns; `NO_TIME` where none was given."""
    rows: NDArray[np.int32]
    """The row of the request that reading came in: what a refusal names."""
    raw: Callable[[int], bytes]
    """The bytes of row i of the request, for the dead letter; at most 64 KiB of it are kept."""
    unknown: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    """Twin address and reading name by reading, where the catalogue did not know them yet."""
    units: Mapping[int, str] = field(default_factory=dict)
    """The unit by reading, where it was given."""
    seqs: Mapping[int, int] = field(default_factory=dict)
    """The sequence number by reading, where it was given."""
    faults: Sequence[Fault] = ()
    """Rows that could not be decoded."""
    last_wins: bool = False
    """Whether another value for the same instant replaces the first (Influx) or is refused."""

    def alone(self, i: int, twin: str, name: str) -> bytes:
        """Reading i as a JSON row of its own, for the dead letter: what a row of many readings
        refuses is kept once, not with all of the row for each.
        """
        return row_of(
            twin,
            name,
            self.values[i],
            time=int(self.times[i]),
            unit=self.units.get(i),
            seq=self.seqs.get(i),
        )


def row_of(
    twin: str,
    name: str,
    value: Any,
    *,
    time: int = NO_TIME,
    unit: str | None = None,
    seq: int | None = None,
) -> bytes:
    """A reading as a JSON row, its time in ns as RFC 3339."""
    row = {"twin": twin, "name": name, "value": value}
    if time != NO_TIME:
        row["time"] = f"{np.datetime64(time, 'ns')}Z"
    if unit is not None:
        row["unit"] = unit
    if seq is not None:
        row["seq"] = seq
    return orjson.dumps(row, default=str, option=orjson.OPT_SERIALIZE_NUMPY)


@dataclass(frozen=True, slots=True)
class Fault:
    """A row or reading that is refused: it becomes a dead letter."""

    row: int
    code: str
    message: str
    twin: str = ""
    name: str = ""
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Block:
    """Judged readings, in order of arrival."""

    series: NDArray[np.int32]
    times: NDArray[np.int64]
    received: int
    """When the block was judged, ns."""
    numbers: NDArray[np.float64]
    """The value in the declared unit; booleans 0 and 1; NaN where `texts` has it."""
    marks: NDArray[np.uint8]
    texts: Mapping[int, str] = field(default_factory=dict)
    """The value as JSON text, for readings that are no number or boolean, and integers beyond
    2**53.
    """
    seqs: Mapping[int, int] = field(default_factory=dict)
    source: str = ""
    last_wins: bool = False

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a frame, given out after the commit: stored + refused readings = sent."""

    stored: int
    refused: tuple[Fault, ...] = ()
