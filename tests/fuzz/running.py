"""One target in a process of its own: `python -m tests.fuzz.running NAME SECONDS FOLDER`.

With atheris (Apache-2.0, `pip install atheris`) inputs are chosen by the code they reach; without
it they are mutations of the seeds and of nothing else. What breaks a promise is written to
`FOLDER/broken/NAME`, once for each place.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from random import Random

from tests.fuzz.law import MAX_INPUT, SECONDS, Broken, Target, hold
from tests.fuzz.mutating import mutate

MEMORY_MB = 4_096
"""Of the whole process; it is ended beyond that."""
CORPUS = 200
"""Inputs of the seeds that stay at hand to borrow from."""
REPORT_SECONDS = 1.0
OWN = 0.7
"""How often the input is changed by us, and not by libFuzzer."""


class Keeper:
    """Counts inputs and keeps those that break a promise."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        self.folder = folder / "broken" / target.name
        self.told = folder / f"{target.name}.json"
        self._next = 0.0
        self.inputs = 0
        self.slowest = 0.0
        self.broken: dict[str, str] = {}

    def take(self, data: bytes) -> None:
        """Hold the target to one input."""
        began = time.process_time()
        found = hold(self.target, data[:MAX_INPUT])
        self.inputs += 1
        self.slowest = max(self.slowest, time.process_time() - began)
        if found is not None and found.place not in self.broken:
            self._keep(data[:MAX_INPUT], found)
        if time.monotonic() > self._next:  # libFuzzer ends the process without a word
            self._next = time.monotonic() + REPORT_SECONDS
            self.report()

    def _keep(self, data: bytes, found: Broken) -> None:
        name = hashlib.sha256(data).hexdigest()[:16]
        self.broken[found.place] = name
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(data)
        (self.folder / f"{name}.txt").write_text(f"{found.place}\n\n{found.story}", "utf-8")
        print(f"BROKEN {self.target.name}: {found.place} ({name})", flush=True)

    def report(self) -> None:
        """Write what there was so far."""
        told = {"target": self.target.name, "inputs": self.inputs, "broken": self.broken}
        text = json.dumps(told | {"slowest": round(self.slowest, 2)})
        self.told.write_text(text, "utf-8")


def plainly(target: Target, seconds: float, take: Callable[[bytes], None], seed: int) -> None:
    """Mutations of the seeds for some seconds; the seeds themselves come first."""
    random = Random(seed)
    seeds = target.seeds()
    until = time.monotonic() + seconds
    for data in seeds:
        if time.monotonic() > until:
            return
        take(data)
    while time.monotonic() < until:
        data = random.choice(seeds)
        for _ in range(random.choice((1, 1, 2, 3))):
            data = mutate(data, target.words, random.choice(seeds), random)
        take(data)


def _guided(target: Target, seconds: int, keeper: Keeper, folder: Path) -> None:
    import atheris

    corpus = folder / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = target.seeds()
    for data in seeds:
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    lent = Random(1).sample(seeds, min(CORPUS, len(seeds)))

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() > OWN:
            return bytes(atheris.Mutate(data, max_size))
        return mutate(bytes(data), target.words, random.choice(lent), random)[:max_size]

    options = [
        sys.argv[0],
        str(corpus),
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-timeout={int(SECONDS * 12)}",
        f"-artifact_prefix={folder}/ended-{target.name}-",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup(options, keeper.take, custom_mutator=change)
    atheris.Fuzz()  # ends the process


def _target(name: str, guided: bool) -> Target:
    """The target, its code instrumented where atheris is to guide."""
    if not guided:
        from tests.fuzz.targets import TARGETS

        return TARGETS[name]()
    import atheris

    # numba compiles the kernels, and knows nothing of what atheris would put in.
    kernels = files("twinfall") / "analytics" / "kernels"
    compiled = [f"twinfall.analytics.kernels.{path.name[:-3]}" for path in kernels.iterdir()]
    with atheris.instrument_imports(include=["twinfall"], exclude=compiled):
        from tests.fuzz.targets import TARGETS
    return TARGETS[name]()


def main(arguments: list[str]) -> None:
    """Run one target; its report lies in the folder."""
    name, seconds, folder = arguments[0], int(arguments[1]), Path(arguments[2])
    logging.disable(logging.CRITICAL)
    guided = find_spec("atheris") is not None and "--plain" not in arguments
    target = _target(name, guided)
    keeper = Keeper(target, folder)
    folder.mkdir(parents=True, exist_ok=True)
    if guided:
        _guided(target, seconds, keeper, folder)
    else:
        plainly(target, seconds, keeper.take, int(time.time()))
    keeper.report()


if __name__ == "__main__":
    main(sys.argv[1:])
