"""Backup while a service runs and without one; restore that answers alike, on either store."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.api.running import Done, plant, served, twinfall
from tests.servers.neo4j import Neo4jServer

QUERY = """{ Pump { totalCount nodes { id _version flow feeds { nodes { id level } } } }
  impact(failed: ["P1", "P2"]) { totals { assets } } models { id name } }"""
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the small plant, a twin of which was written twice."""
    place = tmp_path / "origin"
    place.mkdir()
    (place / "plant.ndjson").write_bytes(plant())
    assert twinfall(place, "import", "plant.ndjson").status == 0
    patch = """mutation { patchTwins(patches: [{id: "P1", merge: {flow: 4.5}}]) { written } }"""
    assert twinfall(place, "query", patch).status == 0
    return place


def new(tmp_path: Path) -> Path:
    place = tmp_path / "elsewhere"
    place.mkdir()
    return place


def answer(folder: Path, **settings: str) -> object:
    done = twinfall(folder, "query", QUERY, **settings)
    assert done.status == 0, done.err
    return done.json


def code_of(done: Done) -> tuple[int, bool]:
    return done.status, "Traceback" in done.err


def test_a_restored_folder_answers_alike_versions_included(folder: Path, tmp_path: Path) -> None:
    assert twinfall(folder, "backup", str(tmp_path / "b.zip")).status == 0
    there = new(tmp_path)

    done = twinfall(there, "restore", str(tmp_path / "b.zip"))

    assert done.status == 0, done.err
    assert answer(there) == answer(folder)
    assert twinfall(there, "export").out == twinfall(folder, "export").out


def test_a_running_service_is_saved_while_it_serves(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    with served(origin) as server:
        assert server.send("POST", "/import", plant(), NDJSON).status == 200
        done = twinfall(origin, "backup", str(tmp_path / "b.zip"), "--json")
        assert done.status == 0, done.err
        expected = server.ask(QUERY).json["data"]
        assert server.stop() == 0
    there = new(tmp_path)

    assert twinfall(there, "restore", str(tmp_path / "b.zip")).status == 0
    assert answer(there) == expected
    assert not list((origin / "data").glob(".download-*"))


def test_keys_are_restored_and_locks_logs_and_compiled_arrays_are_not(
    folder: Path, tmp_path: Path
) -> None:
    key = twinfall(folder, "key", "create", "ops", "--role", "admin", "--json").json["key"]
    (folder / "data" / "compiled").mkdir(exist_ok=True)
    (folder / "data" / "compiled" / "graph.arrays").write_text("of this change feed")
    assert twinfall(folder, "backup", str(tmp_path / "b.zip")).status == 0
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        names = set(packed.namelist())
        assert key not in "".join(packed.read(n).decode("latin-1") for n in names)
    assert not {n for n in names if n.endswith((".lock", "-wal", "twinfall.log", ".arrays"))}
    there = new(tmp_path)

    assert twinfall(there, "restore", str(tmp_path / "b.zip")).status == 0
    assert [k["name"] for k in twinfall(there, "key", "list", "--json").json] == ["ops"]


def test_only_an_admin_takes_a_backup_from_a_server(folder: Path, tmp_path: Path) -> None:
    key = twinfall(folder, "key", "create", "v", "--role", "viewer", "--json").json["key"]
    with served(folder) as server:
        done = twinfall(folder, "backup", str(tmp_path / "b.zip"), TWINFALL_API_KEY=key)
        assert (done.status, "FORBIDDEN" in done.err) == (1, True)
        assert server.stop() == 0
    assert list(tmp_path.iterdir()) == [folder]


def test_what_is_there_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(b"mine")
    assert "EXISTS" in twinfall(folder, "backup", str(tmp_path / "b.zip")).err
    assert (tmp_path / "b.zip").read_bytes() == b"mine"
    assert twinfall(folder, "backup", str(tmp_path / "c.zip")).status == 0

    done = twinfall(folder, "restore", str(tmp_path / "c.zip"))

    assert (done.status, "EXISTS" in done.err) == (1, True)


def _rewritten(source: Path, target: Path, changes: dict[str, bytes | None]) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as made:
        for name in {*old.namelist(), *changes}:
            data = changes[name] if name in changes else old.read(name)
            if data is not None:
                made.writestr(name, data)


def _manifest(files: dict[str, object], form: int = 1) -> bytes:
    return json.dumps({"format": form, "at": "", "files": files}).encode()


@pytest.mark.parametrize(
    "change",
    [
        {"files/graph.sqlite": b"SQLite format 3\0 but not"},
        {"files/graph.sqlite": None},
        {"backup.json": None},
        {"backup.json": b"[1]"},
        {"backup.json": b"[" * 100_000},
        {"backup.json": _manifest({}, 99)},
        {"backup.json": _manifest({"../evil": {"bytes": 1, "sha256": ""}}), "files/../evil": b"x"},
        {"backup.json": _manifest({"/tmp/evil": {"bytes": 1, "sha256": ""}})},
        {"backup.json": _manifest({"a\\..\\b": {"bytes": 1, "sha256": ""}})},
    ],
)
def test_a_damaged_or_hostile_archive_is_refused_and_nothing_appears(
    folder: Path, tmp_path: Path, change: dict[str, bytes | None]
) -> None:
    assert twinfall(folder, "backup", str(tmp_path / "b.zip")).status == 0
    _rewritten(tmp_path / "b.zip", tmp_path / "bad.zip", change)
    there = new(tmp_path)

    done = twinfall(there, "restore", str(tmp_path / "bad.zip"))

    assert code_of(done) == (1, False), done.err
    assert "BAD_FILE" in done.err
    assert {p.name for p in (there / "data").iterdir()} <= {"lock", "format"}
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not an archive"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    done = twinfall(new(tmp_path), "restore", str(tmp_path / "b.zip"))
    assert code_of(done) == (1, False)
    assert "BAD_FILE" in done.err


def test_without_a_graph_there_is_nothing_to_save(tmp_path: Path) -> None:
    done = twinfall(new(tmp_path), "backup", str(tmp_path / "b.zip"))
    assert (done.status, "NO_GRAPH" in done.err) == (1, True)


@pytest.mark.neo4j
def test_a_graph_moves_from_one_store_into_the_other_and_back(
    folder: Path, tmp_path: Path, neo4j: Neo4jServer
) -> None:
    neo4j.empty()
    settings = {
        "TWINFALL_STORE": neo4j.uri,
        "TWINFALL_NEO4J_USER": neo4j.user,
        "TWINFALL_NEO4J_PASSWORD": neo4j.password,
    }
    assert twinfall(folder, "backup", str(tmp_path / "b.zip")).status == 0
    there, back = new(tmp_path), tmp_path / "back"
    back.mkdir()

    done = twinfall(there, "restore", str(tmp_path / "b.zip"), **settings)
    assert done.status == 0, done.err
    assert answer(there, **settings) == answer(folder)
    patch = """mutation { patchTwins(patches: [{id: "P2", merge: {flow: 7}}]) { written } }"""
    assert twinfall(there, "query", patch, **settings).status == 0
    assert twinfall(there, "backup", str(tmp_path / "c.zip"), **settings).status == 0
    again = twinfall(back, "restore", str(tmp_path / "c.zip"), **settings)
    assert "EXISTS" in again.err

    place = tmp_path / "embedded"
    place.mkdir()
    assert twinfall(place, "restore", str(tmp_path / "c.zip")).status == 0
    assert answer(place) == answer(there, **settings)
