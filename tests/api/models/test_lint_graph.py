"""`twinfall model lint --graph`, and `lint` in GraphQL."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api.graphql.plant import DEPENDENCIES, MODELS, Plant
from tests.api.running import twinfall


def test_the_loaded_models_are_linted_on_the_graph(tmp_path: Path) -> None:
    (tmp_path / "plant.json").write_text(json.dumps(MODELS))
    (tmp_path / "plant.dependencies.json").write_text(json.dumps(DEPENDENCIES))
    assert twinfall(tmp_path, "model", "load", "plant.json").status == 0
    twin = {"$dtId": "P1", "$metadata": {"$model": "dtmi:plant:Pump;1"}}
    rows = [{"Section": "Twins"}, twin]
    (tmp_path / "plant.ndjson").write_text("\n".join(map(json.dumps, rows)))
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    said = twinfall(tmp_path, "model", "lint", "--graph")
    told = twinfall(tmp_path, "model", "lint", "--graph", "--json").json
    fires = {row["element"] for row in told if row["code"] == "neverFires"}
    assert said.status == 1
    assert fires == {"dtmi:plant:Asset;1/feeds", "dtmi:plant:Motor;1/poweredBy"}
    assert "neverFires" in said.out
    assert any(row["code"] == "noDisplayName" for row in told)


def test_files_or_the_graph_must_be_given_and_not_both(tmp_path: Path) -> None:
    assert twinfall(tmp_path, "model", "lint").status == 2
    assert twinfall(tmp_path, "model", "lint", "x.json", "--graph").status == 2


def test_findings_come_in_pages_with_warnings_first() -> None:
    plant = Plant()
    plant.graph.write_twins([])
    try:
        ask = "query Q($a: String) { lint(first: 4, after: $a) { totalCount nodes { level code }"
        ask += " pageInfo { hasNextPage endCursor } } }"
        page = plant.ask(ask)["lint"]
        rows = list(page["nodes"])
        while page["pageInfo"]["hasNextPage"]:
            page = plant.ask(ask, a=page["pageInfo"]["endCursor"])["lint"]
            rows += page["nodes"]
        assert len(rows) == page["totalCount"] > 4
        levels = [row["level"] for row in rows]
        assert levels == sorted(levels, reverse=True)
        assert plant.refusal(ask, a="x")["code"] == "BAD_QUERY"
    finally:
        plant.close()
