"""A graph under random writes agrees with a plain model of it, and with its own change feed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.graph.contract.conftest import Effort, NewStore
from tests.graph.contract.generated import (
    PUMP_IDS,
    TANK_IDS,
    add,
    feed_values,
    plans,
    pump_values,
    tank_values,
)
from tests.graph.contract.oracle import Oracle, without_cursors
from tests.graph.plant import BIG_PUMP, DOCUMENTS, MOTOR, PUMP, TANK
from twinfall.graph.graph import Graph
from twinfall.graph.outer import merged
from twinfall.graph.plan import Fetch
from twinfall.graph.twins import (
    Edge,
    Node,
    RelationshipInput,
    RelationshipKey,
    TwinInput,
    TwinPatch,
)
from twinfall.ontology.errors import BadRows

pytestmark = [
    pytest.mark.timeout(300),  # the first test also waits for Neo4j to start
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]
pumps = st.sampled_from(PUMP_IDS[:4])
tanks = st.sampled_from(TANK_IDS[:2])
twins = pumps | tanks
patches = st.one_of(
    pump_values,
    st.dictionaries(st.sampled_from(("name", "flow", "tags", "since")), st.none(), max_size=2),
    st.builds(lambda v: {"motor": v}, st.sampled_from((None, {}, {"power": 2.5}, {"power": None}))),
)


class Writes(RuleBasedStateMachine):
    """`plain` is what must be there: twins by id as (model, version, outer values)."""

    new_store: NewStore

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.graph = Graph(self.stack.enter_context(self.new_store()))
        self.graph.load_models(DOCUMENTS)
        self.plain: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self.edges: dict[tuple[str, str], Edge] = {}

    def teardown(self) -> None:
        self.stack.close()

    # -- writes ---------------------------------------------------------------------------

    def keep(self, id_: str, model: str, values: dict[str, Any]) -> None:
        if model != TANK:
            values = {"motor": {}, "spare": {}, **values}
        old = self.plain.get(id_)
        if old is None or (old[0], old[2]) != (model, values):
            self.plain[id_] = (model, old[1] + 1 if old else 1, values)

    @rule(id_=pumps, model=st.sampled_from((PUMP, BIG_PUMP)), values=pump_values)
    def write_a_pump(self, id_: str, model: str, values: dict[str, Any]) -> None:
        self.graph.write_twins([TwinInput(id_, model, values)])
        self.keep(id_, model, values)

    @rule(id_=tanks, values=tank_values)
    def write_a_tank(self, id_: str, values: dict[str, Any]) -> None:
        self.graph.write_twins([TwinInput(id_, TANK, values)])
        self.keep(id_, TANK, values)

    @rule(id_=pumps, patch=patches)
    def patch_a_pump(self, id_: str, patch: dict[str, Any]) -> None:
        if id_ not in self.plain:
            with pytest.raises(BadRows):
                self.graph.patch_twins([TwinPatch(id_, patch)])
            return
        model, version, values = self.plain[id_]
        self.graph.patch_twins([TwinPatch(id_, patch, if_version=version)])
        self.keep(id_, model, merged(values, patch))

    @rule(id_=twins, version=st.integers(0, 4))
    def write_only_over_a_version(self, id_: str, version: int) -> None:
        found = self.plain[id_][1] if id_ in self.plain else 0
        model = TANK if id_ in TANK_IDS else PUMP
        twin = TwinInput(id_, model, {"name": f"v{version}"}, if_version=version)
        if found == version:
            self.graph.write_twins([twin])
            self.keep(id_, model, {"name": f"v{version}"})
        else:
            with pytest.raises(BadRows):
                self.graph.write_twins([twin])

    @rule(ids=st.lists(twins, unique=True, max_size=2))
    def delete_twins(self, ids: list[str]) -> None:
        if not all(id_ in self.plain for id_ in ids):
            with pytest.raises(BadRows):
                self.graph.delete_twins(ids)
            return
        self.graph.delete_twins(ids)
        for id_ in ids:
            del self.plain[id_]
        self.edges = {
            key: edge
            for key, edge in self.edges.items()
            if edge.source.split("/")[0] not in ids and edge.target.split("/")[0] not in ids
        }

    @rule(source=pumps, tank=tanks, id_=st.sampled_from(("a", "b")), values=feed_values)
    def connect(self, source: str, tank: str, id_: str, values: dict[str, Any]) -> None:
        row = RelationshipInput(source, "feeds", tank, id_, values)
        if source in self.plain and tank in self.plain:
            self.graph.write_relationships([row])
            self.edges[source, id_] = Edge(source, id_, "feeds", tank, values)
        else:
            with pytest.raises(BadRows):
                self.graph.write_relationships([row])

    @rule(source=twins, end=twins, component=st.sampled_from(("", "/motor")))
    def relate(self, source: str, end: str, component: str) -> None:
        target = end + (component if end in PUMP_IDS else "")
        if source in self.plain and end in self.plain:
            self.graph.write_relationships([RelationshipInput(source, "near", target)])
            id_ = f"near:{target}"
            self.edges[source, id_] = Edge(source, id_, "near", target)

    @rule(source=pumps, id_=st.sampled_from(("a", "b")))
    def disconnect(self, source: str, id_: str) -> None:
        if (source, id_) in self.edges:
            self.graph.delete_relationships([RelationshipKey(source, id_)])
            del self.edges[source, id_]

    # -- agreement ------------------------------------------------------------------------

    def oracle(self) -> Oracle:
        oracle = Oracle(edges=dict(self.edges))
        for id_, (model, version, values) in self.plain.items():
            parts = ("motor", "spare") if model != TANK else ()
            own = {name: value for name, value in values.items() if name not in parts}
            add(oracle, Node(id_, model, own, version))
            for name in parts:
                add(oracle, Node(f"{id_}/{name}", MOTOR, values[name], version, "", id_, name))
        return oracle

    @rule(plan=plans())
    def ask_anything(self, plan: Fetch) -> None:
        assert without_cursors(self.graph.fetch(plan)) == self.oracle().fetch(plan)

    @invariant()
    def the_store_has_what_was_written(self) -> None:
        oracle = self.oracle()
        assert self.graph.store.nodes(list(self.plain)) == oracle.nodes
        found = {
            (edge.source, edge.id): edge for edge in self.graph.store.edges_at(list(oracle.nodes))
        }
        assert found == self.edges

    @invariant()
    def the_change_feed_tells_the_same_story(self) -> None:
        twins: dict[str, Any] = {}
        edges: dict[str, Any] = {}
        for seq, change in enumerate(self.graph.changes(0, 10_000), 1):
            assert change.seq == seq
            if change.kind == "modelsLoaded":
                continue
            kept = twins if change.kind.startswith("twin") else edges
            before = kept.get(change.subject)
            assert (before[-1] if before else None) == change.before
            if change.after is None:
                del kept[change.subject]
            else:
                kept[change.subject] = (change.model, change.version, change.after)
        assert twins == self.plain
        assert {
            (after["source"], after["id"]): Edge(
                after["source"], after["id"], after["name"], after["target"], after["properties"]
            )
            for _, _, after in edges.values()
        } == self.edges


def test_random_writes_leave_what_they_say(new_store: NewStore, effort: Effort) -> None:
    machine = type("OnThisStore", (Writes,), {"new_store": staticmethod(new_store)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=effort(25),
            stateful_step_count=15,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
