"""Serving from Neo4j: away, refusing, and back."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from tests.api.running import plant, served, twinfall, until
from tests.servers.neo4j import Neo4jServer, neo4j_server

NDJSON = {"Content-Type": "application/x-ndjson"}


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return int(unused.getsockname()[1])


def test_without_its_store_a_server_starts_and_says_what_it_waits_for(tmp_path: Path) -> None:
    store = f"bolt://127.0.0.1:{unused_port()}"
    with served(tmp_path, TWINFALL_STORE=store, TWINFALL_NEO4J_PASSWORD="x") as server:
        start = time.monotonic()
        ready = server.send("GET", "/readyz")
        asked = server.ask("{ service { version } }")

        assert (ready.status, ready.code) == (503, "STORE_UNAVAILABLE")
        assert (asked.status, asked.code) == (503, "STORE_UNAVAILABLE")
        assert asked.json["errors"][0]["extensions"]["retryable"] is True
        assert "retry-after" in asked.headers
        assert time.monotonic() - start < 20
        assert server.send("GET", "/livez").status == 200
        assert "waiting_for" in server.told
        done = twinfall(tmp_path, "query", "{ service { version } }")
        assert (done.status, "STORE_UNAVAILABLE" in done.err) == (3, True)
        assert server.stop() == 0


def test_a_command_without_its_store_ends_with_status_3(tmp_path: Path) -> None:
    store = f"bolt://127.0.0.1:{unused_port()}"
    settings = {"TWINFALL_STORE": store, "TWINFALL_NEO4J_PASSWORD": "x"}

    done = twinfall(tmp_path, "query", "{ service { version } }", **settings)
    looked = twinfall(tmp_path, "doctor", "--json", TWINFALL_PORT=str(unused_port()), **settings)

    assert (done.status, "STORE_UNAVAILABLE" in done.err) == (3, True)
    assert "Traceback" not in done.err
    failed = [s["what"] for s in looked.json["signs"] if s["state"] == "fail"]
    assert (looked.status, failed) == (3, ["store"])


@pytest.mark.neo4j
def test_a_wrong_password_is_said_so_and_not_shown(tmp_path: Path, neo4j: Neo4jServer) -> None:
    settings = {
        "TWINFALL_STORE": neo4j.uri,
        "TWINFALL_NEO4J_USER": neo4j.user,
        "TWINFALL_NEO4J_PASSWORD": "wrong-and-secret",
    }

    done = twinfall(tmp_path, "import", "-", stdin=plant(), **settings)
    looked = twinfall(tmp_path, "doctor", TWINFALL_PORT=str(unused_port()), **settings)

    assert done.status == 1
    assert "BAD_SETTINGS" in done.err
    assert "TWINFALL_NEO4J_PASSWORD" in done.err
    assert looked.status == 1
    assert "wrong-and-secret" not in done.err + done.out + looked.out + looked.err


@pytest.mark.neo4j
def test_a_user_shut_out_by_wrong_passwords_of_others_is_waited_for(tmp_path: Path) -> None:
    with neo4j_server(attempts=2) as neo4j:
        settings = {"TWINFALL_STORE": neo4j.uri, "TWINFALL_NEO4J_USER": neo4j.user}
        for _ in range(3):
            wrong = twinfall(
                tmp_path, "query", "{ __typename }", **settings, TWINFALL_NEO4J_PASSWORD="wrong"
            )
        assert (wrong.status, "wrong passwords" in wrong.err) == (3, True), wrong.err

        with served(tmp_path, **settings, TWINFALL_NEO4J_PASSWORD=neo4j.password) as server:
            until(lambda: server.send("GET", "/readyz").status == 200)
            assert server.ask("{ service { twins } }").json == {"data": {"service": {"twins": 0}}}


@pytest.mark.neo4j
def test_a_graph_on_neo4j_is_served_and_exported_as_it_was(
    tmp_path: Path, neo4j: Neo4jServer
) -> None:
    neo4j.empty()
    settings = {
        "TWINFALL_STORE": neo4j.uri,
        "TWINFALL_NEO4J_USER": neo4j.user,
        "TWINFALL_NEO4J_PASSWORD": neo4j.password,
    }
    with served(tmp_path, **settings) as server:
        assert server.send("POST", "/import", plant(), NDJSON).status == 200
        exported = server.send("GET", "/export").body
        impact = server.ask('{ impact(failed: ["P1"]) { totals { assets } } }').json
        assert server.stop() == 0
    embedded = twinfall(tmp_path, "import", "-", stdin=exported, TWINFALL_DIR="embedded")
    again = twinfall(tmp_path, "export", TWINFALL_DIR="embedded")

    assert impact == {"data": {"impact": {"totals": {"assets": 1}}}}
    assert embedded.status == 0
    assert again.out.encode() == exported
    assert neo4j.password not in (tmp_path / "data" / "twinfall.log").read_text()
