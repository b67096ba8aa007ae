"""What a caller sees when the Neo4j server is away, refuses, or loses a commit's answer."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.graph.plant import DOCUMENTS, PUMP, TANK
from tests.servers.neo4j import Neo4jServer
from tests.servers.proxy import Moment, Proxy, proxy_to
from twinfall.graph.graph import Graph
from twinfall.graph.neo4j import Neo4jStore
from twinfall.graph.neo4j.connection import POOL
from twinfall.graph.plan import Fetch, Page, Select
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ontology.errors import BadSettings, Conflict, TwinError, Unavailable

pytestmark = pytest.mark.neo4j
EVERYTHING = Fetch(Page(100), Select(whole=True))
PATIENCE = 60.0


@pytest.fixture
def server(neo4j: Neo4jServer) -> Neo4jServer:
    neo4j.empty()
    return neo4j


@pytest.fixture
def own_server(server: Neo4jServer) -> Neo4jServer:
    """A server that a test may stop."""
    if not server.mine:
        pytest.skip("stops the server: only with one assembled here")
    return server


@pytest.fixture
def proxy(server: Neo4jServer) -> Iterator[Proxy]:
    with proxy_to(server.uri) as proxy:
        yield proxy


@pytest.fixture
def graph(server: Neo4jServer, proxy: Proxy, tmp_path: Path) -> Iterator[Graph]:
    """A graph of the plant, with the proxy between it and the server."""
    store = Neo4jStore(proxy.uri, server.user, server.password, feed=tmp_path / "feed.sqlite")
    graph = Graph(store)
    graph.load_models(DOCUMENTS)
    yield graph
    store.close()


def failure(call: Callable[[], object]) -> TwinError:
    with pytest.raises(TwinError) as found:
        call()
    return found.value


def until_it_answers(call: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.2)):
        try:
            call()
        except Unavailable:
            pause.wait(0.2)
        else:
            return
    call()


# -- settings that cannot work ----------------------------------------------------------------


def opened(server: Neo4jServer, folder: Path, **other: str) -> TwinError:
    settings = {"uri": server.uri, "user": server.user, "password": server.password, **other}
    return failure(lambda: Neo4jStore(**settings, feed=folder / "feed.sqlite"))


def test_a_wrong_password_is_a_bad_setting_and_is_never_repeated(
    server: Neo4jServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    error = opened(server, tmp_path, password="not-the-right-one")
    assert isinstance(error, BadSettings)
    assert "TWINFALL_NEO4J_PASSWORD" in str(error.cure)
    assert "not-the-right-one" not in f"{error} {error!r} {error.__cause__!r} {caplog.text}"


def test_a_database_that_is_not_there_is_a_bad_setting(server: Neo4jServer, tmp_path: Path) -> None:
    error = opened(server, tmp_path, database="elsewhere")
    assert isinstance(error, BadSettings)
    assert "TWINFALL_NEO4J_DATABASE" in str(error.cure)


@pytest.mark.parametrize("uri", ["localhost:7687", "http://localhost:7474", "bolt://"])
def test_an_address_that_is_none_is_a_bad_setting(uri: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="address"):
        Neo4jStore(uri, "neo4j", "x", feed=tmp_path / "feed.sqlite")


def test_an_address_where_nobody_listens_is_unavailable(proxy: Proxy, tmp_path: Path) -> None:
    proxy.close()
    with pytest.raises(Unavailable):
        Neo4jStore(proxy.uri, "neo4j", "x", feed=tmp_path / "feed.sqlite")


def test_a_server_that_is_too_old_is_a_bad_setting(
    server: Neo4jServer, proxy: Proxy, tmp_path: Path
) -> None:
    def aged(answer: bytes) -> bytes:
        return re.sub(rb"Neo4j/(\d+)", lambda m: b"Neo4j/" + b"4".rjust(len(m[1]), b"0"), answer)

    proxy.alter = aged
    error = opened(server, tmp_path, uri=proxy.uri)
    assert isinstance(error, BadSettings)
    assert "5.26 or later" in str(error)


def test_what_a_store_shows_of_itself_has_no_password(server: Neo4jServer) -> None:
    with server.fresh_store() as store:
        assert server.password not in repr(store)
        assert urlsplit(server.uri).netloc in repr(store)


# -- a server that is away --------------------------------------------------------------------


def test_a_stopped_server_is_unavailable_until_it_is_back(own_server: Neo4jServer) -> None:
    with own_server.fresh_store() as store:
        graph = Graph(store)
        graph.load_models(DOCUMENTS)
        graph.write_twins([TwinInput("T1", TANK)])
        own_server.stop()
        try:
            refusals = [
                failure(lambda: graph.fetch(EVERYTHING)),
                failure(lambda: graph.write_twins([TwinInput("T2", TANK)])),
                failure(store.ping),
            ]
        finally:
            own_server.start()
        until_it_answers(store.ping)
        assert {type(error) for error in refusals} == {Unavailable}
        assert graph.write_twins([TwinInput("T3", TANK)]).written == 1
        assert [row.id for row in graph.fetch(EVERYTHING).rows] == ["T1", "T3"]
        assert [c.subject for c in graph.changes(0)] == ["models", "T1", "T3"]


def test_a_frozen_server_is_unavailable_until_it_goes_on(own_server: Neo4jServer) -> None:
    with own_server.fresh_store() as store:
        graph = Graph(store)
        graph.load_models(DOCUMENTS)
        own_server.pause()
        try:
            refusals = [
                failure(lambda: graph.fetch(EVERYTHING)),
                failure(lambda: graph.write_twins([TwinInput("T1", TANK)])),
                failure(store.ping),
            ]
        finally:
            own_server.go_on()
        until_it_answers(store.ping)
        assert {type(error) for error in refusals} == {Unavailable}
        assert graph.write_twins([TwinInput("T2", TANK)]).written == 1


def test_more_questions_than_connections_are_unavailable_not_hung(
    graph: Graph, proxy: Proxy
) -> None:
    def ask(_: int) -> object:
        return graph.fetch(EVERYTHING)

    with ThreadPoolExecutor(POOL) as threads:
        list(threads.map(ask, range(POOL)))  # opens connections
        proxy.hold()
        held = [threads.submit(ask, n) for n in range(POOL)]
        # Those on old connections wait for their answers, the others get through.
        until_held = threading.Event()
        until_held.wait(0.5)
        error = None
        for _ in range(2 * POOL):
            try:
                graph.fetch(EVERYTHING)
            except Unavailable as unavailable:
                error = unavailable
                break
        proxy.let_go()
        assert all(one.result() is not None for one in held)
    assert error is not None


# -- commits whose answer is lost -------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_write_whose_commit_is_cut_is_made_once(
    graph: Graph, proxy: Proxy, moment: Moment
) -> None:
    proxy.cut_at_commit(moment)
    report = graph.write_twins([TwinInput("P1", PUMP, {"motor": {}, "spare": {}})])
    assert report.written == 1
    assert graph.store.nodes(["P1"])["P1"].version == 1
    assert [c.subject for c in graph.changes(0)] == ["models", "P1"]
    assert report.cursor == graph.cursor() == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_relationships_and_deletions_whose_commits_are_cut_are_made_once(
    graph: Graph, proxy: Proxy, moment: Moment
) -> None:
    graph.write_twins([TwinInput("T1", TANK), TwinInput("T2", TANK)])
    proxy.cut_at_commit(moment)
    graph.write_relationships([RelationshipInput("T1", "near", "T2")])
    assert len(graph.store.edges_at(["T1"])) == 1
    proxy.cut_at_commit(moment)
    assert graph.delete_twins(["T1"]).written == 1
    assert not graph.store.nodes(["T1"])
    assert [c.kind for c in graph.changes(3)] == [
        "relationshipWritten",
        "relationshipDeleted",
        "twinDeleted",
    ]


def test_commits_cut_again_and_again_are_unavailable_and_leave_the_graph_as_it_was(
    graph: Graph, proxy: Proxy
) -> None:
    proxy.cut_at_commit(*["before"] * 20)
    with pytest.raises(Unavailable):
        graph.write_twins([TwinInput("T1", TANK)])
    proxy.cut_at_commit()
    assert not graph.store.nodes(["T1"])
    assert graph.write_twins([TwinInput("T1", TANK)]).written == 1


def test_models_whose_commit_is_cut_are_loaded_once(
    server: Neo4jServer, proxy: Proxy, tmp_path: Path
) -> None:
    store = Neo4jStore(proxy.uri, server.user, server.password, feed=tmp_path / "feed.sqlite")
    graph = Graph(store)
    proxy.cut_at_commit("after")
    graph.load_models(DOCUMENTS)
    assert [c.kind for c in graph.changes(0)] == ["modelsLoaded"]
    store.close()


def test_a_taking_whose_commit_is_cut_takes_the_graph(
    server: Neo4jServer, proxy: Proxy, tmp_path: Path
) -> None:
    proxy.cut_at_commit("after")
    store = Neo4jStore(proxy.uri, server.user, server.password, feed=tmp_path / "feed.sqlite")
    with pytest.raises(Conflict):
        server.store(tmp_path / "elsewhere")
    store.close()


def test_connections_that_were_cut_meanwhile_are_made_anew(graph: Graph, proxy: Proxy) -> None:
    graph.write_twins([TwinInput("T1", TANK)])
    proxy.cut()
    assert [row.id for row in graph.fetch(EVERYTHING).rows] == ["T1"]
    proxy.cut()
    assert graph.write_twins([TwinInput("T2", TANK)]).written == 1
