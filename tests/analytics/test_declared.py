"""What is declared of feeds, against a fixed point by sets: every rule, standbys, shares, failure
domains and degradation, on plants without circles.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import assets
from twinfall.analytics import AssetNetwork, Standing

FEW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
NORTH, SOUTH = "domain:north", "domain:south"
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
BUFFER, IN_TIME, TOO_LATE = "PT5M", "PT1M", "PT1H"


@dataclass(frozen=True)
class Feed:
    """One provider of a consumer; a standby may start in time to be a vote, or too late."""

    consumer: int
    provider: int
    share: float = 1.0
    standby: bool = False
    late: bool = False
    soft: bool = False


@dataclass(frozen=True)
class Declared:
    """n assets, each fed by earlier ones only, all by one rule; in which domains the feeds lie."""

    n: int
    rule: str
    k: int
    feeds: tuple[Feed, ...]
    normal_in: str | None
    standby_in: str | None

    def of(self, consumer: int, *, soft: bool) -> list[Feed]:
        return [f for f in self.feeds if f.consumer == consumer and f.soft == soft]

    def ids(self) -> list[str]:
        used = {self.domain(feed) for feed in self.feeds} - {None}
        return [*(f"A{i}" for i in range(self.n)), *sorted(d for d in used if d)]

    def domain(self, feed: Feed) -> str | None:
        if feed.soft:
            return None
        return self.standby_in if feed.standby else self.normal_in


@st.composite
def declared(draw: st.DrawFn) -> Declared:
    n = draw(st.integers(3, 7))
    rule = draw(st.sampled_from(["all", "any", "atLeast", "capacity"]))
    feeds: list[Feed] = []
    for consumer in range(1, n):
        providers = draw(st.lists(st.integers(0, consumer - 1), max_size=4, unique=True))
        normal = draw(st.integers(1, 4))
        for place, provider in enumerate(providers):
            share = draw(st.sampled_from([0.2, 0.5, 1.0]))
            late = draw(st.booleans())
            feeds.append(Feed(consumer, provider, share, place >= normal, late))
        some = draw(st.lists(st.integers(0, consumer - 1), max_size=2, unique=True))
        feeds += [Feed(consumer, provider, soft=True) for provider in some]
    domains = st.sampled_from([None, NORTH, SOUTH])
    k = draw(st.integers(1, 3))
    return Declared(n, rule, k, tuple(feeds), draw(domains), draw(domains))


def compiled(plant: Declared) -> AssetNetwork:
    normal: dict[str, Any] = {
        "dependent": "source", "group": "g", "rule": plant.rule, "autonomy": BUFFER,
        "share": {"from": "share", "default": 1.0},
    }  # fmt: skip
    if plant.rule == "atLeast":
        normal["k"] = {"from": "quorum", "default": 1}
    if plant.rule == "capacity":
        normal["minShare"] = 1.0
    standby: dict[str, Any] = {
        "dependent": "source", "group": "g", "priority": 2,
        "startTime": {"from": "lag", "default": IN_TIME},
        "share": {"from": "share", "default": 1.0},
    }  # fmt: skip
    for said, domain in ((normal, plant.normal_in), (standby, plant.standby_in)):
        if domain is not None:
            said["failureDomain"] = domain
    soft = {"dependent": "source", "rule": "any", "effect": "degrade", "level": 0.5}
    rows = []
    for feed in plant.feeds:
        properties = {} if feed.soft else {"share": feed.share}
        if feed.standby:
            properties["lag"] = TOO_LATE if feed.late else IN_TIME
        name = "near" if feed.soft else "backs" if feed.standby else "needs"
        rows.append((f"A{feed.consumer}", name, f"A{feed.provider}", properties))
    twins = {f"A{i}": {"quorum": plant.k} for i in range(plant.n)}
    return assets(
        {"Unit": {"contents": {"needs": normal, "backs": standby, "near": soft}}}, twins, rows
    )


def asks_for_more_than_it_is_given(plant: Declared) -> bool:
    """Whether a normal feed would not be enough: then standbys run from the start, or a group
    cannot be judged, which other tests are about.
    """
    for consumer in range(plant.n):
        normal = [f for f in plant.of(consumer, soft=False) if not f.standby]
        short = {
            "atLeast": len(normal) < plant.k,
            "capacity": sum(f.share for f in normal) < 1.0,
        }.get(plant.rule, False)
        if plant.of(consumer, soft=False) and short:
            return True
    return False


def holds(plant: Declared, consumer: int, down: set[str]) -> bool:
    """Whether the group of a consumer has what it needs while these are down."""
    feeds = [f for f in plant.of(consumer, soft=False) if not (f.standby and f.late)]
    if not feeds:
        return True
    left = [
        f for f in feeds
        if f"A{f.provider}" not in down and plant.domain(f) not in down
    ]  # fmt: skip
    if plant.rule == "all":
        return len(left) >= sum(not f.standby for f in feeds)
    if plant.rule == "any":
        return len(left) >= 1
    if plant.rule == "atLeast":
        return len(left) >= plant.k
    return sum(f.share for f in left) >= 1.0 - 1e-9


def down_in_the_end(plant: Declared, failed: set[str]) -> set[str]:
    down = set(failed)
    for consumer in range(plant.n):  # everybody hangs on earlier ones only
        if not holds(plant, consumer, down):
            down.add(f"A{consumer}")
    return down


def degraded_in_the_end(plant: Declared, down: set[str]) -> set[str]:
    found = set()
    for consumer in range(plant.n):
        feeds = plant.of(consumer, soft=True)
        if feeds and all(f"A{f.provider}" in down for f in feeds):
            found.add(f"A{consumer}")
    return found - down


PLANTS = declared().filter(lambda plant: not asks_for_more_than_it_is_given(plant))


@FEW
@given(PLANTS, st.data())
def test_what_fails_and_what_degrades_is_what_the_declarations_say(plant, data) -> None:
    failed = set(data.draw(st.lists(st.sampled_from(plant.ids()), max_size=3)))

    rows = compiled(plant).impact(sorted(failed)).affected()

    down = down_in_the_end(plant, failed)
    expected = dict.fromkeys(down - failed, "failed")
    expected |= dict.fromkeys(degraded_in_the_end(plant, down), "degraded")
    assert {row.id: row.to for row in rows} == expected


@FEW
@given(PLANTS)
def test_domains_are_single_points_of_failure_like_assets(plant) -> None:
    network = compiled(plant)

    for asset in range(plant.n):
        found = {network.ids[s] for s in network.network.spof(asset)}
        expected = {
            one for one in plant.ids()
            if one != f"A{asset}" and f"A{asset}" in down_in_the_end(plant, {one})
        }  # fmt: skip
        assert found == expected


@FEW
@given(PLANTS)
def test_partners_are_those_that_lose_more_together_than_apart(plant) -> None:
    ids = plant.ids()
    alone = {one: down_in_the_end(plant, {one}) for one in ids}
    expected: dict[str, list[str]] = {one: [] for one in ids}
    for one, other in combinations(ids, 2):
        if down_in_the_end(plant, {one, other}) > alone[one] | alone[other]:
            expected[one].append(other)
            expected[other].append(one)

    ranking = compiled(plant).criticality

    assert {one: sorted(ranking.partners(one)) for one in ids} == {
        one: sorted(others) for one, others in expected.items()
    }


@FEW
@given(PLANTS, st.data())
def test_what_an_impact_foretells_is_how_things_stand_when_the_time_has_come(plant, data) -> None:
    failed = tuple(data.draw(st.lists(st.sampled_from(plant.ids()), max_size=3, unique=True)))
    network = compiled(plant)
    rows = network.impact(failed).affected()
    standing = Standing(1, failed=failed, since=dict.fromkeys(failed, START))

    for at in {0.0, *(row.at for row in rows)}:
        now = network.under(standing, START + round(at * SECOND))

        foretold: dict[str, str] = {}
        for row in rows:  # who degrades first may fail later
            if row.at <= at:
                foretold[row.id] = row.to
        foretold |= dict.fromkeys(failed, "failed")
        found = {id_: now.state(id_) for id_ in plant.ids() if now.state(id_) != "ok"}
        early = {id_ for id_, state in found.items() if state == "degraded" and id_ not in foretold}
        assert {id_: state for id_, state in found.items() if id_ not in early} == foretold
        assert early <= {row.id for row in rows if row.to == "failed"}
