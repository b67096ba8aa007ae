"""Areas: polygons as WKT or GeoJSON, and which points lie inside."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.ontology.errors import BadInput

Floats = NDArray[np.float64]

MAX_POINTS = 20_000
MAX_WKT = 1_000_000
_SRID = re.compile(r"\s*SRID=(\d{1,6});", re.IGNORECASE)
_CRS = re.compile(r"(?:urn:ogc:def:crs:)?([A-Za-z]+):{1,2}(?:\d+(?:\.\d+)*:)?([A-Za-z0-9]+)")
_HEAD = re.compile(r"\s*([A-Za-z]{1,40}?)(?:\s*(ZM|Z|M))?\s*(\(|EMPTY)", re.IGNORECASE)
_RING = re.compile(r"\(([^()]*)\)")
_BETWEEN = {"POLYGON": ("(", ")"), "MULTIPOLYGON": ("((", "))")}
"""What stands before the first ring of a WKT and after the last one."""
WKT = 'such as "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", in quotes'
GEOJSON = 'such as {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 0]]]}'

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Area:
    """Parts, each of closed rings of x and y: its border, then its holes. A point is inside where
    it is inside a part: within the border and in no hole. Parts may overlap.
    """

    parts: tuple[tuple[Ring, ...], ...]

    @property
    def rings(self) -> tuple[Ring, ...]:
        """Those of all parts."""
        return tuple(ring for part in self.parts for ring in part)

    def holds(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Which of these points lie inside; NaN does not. O(points x corners)."""
        inside = np.zeros(len(x), np.bool_)
        for border, *holes in self.parts:
            of_part = _within(border, x, y)
            for hole in holes:
                of_part &= ~_within(hole, x, y)
            inside |= of_part
        return inside

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The least and greatest x, the least and greatest y."""
        xs, ys = zip(*(point for ring in self.rings for point in ring), strict=True)
        return min(xs), max(xs), min(ys), max(ys)


def _within(ring: Ring, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Which points a ring goes round an odd number of times (W. R. Franklin's crossing test)."""
    inside = np.zeros(len(x), np.bool_)
    for (xa, ya), (xb, yb) in pairwise(ring):
        if ya == yb:
            continue
        between = (ya > y) != (yb > y)
        inside ^= between & (x < (xb - xa) * (y - ya) / (yb - ya) + xa)
    return inside


def read_area(value: Any, path: str) -> Area:
    """An area from WKT (POLYGON, MULTIPOLYGON) or GeoJSON; a third coordinate is passed over.
    Raises BadInput with the place of what is wrong.
    """
    parts = _from_wkt(value, path) if isinstance(value, str) else _from_geojson(value, path)
    count = sum(len(ring) for _, rings in parts for ring in rings if isinstance(ring, list))
    if count > MAX_POINTS:
        message = f"has {count:,} points, and at most {MAX_POINTS:,} are taken"
        raise BadInput(message, path=path, code="TOO_LARGE", cure="simplify it")
    return Area(tuple(_part(rings, place, path) for place, rings in parts))


def _part(rings: list[Any], place: str, path: str) -> tuple[Ring, ...]:
    """Closed rings; those of GeoJSON have a place of their own."""
    if place == path:
        return tuple(_ring(ring, path, WKT) for ring in rings)
    return tuple(_ring(ring, f"{place}/{i}", GEOJSON) for i, ring in enumerate(rings))


def crs_of(value: Any) -> str:
    """The coordinate system that a polygon names: `SRID=3067;POLYGON ...`, or the member `crs` that
    GeoJSON had before 2016.
    """
    if isinstance(value, str):
        named = _SRID.match(value)
        return f"EPSG:{int(named[1])}" if named else ""
    for step in ("crs", "properties", "name"):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value[:100] if isinstance(value, str) else ""


def same_crs(one: str, other: str) -> bool:
    """Whether two names mean one coordinate system: `EPSG:4326` is `urn:ogc:def:crs:EPSG::4326`."""
    return _plain_crs(one) == _plain_crs(other)


def _plain_crs(name: str) -> str:
    found = _CRS.fullmatch(name.strip())
    plain = f"{found[1]}:{found[2]}".upper() if found else name.strip().upper()
    return "EPSG:4326" if plain in ("OGC:CRS84", "CRS:84", "WGS84") else plain


def _from_wkt(text: str, path: str) -> list[tuple[str, list[Any]]]:
    """The rings of each part, with the place of the part."""
    if len(text) > MAX_WKT:
        message = f"is a WKT of {len(text):,} letters, and at most {MAX_WKT:,} are read"
        raise BadInput(message, path=path, cure="simplify it")
    named = _SRID.match(text)
    text = text[named.end() :] if named else text
    kind, body = _kind_of(text, path)
    found = list(_RING.finditer(body))
    if not found:
        raise BadInput("is no WKT polygon: it has no ring of points", path=path, cure=WKT)
    begin, end = _BETWEEN[kind]
    around = [_bare(body[: found[0].start()]), _bare(body[found[-1].end() :])]
    gaps = [_bare(body[a.end() : b.start()]) for a, b in pairwise(found)]
    if around != [begin, end] or set(gaps) - {",", "),(" if kind == "MULTIPOLYGON" else ","}:
        raise BadInput(f"is no WKT {kind}: its brackets do not match", path=path, cure=WKT)
    parts: list[tuple[str, list[Any]]] = [(path, [])]
    for ring, gap in zip(found, [",", *gaps], strict=True):
        if gap != ",":
            parts.append((path, []))
        parts[-1][1].append(_points(ring[1], path))
    return parts


def _kind_of(text: str, path: str) -> tuple[str, str]:
    """POLYGON or MULTIPOLYGON, and what follows."""
    found = _HEAD.match(text)
    kind = found[1].upper() if found else ""
    if found is None or kind not in _BETWEEN:
        what = f"is a WKT {kind}, and no POLYGON or MULTIPOLYGON" if kind else "is no WKT polygon"
        raise BadInput(what, path=path, cure=WKT)
    if found[3].upper() == "EMPTY":
        raise BadInput(f"is an empty {kind}: nobody is in it", path=path, cure=WKT)
    if (more := (found[2] or "").upper()) not in ("", "Z"):
        message = f"is a {kind} {more}: its points have a measure beside x and y"
        raise BadInput(message, path=path, cure="leave out the measures; heights (Z) may stay")
    return kind, text[found.start(3) :]


def _bare(text: str) -> str:
    return "".join(text.split())


def _points(ring: str, path: str) -> list[list[float]]:
    try:
        return [[float(number) for number in point.split()] for point in ring.split(",")]
    except ValueError:
        raise BadInput("has a coordinate that is no number", path=path, cure=WKT) from None


def _from_geojson(value: Any, path: str) -> list[tuple[str, list[Any]]]:
    """The rings of each part, with the place of the part."""
    if isinstance(value, Mapping) and value.get("type") == "Feature":
        value, path = value.get("geometry"), f"{path}/geometry"
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise BadInput("must be WKT or a GeoJSON Polygon or MultiPolygon", path=path, cure=WKT)
    found, place = value.get("coordinates"), f"{path}/coordinates"
    if kind == "Polygon":
        return [(place, _listed(found, place, "a list of rings"))]
    parts = _listed(found, place, "a list of polygons")
    return [
        (f"{place}/{i}", _listed(one, f"{place}/{i}", "a list of rings"))
        for i, one in enumerate(parts)
    ]


def _listed(value: Any, place: str, what: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        empty = " and not empty: nobody is in it" if value == [] else ""
        raise BadInput(f"must be {what}{empty}", path=place, cure=GEOJSON)
    return value


def _ring(points: Any, path: str, cure: str) -> Ring:
    if not isinstance(points, list) or not all(_is_point(p) for p in points):
        raise BadInput("each point has two finite numbers", path=path, cure=cure)
    ring = tuple((float(p[0]), float(p[1])) for p in points)
    if len(set(ring)) < 3:
        message = "a ring has three different points at least"
        raise BadInput(message, path=path, cure="add points")
    return ring if ring[0] == ring[-1] else (*ring, ring[0])


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) in (2, 3)
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in value)
        and all(is_finite(n) for n in value)
    )


def is_finite(number: float) -> bool:
    """Whether a number of JSON fits in a float: a whole number may be longer than any."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
