"""The embedded store's file: durable, owned by one process, clear about what is wrong."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.graph.plant import TANK
from twinfall.graph.plan import (
    Compare,
    Fetch,
    FieldRef,
    IsA,
    Page,
    Related,
    RelationSelect,
    Select,
    Sort,
)
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import Batch, Change, Edge, Node
from twinfall.ontology.errors import BadSettings, Conflict, Refused, Unavailable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "graph.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(path, holder="first")
    yield store
    store.close()


def tanks(count: int, version: int = 1) -> tuple[Node, ...]:
    return tuple(Node(f"T{i}", TANK, {"volume": i * 0.1}, version, "T") for i in range(count))


def test_a_graph_is_there_after_a_restart(path: Path) -> None:
    for version in (1, 2):
        store = SQLiteStore(path)
        assert len(store.nodes(["T0"])) == version - 1
        store.apply(Batch(f"b{version}", tanks(1, version)))
        store.close()
    store = SQLiteStore(path)
    assert store.nodes(["T0"])["T0"].version == 2
    store.close()


def test_an_acknowledged_write_survives_a_killed_process(path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import Batch, Node
store = SQLiteStore(Path({str(path)!r}))
for number in range(10**6):
    store.apply(Batch(f"b{{number}}", (Node(f"T{{number}}", {TANK!r}, {{}}, 1, "T"),)))
    print(number, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(20)][-1]
        child.kill()
    store = SQLiteStore(path)
    found = store.fetch(Fetch(Page(10**6), Select())).rows
    assert len(found) > acknowledged
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()


def test_a_second_holder_is_told_who_has_the_graph(path: Path, store: SQLiteStore) -> None:
    with pytest.raises(Conflict, match=f"process {os.getpid()} first") as caught:
        SQLiteStore(path, holder="second")
    assert caught.value.code == "GRAPH_IN_USE"
    store.close()
    SQLiteStore(path, holder="second").close()


def test_a_file_of_something_else_is_left_alone(path: Path) -> None:
    path.write_bytes(b"this is a letter to my aunt" * 100)
    with pytest.raises(BadSettings, match="not a readable SQLite file"):
        SQLiteStore(path)
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(BadSettings, match="not a Twinfall graph store"):
        SQLiteStore(path)
    assert path.exists()


def test_a_newer_format_is_refused(path: Path, store: SQLiteStore) -> None:
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(BadSettings, match="newer Twinfall") as caught:
        SQLiteStore(path)
    assert caught.value.cure == "upgrade Twinfall"


def test_a_folder_that_is_not_there_or_not_writable_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="none/graph"):
        SQLiteStore(tmp_path / "none" / "graph.sqlite")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSettings):
        SQLiteStore(tmp_path / "file" / "graph.sqlite")


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may write everywhere: whoever is root is nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_read_only_folder_is_named(unprivileged: None) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o500)
        with pytest.raises(BadSettings, match="writable"):
            SQLiteStore(folder / "graph.sqlite")


def test_a_full_disk_loses_nothing_and_heals(store: SQLiteStore) -> None:
    store.apply(Batch("before", tanks(10)))
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="no space left"):
        store.apply(Batch("much", tanks(5000, 2)))
    assert store.nodes(["T0"])["T0"].version == 1
    store._writer.execute("PRAGMA max_page_count = 1000000")
    store.apply(Batch("much", tanks(5000, 2)))
    assert store.nodes(["T0"])["T0"].version == 2


def test_readers_see_each_acknowledged_write_while_others_write(store: SQLiteStore) -> None:
    store.apply(Batch("b0", tanks(50)))
    wrong: list[Any] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            page = store.fetch(Fetch(Page(100, count=True), Select()))
            if len({row.version for row in page.rows}) != 1:
                wrong.append(page)

    readers = [threading.Thread(target=read) for _ in range(12)]
    for reader in readers:
        reader.start()
    for version in range(2, 30):
        store.apply(Batch(f"b{version}", tanks(50, version)))
        assert store.nodes(["T7"])["T7"].version == version
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_chunks_show_one_moment_whatever_is_written_meanwhile(store: SQLiteStore) -> None:
    store.apply(Batch("b1", tanks(3000)))
    chunks = store.scan()
    first, _ = next(chunks)
    store.apply(Batch("b2", tanks(3000, 2), edges=(Edge("T1", "e", "near", "T2"),)))
    rest = list(chunks)
    assert {node.version for nodes in (first, *(n for n, _ in rest)) for node in nodes} == {1}
    assert [edge for _, edges in rest for edge in edges] == []


def test_a_question_is_one_statement(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(*args: Any, **more: Any) -> sqlite3.Connection:
        db = connect(*args, **more)
        db.set_trace_callback(statements.append)
        return db

    monkeypatch.setattr(sqlite3, "connect", traced)
    store = SQLiteStore(path)
    store.apply(
        Batch(
            "b", tanks(200), edges=tuple(Edge("T1", f"e{i}", "near", f"T{i}") for i in range(200))
        )
    )
    volume = FieldRef("volume", "float")
    page = Page(100, where=Related("near", "in", "some", Compare(volume, "gt", 0.0)), count=True)
    select = Select(relations=(("near", RelationSelect("near", "in", page, Select(("volume",)))),))
    plan = Fetch(Page(100, where=IsA((TANK,)), sort=(Sort(volume, True),), count=True), select)
    store.fetch(plan)
    statements.clear()
    answer = store.fetch(plan)
    assert len(answer.rows) == 100
    assert len(statements) == 1
    store.close()


def test_a_plan_beyond_what_sqlite_can_hold_is_refused(store: SQLiteStore) -> None:
    many = tuple((f"r{i}", RelationSelect("near", "out", Page(1), Select())) for i in range(300))
    with pytest.raises(Refused) as caught:
        store.fetch(Fetch(Page(1), Select(relations=many)))
    assert caught.value.code == "TOO_COSTLY"
    where: Any = Compare(FieldRef("volume", "float"), "gt", 1.0)
    for _ in range(50):
        where = Related("near", "out", "some", where)
    with pytest.raises(Refused) as caught:
        store.fetch(Fetch(Page(1, where=where), Select()))
    assert caught.value.code == "TOO_COSTLY"


def test_a_question_without_end_is_broken_off(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    edges = (Edge(f"T{i}", f"e{j}", "near", f"T{j}") for i in range(60) for j in range(60))
    store.apply(Batch("b", tanks(60), edges=tuple(edges)))
    where: Any = Compare(FieldRef("volume", "float"), "gt", 1e9)
    for _ in range(8):
        where = Related("near", "out", "some", where)
    monkeypatch.setattr("twinfall.graph.sqlite.connections.READ_SECONDS", 0.2)
    with pytest.raises(Refused) as caught:
        store.fetch(Fetch(Page(1, where=where), Select()))
    assert caught.value.code == "TOO_COSTLY"
    assert len(store.fetch(Fetch(Page(100), Select())).rows) == 60


def test_a_store_closed_while_somebody_reads_tells_them(store: SQLiteStore) -> None:
    edges = (Edge(f"T{i}", f"e{j}", "near", f"T{j}") for i in range(60) for j in range(60))
    store.apply(Batch("b", tanks(60), edges=tuple(edges)))
    where: Any = Compare(FieldRef("volume", "float"), "gt", 1e9)
    for _ in range(8):
        where = Related("near", "out", "some", where)
    told: list[str] = []

    def read() -> None:
        try:
            store.fetch(Fetch(Page(1, where=where), Select()))
        except Unavailable as error:
            told.append(error.code)

    readers = [threading.Thread(target=read) for _ in range(12)]
    for reader in readers:
        reader.start()
    time.sleep(0.2)
    store.close()
    for reader in readers:
        reader.join()
    assert told == ["STORE_UNAVAILABLE"] * 12


def test_the_throw_away_store_leaves_nothing_behind() -> None:
    store = SQLiteStore(":memory:")
    folder = Path(store._throw_away.name) if store._throw_away else Path()
    assert folder.exists()
    store.close()
    store.close()
    assert not folder.exists()


def test_batches_are_remembered_within_a_bound(store: SQLiteStore) -> None:
    change = Change(0, "twinWritten", "T", TANK, 1, None, {}, "2026-11-23T06:30:00Z", "", "")
    for number in range(1005):
        store.apply(Batch(f"b{number}", changes=(change,)))
    assert store._writer.execute("SELECT count(*) FROM batches").fetchone()[0] == 1000
    assert store.apply(Batch("b1004", changes=(change,))) == store.cursor() == 1005
