"""Scenarios asked in GraphQL. The plant: B1 powers the motors of P1 and P2, a motor is needed by
its pump, P1 feeds T1 and T2, P2 feeds T2, T1 feeds A1.
"""

from __future__ import annotations

from tests.api.graphql.plant import Plant

ASK = """query($s: JSON!) { whatIf(scenario: $s) {
  name newlyDown { count ids } recovered { count } without { assets customers }
  expected { samples assets { mean p95 } likeliest { id probability } }
  impact { snapshot totals { assets } affected { nodes { twin { id _state } path { id } } } } } }"""


def test_a_scenario_is_answered_as_an_impact_is(plant: Plant) -> None:
    found = plant.ask(ASK, s={"name": "dark", "fail": ["P1"]})["whatIf"]
    impact = plant.ask('{ impact(failed: ["P1"]) { totals { assets } } }')["impact"]

    assert found["name"] == "dark"
    assert found["impact"]["totals"] == impact["totals"]
    assert found["newlyDown"]["count"] == impact["totals"]["assets"] + 1
    assert found["without"] is None
    assert found["expected"] is None


def test_a_relationship_that_is_taken_away_is_compared_with_today(plant: Plant) -> None:
    gone = {"source": "P1", "name": "feeds", "target": "T1"}

    found = plant.ask(ASK, s={"fail": ["P1"], "remove": [gone]})["whatIf"]

    assert found["without"]["assets"] > found["impact"]["totals"]["assets"]


def test_a_scenario_that_is_wrong_says_where(plant: Plant) -> None:
    refusal = plant.refusal(ASK, s={"fail": ["P9"], "horizon": "soon", "fial": []})

    assert refusal["code"] == "BAD_SCENARIO"
    assert [(one["code"], one["path"]) for one in refusal["problems"]] == [
        ("unknownMember", "/fial"),
        ("badDuration", "/horizon"),
        ("unknownTwin", "/fail/0"),
    ]


def test_a_scenario_may_be_the_text_of_a_file(plant: Plant) -> None:
    assert plant.ask(ASK, s="name: dark\nfail: [P1]\n")["whatIf"]["name"] == "dark"
    [problem] = plant.refusal(ASK, s="name: dark\nfail:\n- P9\n")["problems"]
    assert problem["line"] == 3


def test_what_changes_nothing_is_told_with_the_answer(plant: Plant) -> None:
    ask = "query($s: JSON!) { whatIf(scenario: $s) { warnings { code path line cure message } } }"

    assert plant.ask(ask, s={"fail": ["P1"]})["whatIf"]["warnings"] == []
    [told] = plant.ask(ask, s="repair: [P1]")["whatIf"]["warnings"]
    assert (told["code"], told["path"], told["line"]) == ("inOrder", "/repair/0", 1)


def test_a_relationship_that_is_taken_away_is_told_with_all_that_comes_of_it(plant: Plant) -> None:
    ask = """query($s: JSON!) { whatIf(scenario: $s) { newlyDown { ids } newlyDownTotals { assets }
      timeline { everDown { assets } outages { id begin } events { id cause } } } }"""
    twice = [{"source": one, "name": "feeds", "target": "T2"} for one in ("P1", "P2")]

    found = plant.ask(ask, s={"remove": twice, "then": [{"after": "PT1H", "fail": ["P1"]}]})[
        "whatIf"
    ]

    told = found["timeline"]
    assert found["newlyDownTotals"]["assets"] == len(found["newlyDown"]["ids"]) == 0
    assert told["everDown"]["assets"] == len(told["outages"])
    assert {one["begin"] for one in told["outages"]} == {"PT1H"}
    assert told["events"][0] == {"id": "P1", "cause": None}


def test_the_embedded_store_owns_up_to_showing_no_impact(plant: Plant) -> None:
    show = "mutation($f: [ID!]!) { showImpact(failed: $f) { shown } }"

    assert plant.ask(show, f=["P1"])["showImpact"]["shown"] == 0
    assert plant.ask(show, f=[])["showImpact"]["shown"] == 0


TIMELINE = """query($s: JSON!) { whatIf(scenario: $s) { timeline {
  until unserved { assetHours } eventCount events { at id to cause }
  outageCount outages { id begin until } curve { at assets } csv } } }"""


def test_a_timeline_tells_what_falls_and_rises(plant: Plant) -> None:
    then = [{"after": "PT2H", "repair": ["P1"]}]

    found = plant.ask(TIMELINE, s={"fail": ["P1"], "then": then, "horizon": "PT4H"})
    told = found["whatIf"]["timeline"]

    assert told["until"] == "PT4H"
    assert told["outageCount"] == len(told["outages"])
    assert {(one["begin"], one["until"]) for one in told["outages"]} == {("PT0S", "PT2H")}
    assert told["unserved"]["assetHours"] == 2 * told["outageCount"]
    assert told["eventCount"] == 2 * told["outageCount"]
    assert told["events"][0] == {"at": "PT0S", "id": "P1", "to": "failed", "cause": None}
    assert told["curve"][-1] == {"at": "PT2H", "assets": 0}
    assert told["csv"].startswith("id,begin,until,customers,value")
