"""Readings as GraphQL shows them: latest, history, lines over many twins, filters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.telemetry.mill import Works, fill, row, telemetry, text, working
from tests.servers.neo4j import Neo4jServer
from twinfall.api.settings import Secret
from twinfall.graph.twins import TwinInput

T0 = 1_780_000_000
"""Early enough that nothing of it is in the future."""


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path) as made:
        fill(made)
        yield made


def test_every_kind_of_reading_stands_on_its_twin_as_its_type(works: Works) -> None:
    values = {"load": 0.5, "flow": 3.25, "turns": 7, "pulses": 2**60 + 1, "on": True}
    works.send(
        row("M1", T0, **values, note="ok", seen="2026-01-01T00:00:00Z", mode=1, axes={"x": 1})
    )
    works.send(row("M1/motor", T0 + 1, temperature=61.5))
    names = "load flow turns pulses on note seen mode axes"
    fields = " ".join(f"{name} {{ value }}" for name in names.split())
    [mill] = works.ask(
        f'{{ Mill(where: {{id: {{eq: "M1"}}}}) {{ nodes {{ {fields}'
        "motor { temperature { value time } } } } }"
    )["Mill"]["nodes"]

    assert {name: mill[name]["value"] for name in names.split()} == values | {
        "note": "ok",
        "seen": "2026-01-01T00:00:00Z",
        "mode": "grinding",
        "axes": {"x": 1},
    }
    assert mill["motor"]["temperature"] == {"value": 61.5, "time": text(T0 + 1)}


def test_a_reading_tells_unit_source_time_and_whether_it_is_stale(works: Works) -> None:
    now = time.time()
    works.send(
        {"twin": "M1", "name": "flow", "value": 60, "time": text(now), "unit": "litrePerMinute"}
    )
    works.send(row("M2", now - 3600, flow=2), {"twin": "M3", "name": "flow", "value": 5})
    nodes = works.ask(
        "{ Mill(sort: [{id: ASC}]) { nodes { flow { value unit time stale untimed received } } } }"
    )["Mill"]["nodes"]

    first, second, third = (node["flow"] for node in nodes)
    assert (first["value"], first["unit"], first["stale"]) == (1.0, "litrePerSecond", False)
    assert first["time"] == text(now).replace("000Z", "Z") or first["time"].startswith(
        text(now)[:19]
    )
    assert (second["stale"], second["untimed"]) == (True, False)
    assert (third["stale"], third["untimed"], third["time"]) == (False, True, third["received"])


def test_a_twin_lists_what_it_ever_sent(works: Works) -> None:
    works.send(row("M1", T0, flow=1, note="a"), row("X", T0, load=9))
    found = works.ask(
        "{ twins(sort: [{id: ASC}]) { nodes { id _telemetry { name value }"
        ' only: _telemetry(names: ["note"]) { value } } } }'
    )["twins"]["nodes"]

    by_id = {node["id"]: node for node in found}
    assert by_id["M1"]["_telemetry"] == [
        {"name": "flow", "value": 1.0},
        {"name": "note", "value": "a"},
    ]
    assert by_id["M1"]["only"] == [{"value": "a"}]
    assert by_id["M2"]["_telemetry"] == []
    assert by_id["X"]["_telemetry"] == [{"name": "load", "value": 9.0}]


def test_what_was_acknowledged_is_in_the_very_next_query_and_its_filters(works: Works) -> None:
    for i in range(20):
        works.send(row("M1", T0 + i, flow=i))
        found = works.ask(
            "query($v: Float!, $from: DateTime!) { Mill(where: {flow: {eq: $v}}) { totalCount"
            " nodes { id flow { value history(from: $from, fn: raw) { value } } } } }",
            v=float(i),
            **{"from": text(T0)},
        )["Mill"]
        assert found["totalCount"] == 1
        [node] = found["nodes"]
        assert node["flow"]["value"] == i
        assert [point["value"] for point in node["flow"]["history"]] == list(range(i + 1))


FILTERS = [
    ("flow: {gt: 1}", ["M2", "M3"]),
    ("flow: {gte: 1, lt: 3}", ["M1", "M2"]),
    ("flow: {in: [1, 3, 7]}", ["M1", "M3"]),
    ("flow: {null: false}", ["M1", "M2", "M3"]),
    ("note: {null: true}", ["M3"]),
    ('note: {startsWith: "al"}', ["M1"]),
    ('note: {contains: "l", eq: "well"}', ["M2"]),
    ('note: {in: ["well", "ill"]}', ["M2"]),
    ('note: {gte: "b"}', ["M2"]),
    ("on: {eq: false}", ["M2"]),
    ("mode: {eq: grinding}", ["M3"]),
    ("mode: {in: [idle]}", ["M1"]),
    ("pulses: {eq: 1152921504606846977}", ["M1"]),
    ("pulses: {lt: 1152921504606846977}", ["M2"]),
    ("turns: {lte: 0}", ["M2"]),
    ("load: {gt: 0}", ["M1"]),
    ("motor: {temperature: {gt: 50}}", ["M2"]),
    ("motor: {temperature: {null: true}}", ["M1", "M3"]),
    ("_not: {flow: {lt: 3}}", ["M3"]),
    ("_or: [{flow: {eq: 1}}, {mode: {eq: grinding}}]", ["M1", "M3"]),
    ("axes: {null: false}", ["M2"]),
    ('seen: {eq: "2026-01-01T00:00:00Z"}', ["M2"]),
]


@pytest.mark.parametrize(("where", "found"), FILTERS)
def test_latest_readings_are_filters(mixed: Works, where: str, found: list[str]) -> None:
    answer = mixed.ask(f"{{ Mill(where: {{{where}}}, sort: [{{id: ASC}}]) {{ nodes {{ id }} }} }}")
    assert [node["id"] for node in answer["Mill"]["nodes"]] == found


@pytest.mark.neo4j
def test_the_filters_find_the_same_on_neo4j(tmp_path: Path, neo4j: Neo4jServer) -> None:
    neo4j.empty()
    password = Secret(neo4j.password)
    at = {"store": neo4j.uri, "neo4j_user": neo4j.user, "neo4j_password": password}
    with working(tmp_path, **at) as works:
        mix(works)
        asked = "".join(
            f" q{i}: Mill(where: {{{where}}}, sort: [{{id: ASC}}]) {{ nodes {{ id }} }}"
            for i, (where, _) in enumerate(FILTERS[:20])
        )
        answer = works.ask(f"{{{asked} }}")
        found = [[node["id"] for node in answer[f"q{i}"]["nodes"]] for i in range(20)]
        assert found == [ids for _, ids in FILTERS[:20]]
        line = works.ask(
            "query($f: DateTime!) { Mill(where: {flow: {gte: 2}}, first: 1) {"
            " nodes { flow { history(from: $f) { value } } }"
            " aggregate { flow(from: $f, fn: sum) { value } } } }",
            f=text(T0),
        )["Mill"]
        assert line["aggregate"]["flow"] == [{"value": 5.0}]
        assert line["nodes"] == [{"flow": {"history": [{"value": 2.0}]}}]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """Three mills, each with other readings; only read."""
    with working(tmp_path_factory.mktemp("mixed")) as made:
        mix(made)
        yield made


def mix(made: Works) -> None:
    """Readings of every kind, other ones at each mill."""
    fill(made)
    made.send(
        row("M1", T0, flow=1, note="all well", mode=0, pulses=2**60 + 1, turns=4, load=2.5),
        row("M2", T0, flow=2, note="well", on=False, pulses=2**60, turns=-1, axes={"x": 2}),
        row("M2", T0, seen="2026-01-01T00:00:00Z"),
        row("M2/motor", T0, temperature=80),
        row("M3", T0, flow=3, mode=1),
        row("X", T0, load=100),
    )


def test_a_page_of_twins_takes_one_call_to_the_history(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(60):
        works.send(*(row(f"M{m}", T0 + i, flow=i * m, load=m) for m in (1, 2, 3)))
    calls: list[int] = []
    history = works.services.telemetry
    real = history.read

    def counted(window: Any) -> Any:
        calls.append(len(window.series))
        return real(window)

    monkeypatch.setattr(history, "read", counted)
    nodes = works.ask(
        "query($f: DateTime!, $t: DateTime!) { Mill(sort: [{id: ASC}]) { nodes {"
        ' flow { history(from: $f, to: $t, every: "PT20S", fn: max) { time value } }'
        ' load { history(from: $f, to: $t, every: "PT20S", fn: max) { value } } } } }',
        f=text(T0),
        t=text(T0 + 60),
    )["Mill"]["nodes"]

    assert calls == [6]
    for m, node in enumerate(nodes, 1):
        values = [point["value"] for point in node["flow"]["history"]]
        assert values == [19 * m, 39 * m, 59 * m]
        assert [point["value"] for point in node["load"]["history"]] == [m, m, m]
    assert [point["time"] for point in nodes[0]["flow"]["history"]] == [
        text(T0 + 20 * i) for i in range(3)
    ]


def test_a_long_history_keeps_its_shape_in_few_points(works: Works) -> None:
    rows = [row("M1", T0 + i, flow=100.0 if i == 777 else i % 3) for i in range(2000)]
    works.send(*rows)
    ask = 'query($f: DateTime!) { twin(id: "M1") { ... on Mill { flow {'
    ask += " few: history(from: $f, points: 50) { value time }"
    ask += " usual: history(from: $f) { value }"
    ask += " raw: history(from: $f, fn: raw, points: 10) { value }"
    ask += f' means: history(from: $f, to: "{text(T0 + 2000)}", points: 10, fn: avg)'
    ask += " { value } } } } }"
    found = works.ask(ask, f=text(T0))["twin"]["flow"]

    assert len(found["few"]) == 50
    assert {"value": 100.0, "time": text(T0 + 777)} in found["few"]
    assert len(found["usual"]) == 500
    assert [point["value"] for point in found["raw"]] == [i % 3 for i in range(1990, 2000)]
    assert len(found["means"]) == 10


def test_texts_and_enumerations_have_a_history_too(works: Works) -> None:
    for i, (note, mode) in enumerate([("a", 0), ("b", 1), ("c", 1)]):
        works.send(row("M1", T0 + i, note=note, mode=mode, axes={"x": i}))
    found = works.ask(
        'query($f: DateTime!) { twin(id: "M1") { ... on Mill {'
        " note { history(from: $f, points: 2) { value } }"
        " mode { history(from: $f) { time value } } axes { history(from: $f) { value } }"
        ' } _telemetry(names: ["note"]) { history(from: $f) { value } } } }',
        f=text(T0),
    )["twin"]
    assert [p["value"] for p in found["note"]["history"]] == ["b", "c"]
    assert [p["value"] for p in found["mode"]["history"]] == ["idle", "grinding", "grinding"]
    assert [p["value"]["x"] for p in found["axes"]["history"]] == [0, 1, 2]
    assert [p["value"] for p in found["_telemetry"][0]["history"]] == ["a", "b", "c"]


def test_one_line_over_all_twins_that_were_found_whatever_the_page(works: Works) -> None:
    for i in range(4):
        works.send(*(row(f"M{m}", T0 + 10 * i, flow=m) for m in (1, 2, 3)))
    works.send(row("X", T0, load=1000))
    ask = "query($f: DateTime!, $t: DateTime!, $w: MillWhere) { Mill(where: $w, first: 1) {"
    ask += ' aggregate { sum: flow(from: $f, to: $t, every: "PT10S", fn: sum) { time value }'
    ask += " all: flow(from: $f, to: $t) { value }"
    ask += " many: flow(from: $f, to: $t, fn: count) { value } load(from: $f) { value } } } }"
    times = {"f": text(T0), "t": text(T0 + 40)}
    found = works.ask(ask, **times)["Mill"]["aggregate"]
    assert found["sum"] == [{"time": text(T0 + 10 * i), "value": 6.0} for i in range(4)]
    assert (found["all"], found["many"]) == ([{"value": 2.0}], [{"value": 12.0}])
    assert found["load"] == []

    odd = {"f": text(T0 - 7), "t": text(T0 + 36)}  # not at a multiple of its length
    assert works.ask(ask, **odd)["Mill"]["aggregate"]["many"] == [{"value": 12.0}]

    narrow = works.ask(ask, **times, w={"flow": {"gt": 1}})["Mill"]["aggregate"]
    assert [point["value"] for point in narrow["sum"]] == [5.0] * 4


def test_a_family_has_the_readings_of_its_common_ancestor(works: Works) -> None:
    works.send(row("M1", T0, load=1), row("X", T0, load=3))
    found = works.ask(
        "query($f: DateTime!) { Machine(where: {load: {gte: 1}}) { totalCount"
        " nodes { load { value } } aggregate { load(from: $f) { value } } } }",
        f=text(T0),
    )["Machine"]
    assert found["totalCount"] == 2
    assert found["aggregate"]["load"] == [{"value": 2.0}]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z"', "BAD_QUERY"),
        ('from: "2026-01-01T00:00:00Z", every: "PT0S"', "BAD_QUERY"),
        ('from: "2026-01-01T00:00:00Z", every: "P1M"', "BAD_QUERY"),
        ('from: "2026-01-01T00:00:00Z", every: "PT1S", fn: lttb', "BAD_QUERY"),
        ('from: "2026-01-01T00:00:00Z", points: 0', "BAD_QUERY"),
        ('from: "2026-01-01T00:00:00Z", points: 10001', "BAD_QUERY"),
        ('from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z", every: "PT1S"', "TOO_COSTLY"),
        ('from: "0001-01-01T00:00:00Z", to: "9999-01-01T00:00:00Z", every: "PT1H"', "TOO_COSTLY"),
    ],
)
def test_a_history_that_cannot_be_given_says_why(works: Works, arguments: str, code: str) -> None:
    works.send(row("M1", T0, flow=1))
    ask = (
        f'{{ twin(id: "M1") {{ ... on Mill {{ flow {{ history({arguments}) {{ value }} }} }} }} }}'
    )
    assert works.refusal(ask) == code


def test_the_points_of_histories_count_as_cost(works: Works) -> None:
    ask = '{ Mill(first: 500) { nodes { flow { history(from: "2026-01-01T00:00:00Z", points: 5000)'
    assert works.refusal(f"{ask} {{ value }} }} }} }} }}") == "TOO_COSTLY"
    ask = ask.replace("5000", "300").replace("500)", "100)", 1)
    works.ask(f"{ask} {{ value }} }} }} }} }}")


def test_too_many_readings_are_not_read_for_one_answer(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    works.send(*(row("M1", T0 + i, flow=i) for i in range(50)))
    works.services.telemetry.move()
    monkeypatch.setattr("twinfall.api.graphql.periods.MAX_READ", 49)
    ask = '{ twin(id: "M1") { ... on Mill { flow { history(from: "2020-01-01T00:00:00Z")'
    assert works.refusal(f"{ask} {{ value }} }} }} }} }}") == "TOO_COSTLY"


def test_a_filter_that_too_many_twins_pass_is_refused(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    works.send(*(row(f"M{m}", T0, flow=m) for m in (1, 2, 3)))
    monkeypatch.setattr("twinfall.api.graphql.periods.MAX_MATCHING", 2)
    assert works.refusal("{ Mill(where: {flow: {gt: 0}}) { nodes { id } } }") == "TOO_COSTLY"
    works.ask("{ Mill(where: {flow: {gt: 1}}) { nodes { id } } }")


def test_readings_stand_after_a_restart_and_what_fell_silent_is_stale(tmp_path: Path) -> None:
    with working(tmp_path) as works:
        fill(works)
        works.send(*(row("M1", T0 + i, flow=i) for i in range(10)))
    ask = '{ twin(id: "M1") { ... on Mill { flow { value unit stale'
    ask += ' history(from: "2020-01-01T00:00:00Z", fn: raw) { value } } } } }'
    with working(tmp_path) as works:
        while works.services.telemetry.follow():
            pass
        found = works.ask(ask)["twin"]["flow"]
    assert (found["value"], found["unit"], found["stale"]) == (9.0, "litrePerSecond", True)
    assert [point["value"] for point in found["history"]] == list(range(10))


def test_a_model_may_use_our_words(tmp_path: Path) -> None:
    names = ["aggregate", "history", "value", "latest", "Point", "FloatLatest", "unit"]
    model = {
        "@context": "dtmi:dtdl:context;3",
        "@id": "dtmi:odd:FloatLatest;1",
        "@type": "Interface",
        "contents": [telemetry(name, "double") for name in names],
    }
    with working(tmp_path) as works:
        works.services.graph.load_models([model])
        works.services.graph.write_twins([TwinInput("O", "dtmi:odd:FloatLatest;1", {})])
        works.send(row("O", T0, **dict.fromkeys(names, 2.0)))
        fields = " ".join(f"{name} {{ value }}" for name in names)
        lines = " ".join(f'{name}(from: "2020-01-01T00:00:00Z") {{ value }}' for name in names)
        ask = f"{{ FloatLatest_model {{ nodes {{ {fields} }} aggregate {{ {lines} }} }} }}"
        found = works.ask(ask)["FloatLatest_model"]
    assert found["nodes"] == [{name: {"value": 2.0} for name in names}]
    assert found["aggregate"] == {name: [{"value": 2.0}] for name in names}
