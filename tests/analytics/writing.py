"""Writes of every kind to a small site, as a state machine does them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.analytics.plant import DOCUMENTS, PREFIX
from twinfall.graph.graph import Graph
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


class Writes(RuleBasedStateMachine):
    """Writes to `graph` in any order; what they come to is the test's to say."""

    graph: Graph

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
