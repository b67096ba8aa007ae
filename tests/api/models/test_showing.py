"""`twinfall model list`, `show` and `check`, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.running import twinfall
from tests.ontology.reference import interface

VALVE = interface(
    "Valve",
    extends="dtmi:example:Asset;1",
    contents=[
        {
            "@type": "Command",
            "name": "move",
            "request": {"name": "to", "schema": "double"},
            "response": {"name": "at", "schema": "dateTime"},
        },
        {"@type": "Command", "name": "stop"},
        {"@type": "Relationship", "name": "feeds", "target": "dtmi:example:Asset;1"},
    ],
)
ASSET = interface(
    "Asset", contents=[{"@type": "Property", "name": "crew", "schema": "string", "writable": True}]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models.json").write_text(json.dumps([VALVE, ASSET]))
    assert twinfall(tmp_path, "model", "load", "models.json").status == 0
    return tmp_path


def test_show_has_commands_with_what_they_take_and_answer(folder: Path) -> None:
    lines = twinfall(folder, "model", "show", "Valve").out.splitlines()
    said = [" ".join(line.split()) for line in lines]
    assert "move Command (double) -> dateTime" in said
    assert "stop Command ()" in said
    assert "feeds Relationship -> dtmi:example:Asset;1" in said
    assert "crew Property string writable" in said


def test_show_as_json_says_where_each_content_is_declared(folder: Path) -> None:
    shown = twinfall(folder, "model", "show", "dtmi:example:Valve;1", "--json").json
    assert shown["extends"] == ["dtmi:example:Asset;1"]
    by_name = {content["name"]: content for content in shown["contents"]}
    assert by_name["crew"]["declaredIn"] == "dtmi:example:Asset;1"
    assert by_name["move"]["declaredIn"] == "dtmi:example:Valve;1"
    assert (by_name["move"]["request"], by_name["move"]["response"]) == ("double", "dateTime")
    assert (by_name["stop"]["request"], by_name["stop"]["response"]) == (None, None)


def test_list_as_json_has_every_model_by_name(folder: Path) -> None:
    listed = twinfall(folder, "model", "list", "--json").json
    assert [(model["name"], model["twins"]) for model in listed] == [("Asset", 0), ("Valve", 0)]


def test_check_as_json_says_the_verdict(folder: Path) -> None:
    told = twinfall(folder, "model", "check", "models.json", "--json")
    assert (told.status, told.json["verdict"], told.json["interfaces"]) == (0, "valid", 2)
