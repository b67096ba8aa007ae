"""Changes to a large plant that goes on: failures, repairs, feeds and pipes that come and go.

`python -m benchmarks.evolution [ASSETS]`. After all of it the state is compared with what a
question asked from the start finds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import machine
from benchmarks.synthetic import ASSETS, City, city
from twinfall.analytics import Evolution, Network, warm
from twinfall.analytics.course import Course
from twinfall.analytics.going import GoingOn

UPDATES, CABLES = 10_000, 1_000
COMPARED, FAILED = 50_000, 40
ASKED, FEW, DRAINED = 200, 5, 20
HOUR = 3600.0
DOWN = 20_000
"""Assets that have failed before."""


def main() -> None:
    assets = int(sys.argv[1]) if len(sys.argv) > 1 else ASSETS
    warm()
    made = city(assets)
    network = made.network()
    print(f"{machine()}\n")
    print(f"| {assets:,} assets, {len(made.provider):,} feeds | median | p99 | p99.9 | max |")
    print("|---|---|---|---|---|")
    draw = np.random.default_rng(3)
    began = time.perf_counter()
    evolution = Evolution(network)
    begun = time.perf_counter() - began
    failed = set(draw.choice(assets, DOWN, replace=False).tolist())
    evolution.fail(failed)
    before = int(evolution.down.sum())
    some = draw.choice(assets, UPDATES, replace=False).tolist()
    _row("fail any asset", [lambda a=a: evolution.fail(a) for a in some])
    _row(
        "repair any asset",
        [lambda a=a: evolution.repair(a) for a in draw.permutation(some).tolist()],
    )
    failed -= set(some)
    inner = draw.choice(made.first["building"], UPDATES // 4, replace=False).tolist()
    _row("fail what others hang on", [lambda a=a: evolution.fail(a) for a in inner])
    _row("repair what others hang on", [lambda a=a: evolution.repair(a) for a in inner])
    failed -= set(inner)
    pairs = _feeds(made, draw)
    _row("first feed added, which makes room", [lambda p=pairs[0]: evolution.add_feed(*p)])
    _row("add a feed", [lambda p=p: evolution.add_feed(*p) for p in pairs[1:]])
    _row("remove a feed", [lambda p=p: evolution.remove_feed(*p) for p in pairs])
    print(f"\nBegun in {begun:.2f} s, {before:,} assets down before the first row.")
    _compared()
    _laid(made, draw)
    _asked(made, draw)


def _asked(made: City, draw: np.random.Generator) -> None:
    """Impacts while batteries recharge: in every tenth group there is one."""
    autonomy = np.where(np.arange(len(made.rule)) % 10 == 0, 4 * HOUR, 0.0)
    network = Network.from_arrays(
        made.assets, made.provider, made.consumer, group=made.group, rule=made.rule, k=made.k,
        sustain=made.sustain, autonomy=autonomy, recharge=2 * autonomy,
    )  # fmt: skip
    evolution, well = Evolution(network), Course(network, now=2 * HOUR)
    feeders = made.first["feeder"] + draw.choice(made.size["feeder"], DRAINED, replace=False)
    evolution.fail(feeders, 0.0)
    evolution.repair(feeders, HOUR)
    evolution.advance(2 * HOUR)
    asked = [np.array([one], np.int32) for one in draw.choice(made.assets, ASKED, replace=False)]
    lived = GoingOn(well, network, evolution.moment())
    print(f"\n{machine()}; {len(lived.moment.buffers.at):,} batteries of {made.assets:,} assets")
    print(f"are not full, for {DRAINED} feeders had failed for an hour:\n")
    print("| | median | p99 | p99.9 | max |")
    print("|---|---|---|---|---|")
    _row("the moment that a state carries", [evolution.moment for _ in range(FEW)])
    _row(
        "first impact of a moment",
        [lambda: GoingOn(well, network, lived.moment).after(asked[0]) for _ in range(FEW)],
    )
    lived.after(asked[0])
    _row("impact", [lambda a=a: lived.after(a) for a in asked])
    _row("impact with all batteries full", [lambda a=a: well.after(a) for a in asked])


def _laid(made: City, draw: np.random.Generator) -> None:
    """The same city on mains; nothing has failed before."""
    links, source = made.mains()
    print(f"\n{machine()}; on mains of water and power with {len(links):,} connections:\n")
    print("| | median | p99 | p99.9 | max |")
    print("|---|---|---|---|---|")
    Evolution(Network.from_arrays(2, [], [], group=[], rule=[])).connect(0, 1, 0)  # compiled
    network = Network.from_arrays(
        made.assets, made.provider, made.consumer, group=made.group, rule=made.rule, k=made.k,
        sustain=made.sustain, connections=[link[:2] for link in links],
        carrier=[link[2] for link in links], source=source,
    )  # fmt: skip
    evolution, there = Evolution(network), {link[:2] for link in links}
    mains = draw.integers(made.size["junction"], size=(2, CABLES)) + made.first["junction"]
    homes = draw.choice(made.size["building"], CABLES, replace=False) + made.first["building"]
    pipes = {(a, b) for a, b in mains.T.tolist() if a < b and (a, b) not in there}
    first, *rest = zip(mains[0].tolist(), homes.tolist(), strict=True)
    _row("first pipe laid, which makes room", [lambda: evolution.connect(*first, 0, oneway=True)])
    _row(
        "lay a pipe to a building",
        [lambda p=p: evolution.connect(*p, 0, oneway=True) for p in rest],
    )
    _row("cut a pipe to a building", [lambda p=p: evolution.disconnect(*p, 0) for p in rest])
    _row("lay a pipe within the mains", [lambda p=p: evolution.connect(*p, 0) for p in pipes])
    _row("cut a pipe within the mains", [lambda p=p: evolution.disconnect(*p, 0) for p in pipes])
    some = draw.choice(made.assets, UPDATES, replace=False).tolist()
    _row("fail any asset after that", [lambda a=a: evolution.fail(a) for a in some])
    _row("repair any asset after that", [lambda a=a: evolution.repair(a) for a in some])


def _compared() -> None:
    """A smaller city without its loop of power and telecom, which remembers what ran: what it is
    in does not depend on how it came there.
    """
    network = _without_loops(city(COMPARED))
    evolution, failed = Evolution(network), set[int]()
    draw = np.random.default_rng(5)
    for asset in draw.integers(0, COMPARED, UPDATES).tolist():
        if asset in failed or len(failed) >= FAILED:
            gone = asset if asset in failed else failed.pop()
            failed.discard(gone)
            evolution.repair(gone)
        else:
            failed.add(asset)
            evolution.fail(asset)
    found = np.union1d(network.down(sorted(failed)), np.flatnonzero(network.baseline))
    same = np.array_equal(found, np.flatnonzero(evolution.down))
    print(
        f"After {UPDATES:,} failures and repairs of a city of {COMPARED:,} the same {len(found):,} "
        f"assets are down as in one in which these fail from the start: {same}."
    )


def _without_loops(made: City) -> Network:
    kept = np.flatnonzero(~made.sustain)
    number = np.cumsum(~made.sustain) - 1
    feeds = np.isin(made.group, kept)
    return Network.from_arrays(
        made.assets, made.provider[feeds], made.consumer[feeds], group=number[made.group[feeds]],
        rule=[made.rule[group] for group in kept], k=made.k[kept],
    )  # fmt: skip


def _feeds(made: City, draw: np.random.Generator) -> list[tuple[int, int]]:
    """Feeds that nobody has: a junction or a cell more for a building's groups."""
    groups = draw.choice(len(made.rule), UPDATES // 2, replace=False)
    consumer = np.zeros(len(made.rule), np.int32)
    consumer[made.group] = made.consumer
    building = groups[consumer[groups] >= made.first["building"]]
    first, size = made.first["junction"], made.size["junction"]
    feeds = {(p, g) for p, g in zip(made.provider.tolist(), made.group.tolist(), strict=True)}
    pairs = [(first + int(draw.integers(size)), int(g)) for g in building]
    return [pair for pair in pairs if pair not in feeds]


def _row(what: str, calls: list[Callable[[], Any]]) -> None:
    times = []
    for call in calls:
        began = time.thread_time_ns()
        call()
        times.append(time.thread_time_ns() - began)
    µs = np.array(times) / 1e3
    p = [float(np.percentile(µs, q)) for q in (50, 99, 99.9, 100)]
    print(f"| {what} | " + " | ".join(f"{one:,.1f} µs" for one in p) + " |", flush=True)


if __name__ == "__main__":
    main()
