"""What other programs get of an impact."""

from __future__ import annotations

import csv
import io
from typing import Any
from xml.etree import ElementTree

from tests.analytics.plant import assets
from twinfall.analytics import AssetImpact
from twinfall.analytics.exporting import COLUMNS, geojson, to_csv
from twinfall.analytics.picturing import picture

SVG = "{http://www.w3.org/2000/svg}"

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


def test_a_picture_on_the_map_marks_every_asset_that_has_a_place_once() -> None:
    impact = _impact()

    drawn = ElementTree.fromstring(picture(impact))

    assert drawn.tag.endswith("svg")
    texts = [element.text or "" for element in drawn.iter(f"{SVG}text")]
    assert any("=A fails" in text for text in texts)
    assert any("2 down" in text for text in texts)
    marks = list(drawn.iter(f"{SVG}g"))
    assert sum(len(list(group)) for group in marks) == 1  # B; C has no place
    assert len(list(drawn.iter(f"{SVG}path"))) == 1  # the cross on =A


def test_a_picture_without_places_goes_wave_by_wave_and_escapes_names() -> None:
    declared = {"Unit": {"contents": {"needs": {"dependent": "source"}}}}
    ids = {"A": {}, **{f"x{'y' * 90}{i}": {} for i in range(30)}}
    found = assets(declared, ids, [(id_, "needs", "A") for id_ in ids if id_ != "A"])

    drawn = picture(found.impact(["A"]))

    ElementTree.fromstring(drawn)
    assert "wave 1, at once: 30" in drawn
    assert "and 6 more" in drawn
    assert drawn == picture(found.impact(["A"]))
