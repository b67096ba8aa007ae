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
_WKT = re.compile(r"\s*(MULTIPOLYGON|POLYGON)\s*(\(.*\))\s*", re.IGNORECASE | re.DOTALL)
_RING = re.compile(r"\(([^()]*)\)")
_AROUND = re.compile(r"[\s,()]*")
"""All that a polygon in WKT has beside its rings."""


@dataclass(frozen=True, slots=True)
class Area:
    """Closed rings of x and y; a point is inside where it is inside an odd number of them, so
    that holes are rings like others.
    """

    rings: tuple[tuple[tuple[float, float], ...], ...]

    def holds(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Which of these points lie inside (W. R. Franklin's crossing test); NaN does not.
        O(points x corners).
        """
        inside = np.zeros(len(x), np.bool_)
        for ring in self.rings:
            for (xa, ya), (xb, yb) in pairwise(ring):
                if ya == yb:
                    continue
                between = (ya > y) != (yb > y)
                inside ^= between & (x < (xb - xa) * (y - ya) / (yb - ya) + xa)
        return inside

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The least and greatest x, the least and greatest y."""
        xs, ys = zip(*(point for ring in self.rings for point in ring), strict=True)
        return min(xs), max(xs), min(ys), max(ys)


def read_area(value: Any, path: str) -> Area:
    """An area from WKT (POLYGON, MULTIPOLYGON) or GeoJSON. Raises BadInput."""
    rings = _from_wkt(value, path) if isinstance(value, str) else _from_geojson(value, path)
    if sum(len(ring) for ring in rings) > MAX_POINTS:
        raise BadInput(f"has more than {MAX_POINTS} points", path=path, code="TOO_LARGE")
    return Area(tuple(_ring(ring, path) for ring in rings))


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


def _from_wkt(text: str, path: str) -> list[Any]:
    cure = 'such as "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", in quotes'
    named = _SRID.match(text)
    text = text[named.end() :] if named else text
    found = _WKT.fullmatch(text) if len(text) <= MAX_WKT else None
    rings = _RING.findall(found[2]) if found else []
    if found is None or not rings or not _AROUND.fullmatch(_RING.sub("", found[2])):
        raise BadInput("is no WKT polygon", path=path, cure=cure)
    try:
        return [[[float(n) for n in p.split()] for p in ring.split(",")] for ring in rings]
    except ValueError:
        raise BadInput("has a coordinate that is no number", path=path, cure=cure) from None


def _from_geojson(value: Any, path: str) -> list[Any]:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == "Feature":
        return _from_geojson(value.get("geometry"), path)
    parts = value.get("coordinates") if isinstance(value, Mapping) else None
    if kind == "Polygon" and isinstance(parts, list):
        return parts
    if kind == "MultiPolygon" and isinstance(parts, list):
        return [ring for part in parts if isinstance(part, list) for ring in part]
    raise BadInput("must be WKT or a GeoJSON Polygon or MultiPolygon", path=path)


def _ring(points: Any, path: str) -> tuple[tuple[float, float], ...]:
    if not isinstance(points, list) or not all(_is_point(p) for p in points):
        raise BadInput("each point has two finite numbers", path=path)
    ring = tuple((float(p[0]), float(p[1])) for p in points)
    if len(set(ring)) < 3:
        raise BadInput("a ring has three different points at least", path=path)
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
