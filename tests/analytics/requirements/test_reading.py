"""Files of requirements: what they may say, and every problem with line, place and cure."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.requirements.plant import NOW, SECOND, Plant, needs
from twinfall.analytics.requirements import BadRequirements, check, moment
from twinfall.ontology.errors import BadInput, Problem, Refused

UP = {"up": True}


@pytest.fixture
def plant() -> Plant:
    """Three units and a machine; M has 40 people."""
    declared = needs()
    declared["Unit"]["asset"] = {"services": ["health"], "customers": {"from": "people"}}
    twins: dict[str, Any] = {"A": {}, "B": {"people": 7}, "C": {"closed": True}}
    twins["M"] = {"model": "Machine", "people": 40, "bearing": {"hours": 5.0}}
    return Plant(declared, twins, [("B", "needs", "A")])


def checked(plant: Plant, of: Any, **more: Any) -> tuple[str, int]:
    finding = plant.finding(UP, of, **more)
    return finding.verdict, finding.checked


def problems(plant: Plant, text: Any) -> list[Problem]:
    with pytest.raises(BadRequirements) as caught:
        plant.read(text)
    return list(caught.value.problems)


def one(plant: Plant, **members: Any) -> list[Problem]:
    """What is wrong with a file of one requirement with these members."""
    row = {"name": "r", "of": {"all": True}, "require": UP} | members
    return problems(plant, {"version": 1, "requirements": [row]})


# -- of -------------------------------------------------------------------------------------


def test_models_select_all_that_extend_them_by_name_or_dtmi(plant: Plant) -> None:
    assert checked(plant, {"models": ["Unit"]}) == ("held", 4)
    assert checked(plant, {"models": ["dtmi:test:plant:Machine;1"]}) == ("held", 1)
    assert checked(plant, {"models": ["Part", "Machine"]}) == ("held", 2)


def test_all_is_every_twin_component_and_domain(plant: Plant) -> None:
    assert checked(plant, {"all": True}) == ("held", 5)


def test_what_is_given_must_hold_together(plant: Plant) -> None:
    assert checked(plant, {"models": ["Unit"], "ids": ["A", "M", "M/bearing"]}) == ("held", 2)
    assert checked(plant, {"services": ["health"], "ids": ["M"]}) == ("held", 1)


def test_exceptions_are_left_out(plant: Plant) -> None:
    assert checked(plant, {"all": True, "except": ["A"]}) == ("held", 4)
    of = {"all": True, "except": {"ids": ["A"], "models": ["Machine"]}}
    assert checked(plant, of) == ("held", 3)


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ({"people": {"gte": 7}}, 2),
        ({"people": 40}, 1),
        ({"people": {"gt": 7, "lt": 50}}, 1),
        ({"people": {"in": [7, 8]}}, 1),
        ({"people": {"null": False}}, 2),
        ({"closed": True}, 1),
        ({"closed": True, "people": {"null": True}}, 1),
    ],
)
def test_where_asks_for_properties(plant: Plant, where: Any, count: int) -> None:
    assert checked(plant, {"models": ["Unit"], "where": where}) == ("held", count)


def test_a_component_is_asked_for_its_own_properties(plant: Plant) -> None:
    assert checked(plant, {"models": ["Part"], "where": {"hours": {"gt": 4}}}) == ("held", 1)


def test_where_without_a_graph_to_ask_is_an_error(plant: Plant) -> None:
    of = {"models": ["Unit"], "where": {"people": 7}}
    row = {"name": "r", "of": of, "require": UP}
    found = plant.read({"version": 1, "requirements": [row]})

    with pytest.raises(BadInput, match="needs the graph"):
        check(found, plant.assets, NOW)


# -- what selects nothing, what is put off --------------------------------------------------


def test_a_requirement_that_selects_nothing_does_not_hold(plant: Plant) -> None:
    nobody = {"models": ["Unit"], "where": {"people": {"gt": 1000}}}
    row = {"name": "r", "of": nobody, "require": UP}
    report = plant.report({"version": 1, "requirements": [row]})

    assert report.findings[0].verdict == "empty"
    assert not report.holds
    assert checked(plant, nobody, optional=True) == ("held", 0)


def test_a_named_id_that_is_not_there_cannot_be_judged(plant: Plant) -> None:
    finding = plant.finding(UP, {"ids": ["A", "ghost"]})

    assert (finding.verdict, finding.message) == ("notEvaluated", "there is no ghost")
    assert checked(plant, {"ids": ["A", "ghost"]}, optional=True) == ("held", 1)


def test_a_requirement_is_skipped_until_its_day_and_judged_from_then_on(plant: Plant) -> None:
    skip = {"until": "2027-01-31", "reason": "the second feeder comes in January"}
    row = {"name": "r", "of": {"ids": ["A"]}, "require": {"states": ["failed"]}, "skip": skip}
    text = {"version": 1, "requirements": [row]}
    day = 1_801_353_600 * SECOND  # 2027-01-31T00:00:00Z

    before, after = plant.report(text, now=day - 1), plant.report(text, now=day)

    assert (before.findings[0].verdict, before.holds) == ("skipped", True)
    assert before.findings[0].message == "the second feeder comes in January"
    assert (after.findings[0].verdict, after.holds) == ("broken", False)


def test_a_warning_does_not_make_the_report_fail(plant: Plant) -> None:
    row = {"name": "r", "of": {"all": True}, "require": {"states": ["failed"]}, "severity": "warn"}

    report = plant.report({"version": 1, "requirements": [row]})

    assert (report.findings[0].verdict, report.holds) == ("broken", True)


# -- problems -------------------------------------------------------------------------------

BAD = """\
version: 1
requirements:
  - name: every pump is safe
    of: {models: [Unitt]}
    require: {singlePointsOfFailure: {max: -1}}
  - name: every pump is safe
    of: {services: [helth], ids: []}
    require:
      autonomy: {group: suply, min: 4h}
    severity: fatal
  - name: third
    off: {all: true}
    require: {up: true, margin: {min: 1}}
  - of: {models: [Unit], where: {peple: {gte: 3}, people: {gte: many}}}
    require: {impact: {}}
    skip: {until: tomorrow}
"""


def test_all_problems_are_told_with_line_place_and_cure(plant: Plant) -> None:
    found = [(p.line, p.path, p.code) for p in problems(plant, BAD)]

    assert found == [
        (5, "/requirements/0/require/singlePointsOfFailure/max", "notCount"),
        (4, "/requirements/0/of/models/0", "unknownModel"),
        (9, "/requirements/1/require/autonomy/min", "badDuration"),
        (9, "/requirements/1/require/autonomy/group", "unknownGroup"),
        (10, "/requirements/1/severity", "badWord"),
        (7, "/requirements/1/of/ids", "notList"),
        (7, "/requirements/1/of/services/0", "unknownService"),
        (6, "/requirements/1/name", "duplicateName"),
        (12, "/requirements/2/off", "unknownMember"),
        (13, "/requirements/2/require", "badRequire"),
        (11, "/requirements/2/of", "notMembers"),
        (15, "/requirements/3/require/impact", "noLimit"),
        (14, "/requirements/3/name", "notText"),
        (14, "/requirements/3/of/where/peple", "unknownProperty"),
        (14, "/requirements/3/of/where/people/gte", "badValue"),
        (16, "/requirements/3/skip/reason", "notText"),
        (16, "/requirements/3/skip/until", "badDate"),
    ]


@pytest.mark.parametrize(
    ("members", "cure"),
    [
        ({"of": {"models": ["Unitt"]}}, 'did you mean "Unit"?'),
        ({"of": {"services": ["helth"]}}, 'did you mean "health"?'),
        ({"of": {"models": ["Unit"], "where": {"peple": 3}}}, 'did you mean "people"?'),
        ({"require": {"margin": {"min": 1, "group": "suply"}}}, 'did you mean "supply"?'),
        ({"require": {"singlePointOfFailure": {}}}, 'did you mean "singlePointsOfFailure"?'),
    ],
)
def test_a_misspelt_word_is_told_the_nearest(plant: Plant, members: Any, cure: str) -> None:
    assert [p.cure for p in one(plant, **members)] == [cure]


def test_a_carrier_is_no_group(plant: Plant) -> None:
    declared: Any = needs()
    declared["Unit"]["asset"] = {"source": ["water"]}
    declared["Unit"]["contents"]["joins"] = {"mode": "network", "carrier": "water"}
    piped = Plant(declared, {"A": {}})

    (problem,) = one(piped, require={"margin": {"min": 1, "group": "water"}})

    assert problem.message == "'water' is a carrier of a network, which has no feeds to count"


@pytest.mark.parametrize(
    "members",
    [
        {"of": {}},
        {"of": {"all": False}},
        {"of": {"all": True, "ids": ["A"]}},
        {"of": {"except": ["A"]}},
        {"of": {"where": {"people": 3}}},
        {"of": {"models": ["Unit"], "where": {}}},
        {"of": {"models": ["Unit"], "where": {"people": {"contains": "3"}}}},
        {"of": {"models": ["Unit"], "where": {"people": {"in": []}}}},
        {"of": {"models": ["Unit"], "where": {"people": 2**63}}},
        {"of": {"models": ["Unit"], "where": {"people": True}}},
        {"of": {"models": ["Unit", "Part"], "where": {"hours": 3}}},
        {"of": {"models": [["Unit"]], "where": {"people": 3}}},
        {"require": {}},
        {"require": {"up": False}},
        {"require": {"states": []}},
        {"require": {"states": ["fine"]}},
        {"require": {"survival": {}}},
        {"require": {"survival": {"min": 14400}}},
        {"require": {"margin": {}}},
        {"require": {"margin": {"min": 0.5}}},
        {"require": {"margin": {"min": True}}},
        {"require": {"impact": {"customers": 500}}},
        {"require": {"impact": {"customers": {}}}},
        {"require": {"impact": {"customers": {"max": "many"}}}},
        {"require": {"impact": {"services": ["health"]}}},
        {"require": {"impact": {"customers": {"max": 1}, "within": "P1Y"}}},
        {"name": " "},
        {"name": "x" * 501},
        {"optional": "yes"},
        {"skip": {"until": "2027-01-31T06:00:00", "reason": "no zone"}},
        {"skip": {"until": 20270131, "reason": "no text"}},
        {"skip": None},
    ],
)
def test_what_makes_no_sense_is_refused(plant: Plant, members: Any) -> None:
    assert one(plant, **members)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "version: 2\nrequirements: []",
        "version: true\nrequirements: [{name: a}]",
        "version: 1",
        "version: 1\nrequirements: {}",
        "version: 1\nversion: 1",
        "version: 1\nrequirements: &a [*a]",
        "version: 1\nrequirements: !!python/object:os.system [x]",
        "version: 1\nrequirements: [" + "[" * 200,
        "version: 1\nrequirements:\n\t- tab",
        "\0",
        "[" * 100_000,
        b"\xff\xfe",
        "x" * 5_000_000,
        {"version": 1, "requirements": [None, 3, "x", []]},
    ],
)
def test_hostile_files_are_refused_with_reasons(plant: Plant, text: Any) -> None:
    assert all(problem.message for problem in problems(plant, text))


def test_json_says_the_same_as_yaml(plant: Plant) -> None:
    yaml = "version: 1\nrequirements:\n  - {name: r, of: {ids: [A]}, require: {up: true}}\n"
    row = {"name": "r", "of": {"ids": ["A"]}, "require": {"up": True}}
    text = json.dumps({"version": 1, "requirements": [row]}, indent=2)

    from_yaml, from_json = plant.read(yaml).items[0], plant.read(text).items[0]

    assert (from_yaml.of, from_yaml.demand) == (from_json.of, from_json.demand)
    assert (from_yaml.line, from_json.line) == (3, 4)


def test_on_and_off_are_words(plant: Plant) -> None:
    text = "version: 1\nrequirements:\n  - {name: on, of: {ids: [off]}, require: {up: true}}\n"

    assert plant.read(text).items[0].name == "on"
    assert plant.read(text).items[0].of.ids == ("off",)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "of", "require", "models", "ids", "max", "min", "up", "where"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(_JSON, min_size=1, max_size=3))
def test_whatever_a_file_says_it_is_read_or_refused(rows: list[Any]) -> None:
    shared = _shared()
    with suppress(BadRequirements):
        assert len(shared.read({"version": 1, "requirements": rows})) == len(rows)


def _shared() -> Plant:
    if not Plant.made:
        Plant(needs(), {"A": {}})
    return Plant.made[-1]


def test_a_check_that_takes_too_long_is_given_up_with_a_reason(plant: Plant) -> None:
    row = {"name": "r", "of": {"all": True}, "require": UP}
    found = plant.read({"version": 1, "requirements": [row]})

    with pytest.raises(Refused, match="only 0 of 1 requirements"):
        check(found, plant.assets, NOW, seconds=-1)


def test_failures_followed_through_time_are_bounded_and_what_is_left_is_said(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "MAX_TIMED", 1)
    survives = {"of": {"ids": ["B"]}, "require": {"survival": {"min": "PT0S"}}}
    rows = [{"name": "first"} | survives, {"name": "second"} | survives]

    first, second = plant.report({"version": 1, "requirements": rows}).findings

    assert (first.verdict, second.verdict) == ("held", "notEvaluated")
    assert "of at most 1 in a file 0 are left" in second.message
