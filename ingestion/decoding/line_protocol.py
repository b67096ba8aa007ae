"""Influx line protocol as frames: each field of a line is a reading of the twin its tag names.

Bodies are read in chunks of whole lines: the plain lines of a chunk at once, the others one by one.
A string may hold line feeds, so a line read by itself may swallow some that looked plain.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.decoding.columns import Columns, Layouts, Remembered
from twinfall.ingestion.decoding.line_syntax import BadLine, read_line
from twinfall.ingestion.decoding.lines_at_once import Plain, read_plain
from twinfall.ingestion.decoding.naming import Naming
from twinfall.ingestion.decoding.plain_columns import PlainColumns, named
from twinfall.ingestion.decoding.times import NS_LIMIT
from twinfall.ingestion.frame import NO_TIME, Frame
from twinfall.ontology.errors import BadInput

UNITS = {
    "ns": 1,
    "n": 1,
    "us": 10**3,
    "u": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
"""ns in each `precision`; `n`, `u`, `m` and `h` are those of InfluxDB 1."""
SOURCE = "line"
CHUNK = 1 << 19
"""Bytes read at once: what the arrays over them take stays in the processor's cache."""
_PASSES = 4
NO_STARTS = np.zeros(0, np.int64)


def decode_lines(
    body: bytes, catalogue: Catalogue, *, precision: str = "ns", tag: str = "twin"
) -> Frame:
    """See LineDecoder.decode, which remembers layouts from body to body."""
    return LineDecoder(catalogue, Naming(tag)).decode(body, precision=precision)


class LineDecoder:
    """Decodes bodies of line protocol; safe from many threads."""

    def __init__(self, catalogue: Catalogue, naming: Naming | None = None) -> None:
        self._catalogue = catalogue
        self._naming = naming or Naming()
        self._layouts = Layouts(catalogue)

    def decode(self, body: bytes, *, precision: str = "ns") -> Frame:
        """A frame of every line, row i the i-th of the body; a line that cannot be read is refused
        by itself. Raises BadInput where the precision is none.
        """
        if precision not in UNITS:
            raise BadInput(
                f"{precision[:20]!r} is no precision", code="BAD_REQUEST", cure="ns, us, ms or s"
            )
        layouts = self._layouts.now()
        work = _Body(body, self._catalogue, self._naming, layouts, UNITS[precision])
        return work.frame(SOURCE if UNITS[precision] == 1 else f"{SOURCE} {precision}")


class _Body:
    """One body being read."""

    def __init__(
        self,
        body: bytes,
        catalogue: Catalogue,
        naming: Naming,
        layouts: Remembered,
        unit: int,
    ) -> None:
        self._body = body if body.endswith(b"\n") else body + b"\n"
        self._naming, self._unit = naming, unit
        self._plain = PlainColumns(catalogue, naming, layouts, unit)
        self._columns = Columns(catalogue)
        self._long: dict[int, bytes] = {}
        """Lines that hold line feeds, by row."""
        at = row = 0
        while at < len(self._body):
            at, row = self._chunk(at, row)

    def frame(self, source: str) -> Frame:
        """All that was read, in the order of the lines."""
        single = self._columns.frame(source, self._raw(), last_wins=True)
        return self._plain.joined(single)

    def _raw(self) -> Callable[[int], bytes]:
        @functools.cache
        def lines() -> list[bytes]:
            return self._body.split(b"\n")

        return lambda row: self._long.get(row) or lines()[row]

    def _chunk(self, at: int, row: int) -> tuple[int, int]:
        """Read whole lines from `at`; where and with which row the next ones begin."""
        end = self._body.rfind(b"\n", at, at + CHUNK) + 1 or self._body.index(b"\n", at) + 1
        text = self._body[at:end]
        singles = _Singles(self, at, row, text)
        left = np.arange(singles.count)
        for _ in range(_PASSES):
            found = read_plain(text)
            good = self._plain.readable(found) if isinstance(found, Plain) else found
            if isinstance(found, Plain) and good.all():
                self._plain.add(found, left + row)
                break
            singles.read(left[~good])
            left = singles.left(left[good])
            if not len(left):
                break
            text = singles.text(left)
        else:
            singles.read(left)
        return max(end, singles.end), row + max(singles.count, singles.past)

    def lines_between(self, start: int, end: int) -> int:
        """Line feeds there."""
        return self._body.count(b"\n", start, end)

    def single(self, row: int, at: int) -> int:
        """Read the line that begins at `at`; where the next one begins."""
        end = self._body.index(b"\n", at) + 1
        raw = self._body[at : end - 1]
        if raw.isspace() or not raw or raw.startswith(b"#"):
            return end
        try:
            line = read_line(self._body, at)
            twin, names = named(self._naming, line.measurement, line.tags, line.fields)
            time = NO_TIME if line.time is None else line.time * self._unit
            if line.time is not None and not -NS_LIMIT < time < NS_LIMIT:
                raise BadLine("its time lies too far away; is `precision` right?")
        except BadLine as fault:
            self._columns.refuse(row, "BAD_LINE", str(fault), raw)
            return end
        if line.end > end:
            self._long[row] = self._body[at : line.end - 1]
        for name, value in zip(names, line.values, strict=True):
            self._columns.add(row, twin, name, value, time)
        return line.end


class _Singles:
    """The lines of a chunk, of which some are read one by one."""

    def __init__(self, body: _Body, at: int, row: int, text: bytes) -> None:
        self._body, self._row = body, row
        self._lines = text.split(b"\n")[:-1]
        self._at, self._starts = at, NO_STARTS
        self.count = len(self._lines)
        self.past = self.end = 0
        """The first line, and the first byte, that none read by itself reaches."""
        self._swallowed: set[int] = set()

    def read(self, which: NDArray[np.int64]) -> None:
        """Read these, in order, without those that a string before them has swallowed."""
        if not len(self._starts):
            self._starts = np.cumsum([self._at, *(len(line) + 1 for line in self._lines)])
        for i in which.tolist():
            if not self._lines[i] or i in self._swallowed:
                continue
            start = int(self._starts[i])
            end = self._body.single(self._row + i, start)
            if end > self._starts[i + 1]:
                self.past = i + self._body.lines_between(start, end)
                self._swallowed.update(range(i + 1, min(self.past, self.count)))
                self.end = end

    def left(self, which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these that no string has swallowed."""
        if not self._swallowed:
            return which
        return which[~np.isin(which, list(self._swallowed))]

    def text(self, which: NDArray[np.int64]) -> bytes:
        """These lines as a body."""
        return b"\n".join([*(self._lines[i] for i in which.tolist()), b""])
