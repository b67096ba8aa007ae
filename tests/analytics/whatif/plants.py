"""A small plant that scenarios are put to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.analytics.plant import DOCUMENTS, PREFIX
from twinfall.analytics import AssetNetwork, topology_request
from twinfall.analytics.whatif import Outcome, what_if
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput

NEEDS: dict[str, Any] = {
    "Unit": {
        "asset": {
            "customers": {"from": "people", "default": 1},
            "conducts": {"from": "closed", "default": True},
            "location": {"x": {"from": "worth"}, "y": 0},
            "fragility": [[0, 0.0], [1, 0.5], [2, 1.0]],
        },
        "contents": {
            "needs": {"dependent": "source", "group": "power", "rule": "any"},
            "backs": {"dependent": "target", "group": "power"},
        },
    }
}


class Plant:
    """A graph and its arrays, open for scenarios."""

    def __init__(
        self,
        twins: Mapping[str, Mapping[str, Any]],
        relationships: Sequence[tuple[Any, ...]],
        declared: Mapping[str, Any] = NEEDS,
        documents: Sequence[Any] = DOCUMENTS,
    ) -> None:
        store = SQLiteStore(":memory:")
        self.graph = graph = Graph(store)
        sidecar = {f"{PREFIX}{name};1": said for name, said in declared.items()}
        graph.load_models(documents, [{"version": 1, "interfaces": sidecar}])
        rows = [(id_, dict(values)) for id_, values in twins.items()]
        graph.write_twins([TwinInput(i, f"{PREFIX}{v.pop('model', 'Unit')};1", v) for i, v in rows])
        graph.write_relationships(
            [
                RelationshipInput(source, name, target, properties=rest[0] if rest else {})
                for source, name, target, *rest in relationships
            ]
        )
        topology = graph.topology(topology_request(graph.ontology, graph.dependencies))
        self.assets = AssetNetwork.compile(topology, graph.ontology, graph.dependencies)
        store.close()

    def what_if(self, scenario: Any, **more: Any) -> Outcome:
        assets = more.get("assets", self.assets)
        return what_if(assets, scenario, self.graph.ontology, self.graph.dependencies)
