"""The HTTP side of a real server on SQLite."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.running import PUMP, TANK, Server, plant, served, twinfall, twinfall_apart, until

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """A server with the small plant."""
    with served(folder) as running:
        answer = running.send("POST", "/import", plant(), NDJSON)
        assert answer.status == 200
        yield running
        assert running.stop() == 0


def test_a_server_says_that_it_lives_and_is_ready(server: Server) -> None:
    assert server.send("GET", "/livez").json == {"alive": True}
    assert server.send("GET", "/readyz").json == {"ready": True, "readings": True}


def test_a_query_is_answered_by_post_and_get(server: Server) -> None:
    expected = {"data": {"twin": {"id": "P1", "flow": 3.5}}}
    query = '{ twin(id: "P1") { id ... on Pump { flow } } }'

    assert server.ask(query).json == expected
    path = "/graphql?query=" + "%20".join(query.replace('"', "%22").split())
    assert server.send("GET", path).json == expected


def test_a_get_never_changes_anything(server: Server) -> None:
    path = "/graphql?query=mutation%7BdeleteTwins(ids:[%22P1%22])%7Bwritten%7D%7D"

    answer = server.send("GET", path)

    assert "errors" in answer.json
    assert server.ask('{ twin(id: "P1") { id } }').json["data"]["twin"] == {"id": "P1"}


def test_a_write_is_read_by_the_next_query(server: Server) -> None:
    write = "mutation($t: [TwinInput!]!) { writeTwins(twins: $t) { written errors { message } } }"
    twin = {"id": "T9", "model": "dtmi:test:Tank;1", "values": {"level": 0.25}}

    written = server.ask(write, {"t": [twin]}).json
    found = server.ask('{ twin(id: "T9") { _version _values } }').json

    assert written == {"data": {"writeTwins": {"written": 1, "errors": []}}}
    assert found == {"data": {"twin": {"_version": 1, "_values": {"level": 0.25}}}}
    server.ask('mutation { deleteTwins(ids: ["T9"]) { written } }')


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "BAD_REQUEST"),
        (b"\xff", 400, "BAD_REQUEST"),
        (b"", 400, "BAD_REQUEST"),
        (b"[]", 400, "BAD_REQUEST"),
        (b'[{"query": "{service{version}}"}]', 400, "BAD_REQUEST"),
        (b"{}", 400, "BAD_REQUEST"),
        (b'{"query": 1}', 400, "BAD_REQUEST"),
        (b'{"query": "{service{version}}", "variables": []}', 400, "BAD_REQUEST"),
        (b'{"query": "{service{version}}", "operationName": 1}', 400, "BAD_REQUEST"),
        (b'{"query": NaN}', 400, "BAD_REQUEST"),
        (b"[" * 100_000, 400, "BAD_REQUEST"),
        (b'{"variables":{"a":' + b"[" * 40 + b"]" * 40 + b"}}", 413, "TOO_LARGE"),
        (b" " * 16_000_001, 413, "TOO_LARGE"),
    ],
    ids=lambda v: str(v)[:24],
)
def test_a_body_that_is_no_question_is_refused(
    server: Server, body: bytes, status: int, code: str
) -> None:
    answer = server.send("POST", "/graphql", body, JSON)

    assert (answer.status, answer.code) == (status, code)
    assert answer.json["errors"][0]["extensions"]["requestId"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_foreign_page_could_send_unasked_is_refused(server: Server, kind: str) -> None:
    body = b'{"query": "{service{version}}"}'

    answer = server.send("POST", "/graphql", body, {"Content-Type": kind})

    assert (answer.status, answer.code) == (415, "UNSUPPORTED")


def test_a_rebound_name_and_a_foreign_origin_are_refused(server: Server) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        for path in ("/graphql?query=%7Bservice%7Bversion%7D%7D", "/export"):
            answer = server.send("GET", path, None, headers)

            assert (answer.status, answer.code) == (403, "FORBIDDEN")


def test_too_deep_a_query_is_refused(server: Server) -> None:
    nested = "id"
    for _ in range(40):
        nested = f"_relationships {{ nodes {{ twin {{ {nested} }} }} }}"

    answer = server.ask(f'{{ twin(id: "P1") {{ {nested} }} }}')

    assert answer.code == "TOO_COSTLY"


def test_unknown_paths_and_methods_are_said_so(server: Server) -> None:
    assert server.send("GET", "/nowhere").code == "NOT_FOUND"
    assert server.send("DELETE", "/graphql").status == 405


def test_every_answer_has_safe_headers_and_a_request_id(server: Server) -> None:
    for path in ("/livez", "/graphql", "/nowhere", "/"):
        headers = server.send("GET", path).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "content-security-policy" in headers
        assert len(headers["x-request-id"]) == 16


def test_a_request_id_is_taken_over_when_it_is_harmless(server: Server) -> None:
    given = server.send("GET", "/livez", None, {"X-Request-Id": "trace-1"})
    forged = server.send("GET", "/livez", None, {"X-Request-Id": 'x"}{"who":"root'})

    assert given.headers["x-request-id"] == "trace-1"
    assert "root" not in forged.headers["x-request-id"]


def test_no_other_origin_is_allowed_unless_set(server: Server) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}

    answer = server.send("OPTIONS", "/graphql", None, asked)

    assert "access-control-allow-origin" not in answer.headers


def test_the_page_has_its_own_policy_and_no_foreign_host(server: Server) -> None:
    answer = server.send("GET", "/")

    assert answer.status == 200
    assert b"<html" in answer.body.lower()
    assert "http" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_static_files_stay_inside_their_folder(server: Server) -> None:
    for path in ("/static/../access.py", "/static/%2e%2e/access.py", "/static//etc/passwd"):
        assert server.send("GET", path).status == 404


def test_an_export_imports_to_an_equal_graph(server: Server, tmp_path: Path) -> None:
    exported = server.send("GET", "/export").body
    packed = server.send("GET", "/export", None, {"Accept-Encoding": "gzip"})

    with served(tmp_path) as other:
        other.send("POST", "/import", packed.body, NDJSON)
        again = other.send("GET", "/export").body

    assert gzip.decompress(packed.body) == exported
    assert again == exported
    assert exported.count(b"\n") > 10


def test_an_import_reports_each_refused_row_with_its_line(server: Server) -> None:
    rows = [
        {"Section": "Twins"},
        {"$dtId": "bad id", "$metadata": {"$model": "dtmi:test:Tank;1"}},
        {"$dtId": "T7", "$metadata": {"$model": "dtmi:test:Nope;1"}},
        {"$dtId": "T8", "$metadata": {"$model": "dtmi:test:Tank;1"}, "level": "high"},
        {"$dtId": "T1", "$metadata": {"$model": "dtmi:test:Tank;1"}, "level": 0.5},
    ]
    body = b"\n".join(json.dumps(r).encode() for r in rows) + b"\n{not json\n"

    answer = server.send("POST", "/import", body, NDJSON)
    lines = [json.loads(line) for line in answer.body.splitlines()]

    assert sorted(line["refused"]["line"] for line in lines if "refused" in line) == [2, 3, 4, 6]
    assert lines[-1]["report"]["twins"] == 1
    assert lines[-1]["report"]["refused"] == 4


def test_an_import_of_bad_models_says_all_that_is_wrong(server: Server) -> None:
    wrong = dict(PUMP) | {"@id": "dtmi:test:Wrong;1"}
    wrong["contents"] = [{"@type": "Property", "name": n, "schema": "flaot"} for n in "abc"]
    body = b'{"Section": "Models"}\n' + json.dumps(wrong).encode() + b'\n{"Section": "Twins"}\n'

    answer = server.send("POST", "/import", body, NDJSON)
    error = json.loads(answer.body.splitlines()[-1])["errors"][0]["extensions"]

    assert error["code"] == "BAD_MODEL"
    assert len(error["problems"]) == 3


def test_damaged_gzip_is_refused(server: Server) -> None:
    body = gzip.compress(plant())[:-20]

    answer = server.send("POST", "/import", body, NDJSON)

    assert json.loads(answer.body.splitlines()[-1])["errors"][0]["extensions"]["code"] == "BAD_FILE"


def test_the_log_is_one_json_object_a_line_without_queries(server: Server, folder: Path) -> None:
    server.send(
        "GET", "/graphql?query=%7Bservice%7Bversion%7D%7D", None, {"X-Request-Id": "seek-1"}
    )

    log = folder / "data" / "twinfall.log"
    until(lambda: '"seek-1"' in log.read_text())  # the line is written after the answer
    text = log.read_text()
    found = [json.loads(line) for line in text.splitlines()]

    mine = [line for line in found if line.get("request") == "seek-1"]
    assert [(m["path"], m["status"], m["who"]) for m in mine] == [("/graphql", 200, "local")]
    assert "version" not in text


def test_commands_use_the_server_that_holds_the_folder(server: Server, folder: Path) -> None:
    done = twinfall(folder, "query", "{ service { twins } }")

    assert done.status == 0, done.err
    assert done.json == {"service": {"twins": 3}}
    listed = twinfall(folder, "model", "list", "--json").json
    assert [m["name"] for m in listed] == ["Pump", "Tank"]
    assert twinfall(folder, "export").out.encode() == server.send("GET", "/export").body


def test_a_second_serve_is_told_who_has_the_graph(server: Server, folder: Path) -> None:
    done = twinfall_apart(folder, "serve", "--port", "0")

    assert done.status == 3
    assert "GRAPH_IN_USE" in done.err
    assert str(server.process.pid) in done.err
    assert server.url in done.err


def test_a_busy_port_is_said_so_with_its_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = twinfall_apart(tmp_path, "serve", "--port", port)

    assert done.status == 3
    assert f"port {port} is in use" in done.err
    assert "process" in done.err
    assert "--port 0" in done.err


def test_beyond_this_machine_a_server_wants_a_key(tmp_path: Path) -> None:
    done = twinfall_apart(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0")

    assert done.status == 1
    assert "twinfall key create" in done.err
    assert "--insecure" in done.err
    with served(tmp_path, "--host", "0.0.0.0", "--insecure") as open_server:
        assert open_server.told["open_to"] == "EVERYBODY"
        assert open_server.ask("{ service { version } }").status == 200


def test_roles_say_who_reads_and_who_writes(tmp_path: Path) -> None:
    keys = {
        role: twinfall(tmp_path, "key", "create", f"a-{role}", "--role", role, "--json").json["key"]
        for role in ("viewer", "ingest", "operator", "admin")
    }
    load = "mutation($d: [JSON!]!) { loadModels(documents: $d) { loaded } }"
    with served(tmp_path) as server:

        def asked(role: str, query: str, variables: object = None) -> list[str]:
            answer = server.ask(query, variables, Authorization=f"Bearer {keys[role]}").json
            return [e["extensions"]["code"] for e in answer.get("errors", [])]

        assert server.ask("{ service { version } }").code == "UNAUTHENTICATED"
        assert asked("ingest", "{ service { version } }") == ["FORBIDDEN"]
        for role in ("viewer", "operator", "admin"):
            assert asked(role, "{ service { version } }") == []
        for role in ("viewer", "ingest", "operator"):
            assert asked(role, load, {"d": [PUMP, TANK]}) == ["FORBIDDEN"]
            headers = NDJSON | {"X-API-Key": keys[role]}
            assert server.send("POST", "/import", plant(), headers).code == "FORBIDDEN"
        assert server.send("GET", "/export", None, {"X-API-Key": keys["ingest"]}).status == 403
        assert asked("admin", load, {"d": [PUMP, TANK]}) == []
        assert server.send("GET", "/livez").status == 200

        assert twinfall(tmp_path, "key", "revoke", "a-admin").status == 0
        assert asked("admin", "{ service { version } }") == ["UNAUTHENTICATED"]
        done = twinfall(tmp_path, "query", "{ service { version } }")
        assert (done.status, "TWINFALL_API_KEY" in done.err) == (1, True)
        done = twinfall(
            tmp_path, "query", "{ service { version } }", TWINFALL_API_KEY=keys["viewer"]
        )
        assert done.status == 0
        done = twinfall(tmp_path, "import", "-", stdin=plant(), TWINFALL_API_KEY=keys["viewer"])
        assert (done.status, "FORBIDDEN" in done.err) == (1, True)
    log = (tmp_path / "data" / "twinfall.log").read_text()
    assert not [role for role, key in keys.items() if key in log]


def test_origins_that_are_set_may_call(tmp_path: Path) -> None:
    with served(tmp_path, TWINFALL_CORS_ORIGINS="https://ops.example") as server:
        asked = {
            "Origin": "https://ops.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,authorization",
        }
        before = server.send("OPTIONS", "/graphql", None, asked)
        answer = server.ask("{ service { version } }", Origin="https://ops.example")

    assert before.headers["access-control-allow-origin"] == "https://ops.example"
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (
        200,
        "https://ops.example",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_server_ends_well_and_has_lost_nothing(tmp_path: Path, number: int) -> None:
    with served(tmp_path) as server:
        server.send("POST", "/import", plant(), NDJSON)
        before = server.send("GET", "/export").body
        assert server.stop(number) == 0
        assert "Traceback" not in server.process.stderr.read()  # type: ignore[union-attr]

    with served(tmp_path) as again:
        assert again.send("GET", "/export").body == before


def test_a_killed_server_has_lost_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        server.send("POST", "/import", plant(), NDJSON)
        before = server.send("GET", "/export").body
        server.process.kill()
        server.process.wait()

    with served(tmp_path) as again:
        assert again.send("GET", "/export").body == before


def test_the_data_folder_is_for_its_owner_only(server: Server, folder: Path) -> None:
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
