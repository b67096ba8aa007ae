"""Writing through GraphQL: all or nothing, and seen by the next query."""

from __future__ import annotations

from typing import Any

from tests.api.graphql.plant import MODELS, Plant, interface, prop

WRITE = """mutation($twins: [TwinInput!]!) {
  writeTwins(twins: $twins) { written errors { index code path message cure } } }"""


def test_what_was_written_is_read_at_once(fresh: Plant) -> None:
    twins = [
        {"id": "P1", "model": "Pump", "values": {"ratedFlow": 2, "motor": {"power": 1.5}}},
        {"id": "T1", "model": "dtmi:plant:Tank;1"},
    ]
    assert fresh.ask(WRITE, twins=twins) == {"writeTwins": {"written": 2, "errors": []}}
    fresh.ask(
        'mutation { writeRelationships(relationships: [{source: "P1", name: "feeds", target: "T1", '
        'properties: {share: 0.5, since: "2026-01-01T01:00:00+01:00"}}]) { written } }'
    )
    found = fresh.ask(
        "{ Pump { nodes { ratedFlow motor { power } feeds { edges { id node { id } "
        "properties { share since } } } } } }"
    )
    assert found["Pump"]["nodes"] == [
        {
            "ratedFlow": 2.0,
            "motor": {"power": 1.5},
            "feeds": {
                "edges": [
                    {
                        "id": "feeds:T1",
                        "node": {"id": "T1"},
                        "properties": {"share": 0.5, "since": "2026-01-01T00:00:00Z"},
                    }
                ]
            },
        }
    ]


def test_one_bad_row_stops_all_and_every_bad_row_has_its_reason(fresh: Plant) -> None:
    twins = [
        {"id": "P1", "model": "Pump"},
        {"id": "P2", "model": "Pomp"},
        {"id": "P3", "model": "Pump", "values": {"ratedFlow": "fast", "nmae": 1}},
        {"id": "a/b", "model": "Pump"},
        {"id": "P5", "model": "Pump", "values": [1]},
    ]
    result = fresh.ask(WRITE, twins=twins)["writeTwins"]
    assert result["written"] == 0
    by_index: dict[int, set[str]] = {}
    for error in result["errors"]:
        by_index.setdefault(error["index"], set()).add(error["code"])
        assert error["message"]
    assert by_index == {
        1: {"UNKNOWN_NAME"},
        2: {"BAD_VALUE", "UNKNOWN_NAME"},
        3: {"IS_COMPONENT"},
        4: {"BAD_VALUE"},
    }
    paths = {error["path"] for error in result["errors"] if error["index"] == 2}
    assert paths == {"/ratedFlow", "/nmae"}
    assert fresh.ask("{ twins { totalCount } }") == {"twins": {"totalCount": 0}}


def test_patches_merge_and_versions_guard(fresh: Plant) -> None:
    twins = [{"id": "P1", "model": "Pump", "values": {"name": "a", "ratedFlow": 1}, "ifVersion": 0}]
    fresh.ask(WRITE, twins=twins)
    patch = """mutation($p: [TwinPatch!]!) {
      patchTwins(patches: $p) { written errors { index code } } }"""
    first = [{"id": "P1", "merge": {"name": None, "motor": {"power": 3}}, "ifVersion": 1}]
    assert fresh.ask(patch, p=first)["patchTwins"] == {"written": 1, "errors": []}
    assert fresh.ask(patch, p=first)["patchTwins"] == {
        "written": 0,
        "errors": [{"index": 0, "code": "STALE_VERSION"}],
    }
    found = fresh.ask('{ twin(id: "P1") { _version _values } }')["twin"]
    assert found == {"_version": 2, "_values": {"ratedFlow": 1.0, "motor": {"power": 3.0}}}
    again = fresh.ask(WRITE, twins=twins)["writeTwins"]["errors"]
    assert [error["code"] for error in again] == ["EXISTS"]


def test_deleting_twins_and_relationships(fresh: Plant) -> None:
    fresh.fill()
    delete = (
        "mutation($k: [RelationshipKey!]!) { deleteRelationships(relationships: $k) { written } }"
    )
    fresh.ask(delete, k=[{"source": "P1", "id": "e1"}])
    assert fresh.ask("{ Pump { nodes { id feeds { totalCount } } } }")["Pump"]["nodes"][0] == {
        "id": "P1",
        "feeds": {"totalCount": 1},
    }
    assert fresh.ask('mutation { deleteTwins(ids: ["P1"]) { written errors { code } } }') == {
        "deleteTwins": {"written": 1, "errors": []}
    }
    assert fresh.ask('{ twin(id: "P1") { id } m: twin(id: "P1/motor") { id } }') == {
        "twin": None,
        "m": None,
    }
    result = fresh.ask('mutation { deleteTwins(ids: ["P1"]) { written errors { code } } }')
    assert result["deleteTwins"] == {"written": 0, "errors": [{"code": "UNKNOWN_TWIN"}]}


def test_mutations_run_one_after_the_other(fresh: Plant) -> None:
    found = fresh.ask(
        'mutation { a: writeTwins(twins: [{id: "X", model: "Tank"}]) { written } '
        'b: patchTwins(patches: [{id: "X", merge: {volume: 1}}]) { written } '
        'c: deleteTwins(ids: ["X"]) { written } d: deleteTwins(ids: ["X"]) { written } }'
    )
    assert [found[key]["written"] for key in "abcd"] == [1, 1, 1, 0]


def test_a_model_loaded_through_graphql_has_a_type_at_once() -> None:
    empty = Plant([])
    assert empty.ask("{ models { id } twins { totalCount } }") == {
        "models": [],
        "twins": {"totalCount": 0},
    }
    load = (
        "mutation($d: [JSON!]!, $s: [JSON!]) { loadModels(documents: $d, "
        "dependencies: $s) { loaded unchanged names } }"
    )
    sidecar = (
        "version: 1\ninterfaces:\n  dtmi:plant:Pump;1:\n    contents:\n      "
        "motor: {dependent: source}\n"
    )
    found = empty.ask(load, d=MODELS, s=[sidecar])["loadModels"]
    assert found["names"]["dtmi:plant:Pump;1"] == "Pump"
    assert len(found["loaded"]) == 7
    assert empty.ask("{ Pump { totalCount } }") == {"Pump": {"totalCount": 0}}
    assert empty.ask(load, d=MODELS[:1])["loadModels"]["unchanged"] == ["dtmi:plant:Asset;1"]
    assert "motor" in empty.graph.dependencies.feeds["dtmi:plant:Pump;1"]
    empty.close()


def test_a_bad_model_lists_all_its_problems(fresh: Plant) -> None:
    load = "mutation($d: [JSON!]!) { loadModels(documents: $d) { loaded } }"
    bad = interface("Bad", prop("a", "flaot"), prop("b", "strnig"), extends=7)
    error = fresh.refusal(load, d=[bad])
    assert error["code"] == "BAD_MODEL"
    assert len(error["problems"]) >= 3
    assert all(problem["message"] and problem["code"] for problem in error["problems"])
    missing = interface("Lonely", extends="dtmi:plant:Nobody;1")
    error = fresh.refusal(load, d=[missing])
    assert error["code"] == "BAD_MODEL"
    assert error["undefined"] == ["dtmi:plant:Nobody;1"]
    changed = interface("Note", prop("text", "double"))
    assert fresh.refusal(load, d=[changed])["code"] == "EXISTS"
    for nonsense in ("{not json", 5, [], None):
        documents: list[Any] = [nonsense]
        answer = fresh.answer(load, variables={"d": documents})
        assert answer.get("errors") or answer["data"]["loadModels"]["loaded"] == []
        for one in answer.get("errors", []):
            assert one["extensions"]["code"] in ("BAD_MODEL", "BAD_QUERY"), one


def test_only_an_admin_writes_and_who_only_ingests_reads_nothing(fresh: Plant) -> None:
    write = 'mutation { writeTwins(twins: [{id: "X", model: "Tank"}]) { written } }'
    for role in ("viewer", "operator"):
        error = fresh.answer(write, role=role)["errors"][0]
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert fresh.answer("{ twins { totalCount } }", role=role)["data"] == {
            "twins": {"totalCount": 0}
        }
    refused = fresh.answer("{ twins { totalCount } }", role="ingest")
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "data" not in refused


def test_a_mutation_is_not_done_where_only_questions_are_allowed(fresh: Plant) -> None:
    write = 'mutation { writeTwins(twins: [{id: "X", model: "Tank"}]) { written } }'
    refused = fresh.answer(write, allow_mutation=False)
    assert refused["status"] == 405
    assert refused["errors"][0]["extensions"]["code"] == "BAD_QUERY"
    assert fresh.ask("{ twins { totalCount } }") == {"twins": {"totalCount": 0}}
