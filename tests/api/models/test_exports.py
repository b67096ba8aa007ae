"""`twinfall model export --format`: JSON Schema and GraphQL, with and without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graphql import build_schema, lexicographic_sort_schema, print_schema
from jsonschema import Draft202012Validator

from tests.api.graphql.plant import MODELS, Plant
from tests.api.running import served, twinfall


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plant.json").write_text(json.dumps(MODELS))
    assert twinfall(tmp_path, "model", "load", "plant.json").status == 0
    return tmp_path


def test_json_schemas_are_a_file_for_each_model(folder: Path) -> None:
    done = twinfall(folder, "model", "export", "out", "--format", "json-schema", "--json")
    assert [Path(name).name for name in done.json["files"]] == [
        f"plant_{name}-1.schema.json"
        for name in ("Asset", "Bus", "DeepTank", "Motor", "Note", "Pump", "Tank")
    ]
    pump = json.loads((folder / "out" / "plant_Pump-1.schema.json").read_text("utf-8"))
    assert pump["$id"] == "dtmi:plant:Pump;1"
    validator = Draft202012Validator(pump)
    assert validator.is_valid({"ratedFlow": 1, "motor": {"power": 2.5}, "name": "inherited"})
    assert not validator.is_valid({"ratedFlow": "1"})


def test_the_graphql_schema_is_the_one_that_is_answered(folder: Path) -> None:
    assert twinfall(folder, "model", "export", "out", "--format", "graphql").status == 0
    exported = (folder / "out" / "schema.graphql").read_text("utf-8")
    plant = Plant(list(MODELS))
    served = plant.service.sdl()
    plant.close()
    assert _sorted(exported) == _sorted(served)


def _sorted(sdl: str) -> str:
    return print_schema(lexicographic_sort_schema(build_schema(sdl)))


def test_exporting_from_a_running_server_gives_the_same(folder: Path) -> None:
    for format_ in ("json-schema", "graphql", "dtdl"):
        assert twinfall(folder, "model", "export", "alone", "--format", format_).status == 0
    with served(folder):
        for format_ in ("json-schema", "graphql", "dtdl"):
            assert twinfall(folder, "model", "export", "served", "--format", format_).status == 0
    alone, remote = (
        {path.name: path.read_text("utf-8") for path in (folder / name).iterdir()}
        for name in ("alone", "served")
    )
    assert alone == remote


def test_an_unknown_format_is_refused_with_the_nearest(folder: Path) -> None:
    done = twinfall(folder, "model", "export", "out", "--format", "jsonschema")
    assert done.status == 1
    assert "json-schema" in done.err
    assert not (folder / "out").exists()


def test_no_file_of_other_content_is_written_over(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "schema.graphql").write_text("mine")
    done = twinfall(folder, "model", "export", "out", "--format", "graphql", "--json")
    assert done.status == 1
    assert (folder / "out" / "schema.graphql").read_text() == "mine"
