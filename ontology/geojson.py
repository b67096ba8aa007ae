"""GeoJSON geometries (RFC 7946): a type and coordinates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from twinfall.ontology.errors import Problem

GEOMETRIES: Mapping[str, tuple[str, int, int]] = MappingProxyType(
    {
        "point": ("Point", 0, 0),
        "multiPoint": ("MultiPoint", 1, 0),
        "lineString": ("LineString", 1, 2),
        "multiLineString": ("MultiLineString", 2, 2),
        "polygon": ("Polygon", 2, 4),
        "multiPolygon": ("MultiPolygon", 3, 4),
    }
)
"""By DTDL name: the GeoJSON type, how deep positions are nested, positions of a line at least."""

MAX_POSITIONS = 100_000
_AXES = (2, 3)
_RING = 4


def check_geometry(name: str, value: Any, path: str, problems: list[Problem]) -> None:
    """Note what is wrong with a geometry."""
    geometry, nesting, least = GEOMETRIES[name]
    if not isinstance(value, dict) or set(value) != {"type", "coordinates"}:
        message = f'must be GeoJSON: {{"type": "{geometry}", "coordinates": [...]}}'
        problems.append(Problem("badValue", message, path))
        return
    if value["type"] != geometry:
        message = f'the GeoJSON type must be "{geometry}"'
        problems.append(Problem("badValue", message, f"{path}/type"))
        return
    fault = next(_faults(value["coordinates"], nesting, least, f"{path}/coordinates"), None)
    if fault is not None:
        problems.append(fault)


def _faults(value: Any, nesting: int, least: int, path: str) -> Iterator[Problem]:
    if nesting == 0:
        if not _is_position(value):
            yield Problem("badValue", "must be a position: two or three finite numbers", path)
        return
    if not isinstance(value, list) or len(value) > MAX_POSITIONS:
        yield Problem("badValue", f"must be a list of at most {MAX_POSITIONS}", path)
        return
    for place, item in enumerate(value):
        yield from _faults(item, nesting - 1, least, f"{path}/{place}")
    if nesting == 1 and len(value) < least:
        yield Problem("badValue", f"must have at least {least} positions", path)
    elif nesting == 1 and least == _RING and value[0] != value[-1]:
        yield Problem("badValue", "a ring must end where it begins", path)


def _is_position(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in _AXES
        and all(type(n) in (int, float) and math.isfinite(n) for n in value)
    )
