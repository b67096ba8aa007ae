"""All that is wrong with a scenario is told at once: in the text, and on this plant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analytics.whatif.plants import Plant
from twinfall.analytics.whatif import BadScenario, read_scenario
from twinfall.ontology.errors import Refused

WRONG = """name: a storm
fial: [A]
fail:
  - A
  - nobody
  - 7
repair: [A, Hx]
add:
  - {source: H, name: need, target: B}
  - {source: H, name: needs, target: nowhere, properties: {lag: soon, share: 1}}
remove:
  - {source: A, name: needs, target: H}
set:
  A: {people: many, shut: true}
  Q: {people: 1}
hazard: {polygon: CIRCLE (0 0), intensity: .nan}
horizon: soon
"""
TOLD = [
    ("unknownMember", "/fial", 2),
    ("notText", "/fail/2", 6),
    ("badPolygon", "/hazard/polygon", 16),
    ("notNumber", "/hazard/intensity", 16),
    ("badDuration", "/horizon", 17),
    ("contradiction", "/repair/0", 7),
    ("unknownTwin", "/fail/1", 5),
    ("unknownTwin", "/repair/1", 7),
    ("unknownName", "/add/0/name", 9),
    ("unknownTwin", "/add/1/target", 10),
    ("duration", "/add/1/properties/lag", 10),
    ("unknownRelationship", "/remove/0", 12),
    ("integer", "/set/A/people", 14),
    ("unknownName", "/set/A/shut", 14),
    ("unknownTwin", "/set/Q", 15),
]


@pytest.fixture(scope="module")
def plant() -> Plant:
    """H needs A."""
    return Plant({"A": {"worth": 1.0}, "B": {}, "H": {}}, [("H", "needs", "A")])


def _problems(plant: Plant, scenario: Any) -> BadScenario:
    with pytest.raises(BadScenario) as refused:
        plant.what_if(scenario)
    return refused.value


def test_everything_wrong_is_told_at_once_with_its_line(plant: Plant) -> None:
    found = _problems(plant, WRONG).problems

    assert [(one.path, one.line) for one in found] == [(path, line) for _, path, line in TOLD]
    assert all(one.message for one in found)


def test_a_problem_says_what_cures_it(plant: Plant) -> None:
    cures = {one.path: one.cure for one in _problems(plant, WRONG).problems}

    assert cures["/fial"] == 'did you mean "fail"?'
    assert cures["/repair/1"] == "did you mean H?"
    assert cures["/add/0/name"] == 'did you mean "needs"?'
    assert cures["/remove/0"] == "it is the other way round: exchange source and target"


def test_json_texts_have_lines_too(plant: Plant) -> None:
    [one] = _problems(plant, '{"fail":\n  ["A",\n   "nobody"]}').problems

    assert (one.path, one.line) == ("/fail/1", 3)


def test_a_scenario_of_python_is_looked_at_like_a_text(plant: Plant) -> None:
    read = read_scenario({"fail": ["A", "nobody"]})

    assert [one.path for one in _problems(plant, read).problems] == ["/fail/1"]


def test_of_very_many_problems_the_rest_is_counted(plant: Plant) -> None:
    found = _problems(plant, {"fail": [f"x{i}" for i in range(10_000)]})

    assert len(found.problems) == 100
    assert found.more == 9_900
    assert found.message.startswith("100 problems and 9900 more; /fail/0: there is no twin 'x0'")


def test_the_message_names_the_first_ones(plant: Plant) -> None:
    found = _problems(plant, {"fail": ["X", "Y"]})

    assert str(found).startswith("scenario: 2 problems; /fail/0: there is no twin 'X'")
    assert found.code == "BAD_SCENARIO"


# -- hostile texts ----------------------------------------------------------------------------

SQUARE = "POLYGON ((0 0, 9 0, 9 9, 0 0))"
SPACES = " " * 60_000
NINES = "9" * 60_000


@pytest.mark.parametrize(
    "text",
    [
        b"\xff" * 65_536,
        "[" * 65_536,
        '{"fail":' * 10_000,
        "- " * 32_768,
        "a: &a [x]\nb: *a",
        f'{{"horizon": {NINES}}}',
        f"hazard: {{polygon: '{SQUARE}', intensity: 1e999}}",
        f"hazard: {{polygon: '{SQUARE}', intensity: NaN}}",
        "horizon: -PT5H",
        f"horizon: P{NINES}D",
        f"hazard: {{polygon: '{SPACES}POLYGON', intensity: 1}}",
        f"hazard: {{polygon: 'POLYGON (({SPACES}', intensity: 1}}",
        '{"name": "a\\u001b[2J"}',
        "null",
        "",
    ],
)
def test_whatever_comes_is_refused_at_once_and_in_words(plant: Plant, text: Any) -> None:
    found = _problems(plant, text)

    assert len(found.problems) == 1
    assert found.problems[0].path.startswith("/")
    assert len(str(found)) < 1_000


@pytest.mark.parametrize(
    "given", [None, 5, [1], float("nan"), {"horizon": float("nan")}, {"fail": {"A"}}]
)
def test_what_is_no_json_is_no_scenario(plant: Plant, given: Any) -> None:
    assert len(_problems(plant, given).problems) == 1


def test_a_text_of_more_than_a_megabyte_is_not_read(plant: Plant) -> None:
    with pytest.raises(Refused) as refused:
        plant.what_if("#" * 1_000_001)

    assert refused.value.code == "TOO_LARGE"


def test_ids_may_come_twice_and_ten_thousand_of_them(plant: Plant) -> None:
    assert [row.id for row in plant.what_if({"fail": ["A"] * 10_000}).impact.affected()] == ["H"]
    [problem] = _problems(plant, {"fail": ["A"] * 10_001}).problems
    assert problem.message == "it must be a list of at most 10000 ids"


def test_a_very_long_name_is_told_short(plant: Plant) -> None:
    found = _problems(plant, {"x" * 100_000: 1, "set": {"y" * 100_000: {"people": 1}}})

    assert all(len(str(one)) < 600 for one in found.problems)
