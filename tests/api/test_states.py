"""The live state over a real graph and its telemetry, asked in GraphQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from twinfall.analytics.alarms import Alarm, Symptom
from twinfall.api.access import Access, Role
from twinfall.api.graphql import GraphQLService
from twinfall.api.states import States
from twinfall.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ingestion.frame import Frame
from twinfall.ingestion.telemetry import Telemetry

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def interface(name: str, *contents: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": "dtmi:dtdl:context;3",
        "@id": f"dtmi:site:{name};1",
        "@type": "Interface",
        "contents": list(contents),
    }


def telemetry(name: str, schema: str = "double") -> dict[str, Any]:
    return {"@type": "Telemetry", "name": name, "schema": schema}


def relationship(name: str) -> dict[str, Any]:
    return {"@type": "Relationship", "name": name}


MODELS = [
    interface("Pump", telemetry("heat"), telemetry("noise"), relationship("line")),
    interface("Tank", relationship("filledBy")),
    interface("Grid", relationship("line")),
    interface("Switch", telemetry("closed", "boolean"), relationship("line")),
]
DEPENDENCIES = {
    "version": 1,
    "interfaces": {
        "dtmi:site:Pump;1": {
            "asset": {
                "customers": 10,
                "stale": "PT5M",
                "limits": {
                    "heat": {"degraded": {"max": 80}, "failed": {"max": 95}, "hysteresis": 2}
                },
            },
            "contents": {"line": {"mode": "network", "carrier": "power"}},
        },
        "dtmi:site:Tank;1": {
            "asset": {"customers": 100},
            "contents": {"filledBy": {"dependent": "source", "group": "inlet", "rule": "any"}},
        },
        "dtmi:site:Grid;1": {
            "asset": {"source": "power"},
            "contents": {"line": {"mode": "network", "carrier": "power"}},
        },
        "dtmi:site:Switch;1": {
            "asset": {"conducts": {"from": "closed"}},
            "contents": {"line": {"mode": "network", "carrier": "power"}},
        },
    },
}
TWINS = {"G": "Grid", "S": "Switch", "P1": "Pump", "P2": "Pump", "T": "Tank"}
RELATIONSHIPS = [
    ("G", "line", "S"),
    ("S", "line", "P1"),
    ("G", "line", "P2"),
    ("T", "filledBy", "P1"),
    ("T", "filledBy", "P2"),
]


class Site:
    """A grid, a switch, two pumps of which a tank needs one; the clock stands where it is put."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.folder = folder
        self._store = SQLiteStore(folder / "graph.sqlite")
        self.graph = Graph(self._store, clock=lambda: datetime.fromtimestamp(self.now / 1e9, UTC))
        self.graph.load_models(MODELS, [DEPENDENCIES])
        self.graph.write_twins([TwinInput(id_, f"dtmi:site:{m};1") for id_, m in TWINS.items()])
        self.graph.write_relationships([RelationshipInput(*row) for row in RELATIONSHIPS])
        self.open()

    def open(self) -> None:
        self.telemetry = Telemetry(self.folder, self.graph, now=lambda: self.now, background=False)
        self.states = States(self.folder, self.graph, self.telemetry, now=lambda: self.now)
        self.telemetry.pipeline.committed.append(lambda _, block: self.states.take(block))
        self.service = GraphQLService(self.graph, self.states.networks, states=self.states)

    def restart(self) -> None:
        self.shut()
        self.open()

    def shut(self) -> None:
        self.states.close()
        self.telemetry.close()

    def close(self) -> None:
        self.shut()
        self._store.close()

    def say(self, twin: str, name: str, value: Any, at: int | None = None) -> None:
        """One reading, acknowledged when this returns."""
        times = np.array([self.now if at is None else at], np.int64)
        none = np.full(1, -1, np.int32)
        frame = Frame("http", none, [value], times, none, lambda row: b"", {0: (twin, name)})
        receipt = self.telemetry.submit(frame).result()
        assert receipt.stored == 1, receipt.refused

    def well(self) -> None:
        for pump in ("P1", "P2"):
            self.say(pump, "heat", 20.0)

    def passes(self, time: int) -> None:
        self.now += time
        self.states.tick()

    def answer(self, query: str, role: Role = "admin", **given: Any) -> dict[str, Any]:
        work = self.service.execute(query, given, None, Access("ann", role), "r1")
        found: dict[str, Any] = orjson.loads(asyncio.run(work).body)
        return found

    def ask(self, query: str, role: Role = "admin", **given: Any) -> Any:
        answer = self.answer(query, role, **given)
        assert "errors" not in answer, answer
        return answer["data"]

    def all(self) -> dict[str, str]:
        nodes = self.ask("{ twins(first: 50) { nodes { id _state } } }")["twins"]["nodes"]
        return {node["id"]: node["_state"] for node in nodes}

    def reason(self, id_: str) -> Any:
        query = """query($id: ID!) { twin(id: $id) { _state _stateReason {
            kind message reading value limit since until who note } } }"""
        return self.ask(query, id=id_)["twin"]["_stateReason"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def test_a_reading_beyond_its_limit_is_the_state_in_the_very_next_query(site: Site) -> None:
    site.well()
    assert site.all() == dict.fromkeys(TWINS, "ok")
    assert site.reason("P1") is None
    site.say("P1", "heat", 97.5, START + SECOND)
    assert site.all() == {**dict.fromkeys(TWINS, "ok"), "P1": "failed"}
    assert site.reason("P1") == {
        "kind": "limit",
        "message": "heat is 97.5, failed above 95",
        "reading": "heat",
        "value": 97.5,
        "limit": 95,
        "since": "2023-11-14T22:13:21Z",
        "until": None,
        "who": None,
        "note": None,
    }
    site.say("P1", "heat", 85.0, START + 2 * SECOND)
    assert site.all()["P1"] == "degraded"


def test_what_depends_on_failed_assets_is_failed_and_says_on_which(site: Site) -> None:
    site.well()
    for pump in ("P1", "P2"):
        site.say(pump, "heat", 99.0, START + SECOND)
    assert site.all()["T"] == "failed"
    assert site.reason("T")["kind"] == "dependency"
    assert site.reason("T")["message"] == 'its group "inlet" lost 2 of 2: P1, P2'


def test_impact_begins_from_what_is_down_already(site: Site) -> None:
    site.well()
    query = """query($failed: [ID!]!) { impact(failed: $failed) {
        totals { customers } baselineDown { id }
        affected { nodes { twin { id _state } from to votes } } } }"""
    before = site.ask(query, failed=["P2"])["impact"]
    assert before == {"totals": {"customers": 0}, "baselineDown": [], "affected": {"nodes": []}}
    site.say("P1", "heat", 99.0, START + SECOND)
    after = site.ask(query, failed=["P2"])["impact"]
    assert after["totals"] == {"customers": 100}
    assert after["baselineDown"] == [{"id": "P1"}]
    [hit] = after["affected"]["nodes"]
    assert hit["twin"] == {"id": "T", "_state": "ok"}
    assert (hit["from"], hit["to"], hit["votes"]) == ("ok", "failed", "2 of 2 lost: P1, P2")
    assert site.ask(query, failed=["P1"])["impact"]["affected"]["nodes"] == []


def test_of_a_failed_asset_impact_tells_what_its_failure_took_along(site: Site) -> None:
    site.well()
    for pump in ("P1", "P2"):
        site.say(pump, "heat", 99.0, START + SECOND)
    query = """{ twin(id: "P1") { _impact {
        totals { customers } baselineDown { id } affected { nodes { from to } } } } }"""
    assert site.ask(query)["twin"]["_impact"] == {
        "totals": {"customers": 100},
        "baselineDown": [{"id": "P2"}],
        "affected": {"nodes": [{"from": "ok", "to": "failed"}]},
    }


def test_twins_are_found_by_state(site: Site) -> None:
    site.well()
    site.say("P1", "heat", 85.0, START + SECOND)
    query = """query($where: TwinWhere) { twins(where: $where) {
        totalCount nodes { id _state } } }"""
    found = site.ask(query, where={"_state": {"eq": "degraded"}})["twins"]
    assert found == {"totalCount": 1, "nodes": [{"id": "P1", "_state": "degraded"}]}
    others = site.ask(query, where={"_state": {"in": ["ok", "failed"]}})["twins"]
    assert others["totalCount"] == 4
    pumps = site.ask("{ Pump(where: {_state: {eq: degraded}}) { nodes { id } } }")["Pump"]
    assert pumps == {"nodes": [{"id": "P1"}]}


def test_silence_is_unknown_for_the_asset_and_for_what_hangs_on_it(site: Site) -> None:
    assert site.all() == {"G": "ok", "S": "ok", "P1": "unknown", "P2": "unknown", "T": "unknown"}
    assert site.reason("P1")["kind"] == "silent"
    site.well()
    site.passes(4 * MINUTE)
    site.say("P2", "heat", 20.0)
    site.passes(2 * MINUTE)
    assert site.all() == {"G": "ok", "S": "ok", "P1": "unknown", "P2": "ok", "T": "ok"}
    assert site.reason("P1")["kind"] == "stale"
    assert site.reason("P1")["since"] == "2023-11-14T22:13:20Z"


def test_unknown_assets_give_an_impact_two_bounds(site: Site) -> None:
    site.well()
    query = """{ impact(failed: ["P2"]) { totals { assets customers }
        bounds { optimistic { assets customers } pessimistic { assets customers } } } }"""
    none, one = {"assets": 0, "customers": 0}, {"assets": 1, "customers": 100}
    assert site.ask(query)["impact"] == {
        "totals": none,
        "bounds": {"optimistic": none, "pessimistic": none},
    }
    site.passes(4 * MINUTE)
    site.say("P2", "heat", 20.0)
    site.passes(2 * MINUTE)
    assert site.ask(query)["impact"] == {
        "totals": none,
        "bounds": {"optimistic": none, "pessimistic": one},
    }
    site.say("P1", "heat", 99.0)
    assert site.ask(query)["impact"] == {
        "totals": one,
        "bounds": {"optimistic": one, "pessimistic": one},
    }


def test_a_switch_that_reports_open_cuts_off_what_lies_behind(site: Site) -> None:
    site.well()
    assert site.ask('{ impact(failed: ["P2"]) { totals { assets } } }')["impact"] == {
        "totals": {"assets": 0}
    }
    site.say("S", "closed", False)
    assert site.all() == {**dict.fromkeys(TWINS, "ok"), "P1": "failed"}
    assert site.reason("P1")["message"] == "no source of power reached"
    site.say("S", "closed", True, START + SECOND)
    assert site.all()["P1"] == "ok"


MAINTENANCE = """mutation($id: ID!, $on: Boolean!, $until: DateTime, $note: String) {
    maintenance(id: $id, on: $on, until: $until, note: $note) { twin kind state until who at note }
}"""
SET_STATE = """mutation($id: ID!, $state: State, $note: String) {
    setState(id: $id, state: $state, note: $note) { twin kind state who note } }"""


def test_maintenance_is_no_failure_but_takes_redundancy_away(site: Site) -> None:
    site.well()
    said = site.ask(
        MAINTENANCE, "operator", id="P1", on=True, until="2023-11-14T23:00:00Z", note="new seal"
    )
    assert said["maintenance"] == {
        "twin": "P1",
        "kind": "maintenance",
        "state": "on",
        "until": "2023-11-14T23:00:00Z",
        "who": "ann",
        "at": "2023-11-14T22:13:20Z",
        "note": "new seal",
    }
    assert site.all() == {**dict.fromkeys(TWINS, "ok"), "P1": "unknown"}
    reason = site.reason("P1")
    assert (reason["kind"], reason["who"], reason["note"]) == ("maintenance", "ann", "new seal")
    impact = site.ask('{ impact(failed: ["P2"]) { totals { customers } } }')["impact"]
    assert impact == {"totals": {"customers": 100}}
    site.restart()
    assert site.all()["P1"] == "unknown"
    site.well()
    site.now = START + 3600 * SECOND
    site.well()
    site.states.tick()
    assert site.all()["P1"] == "ok"


def test_maintenance_ends_when_it_is_put_back_and_stays_so_after_a_restart(site: Site) -> None:
    site.well()
    site.ask(MAINTENANCE, id="P1", on=True)
    site.ask(MAINTENANCE, id="P1", on=False)
    assert site.all()["P1"] == "ok"
    site.restart()
    assert site.all()["P1"] == "ok"


def test_a_persons_word_holds_over_readings_and_restarts_and_is_kept_with_who_said_it(
    site: Site,
) -> None:
    site.well()
    site.ask(SET_STATE, "operator", id="P1", state="failed", note="it leaks")
    site.say("P1", "heat", 21.0, START + SECOND)
    assert site.all()["P1"] == "failed"
    site.restart()
    assert site.all()["P1"] == "failed"
    reason = site.reason("P1")
    assert (reason["kind"], reason["who"], reason["note"]) == ("operator", "ann", "it leaks")
    site.ask(SET_STATE, id="P1", state=None, note="mended")
    assert site.all()["P1"] == "ok"
    found = site.ask('{ stateHistory(id: "P1") { kind state who note } }')["stateHistory"]
    assert found == [
        {"kind": "forced", "state": None, "who": "ann", "note": "mended"},
        {"kind": "forced", "state": "failed", "who": "ann", "note": "it leaks"},
    ]


def test_the_last_readings_are_known_after_a_restart(site: Site) -> None:
    site.well()
    site.say("P1", "heat", 99.0, START + SECOND)
    site.restart()
    assert site.all()["P1"] == "failed"
    assert site.reason("P1")["value"] == 99


def test_twins_and_limits_that_come_later_are_watched_from_their_last_reading(site: Site) -> None:
    site.well()
    assert site.all()["P1"] == "ok"
    site.graph.write_twins([TwinInput("P3", "dtmi:site:Pump;1")])
    site.say("P3", "heat", 99.0)
    site.states.tick()
    assert site.all()["P3"] == "failed"
    lower = orjson.loads(orjson.dumps(DEPENDENCIES))
    lower["interfaces"]["dtmi:site:Pump;1"]["asset"]["limits"]["heat"]["failed"]["max"] = 10
    lower["interfaces"]["dtmi:site:Pump;1"]["asset"]["limits"]["heat"].pop("degraded")
    site.graph.load_models([], [lower])
    assert site.all()["P1"] == "failed"


@pytest.mark.parametrize("role", ["viewer", "ingest"])
def test_only_operators_say_how_an_asset_is(site: Site, role: Role) -> None:
    for query in (MAINTENANCE, SET_STATE):
        [error] = site.answer(query, role, id="P1", on=True, state="failed")["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
    site.well()
    assert site.all()["P1"] == "ok"


def test_words_about_nobody_or_too_late_are_refused(site: Site) -> None:
    [error] = site.answer(SET_STATE, id="P9", state="failed")["errors"]
    assert error["extensions"]["code"] == "UNKNOWN_TWIN"
    for until in ("2023-11-14T22:13:20Z", "9999-01-01T00:00:00Z"):
        [error] = site.answer(MAINTENANCE, id="P1", on=True, until=until)["errors"]
        assert error["extensions"]["code"] == "BAD_QUERY"
    [error] = site.answer(SET_STATE, id="P1", state="failed", note="x" * 3000)["errors"]
    assert error["extensions"]["code"] == "BAD_QUERY"
    assert site.ask('{ stateHistory(id: "P1") { kind } }') == {"stateHistory": []}


def test_the_learned_watchs_alarms_degrade(site: Site) -> None:
    site.well()
    symptom = Symptom("P1", "noise", "", 0.9, 7.0, 1.0)
    raised = Alarm(
        id="a1",
        twin="P1",
        model="dtmi:site:Pump;1",
        state="RAISED",
        onset=START,
        at=START,
        score=3.0,
        symptoms=(symptom,),
        suspect="P1",
        detector="d1",
    )
    site.states.hear(raised)
    assert site.all()["P1"] == "degraded"
    assert site.reason("P1")["message"] == "it does not behave as when all was well: P1 noise"
    site.states.hear(replace(raised, state="CLEARED"))
    assert site.all()["P1"] == "ok"


def test_the_thread_watches_readings_and_clock_without_being_asked(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        site.telemetry.pipeline.committed.pop()
        told = threading.Event()
        site.states.live.listen(lambda change: told.set() if change.after == "failed" else None)
        site.states.start()
        site.say("P1", "heat", 99.0)
        assert told.wait(20)
    finally:
        site.close()
