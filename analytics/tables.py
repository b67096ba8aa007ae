"""Lists for other programs: one table, written as CSV or as GeoJSON.

A list says its columns, its rows, and of each row which twins it is about: that is where it lies on
a map. Everything else (quoting, formulas, sizes, coordinate systems) is here, alike for all lists.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinfall.ontology.errors import BadInput, Refused

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork

MAX_ROWS = 200_000
MAX_CHARACTERS = 50_000_000
"""Of one file."""
LOCAL = "local plane"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PLACE = ("x", "y")


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells, the twins that it is about, and the twins along which something spread."""

    cells: tuple[Any, ...]
    at: tuple[str, ...] = ()
    along: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """All `count` rows of a list, whatever page of it is shown; rows are made when it is written.

    `assets` say where twins stand; None where rows have no place. `single`: each row is about one
    twin. `cure` says how to ask for less.
    """

    name: str
    snapshot: str
    columns: tuple[str, ...]
    count: int
    rows: Callable[[], Iterable[Row]]
    assets: AssetNetwork | None = None
    single: bool = True
    cure: str = "ask about less"

    def csv(self) -> str:
        """With a header, as RFC 4180 has it, and x and y where each row is about one twin.

        Text that a spreadsheet would take for a formula begins with an apostrophe. Raises Refused
        (TOO_LARGE).
        """
        self._check_rows()
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        placed = self.assets is not None and self.single
        writer.writerow((*self.columns, *(_PLACE if placed else ())))
        for row in self.rows():
            place = (self._place(row.at[0]) or (None, None)) if placed else ()
            writer.writerow([_cell(one) for one in (*row.cells, *place)])
            self._check_size(out.tell())
        return out.getvalue()

    def geojson(self) -> dict[str, Any]:
        """A FeatureCollection (RFC 7946) of the rows that have a place: points, and lines along
        which it spread, told apart by `part`. `count` counts the rows without a place too.

        RFC 7946 wants WGS 84. Where the declarations say no coordinate system the coordinates are
        of a local plane, and `coordinateSystem` says so. Raises Refused (TOO_LARGE), and BadInput
        for a list of what has no place.
        """
        if self.assets is None:
            raise BadInput(f"{self.name} have no place", path=self.name, cure="take the CSV")
        self._check_rows()
        features: list[dict[str, Any]] = []
        size = 0
        for row in self.rows():
            said = {
                name: _text(cell)
                for name, cell in zip(self.columns, row.cells, strict=True)
                if cell is not None
            }
            size += sum(len(str(cell)) for cell in said.values())
            self._check_size(size)
            features += self._features(row, said)
        systems = self.assets.compiled.places.systems
        return {
            "type": "FeatureCollection",
            "coordinateSystem": ", ".join(systems) or LOCAL,
            "list": self.name,
            "snapshot": self.snapshot,
            "count": self.count,
            "features": features,
        }

    def _features(self, row: Row, said: dict[str, Any]) -> Iterator[dict[str, Any]]:
        points, line = self._places(row.at), self._places(row.along)
        if points and self.single:
            yield {"id": row.at[0], **_feature(said, "Point", points[0])}
        elif points:
            yield _feature(said, "MultiPoint", points)
        if len(line) > 1:
            yield _feature({**said, "part": "path"}, "LineString", line)

    def _places(self, ids: Sequence[str]) -> list[tuple[float, float]]:
        return [place for id_ in ids if (place := self._place(id_)) is not None]

    def _place(self, id_: str) -> tuple[float, float] | None:
        if self.assets is None:
            return None
        places, at = self.assets.compiled.places, self.assets.position_of(id_)
        if at >= len(places.x) or not np.isfinite([places.x[at], places.y[at]]).all():
            return None
        return float(places.x[at]), float(places.y[at])

    def _check_rows(self) -> None:
        if self.count > MAX_ROWS:
            raise self._too_large(f"{self.count:,} rows, at most {MAX_ROWS:,} go into a file")

    def _check_size(self, characters: int) -> None:
        if characters > MAX_CHARACTERS:
            raise self._too_large(f"more than {MAX_CHARACTERS:,} characters")

    def _too_large(self, what: str) -> Refused:
        return Refused(f"{self.name} has {what}", code="TOO_LARGE", path=self.name, cure=self.cure)


def _feature(said: dict[str, Any], kind: str, coordinates: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": said,
    }


def _cell(value: Any) -> Any:
    text = _text(value)
    if isinstance(text, bool):
        return "true" if text else "false"
    if isinstance(text, str) and text.startswith(_FORMULA):
        return f"'{text}"
    return "" if text is None else text


def _text(value: Any) -> Any:
    """Several ids in one cell stand with spaces between: no id has one."""
    return " ".join(value) if isinstance(value, tuple) else value
