"""`make faults`: every scenario once, on real servers; exit status 1 where a promise was broken."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import scenarios
from tests.faults.proof import Proof
from tests.faults.scenarios import Plan
from tests.servers.mosquitto import mosquitto
from tests.servers.neo4j import neo4j_server, unavailable_reason

AWAY_SECONDS = 60.0


def _killed_over_mqtt(plan: Plan) -> Proof:
    with mosquitto() as broker:
        return scenarios.killed_over_mqtt(plan, broker)


def _neo4j_away(plan: Plan) -> Proof:
    with neo4j_server() as server:
        return scenarios.neo4j_away(plan, server, AWAY_SECONDS)


SCENARIOS: dict[str, Callable[[Plan], Proof]] = {
    "killed-over-mqtt": _killed_over_mqtt,
    "killed-over-http": scenarios.killed_over_http,
    "stopped-under-load": scenarios.stopped_under_load,
    "disk-full": scenarios.disk_full,
    "neo4j-away": _neo4j_away,
}


def _why_not(name: str) -> str:
    if os.environ.get("CI") == "true":
        return ""
    if name == "neo4j-away":
        return unavailable_reason()
    if name == "disk-full" and os.geteuid() != 0:
        return "needs root, to mount a small disk"
    return ""


def main() -> None:
    """Run the scenarios named, or all."""
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--readings", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    broken = []
    for name in args.names or SCENARIOS:
        if why := _why_not(name):
            print(f"{name}: left out: {why}")
            continue
        print(f"{name} (seed {args.seed})", flush=True)
        with tempfile.TemporaryDirectory(prefix="twinfall-faults-") as folder:
            plan = Plan(args.readings, args.kills, seed=args.seed, folder=Path(folder))
            began = time.monotonic()
            proof = SCENARIOS[name](plan)
        took = time.monotonic() - began
        print(f"  {proof}\n  {'holds' if proof.holds else 'BROKEN'} in {took:.0f} s", flush=True)
        if not proof.holds:
            print(f"  lost {proof.lost[:20]} doubled {proof.doubled[:20]}")
            broken.append(name)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
