"""Which points lie inside a polygon."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twinfall.analytics.whatif.areas import Area, read_area

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


def test_a_place_that_is_not_known_is_in_no_area() -> None:
    assert _inside(read_area(RING, ""), (float("nan"), 1.0)) == [False]


@settings(max_examples=200, deadline=None)
@given(st.floats(0.1, 5), st.integers(3, 12), st.floats(-6, 6), st.floats(-6, 6))
def test_a_round_area_holds_what_is_near_enough(
    radius: float, corners: int, x: float, y: float
) -> None:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = [(float(radius * np.cos(t)), float(radius * np.sin(t))) for t in turn]
    area = Area(((*points, points[0]),))
    distance, least = np.hypot(x, y), radius * np.cos(np.pi / corners)

    if distance < least * 0.999:
        assert _inside(area, (x, y)) == [True]
    if distance > radius * 1.001:
        assert _inside(area, (x, y)) == [False]
