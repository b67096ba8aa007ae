"""Verdicts against the public reference parser's test corpus: a sample, see benchmarks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.conformance import FOLDER, Score, balanced, cases
from tests.ontology.reference import needs_reference_data
from twinfall.ontology.dtmi import read_dtmi

pytestmark = needs_reference_data


@pytest.fixture(scope="module")
def score() -> Iterator[Score]:
    found = Score()
    for case in cases(FOLDER):
        if not case.get("quirks"):  # which tolerate what the standard forbids
            found.judge(case)
    return found


def test_verdicts_agree_with_the_reference_parser(score: Score) -> None:
    assert score.crashes == []
    for key, counts in score.verdicts.items():
        assert balanced(counts) >= 0.99, key
    assert [case["name"] for case, _ in score.wrong] == []


def test_nearly_all_errors_have_the_reference_parsers_code(score: Score) -> None:
    assert score.codes[True] / score.codes.total() >= 0.98


def test_instances_are_judged_as_the_reference_parser_does(score: Score) -> None:
    assert score.instances[False] == 0


def test_elements_are_those_of_the_reference_parser(score: Score) -> None:
    assert score.elements[False] == 0


def dtmis() -> list[Any]:
    if not FOLDER.is_dir():
        return []
    lines = (FOLDER / "dtmis.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("case", dtmis(), ids=lambda c: c["name"])
def test_identifiers_are_read_as_the_reference_parser_does(case: dict[str, Any]) -> None:
    dtmi = read_dtmi(case["dtmi"])
    assert (dtmi is not None) == case["valid"]
    expected = case["expect"]
    if dtmi is not None and expected is not None:
        assert (dtmi.major, dtmi.minor) == (expected["MajorVersion"], expected["MinorVersion"])
        assert dtmi.complete_version == pytest.approx(expected["CompleteVersion"])
        assert dtmi.versionless == expected["Versionless"]
        assert list(dtmi.labels) == expected["Labels"]
        assert dtmi.is_reserved == expected["IsReserved"]
        assert dtmi.fragment == expected["Fragment"]
