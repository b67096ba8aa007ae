"""Root cause as it is asked: in GraphQL over a live state, and on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.running import plant, twinfall
from tests.api.test_states import SECOND, START, Site

ASK = """query($alarms: [AlarmedInput!], $quiet: [ID!], $horizon: Duration, $first: Int = 5) {
  rootCause(alarms: $alarms, quiet: $quiet, horizon: $horizon, first: $first) {
    snapshot suspects missedAlarms falseAlarms nothing complete
    alarms { count ids } standing { count ids } check { id bits downIf }
    explanations {
      rank roots probability score gain began paths
      explained { count ids } silent { count ids } unexplained { count ids }
    } } }"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def ask(site: Site, ids: list[str] | None = None, **given: Any) -> Any:
    alarms = None if ids is None else [{"id": id_} for id_ in ids]
    return site.ask(ASK, alarms=alarms, **given)["rootCause"]


def test_without_alarms_those_that_stand_now_are_explained(site: Site) -> None:
    site.well()
    assert ask(site)["alarms"] == {"count": 0, "ids": []}
    assert ask(site)["nothing"] == 1.0

    site.say("P1", "heat", 99.0, START + SECOND)
    found = ask(site)

    assert found["alarms"] == {"count": 1, "ids": ["P1"]}
    assert found["explanations"][0]["roots"] == ["P1"]
    assert found["explanations"][0]["began"] == "2023-11-14T22:13:21Z"


def test_given_alarms_are_explained_with_paths_and_what_they_leave(site: Site) -> None:
    site.well()
    first = ask(site, ["P1", "P2", "T"])["explanations"][0]

    assert first["explained"]["count"] + first["unexplained"]["count"] == 3
    assert all(path[0] in first["roots"] for path in first["paths"])
    assert 0 < first["probability"] <= 1


def test_bad_questions_about_alarms_are_refused(site: Site) -> None:
    for given, code in (
        ({"alarms": [{"id": "nobody"}]}, "UNKNOWN_TWIN"),
        ({"alarms": [{"id": "P1"}], "quiet": ["P1"]}, "BAD_INPUT"),
        ({"alarms": [{"id": "P1"}] * 3, "first": 0}, "BAD_QUERY"),
        ({"alarms": [{"id": "P1"}], "first": 1000}, "BAD_QUERY"),
        ({"alarms": [{"id": f"n{i}"} for i in range(10_001)]}, "TOO_COSTLY"),
        ({"alarms": [{"id": "P1"}], "horizon": "P1M"}, "BAD_QUERY"),
    ):
        error = site.answer(ASK, **given)["errors"][0]
        assert error["extensions"]["code"] == code, error
    many = {"alarms": [{"id": "P1"}] * 3}
    assert site.ask(ASK, **many)["rootCause"]["alarms"]["count"] == 1


def test_the_command_names_the_root_and_what_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0

    done = twinfall(tmp_path, "rootcause", "P1", "T1")
    found = twinfall(tmp_path, "rootcause", "P1", "T1", "--json").json

    assert done.status == 0, done.err
    assert "2 alarms" in done.out
    assert found["explanations"][0]["roots"] == ["P1"]
    assert found["explanations"][0]["paths"] == [["P1", "T1"]]
    assert "nothing is in alarm" in twinfall(tmp_path, "rootcause").out


def test_the_command_refuses_strangers(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    twinfall(tmp_path, "import", "plant.ndjson")

    done = twinfall(tmp_path, "rootcause", "NOPE")

    assert done.status == 1
    assert "UNKNOWN_TWIN" in done.err
    assert twinfall(tmp_path, "rootcause", "P1", "--first", "0").status == 2
