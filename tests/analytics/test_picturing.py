"""An impact as a picture: SVG and PNG of one drawing."""

from __future__ import annotations

import io
import sys
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.analytics.plant import assets
from twinfall.analytics import AssetImpact
from twinfall.analytics.drawing import SCALE, Crosses, Dots, Text
from twinfall.analytics.picturing import COLOURS, FAILED, GREY, HEIGHT, WIDTH, drawn, png, svg
from twinfall.ontology.errors import BadSettings

SVG = "{http://www.w3.org/2000/svg}"


def _on_a_map() -> AssetImpact:
    """A feeds B and C, C feeds D; D has no place, and Z is far away."""
    declared = {
        "Unit": {
            "asset": {"location": {"x": {"from": "worth"}, "y": 2}},
            "contents": {"needs": {"dependent": "source"}},
        }
    }
    places: dict[str, dict[str, Any]] = {
        "A": {"worth": 1.0}, "B": {"worth": 5.5}, "C": {"worth": 7.0}, "D": {}, "Z": {"worth": 9.0},
    }  # fmt: skip
    feeds = [("B", "needs", "A"), ("C", "needs", "A"), ("D", "needs", "C")]
    return assets(declared, places, feeds).impact(["A"])


def _without_a_map(count: int = 30) -> AssetImpact:
    declared = {"Unit": {"contents": {"needs": {"dependent": "source"}}}}
    ids: dict[str, dict[str, Any]] = {"A": {}}
    ids |= {f"x{'y' * 90}{i}": {} for i in range(count)}
    return assets(declared, ids, [(id_, "needs", "A") for id_ in ids if id_ != "A"]).impact(["A"])


def _chain(length: int) -> AssetImpact:
    declared = {"Unit": {"contents": {"needs": {"dependent": "source"}}}}
    ids: dict[str, dict[str, Any]] = {f"n{i:02d}": {} for i in range(length)}
    feeds = [(f"n{i:02d}", "needs", f"n{i - 1:02d}") for i in range(1, length)]
    return assets(declared, ids, feeds).impact(["n00"])


def _marks(impact: AssetImpact, colour: str) -> list[tuple[float, float]]:
    """Where dots of a colour stand on the map, those of the legend left out."""
    found = [m for m in drawn(impact).marks if isinstance(m, Dots) and m.colour == colour]
    return [at for one in found[:-1] for at in one.at]


def test_on_the_map_every_asset_with_a_place_is_marked_once() -> None:
    impact = _on_a_map()

    assert len(_marks(impact, COLOURS[0])) == 2  # B and C; D has no place
    assert len(_marks(impact, GREY)) == 1  # Z
    crosses = [mark for mark in drawn(impact).marks if isinstance(mark, Crosses)]
    assert [mark.colour for mark in crosses] == [FAILED, FAILED]  # on A, and in the legend


def test_the_head_and_the_legend_have_the_counts() -> None:
    words = [mark.words for mark in drawn(_on_a_map()).marks if isinstance(mark, Text)]

    assert "A fails" in words
    assert "3 down, 0 degraded, 0 customers" in words
    assert {"failed: 1", "wave 1: 2", "wave 2: 1", "at once", "not affected: 1"} <= set(words)
    assert any("a local plane. 1 affected assets have no place" in one for one in words)


def test_a_failure_that_stays_in_one_corner_is_drawn_large() -> None:
    declared = {
        "Unit": {
            "asset": {"location": {"x": {"from": "worth"}, "y": {"from": "worth"}}},
            "contents": {"needs": {"dependent": "source"}},
        }
    }
    ids = {f"n{i}": {"worth": float(i)} for i in range(101)}
    impact = assets(declared, ids, [("n1", "needs", "n0")]).impact(["n0"])

    words = [mark.words for mark in drawn(impact).marks if isinstance(mark, Text)]

    assert any("A part of the map." in one for one in words)
    assert len(_marks(impact, GREY)) < 10
    assert "not affected: 99" in words


def test_without_places_it_goes_layer_by_layer() -> None:
    impact = _without_a_map()

    found = svg(impact)

    root = ElementTree.fromstring(found)
    assert root.tag == f"{SVG}svg"
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    assert "wave 1: 30" in texts
    assert "and 5 more" in texts
    assert found == svg(impact)


def test_many_waves_share_the_colours_in_order() -> None:
    words = [mark.words for mark in drawn(_chain(20)).marks if isinstance(mark, Text)]

    layers = [one for one in words if one.startswith("wave")]
    assert layers[0] == "waves 1 to 3: 3"
    assert layers[-1].startswith("waves 17 to 19")
    assert len(layers) == len(COLOURS)


@pytest.mark.parametrize("impact", [_on_a_map, _without_a_map])
def test_the_png_is_the_drawing_in_pixels(impact: Any) -> None:
    image = pytest.importorskip("PIL.Image")

    found = image.open(io.BytesIO(png(impact())))

    assert found.format == "PNG"
    assert found.size == (WIDTH * SCALE, HEIGHT * SCALE)
    colours = {colour for _, colour in found.convert("RGB").getcolors(1_000)}
    assert tuple(bytes.fromhex(COLOURS[0][1:])) in colours


def test_without_pillow_the_error_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)

    with pytest.raises(BadSettings, match=r"twinfall\[picture\]"):
        png(_on_a_map())
