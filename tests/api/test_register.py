"""`twinfall init`: what it proposes checks and imports as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.running import twinfall
from twinfall.api.register.names import property_names, type_names
from twinfall.api.register.schemas import schema_of, value_of

REGISTER = """Tag;Asset Type;Name;Parent;Rated Flow (m3/h);Built;Active;Code
P1;Pump;Main pump;S1;12.5;2001-02-03;yes;007
M1;Motor;;P1;;2002-01-01;no;008
M2;Motor;;P1;;;;
S1;Pump station;North;;;1999-01-01;yes;
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [";", ",", "\t"])
@pytest.mark.parametrize("options", [(), ("--components",)])
def test_a_proposal_checks_and_imports_without_edits(
    tmp_path: Path, encoding: str, mark: str, options: tuple[str, ...]
) -> None:
    (tmp_path / "assets.csv").write_bytes(REGISTER.replace(";", mark).encode(encoding))

    done = twinfall(tmp_path, "init", "assets.csv", "--json", *options)

    assert done.status == 0, done.err
    assert twinfall(tmp_path, "model", "check", "assets.json").status == 0
    assert twinfall(tmp_path, "model", "load", "assets.json").status == 0
    imported = twinfall(tmp_path, "import", "assets.ndjson", "--json")
    assert imported.status == 0, imported.err
    assert imported.json["twins"] == done.json["twins"]


def test_columns_become_properties_of_their_kind_and_parents_contain(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_text(REGISTER)
    twinfall(tmp_path, "init", "assets.csv")
    twinfall(tmp_path, "model", "load", "assets.json")
    twinfall(tmp_path, "import", "assets.ndjson")

    found = twinfall(
        tmp_path,
        "query",
        "{ Pump { nodes { id name ratedFlowM3H built active code"
        " contains { nodes { id } } _in { contains { nodes { id } } } } } }",
    ).json["Pump"]["nodes"]

    assert found == [
        {
            "id": "P1",
            "name": "Main pump",
            "ratedFlowM3H": 12.5,
            "built": "2001-02-03",
            "active": True,
            "code": "007",
            "contains": {"nodes": [{"id": "M1"}, {"id": "M2"}]},
            "_in": {"contains": {"nodes": [{"id": "S1"}]}},
        }
    ]


def test_children_become_components_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_text(REGISTER)
    twinfall(tmp_path, "init", "assets.csv", "--components")
    twinfall(tmp_path, "model", "load", "assets.json")
    twinfall(tmp_path, "import", "assets.ndjson")

    found = twinfall(tmp_path, "query", '{ twin(id: "P1") { _values } }').json["twin"]["_values"]

    assert (found["motor1"]["assetId"], found["motor2"]["assetId"]) == ("M1", "M2")


def test_rows_that_cannot_be_used_are_told_with_line_and_reason(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "id,type,parent\nA,Pump,\nA,Pump,\n,Pump,\nB,,\nC D,Pump,\nE,Pump,X\nF,Pump,A,extra\n"
    )

    done = twinfall(tmp_path, "init", "a.csv", "--json")

    unused = {row["line"]: row["reason"] for row in done.json["unused"]}
    assert done.status == 1
    assert sorted(unused) == [3, 4, 5, 6, 7, 8]
    assert "line 2" in unused[3]
    assert "used without it" in unused[7]
    assert done.json["twins"] == 2
    assert twinfall(tmp_path, "model", "load", "a.json").status == 0
    assert twinfall(tmp_path, "import", "a.ndjson").status == 0


def test_files_are_never_written_over_unless_told_to(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_text(REGISTER)
    (tmp_path / "assets.json").write_text("mine")

    done = twinfall(tmp_path, "init", "assets.csv")

    assert (done.status, "EXISTS" in done.err) == (1, True)
    assert (tmp_path / "assets.json").read_text() == "mine"
    assert not (tmp_path / "assets.ndjson").exists()
    assert twinfall(tmp_path, "init", "assets.csv", "--force").status == 0


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "id,type\n", 'id,type\n"A,Pump\n', "id,id\n"])
def test_what_is_no_register_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)

    done = twinfall(tmp_path, "init", "a.csv")

    assert (done.status, "BAD_FILE" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("texts", "schema"),
    [
        (["yes", "No", "TRUE"], "boolean"),
        (["1", "-20"], "integer"),
        (["1", "3000000000"], "long"),
        (["1", "2.5", "1e3"], "double"),
        (["007", "008"], "string"),
        (["2024-02-29"], "date"),
        (["2023-02-29"], "string"),
        (["2024-02-29T10:00:00Z", "2024-02-29 10:00"], "dateTime"),
        (["nan"], "string"),
        (["1e999"], "string"),
        ([], "string"),
    ],
)
def test_a_column_has_the_narrowest_schema_that_holds_it(texts: list[str], schema: str) -> None:
    assert schema_of(texts) == schema


@given(st.lists(st.text(max_size=20), max_size=5))
def test_every_column_can_be_written_in_the_schema_found(texts: list[str]) -> None:
    schema = schema_of(texts)

    json.dumps([value_of(t, schema) for t in texts], allow_nan=False)
    assert all(value_of(t, schema) is not None for t in texts)


@given(st.lists(st.text(max_size=20), unique=True, max_size=20))
def test_names_are_dtdl_names_and_properties_never_clash(texts: list[str]) -> None:
    properties = list(property_names(texts).values())

    assert len({p.lower() for p in properties}) == len(texts)
    for name in [*properties, *type_names(texts).values()]:
        assert name.isascii()
        assert name.isalnum()
        assert name[0].isalpha()


def test_rows_that_no_twin_can_hold_are_left_out_with_the_reason(tmp_path: Path) -> None:
    long = "x" * 70_000
    (tmp_path / "a.csv").write_text(f"id,type,note\nA,x,a\0b\nB,x,{long}\nC,x,good\n")
    done = twinfall(tmp_path, "init", "a.csv", "--json")
    assert [row["line"] for row in done.json["unused"]] == [2, 3]
    assert "U+0000" in done.json["unused"][0]["reason"]
    assert "65536" in done.json["unused"][1]["reason"]


def test_a_time_outside_the_years_of_a_calendar_is_a_text() -> None:
    assert schema_of(["0001-01-01T00:00+14:00"]) == "string"
