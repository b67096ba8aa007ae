"""`make fuzz MINUTES=60`: every target in turn, each in a process of its own.

Exit status 1 where a promise was broken. What was found lies in `.fuzz` (or `--folder`); an input
that was mended goes to `tests/fuzz/kept/TARGET`, where every test run takes it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS


def main() -> None:
    """Run the targets named, or all, for so many minutes together."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"))
    parser.add_argument("--plain", action="store_true", help="without atheris")
    args = parser.parse_args()
    names = args.names or list(TARGETS)
    seconds = max(1, int(args.minutes * 60 / len(names)))
    args.folder.mkdir(parents=True, exist_ok=True)
    good = [_run(name, seconds, args.folder, args.plain) for name in names]
    sys.exit(not all(good))


def _run(name: str, seconds: int, folder: Path, plain: bool) -> bool:
    report = folder / f"{name}.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.running", name, str(seconds), str(folder)]
    with (folder / f"{name}.log").open("ab") as log:
        ended = subprocess.run(
            [*command, *(["--plain"] if plain else [])], stdout=log, stderr=log, check=False
        )
    if not report.exists():
        print(f"{name}: the process ended with {ended.returncode}; see {log.name}", flush=True)
        return False
    told = json.loads(report.read_text("utf-8"))
    word = f"BROKEN in {len(told['broken'])} places" if told["broken"] else "holds"
    said = f"{told['inputs']:,} inputs in {seconds} s, slowest {told['slowest']} s of CPU: {word}"
    print(f"{name}: {said}", flush=True)
    for place, kept in told["broken"].items():
        print(f"  {place}: {folder}/broken/{name}/{kept}", flush=True)
    return not told["broken"] and ended.returncode == 0


if __name__ == "__main__":
    main()
