"""Dependency declarations: what the files say, with inheritance applied."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ontology.reference import interface
from twinfall.ontology import Ontology, canonical_sidecar, parse, read_dependencies
from twinfall.ontology.declarations import Asset, Binding, Dependencies, Feed, Source
from twinfall.ontology.dependencies.vocabulary import ASSET, FEED
from twinfall.ontology.dtdl.metamodel import metamodel
from twinfall.ontology.durations import duration_seconds, why_no_duration
from twinfall.ontology.errors import ModelInvalid, Problem

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dependencies.md"
PUMP, STATION, SITE = "dtmi:example:Pump;1", "dtmi:example:Station;1", "dtmi:example:Site;1"


def property_(name: str, schema: str) -> dict[str, Any]:
    return {"@type": "Property", "name": name, "schema": schema}


def relationship(name: str, **members: Any) -> dict[str, Any]:
    return {"@type": "Relationship", "name": name, **members}


def models() -> list[dict[str, Any]]:
    """A site with a station, which is a kind of pump, and a motor inside the pump."""
    pump = interface("Pump", contents=[
        property_("delay", "duration"), property_("beds", "integer"), property_("open", "boolean"),
        property_("kind", "string"),
        {"@type": "Telemetry", "name": "heat", "schema": "double"},
        {"@type": "Telemetry", "name": "closed", "schema": "boolean"},
        relationship("poweredBy", maxMultiplicity=2, properties=[property_("lag", "duration")]),
        relationship("backup"),
        relationship("connects"),
        {"@type": "Component", "name": "motor", "schema": "dtmi:example:Motor;1"},
    ])  # fmt: skip
    site = interface("Site", contents=[relationship("contains", target=PUMP)])
    return [pump, site, interface("Motor"), interface("Station", extends=PUMP)]


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return parse(models())


def sidecar(interfaces: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "interfaces": interfaces}


def pump(contents: dict[str, Any], asset: dict[str, Any] | None = None) -> dict[str, Any]:
    return sidecar({PUMP: {"asset": asset or {}, "contents": contents}})


def read(ontology: Ontology, *documents: Any) -> Dependencies:
    return read_dependencies(documents, ontology)


def problems(ontology: Ontology, *documents: Any) -> list[Problem]:
    with pytest.raises(ModelInvalid) as caught:
        read_dependencies(documents, ontology)
    return list(caught.value.problems)


def problem(ontology: Ontology, *documents: Any) -> Problem:
    (only,) = problems(ontology, *documents)
    return only


def test_nothing_is_declared_by_an_ontology_alone(ontology: Ontology) -> None:
    assert read(ontology).feeds == {}
    assert read(ontology).assets == {}


def test_defaults_hold_where_nothing_is_said(ontology: Ontology) -> None:
    feed = read(ontology, pump({"motor": {"dependent": "source"}})).feeds[PUMP]["motor"]
    assert feed == Feed(dependent="source", group="motor")
    assert (feed.rule, feed.effect, feed.priority, feed.share) == ("all", "fail", 1, 1.0)


def test_durations_become_seconds_and_bindings_keep_their_default(ontology: Ontology) -> None:
    feed = read(ontology, pump({"poweredBy": {
        "dependent": "source", "autonomy": {"from": "delay", "default": "PT4H"},
        "transfer": {"from": "lag"}, "recharge": "P1DT1H"}})).feeds[PUMP]["poweredBy"]  # fmt: skip
    assert feed.autonomy == Binding("delay", 14_400.0)
    assert feed.transfer == Binding("lag", 0.0)
    assert feed.recharge == 90_000.0


def test_an_asset_says_what_it_is(ontology: Ontology) -> None:
    asset = read(ontology, pump({}, {
        "source": ["heat", {"carrier": "water", "autonomy": "PT6H"}], "repairTime": "PT8H",
        "customers": {"from": "beds", "default": 200}, "services": "health",
        "conducts": {"from": "open"}, "crew": "mechanical", "failureRate": 0.2,
        "limits": {"heat": {"degraded": {"max": 80}, "failed": {"max": 95}, "hold": "PT10S"}},
        "fragility": [[0, 0], [2.5, 0.4]], "location": {"x": {"from": "beds"}, "y": 2},
    })).assets[PUMP]  # fmt: skip
    assert asset.source == (Source("heat"), Source("water", 21_600.0))
    assert asset.repair_time == 28_800.0
    assert asset.customers == Binding("beds", 200.0)
    assert asset.services == ("health",)
    assert asset.conducts == Binding("open", True)
    assert asset.limits["heat"] == {
        "degraded": {"max": 80.0},
        "failed": {"max": 95.0},
        "hold": 10.0,
    }
    assert asset.fragility == ((0.0, 0.0), (2.5, 0.4))
    assert asset.location == {"x": Binding("beds"), "y": 2.0}


def test_a_switch_may_follow_telemetry_and_other_values_may_not(ontology: Ontology) -> None:
    declared = read(ontology, pump({}, {"conducts": {"from": "closed", "default": False}}))
    assert declared.assets[PUMP].conducts == Binding("closed", False, telemetry=True)
    assert declared.bound_names() == frozenset()
    declared = read(ontology, pump({}, {"conducts": {"from": "open"}}))
    assert declared.assets[PUMP].conducts == Binding("open", True)
    assert declared.bound_names() == {"open"}


def test_the_nearest_interface_wins_member_by_member(ontology: Ontology) -> None:
    both = sidecar({
        PUMP: {"asset": {"crew": "water", "repairTime": "PT1H"},
               "contents": {"poweredBy": {"dependent": "source", "group": "power",
                                          "transfer": "PT1S"}}},
        STATION: {"asset": {"crew": "power"}, "contents": {"poweredBy": {"transfer": "PT9S"}}},
    })  # fmt: skip
    dependencies = read(ontology, both)
    assert dependencies.feeds[PUMP]["poweredBy"].transfer == 1.0
    station = dependencies.feeds[STATION]["poweredBy"]
    assert (station.transfer, station.group, station.dependent) == (9.0, "power", "source")
    assert dependencies.assets[STATION] == Asset(crew="power", repair_time=3600.0)


def test_what_a_group_is_told_once_holds_for_all_its_feeds(ontology: Ontology) -> None:
    dependencies = read(ontology, pump({
        "poweredBy": {"dependent": "source", "group": "power", "rule": "any", "autonomy": "PT1H"},
        "backup": {"dependent": "source", "group": "power", "priority": 2, "startTime": "PT30S"},
    }))  # fmt: skip
    assert dependencies.groups[STATION]["power"].rule == "any"
    backup = dependencies.feeds[STATION]["backup"]
    assert (backup.rule, backup.autonomy, backup.start_time) == ("any", 3600.0, 30.0)


def test_a_group_told_differently_twice_is_an_error(ontology: Ontology) -> None:
    found = problem(ontology, pump({
        "poweredBy": {"dependent": "source", "group": "power", "rule": "any"},
        "backup": {"dependent": "source", "group": "power", "rule": "all"},
    }))  # fmt: skip
    assert found.code == "declaredTwice"
    assert found.path == f"/interfaces/{PUMP}/contents/poweredBy/rule"
    assert "backup" in found.message


def test_a_group_spans_both_directions(ontology: Ontology) -> None:
    def both(rule: str) -> dict[str, Any]:
        here = {"poweredBy": {"dependent": "source", "group": "power", "rule": "any"}}
        there = {"contains": {"dependent": "target", "group": "power", "rule": rule}}
        return sidecar({PUMP: {"contents": here}, SITE: {"contents": there}})

    assert read(ontology, both("any")).feeds[SITE]["contains"].rule == "any"
    assert problem(ontology, both("all")).code == "declaredTwice"


def test_a_network_needs_its_carrier_and_a_source(ontology: Ontology) -> None:
    connects = {"connects": {"mode": "network", "carrier": "water"}}
    feed = read(ontology, pump(connects, {"source": ["water"]})).feeds[PUMP]["connects"]
    assert (feed.mode, feed.carrier, feed.dependent) == ("network", "water", None)
    assert problem(ontology, pump(connects)).code == "unknownCarrier"
    misspelt = {"connects": {"mode": "network", "carrier": "wter"}}
    assert problem(ontology, pump(misspelt, {"source": ["water"]})).cure == 'did you mean "water"?'
    assert problem(ontology, pump({"connects": {"mode": "network"}})).code == "missingMember"


_SOURCE = {"dependent": "source"}


@pytest.mark.parametrize(
    ("contents", "code", "path", "cure"),
    [
        ({"poweredBi": _SOURCE}, "unknownContent", "/poweredBi", 'did you mean "poweredBy"?'),
        ({"heat": _SOURCE}, "wrongContent", "/heat", ""),
        ({"motor": {}}, "missingMember", "/motor", "dependent: source"),
        ({"motor": []}, "notDeclaration", "/motor", ""),
        ({"motor": {"dependent": "src"}}, "badValue", "/motor/dependent", 'did you mean "source"?'),
        ({"motor": _SOURCE | {"trnsfer": 1}}, "unknownMember", "/motor/trnsfer", '"transfer"'),
        ({"motor": _SOURCE | {"transfer": "10s"}}, "badValue", "/motor/transfer", ""),
        ({"motor": _SOURCE | {"transfer": "P1Y"}}, "badValue", "/motor/transfer", ""),
        ({"motor": _SOURCE | {"transfer": 10}}, "badValue", "/motor/transfer", ""),
        ({"motor": _SOURCE | {"rule": "atLeast", "k": 0}}, "outOfRange", "/motor/k", ""),
        ({"motor": _SOURCE | {"rule": "atLeast", "k": 2}}, "outOfRange", "/motor/k", "1 to 1"),
        ({"poweredBy": _SOURCE | {"rule": "atLeast", "k": 3}}, "outOfRange", "/poweredBy/k", ""),
        ({"motor": _SOURCE | {"rule": "atLeast"}}, "missingMember", "/motor/rule", "add k"),
        ({"motor": _SOURCE | {"rule": "any", "k": 1}}, "wrongMember", "/motor/k", ""),
        ({"motor": _SOURCE | {"rule": "capacity", "minShare": 0}}, "outOfRange", "", ""),
        ({"motor": _SOURCE | {"effect": "degrade"}}, "missingMember", "/motor/effect", ""),
        ({"motor": _SOURCE | {"probability": 1.5}}, "outOfRange", "/motor/probability", ""),
        ({"motor": _SOURCE | {"share": 1e308}}, "outOfRange", "/motor/share", ""),
        ({"motor": _SOURCE | {"priority": 2**62}}, "outOfRange", "/motor/priority", ""),
        ({"motor": _SOURCE | {"autonomy": "P99999999D"}}, "outOfRange", "/motor/autonomy", "leave"),
        ({"motor": _SOURCE | {"probability": True}}, "badValue", "/motor/probability", ""),
        ({"motor": _SOURCE | {"startTime": "PT1S"}}, "wrongMember", "/motor/startTime", ""),
        ({"motor": _SOURCE | {"transfer": {"from": "dely"}}}, "unknownBinding",
         "/motor/transfer/from", 'did you mean "delay"?'),
        ({"motor": _SOURCE | {"transfer": {"from": "kind"}}}, "unfitBinding", "", ""),
        ({"motor": _SOURCE | {"transfer": {"from": "lag"}}}, "unknownBinding", "", ""),
        ({"motor": _SOURCE | {"share": {"from": "heat"}}}, "unknownBinding", "", ""),
        ({"motor": _SOURCE | {"transfer": {"from": "delay", "default": 3}}}, "badValue",
         "/motor/transfer/default", ""),
        ({"motor": _SOURCE | {"transfer": {"from": "delay", "dfault": "PT1S"}}}, "unknownMember",
         "/motor/transfer/dfault", 'did you mean "default"?'),
        ({"motor": _SOURCE | {"rule": {"from": "kind"}}}, "badValue", "/motor/rule", ""),
        ({"connects": {"mode": "network", "carrier": "water", "rule": "any"}}, "wrongMember",
         "/connects/rule", ""),
    ],
)  # fmt: skip
def test_a_wrong_feed_is_an_error_with_place_and_cure(
    ontology: Ontology, contents: dict[str, Any], code: str, path: str, cure: str
) -> None:
    found = [p for p in problems(ontology, pump(contents, {"source": ["water"]})) if p.code == code]
    assert found
    assert f"/interfaces/{PUMP}/contents{path}" in found[0].path
    assert cure in found[0].cure


@pytest.mark.parametrize(
    ("asset", "code", "path"),
    [
        ({"crw": "x"}, "unknownMember", "/crw"),
        ({"source": [{"autonomy": "PT1H"}]}, "missingMember", "/source/0"),
        ({"source": ["a", "a"]}, "declaredTwice", "/source"),
        ({"repairTime": -1}, "badValue", "/repairTime"),
        ({"failureRate": -1}, "outOfRange", "/failureRate"),
        ({"limits": {"het": {"failed": {"max": 1}}}}, "unknownBinding", "/limits/het"),
        ({"limits": {"heat": {"max": 1}}}, "unknownMember", "/limits/heat/max"),
        ({"limits": {"heat": {"failed": {"min": 2, "max": 1}}}}, "outOfRange", "/limits/heat"),
        ({"limits": {"kind": {"failed": {"max": 1}}}}, "unfitBinding", "/limits/kind"),
        (
            {"limits": {"heat": {"failed": {"min": 1, "max": 4}, "hysteresis": 1.6}}},
            "outOfRange",
            "/limits/heat/hysteresis",
        ),
        ({"conducts": {"from": "heat"}}, "unfitBinding", "/conducts/from"),
        ({"blackStart": {"from": "closed"}}, "unknownBinding", "/blackStart/from"),
        ({"fragility": [[1, 0.5], [1, 0.6]]}, "badValue", "/fragility"),
        ({"fragility": [[0, 2]]}, "badValue", "/fragility"),
        ({"location": {"x": 1}}, "missingMember", "/location"),
        ({"services": [""]}, "badValue", "/services/0"),
        ({"conducts": "yes"}, "badValue", "/conducts"),
    ],
)
def test_a_wrong_asset_is_an_error_with_place(
    ontology: Ontology, asset: dict[str, Any], code: str, path: str
) -> None:
    found = problems(ontology, pump({}, asset))
    assert code in {p.code for p in found}
    assert all(p.path.startswith(f"/interfaces/{PUMP}/asset{path}") for p in found)


def test_an_unknown_interface_is_an_error(ontology: Ontology) -> None:
    found = problem(ontology, sidecar({"dtmi:example:Pmp;1": {}}))
    assert found.code == "unknownInterface"
    assert found.cure == f'did you mean "{PUMP}"?'
    brick = problem(ontology, sidecar({"https://brickschema.org/schema/Brick#Pump": {}}))
    assert "RDF" in brick.cure


def test_problems_of_all_files_are_listed_with_their_lines(ontology: Ontology) -> None:
    first = f"version: 1\ninterfaces:\n  {PUMP}:\n    asset:\n      crw: a\n      demand: x\n"
    second = json.dumps(pump({"motor": {"dependent": "nobody"}}), indent=1)
    found = problems(ontology, first, second)
    assert [(p.document, p.line) for p in found if p.document == 0] == [(0, 5), (0, 6)]
    assert {p.document for p in found} == {0, 1}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 1\nversion: 1\n", "duplicateMember"),
        ('{"version": 1, "version": 1}', "duplicateMember"),
        ("a: &x [1]\nb: *x\n", "yamlAlias"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "yamlAlias"),
        ("version: !!python/object:os.system 1\n", "notYaml"),
        ("- [", "notYaml"),
        ("[" * 5_000, "tooDeep"),
        ("version: 2\ninterfaces: {}\n", "badVersion"),
        ("", "notDeclaration"),
        ("verson: 1\n", "unknownMember"),
        ("version: 1\ninterfaces: [a]\n", "notDeclaration"),
        ("version: 1 # \0", "notYaml"),
    ],
)
def test_a_text_that_is_no_declaration_is_refused(ontology: Ontology, text: str, code: str) -> None:
    assert code in {p.code for p in problems(ontology, text)}


def test_yaml_words_are_words_not_booleans_or_dates(ontology: Ontology) -> None:
    text = (
        f"version: 1\ninterfaces:\n  {PUMP}: {{asset: {{crew: on, services: [no, 2026-11-23]}}}}\n"
    )
    asset = read(ontology, text).assets[PUMP]
    assert (asset.crew, asset.services) == ("on", ("no", "2026-11-23"))


def test_a_member_told_differently_in_two_files_is_an_error(ontology: Ontology) -> None:
    one, other = pump({}, {"crew": "a"}), pump({}, {"crew": "b"})
    assert read(ontology, one, one).assets[PUMP].crew == "a"
    assert problem(ontology, one, other).code == "declaredTwice"


def test_declarations_read_back_from_their_canonical_texts(ontology: Ontology) -> None:
    declared = read(ontology, pump({"motor": _SOURCE}, {"crew": "a"}))
    again = read(ontology, *declared.documents)
    assert again == declared
    assert declared.documents == (canonical_sidecar(pump({"motor": _SOURCE}, {"crew": "a"})),)


FULL: dict[str, Any] = {
    "asset": {"services": ["water"], "repairTime": "PT8H", "source": [{"carrier": "water"}],
              "customers": {"from": "beds", "default": 3}, "location": {"x": 1, "y": 2}},
    "contents": {
        "poweredBy": {"dependent": "source", "group": "power", "rule": "atLeast", "k": 1,
                      "transfer": {"from": "lag", "default": "PT10S"}},
        "connects": {"mode": "network", "carrier": "water"},
        "motor": {"dependent": "source", "probability": 0.5},
    },
}  # fmt: skip


def extended(version: int) -> Ontology:
    """The models, with FULL written into the pump by the extension."""
    documents = models()
    document = documents[0]
    document["@context"] = [f"dtmi:dtdl:context;{version}", "dtmi:twinfall:dependency;1"]
    document["@type"] = ["Interface", "Asset"]
    document.update(FULL["asset"])
    for content in document["contents"]:
        declared = FULL["contents"].get(content["name"])
        if declared is not None:
            content["@type"] = [content["@type"], "Dependency"]
            content.update(declared)
    for other in documents[1:]:
        other["@context"] = f"dtmi:dtdl:context;{version}"
    return parse(documents)


@pytest.mark.parametrize("version", [3, 4])
def test_the_extension_says_the_same_as_a_sidecar(ontology: Ontology, version: int) -> None:
    beside = read(ontology, sidecar({PUMP: FULL}))
    inside = read(extended(version))
    assert inside.feeds == beside.feeds
    assert inside.assets == beside.assets
    assert inside.groups == beside.groups
    assert inside.hash != beside.hash


def test_a_sidecar_wins_over_the_extension_member_by_member() -> None:
    over = sidecar({PUMP: {"contents": {"motor": {"probability": 0.9}}, "asset": {"crew": "a"}}})
    dependencies = read(extended(3), over)
    assert dependencies.feeds[PUMP]["motor"].probability == 0.9
    assert dependencies.feeds[PUMP]["motor"].dependent == "source"
    assert dependencies.assets[PUMP].repair_time == 28_800.0
    assert dependencies.assets[PUMP].crew == "a"


def test_a_wrong_value_in_the_extension_names_the_model() -> None:
    documents = models()
    documents[0]["@context"] = ["dtmi:dtdl:context;3", "dtmi:twinfall:dependency;1"]
    documents[0]["@type"] = ["Interface", "Asset"]
    documents[0]["repairTime"] = "8 hours"
    found = problem(parse(documents))
    assert (found.element, found.path) == (PUMP, "/repairTime")


def test_the_extension_goes_only_where_it_belongs() -> None:
    document = interface(
        contents=[property_("a", "double") | {"@type": ["Property", "Dependency"]}]
    )
    document["@context"] = ["dtmi:dtdl:context;3", "dtmi:twinfall:dependency;1"]
    with pytest.raises(ModelInvalid) as caught:
        parse([document])
    assert {p.code for p in caught.value.problems} == {"invalidCotype"}


def test_the_extension_has_exactly_the_vocabulary() -> None:
    known = metamodel().supplemental
    for name, vocabulary in (("Dependency", FEED), ("Asset", ASSET)):
        type_ = known[f"dtmi:twinfall:dependency:v1:{name}"]
        assert [p.name for p in type_.properties.values()] == list(vocabulary)


def test_the_documentation_lists_every_member() -> None:
    text = PAGE.read_text()
    missing = [name for name in (*FEED, *ASSET) if f"`{name}`" not in text]
    assert missing == []


def test_the_worked_example_of_the_documentation_is_read() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    hospital = interface("site:Hospital", contents=[
        *(property_(name, "double") for name in ("beds", "x", "y")),
        *(relationship(name) for name in ("feeder", "generator", "pipe")),
        {"@type": "Component", "name": "chiller", "schema": "dtmi:example:Chiller;1"},
    ])  # fmt: skip
    works = interface("site:Waterworks", contents=[relationship("pipe")])
    tank = interface("site:Tank", contents=[relationship("pipe")])
    valve = interface("site:Valve", contents=[property_("open", "boolean")])
    ontology = parse([hospital, works, tank, valve, interface("Chiller")])
    dependencies = read(ontology, example)
    feeds = dependencies.feeds["dtmi:example:site:Hospital;1"]
    assert (feeds["generator"].rule, feeds["generator"].k) == ("atLeast", 1)
    assert feeds["generator"].autonomy == 14_400.0
    assert feeds["chiller"].level == 0.5
    (inside,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert read(parse([inside])).feeds["dtmi:example:site:Hospital;1"]["feeder"].rule == "any"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT30S", 30), ("PT1.5M", 90), ("P1W", 604_800), ("P1DT1H", 90_000), ("PT0S", 0)],
)
def test_durations_are_read_as_seconds(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "P1Y", "P1M", "1H", "PT1H1D", "PT-1S", "PT١S"])
def test_what_is_no_fixed_duration_is_refused(text: str) -> None:
    assert duration_seconds(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-PT5H", "'-PT5H' is negative"),
        ("PT-5H", "'PT-5H' is negative"),
        ("P1Y", "'P1Y' counts years or months"),
        ("5h", "'5h' is no ISO 8601 duration"),
        ("P" * 10_000, "is no ISO 8601 duration"),
    ],
)
def test_what_is_wrong_with_a_duration_is_said(text: str, says: str) -> None:
    assert says in why_no_duration(text)


_WORD = st.sampled_from(["power", "water", "heat"])
_SECONDS = st.integers(0, 10_000).map(lambda n: f"PT{n}S")
_MEMBERS = st.fixed_dictionaries(
    {"dependent": st.sampled_from(["source", "target"])},
    optional={
        "carrier": st.just("water"), "share": st.floats(0, 10), "transfer": _SECONDS,
        "probability": st.floats(0, 1), "failureDomain": _WORD, "priority": st.integers(1, 3),
    },
)  # fmt: skip
_CONTENTS = st.dictionaries(st.sampled_from(["poweredBy", "backup", "motor"]), _MEMBERS, max_size=3)


@settings(max_examples=80, deadline=None)
@given(contents=_CONTENTS)
def test_yaml_json_and_parsed_declarations_say_the_same(contents: dict[str, Any]) -> None:
    ontology = parse(models())
    value = pump(contents, {"source": ["water"]})
    parsed = read(ontology, value)
    assert read(ontology, json.dumps(value)) == parsed
    assert read(ontology, yaml.safe_dump(value, sort_keys=False)) == parsed
    assert set(parsed.feeds.get(STATION, {})) == set(contents)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('version: "\\U0e001F4A"', "not YAML"),
        ('version: "\\ud800"', "surrogate"),
        ('"\\udfff": 1', "surrogate"),
        ("version: 1" + "0" * 400, "too large for a number"),
        ("a: b\n" * 500_000, "write it as JSON"),
    ],
)
def test_what_escapes_and_digits_can_say_and_nothing_can_keep_is_refused(
    text: str, told: str
) -> None:
    with pytest.raises(ModelInvalid, match=told):
        canonical_sidecar(text)
