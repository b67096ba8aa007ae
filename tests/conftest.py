"""Servers that tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers.mosquitto import unavailable_reason as mosquitto_missing
from tests.servers.neo4j import Neo4jServer, neo4j_server, unavailable_reason
from twinfall.analytics import cutsets, warm


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """The cascade compiled before the first test, so that no test's time holds the compiler's."""
    warm()
    cutsets.warm()


@pytest.fixture(scope="session")
def neo4j() -> Iterator[Neo4jServer]:
    """A real Neo4j server for the whole run, started when the first test asks for it."""
    reason = unavailable_reason()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"Neo4j: {reason}")  # there nothing is skipped
    if reason:
        pytest.skip(f"Neo4j: {reason}")
    with neo4j_server() as server:
        yield server


@pytest.fixture(scope="session")
def needs_mosquitto() -> None:
    """A broker can be started; where none is installed the test is skipped, except in CI."""
    reason = mosquitto_missing()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"mosquitto: {reason}")  # there nothing is skipped
    if reason:
        pytest.skip(f"mosquitto: {reason}")
