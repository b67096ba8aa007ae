"""Refused readings: seen, tried again, thrown away, through GraphQL and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.api.running import served, twinfall
from tests.api.telemetry.mill import MODELS, Works, fill, row, text, working
from twinfall.api.keys import Keys
from twinfall.graph.twins import TwinInput

T0 = 1_780_000_000
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path) as made:
        fill(made)
        yield made


def refuse(works: Works) -> None:
    """Four refused readings: two of an unknown twin, a bad value, a line nobody can read."""
    bad = [row("M9", T0, flow=1, load=2), row("M1", T0, flow="x")]
    assert works.http("POST", "/ingest", json=bad).json()["refused"] == 3
    assert works.http("POST", "/write", content=b"p,twin=M1 flow=oops").status_code == 400


LIST = """{ deadLetterCounts { code count }
  deadLetters { totalCount nodes { id code source twin name message raw at } } }"""


def test_what_was_refused_is_kept_with_reason_source_and_bytes(works: Works) -> None:
    refuse(works)
    found = works.ask(LIST)
    counts = {one["code"]: one["count"] for one in found["deadLetterCounts"]}
    assert counts == {"BAD_LINE": 1, "BAD_VALUE": 1, "UNKNOWN_TWIN": 2}

    nodes = found["deadLetters"]["nodes"]
    assert found["deadLetters"]["totalCount"] == len(nodes) == 4
    unknown = [node for node in nodes if node["code"] == "UNKNOWN_TWIN"]
    assert {(node["twin"], node["name"], node["source"]) for node in unknown} == {
        ("M9", "flow", "http"),
        ("M9", "load", "http"),
    }
    [line] = [node for node in nodes if node["code"] == "BAD_LINE"]
    assert line["raw"] == "p,twin=M1 flow=oops"


def test_letters_come_in_pages_of_one_reason(works: Works) -> None:
    works.http("POST", "/ingest", json=[row("M9", T0 + i, flow=i) for i in range(7)])
    works.http("POST", "/ingest", json=[row("M1", T0, flow="x")])
    seen: list[str] = []
    after = None
    ask = """query($after: String) { deadLetters(code: "UNKNOWN_TWIN", first: 3, after: $after) {
      totalCount nodes { id code } pageInfo { hasNextPage endCursor } } }"""
    while True:
        page = works.ask(ask, after=after)["deadLetters"]
        assert page["totalCount"] == 7
        seen += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(set(seen)) == len(seen) == 7


def test_a_letter_that_is_right_by_now_is_stored_when_it_is_tried_again(works: Works) -> None:
    refuse(works)
    ids = [node["id"] for node in works.ask(LIST)["deadLetters"]["nodes"]]
    works.services.graph.write_twins([TwinInput("M9", "dtmi:mill:Mill;1", {})])
    replay = "mutation($ids: [ID!]!) { replayDeadLetters(ids: $ids) { stored refused } }"

    assert works.ask(replay, ids=ids)["replayDeadLetters"] == {"stored": 2, "refused": 2}
    found = works.ask('{ twin(id: "M9") { _telemetry { name value time } } }')["twin"]
    assert found["_telemetry"] == [
        {"name": "flow", "value": 1.0, "time": text(T0)},
        {"name": "load", "value": 2.0, "time": text(T0)},
    ]
    left = works.ask(LIST)["deadLetters"]["nodes"]
    assert {node["code"] for node in left} == {"BAD_VALUE", "BAD_LINE"}
    assert not {node["id"] for node in left} & set(ids)


def test_discarded_letters_are_gone(works: Works) -> None:
    refuse(works)
    ids = [node["id"] for node in works.ask(LIST)["deadLetters"]["nodes"]]
    discard = "mutation($ids: [ID!]!) { discardDeadLetters(ids: $ids) { discarded } }"
    assert works.ask(discard, ids=ids[:3])["discardDeadLetters"] == {"discarded": 3}
    assert works.ask(discard, ids=ids)["discardDeadLetters"] == {"discarded": 1}
    assert works.ask(LIST)["deadLetters"]["totalCount"] == 0
    assert works.refusal(discard, ids=["x"]) == "BAD_QUERY"
    assert works.refusal(discard, ids=["1"] * 1001) == "TOO_COSTLY"


def test_only_operators_work_with_letters(works: Works) -> None:
    refuse(works)
    keys = Keys(works.services.folder)
    made = datetime(2026, 1, 1, tzinfo=UTC)
    shown = {role: keys.create(role, role, made) for role in ("viewer", "operator")}  # type: ignore[arg-type]

    def code(role: str, query: str) -> Any:
        headers = {"Authorization": f"Bearer {shown[role]}"}
        body = works.http("POST", "/graphql", json={"query": query}, headers=headers).json()
        return body["errors"][0]["extensions"]["code"] if "errors" in body else None

    discard = 'mutation { discardDeadLetters(ids: ["1"]) { discarded } }'
    for query in (LIST, discard, 'mutation { replayDeadLetters(ids: ["1"]) { stored } }'):
        assert code("viewer", query) == "FORBIDDEN"
    assert code("operator", LIST) is None
    assert code("operator", discard) is None
    assert code("viewer", "{ deadLetterCounts { code count } }") is None


@pytest.fixture
def mill_file(tmp_path: Path) -> Path:
    rows: list[Any] = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"}]
    rows += [*MODELS, {"Section": "Twins"}]
    rows += [{"$dtId": "M1", "$metadata": {"$model": "dtmi:mill:Mill;1"}}]
    file = tmp_path / "mill.ndjson"
    file.write_text("\n".join(json.dumps(one) for one in rows))
    return file


def check_commands(folder: Path, **settings: str) -> None:
    """The commands on two letters, one of which will be right once M2 is there."""

    def told(*words: str, status: int = 0) -> Any:
        done = twinfall(folder, "deadletters", *words, "--json", **settings)
        assert done.status == status, done.err
        return json.loads(done.out)

    found = told("list")
    assert found["counts"] == {"BAD_VALUE": 1, "UNKNOWN_TWIN": 1}
    by_code = {letter["code"]: letter["id"] for letter in found["letters"]}
    assert told("show", by_code["BAD_VALUE"])["name"] == "flow"
    raw = twinfall(folder, "deadletters", "show", by_code["BAD_VALUE"], "--raw", **settings)
    assert "x" in json.loads(raw.out).values()
    plain = twinfall(folder, "deadletters", "list", **settings)
    assert "UNKNOWN_TWIN" in plain.out
    assert "M2" in plain.out

    assert twinfall(folder, "deadletters", "replay", **settings).status == 2
    assert twinfall(folder, "deadletters", "show", "999", **settings).status == 1
    twin = {"$dtId": "M2", "$metadata": {"$model": "dtmi:mill:Mill;1"}}
    more = "\n".join(map(json.dumps, [{"Section": "Twins"}, twin]))
    (folder / "more.ndjson").write_text(more)
    assert twinfall(folder, "import", "more.ndjson", **settings).status == 0
    assert told("replay", "--code", "UNKNOWN_TWIN") == {"stored": 1, "refused": 0}
    assert told("replay", "--all", status=1) == {"stored": 0, "refused": 1}
    query = '{ twin(id: "M2") { ... on Mill { flow { value } } } }'
    answer = json.loads(twinfall(folder, "query", query, "--json", **settings).out)
    assert answer["data"]["twin"]["flow"] == {"value": 4.0}
    assert told("discard", "--all") == {"discarded": 1}
    assert told("list") == {"counts": {}, "total": 0, "letters": []}


def test_the_commands_work_with_a_running_server(tmp_path: Path, mill_file: Path) -> None:
    with served(tmp_path) as server:
        body = mill_file.read_bytes()
        sent = server.send("POST", "/import", body, {"Content-Type": "application/x-ndjson"})
        assert sent.status == 200
        rows = [row("M2", T0, flow=4), row("M1", T0, flow="x")]
        assert server.send("POST", "/ingest", json.dumps(rows).encode(), JSON).status == 200
        check_commands(tmp_path)
        assert server.stop() == 0


def test_the_commands_open_the_folder_themselves_without_a_server(
    tmp_path: Path, mill_file: Path
) -> None:
    assert twinfall(tmp_path, "import", str(mill_file)).status == 0
    (tmp_path / "day.csv").write_text(
        f"twin,name,value,time\nM2,flow,4,{text(T0)}\nM1,flow,x,{text(T0)}\n"
    )
    assert twinfall(tmp_path, "replay", "day.csv").status == 1
    check_commands(tmp_path)
