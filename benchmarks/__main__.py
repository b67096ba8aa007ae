"""`make bench`: run every benchmark and write docs/benchmarks.md.

`python -m benchmarks city` runs one and only prints. Absolute times are of one machine at one hour;
the ratios within a run are what holds.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
PARTS = {
    "city": "The city on both stores",
    "cascade": "The cascade on a large synthetic city",
    "evolution": "A large city that goes on",
    "ready": "A large plant ready after a start",
    "rootcause": "Root cause on the city",
    "models": "Other models of a cascade",
    "graphql": "What GraphQL costs above the store",
    "watch": "The learned watch on the Tennessee Eastman process",
    "ingest": "Telemetry in, beside brokers and databases",
    "history": "History",
    "ontology": "Reading ontologies",
    "conformance": "The DTDL parser against the public corpus",
}
PREFACE = """\
# Benchmarks

Written by `make bench` on {day} (`make bench ARGS=city` runs one part). One client, one process,
generator and server on the same machine, which is shared and noisy: read the ratios within a run
first, medians next, absolute times last.
"""


def run(part: str) -> str:
    """What one benchmark prints; it runs in a process of its own."""
    print(f"{part} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"benchmarks.{part}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    printed = done.stdout.strip()
    return printed if "|---" in printed else f"```text\n{printed}\n```"


def main() -> None:
    chosen = sys.argv[1:]
    if unknown := set(chosen) - set(PARTS):
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if chosen:
        print("\n\n".join(run(part) for part in chosen))
        return
    sections = [PREFACE.format(day=datetime.now(UTC).date())]
    sections += [f"## {PARTS[part]}\n\n{run(part)}\n" for part in PARTS]
    PAGE.write_text("\n".join(sections), encoding="utf-8")
    print(f"written to {PAGE.name}")


if __name__ == "__main__":
    main()
