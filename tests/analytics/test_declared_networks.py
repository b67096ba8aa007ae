"""What is declared of connections, against what can be derived from the sources: ducts, valves,
one-way pipes and two carriers that wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import assets
from twinfall.analytics import AssetNetwork

FEW = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
DUCT = "domain:duct"
WATER, HEAT = "water", "heat"
FLOW = (WATER, HEAT)
WAYS = {"joins": WATER, "near": WATER, "backs": WATER, "needs": HEAT}
"""`joins` lies in the duct, `backs` carries towards its target only."""


@dataclass(frozen=True)
class Pipes:
    """Connections (source, name, target); sources of both carriers; who does not conduct."""

    n: int
    connections: tuple[tuple[int, str, int], ...]
    sources: frozenset[int]
    shut: frozenset[int]

    def ids(self) -> list[str]:
        used = any(name == "joins" for _, name, _ in self.connections)
        return [*(f"A{i}" for i in range(self.n)), *([DUCT] if used else [])]


@st.composite
def pipes(draw: st.DrawFn) -> Pipes:
    n = draw(st.integers(2, 8))
    asset = st.integers(0, n - 1)
    name = st.sampled_from(sorted(WAYS))
    rows = draw(st.lists(st.tuples(asset, name, asset), max_size=2 * n, unique=True))
    return Pipes(
        n,
        tuple(row for row in rows if row[0] != row[2]),
        draw(st.frozensets(asset, min_size=1, max_size=2)),
        draw(st.frozensets(asset, max_size=2)),
    )


def compiled(plant: Pipes) -> AssetNetwork:
    contents: dict[str, Any] = {
        name: {"mode": "network", "carrier": carrier} for name, carrier in WAYS.items()
    }
    contents["joins"]["failureDomain"] = DUCT
    contents["backs"]["dependent"] = "target"
    declared = {
        "Unit": {"asset": {"conducts": {"from": "closed"}}, "contents": contents},
        "Machine": {"asset": {"source": [WATER, HEAT]}, "contents": {}},
    }
    twins: dict[str, dict[str, Any]] = {}
    for i in range(plant.n):
        twins[f"A{i}"] = {"closed": i not in plant.shut}
        if i in plant.sources:
            twins[f"A{i}"] |= {"model": "Machine", "bearing": {}}
    rows = [(f"A{a}", name, f"A{b}") for a, name, b in plant.connections]
    return assets(declared, twins, rows)


def down(plant: Pipes, failed: set[str]) -> set[str]:
    """All that is down while these are: what cannot be derived, from the sources on, through
    assets that have all their carriers. `failed` has what is down already, too.
    """
    ways = [(c, _ways(plant, c, failed)) for c in FLOW]
    members = {
        c: {i for a, n, b in plant.connections if WAYS[n] == c for i in (a, b)} for c in FLOW
    }
    up: set[int] = set()
    fed = {c: set(plant.sources & members[c]) for c in FLOW}
    while True:
        size = len(up) + sum(map(len, fed.values()))
        up |= {
            i for i in range(plant.n)
            if f"A{i}" not in failed and all(i in fed[c] for c in FLOW if i in members[c])
        }  # fmt: skip
        for carrier, arcs in ways:
            fed[carrier] |= {end for begin, end in arcs if begin in up & fed[carrier]}
        if len(up) + sum(map(len, fed.values())) == size:
            return failed | {f"A{i}" for i in range(plant.n) if i not in up}


def _ways(plant: Pipes, carrier: str, failed: set[str]) -> list[tuple[int, int]]:
    """In which directions a carrier flows between which assets."""
    found = []
    for a, name, b in plant.connections:
        if WAYS[name] == carrier and not (name == "joins" and DUCT in failed):
            found += [(a, b)] if name == "backs" else [(a, b), (b, a)]
    return [(begin, end) for begin, end in found if begin not in plant.shut]


@FEW
@given(pipes(), st.data())
def test_what_is_cut_off_is_what_cannot_be_derived_from_a_source(plant, data) -> None:
    failed = set(data.draw(st.lists(st.sampled_from(plant.ids()), max_size=3)))
    network = compiled(plant)

    found = {row.id for row in network.impact(sorted(failed)).affected()}

    before = down(plant, set())
    assert set(network.baseline_down) == before
    assert found == down(plant, before | failed) - before - failed


@FEW
@given(pipes())
def test_single_points_of_failure_are_found_by_taking_each_away(plant) -> None:
    network, before = compiled(plant), down(plant, set())

    for asset in {f"A{i}" for i in range(plant.n)} - before:
        found = {network.ids[s] for s in network.network.spof(network.position_of(asset))}
        assert found & set(plant.ids()) == {
            one for one in set(plant.ids()) - before
            if one != asset and asset in down(plant, before | {one})
        }  # fmt: skip
