"""`twinfall assert` as a user types it, on a graph and on what an import would make of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.api.running import Done, plant, twinfall
from twinfall.api.requirements.telling import junit

SAFE = "no tank has a single point of failure"


def requirements(*rows: dict[str, Any]) -> str:
    return json.dumps({"version": 1, "requirements": list(rows)})


def row(name: str, require: dict[str, Any], of: Any = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "of": of or {"models": ["Tank"]}, "require": require, **more}


BROKEN = row(SAFE, {"singlePointsOfFailure": {}})
HELD = row("tanks are up", {"up": True})
WARNED = row("tanks want a spare", {"margin": {"min": 9}}, severity="warn")
EMPTY = row("nobody", {"up": True}, {"models": ["Tank"], "where": {"level": {"gt": 99}}})
PUT_OFF = row("later", {"up": True}, skip={"until": "2999-01-01", "reason": "not built yet"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small plant imported: P1 and P2 feed T1, which needs both."""
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    return tmp_path


def asserted(folder: Path, *rows: dict[str, Any], options: tuple[str, ...] = ()) -> Done:
    (folder / "site.requirements.json").write_text(requirements(*rows))
    return twinfall(folder, "assert", "site.requirements.json", *options)


def test_status_0_when_all_hold(folder: Path) -> None:
    done = asserted(folder, HELD, PUT_OFF)

    assert done.status == 0
    assert "held" in done.out
    assert "1 held, 1 skipped" in done.out


def test_a_broken_requirement_is_status_1_with_its_witness_and_path(folder: Path) -> None:
    done = asserted(folder, HELD, BROKEN)

    assert done.status == 1
    assert f"broken       {SAFE}" in done.out
    assert "T1: 2 single points of failure: P1, P2" in done.out
    assert "P1 -> T1" in done.out


def test_a_warning_is_told_and_is_status_0(folder: Path) -> None:
    done = asserted(folder, HELD, WARNED)

    assert (done.status, "warning      tanks want a spare" in done.out) == (0, True)


def test_a_requirement_that_selects_nothing_is_status_1(folder: Path) -> None:
    done = asserted(folder, EMPTY)

    assert (done.status, "it selects nothing" in done.out) == (1, True)


def test_wrong_usage_is_status_2(folder: Path) -> None:
    assert twinfall(folder, "assert").status == 2
    assert asserted(folder, HELD, options=("--first", "999")).status == 2
    assert asserted(folder, HELD, options=("--models", "x.json")).status == 2


def test_a_server_that_does_not_answer_is_status_3(folder: Path) -> None:
    (folder / "r.json").write_text(requirements(HELD))

    done = twinfall(folder, "assert", "r.json", TWINFALL_URL="http://127.0.0.1:9")

    assert done.status == 3


def test_a_missing_or_bad_file_is_status_1_and_names_the_line(folder: Path) -> None:
    missing = twinfall(folder, "assert", "none.yaml")
    assert (missing.status, "none.yaml" in missing.err) == (1, True)

    (folder / "bad.yaml").write_text("version: 1\nrequirements:\n  - {name: a, of: {modls: [T]}}\n")
    bad = twinfall(folder, "assert", "bad.yaml")
    assert bad.status == 1
    assert bad.err.startswith("error [BAD_REQUIREMENTS] requirements: 2 problems\n")
    assert "line 3 /requirements/0/of/modls: unknown member" in bad.err
    assert "Traceback" not in bad.err


def test_as_json_every_finding_is_there(folder: Path) -> None:
    found = asserted(folder, HELD, BROKEN, options=("--json",)).json

    assert [one["verdict"] for one in found["findings"]] == ["held", "broken"]
    (witness,) = found["findings"][1]["witnesses"]
    assert witness["failures"] == [["P1"], ["P2"]]
    assert witness["paths"][0]["path"] == [{"id": "P1", "name": None}, {"id": "T1", "name": None}]
    assert not found["holds"]


def test_junit_has_a_case_for_each_requirement(folder: Path) -> None:
    done = asserted(folder, HELD, BROKEN, WARNED, EMPTY, PUT_OFF, options=("--junit", "out.xml"))

    suite = ElementTree.parse(folder / "out.xml").getroot().find("testsuite")
    assert done.status == 1
    assert suite is not None
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "1", "skipped": "2"}
    cases = {case.get("name"): [part.tag for part in case] for case in suite.iter("testcase")}
    assert cases == {
        "tanks are up": [],
        SAFE: ["failure"],
        "tanks want a spare": ["skipped"],
        "nobody": ["error"],
        "later": ["skipped"],
    }
    (failure,) = suite.iter("failure")
    assert "T1: 2 single points of failure" in (failure.text or "")


def test_junit_is_well_formed_whatever_the_names_say() -> None:
    finding = {
        "name": "<a> & \x01\x00 \ud800 ]]>",
        "kind": "up",
        "severity": "error",
        "verdict": "broken",
        "message": "\x1b[31m <b>",
        "failing": 1,
        "unclear": 0,
        "witnesses": [{"id": "\x02", "name": '"\ufffe"', "message": "&amp;", "paths": []}],
    }
    report = {"snapshot": "1-a", "at": "2026-11-23T18:00:00.5Z", "findings": [finding]}

    (case,) = ElementTree.fromstring(junit(report, "a\x03b", 5)).iter("testcase")

    assert str(case.get("name")).startswith("<a> & ")


# -- in a scenario --------------------------------------------------------------------------


def test_a_scenario_is_checked_and_leaves_no_trace(folder: Path) -> None:
    (folder / "storm.json").write_text('{"fail": ["P1"]}')

    done = asserted(folder, HELD, options=("--whatif", "storm.json"))

    assert done.status == 1
    assert 'T1: it is down: its group "feeds" lost 1 of 2: P1' in done.out
    assert asserted(folder, HELD).status == 0


def test_what_fails_later_in_a_scenario_is_judged_too(folder: Path) -> None:
    later = {"then": [{"after": "PT1H", "fail": ["P1"]}]}
    (folder / "storm.json").write_text(json.dumps(later))

    done = asserted(folder, HELD, options=("--whatif", "storm.json"))

    assert done.status == 1
    assert "1 h after it: fails for" in done.out


@pytest.mark.parametrize(
    "text", ["", "[]", '{"fail": "P1"}', '{"fial": ["P1"]}', '{"fail": [1]}', '{"fail": ["P9"]}']
)
def test_a_scenario_that_says_something_else_is_refused(folder: Path, text: str) -> None:
    (folder / "storm.json").write_text(text)

    done = asserted(folder, HELD, options=("--whatif", "storm.json"))

    assert done.status == 1
    assert "INTERNAL" not in done.err
    assert "held" not in done.out


def test_a_scenario_and_an_import_do_not_go_together(folder: Path) -> None:
    options = ("--whatif", "storm.json", "--import", "plant.ndjson")

    assert asserted(folder, HELD, options=options).status == 2


# -- before an import -----------------------------------------------------------------------

MORE = [
    {"Section": "Twins"},
    {"$dtId": "T2", "$metadata": {"$model": "dtmi:test:Tank;1"}},
    {"Section": "Relationships"},
    {"$sourceId": "P1", "$relationshipName": "feeds", "$targetId": "T2"},
]


def lines(rows: list[Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in rows)


def one_feed(folder: Path) -> None:
    """Requires that no tank hangs on a single pump; T1 hangs on two, each of which it needs."""
    spare = row("few", {"singlePointsOfFailure": {"max": 2}})
    alone = row(
        "the first pump carries little", {"impact": {"assets": {"max": 1}}}, {"ids": ["P1"]}
    )
    (folder / "r.json").write_text(requirements(spare, alone))


def test_an_import_is_checked_and_nothing_is_committed(folder: Path) -> None:
    one_feed(folder)
    (folder / "more.ndjson").write_bytes(lines(MORE))
    before = twinfall(folder, "export").out
    assert twinfall(folder, "assert", "r.json").status == 0

    done = twinfall(folder, "assert", "r.json", "--import", "more.ndjson")

    assert done.status == 1
    assert "P1: it takes along 2 assets (1 allowed)" in done.out
    assert twinfall(folder, "export").out == before


def test_a_file_is_checked_without_any_graph(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson.gz").write_bytes(gzip.compress(plant()))

    done = asserted(tmp_path, HELD, BROKEN, options=("--import", "plant.ndjson.gz"))

    assert done.status == 1
    assert "P1 -> T1" in done.out
    assert not (tmp_path / "data").exists()


def test_models_may_come_beside_the_data(tmp_path: Path) -> None:
    from tests.api.running import PUMP, SIDECAR, TANK

    (tmp_path / "models.json").write_text(json.dumps([PUMP, TANK]))
    (tmp_path / "models.dependencies.json").write_text(json.dumps(SIDECAR))
    rows = [json.loads(one) for one in plant().splitlines()]
    twins = rows[rows.index({"Section": "Twins"}) :]
    (tmp_path / "twins.ndjson").write_bytes(lines(twins))

    done = asserted(
        tmp_path, HELD, BROKEN, options=("--import", "twins.ndjson", "--models", "models.json")
    )

    assert (done.status, "P1 -> T1" in done.out) == (1, True)


def test_rows_that_would_be_refused_are_told_and_are_status_1(folder: Path) -> None:
    wrong = {"$dtId": "T9", "$metadata": {"$model": "dtmi:test:Tank;1"}, "level": "high"}
    (folder / "more.ndjson").write_bytes(lines([{"Section": "Twins"}, wrong]))

    done = asserted(folder, HELD, options=("--import", "more.ndjson"))

    assert done.status == 1
    assert "line 2" in done.err
    assert "1 rows would be refused" in done.err


def test_an_import_that_would_break_a_requirement_is_refused(folder: Path) -> None:
    one_feed(folder)
    (folder / "more.ndjson").write_bytes(lines(MORE))
    before = twinfall(folder, "export").out

    done = twinfall(folder, "import", "more.ndjson", "--assert", "r.json")

    assert done.status == 1
    assert "BREAKS_REQUIREMENT" in done.err
    assert "P1: it takes along 2 assets (1 allowed)" in done.err
    assert twinfall(folder, "export").out == before


def test_an_import_that_breaks_nothing_goes_in(folder: Path) -> None:
    one_feed(folder)
    (folder / "more.ndjson").write_bytes(lines(MORE[:2]))

    done = twinfall(folder, "import", "more.ndjson", "--assert", "r.json")

    assert done.status == 0, done.err
    assert twinfall(folder, "query", '{ twin(id: "T2") { id } }').json["twin"] == {"id": "T2"}


def test_what_is_broken_already_is_not_the_imports_fault(folder: Path) -> None:
    (folder / "r.json").write_text(requirements(BROKEN))
    (folder / "more.ndjson").write_bytes(lines(MORE))

    assert twinfall(folder, "assert", "r.json").status == 1
    assert twinfall(folder, "import", "more.ndjson", "--assert", "r.json").status == 0


def test_standard_input_can_be_checked_before_it_is_imported(folder: Path) -> None:
    one_feed(folder)
    words = ("import", "-", "--assert", "r.json")

    assert twinfall(folder, *words, stdin=lines(MORE)).status == 1
    assert twinfall(folder, *words, stdin=gzip.compress(lines(MORE[:2]))).status == 0


def test_requirements_about_models_that_only_the_file_brings_can_be_asked(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    (tmp_path / "r.json").write_text(requirements(HELD, BROKEN))

    refused = twinfall(tmp_path, "import", "plant.ndjson", "--assert", "r.json")
    (tmp_path / "r.json").write_text(requirements(HELD))
    taken = twinfall(tmp_path, "import", "plant.ndjson", "--assert", "r.json")

    assert (refused.status, taken.status) == (1, 0)


def test_no_name_steers_the_terminal(folder: Path) -> None:
    done = asserted(folder, HELD | {"name": "a\x1b[2Jb\u202e"})

    assert (done.status, "\x1b" in done.out, "\u202e" in done.out) == (0, False, False)
    assert "a\ufffd[2Jb" in done.out
