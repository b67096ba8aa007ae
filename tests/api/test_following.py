"""Whatever is written, the arrays that follow answer as if they had been compiled just now."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.analytics.plant import DOCUMENTS, PREFIX, answer_alike
from twinfall.analytics import AssetNetwork, topology_request
from twinfall.api.keeping import KeptArrays
from twinfall.api.networks import LiveNetwork
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, RelationshipKey, TwinInput, TwinPatch

UNIT, MACHINE, SITE = (f"{PREFIX}{name};1" for name in ("Unit", "Machine", "Site"))
MODELS = [
    *DOCUMENTS,
    {
        "@context": "dtmi:dtdl:context;3",
        "@type": "Interface",
        "@id": SITE,
        "extends": UNIT,
        "contents": [
            {"@type": "Property", "name": "duct", "schema": "string"},
            {"@type": "Relationship", "name": "wired"},
        ],
    },
]
DECLARED: dict[str, Any] = {
    UNIT: {
        "asset": {
            "customers": {"from": "people", "default": 1},
            "value": {"from": "worth"},
            "conducts": {"from": "closed", "default": True},
            "services": ["heat"],
        },
        "contents": {
            "needs": {
                "dependent": "source",
                "rule": "atLeast",
                "k": {"from": "quorum", "default": 1},
                "autonomy": {"from": "reserve", "default": "PT0S"},
                "transfer": {"from": "lag", "default": "PT0S"},
            },
            "backs": {
                "dependent": "target",
                "rule": "capacity",
                "minShare": 1,
                "share": {"from": "share", "default": 0.5},
            },
            "joins": {"mode": "network", "carrier": "water"},
        },
    },
    MACHINE: {
        "asset": {"source": ["water"]},
        "contents": {"bearing": {"dependent": "source"}},
    },
    SITE: {"contents": {"wired": {"dependent": "source", "failureDomain": {"from": "duct"}}}},
}
IDS = ["A", "A!", "A1", "B", "C", "D"]
ids = st.sampled_from(IDS)
durations = st.sampled_from(["PT0S", "PT1H", "P1M"])
"""A month has no fixed length: what is bound to it is not evaluated."""
VALUES = {
    "people": st.integers(0, 3),
    "worth": st.floats(0, 10, width=16),
    "closed": st.booleans(),
    "quorum": st.integers(0, 3),
    "reserve": durations,
    "lag": durations,
}
values = st.fixed_dictionaries({}, optional=VALUES)
twins = st.one_of(
    st.builds(TwinInput, ids, st.just(UNIT), values),
    st.builds(
        TwinInput,
        ids,
        st.just(MACHINE),
        values.map(lambda given: {**given, "bearing": {"hours": 1.0}}),
    ),
    st.builds(
        lambda id_, given, duct: TwinInput(id_, SITE, {**given, "duct": duct}),
        ids,
        values,
        st.sampled_from(["domain:trench", "A", "nowhere"]),
    ),
)
relationships = st.builds(
    lambda source, name, target, lag, share: RelationshipInput(
        source, name, target, properties={**lag, **share} if name != "wired" else {}
    ),
    ids,
    st.sampled_from(["needs", "backs", "joins", "near", "wired"]),
    st.sampled_from([*IDS, "A/bearing"]),
    st.fixed_dictionaries({}, optional={"lag": durations, "quorum": st.integers(0, 2)}),
    st.fixed_dictionaries({}, optional={"share": st.sampled_from([0.0, 0.5, 1.0])}),
)
keys = st.builds(
    lambda source, name, target: RelationshipKey(source, f"{name}:{target}"),
    ids,
    st.sampled_from(["needs", "backs", "joins", "wired"]),
    ids,
)


class Following(RuleBasedStateMachine):
    """Writes, questions and new starts in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.graph = Graph(SQLiteStore(":memory:"))
        self.graph.load_models(MODELS, [{"version": 1, "interfaces": DECLARED}])
        self.graph.write_twins([TwinInput(id_, UNIT) for id_ in "ABC"])
        self.start()

    def start(self) -> None:
        path = self.folder / "graph.arrays"
        kept = KeptArrays(path, self.graph, worthwhile=0.0)
        self.networks = LiveNetwork(self.graph, kept=kept)

    @rule(rows=st.lists(twins, min_size=1, max_size=6))
    def write(self, rows: list[TwinInput]) -> None:
        self.graph.write_twins(rows, partial=True)

    @rule(rows=st.lists(st.builds(TwinPatch, ids, values), min_size=1, max_size=3))
    def patch(self, rows: list[TwinPatch]) -> None:
        self.graph.patch_twins(rows, partial=True)

    @rule(id_=ids, name=st.sampled_from(sorted(VALUES)))
    def forget(self, id_: str, name: str) -> None:
        self.graph.patch_twins([TwinPatch(id_, {name: None})], partial=True)

    @rule(id_=ids)
    def delete(self, id_: str) -> None:
        self.graph.delete_twins([id_], partial=True)

    @rule(rows=st.lists(relationships, min_size=1, max_size=8))
    def connect(self, rows: list[RelationshipInput]) -> None:
        self.graph.write_relationships(rows, partial=True)

    @rule(rows=st.lists(keys, min_size=1, max_size=4))
    def cut(self, rows: list[RelationshipKey]) -> None:
        self.graph.delete_relationships(rows, partial=True)

    @rule()
    def start_again(self) -> None:
        self.networks.close()
        self.start()

    @rule(share=st.sampled_from([0.5, 1, 2]))
    def declare(self, share: float) -> None:
        backs = {**DECLARED[UNIT]["contents"]["backs"], "minShare": share}
        unit = {**DECLARED[UNIT], "contents": {**DECLARED[UNIT]["contents"], "backs": backs}}
        self.graph.load_models([], [{"version": 1, "interfaces": {**DECLARED, UNIT: unit}}])

    @invariant()
    def answers_as_if_compiled_just_now(self) -> None:
        request = topology_request(self.graph.ontology, self.graph.dependencies)
        topology = self.graph.topology(request)
        fresh = AssetNetwork.compile(topology, self.graph.ontology, self.graph.dependencies)

        found = self.networks.current()

        answer_alike(found, fresh)

    def teardown(self) -> None:
        if hasattr(self, "graph"):
            self.networks.close()
            self.graph.store.close()
            shutil.rmtree(self.folder)


Following.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestWhateverIsWritten = Following.TestCase
