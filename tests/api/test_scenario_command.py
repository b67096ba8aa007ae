"""Saved scenarios at the command line, kept by a running server."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api.running import plant, served, twinfall


def test_scenarios_are_kept_by_the_server_and_compared(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    top = twinfall(tmp_path, "criticality", "--json").json["nodes"][0]["id"]
    (tmp_path / "dark.json").write_text(json.dumps({"name": "a dark hour", "fail": [top]}))
    (tmp_path / "calm.yaml").write_text("name: calm\n")
    alone = twinfall(tmp_path, "scenario", "list")
    with served(tmp_path):
        for file in ("dark.json", "calm.yaml"):
            assert twinfall(tmp_path, "scenario", "save", file).status == 0
        listed = twinfall(tmp_path, "scenario", "list", "--json").json
        shown = twinfall(tmp_path, "scenario", "show", "a dark hour")
        run = twinfall(tmp_path, "whatif", "a dark hour", "--json").json
        compared = twinfall(tmp_path, "scenario", "compare", "calm", "a dark hour", "--json").json
        filed = twinfall(
            tmp_path, "scenario", "compare", "calm", "a dark hour", "--csv", "compared.csv"
        )
        gone = twinfall(tmp_path, "scenario", "delete", "calm")
        again = twinfall(tmp_path, "scenario", "delete", "calm")

    assert alone.status == 3
    assert [one["name"] for one in listed] == ["a dark hour", "calm"]
    assert json.loads(shown.out)["fail"] == [top]
    assert top in run["newlyDown"]["ids"]
    assert [one["newlyDown"] for one in compared] == [0, run["newlyDown"]["count"]]
    assert filed.status == 0
    names = [line.split(",")[0] for line in (tmp_path / "compared.csv").read_text().splitlines()]
    assert names == ["name", "calm", "a dark hour"]
    assert (gone.status, again.status) == (0, 1)
