"""One writer per graph: who holds it, who may take it over, and what becomes of the old holder."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.graph.contract.conftest import NEO4J, with_plant
from tests.graph.plant import TANK, plant
from tests.servers.neo4j import Neo4jServer
from twinfall.graph.neo4j import Neo4jStore
from twinfall.graph.twins import Batch, Change, Node
from twinfall.ontology.errors import BadSettings, Conflict

pytestmark = list(NEO4J)
T = Node("T", TANK, {}, 1, "T")
WRITTEN = Change(0, "twinWritten", "T", TANK, 1, None, {}, "2026-11-23T06:30:00Z", "ada", "")


def silence(server: Neo4jServer) -> None:
    """The lease as it is when its holder has not been heard of for an hour."""
    with server.driver() as driver:
        driver.execute_query(
            "MATCH (l:_Lease) SET l.heartbeat = timestamp() - 3600000", database_="neo4j"
        )


def test_a_second_process_learns_who_has_the_graph(neo4j: Neo4jServer, tmp_path: Path) -> None:
    with neo4j.fresh_store():
        with pytest.raises(Conflict) as caught:
            neo4j.store(tmp_path)
        assert caught.value.code == "GRAPH_IN_USE"
        assert f"process {os.getpid()} on " in str(caught.value)
        assert "tests" in str(caught.value)


def test_a_graph_given_back_is_free_at_once(neo4j: Neo4jServer, tmp_path: Path) -> None:
    with neo4j.fresh_store():
        pass
    neo4j.store(tmp_path).close()


def _take_over(neo4j: Neo4jServer, folder: Path) -> Neo4jStore:
    """Take a graph whose holder is silent; it may have spoken just in between."""
    for _ in range(20):
        silence(neo4j)
        try:
            return neo4j.store(folder, holder="http://other:8000")
        except Conflict:
            continue
    raise AssertionError("the holder is never silent")


def test_a_former_holder_is_refused_after_a_takeover(neo4j: Neo4jServer, tmp_path: Path) -> None:
    with neo4j.fresh_store() as old:
        with_plant(old, plant())
        new = _take_over(neo4j, tmp_path)
        try:
            with pytest.raises(Conflict) as caught:
                old.apply(Batch("late", (T,)))
            assert caught.value.code == "GRAPH_IN_USE"
            assert "http://other:8000" in str(caught.value)
            assert new.nodes(["T"]) == {}
            old.close()  # must not give back what is another's now
            with_plant(new, plant())
            new.apply(Batch("mine", (T,)))
            assert set(new.nodes(["T"])) == {"T"}
        finally:
            new.close()


def test_the_graph_of_a_crashed_process_is_free_at_once(neo4j: Neo4jServer, tmp_path: Path) -> None:
    neo4j.empty()
    program = (
        "import os, sys; from pathlib import Path; from twinfall.graph.neo4j import Neo4jStore;"
        "Neo4jStore(*sys.argv[1:4], feed=Path(sys.argv[4])); os._exit(9)"
    )
    arguments = [neo4j.uri, neo4j.user, neo4j.password, str(tmp_path / "feed.sqlite")]
    crashed = subprocess.run([sys.executable, "-c", program, *arguments], check=False, timeout=60)
    assert crashed.returncode == 9
    neo4j.store(tmp_path).close()


def test_changes_left_in_the_graph_by_a_crash_are_drained_at_the_next_start(
    neo4j: Neo4jServer, tmp_path: Path
) -> None:
    neo4j.empty()
    store = neo4j.store(tmp_path)
    with_plant(store, plant())
    store.close()
    with neo4j.driver() as driver:
        driver.execute_query(
            "MATCH (l:_Lease) SET l.seq = 2 CREATE (:_Change {seq: 2, kind: 'twinWritten',"
            " subject: 'T', at: '2026-11-23T06:30:00Z', who: 'ada', why: ''})",
            database_="neo4j",
        )
    store = neo4j.store(tmp_path)
    try:
        assert [(c.seq, c.subject) for c in store.changes(1)] == [(2, "T")]
        assert store.cursor() == 2
    finally:
        store.close()


def left_behind(server: Neo4jServer) -> int:
    with server.driver() as driver:
        found = driver.execute_query("MATCH (c:_Change) RETURN count(c)", database_="neo4j")
    return int(found.records[0][0])


def test_a_closed_store_leaves_no_changes_in_the_graph(neo4j: Neo4jServer, tmp_path: Path) -> None:
    neo4j.empty()
    store = neo4j.store(tmp_path)
    with_plant(store, plant())
    store.apply(Batch("one", (T,), changes=(WRITTEN,)))
    store.close()
    assert left_behind(neo4j) == 0


def test_a_change_feed_of_another_graph_is_refused(neo4j: Neo4jServer, tmp_path: Path) -> None:
    neo4j.empty()
    store = neo4j.store(tmp_path)
    with_plant(store, plant())
    store.close()
    neo4j.empty()
    with pytest.raises(BadSettings, match="do not belong together"):
        neo4j.store(tmp_path)
    neo4j.empty()  # the refusal gave the lease back
    with neo4j.fresh_store() as other:
        assert isinstance(other, Neo4jStore)


def test_a_long_write_does_not_lose_the_lease(neo4j: Neo4jServer, tmp_path: Path) -> None:
    with neo4j.fresh_store() as store:
        with_plant(store, plant())
        while left_behind(neo4j):
            pass  # draining is a heartbeat too
        with neo4j.driver() as driver, driver.session(database="neo4j") as session:
            # As if the write took an hour: no heartbeat gets past the lock that it holds.
            held = session.begin_transaction()
            held.run(
                "MATCH (l:_Lease) SET l.locked = true, l.heartbeat = timestamp() - 3600000"
            ).consume()
            with ThreadPoolExecutor() as threads:
                written = threads.submit(store.apply, Batch("long", (T,)))
                held.commit()
                written.result()
        with pytest.raises(Conflict):
            neo4j.store(tmp_path)
