"""Collecting readings column by column while a source is decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from twinfall.graph.identity import is_address
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.frame import Fault, Frame
from twinfall.ontology.errors import BadInput

MAX_LAYOUTS = 200_000
MAX_LAYOUT_BYTES = 256 * 1024 * 1024
"""What all that is remembered of layouts may take: clients choose their names and tags."""
NAME_BYTES = 60
"""What a name takes beside its characters."""
MAX_RAW = 65_536
"""Bytes of a refused row that are kept."""
MAX_REFUSED = 100_000
"""Faults of one body that are told one by one; a body with more is no body of readings."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,511}")


class Remembered(dict[Any, Any]):
    """What was found before; it only grows, until it is given up as a whole."""

    size = 0

    def keep(self, key: Any, value: Any, size: int) -> None:
        """Remember it, of so many bytes, while there is room."""
        if self.size + size <= MAX_LAYOUT_BYTES:
            self.size += size
            self[key] = value

    @property
    def is_full(self) -> bool:
        """Whether it is time to begin anew, as what comes now may be what comes for years."""
        return len(self) > MAX_LAYOUTS or self.size > MAX_LAYOUT_BYTES // 2


class Layouts:
    """The series of twins that send the same names in the same order, as most do for years.

    Safe from many threads: what was found before the graph changed stands in a dict of its own.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._generation = catalogue.generation
        self._found = Remembered()

    def now(self) -> Remembered:
        """What holds now; to be asked for once a body, before `catalogue.known`."""
        generation = self._catalogue.generation
        if generation != self._generation or self._found.is_full:
            self._found, self._generation = Remembered(), generation
        return self._found


class Columns:
    """The columns of a frame in the making."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.known = catalogue.known
        self.series: list[int] = []
        self.values: list[Any] = []
        self.unknown: dict[int, tuple[str, str]] = {}
        self.units: dict[int, str] = {}
        self.seqs: dict[int, int] = {}
        self.faults: list[Fault] = []
        self._rows: list[int] = []
        self._times: list[int] = []
        self._counts: list[int] = []

    def add(self, row: int, twin: str, name: str, value: Any, time: int) -> int:
        """One reading; its position."""
        at = len(self.values)
        series = self.known.get((twin, name), -1)
        if series < 0:
            self.unknown[at] = (twin, name)
        self.series.append(series)
        self.values.append(value)
        self._row(row, time, 1)
        return at

    def extend(self, row: int, series: list[int], values: Iterable[Any], time: int) -> None:
        """Readings of one instant whose series are known."""
        self.series += series
        self.values += values
        self._row(row, time, len(series))

    def _row(self, row: int, time: int, count: int) -> None:
        self._rows.append(row)
        self._times.append(time)
        self._counts.append(count)

    def refuse(self, row: int, code: str, message: str, raw: bytes) -> None:
        """A row, or a part of it, that is no reading. Raises BadInput beyond MAX_REFUSED."""
        if len(self.faults) >= MAX_REFUSED:
            raise BadInput(
                f"more than {MAX_REFUSED} rows cannot be read, such as: {message}", code="BAD_ROWS"
            )
        self.faults.append(Fault(row, code, message, raw=raw[:MAX_RAW]))

    def frame(self, source: str, raw: Callable[[int], bytes], *, last_wins: bool = False) -> Frame:
        """The frame."""
        return Frame(
            source,
            np.array(self.series, np.int32),
            self.values,
            np.repeat(np.array(self._times, np.int64), self._counts),
            np.repeat(np.array(self._rows, np.int32), self._counts),
            raw,
            self.unknown,
            self.units,
            self.seqs,
            self.faults,
            last_wins,
        )


def twin_fault(twin: Any) -> str:
    """Why this cannot be the address of a twin or component; empty where it can."""
    return "" if is_address(twin) else f"{_shown(twin)} is no address of a twin"


def name_fault(name: Any) -> str:
    """Why this cannot be the name of a reading; empty where it can."""
    if isinstance(name, str) and _NAME.fullmatch(name) and not name.startswith("_"):
        return ""
    return f"{_shown(name)} is no reading's name"


def _shown(value: Any) -> str:
    return repr(value[:60]) if isinstance(value, str) else f"a {type(value).__name__}"
