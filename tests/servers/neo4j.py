"""A real Neo4j Community server: one named in the environment, or one assembled here.

TEST_NEO4J_URI, TEST_NEO4J_USER and TEST_NEO4J_PASSWORD name a server whose graph the tests may
clear. Without them Java and Maven assemble one, with the Browser, in a home thrown away after.
`python -m tests.servers.neo4j` runs one in the foreground with a home that stays.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from tests.servers.jars import missing_tools, neo4j_jars
from twinfall.graph.neo4j import Neo4jStore

READY_SECONDS = 120
STOP_SECONDS = 60
_MODULES = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch")
_CONF = """\
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{bolt}
server.http.listen_address=127.0.0.1:{http}
server.https.enabled=false
server.memory.heap.initial_size=512m
server.memory.heap.max_size=1g
server.memory.pagecache.size=256m
dbms.memory.transaction.total.max=700m
db.transaction.timeout=60s
db.lock.acquisition.timeout=10s
db.tx_log.rotation.retention_policy=1 files
db.tx_log.rotation.size=16m
db.tx_log.preallocate=false
db.logs.query.enabled=OFF
dbms.usage_report.enabled=false
dbms.security.auth_max_failed_attempts={attempts}
dbms.security.auth_lock_time=15s
client.allow_telemetry=false
browser.remote_content_hostname_whitelist=localhost,127.0.0.1
"""


def unavailable_reason() -> str:
    """Why there is no server to test against, in one line; empty when there is one."""
    if os.environ.get("TEST_NEO4J_URI"):
        return ""
    missing = missing_tools()
    if not missing:
        return ""
    return f"needs {missing}, or a server named by TEST_NEO4J_URI"


@dataclass
class Neo4jServer:
    """A server that answers. One assembled here can be paused, stopped and started again."""

    uri: str
    user: str
    password: str = field(repr=False)
    http_url: str = ""
    home: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    def driver(self) -> neo4j.Driver:
        """A driver for looking at the graph from outside; close it."""
        return neo4j.GraphDatabase.driver(self.uri, auth=(self.user, self.password))

    def empty(self) -> None:
        """Remove all nodes; constraints and indexes stay."""
        with self.driver() as driver, driver.session(database="neo4j") as session:
            session.run("MATCH (n) DETACH DELETE n").consume()

    @contextmanager
    def fresh_store(self) -> Iterator[Neo4jStore]:
        """An empty graph, with its change feed in a folder of its own."""
        self.empty()
        with tempfile.TemporaryDirectory(prefix="twinfall-feed-") as folder:
            store = self.store(Path(folder))
            try:
                yield store
            finally:
                store.close()

    def store(self, folder: Path, holder: str = "tests", **more: Any) -> Neo4jStore:
        """A store on this server; the caller closes it."""
        feed = folder / "feed.sqlite"
        return Neo4jStore(self.uri, self.user, self.password, feed=feed, holder=holder, **more)

    def clear(self) -> None:
        """Remove everything, constraints and indexes too."""
        with self.driver() as driver, driver.session(database="neo4j") as session:
            query = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"
            session.run(query).consume()
            for name in session.run("SHOW CONSTRAINTS YIELD name").value():
                session.run(f"DROP CONSTRAINT `{name}` IF EXISTS").consume()
            names = session.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name")
            for name in names.value():
                session.run(f"DROP INDEX `{name}` IF EXISTS").consume()

    @property
    def mine(self) -> bool:
        """Assembled here, so that a test may stop it."""
        return self.process is not None

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        assert self.process is not None, "only a server assembled here can be paused"
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Undo `pause`."""
        assert self.process is not None, "only a server assembled here can be paused"
        self.process.send_signal(signal.SIGCONT)

    def start(self) -> None:
        """Start it (again) on the same ports and home; returns when it answers."""
        assert self.home is not None, "only a server assembled here can be started"
        command = [
            *_java(self.home, "-Xms512m", "-Xmx1g", "-XX:+UseG1GC"),
            "org.neo4j.server.CommunityEntryPoint",
            f"--home-dir={self.home}",
            f"--config-dir={self.home / 'conf'}",
            "--console-mode",
        ]
        with (self.home / "logs" / "console.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._wait()

    def _wait(self) -> None:
        auth = (self.user, self.password)
        with neo4j.GraphDatabase.driver(
            self.uri, auth=auth, max_transaction_retry_time=0, connection_timeout=2
        ) as driver:
            end = time.monotonic() + READY_SECONDS
            while time.monotonic() < end and (self.process is None or self.process.poll() is None):
                try:
                    driver.execute_query("RETURN 1", database_="neo4j")
                    return
                except (DriverError, Neo4jError):
                    time.sleep(0.25)
        raise RuntimeError(f"Neo4j did not become ready:\n{self._log()}")

    def _log(self) -> str:
        if self.home is None:
            return f"no answer from {self.uri}"
        log = self.home / "logs" / "console.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else "no log"


@contextmanager
def neo4j_server(*, auth: bool = True, attempts: int = 0) -> Iterator[Neo4jServer]:
    """The server to test against, until the block ends. One without `auth`, or one that shuts a
    user out after so many failed `attempts` (0: never), is always assembled.
    """
    uri = os.environ.get("TEST_NEO4J_URI")
    if uri and auth and not attempts:
        user = os.environ.get("TEST_NEO4J_USER", "neo4j")
        yield Neo4jServer(uri, user, os.environ.get("TEST_NEO4J_PASSWORD", ""))
        return
    with tempfile.TemporaryDirectory(prefix="twinfall-neo4j-") as name:
        server = _assembled(Path(name), _password(), auth=auth, attempts=attempts)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _password() -> str:
    """Never one that begins like an option of the command that sets it."""
    return "p" + secrets.token_urlsafe(16)


def _assembled(
    home: Path,
    password: str,
    *,
    bolt: int = 0,
    http: int = 0,
    auth: bool = True,
    attempts: int = 0,
) -> Neo4jServer:
    fresh = not (home / "data").exists()
    for folder in ("conf", "data", "logs", "run", "plugins", "import"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    bolt, http = bolt or _free_port(), http or _free_port()
    conf = _CONF.format(bolt=bolt, http=http, attempts=attempts)
    if not auth:
        conf += "dbms.security.auth_enabled=false\n"
    (home / "conf" / "neo4j.conf").write_text(conf)
    if fresh and auth:
        _set_password(home, password)
    return Neo4jServer(
        f"bolt://127.0.0.1:{bolt}", "neo4j", password, f"http://127.0.0.1:{http}", home
    )


def _set_password(home: Path, password: str) -> None:
    subprocess.run(
        [
            *_java(home, "-Xmx256m", f"-Dbasedir={home}"),
            "org.neo4j.server.startup.Neo4jAdminCommand",
            "dbms",
            "set-initial-password",
            password,
        ],
        env={**os.environ, "NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")},
        check=True,
        capture_output=True,
        timeout=READY_SECONDS,
    )


def _java(home: Path, *options: str) -> list[str]:
    opens = [f"--add-opens={module}=ALL-UNNAMED" for module in _MODULES]
    path = f"{home / 'plugins'}/*:{home / 'conf'}:{neo4j_jars()}/*"
    quiet = ["-XX:-OmitStackTraceInFastThrow", "-Dlog4j2.disable.jmx=true", "-Dfile.encoding=UTF-8"]
    netty = "-Dio.netty.tryReflectionSetAccessible=true"
    return ["java", *options, *quiet, netty, *opens, "-cp", path]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Run a server in the foreground, on the usual ports, until Ctrl-C."""
    if reason := missing_tools():
        sys.exit(f"Neo4j cannot be assembled here: install {reason}")
    password = os.environ.get("TEST_NEO4J_PASSWORD") or "twinfall-local"
    home = Path.cwd() / ".cache" / "neo4j"
    server = _assembled(home, password, bolt=7687, http=7474)
    print("starting Neo4j; this takes 10 to 20 seconds ...", flush=True)
    server.start()
    print(f"Neo4j answers at {server.uri}; Browser: {server.http_url}/browser/")
    print(f"user neo4j, password {password}\n\nTo run Twinfall on it:\n")
    print(f"  export TWINFALL_STORE={server.uri} TWINFALL_NEO4J_USER=neo4j")
    print(f"  export TWINFALL_NEO4J_PASSWORD={password}\n  twinfall demo\n\nCtrl-C stops it.")
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    while not stopped.wait(1):
        if server.process is not None and server.process.poll() is not None:
            sys.exit(f"Neo4j stopped by itself; its log: {home / 'logs'}")
    server.stop()


if __name__ == "__main__":
    main()
