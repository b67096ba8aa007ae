"""What other programs get of an impact."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.analytics.plant import assets
from twinfall.analytics import AssetImpact
from twinfall.analytics.exporting import COLUMNS, geojson, to_csv

DECLARED: dict[str, Any] = {
    "Unit": {
        "asset": {"location": {"x": {"from": "worth"}, "y": 2}},
        "contents": {"needs": {"dependent": "source", "autonomy": "PT1M"}},
    }
}


def _impact(crs: str | None = None) -> AssetImpact:
    declared = {"Unit": {**DECLARED["Unit"]}}
    if crs:
        declared["Unit"]["asset"] = {"location": {"x": {"from": "worth"}, "y": 2, "crs": crs}}
    twins = {"=A": {"worth": 1.0}, "B": {"worth": 5.5}, "C": {}}
    return assets(declared, twins, [("B", "needs", "=A"), ("C", "needs", "B")]).impact(["=A"])


def test_geojson_has_a_point_for_all_that_have_a_place_and_says_in_which_plane() -> None:
    found = geojson(_impact(), {"B": "Second"})

    assert (found["coordinateSystem"], found["affected"]) == ("local plane", 2)
    failed, second = found["features"]
    assert failed["geometry"] == {"type": "Point", "coordinates": [1.0, 2.0]}
    assert second["properties"] == {
        "id": "B", "to": "failed", "wave": 1, "at": 60.0, "group": "needs",
        "votes": "1 of 1 lost: =A", "cause": "=A", "path": "=A > B", "name": "Second",
    }  # fmt: skip
    assert geojson(_impact("EPSG:25833"))["coordinateSystem"] == "EPSG:25833"


def test_csv_has_all_and_nothing_a_spreadsheet_would_run() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(_impact()))))

    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == ["'=A", "B", "C"]
    assert rows[3][-2:] == ["", ""]
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
