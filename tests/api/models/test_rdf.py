"""RDF at the command line: models checked and loaded, twins in and out, models exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.running import served, twinfall
from tests.graph.test_rdf import CLASSES, THINGS
from tests.ontology.rdf.reading import PREFIXES, dtmi

BAD = "ex:X a ex:Nowhere .\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "classes.ttl").write_text(PREFIXES + CLASSES)
    (tmp_path / "things.ttl").write_text(PREFIXES + THINGS)
    assert twinfall(tmp_path, "model", "load", "classes.ttl").status == 0
    return tmp_path


def test_a_check_tells_what_dtdl_cannot_say(folder: Path) -> None:
    done = twinfall(folder, "model", "check", "classes.ttl", "--json")
    assert done.status == 0
    assert (done.json["verdict"], done.json["interfaces"]) == ("valid", 4)
    assert {loss["code"] for loss in done.json["losses"]} >= {"constraint"}
    assert "DTDL cannot say" in twinfall(folder, "model", "check", "classes.ttl").out


def test_loading_again_changes_nothing(folder: Path) -> None:
    done = twinfall(folder, "model", "load", "classes.ttl", "--json")
    assert (done.json["loaded"], len(done.json["unchanged"])) == ([], 4)


def test_changed_classes_are_loaded_as_a_version_of_their_own(folder: Path) -> None:
    changed = CLASSES.replace(
        "ex:flow ; sh:datatype xsd:double", "ex:flow ; sh:datatype xsd:string"
    )
    (folder / "classes.ttl").write_text(PREFIXES + changed)
    refused = twinfall(folder, "model", "load", "classes.ttl")
    assert refused.status == 1
    done = twinfall(folder, "model", "load", "classes.ttl", "--rdf-version", "2", "--json")
    assert (done.status, len(done.json["loaded"])) == (0, 3)
    assert all(dtmi.endswith(";2") for dtmi in done.json["loaded"])
    assert twinfall(folder, "model", "check", "classes.ttl", "--rdf-version", "0").status == 2


def test_another_kind_of_rdf_is_refused_with_a_cure(folder: Path) -> None:
    (folder / "classes.owl").write_text("<rdf:RDF/>")
    done = twinfall(folder, "model", "check", "classes.owl")
    assert done.status == 1
    assert "Turtle" in done.err


def test_twins_come_in_and_out_with_and_without_a_server(folder: Path) -> None:
    done = twinfall(folder, "import", "things.ttl", "--json")
    assert (done.status, done.json["twins"], done.json["relationships"]) == (0, 4, 3)
    alone = twinfall(folder, "export", "--format", "ntriples").out
    assert '<https://example.org/plant#P1> <https://example.org/plant#flow> "2.5"' in alone
    with served(folder):
        again = twinfall(folder, "import", "things.ttl", "--json")
        assert (again.status, again.json["twins"]) == (0, 4)
        out = twinfall(folder, "export", "--format", "ntriples").out
    # blank nodes have other names each time
    assert len(out.splitlines()) == len(alone.splitlines())


def test_what_is_refused_goes_to_a_file_by_subject(folder: Path) -> None:
    (folder / "bad.ttl").write_text(PREFIXES + THINGS + BAD)
    done = twinfall(folder, "import", "bad.ttl", "--json")
    assert (done.status, done.json["refused"], done.json["twins"]) == (1, 1, 4)
    entry = json.loads((folder / "bad.ttl.refused.ndjson").read_text())
    assert (entry["subject"], entry["code"]) == ("https://example.org/plant#X", "UNKNOWN_NAME")


@pytest.mark.parametrize("format_", ["owl", "shacl", "jsonld"])
def test_models_exported_as_rdf_load_as_the_same_models(folder: Path, format_: str) -> None:
    done = twinfall(folder, "model", "export", "out", "--format", format_, "--json")
    assert done.status == 0
    file = next(f for f in done.json["files"] if not f.endswith("losses.txt"))
    names = {row["id"] for row in twinfall(folder, "model", "list", "--json").json}
    (folder / "new").mkdir()
    loaded = twinfall(folder / "new", "model", "load", str(folder / file), "--json")
    assert set(loaded.json["loaded"]) == names
    assert dtmi("Pump") in names


def test_models_are_exported_in_a_version_of_dtdl_or_refused(folder: Path) -> None:
    done = twinfall(folder, "model", "export", "three", "--version", "3", "--json")
    assert done.status == 0
    pump = json.loads((folder / "three" / "org_example_plant_Pump-1.json").read_text())
    assert pump["@context"][0] == "dtmi:dtdl:context;3"
    assert twinfall(folder, "model", "export", "five", "--version", "5").status == 1


def test_an_import_of_rdf_is_judged_before_it_is_taken(folder: Path) -> None:
    text = (
        "version: 1\nrequirements:\n  - {name: pumps, of: {models: [Pump]}, optional: true,"
        " require: {states: [WORD]}}\n"
    )
    (folder / "never.yaml").write_text(text.replace("WORD", "failed"))
    (folder / "always.yaml").write_text(text.replace("WORD", "ok"))
    judged = twinfall(folder, "assert", "never.yaml", "--import", "things.ttl", "--json")
    assert (judged.status, judged.json["holds"]) == (1, False)
    done = twinfall(folder, "import", "things.ttl", "--assert", "never.yaml")
    assert done.status == 1
    assert "the import would break 1 requirement" in done.err
    assert twinfall(folder, "export", "--format", "ntriples").out.strip() == ""
    assert twinfall(folder, "import", "things.ttl", "--assert", "always.yaml").status == 0
    assert twinfall(folder, "export", "--format", "ntriples").out.strip()
