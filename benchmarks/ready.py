"""A large plant ready after a start: `python -m benchmarks.ready [ASSETS]`.

The synthetic city in an embedded graph. A server is started as a user starts it, with the files
out of the page cache, and asked for one impact until it answers; once without kept arrays, then
with them. Then the graph is written, and the next impact asked for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure import machine
from benchmarks.stored import fill
from benchmarks.synthetic import ASSETS
from twinfall.api.folder import prepare
from twinfall.graph.sqlite import SQLiteStore

PORT = 18232
PATIENCE = 600.0
"""Seconds to wait for the first answer."""
WRITES = 7
FEEDER, BUILDING = "feeder-0000007", "building-0000008"
IMPACT = f'{{ impact(failed: ["{FEEDER}"]) {{ totals {{ assets customers }} }} }}'


def main() -> None:
    assets = int(sys.argv[1]) if len(sys.argv) > 1 else ASSETS
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory(prefix="twinfall-ready-") as place:
        folder = Path(place) / "data"
        prepare(folder)
        store = SQLiteStore(folder / "graph.sqlite", holder="benchmark")
        twins, relationships = fill(store, assets)
        store.close()
        print(f"| {twins:,} assets, {relationships:,} feeds, SQLite | | |\n|---|---|---|")
        with _started(folder) as (server, seconds):
            _row(
                "start to first impact, graph read and compiled", f"{seconds:.1f} s", _size(server)
            )
        kept = folder / "compiled" / "graph.arrays"
        if not kept.exists():
            raise SystemExit("compiled in less than a second: nothing is kept")
        _row("kept arrays", f"{kept.stat().st_size / 2**20:,.0f} MiB")
        with _started(folder) as (server, seconds):
            _row("start to first impact, arrays kept", f"{seconds:.1f} s", _size(server))
            _writes()


def _writes() -> None:
    _row("impact again, nothing written", f"{_median(lambda i: None) * 1e3:.0f} ms")
    _row("impact after a write that matters to no array", f"{_median(_name) * 1e3:.0f} ms")
    _row("impact after a relationship was written", f"{_median(_relate) * 1e3:.0f} ms")
    _row("impact after a declared value was written", f"{_median(_people) * 1e3:.0f} ms")
    _row("impact after a twin was written", f"{_median(_twin) * 1e3:.0f} ms")


def _name(i: int) -> None:
    _patch(f'{{name: "n{i}"}}')


def _people(i: int) -> None:
    _patch(f"{{people: {i + 5}}}")


def _patch(merge: str) -> None:
    _ask(
        f'mutation {{ patchTwins(patches: [{{id: "{BUILDING}", merge: {merge}}}]) {{ written }} }}'
    )


def _relate(i: int) -> None:
    row = f'source: "{BUILDING}", name: "fromTransformer", target: "transformer-{i:07}"'
    _ask(f"mutation {{ writeRelationships(relationships: [{{{row}}}]) {{ written }} }}")


def _twin(i: int) -> None:
    row = f'id: "building-new-{i}", model: "Building", values: {{people: 3}}'
    _ask(f"mutation {{ writeTwins(twins: [{{{row}}}]) {{ written }} }}")


def _median(write: Any) -> float:
    """Seconds from an acknowledged write to the next impact's answer, the first one uncounted."""
    took = []
    for i in range(WRITES + 1):
        write(i)
        began = time.perf_counter()
        _ask(IMPACT)
        took.append(time.perf_counter() - began)
    return sorted(took[1:])[WRITES // 2]


@contextmanager
def _started(folder: Path) -> Iterator[tuple[psutil.Process, float]]:
    """A server that has answered an impact, and how long that took."""
    _forget(folder)
    environment = {**os.environ, "TWINFALL_DIR": str(folder), "TWINFALL_PORT": str(PORT)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "twinfall.api.cli", "serve"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not _answered():
            if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise SystemExit("the server does not answer")
            time.sleep(0.02)
        yield psutil.Process(process.pid), time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answered() -> bool:
    try:
        return bool(_ask(IMPACT)["impact"]["totals"]["assets"])
    except (urllib.error.URLError, OSError, KeyError, TypeError):
        return False


def _ask(query: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        document = json.load(answer)
    if document.get("errors"):
        raise OSError(document["errors"])
    return document["data"]


def _forget(folder: Path) -> None:
    """Have the next reader fetch the files from the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _size(server: psutil.Process) -> str:
    return f"{server.memory_info().rss / 2**20:,.0f} MiB resident"


def _row(what: str, measured: str, note: str = "") -> None:
    print(f"| {what} | {measured} | {note} |", flush=True)


if __name__ == "__main__":
    main()
