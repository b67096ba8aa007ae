"""What the commands tell of a plant with redundancy, degradation and something unknown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.running import twinfall

MODEL = {
    "@context": "dtmi:dtdl:context;3",
    "@type": "Interface",
    "@id": "dtmi:site:Unit;1",
    "contents": [{"@type": "Relationship", "name": n} for n in ("needs", "likes", "stores")],
}
DECLARED = {
    "version": 1,
    "interfaces": {
        "dtmi:site:Unit;1": {
            "contents": {
                "needs": {"dependent": "source", "group": "power", "rule": "any"},
                "likes": {"dependent": "source", "effect": "degrade", "level": 0.5},
                "stores": {"dependent": "source", "autonomy": "PT4H"},
            }
        }
    },
}
TWINS = ("H", "A", "B", "C", "D", "E")
RELATIONSHIPS = [
    *(("H", "needs", "A"), ("H", "needs", "B"), ("C", "likes", "A")),
    ("D", "stores", "E"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unit.json").write_text(json.dumps(MODEL))
    (tmp_path / "unit.dependencies.json").write_text(json.dumps(DECLARED))
    model = {"$metadata": {"$model": "dtmi:site:Unit;1"}}
    rows = [{"Section": "Twins"}, *({"$dtId": id_, **model} for id_ in TWINS)]
    rows += [{"Section": "Relationships"}]
    rows += [
        {"$relationshipId": f"{a}-{b}", "$sourceId": a, "$targetId": b, "$relationshipName": name}
        for a, name, b in RELATIONSHIPS
    ]
    (tmp_path / "site.ndjson").write_text("\n".join(json.dumps(row) for row in rows))
    assert twinfall(tmp_path, "model", "load", "unit.json", "unit.dependencies.json").status == 0
    assert twinfall(tmp_path, "import", "site.ndjson").status == 0
    return tmp_path


def test_an_impact_tells_of_near_misses_and_of_what_degrades(folder: Path) -> None:
    done = twinfall(folder, "impact", "A")
    found = twinfall(folder, "impact", "A", "--json").json

    assert "A failed: 0 more assets, 1 degraded\n" in done.out
    assert "near miss: H goes down if one more of its power fails: B\n" in done.out
    assert found["totals"]["degraded"] == 1
    assert found["nearMisses"][0]["wouldFailIf"] == ["B"]
    assert found["affected"]["nodes"][0]["level"] == 0.5
    assert found["baselineDown"] == []


def test_an_impact_tells_who_lives_on_a_battery_beyond_its_horizon(folder: Path) -> None:
    done = twinfall(folder, "impact", "E", "--horizon", "PT1H")
    found = twinfall(folder, "impact", "E", "--horizon", "PT1H", "--json").json

    assert "near miss: D goes down at PT4H for want of stores\n" in done.out
    assert found["totals"]["assets"] == 0
    assert [miss["until"] for miss in found["nearMisses"]] == ["PT4H"]


def test_an_impact_tells_which_of_the_failed_it_needed(folder: Path) -> None:
    found = twinfall(folder, "impact", "A", "B", "C", "--json").json

    (hit,) = (node for node in found["affected"]["nodes"] if node["twin"]["id"] == "H")
    assert hit["minimalCauses"] == ["A", "B"]


def test_partners_of_an_asset_are_asked_for_on_the_command_line(folder: Path) -> None:
    done = twinfall(folder, "criticality", "--with", "A")

    assert done.out.splitlines() == ["B", "1 asset with which A takes more along"]
    assert twinfall(folder, "criticality", "--with", "A", "--json").json == {
        "count": 1,
        "ids": ["B"],
    }
    assert twinfall(folder, "criticality", "--with", "nobody").status == 1
