"""The arrays of a large graph are kept for the next start, and never answer for another graph."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.analytics.plant import DOCUMENTS, PREFIX
from tests.servers.neo4j import Neo4jServer
from twinfall.analytics import AssetNetwork, snapshot, topology_request
from twinfall.api.keeping import KeptArrays
from twinfall.api.networks import LiveNetwork
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.store import Topology, TopologyRequest
from twinfall.graph.twins import RelationshipInput, TwinInput, TwinPatch

UNIT = f"{PREFIX}Unit;1"
DECLARED = {
    UNIT: {
        "asset": {"customers": {"from": "people", "default": 1}},
        "contents": {"needs": {"dependent": "source"}},
    }
}


class CountedStore(SQLiteStore):
    """Says how often the whole graph was read."""

    read = 0

    def topology(self, request: TopologyRequest) -> Topology:
        self.read += 1
        return super().topology(request)


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[CountedStore, Graph]]:
    store = CountedStore(folder / "graph.sqlite", holder="tests")
    try:
        yield store, Graph(store)
    finally:
        store.close()


def _fill(graph: Graph, ids: str = "ABC") -> None:
    graph.load_models(DOCUMENTS, [{"version": 1, "interfaces": DECLARED}])
    graph.write_twins([TwinInput(id_, UNIT) for id_ in ids])
    graph.write_relationships([RelationshipInput("B", "needs", "A")])


def _networks(folder: Path, graph: Graph, worthwhile: float = 0.0) -> LiveNetwork:
    kept = KeptArrays(folder / "graph.arrays", graph, worthwhile=worthwhile)
    return LiveNetwork(graph, kept=kept)


def _fresh(graph: Graph) -> AssetNetwork:
    request = topology_request(graph.ontology, graph.dependencies)
    return AssetNetwork.compile(graph.topology(request), graph.ontology, graph.dependencies)


def _kept(folder: Path) -> None:
    """A filled graph whose arrays are kept."""
    with _opened(folder) as (_, graph):
        _fill(graph)
        networks = _networks(folder, graph)
        networks.current()
        networks.close()


def test_a_start_takes_the_kept_arrays_and_follows_what_was_written_since(tmp_path: Path) -> None:
    _kept(tmp_path)

    with _opened(tmp_path) as (store, graph):
        graph.write_relationships([RelationshipInput("C", "needs", "B")])
        found = _networks(tmp_path, graph).current()

        assert store.read == 0
        assert [one.id for one in found.impact(["A"]).affected()] == ["B", "C"]
        assert found.snapshot == _fresh(graph).snapshot


def test_arrays_can_be_on_their_way_before_anybody_asks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _kept(tmp_path)

    with _opened(tmp_path) as (store, graph), caplog.at_level(logging.INFO, "twinfall.networks"):
        networks = _networks(tmp_path, graph)
        networks.begin()
        graph.write_relationships([RelationshipInput("C", "needs", "B")])
        assert networks.current().impact(["A"]).count == 2
        networks.close()
        assert sum("taken in" in line for line in caplog.messages) == 1
        assert store.read == 0

        unasked = _networks(tmp_path, graph)
        unasked.begin()
        unasked.close()
        assert sum("taken in" in line for line in caplog.messages) == 2


def test_what_changed_while_the_service_ran_is_kept_when_it_stops(tmp_path: Path) -> None:
    _kept(tmp_path)
    with _opened(tmp_path) as (_, graph):
        networks = _networks(tmp_path, graph)
        networks.current()
        graph.patch_twins([TwinPatch("B", {"people": 7})])
        assert networks.current().impact(["A"]).totals.customers == 7
        networks.close()
        cursor = graph.cursor()

    with _opened(tmp_path) as (_, graph):
        found = KeptArrays(tmp_path / "graph.arrays", graph).load(_fresh(graph).models)

        assert found is not None
        assert found.cursor == cursor
        assert found.impact(["A"]).totals.customers == 7


def test_arrays_of_another_graph_are_never_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its feed has as many changes and the same models: only the changes differ."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    _kept(there)
    with _opened(here) as (store, graph):
        _fill(graph, "ABD")
        (there / "graph.arrays").rename(here / "graph.arrays")

        with caplog.at_level(logging.INFO, "twinfall.networks"):
            found = _networks(here, graph).current()

        assert list(found.ids) == ["A", "B", "D"]
        assert store.read == 1
        assert sum("of no use" in line for line in caplog.messages) == 1


def test_arrays_of_a_graph_that_went_back_are_not_taken(tmp_path: Path) -> None:
    _kept(tmp_path)
    for path in tmp_path.glob("graph.sqlite*"):
        path.unlink()

    with _opened(tmp_path) as (store, graph):
        graph.load_models(DOCUMENTS, [{"version": 1, "interfaces": DECLARED}])

        assert list(_networks(tmp_path, graph).current().ids) == []
        assert store.read == 1


def test_arrays_of_other_declarations_are_not_taken(tmp_path: Path) -> None:
    _kept(tmp_path)
    with _opened(tmp_path) as (store, graph):
        needs = {"dependent": "target"}
        graph.load_models(
            [], [{"version": 1, "interfaces": {UNIT: {"contents": {"needs": needs}}}}]
        )

        found = _networks(tmp_path, graph).current()

        assert store.read == 1
        assert [one.id for one in found.impact(["B"]).affected()] == ["A"]


@pytest.mark.parametrize("content", [b"", b"something else", None])
def test_a_file_that_is_of_no_use_is_left_aside(tmp_path: Path, content: bytes | None) -> None:
    _kept(tmp_path)
    path = tmp_path / "graph.arrays"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if content is None else content)

    with _opened(tmp_path) as (store, graph):
        networks = _networks(tmp_path, graph)
        assert [one.id for one in networks.current().impact(["A"]).affected()] == ["B"]
        assert store.read == 1
        networks.close()

    assert path.read_bytes()[:100] == whole[:100], "and it is written anew"


def test_what_was_written_past_the_service_is_noticed_after_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinfall.api.networks.CHECK_SECONDS", 0.01)
    _kept(tmp_path)
    with closing(sqlite3.connect(tmp_path / "graph.sqlite")) as db, db:
        db.execute("DELETE FROM relationships")

    with _opened(tmp_path) as (store, graph):
        networks = _networks(tmp_path, graph)
        for _ in range(1000):
            networks.current()
            if store.read:
                break
            time.sleep(0.01)

        assert networks.current().impact(["A"]).count == 0
        networks.close()


def test_kept_arrays_that_have_everything_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("twinfall.api.networks.CHECK_SECONDS", 0.01)
    _kept(tmp_path)

    with _opened(tmp_path) as (store, graph), caplog.at_level(logging.INFO, "twinfall.networks"):
        machine = TwinInput("M", f"{PREFIX}Machine;1", {"bearing": {}})
        graph.write_twins([machine])
        networks = _networks(tmp_path, graph)
        networks.current()
        _wait_for("as many twins", caplog)
        networks.close()

        assert store.read == 0


def _wait_for(words: str, caplog: pytest.LogCaptureFixture) -> None:
    deadline = time.monotonic() + 30
    while not any(words in line for line in caplog.messages):
        assert time.monotonic() < deadline, caplog.messages
        time.sleep(0.01)


def test_what_is_compiled_in_no_time_is_not_kept(tmp_path: Path) -> None:
    with _opened(tmp_path) as (_, graph):
        _fill(graph)
        networks = _networks(tmp_path, graph, worthwhile=3600.0)
        networks.current()
        networks.close()

    assert not (tmp_path / "graph.arrays").exists()


def test_a_disk_that_takes_nothing_hurts_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _opened(tmp_path) as (_, graph):
        _fill(graph)
        (tmp_path / "file").write_text("in the way")
        kept = KeptArrays(tmp_path / "file" / "graph.arrays", graph, worthwhile=0.0)
        networks = LiveNetwork(graph, kept=kept)

        assert networks.current().impact(["A"]).count == 1
        networks.close()

    assert any("are not kept" in line for line in caplog.messages)


def test_a_busy_graph_is_not_kept_after_every_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    save = snapshot.save

    def counted(path: Path, network: AssetNetwork, trace: str) -> int:
        written.append(network.cursor)
        return save(path, network, trace)

    monkeypatch.setattr(snapshot, "save", counted)
    with _opened(tmp_path) as (_, graph):
        _fill(graph)
        networks = _networks(tmp_path, graph)
        for people in range(20):
            graph.patch_twins([TwinPatch("B", {"people": people})])
            networks.current()
        networks.close()
        cursor = graph.cursor()

    assert len(written) == 2
    assert written[-1] == cursor


def test_so_many_changes_that_reading_is_faster_are_read(tmp_path: Path) -> None:
    with _opened(tmp_path) as (store, graph):
        _fill(graph)
        networks = LiveNetwork(graph)
        networks.current()
        for many, read in ((100, 1), (10_200, 2)):
            twins = [TwinInput(f"X{i}", UNIT) for i in range(many)]
            for start in range(0, many, 10_000):
                graph.write_twins(twins[start : start + 10_000])
            assert len(networks.current().ids) == many + 3
            assert store.read == read


def test_models_that_bind_nothing_new_are_followed(tmp_path: Path) -> None:
    with _opened(tmp_path) as (store, graph):
        _fill(graph)
        networks = LiveNetwork(graph)
        before = networks.current()
        needs = {"dependent": "source", "rule": "any"}
        asset = DECLARED[UNIT]["asset"]
        graph.load_models(
            [],
            [{"version": 1, "interfaces": {UNIT: {"asset": asset, "contents": {"needs": needs}}}}],
        )
        graph.write_relationships([RelationshipInput("B", "needs", "C")])

        found = networks.current()

        assert store.read == 1
        assert found.models != before.models
        assert found.impact(["A"]).count == 0
        assert found.impact(["A", "C"]).count == 1


@pytest.mark.neo4j
@pytest.mark.timeout(400)
def test_a_graph_in_neo4j_is_kept_and_followed_too(
    tmp_path: Path,
    neo4j: Neo4jServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("twinfall.api.networks.CHECK_SECONDS", 0.01)
    neo4j.empty()
    with closing(neo4j.store(tmp_path)) as store:
        graph = Graph(store)
        _fill(graph)
        networks = _networks(tmp_path, graph)
        networks.current()
        networks.close()

    with closing(neo4j.store(tmp_path)) as store:
        graph = Graph(store)
        graph.write_relationships([RelationshipInput("C", "needs", "B")])
        networks = _networks(tmp_path, graph)
        with caplog.at_level(logging.INFO, "twinfall.networks"):
            found = networks.current()
            _wait_for("as many twins", caplog)
            networks.close()

        assert any("taken in" in line for line in caplog.messages)
        assert not any("of no use" in line or "again" in line for line in caplog.messages)
        assert [one.id for one in found.impact(["A"]).affected()] == ["B", "C"]
        assert found.snapshot == _fresh(graph).snapshot
