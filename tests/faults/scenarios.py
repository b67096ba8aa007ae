"""The scenarios: what is done to the running parts. Each answers with its proof."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import feeders
from tests.faults.posting import Poster
from tests.faults.proof import Proof, drained, judged
from tests.faults.publisher import acknowledged, is_bad
from tests.faults.service import Service
from tests.servers.mosquitto import Mosquitto
from tests.servers.neo4j import Neo4jServer

TWINS = 20
Say = Callable[[str], None]


@dataclass
class Plan:
    """How much is sent and killed; the seed decides when."""

    readings: int = 20_000
    kills: int = 20
    rate: float = 700.0
    seed: int = 1
    folder: Path = field(default_factory=Path)
    say: Say = print


class _Publishing:
    """The publisher's process, started again on its log after each kill."""

    def __init__(self, plan: Plan, port: int) -> None:
        self.log = plan.folder / "acknowledged.log"
        self._command = [
            *(sys.executable, "-m", "tests.faults.publisher"),
            *("--port", str(port), "--first", "0", "--last", str(plan.readings)),
            *("--twins", str(TWINS), "--rate", str(plan.rate), "--log", str(self.log)),
        ]
        self.process = self._begun()

    def _begun(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command)

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self._begun()


def killed_over_mqtt(plan: Plan, broker: Mosquitto) -> Proof:
    """Publisher and service killed at random; the broker stopped by SIGTERM half-way."""
    dice = random.Random(plan.seed)
    service = Service(plan.folder / "data", TWINFALL_MQTT=f"mqtt://127.0.0.1:{broker.port}")
    service.start()
    feeders.load(service.up, TWINS)
    publishing = _Publishing(plan, broker.port)
    for kill in range(1, plan.kills + 1):
        time.sleep(dice.uniform(0.05, 0.9))
        victim = dice.choice(("publisher", "service"))
        if victim == "publisher" and not publishing.over:
            publishing.kill()
        else:
            victim = "service"
            service.kill()
            service.start()
        if kill == plan.kills // 2:
            broker.stop()
            time.sleep(0.5)
            broker.start()
            victim += ", and the broker stopped and started"
        done = len(acknowledged(publishing.log))
        plan.say(f"  kill {kill}: {victim}; {done} of {plan.readings} acknowledged")
    publishing.process.wait(600)
    acked = acknowledged(publishing.log)
    good = sum(not is_bad(n) for n in acked)
    values, refused = drained(service.up, TWINS, plan.readings, good)
    plan.say(f"  dead letters {refused}; SIGTERM took {service.stop():.1f} s")
    return judged(range(plan.readings), acked, values, sum(refused.values()), is_bad)


def killed_over_http(plan: Plan) -> Proof:
    """The service killed at random while readings are posted; the poster sends again."""
    dice = random.Random(plan.seed)
    service = Service(plan.folder / "data")
    service.start()
    feeders.load(service.up, TWINS)
    poster = Poster(lambda: service.server, range(plan.readings), TWINS, plan.rate * 4)
    thread = threading.Thread(target=poster.send)
    thread.start()
    for _ in range(plan.kills // 4):
        time.sleep(dice.uniform(0.05, 0.9))
        service.kill()
        service.start()
    thread.join(600)
    good = sum(not is_bad(n) for n in poster.acknowledged)
    values, refused = drained(service.up, TWINS, plan.readings, good)
    plan.say(f"  dead letters {refused}; SIGTERM took {service.stop():.1f} s")
    return judged(range(plan.readings), poster.acknowledged, values, sum(refused.values()), is_bad)


def stopped_under_load(plan: Plan) -> Proof:
    """SIGTERM while readings are posted: exit 0 within 10 s, and all acknowledged is there."""
    service = Service(plan.folder / "data")
    service.start()
    feeders.load(service.up, TWINS)
    poster = Poster(lambda: service.server, range(plan.readings), TWINS, plan.rate * 10)
    thread = threading.Thread(target=poster.send)
    thread.start()
    time.sleep(1.5)
    plan.say(f"  SIGTERM under load took {service.stop():.1f} s")
    poster.stop()
    thread.join(60)
    service.start()
    good = sum(not is_bad(n) for n in poster.acknowledged)
    values, refused = drained(service.up, TWINS, plan.readings, good)
    service.stop()
    return judged(poster.sent, poster.acknowledged, values, sum(refused.values()), is_bad)


def neo4j_away(plan: Plan, neo4j: Neo4jServer, seconds: float) -> Proof:
    """The graph's server stopped for a while: readings go on being taken and kept."""
    password = plan.folder / "password"
    password.write_text(neo4j.password)
    service = Service(
        plan.folder / "data",
        TWINFALL_STORE=neo4j.uri,
        TWINFALL_NEO4J_USER=neo4j.user,
        TWINFALL_NEO4J_PASSWORD_FILE=str(password),
    )
    neo4j.empty()
    service.start()
    feeders.load(service.up, TWINS)
    poster = Poster(lambda: service.server, range(plan.readings), TWINS, plan.readings / seconds)
    thread = threading.Thread(target=poster.send)
    thread.start()
    time.sleep(2)
    before = len(poster.acknowledged)
    neo4j.stop()
    time.sleep(seconds)
    during = len(poster.acknowledged) - before
    plan.say(f"  {during} readings acknowledged in the {seconds:.0f} s without Neo4j")
    assert during, "nothing was taken while Neo4j was away"
    neo4j.start()
    thread.join(600)
    good = sum(not is_bad(n) for n in poster.acknowledged)
    service.wait_ready()
    values, refused = drained(service.up, TWINS, plan.readings, good)
    service.stop()
    return judged(range(plan.readings), poster.acknowledged, values, sum(refused.values()), is_bad)


def disk_full(plan: Plan, megabytes: int = 24) -> Proof:
    """The data folder on a small disk that fills up: nothing is acknowledged that is not kept, and
    it goes on by itself when there is room again.
    """
    mount = plan.folder / "disk"
    mount.mkdir()
    script = f'mount -t tmpfs -o size={megabytes}m tmpfs "$0" && exec "$@"'
    wrapper = ("unshare", "--mount", "sh", "-c", script, str(mount))
    service = Service(mount / "data", wrapper)
    service.start()
    feeders.load(service.up, TWINS)
    poster = Poster(lambda: service.server, range(plan.readings), TWINS, plan.rate * 4)
    thread = threading.Thread(target=poster.send)
    thread.start()
    # The disk is mounted for the service alone; this is the way to it from outside.
    ballast = Path(f"/proc/{service.pid}/root{mount}/ballast")
    _fill(ballast)
    _until(lambda: poster.turned_away > 3, "no post was turned away on a full disk")
    plan.say(f"  full: {poster.turned_away} posts turned away, none acknowledged")
    ballast.unlink()
    thread.join(300)
    assert not thread.is_alive(), "it did not go on when there was room again"
    good = sum(not is_bad(n) for n in poster.acknowledged)
    values, refused = drained(service.up, TWINS, plan.readings, good)
    service.stop()
    return judged(range(plan.readings), poster.acknowledged, values, sum(refused.values()), is_bad)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            return


def _until(true: Callable[[], bool], otherwise: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(otherwise)
        time.sleep(0.05)
