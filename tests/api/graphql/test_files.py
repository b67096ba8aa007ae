"""Lists as files, in GraphQL: whole, whatever part of them is shown. The plant: B1 powers the
motors of P1 and P2, a motor is needed by its pump, P1 feeds T1 and T2, P2 feeds T2, T1 feeds A1.
"""

from __future__ import annotations

import base64
import csv
import io
import sys

import pytest

from tests.api.graphql.plant import Plant


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


def test_an_impact_has_each_of_its_lists_whole(plant: Plant) -> None:
    found = plant.ask(
        '{ impact(failed: ["B1"]) { affected(first: 1) { totalCount } csv waves: csv(list: waves) '
        "near: csv(list: nearMisses) map: geoJson(list: notEvaluated) "
        "counts { __typename affected nearMisses notEvaluated baselineDown } } }"
    )["impact"]

    counts = found["counts"]
    assert counts["__typename"] == "ImpactCounts"
    assert counts["affected"] == found["affected"]["totalCount"] == len(_rows(found["csv"])) - 1
    assert len(_rows(found["waves"])) > 1
    assert counts["nearMisses"] == len(_rows(found["near"]))
    assert found["map"]["list"] == "notEvaluated"
    assert counts["notEvaluated"] == found["map"]["count"]


def test_what_has_no_place_and_lists_there_are_not_are_refused(plant: Plant) -> None:
    ask = '{ impact(failed: ["B1"]) { FIELD } }'

    no_place = plant.refusal(ask.replace("FIELD", "geoJson(list: waves)"))
    assert (no_place["code"], no_place["cure"]) == ("BAD_INPUT", "take the CSV")
    assert plant.refusal(ask.replace("FIELD", "csv(list: wafes)"))["code"] == "BAD_QUERY"


def test_a_picture_comes_in_base64_or_with_its_cure(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = '{ impact(failed: ["B1"]) { png svg } }'
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "PIL", None)
        assert "twinfall[picture]" in plant.refusal(ask)["cure"]

    pytest.importorskip("PIL")
    found = plant.ask(ask)["impact"]

    assert base64.b64decode(found["png"]).startswith(b"\x89PNG")
    assert found["svg"].startswith("<svg")


def test_rankings_and_sets_are_whole_whatever_page_is_asked_for(plant: Plant) -> None:
    found = plant.ask(
        '{ criticality(first: 1) { totalCount csv geoJson } spof(of: "A1", first: 1) { totalCount '
        'csv geoJson } criticalWith(id: "P1", first: 1) { count csv geoJson } }'
    )

    ranking, sets, partners = found["criticality"], found["spof"], found["criticalWith"]
    assert len(_rows(ranking["csv"])) == ranking["totalCount"] == ranking["geoJson"]["count"]
    assert len(_rows(sets["csv"])) == sets["totalCount"] == sets["geoJson"]["count"] == 4
    assert len(_rows(partners["csv"])) == partners["count"] == partners["geoJson"]["count"]


def test_what_a_scenario_changes_is_written_too(plant: Plant) -> None:
    found = plant.ask(
        """query($s: JSON!) { whatIf(scenario: $s) {
             newlyDown { count csv geoJson } recovered { csv } impact { csv } } }""",
        s={"fail": ["P1"]},
    )["whatIf"]

    assert ["P1"] in [row[:1] for row in _rows(found["newlyDown"]["csv"])]
    assert found["newlyDown"]["geoJson"]["count"] == found["newlyDown"]["count"]
    assert _rows(found["recovered"]["csv"]) == []


def test_explanations_are_written_with_whole_lists(plant: Plant) -> None:
    found = plant.ask(
        '{ rootCause(alarms: [{id: "T1"}, {id: "A1"}], show: 1) { alarms { count csv } csv geoJson '
        "explanations { roots explained { count ids csv } } } }"
    )["rootCause"]

    first = _rows(found["csv"])[0]
    assert first[1].split() == found["explanations"][0]["roots"]
    assert len(first[6].split()) == found["explanations"][0]["explained"]["count"] == 2
    assert len(_rows(found["alarms"]["csv"])) == 2
    assert found["geoJson"]["count"] == len(_rows(found["csv"]))
