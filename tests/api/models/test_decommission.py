"""Decommissioning at the command line and in GraphQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.graphql.plant import Plant
from tests.api.running import twinfall
from tests.ontology.reference import interface

PUMP = "dtmi:plant:Pump;1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose graph has Pump 1 and Pump 2."""
    two = interface() | {"@id": "dtmi:example:Pump;2"}
    (tmp_path / "pumps.json").write_text(json.dumps([interface(), two]))
    assert twinfall(tmp_path, "model", "load", "pumps.json").status == 0
    return tmp_path


def test_a_decommissioned_model_is_listed_and_shown_as_such_and_comes_back(folder: Path) -> None:
    done = twinfall(folder, "model", "decommission", "Pump", "--json")
    listed = twinfall(folder, "model", "list", "--json").json
    shown = twinfall(folder, "model", "show", "Pump").out
    assert done.json == ["dtmi:example:Pump;1"]
    assert [model["decommissioned"] for model in listed] == [True, False]
    assert "0 twins, decommissioned" in shown
    assert "(decommissioned)" in twinfall(folder, "model", "list").out
    undone = twinfall(folder, "model", "decommission", "Pump", "--undo")
    assert undone.out.strip() == "0 models take no new twins"
    assert not any(m["decommissioned"] for m in twinfall(folder, "model", "list", "--json").json)


def test_an_import_into_a_decommissioned_model_is_refused_with_the_cure(folder: Path) -> None:
    twinfall(folder, "model", "decommission", "dtmi:example:Pump;1")
    row = {"$dtId": "P1", "$metadata": {"$model": "dtmi:example:Pump;1"}}
    lines = [{"Section": "Twins"}, row]
    (folder / "pumps.ndjson").write_text("\n".join(map(json.dumps, lines)))
    done = twinfall(folder, "import", "pumps.ndjson", "--json")
    assert done.status == 1
    [refused] = [json.loads(line) for line in _refused(folder)]
    assert refused["code"] == "DECOMMISSIONED"
    assert "dtmi:example:Pump;2" in refused["reason"]


def _refused(folder: Path) -> list[str]:
    [path] = folder.glob("*refused*")
    return path.read_text("utf-8").splitlines()


def test_an_unknown_model_is_named_with_the_nearest(folder: Path) -> None:
    done = twinfall(folder, "model", "decommission", "dtmi:example:Pumq;1")
    assert done.status == 1
    assert "dtmi:example:Pump;1" in done.err


def test_graphql_decommissions_and_says_which_are() -> None:
    plant = Plant()
    plant.fill()
    try:
        ask = 'mutation { decommissionModels(models: ["Pump"]) { decommissioned } }'
        assert plant.ask(ask) == {"decommissionModels": {"decommissioned": [PUMP]}}
        found = plant.ask("{ models { id decommissioned } }")["models"]
        assert [m["id"] for m in found if m["decommissioned"]] == [PUMP]
        write = '{ writeTwins(twins: [{id: "P9", model: "Pump"}]) { errors { code cure } } }'
        [error] = plant.ask(f"mutation {write}")["writeTwins"]["errors"]
        assert error["code"] == "DECOMMISSIONED"
        assert "--undo" in error["cure"]
        undo = 'mutation { decommissionModels(models: ["Pump"], undo: true) { decommissioned } }'
        assert plant.ask(undo) == {"decommissionModels": {"decommissioned": []}}
        assert plant.answer(ask, role="operator")["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    finally:
        plant.close()
