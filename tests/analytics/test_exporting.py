"""What other programs get of an answer: every list as CSV and GeoJSON."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.analytics.plant import assets
from twinfall.analytics import AssetImpact, AssetNetwork, tables
from twinfall.analytics.cutsets import Limits
from twinfall.analytics.exporting import (
    AFFECTED,
    IMPACT_LISTS,
    cut_sets_table,
    explanations_table,
    ids_table,
    impact_table,
    ranking_table,
)
from twinfall.analytics.rootcause import diagnose
from twinfall.analytics.tables import Table
from twinfall.ontology.errors import BadInput, Refused

Said = dict[str, Any]


def _plant(crs: str | None = None) -> AssetNetwork:
    """=A feeds B after a minute, B feeds C; D needs one of =A and E; C has no place."""
    location: Said = {"x": {"from": "worth"}, "y": 2}
    if crs:
        location["crs"] = crs
    declared: dict[str, Said] = {
        "Unit": {
            "asset": {"location": location, "services": ["water"]},
            "contents": {
                "needs": {"dependent": "source", "autonomy": "PT1M"},
                "backs": {"dependent": "source", "rule": "any"},
            },
        }
    }
    twins: dict[str, Said] = {
        "=A": {"worth": 1.0}, "B": {"worth": 5.5}, "C": {},
        "D": {"worth": 7.0}, "E": {"worth": 8.0},
    }  # fmt: skip
    feeds = [("B", "needs", "=A"), ("C", "needs", "B"), ("D", "backs", "=A"), ("D", "backs", "E")]
    return assets(declared, twins, feeds)


def _impact(crs: str | None = None) -> AssetImpact:
    return _plant(crs).impact(["=A"])


def _read(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.csv(), newline=""), strict=True))


def test_geojson_has_a_point_for_all_that_have_a_place_and_says_in_which_plane() -> None:
    found = impact_table(_impact()).geojson()

    assert (found["coordinateSystem"], found["count"]) == ("local plane", 3)
    failed, second = found["features"]
    assert failed["geometry"] == {"type": "Point", "coordinates": (1.0, 2.0)}
    assert second["id"] == "B"
    assert second["properties"] == {
        "id": "B", "from": "ok", "to": "failed", "wave": 1, "at": 60.0, "group": "needs",
        "votes": "1 of 1 lost: =A", "cause": "=A", "path": "=A > B", "minimalCauses": "=A",
        "spof": True,
    }  # fmt: skip
    assert impact_table(_impact("EPSG:25833")).geojson()["coordinateSystem"] == "EPSG:25833"


def test_csv_has_all_and_nothing_a_spreadsheet_would_run() -> None:
    rows = _read(impact_table(_impact()))

    assert tuple(rows[0]) == (*AFFECTED, "x", "y")
    assert [row[0] for row in rows[1:]] == ["'=A", "B", "C"]
    assert rows[3][-2:] == ["", ""]
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_lines_end_as_the_standard_says() -> None:
    text = impact_table(_impact(), "waves").csv()

    assert text == "wave,at,count\r\n1,60.0,1\r\n2,120.0,1\r\n"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("services", [["water", "2"]]),
        ("nearMisses", [["D", "backs", "0", "E", "", "7.0", "2.0"]]),
        ("notEvaluated", []),
        ("baselineDown", []),
    ],
)
def test_every_list_of_an_impact_has_its_rows(name: Any, rows: list[list[str]]) -> None:
    head, *found = _read(impact_table(_impact(), name))

    assert found == rows
    assert len(set(head)) == len(head)


def test_every_list_that_is_about_assets_is_geojson_and_the_others_say_that_they_are_not() -> None:
    impact = _impact()

    for name in IMPACT_LISTS:
        table = impact_table(impact, name)
        if name in ("waves", "services"):
            with pytest.raises(BadInput, match="no place"):
                table.geojson()
        else:
            assert table.geojson()["count"] == table.count == len(_read(table)) - 1


def test_the_ranking_is_whole_and_in_order() -> None:
    plant = _plant()

    rows = _read(ranking_table(plant, plant.criticality))

    assert [row[:3] for row in rows[1:]] == [
        ["1", "'=A", "2"], ["2", "B", "1"], ["3", "C", "0"], ["3", "D", "0"], ["3", "E", "0"],
    ]  # fmt: skip


def test_cut_sets_are_points_of_their_members_and_lines_of_the_way_they_take() -> None:
    plant = _plant()
    found = plant.criticality.cut_sets("D", 2)

    told = cut_sets_table(plant, found).geojson()

    assert [one["geometry"] for one in told["features"]] == [
        {"type": "MultiPoint", "coordinates": [(1.0, 2.0), (8.0, 2.0)]},
        {"type": "LineString", "coordinates": [(1.0, 2.0), (7.0, 2.0)]},
    ]
    assert told["features"][0]["properties"]["members"] == "=A E"
    assert _read(cut_sets_table(plant, found))[1] == ["2", "'=A E", "'=A > D"]


def test_all_cut_sets_are_written_however_many_are_listed() -> None:
    plant = _plant()
    found = plant.criticality.cut_sets("C", 1, Limits(sets=5))
    few = plant.criticality.cut_sets("C", 1, Limits(tried=1))

    assert len(_read(cut_sets_table(plant, found))) - 1 == found.total == 2
    with pytest.raises(Refused, match="not whole") as refused:
        cut_sets_table(plant, few)
    assert refused.value.code == "TOO_COSTLY"


def test_explanations_lie_where_their_roots_do() -> None:
    plant = _plant()
    found = diagnose(plant, ["B", "C"])

    told = explanations_table(plant, found).geojson()

    assert told["count"] == len(found.explanations)
    assert told["features"][0]["properties"]["rank"] == 1
    assert told["features"][0]["geometry"]["type"] == "MultiPoint"


def test_a_list_that_is_too_long_is_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = _plant()
    table = ids_table(plant, "newlyDown", ["B", "C", "D"])
    monkeypatch.setattr(tables, "MAX_ROWS", 2)

    for write in (table.csv, table.geojson):
        with pytest.raises(Refused, match="3 rows, at most 2") as refused:
            write()
        assert refused.value.code == "TOO_LARGE"


def test_a_list_of_long_rows_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_CHARACTERS", 40)
    table = impact_table(_impact())

    for write in (table.csv, table.geojson):
        with pytest.raises(Refused, match="more than 40 characters"):
            write()
