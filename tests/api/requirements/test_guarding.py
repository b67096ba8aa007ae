"""An import is judged and taken in one go: what others write meanwhile is never left out of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.api.requirements.test_commands import MORE, lines, one_feed, requirements, row
from tests.api.running import Server, plant, served, twinfall
from twinfall.api.requirements.breaking import BreaksRequirement
from twinfall.api.requirements.guarding import Guard
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import ImportReport, import_rows
from twinfall.graph.sqlite import SQLiteStore

FEW = requirements(row("P1 carries two", {"impact": {"assets": {"max": 2}}}, {"ids": ["P1"]}))


def _tanks(*ids: str) -> list[bytes]:
    """Tanks that P1 feeds."""
    tanks = [{"$dtId": id_, "$metadata": {"$model": "dtmi:test:Tank;1"}} for id_ in ids]
    feeds = [{"$sourceId": "P1", "$relationshipName": "feeds", "$targetId": id_} for id_ in ids]
    rows = [{"Section": "Twins"}, *tanks, {"Section": "Relationships"}, *feeds]
    return [orjson.dumps(one) for one in rows]


@pytest.fixture
def graph() -> Iterator[Graph]:
    """P1 and P2 feed T1."""
    store = SQLiteStore(":memory:")
    made = Graph(store)
    import_rows(made, plant().splitlines())
    yield made
    store.close()


def _take(graph: Graph, *ids: str, waiting: Callable[[], None] = lambda: None) -> ImportReport:
    guard = Guard(FEW, waiting)
    return guard.take(graph, lambda: _tanks(*ids), lambda rows: import_rows(graph, rows))


def _ids(graph: Graph) -> set[str]:
    return set(graph.store.nodes(["T1", "T2", "T3", "T4"]))


def test_what_breaks_nothing_goes_in_and_what_does_leaves_nothing(graph: Graph) -> None:
    cursor = graph.cursor()
    with pytest.raises(BreaksRequirement) as refused:
        _take(graph, "T2", "T3")

    assert graph.cursor() == cursor
    [finding] = refused.value.findings
    assert finding["name"] == "P1 carries two"
    assert _take(graph, "T2").twins == 1
    assert _ids(graph) == {"T1", "T2"}


def test_what_is_written_while_it_is_judged_is_judged_with_it(graph: Graph) -> None:
    written = False

    def meanwhile() -> None:
        nonlocal written
        if not written:
            written = True
            import_rows(graph, _tanks("T3"))

    with pytest.raises(BreaksRequirement):
        _take(graph, "T2", waiting=meanwhile)

    assert _ids(graph) == {"T1", "T3"}


def test_a_refusal_that_no_longer_holds_is_none(graph: Graph) -> None:
    import_rows(graph, _tanks("T3"))
    deleted = False

    def meanwhile() -> None:
        nonlocal deleted
        if not deleted:
            deleted = True
            graph.delete_twins(["T3"])

    _take(graph, "T2", waiting=meanwhile)

    assert _ids(graph) == {"T1", "T2"}


def test_nobody_writes_between_the_verdict_and_the_import(graph: Graph) -> None:
    writer = threading.Thread(target=lambda: import_rows(graph, _tanks("T3")))
    seen: list[Any] = []

    def take(rows: Iterable[bytes]) -> ImportReport:
        writer.start()
        writer.join(0.2)
        seen.append((writer.is_alive(), _ids(graph)))
        return import_rows(graph, rows)

    report = Guard(FEW).take(graph, lambda: _tanks("T2"), take)
    writer.join()

    assert seen == [(True, {"T1"})]
    assert [one.subject for one in graph.changes(report.cursor)][:1] == ["T3"]


# -- with a server --------------------------------------------------------------------------


def _sent(server: Server, *ids: str, text: str = FEW) -> list[Any]:
    body = b"\n".join([orjson.dumps({"requirements": text}), *_tanks(*ids)])
    headers = {"Content-Type": "application/x-ndjson"}
    answer = server.send("POST", "/import?requirements=first", body, headers)
    return [orjson.loads(line) for line in answer.body.splitlines()]


def test_of_two_imports_that_break_it_together_one_goes_in(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    with served(tmp_path) as server:
        for _ in range(5):
            ends: dict[str, Any] = {}

            def send(id_: str, ends: dict[str, Any] = ends) -> None:
                ends[id_] = _sent(server, id_)[-1]

            threads = [threading.Thread(target=send, args=(id_,)) for id_ in ("T2", "T3")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            taken = {id_ for id_, end in ends.items() if "report" in end}
            there = {
                one["id"]
                for one in server.ask('{ twins(model: "Tank") { nodes { id } } }').json["data"][
                    "twins"
                ]["nodes"]
            }
            assert len(taken) == 1
            assert there == {"T1", *taken}
            server.ask("mutation($i: [ID!]!) { deleteTwins(ids: $i) { written } }", {"i": [*taken]})


def test_a_running_server_refuses_it_whole_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    one_feed(tmp_path)
    (tmp_path / "more.ndjson").write_bytes(lines(MORE))
    (tmp_path / "tank.ndjson").write_bytes(lines(MORE[:2]))
    with served(tmp_path) as server:
        before = twinfall(tmp_path, "export").out
        refused = twinfall(tmp_path, "import", "more.ndjson", "--assert", "r.json")
        after = twinfall(tmp_path, "export").out
        taken = twinfall(tmp_path, "import", "tank.ndjson", "--assert", "r.json")
        odd = _sent(server, "T9", text="version: 2")
        none = server.send(
            "POST", "/import?requirements", b"{}\n", {"Content-Type": "application/x-ndjson"}
        )

    assert (refused.status, taken.status) == (1, 0)
    assert "P1: it takes along 2 assets (1 allowed)" in refused.err
    assert "BREAKS_REQUIREMENT" in refused.err
    assert after == before
    assert odd[-1]["errors"][0]["extensions"]["code"] == "BAD_REQUIREMENTS"
    assert orjson.loads(none.body)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
