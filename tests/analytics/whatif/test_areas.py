"""Which points lie inside a polygon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinfall.analytics.whatif.areas import Area, read_area
from twinfall.ontology.errors import BadInput

RING = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 6 4, 6 6, 4 6, 4 4))"


def _inside(area: Area, *points: tuple[float, float]) -> list[bool]:
    x, y = (np.array(values) for values in zip(*points, strict=True))
    return area.holds(x, y).tolist()


def test_a_hole_is_outside() -> None:
    area = read_area(RING, "")

    assert _inside(area, (1, 1), (5, 5), (11, 5), (-1, 5)) == [True, False, False, False]


def test_wkt_and_geojson_say_the_same() -> None:
    rings = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]]

    assert read_area({"type": "Polygon", "coordinates": rings}, "") == read_area(RING, "")
    many = read_area({"type": "MultiPolygon", "coordinates": [rings]}, "")
    assert many == read_area(RING, "")


SQUARES = "((0 0, 6 0, 6 6, 0 6, 0 0)), ((4 4, 9 4, 9 9, 4 9, 4 4))"


def test_parts_that_overlap_are_one_area() -> None:
    area = read_area(f"MULTIPOLYGON ({SQUARES})", "")

    assert _inside(area, (1, 1), (5, 5), (8, 8), (1, 8)) == [True, True, True, False]
    twice = read_area(f"MULTIPOLYGON ({SQUARES}, {SQUARES})", "")
    assert _inside(twice, (1, 1), (5, 5), (8, 8), (1, 8)) == [True, True, True, False]


def test_a_hole_of_one_part_is_no_hole_of_another() -> None:
    hole = "(4 4, 6 4, 6 6, 4 6, 4 4)"
    area = read_area(f"MULTIPOLYGON (((0 0, 10 0, 10 10, 0 10, 0 0), {hole}), ({hole}))", "")

    assert _inside(area, (1, 1), (5, 5)) == [True, True]


def test_heights_are_passed_over() -> None:
    flat = read_area("POLYGON ((0 0, 10 0, 10 10))", "")

    assert read_area("POLYGON Z ((0 0 5, 10 0 5, 10 10 7))", "") == flat
    assert read_area("polygonz((0 0 5, 10 0 5, 10 10 7))", "") == flat


RING_OF_THREE = [[0, 0], [9, 0], [9, 9]]


@pytest.mark.parametrize(
    ("polygon", "place", "says"),
    [
        ({"type": "Polygon", "coordinates": []}, "/p/coordinates", "not empty"),
        ({"type": "MultiPolygon", "coordinates": []}, "/p/coordinates", "not empty"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "/p/coordinates/0", "not empty"),
        ({"type": "MultiPolygon", "coordinates": [5, "x"]}, "/p/coordinates/0", "list of rings"),
        ({"type": "MultiPolygon", "coordinates": [[RING_OF_THREE], 5]}, "/p/coordinates/1",
         "list of rings"),
        ({"type": "MultiPolygon", "coordinates": [[RING_OF_THREE, [[0, "x"]]]]},
         "/p/coordinates/0/1", "two finite numbers"),
        ({"type": "Polygon", "coordinates": [[]]}, "/p/coordinates/0", "three different points"),
        ({"type": "Polygon", "coordinates": None}, "/p/coordinates", "list of rings"),
        ({"type": "Feature", "geometry": {"type": "Feature"}}, "/p/geometry", "GeoJSON Polygon"),
        ({"type": "Point", "coordinates": [1, 2]}, "/p", "GeoJSON Polygon"),
        ("POINT (1 1)", "/p", "is a WKT POINT"),
        ("POLYGON EMPTY", "/p", "an empty POLYGON"),
        ("POLYGON M ((0 0 1, 1 1 1, 2 0 1))", "/p", "is a POLYGON M"),
        ("POLYGON (0 0, 1 1, 2 0)", "/p", "brackets"),
        ("POLYGON (((0 0, 1 1, 2 0)))", "/p", "brackets"),
        ("POLYGON ((0 0, 1 1, 2 0)", "/p", "brackets"),
        ("MULTIPOLYGON ((0 0, 1 1, 2 0))", "/p", "brackets"),
        ("MULTIPOLYGON (((0 0, 1 1, 2 0)) ((0 0, 1 1, 2 0)))", "/p", "brackets"),
        ("POLYGON ((0 0, 1 b, 2 0))", "/p", "no number"),
        ("POLYGON ((0 0, 1 inf, 2 0))", "/p", "two finite numbers"),
        (f"POLYGON (({'0 0, ' * 250_000}1 1))", "/p", "is a WKT of 1,250,015 letters"),
        (f"POLYGON (({'0 0, ' * 25_000}1 1))", "/p", "has 25,001 points"),
        (7, "/p", "GeoJSON Polygon"),
    ],
)  # fmt: skip
def test_what_is_no_polygon_says_where_and_what_would_be(
    polygon: Any, place: str, says: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read_area(polygon, "/p")

    assert refused.value.path == place
    assert says in refused.value.message
    assert refused.value.cure


def test_a_place_that_is_not_known_is_in_no_area() -> None:
    assert _inside(read_area(RING, ""), (float("nan"), 1.0)) == [False]


@settings(max_examples=200, deadline=None)
@given(st.floats(0.1, 5), st.integers(3, 12), st.floats(-6, 6), st.floats(-6, 6))
def test_a_round_area_holds_what_is_near_enough(
    radius: float, corners: int, x: float, y: float
) -> None:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = [(float(radius * np.cos(t)), float(radius * np.sin(t))) for t in turn]
    area = Area((((*points, points[0]),),))
    distance, least = np.hypot(x, y), radius * np.cos(np.pi / corners)

    if distance < least * 0.999:
        assert _inside(area, (x, y)) == [True]
    if distance > radius * 1.001:
        assert _inside(area, (x, y)) == [False]
