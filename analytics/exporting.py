"""The affected of an impact for other programs: as GeoJSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twinfall.analytics.explaining import AssetImpact, Impacted

COLUMNS = ("id", "to", "wave", "at", "group", "votes", "cause", "path", "x", "y")
MAX_ROWS = 200_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
LOCAL = "local plane"


def geojson(impact: AssetImpact, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A FeatureCollection (RFC 7946) of the failed and the affected that have a place.

    RFC 7946 wants WGS 84. Where the declarations say no coordinate system the coordinates are of a
    local plane, and `coordinateSystem` says so. `names` are what people call assets, by id.
    """
    known = names or {}
    features = [_feature(row, known) for row in rows(impact) if row["x"] is not None]
    systems = impact.assets.compiled.places.systems
    return {
        "type": "FeatureCollection",
        "coordinateSystem": ", ".join(systems) or LOCAL,
        "snapshot": impact.snapshot,
        "affected": impact.count,
        "features": features,
    }


def to_csv(impact: AssetImpact) -> str:
    """Rows of COLUMNS with a header (RFC 4180), `at` in seconds. A cell that a spreadsheet would
    take for a formula begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows(impact):
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return out.getvalue()


def rows(impact: AssetImpact) -> Iterator[dict[str, Any]]:
    """The failed ones (wave 0), then the affected in order, by column; at most MAX_ROWS."""
    assets = impact.assets
    for position in impact.impact.failed.tolist():
        said = dict.fromkeys(COLUMNS)
        yield said | {
            "id": assets.ids[position], "to": "failed", "wave": 0, "at": 0.0,
            **_place(impact, position),
        }  # fmt: skip
    for row in impact.affected(0, MAX_ROWS):
        yield _row(impact, row)


def _row(impact: AssetImpact, row: Impacted) -> dict[str, Any]:
    return {
        "id": row.id,
        "to": row.to,
        "wave": row.wave,
        "at": row.at,
        "group": row.group,
        "votes": row.votes,
        "cause": row.cause,
        "path": " > ".join(row.path),
        **_place(impact, impact.assets.position_of(row.id)),
    }


def _place(impact: AssetImpact, position: int) -> dict[str, float | None]:
    places = impact.assets.compiled.places
    if position >= len(places.x) or not np.isfinite([places.x[position], places.y[position]]).all():
        return {"x": None, "y": None}
    return {"x": float(places.x[position]), "y": float(places.y[position])}


def _feature(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    said = {name: row[name] for name in COLUMNS[:-2] if row[name] is not None}
    if row["id"] in names:
        said["name"] = names[row["id"]]
    return {
        "type": "Feature",
        "id": row["id"],
        "geometry": {"type": "Point", "coordinates": [row["x"], row["y"]]},
        "properties": said,
    }


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
