"""One archive of data folder and graph, taken while the service runs, and its way back.

The archive is a zip file: `backup.json` (format, when, by which version, every file with its
SHA-256) and the files of the folder. A graph that lives in Neo4j stands in it as an embedded one,
`graph.sqlite`, so that an archive can be restored into either store.

Order makes it whole without stopping anything: the journal is copied before the history, so that a
reading that moves meanwhile is in both and taken once; SQLite files by SQLite's own online backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from twinfall import __version__
from twinfall.graph.copying import check_empty, copy_graph
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.ontology.errors import BadInput, Conflict, TwinError, Unavailable

FORMAT = 1
MANIFEST = "backup.json"
GRAPH = "graph.sqlite"
MAX_MANIFEST_BYTES = 4_000_000
MAX_FILES = 20_000
BLOCK_BYTES = 1 << 20
_LEFT_OUT = {"lock", "format", "keys.lock", "twinfall.log", "graph.sqlite.lock", "feed.sqlite"}
"""A copied graph begins its change feed anew, so that of Neo4j stays behind."""
_NEVER = (".lock", "-wal", "-shm", "-journal", ".tmp", ".wal", ".new", ".arrays")
"""Compiled arrays follow a change feed, and are of no use without it."""
Snapshot = Callable[[Path], None]
"""Writes the history's files into a folder, whole as of one moment."""


def write_backup(
    folder: Path,
    graph: Graph,
    target: Path,
    *,
    embedded: bool,
    history: tuple[str, Snapshot] | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Save `folder` and `graph` as the archive `target`; answers its manifest.

    `embedded` where the graph is in the folder. `history` is the name of the history's place in
    the folder and how a snapshot of it is made. The archive appears whole or not at all.

    Raises Conflict EXISTS where `target` is there, Unavailable where the disk is full.
    """
    if target.exists():
        raise Conflict("is there already", code="EXISTS", path=str(target), cure="name a new file")
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.absolute().parent) as place:
            files = Path(place) / "files"
            files.mkdir()
            _copy_folder(folder, files, history)
            if not embedded:
                _copy_graph_out(graph, files / GRAPH)
            manifest = _manifest(files, embedded, now or datetime.now(UTC))
            packed = Path(place) / "archive"
            _pack(files, manifest, packed)
            os.link(packed, target)  # unlike a rename, this never replaces
    except FileExistsError:
        raise Conflict("is there already", code="EXISTS", path=str(target)) from None
    except OSError as error:
        raise Unavailable(f"no backup: {error.strerror or error}", path=str(target)) from error
    return manifest


def restore(archive: Path, folder: Path) -> dict[str, Any]:
    """Unpack an archive into an empty data folder; answers its manifest. The graph is in it as an
    embedded one: `graph_of` opens it where it belongs into another store.

    Everything is checked before the first file appears. Raises BadInput BAD_FILE for what is no
    archive of ours, or a damaged or newer one; Conflict EXISTS where the folder is not empty.
    """
    if folder.exists() and {path.name for path in folder.iterdir()} - {"lock", "format"}:
        raise Conflict(
            "the data folder is not empty",
            code="EXISTS",
            path=str(folder),
            cure="name an empty or a new one: TWINFALL_DIR",
        )
    with _opened(archive) as packed:
        manifest = _read_manifest(packed, archive)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=folder) as place:
            for name, said in manifest["files"].items():
                _unpack(packed, name, said, Path(place))
            for path in sorted(Path(place).iterdir()):
                path.rename(folder / path.name)
    return manifest


@contextmanager
def graph_of(folder: Path) -> Iterator[Graph]:
    """The embedded graph that a restored folder holds."""
    store = SQLiteStore(folder / GRAPH, holder="restore")
    try:
        yield Graph(store)
    finally:
        store.close()


def move_graph(folder: Path, target: Graph, progress: Callable[[int], None]) -> int:
    """Copy the restored graph into another, empty store, and drop the copy in the folder."""
    check_empty(target.store)
    with graph_of(folder) as graph:
        written = copy_graph(
            graph.store, target.store, graph.ontology, who="restore", progress=progress
        )
    for end in ("", "-wal", "-shm", ".lock"):
        (folder / (GRAPH + end)).unlink(missing_ok=True)
    return written


def _copy_folder(folder: Path, files: Path, history: tuple[str, Snapshot] | None) -> None:
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    if len(names) > MAX_FILES:
        raise BadInput(f"the data folder holds more than {MAX_FILES} files", path=str(folder))
    for name in names:
        if history is not None and name.parts[0] == history[0]:
            continue  # after everything else, see above
        if str(name) in _LEFT_OUT or name.name.endswith(_NEVER) or name.parts[0].startswith("."):
            continue
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        if name.suffix == ".sqlite":
            _copy_sqlite(folder / name, files / name)
        else:
            shutil.copyfile(folder / name, files / name)
    if history is not None:
        place = files / history[0]
        place.mkdir()
        history[1](place)


def _copy_sqlite(source: Path, target: Path) -> None:
    try:
        uri = f"{source.absolute().as_uri()}?mode=ro"
        with (
            _closing(sqlite3.connect(uri, uri=True)) as there,
            _closing(sqlite3.connect(target)) as here,
        ):
            # In one step: it reads one moment of the write-ahead log and holds up no writer. In
            # several, every write in between would make it begin again: never done while readings
            # come.
            there.backup(here)
            here.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise Unavailable(f"cannot be copied: {error}", path=str(source)) from error


@contextmanager
def _closing(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield db
    finally:
        db.close()


def _copy_graph_out(graph: Graph, target: Path) -> None:
    store = SQLiteStore(target, holder="backup")
    try:
        copy_graph(graph.store, store, graph.ontology, who="backup")
    finally:
        store.close()
    for end in ("-wal", "-shm", ".lock"):
        Path(f"{target}{end}").unlink(missing_ok=True)


def _manifest(files: Path, embedded: bool, now: datetime) -> dict[str, Any]:
    found = {}
    for path in sorted(p for p in files.rglob("*") if p.is_file()):
        name = path.relative_to(files).as_posix()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found[name] = {"bytes": path.stat().st_size, "sha256": digest}
    return {
        "format": FORMAT,
        "twinfall": __version__,
        "at": now.isoformat(timespec="seconds"),
        "store": "sqlite" if embedded else "neo4j",
        "files": found,
    }


def _pack(files: Path, manifest: dict[str, Any], target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr(MANIFEST, json.dumps(manifest, indent=1))
        for name in manifest["files"]:
            packed.write(files / name, f"files/{name}")
    os.chmod(target, 0o600)  # noqa: PTH101 - it holds keys and data
    with target.open("rb") as written:
        os.fsync(written.fileno())


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as packed:
            yield packed
    except TwinError:
        raise
    except FileNotFoundError:
        raise BadInput("there is no such file", code="BAD_FILE", path=str(archive)) from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError) as error:
        raise _damaged(str(error), archive) from error
    except OSError as error:
        raise Unavailable(f"nothing restored: {error.strerror or error}") from error


def _read_manifest(packed: zipfile.ZipFile, archive: Path) -> dict[str, Any]:
    try:
        with packed.open(MANIFEST) as file:
            manifest = json.loads(file.read(MAX_MANIFEST_BYTES))
        form, files = manifest["format"], manifest["files"]
        good = isinstance(form, int) and len(files) <= MAX_FILES
        good = good and all(_is_plain(name) for name in files)
        good = good and all(isinstance(said["bytes"], int) for said in files.values())
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged("it is no Twinfall backup", archive) from error
    if not good:
        raise _damaged("its list of files is not as we write it", archive)
    if form > FORMAT:
        raise BadInput(
            f"was written by a newer Twinfall (format {form}, this one knows {FORMAT})",
            code="BAD_FILE",
            path=str(archive),
            cure=f"install Twinfall {manifest.get('twinfall', '')} or newer",
        )
    return dict(manifest)


def _is_plain(name: object) -> bool:
    """Whether a name stays inside the folder it is unpacked into."""
    if not isinstance(name, str) or not name or "\\" in name or "\0" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and str(path) == name


def _unpack(packed: zipfile.ZipFile, name: str, said: dict[str, Any], place: Path) -> None:
    target = place / name
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with packed.open(f"files/{name}") as source, target.open("xb") as written:
            while block := source.read(BLOCK_BYTES):
                size += len(block)
                if size > said["bytes"]:
                    break
                digest.update(block)
                written.write(block)
            written.flush()
            os.fsync(written.fileno())
    except KeyError as error:
        raise _damaged(f"{name} is missing", Path(packed.filename or "")) from error
    if size != said["bytes"] or digest.hexdigest() != said.get("sha256"):
        raise _damaged(f"{name} is not what was saved", Path(packed.filename or ""))


def _damaged(why: str, archive: Path) -> BadInput:
    return BadInput(
        f"cannot be restored: {why}",
        code="BAD_FILE",
        path=str(archive),
        cure="nothing was changed; use another backup",
    )
