"""Writes through a connection that is cut, and more questions than the server has answers for."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pytest

from tests.graph.contract.conftest import NEO4J
from tests.graph.plant import DOCUMENTS, PUMP, TANK
from tests.servers.neo4j import Neo4jServer
from tests.servers.proxy import Proxy, proxy
from twinfall.graph.graph import Graph
from twinfall.graph.neo4j import Neo4jStore
from twinfall.graph.neo4j.connection import ATTEMPTS, POOL
from twinfall.graph.plan import Fetch, Page, Select
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ontology.errors import BadSettings, Conflict, Unavailable

pytestmark = list(NEO4J)
EVERYTHING = Fetch(Page(100), Select(whole=True))
BOLT_COMMIT = bytes.fromhex("0002b0120000")
"""The whole COMMIT message, framed."""
Cut = Callable[[], None]


@pytest.fixture
def wire(neo4j: Neo4jServer) -> Iterator[Proxy]:
    neo4j.empty()
    host, _, port = neo4j.uri.partition("://")[2].partition(":")
    with proxy(host, int(port)) as between:
        yield between


def opened(wire: Proxy, server: Neo4jServer, folder: Path) -> Neo4jStore:
    uri = f"bolt://127.0.0.1:{wire.port}"
    return Neo4jStore(uri, server.user, server.password, feed=folder / "feed.sqlite")


@pytest.fixture
def graph(wire: Proxy, neo4j: Neo4jServer, tmp_path: Path) -> Iterator[Graph]:
    """A graph of the plant, with the proxy between it and the server."""
    store = opened(wire, neo4j, tmp_path)
    graph = Graph(store)
    graph.load_models(DOCUMENTS)
    yield graph
    store.close()


def until_drained(server: Neo4jServer) -> None:
    pause = threading.Event()
    with server.driver() as driver:
        while driver.execute_query("MATCH (c:_Change) RETURN c LIMIT 1").records:
            pause.wait(0.05)


@pytest.fixture(params=["before the server hears of it", "after the server has committed"])
def cut(request: pytest.FixtureRequest, wire: Proxy, neo4j: Neo4jServer) -> Cut:
    """Cuts the next commit, once the changes so far are drained, which takes a commit too."""
    how = wire.cut_before_request if "before" in request.param else wire.cut_after_request

    def cut() -> None:
        until_drained(neo4j)
        how(BOLT_COMMIT)

    return cut


def test_a_twin_whose_commit_is_cut_is_written_once(graph: Graph, wire: Proxy, cut: Cut) -> None:
    cut()
    report = graph.write_twins([TwinInput("P1", PUMP, {"motor": {}, "spare": {}})])
    assert wire.cuts == report.written == 1
    assert graph.store.nodes(["P1"])["P1"].version == 1
    assert [change.subject for change in graph.changes(0)] == ["models", "P1"]
    assert report.cursor == graph.cursor() == 2


def test_relationships_and_deletions_whose_commits_are_cut_are_made_once(
    graph: Graph, wire: Proxy, cut: Cut
) -> None:
    graph.write_twins([TwinInput("T1", TANK), TwinInput("T2", TANK)])
    cut()
    graph.write_relationships([RelationshipInput("T1", "near", "T2")])
    assert len(graph.store.edges_at(["T1"])) == 1
    cut()
    assert graph.delete_twins(["T1"]).written == 1
    assert not graph.store.nodes(["T1"])
    assert wire.cuts == 2
    assert [change.kind for change in graph.changes(3)] == [
        "relationshipWritten",
        "relationshipDeleted",
        "twinDeleted",
    ]


def test_commits_cut_again_and_again_are_unavailable_and_write_nothing(
    graph: Graph, wire: Proxy
) -> None:
    wire.cut_before_request(BOLT_COMMIT, 10 * ATTEMPTS)  # those of the heartbeat and the drain too
    with pytest.raises(Unavailable):
        graph.write_twins([TwinInput("T1", TANK)])
    wire.cut_before_request(BOLT_COMMIT, 0)
    assert not graph.store.nodes(["T1"])
    assert graph.write_twins([TwinInput("T1", TANK)]).written == 1


def test_taking_the_graph_survives_a_cut_commit(
    wire: Proxy, cut: Cut, neo4j: Neo4jServer, tmp_path: Path
) -> None:
    cut()
    store = opened(wire, neo4j, tmp_path)
    (tmp_path / "second").mkdir()
    with pytest.raises(Conflict):
        neo4j.store(tmp_path / "second")
    store.close()


def test_more_questions_than_connections_are_unavailable_not_hung(
    graph: Graph, wire: Proxy
) -> None:
    def ask(_: int) -> bool:
        try:
            return graph.fetch(EVERYTHING) is not None
        except Unavailable:
            return False

    wire.hold(b"MATCH (n")
    with ThreadPoolExecutor(POOL + 4) as threads:
        asked = [threads.submit(ask, n) for n in range(POOL + 4)]
        first = next(as_completed(asked)).result()
        wire.let_go()
        answers = [one.result() for one in asked]
    assert first is False  # while the others wait for their answers
    assert answers.count(True) >= POOL


def test_a_server_that_is_too_old_is_a_bad_setting(
    wire: Proxy, neo4j: Neo4jServer, tmp_path: Path
) -> None:
    def aged(answer: bytes) -> bytes:
        return re.sub(rb"Neo4j/(\d+)", lambda m: b"Neo4j/" + b"4".rjust(len(m[1]), b"0"), answer)

    wire.alter = aged
    with pytest.raises(BadSettings, match=r"5\.26 or later"):
        opened(wire, neo4j, tmp_path)
