"""The command line as a user types it, mistakes included."""

from __future__ import annotations

import gzip
import json
import socket
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.api.running import PUMP, SIDECAR, TANK, plant, twinfall, twinfall_apart

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "ontologies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the small plant imported."""
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    return tmp_path


def no_traceback(err: str) -> bool:
    return "Traceback" not in err and "INTERNAL" not in err


def test_help_names_every_command(tmp_path: Path) -> None:
    done = twinfall_apart(tmp_path, "--help")

    for command in ("demo", "init", "serve", "model", "import", "export", "query", "impact", "key"):
        assert command in done.out
    assert list(tmp_path.iterdir()) == []


def test_help_loads_no_heavy_room(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, twinfall.api.cli\n"
        "heavy = {'fastapi', 'strawberry', 'numpy', 'numba', 'neo4j', 'sqlite3', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_wrong_usage_ends_with_status_2(tmp_path: Path) -> None:
    assert twinfall_apart(tmp_path, "sreve").status == 2
    assert twinfall(tmp_path, "key", "create", "x").status == 2
    assert twinfall(tmp_path, "key", "create", "x", "--role", "boss").status == 2


def test_import_tells_what_came_in_and_again_changes_nothing(folder: Path) -> None:
    before = twinfall(folder, "export").out
    done = twinfall(folder, "import", "plant.ndjson", "--json")

    assert done.status == 0
    assert (done.json["twins"], done.json["relationships"], done.json["refused"]) == (3, 2, 0)
    assert twinfall(folder, "export").out == before


def test_export_and_import_by_packed_file_give_an_equal_graph(folder: Path, tmp_path: Path) -> None:
    assert twinfall(folder, "export", "out.ndjson.gz").status == 0
    other = str(tmp_path / "other")
    assert twinfall(folder, "import", "out.ndjson.gz", TWINFALL_DIR=other).status == 0

    exported = gzip.decompress((folder / "out.ndjson.gz").read_bytes()).decode()

    assert twinfall(folder, "export", TWINFALL_DIR=other).out == exported


def test_standard_input_is_imported(tmp_path: Path) -> None:
    done = twinfall_apart(tmp_path, "import", "-", stdin=gzip.compress(plant()))

    assert done.status == 0, done.err
    assert "3 twins, 2 relationships" in done.out


def test_refused_rows_go_to_a_file_with_line_and_reason_and_status_1(folder: Path) -> None:
    rows = [
        {"Section": "Twins"},
        {"$dtId": "T2", "$metadata": {"$model": "dtmi:test:Tank;1"}},
        {"$dtId": "T3", "$metadata": {"$model": "dtmi:test:Tank;1"}, "level": "high"},
        {"Section": "Relationships"},
        {"$sourceId": "T2", "$relationshipName": "feeds", "$targetId": "P1"},
        {"$sourceId": "P1", "$relationshipName": "feeds", "$targetId": "P2"},
        {"$sourceId": "P1", "$relationshipName": "feeds", "$targetId": "T404"},
    ]
    (folder / "more.ndjson").write_text("\n".join(json.dumps(r) for r in rows))

    done = twinfall(folder, "import", "more.ndjson")
    kept = (folder / "more.ndjson.refused.ndjson").read_text().splitlines()
    found = [json.loads(line) for line in kept]

    assert done.status == 1
    assert [f["line"] for f in found] == [3, 5, 6, 7]
    assert all(f["code"] and f["reason"] for f in found)
    assert [json.loads(f["row"]) for f in found] == [rows[2], *rows[4:]]
    assert "more.ndjson.refused.ndjson" in done.err
    assert twinfall(folder, "query", '{ twin(id: "T2") { id } }').json["twin"] == {"id": "T2"}


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    done = twinfall_apart(tmp_path, "import", "nowhere.ndjson")

    assert done.status == 1
    assert "nowhere.ndjson" in done.err
    assert no_traceback(done.err)


def test_a_question_without_a_graph_says_how_to_get_one(tmp_path: Path) -> None:
    done = twinfall(tmp_path, "query", "{ service { version } }")

    assert done.status == 1
    assert "twinfall demo" in done.err
    assert not (tmp_path / "data").exists()


def test_a_query_may_come_from_files(folder: Path) -> None:
    (folder / "q.graphql").write_text("query($id: ID!) { twin(id: $id) { id } }")
    (folder / "v.json").write_text('{"id": "P2"}')

    done = twinfall(folder, "query", "@q.graphql", "--variables", "@v.json")

    assert done.json == {"twin": {"id": "P2"}}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("query", "{ nope }"), "BAD_QUERY", "nope"),
        (("query", "{"), "BAD_QUERY", "Syntax"),
        (("query", "@nowhere"), "BAD_FILE", "nowhere"),
        (("query", "{ service { version } }", "--variables", "{"), "BAD_FILE", "--variables"),
        (("model", "show", "Pmup"), "UNKNOWN_NAME", "Pump"),
        (("key", "revoke", "nobody"), "UNKNOWN_NAME", "nobody"),
        (("impact", "P\udcff"), "BAD_INPUT", "UTF-8"),
    ],
)
def test_a_wrong_question_says_what_is_wrong(
    folder: Path, words: tuple[str, ...], code: str, told: str
) -> None:
    done = twinfall(folder, *words)

    assert done.status == 1
    assert code in done.err
    assert told in done.err
    assert no_traceback(done.err)


def test_errors_are_json_too_when_asked(folder: Path) -> None:
    done = twinfall(folder, "query", "{ nope }", "--json")

    assert done.json["error"]["code"] == "BAD_QUERY"
    assert done.status == 1


def test_too_deep_a_query_is_refused(folder: Path) -> None:
    nested = "id"
    for _ in range(40):
        nested = f"_relationships {{ nodes {{ twin {{ {nested} }} }} }}"

    done = twinfall(folder, "query", f'{{ twin(id: "P1") {{ {nested} }} }}')

    assert done.status == 1
    assert "TOO_COSTLY" in done.err


def test_the_impact_of_a_pump_is_a_table_with_reasons(folder: Path) -> None:
    done = twinfall(folder, "impact", "P1")

    assert done.status == 0, done.err
    assert "P1 failed: 1 more asset\n" in done.out
    assert "T1" in done.out
    assert "feeds" in done.out
    found = twinfall(folder, "impact", "P1", "--json").json
    assert [n["twin"]["id"] for n in found["affected"]["nodes"]] == ["T1"]


def test_an_impact_that_cannot_be_shown_on_nodes_says_so(folder: Path) -> None:
    done = twinfall(folder, "impact", "P1", "--show")

    assert done.status == 0
    assert "no node is marked" in done.err


def test_the_impact_of_an_unknown_twin_names_near_ones(folder: Path) -> None:
    done = twinfall(folder, "impact", "P11")

    assert done.status == 1
    assert "UNKNOWN_TWIN" in done.err
    assert "P1" in done.err.replace("P11", "")


def test_models_are_loaded_listed_shown_and_exported(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "plant.json").write_text(json.dumps([PUMP, TANK]))
    (models / "plant.dependencies.json").write_text(json.dumps(SIDECAR))

    assert twinfall(tmp_path, "model", "load", "models").status == 0
    listed = twinfall(tmp_path, "model", "list", "--json").json
    shown = twinfall(tmp_path, "model", "show", "Pump").out
    exported = twinfall(tmp_path, "model", "export", "out", "--json").json["files"]

    assert {m["name"]: m["id"] for m in listed} == {
        "Pump": "dtmi:test:Pump;1",
        "Tank": "dtmi:test:Tank;1",
    }
    assert "feeds" in shown
    assert "dtmi:test:Tank;1" in shown
    assert len(exported) == 3
    assert twinfall(tmp_path, "model", "check", "out").status == 0
    again = twinfall(tmp_path, "model", "load", "out", "--json").json
    assert again["loaded"] == []


def test_a_dtmi_is_printed_as_it_is(tmp_path: Path) -> None:
    model = {"@id": "dtmi:a:Asset;1", "@type": "Interface", "@context": "dtmi:dtdl:context;3"}
    (tmp_path / "a.json").write_text(json.dumps(model))

    assert "dtmi:a:Asset;1" in twinfall(tmp_path, "model", "load", "a.json").out


def test_a_model_with_ten_errors_lists_all_ten_with_place_and_line(tmp_path: Path) -> None:
    contents = [{"@type": "Property", "name": f"p{n}", "schema": "flaot"} for n in range(10)]
    wrong = {**PUMP, "@id": "dtmi:test:Wrong;1", "contents": contents}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong, indent=1))

    done = twinfall(tmp_path, "model", "check", "wrong.json")
    found = twinfall(tmp_path, "model", "check", "wrong.json", "--json").json

    assert done.status == 1
    assert found["verdict"] == "invalid"
    assert len(found["findings"]) == 10
    assert all(f["file"] == "wrong.json" and f["message"] and f["path"] for f in found["findings"])
    lines = (tmp_path / "wrong.json").read_text().splitlines()
    for finding in found["findings"]:
        assert "flaot" in lines[finding["line"] - 1]
    assert done.out.count("flaot") >= 10
    assert "> " in done.out
    loaded = twinfall(tmp_path, "model", "load", "wrong.json")
    assert loaded.status == 1
    assert loaded.out.count("flaot") >= 10


def test_a_model_that_refers_to_nothing_is_incomplete_not_invalid(tmp_path: Path) -> None:
    (tmp_path / "pump.json").write_text(json.dumps(PUMP | {"extends": "dtmi:test:Machine;1"}))

    done = twinfall(tmp_path, "model", "check", "pump.json", "--json")

    assert (done.status, done.json["verdict"]) == (1, "incomplete")
    assert done.json["findings"][0]["message"].startswith("dtmi:test:Machine;1")
    assert done.json["findings"][0]["line"] == 1


def test_a_wrong_dependency_file_is_found_beside_its_model(tmp_path: Path) -> None:
    (tmp_path / "plant.json").write_text(json.dumps([PUMP, TANK]))
    (tmp_path / "plant.dependencies.yaml").write_text(
        "version: 1\ninterfaces:\n  dtmi:test:Pump;1: {contents: {feds: {dependent: target}}}\n"
    )

    done = twinfall(tmp_path, "model", "check", "plant.json", "--json")

    assert (done.status, done.json["verdict"]) == (1, "invalid")
    assert done.json["findings"][0]["file"] == "plant.dependencies.yaml"
    assert "feds" in json.dumps(done.json["findings"])


@pytest.mark.parametrize("path", ["nowhere", "empty", "*.jsn"])
def test_checking_nothing_is_an_error(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()

    done = twinfall(tmp_path, "model", "check", path)

    assert done.status == 1
    assert "BAD_FILE" in done.err


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference data folder is not here")
@pytest.mark.parametrize(
    ("name", "interfaces"), [("building-rec33", 767), ("isa95", 180), ("smartcities", 63)]
)
def test_real_ontologies_are_valid(tmp_path: Path, name: str, interfaces: int) -> None:
    done = twinfall(tmp_path, "model", "check", str(REFERENCE / name), "--json")

    assert (done.status, done.json["verdict"]) == (0, "valid")
    assert done.json["interfaces"] == interfaces


def test_no_server_at_the_address_ends_with_status_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}"

    done = twinfall(tmp_path, "query", "{ service { version } }", TWINFALL_URL=url)

    assert done.status == 3
    assert "SERVER_UNAVAILABLE" in done.err
    assert no_traceback(done.err)


def test_an_unknown_setting_stops_every_command(tmp_path: Path) -> None:
    done = twinfall(tmp_path, "doctor", TWINFALL_PROT="1")

    assert done.status == 1
    assert "TWINFALL_PORT" in done.err


def test_doctor_finds_all_well(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = str(unused.getsockname()[1])

    done = twinfall(folder, "doctor", "--json", TWINFALL_PORT=port)

    assert done.status == 0, done.out
    states = {s["what"]: s["state"] for s in done.json["signs"]}
    assert states["store"] == states["folder"] == states["port"] == "ok"


def test_doctor_names_a_busy_port_and_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = twinfall(tmp_path, "doctor", "--json", TWINFALL_PORT=port)

    failed = {s["what"]: s for s in done.json["signs"] if s["state"] == "fail"}
    assert done.status == 1
    assert port in failed["port"]["found"]
    assert failed["port"]["cure"]
    assert failed["folder"]["cure"]


def test_doctor_never_prints_a_password(tmp_path: Path) -> None:
    done = twinfall(tmp_path, "doctor", TWINFALL_NEO4J_PASSWORD="open sesame")

    assert "sesame" not in done.out + done.err


def test_lint_says_what_a_valid_model_hardly_means(tmp_path: Path) -> None:
    model = {
        "@context": "dtmi:dtdl:context;3", "@type": "Interface", "@id": "dtmi:a:Pump;1",
        "displayName": "Pump",
        "contents": [
            {"@type": "Relationship", "name": "feeds", "displayName": "feeds",
             "target": "dtmi:a:pump;1"},
        ],
    }  # fmt: skip
    (tmp_path / "pump.json").write_text(json.dumps(model))

    said = twinfall(tmp_path, "model", "lint", "pump.json")
    told = twinfall(tmp_path, "model", "lint", "pump.json", "--json")

    assert said.status == told.status == 1
    assert 'did you mean "dtmi:a:Pump;1"?' in said.out
    assert told.json[0]["code"] == "targetCase"


def _version(number: int, name: str) -> dict[str, object]:
    return {
        "@context": "dtmi:dtdl:context;3", "@type": "Interface", "@id": f"dtmi:a:Valve;{number}",
        "displayName": "Valve",
        "contents": [{"@type": "Property", "name": name, "schema": "double"}],
    }  # fmt: skip


def test_a_diff_says_what_breaks(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(_version(1, "bore")))
    (tmp_path / "new.json").write_text(json.dumps(_version(2, "width")))

    said = twinfall(tmp_path, "model", "diff", "old.json", "new.json")
    told = twinfall(tmp_path, "model", "diff", "old.json", "new.json", "--json")

    assert said.status == told.status == 1
    assert "bore: the property is gone" in said.out
    assert told.json["verdict"] == told.json["differences"][0]["verdict"] == "breaking"
    assert twinfall(tmp_path, "model", "diff", "old.json", "old.json").status == 0


def test_twins_move_to_the_next_version_and_back_and_the_old_model_goes(tmp_path: Path) -> None:
    for number, name in ((1, "bore"), (2, "width")):
        (tmp_path / f"{number}.json").write_text(json.dumps(_version(number, name)))
    rows = [
        {"Section": "Twins"},
        {"$dtId": "V", "$metadata": {"$model": "dtmi:a:Valve;1"}, "bore": 2.0},
    ]
    (tmp_path / "twins.ndjson").write_text("\n".join(json.dumps(row) for row in rows))
    twinfall(tmp_path, "model", "load", "1.json", "2.json")
    assert twinfall(tmp_path, "import", "twins.ndjson").status == 0
    move = ("model", "migrate", "dtmi:a:Valve;1", "dtmi:a:Valve;2")

    refused = twinfall(tmp_path, *move, "--dry-run")
    used = twinfall(tmp_path, "model", "delete", "dtmi:a:Valve;1")
    moved = twinfall(tmp_path, *move, "--rename", "bore=width", "--json")
    back = twinfall(tmp_path, "model", "rollback", moved.json["id"])
    twinfall(tmp_path, *move, "--rename", "bore=width")
    gone = twinfall(tmp_path, "model", "delete", "dtmi:a:Valve;1")

    assert refused.status == 1
    assert "bore" in refused.out
    assert used.status == 1
    assert "V" in used.err
    assert (moved.status, moved.json["moved"]) == (0, 1)
    assert "1 twins put back" in back.out
    assert (gone.status, gone.out) == (0, "1 deleted: dtmi:a:Valve;1\n")
    assert twinfall(tmp_path, *move, "--rename", "bore").status == 1


def test_dependencies_are_drawn_from_files_and_from_what_is_loaded(folder: Path) -> None:
    drawn = twinfall(folder, "model", "dependencies")
    picture = twinfall(folder, "model", "dependencies", "--svg", "plant.svg")
    told = twinfall(folder, "model", "dependencies", "--json")

    assert drawn.out.startswith("flowchart LR")
    assert '-->|"' in drawn.out
    assert picture.status == 0
    ElementTree.parse(folder / "plant.svg")
    assert {arrow["consumer"] for arrow in told.json}
    assert twinfall(folder, "model", "dependencies", "--svg", "no/such/x.svg").status == 1


def test_declarations_that_come_along_are_listed_and_printed(tmp_path: Path) -> None:
    assert "isa95" in twinfall(tmp_path, "model", "sidecar").out.split()
    assert "implementedBy" in twinfall(tmp_path, "model", "sidecar", "isa95").out
    assert twinfall(tmp_path, "model", "sidecar", "isa-95").status == 1


def test_what_matters_most_and_what_takes_an_asset_down_are_shown(folder: Path) -> None:
    ranked = twinfall(folder, "criticality", "--first", "3")
    told = twinfall(folder, "criticality", "--json").json
    top = told["nodes"][0]["id"]
    below = twinfall(folder, "impact", top, "--json").json["affected"]["nodes"][0]["twin"]["id"]

    cuts = twinfall(folder, "spof", below, "--json").json

    assert ranked.status == 0
    assert top in ranked.out
    assert [top] in [cut["members"] for cut in cuts["sets"]]
    assert "takes" in twinfall(folder, "spof", below).out or cuts["totalCount"]
    assert twinfall(folder, "spof", "nobody").status == 1
    assert twinfall(folder, "spof", below, "--order", "9").status == 2


def test_a_scenario_is_put_to_the_plant(folder: Path) -> None:
    top = twinfall(folder, "criticality", "--json").json["nodes"][0]["id"]
    (folder / "dark.yaml").write_text(f"name: a dark hour\nfail: ['{top}']\n")
    (folder / "wrong.yaml").write_text("fial: [x]\n")

    said = twinfall(folder, "whatif", "dark.yaml")
    told = twinfall(folder, "whatif", "dark.yaml", "--json")
    wrong = twinfall(folder, "whatif", "wrong.yaml")

    assert said.status == 0
    assert "a dark hour" in said.out
    assert top in told.json["newlyDown"]["ids"]
    assert wrong.status == 1
    assert 'did you mean "fail"?' in wrong.err
