"""The real command and the real server, as a user has them."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinfall.api.cli import main

START_SECONDS = 60
COMMAND = (sys.executable, "-m", "twinfall.api.cli")


def environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of ours, and these."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("TWINFALL_")}
    return bare | {"COLUMNS": "200"} | more


@dataclass(frozen=True)
class Answer:
    """What an HTTP request came back with."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["errors"][0]["extensions"]["code"]


@dataclass
class Server:
    """A `twinfall serve` that is ready."""

    url: str
    process: subprocess.Popen[str]
    told: dict[str, Any]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            names = {k.lower(): v for k, v in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def ask(self, query: str, variables: Any = None, **headers: str) -> Answer:
        body = json.dumps({"query": query, "variables": variables}).encode()
        shown = {"Content-Type": "application/json"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        return self.send("POST", "/graphql", body, shown)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


def until(true: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for something that must happen; what it was."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


@contextmanager
def served(
    folder: Path, *options: str, command: str = "serve", **settings: str
) -> Iterator[Server]:
    """A server over the data folder `folder`/data, on a free port, until the block ends."""
    told: dict[str, Any] = {}
    with subprocess.Popen(
        [*COMMAND, command, "--port", "0", "--json", *options],
        cwd=folder,
        env=environment(TWINFALL_DIR=str(folder / "data"), **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("{"):
                raise AssertionError(f"did not start: {line} {process.communicate()[1]}")
            told = json.loads(line)
            server = Server(told["url"], process, told)
            _await(server)
            yield server
        finally:
            if process.poll() is None:
                process.kill()


def _await(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.send("GET", "/livez")
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@dataclass(frozen=True)
class Done:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def twinfall_apart(folder: Path, *words: str, stdin: bytes = b"", **settings: str) -> Done:
    """Run a command in `folder`, with its data folder there, as a process of its own."""
    settings = {"TWINFALL_DIR": str(folder / "data")} | settings
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=folder,
        env=environment(**settings),
        input=stdin,
        capture_output=True,
        timeout=100,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def twinfall(folder: Path, *words: str, stdin: bytes = b"", **settings: str) -> Done:
    """The same command line in this process, which has everything imported already."""
    settings = {"TWINFALL_DIR": str(folder / "data")} | settings
    before = (Path.cwd(), sys.argv, sys.stdin, sys.stdout, sys.stderr, dict(os.environ))
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment(**settings))
        sys.argv = ["twinfall", *words]
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin)))
        sys.stdout, sys.stderr = out, err
        status = _main()
    finally:
        out.flush()
        err.flush()
        os.chdir(before[0])
        sys.argv, sys.stdin, sys.stdout, sys.stderr = before[1:5]
        os.environ.clear()
        os.environ.update(before[5])
    return Done(status, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())  # type: ignore[attr-defined]


def _main() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


PUMP = {
    "@context": "dtmi:dtdl:context;3",
    "@id": "dtmi:test:Pump;1",
    "@type": "Interface",
    "contents": [
        {"@type": "Property", "name": "flow", "schema": "double"},
        {"@type": "Relationship", "name": "feeds", "target": "dtmi:test:Tank;1"},
    ],
}
TANK = {
    "@context": "dtmi:dtdl:context;3",
    "@id": "dtmi:test:Tank;1",
    "@type": "Interface",
    "contents": [{"@type": "Property", "name": "level", "schema": "double"}],
}
SIDECAR = {
    "version": 1,
    "interfaces": {"dtmi:test:Pump;1": {"contents": {"feeds": {"dependent": "target"}}}},
}


def plant() -> bytes:
    """A small plant as NDJSON: two pumps feed a tank."""
    rows: list[Any] = [
        {"Section": "Header"},
        {"fileVersion": "1.0.0"},
        {"Section": "Models"},
        PUMP,
        TANK,
        {"Section": "Dependencies"},
        SIDECAR,
        {"Section": "Twins"},
        {"$dtId": "P1", "$metadata": {"$model": "dtmi:test:Pump;1"}, "flow": 3.5},
        {"$dtId": "P2", "$metadata": {"$model": "dtmi:test:Pump;1"}},
        {"$dtId": "T1", "$metadata": {"$model": "dtmi:test:Tank;1"}, "level": 0.5},
        {"Section": "Relationships"},
    ]
    for pump in ("P1", "P2"):
        row = {"$relationshipId": f"{pump}-T1", "$sourceId": pump, "$targetId": "T1"}
        rows.append(row | {"$relationshipName": "feeds"})
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
