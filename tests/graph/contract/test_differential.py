"""The embedded store and Neo4j, side by side on one plant: equal answers to anything."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.graph.contract.conftest import NewStore, fresh_sqlite, with_plant
from tests.graph.contract.generated import TEXTS, add, plans
from tests.graph.contract.oracle import Oracle, without_cursors
from tests.graph.plant import BIG_PUMP, MOTOR, PUMP, TANK
from twinfall.graph.models import Models
from twinfall.graph.plan import Fetch
from twinfall.graph.store import TopologyRequest, TwinStore
from twinfall.graph.twins import Batch, Edge, Node

pytestmark = [
    pytest.mark.neo4j,
    pytest.mark.timeout(300),  # the first test also waits for Neo4j to start
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]
Both = tuple[TwinStore, TwinStore]


def values(chance: random.Random) -> dict[str, Any]:
    """Some of the properties, from pools where stores like to differ."""
    pools: dict[str, tuple[Any, ...]] = {
        "name": TEXTS,
        "weight": (0.0, 0.1, 0.1 + 0.2, -1e-300, 5e-324, 1.7976931348623157e308),
        "on": (True, False),
        "stages": (-1, 0, 1),
        "turns": (2**53 + 1, 2**63 - 1, -(2**63), 0),
        "serial": (0, 2**63 - 1, 2**63, 2**64 - 1),
        "flow": (1.0, 1e16, 9007199254740993.0, 0.30000000000000004),
        "since": ("0001-01-01T00:00:00Z", "2026-11-23T06:30:00.5Z", "2026-11-23T06:30:00.05Z"),
        "built": ("2026-11-23", "9999-12-31"),
        "price": ("0.10", "12345678901234567890.1"),
        "tags": ([], ["b", ""]),
        "labels": ({}, {"en": "\U0001d4b3"}),
    }
    return {name: chance.choice(pool) for name, pool in pools.items() if chance.random() < 0.6}


def large_plant() -> Oracle:
    chance = random.Random(1)
    plant = Oracle()
    for number in range(60):
        id_ = (
            f"P{number}" if number > 7 else ("P", "P!", "P-1", "P0", "p", "Q", "P10", "P2")[number]
        )
        version = chance.randrange(1, 4)
        add(plant, Node(id_, chance.choice((PUMP, BIG_PUMP)), values(chance), version))
        for name in ("motor", "spare"):
            own = {"power": chance.random()} if chance.random() < 0.5 else {}
            add(plant, Node(f"{id_}/{name}", MOTOR, own, version, "", id_, name))
    for number in range(30):
        own = {k: v for k, v in values(chance).items() if k in ("name", "weight")}
        add(plant, Node(f"T{number}", TANK, own, 1))
    pumps = [id_ for id_, node in plant.nodes.items() if node.model in (PUMP, BIG_PUMP)]
    tanks = [id_ for id_, node in plant.nodes.items() if node.model == TANK]
    for number in range(150):
        source, target = chance.choice(pumps), chance.choice(tanks)
        own = {"share": chance.choice((0.1, 0.3, 0.1 + 0.2)), "note": chance.choice(TEXTS)}
        edge = Edge(source, f"f{number}", "feeds", target, own if chance.random() < 0.8 else {})
        plant.edges[source, edge.id] = edge
        near = Edge(target, f"n{number}", "near", chance.choice(sorted(plant.nodes)))
        plant.edges[target, near.id] = near
    return plant


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest, models: Models) -> Iterator[Both]:
    """The same plant in both stores."""
    neo4j: NewStore = request.getfixturevalue("neo4j").fresh_store
    plant = large_plant()
    batch = Batch("all", tuple(plant.nodes.values()), edges=tuple(plant.edges.values()))
    with ExitStack() as stack:
        stores = [stack.enter_context(new()) for new in (fresh_sqlite, neo4j)]
        for store in stores:
            with_plant(store, models).apply(batch)
        yield stores[0], stores[1]


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(plan=plans())
def test_any_question_has_one_answer(both: Both, plan: Fetch) -> None:
    embedded, server = both
    assert without_cursors(embedded.fetch(plan)) == without_cursors(server.fetch(plan))


def test_the_arrays_are_the_same(both: Both) -> None:
    request = TopologyRequest(("feeds", "near"), ("flow", "serial", "name"), ("share", "note"))
    one, other = (store.topology(request) for store in both)
    assert (one.ids, one.component) == (other.ids, other.component)
    assert [one.models[i] for i in one.model] == [other.models[i] for i in other.model]
    assert one.owner.tolist() == other.owner.tolist()
    assert one.values == other.values
    for name in request.relationships:
        assert one.edges[name].ids == other.edges[name].ids
        assert one.edges[name].source.tolist() == other.edges[name].source.tolist()
        assert one.edges[name].target.tolist() == other.edges[name].target.tolist()
        assert one.edges[name].properties == other.edges[name].properties


def test_everything_in_chunks_is_the_same(both: Both) -> None:
    one, other = ([*store.scan()] for store in both)
    for part in (0, 1):
        assert [x for chunk in one for x in chunk[part]] == [x for c in other for x in c[part]]
