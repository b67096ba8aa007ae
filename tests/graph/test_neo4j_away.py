"""A server that is away, frozen, back again, wrong, or cut off in the middle of a commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.graph.contract.conftest import NEO4J, with_plant
from tests.graph.plant import TANK, plant
from tests.servers.neo4j import Neo4jServer, neo4j_server, unavailable_reason
from tests.servers.proxy import Proxy, proxy
from twinfall.graph.neo4j import Neo4jStore
from twinfall.graph.plan import Fetch, Page, Select
from twinfall.graph.twins import Batch, Change, Node
from twinfall.ontology.errors import BadSettings, Conflict, TwinError, Unavailable

pytestmark = list(NEO4J)
PATIENCE = 6.0
"""Seconds in which a test insists on an answer; the promise is 2, on a machine that is not busy."""
SECRET = "canary-secret-7341"


@pytest.fixture(scope="module")
def own() -> Iterator[Neo4jServer]:
    """A server of its own, which these tests may stop."""
    reason = unavailable_reason()
    if reason:
        pytest.skip(f"Neo4j: {reason}")
    with neo4j_server() as server:
        if not server.mine:
            pytest.skip("Neo4j: the server named in the environment is not ours to stop")
        yield server


def tank(number: int) -> Batch:
    change = Change(
        0, "twinWritten", f"T{number}", TANK, 1, None, {}, "2026-11-23T06:30:00Z", "", ""
    )
    return Batch(f"b{number}", (Node(f"T{number}", TANK, {}, 1, "T"),), changes=(change,))


def refused_soon(call: Callable[[], object]) -> None:
    start = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        call()
    assert caught.value.code == "STORE_UNAVAILABLE"
    assert caught.value.retryable
    assert time.monotonic() - start < PATIENCE


def calls(store: Neo4jStore) -> list[Callable[[], object]]:
    everything = Fetch(Page(5), Select())
    return [
        store.ping,
        lambda: store.fetch(everything),
        lambda: store.nodes(["T1"]),
        lambda: store.apply(tank(9)),
    ]


def test_a_stopped_server_is_reported_and_used_again_when_it_is_back(own: Neo4jServer) -> None:
    with own.fresh_store() as store:
        with_plant(store, plant())
        store.apply(tank(1))
        own.stop()
        for call in calls(store):
            refused_soon(call)
        own.start()
        store.apply(tank(2))
        assert sorted(store.nodes(["T1", "T2"])) == ["T1", "T2"]
        assert [change.subject for change in store.changes(1)] == ["T1", "T2"]


def test_a_frozen_server_is_reported_and_used_again_when_it_goes_on(own: Neo4jServer) -> None:
    with own.fresh_store() as store:
        with_plant(store, plant())
        own.pause()
        try:
            for call in calls(store):
                refused_soon(call)
        finally:
            own.go_on()
        soon = time.monotonic() + 30
        while True:
            try:
                store.apply(tank(9))  # the frozen one may have been written, and is the same batch
                break
            except Unavailable:
                assert time.monotonic() < soon
        assert set(store.nodes(["T9"])) == {"T9"}


def test_a_server_that_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        Neo4jStore("bolt://127.0.0.1:9", "neo4j", SECRET, feed=tmp_path / "feed.sqlite")


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:7474",
        "bolt://",
        "nonsense",
        "bolt://a:b:c",
        f"bolt://u:{SECRET}@h",
        f"bolt://u:{SECRET}",
    ],
)
def test_an_address_that_cannot_be_one_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(BadSettings) as caught:
        Neo4jStore(uri, "neo4j", SECRET, feed=tmp_path / "feed.sqlite")
    assert SECRET not in told(caught.value)
    assert caught.value.cure


def told(error: BaseException) -> str:
    """Everything an error and its causes say."""
    chain = repr(error) + str(error) + (error.cure if isinstance(error, TwinError) else "")
    below = error.__cause__ or error.__context__
    return chain + (told(below) if below else "")


def test_a_wrong_password_is_the_operators_and_never_repeated(
    neo4j: Neo4jServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(BadSettings, match="user and password") as caught:
        Neo4jStore(neo4j.uri, neo4j.user, SECRET, feed=tmp_path / "feed.sqlite")
    assert "TWINFALL_NEO4J_PASSWORD" in str(caught.value)
    assert SECRET not in told(caught.value) + caplog.text


def test_a_database_that_is_not_there_is_the_operators(neo4j: Neo4jServer, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="TWINFALL_NEO4J_DATABASE"):
        Neo4jStore(
            neo4j.uri, neo4j.user, neo4j.password, "elsewhere", feed=tmp_path / "feed.sqlite"
        )


def test_a_store_shows_its_address_and_no_password(neo4j: Neo4jServer) -> None:
    with neo4j.fresh_store() as store:
        assert neo4j.password not in repr(store) + str(vars(store))


@pytest.fixture
def cut(neo4j: Neo4jServer) -> Iterator[Proxy]:
    host, _, port = neo4j.uri.partition("://")[2].partition(":")
    with proxy(host, int(port)) as between:
        yield between


def behind(cut: Proxy, server: Neo4jServer, folder: Path) -> Neo4jStore:
    uri = f"bolt://127.0.0.1:{cut.port}"
    store = Neo4jStore(uri, server.user, server.password, feed=folder / "feed.sqlite")
    with_plant(store, plant())  # type: ignore[arg-type]
    return store


BOLT_COMMIT = bytes.fromhex("0002b0120000")
"""The whole COMMIT message, framed."""


@pytest.mark.parametrize("times", [1, 2])
def test_a_commit_of_unknown_outcome_is_written_once(
    neo4j: Neo4jServer, cut: Proxy, tmp_path: Path, times: int
) -> None:
    neo4j.empty()
    store = behind(cut, neo4j, tmp_path)
    try:
        before = store.cursor()
        for number in range(times):
            cut.cut_after_request(BOLT_COMMIT)
            assert store.apply(tank(number)) == before + number + 1
        assert cut.cuts == times
        assert [change.subject for change in store.changes(before)] == [
            f"T{number}" for number in range(times)
        ]
    finally:
        store.close()


def test_models_are_saved_once_when_their_commit_is_cut(
    neo4j: Neo4jServer, cut: Proxy, tmp_path: Path
) -> None:
    neo4j.empty()
    store = behind(cut, neo4j, tmp_path)
    try:
        cut.cut_after_request(BOLT_COMMIT)
        change = Change(0, "modelsLoaded", "models", None, None, None, None, "x", "", "")
        assert store.save_models(plant().stored(), change) == 2
        assert store.cursor() == 2
    finally:
        store.close()


def test_a_connection_cut_in_the_middle_of_a_read_is_made_anew(
    neo4j: Neo4jServer, cut: Proxy, tmp_path: Path
) -> None:
    neo4j.empty()
    store = behind(cut, neo4j, tmp_path)
    try:
        store.apply(tank(1))
        cut.cut_after_request(b"MATCH (n")
        assert [row.id for row in store.fetch(Fetch(Page(5), Select())).rows] == ["T1"]
        assert cut.cuts == 1
    finally:
        store.close()


def test_a_cleared_graph_is_not_written_on(neo4j: Neo4jServer) -> None:
    with neo4j.fresh_store() as store:
        with_plant(store, plant())
        neo4j.empty()
        with pytest.raises(Conflict) as caught:
            store.apply(tank(1))
        assert caught.value.code == "GRAPH_IN_USE"
