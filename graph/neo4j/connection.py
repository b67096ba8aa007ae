"""Talking to the server: one driver, bounded waits, bounded retries."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

import neo4j
from neo4j.exceptions import DriverError, IncompleteCommit, Neo4jError

from twinfall.graph.neo4j.failures import translated, unavailable
from twinfall.graph.neo4j.watch import Watch
from twinfall.ontology.errors import BadSettings, Unavailable

READ_SECONDS = 10.0
"""How long the server may work on one question."""
LONG_SECONDS = 300.0
"""How long it may work on a batch of writes, or on the whole graph."""
GIVE_UP = 1.2
"""Seconds after which a failed attempt is not repeated; with the attempt's own bounds a caller
waits at most 2 s."""
ATTEMPTS = 5
CONNECT_SECONDS = 1.0
ACQUIRE_SECONDS = 1.5
POOL = 32
LIFETIME = 900
LEAST_VERSION = (5, 26)
SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")

Answer = TypeVar("Answer")
Work = Callable[[neo4j.Transaction], Answer]
Rows = list[list[Any]]


class Connection:
    """A graph database on a server. Safe from many threads."""

    def __init__(self, uri: str, user: str, password: str, database: str) -> None:
        self.uri = uri
        self._database = database
        try:
            _check_address(uri)
            self._driver = neo4j.GraphDatabase.driver(
                uri,
                auth=(user, password),
                connection_timeout=CONNECT_SECONDS,
                connection_acquisition_timeout=ACQUIRE_SECONDS,
                connection_write_timeout=ACQUIRE_SECONDS,
                max_transaction_retry_time=0,
                max_connection_pool_size=POOL,
                max_connection_lifetime=LIFETIME,
                notifications_min_severity="OFF",
                user_agent="twinfall",
                telemetry_disabled=True,
            )
        except (ValueError, DriverError) as error:
            raise BadSettings(
                f"this is not the address of a Neo4j server: {error}",
                path="TWINFALL_STORE",  # not the address itself: it may hold a password
                cure="set TWINFALL_STORE to such as bolt://localhost:7687",
            ) from None
        self._bookmarks = neo4j.GraphDatabase.bookmark_manager()
        self._watch = Watch(encrypted="+s" in uri.partition("://")[0])
        self._closed = False

    def check_server(self) -> None:
        """Raises BadSettings where the server is too old, Unavailable where it is away."""

        def ask(session: neo4j.Session) -> str:
            return session.run("RETURN 1").consume().server.agent

        agent = self._attempts(ask, "READ")
        version = agent.partition("/")[2]
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
        if numbers < LEAST_VERSION:
            raise BadSettings(
                f"this server is {agent}, Twinfall needs Neo4j 5.26 or later",
                path=self.uri,
                cure="upgrade the server",
            )

    def ask(self, text: str, values: Mapping[str, Any], seconds: float = READ_SECONDS) -> Rows:
        """One question in one round trip: rows of values."""
        query = neo4j.Query(text, timeout=seconds)

        def run(session: neo4j.Session) -> Rows:
            return [record.values() for record in session.run(query, dict(values))]

        return self._attempts(run, "READ")

    def read(self, work: Work[Answer], seconds: float = READ_SECONDS) -> Answer:
        """Several questions in one transaction."""
        return self._attempts(lambda session: _transaction(session, work, seconds), "READ")

    def write(self, work: Work[Answer]) -> Answer:
        """All or nothing. `work` may be run again after a commit of unknown outcome: it must
        notice that it is done already.
        """
        return self._attempts(lambda session: _transaction(session, work, LONG_SECONDS), "WRITE")

    def define(self, text: str) -> None:
        """A statement about constraints or indexes; safe to repeat."""
        self._attempts(lambda session: session.run(text).consume(), "WRITE")

    def close(self) -> None:
        """Close all connections; calls from now on raise Unavailable."""
        if not self._closed:
            self._closed = True
            self._watch.close()
            self._driver.close()

    def _attempts(
        self, run: Callable[[neo4j.Session], Answer], mode: Literal["READ", "WRITE"]
    ) -> Answer:
        end = time.monotonic() + GIVE_UP
        for attempt in range(1, ATTEMPTS + 1):
            if self._closed:
                raise Unavailable("the graph store is closed")
            try:
                return self._once(run, mode)
            except (DriverError, Neo4jError, OSError) as error:
                if isinstance(error, IncompleteCommit):
                    # The server was there a moment ago: find out what became of the write, also
                    # of one that took long.
                    end = time.monotonic() + GIVE_UP
                pause = 0.05 * 2**attempt
                last = attempt == ATTEMPTS or time.monotonic() + pause > end
                if last or not _worth_repeating(error):
                    other = translated(error, self.uri)
                    if other is None:
                        raise
                    if mode == "WRITE" and isinstance(other, Unavailable):
                        other.message += "; whether the write was made is not known"
                    raise other from error
                time.sleep(pause)
        raise unavailable(self.uri)

    def _once(
        self, run: Callable[[neo4j.Session], Answer], mode: Literal["READ", "WRITE"]
    ) -> Answer:
        session = self._driver.session(
            database=self._database,
            default_access_mode=mode,
            fetch_size=-1,
            bookmark_manager=self._bookmarks,
        )
        with self._watch.over(session), session:
            return run(session)


def _check_address(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"it begins with none of {', '.join(f'{s}://' for s in SCHEMES)}")
    if parts.username is not None:
        raise ValueError("user and password have settings of their own")
    try:
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("after the scheme come a host and a port")


def rows(tx: neo4j.Transaction, text: str, **values: Any) -> Rows:
    """The answer of one statement in a transaction."""
    return [record.values() for record in tx.run(cast(Any, text), values)]


def _transaction(session: neo4j.Session, work: Work[Answer], seconds: float) -> Answer:
    with session.begin_transaction(timeout=seconds) as tx:
        answer = work(tx)
        tx.commit()
    return answer


def _worth_repeating(error: Exception) -> bool:
    # The outcome of an incomplete commit is unknown; writes recognise a batch that is done.
    if isinstance(error, IncompleteCommit | OSError):
        return True
    return isinstance(error, DriverError | Neo4jError) and error.is_retryable()
