"""What was written is compiled by itself; the arrays are those that compiling all of it gives,
number for number.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from tests.analytics.writing import DECLARED, MACHINE, MODELS, SITE, UNIT, Writes
from twinfall.analytics import AssetNetwork, topology_request
from twinfall.graph.following import Changes, followed
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput, TwinPatch

PLACE = {"x": {"from": "worth"}, "y": 1, "crs": "EPSG:25832"}
HEAT = {"carrier": "heat", "autonomy": {"from": "reserve"}, "recharge": "PT1H"}


def declared(said: str) -> dict[str, Any]:
    """Declarations with one of everything: with failure domains, without, with standbys and
    degradation, without networks.
    """
    if said == "domains":
        return DECLARED
    unit, contents = dict(DECLARED[UNIT]), dict(DECLARED[UNIT]["contents"])
    machine = dict(DECLARED[MACHINE])
    if said in ("standbys", "no networks"):
        backed = {"priority": 2, "startTime": "PT10S", "autonomy": "PT1M", "recharge": "PT1H"}
        contents["backs"] = {**contents["backs"], **backed}
        contents["needs"] = {**contents["needs"], "effect": "degrade", "level": 0.5}
        contents["near"] = {"dependent": "source", "rule": "all", "loop": "sustain"}
        more = {"failureRate": {"from": "worth"}, "blackStart": {"from": "closed"}}
        unit["asset"] = {**unit["asset"], "location": PLACE, **more}
        machine["asset"] = {"source": ["water", HEAT]}
    if said == "no networks":
        contents.pop("joins")
        machine.pop("asset")
    return {UNIT: {**unit, "contents": contents}, MACHINE: machine}


def difference(one: Any, other: Any, path: str = "") -> str:
    """Where two compiled graphs differ first; empty: nowhere."""
    if isinstance(one, np.ndarray):
        alike = one.dtype == other.dtype and one.shape == other.shape
        names = one.dtype.names or ()
        if names:
            same = alike and all(np.array_equal(one[name], other[name]) for name in names)
        else:
            same = alike and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        return "" if same else f"{path}: {one} is not {other}"
    parts = [field.name for field in fields(one)] if is_dataclass(one) else []
    parts = parts or list(getattr(one, "_fields", ()))
    if type(one).__name__ == "Network":
        parts = ["n", "visible", "feeds", "links", "arrays", "value", "baseline"]
    if parts:
        found = (difference(getattr(one, p), getattr(other, p), f"{path}.{p}") for p in parts)
        return next(filter(None, found), "")
    if isinstance(one, tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next(filter(None, (difference(a, b, f"{path}[{i}]") for i, (a, b) in pairs)), "")
    return "" if one == other else f"{path}: {one!r} is not {other!r}"


class Site:
    """A graph and its arrays, which go after what is written."""

    def __init__(self, declarations: dict[str, Any]) -> None:
        self.graph = Graph(SQLiteStore(":memory:"))
        self.graph.load_models(MODELS, [{"version": 1, "interfaces": declarations}])
        self.models = self.graph.models
        self.request = topology_request(self.models.ontology, self.models.dependencies)
        self.network = self.compiled(self.graph.topology(self.request))

    def compiled(self, topology: Any) -> AssetNetwork:
        models = self.models
        return AssetNetwork.compile(topology, models.ontology, models.dependencies)

    def follow(self) -> AssetNetwork:
        """The arrays after all that was written."""
        models, changes = self.models, Changes(self.network.cursor)
        changes.take(self.graph.changes(changes.cursor, 10_000))
        topology = followed(self.network.topology, self.request, models.ontology, changes)
        self.network = self.network.after(topology, models.ontology, models.dependencies, changes)
        return self.network


class Writing(Writes):
    """Writes of every kind, several between two looks."""

    @initialize(said=st.sampled_from(["domains", "plain", "standbys", "no networks"]))
    def begin(self, said: str) -> None:
        self.site = Site(declared(said))
        self.graph = self.site.graph
        self.graph.write_twins([TwinInput(id_, UNIT) for id_ in "ABC"])

    @invariant()
    def arrays_are_those_of_compiling_all(self) -> None:
        found = self.site.follow()

        assert difference(found.compiled, self.site.compiled(found.topology).compiled) == ""

    def teardown(self) -> None:
        if hasattr(self, "graph"):
            self.graph.store.close()


Writing.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestWhateverIsWritten = Writing.TestCase


@pytest.fixture
def site() -> Iterator[Site]:
    """A feeds B feeds C, and D stands alone."""
    made = Site(declared("plain"))
    with contextlib.closing(made.graph.store):
        made.graph.write_twins([TwinInput(id_, UNIT, {"people": 2}) for id_ in "ABCD"])
        made.graph.write_relationships(
            [RelationshipInput("B", "needs", "A"), RelationshipInput("C", "needs", "B")]
        )
        made.follow()
        yield made


def test_what_a_write_does_not_touch_is_shared(site: Site) -> None:
    before = site.network.compiled

    site.graph.write_relationships([RelationshipInput("D", "needs", "C")])
    after = site.follow()

    assert after.compiled.customers is before.customers
    assert after.compiled.network.links is before.network.links
    assert [row.id for row in after.impact(["A"]).affected()] == ["B", "C", "D"]


def test_a_value_that_no_feed_reads_leaves_the_network_as_it_is(site: Site) -> None:
    before = site.network.compiled

    site.graph.patch_twins([TwinPatch("C", {"people": 7})])
    after = site.follow()

    assert after.compiled.network is before.network
    assert after.impact(["A"]).totals.customers == 9


def test_a_circle_that_is_closed_and_opened_again_is_seen(site: Site) -> None:
    closing = RelationshipInput("A", "needs", "C", "back", {"quorum": 1})
    site.graph.write_relationships([closing])
    closed = site.follow()
    site.graph.delete_twins(["C"])
    opened = site.follow()

    assert closed.compiled.network.arrays.cyclic
    assert set(closed.baseline_down) == {"A", "B", "C"}
    assert not opened.compiled.network.arrays.cyclic
    assert opened.baseline_down == ()


def test_a_domain_comes_into_a_graph_that_had_none() -> None:
    site = Site(DECLARED)
    with contextlib.closing(site.graph.store):
        site.graph.write_twins([TwinInput("A", UNIT), TwinInput("B", SITE, {"duct": "domain:d"})])
        site.follow()
        site.graph.write_relationships([RelationshipInput("B", "wired", "A")])

        found = site.follow()

        assert [row.id for row in found.impact(["domain:d"]).affected()] == ["B"]
