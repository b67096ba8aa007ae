"""Telemetry in: how fast readings are taken, kept and seen, beside brokers and databases.

Run with `python -m benchmarks.ingest`. Generator, broker and service share the machine's cores.
Every rate counts readings acknowledged after the fsync; the service judges each against the
ontology. InfluxDB 1.6 is Debian's package with `wal-fsync-delay` 0.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.measure import machine
from benchmarks.mqtt_wire import Drain, pour
from tests.api.running import Server, served
from tests.servers.mosquitto import mosquitto

TWINS, FIELDS = 250, ("flow", "pressure", "temperature", "speed")
LINES, POSTS = 2_500, 60
"""As InfluxDB's own advice for a batch; readings a post: LINES * len(FIELDS)."""
MESSAGES, BATCHED, PER_MESSAGE = 20_000, 10_000, 100
START_MS = 1_760_000_000_000
MODEL = {
    "@context": "dtmi:dtdl:context;3",
    "@id": "dtmi:bench:Pump;1",
    "@type": "Interface",
    "contents": [{"@type": "Telemetry", "name": name, "schema": "double"} for name in FIELDS],
}
QUERY = "{ Pump(first: 20) { nodes { id flow { value time } pressure { value } } } }"


def twins_file() -> bytes:
    """The pumps as an import."""
    rows = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"}, MODEL]
    rows += [{"Section": "Twins"}]
    rows += [{"$dtId": f"P{i}", "$metadata": {"$model": MODEL["@id"]}} for i in range(TWINS)]
    return b"\n".join(json.dumps(row).encode() for row in rows)


def line_bodies(count: int, first: int) -> list[bytes]:
    """Bodies of line protocol, each at instants of its own."""
    dice = np.random.default_rng(first)
    found = []
    for post in range(first, first + count):
        values = dice.normal(50, 5, (LINES, 4)).round(2).tolist()
        base = START_MS + post * LINES // TWINS * 1000
        found.append(
            "\n".join(
                f"pump,twin=P{i % TWINS} flow={a},pressure={b},temperature={c},speed={d} "
                f"{base + i // TWINS * 1000}"
                for i, (a, b, c, d) in enumerate(values)
            ).encode()
        )
    return found


def json_bodies(count: int, first: int) -> list[bytes]:
    """The same as NDJSON in flat rows."""
    dice = np.random.default_rng(first)
    found = []
    for post in range(first, first + count):
        values = dice.normal(50, 5, (LINES, 4)).round(2).tolist()
        base = START_MS + post * LINES // TWINS * 1000
        rows = (
            f'{{"_twin":"P{i % TWINS}","_time":{base + i // TWINS * 1000},"flow":{a},'
            f'"pressure":{b},"temperature":{c},"speed":{d}}}'
            for i, (a, b, c, d) in enumerate(values)
        )
        found.append("\n".join(rows).encode())
    return found


def posted(port: int, path: str, bodies: Sequence[bytes], clients: int, kind: str) -> float:
    """Readings a second: every client posts its share over one connection, without pauses."""

    def post(share: Sequence[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for body in share:
            connection.request("POST", path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status in (200, 204), told
        connection.close()

    threads = [threading.Thread(target=post, args=(bodies[c::clients],)) for c in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(bodies) * LINES * len(FIELDS) / (time.perf_counter() - began)


@contextmanager
def influxdb(folder: Path) -> Iterator[int | None]:
    """The port of an InfluxDB 1.6; None where Debian's package is not installed."""
    program = shutil.which("influxd")
    if program is None:
        yield None
        return
    port, rpc = 18_086, 18_088
    config = folder / "influx.conf"
    config.write_text(
        f'bind-address = "127.0.0.1:{rpc}"\nreporting-disabled = true\n'
        f'[meta]\n  dir = "{folder}/meta"\n'
        f'[data]\n  dir = "{folder}/data"\n  wal-dir = "{folder}/wal"\n'
        '  wal-fsync-delay = "0s"\n  query-log-enabled = false\n'
        f'[http]\n  bind-address = "127.0.0.1:{port}"\n  log-enabled = false\n'
    )
    with subprocess.Popen(
        [program, "-config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _until(lambda: _answers(port, "/ping"))
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("POST", "/query?q=CREATE%20DATABASE%20bench")
            connection.getresponse().read()
            yield port
        finally:
            process.terminate()


def _answers(port: int, path: str) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", path)
        return connection.getresponse().status < 300
    except OSError:
        return False


def _until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def stored(server: Server) -> int:
    """How many readings the service has taken in all."""
    told = server.send("GET", "/metrics").body.decode()
    name = "twinfall_readings_stored_total"
    return round(sum(float(x.rsplit(" ", 1)[1]) for x in told.splitlines() if x.startswith(name)))


def over_mqtt(folder: Path, inflight: int | None) -> dict[str, float]:
    """Rates over a real mosquitto: single readings, batches, and the broker with a subscriber
    that only acknowledges.
    """
    found = {}
    options = {} if inflight is None else {"max_inflight_messages": inflight}
    with mosquitto(**options) as broker:
        single = [
            (f"twinfall/P{i % TWINS}/flow", b'{"_value":%d.5,"_time":%d}' % (i, START_MS + i))
            for i in range(MESSAGES)
        ]
        drain = Drain(broker.port, "twinfall/#")
        thread = threading.Thread(target=drain.take, args=(MESSAGES,))
        thread.start()
        began = time.perf_counter()
        pour(broker.port, single, 1000)
        thread.join()
        found["broker alone"] = MESSAGES / (time.perf_counter() - began)
        with served(folder, TWINFALL_MQTT=f"mqtt://127.0.0.1:{broker.port}") as server:
            _loaded(server)
            found["single"] = _timed(server, broker.port, single, MESSAGES)
            if inflight is not None:
                batched = list(_batched())
                found["batched"] = _timed(server, broker.port, batched, BATCHED * PER_MESSAGE)
                found["visible"] = _visible(server, broker.port)
            server.stop()
    return found


def _batched() -> Iterator[tuple[str, bytes]]:
    for i in range(BATCHED):
        base = START_MS + 10**9 + i * PER_MESSAGE * 10
        rows = ",".join(
            f'{{"_time":{base + k * 40},"flow":{k}.25,"pressure":{k}.5,"temperature":{k},'
            f'"speed":{k}.75}}'
            for k in range(PER_MESSAGE // len(FIELDS))
        )
        yield f"twinfall/P{i % TWINS}", f"[{rows}]".encode()


def _timed(server: Server, port: int, messages: Sequence[tuple[str, bytes]], count: int) -> float:
    before = stored(server)
    began = time.perf_counter()
    pour(port, messages, 1000)
    _until(lambda: stored(server) - before >= count)
    return count / (time.perf_counter() - began)


def _visible(server: Server, port: int) -> float:
    """p99 in ms from the publish to the first answer that shows the value."""
    taken = []
    for i in range(200):
        value = 1e6 + i
        began = time.perf_counter()
        now = time.time_ns() // 1_000_000
        pour(port, [("twinfall/P1/flow", b'{"_value":%d,"_time":%d}' % (value, now))], 1)
        while (
            server.ask('{ twin(id: "P1") { ... on Pump { flow { value } } } }').json["data"][
                "twin"
            ]["flow"]["value"]
            != value
        ):
            time.sleep(0.001)
        taken.append(time.perf_counter() - began)
    return float(np.percentile(taken, 99) * 1e3)


def _loaded(server: Server) -> None:
    kind = {"Content-Type": "application/x-ndjson"}
    assert server.send("POST", "/import", twins_file(), kind).status == 200


def over_http(folder: Path, influx: int | None) -> dict[str, float]:
    """Rates of posts, one and four clients, and GraphQL under half of the promised load."""
    found = {}
    with served(folder) as server:
        _loaded(server)
        first = 0
        for clients in (1, 4):
            bodies = line_bodies(POSTS, first)
            first += POSTS
            if influx is not None:
                found[f"influx {clients}"] = posted(
                    influx, "/write?db=bench&precision=ms", bodies, clients, "text/plain"
                )
            path = "/api/v2/write?org=o&bucket=b&precision=ms"
            found[f"line {clients}"] = posted(server.port, path, bodies, clients, "text/plain")
            bodies = json_bodies(POSTS, first)
            first += POSTS
            found[f"json {clients}"] = posted(
                server.port, "/ingest", bodies, clients, "application/x-ndjson"
            )
        found["quiet"], found["loaded"] = _asked_under_load(server, line_bodies(POSTS, first))
        server.stop()
    return found


def _asked_under_load(server: Server, bodies: Sequence[bytes]) -> tuple[float, float]:
    """p99 ms of a query, without load and with 100,000 readings a second coming in."""

    def p99(seconds: float) -> float:
        taken, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end:
            began = time.perf_counter()
            assert "errors" not in server.ask(QUERY).json
            taken.append(time.perf_counter() - began)
        return float(np.percentile(taken, 99) * 1e3)

    stop = threading.Event()

    def load() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for body in bodies:
            began = time.perf_counter()
            connection.request("POST", "/api/v2/write?precision=ms", body)
            connection.getresponse().read()
            left = LINES * len(FIELDS) / 100_000 - (time.perf_counter() - began)
            if stop.wait(max(0.0, left)):
                return

    p99(1)
    quiet = p99(3)
    thread = threading.Thread(target=load)
    thread.start()
    time.sleep(0.3)
    loaded = p99(4)
    stop.set()
    thread.join()
    return quiet, loaded


def main() -> None:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="twinfall-bench-") as name:
        folder = Path(name)
        for part in ("influx", "http", "mqtt", "mqtt-default"):
            (folder / part).mkdir()
        with influxdb(folder / "influx") as influx:
            http_ = over_http(folder / "http", influx)
        raised = over_mqtt(folder / "mqtt", 1000)
        default = over_mqtt(folder / "mqtt-default", None)
    for clients in (1, 4):
        peer = http_.get(f"influx {clients}")
        who = f"{clients} client{'s' if clients > 1 else ''}"
        for name, key in (("line protocol", "line"), ("NDJSON", "json")):
            rate = http_[f"{key} {clients}"]
            beside = f"{rate / peer:.2f} × InfluxDB's {peer:,.0f}" if peer else "no InfluxDB here"
            rows.append((f"HTTP {name}, {who}", f"{rate:,.0f} readings/s", beside))
    for name, found in (("window 1000", raised), ("default window 20", default)):
        share = found["single"] / found["broker alone"]
        beside = f"{share:.2f} × the broker alone, {found['broker alone']:,.0f}"
        rows.append((f"MQTT, one reading a message, {name}", f"{found['single']:,.0f}/s", beside))
    rows.append(("MQTT, 100 readings a message", f"{raised['batched']:,.0f} readings/s", ""))
    rows.append(("publish to visible, p99", f"{raised['visible']:.0f} ms", ""))
    quiet, loaded = http_["quiet"], http_["loaded"]
    beside = f"{loaded / quiet:.1f} × without load, {quiet:.1f} ms"
    rows.append(("GraphQL p99 at 100,000 readings/s", f"{loaded:.1f} ms", beside))
    print(f"{machine()}\n\n| | measured | in the same run |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
