"""Small plants described as a user describes them: an ontology, a sidecar, twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinfall.analytics import AssetNetwork, topology_request
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput

PREFIX = "dtmi:test:plant:"
FEED_PROPERTIES = {"lag": "duration", "quorum": "integer", "share": "double"}
UNIT_PROPERTIES = {
    "lag": "duration",
    "quorum": "integer",
    "reserve": "duration",
    "closed": "boolean",
    "people": "integer",
    "worth": "double",
    "least": "double",
}


def _properties(schemas: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"@type": "Property", "name": n, "schema": s} for n, s in schemas.items()]


def _interface(name: str, contents: Sequence[Any], **more: Any) -> dict[str, Any]:
    return {
        "@context": "dtmi:dtdl:context;3",
        "@type": "Interface",
        "@id": f"{PREFIX}{name};1",
        "contents": contents,
        **more,
    }


DOCUMENTS = [
    _interface(
        "Unit",
        [
            *_properties(UNIT_PROPERTIES),
            *(
                {"@type": "Relationship", "name": n, "properties": _properties(FEED_PROPERTIES)}
                for n in ("needs", "backs", "joins", "near")
            ),
        ],
    ),
    _interface("Part", _properties({"hours": "double"})),
    _interface(
        "Machine",
        [{"@type": "Component", "name": "bearing", "schema": f"{PREFIX}Part;1"}],
        extends=f"{PREFIX}Unit;1",
    ),
]


def assets(
    declared: Mapping[str, Mapping[str, Any]],
    twins: Mapping[str, Mapping[str, Any]],
    relationships: Sequence[tuple[Any, ...]] = (),
) -> AssetNetwork:
    """Compile a plant: declarations by interface name, twins as {id: values} (`model`: its
    interface, Unit if not said), relationships as (source, name, target[, properties]).
    """
    graph = Graph(SQLiteStore(":memory:"))
    sidecar = {f"{PREFIX}{name};1": said for name, said in declared.items()}
    graph.load_models(DOCUMENTS, [{"version": 1, "interfaces": sidecar}])
    graph.write_twins(
        [
            TwinInput(
                id_,
                f"{PREFIX}{values.get('model', 'Unit')};1",
                {name: value for name, value in values.items() if name != "model"},
            )
            for id_, values in twins.items()
        ]
    )
    graph.write_relationships(
        [
            RelationshipInput(source, name, target, properties=rest[0] if rest else {})
            for source, name, target, *rest in relationships
        ]
    )
    topology = graph.topology(topology_request(graph.ontology, graph.dependencies))
    compiled = AssetNetwork.compile(topology, graph.ontology, graph.dependencies)
    graph.store.close()
    return compiled


def answer_alike(found: AssetNetwork, other: AssetNetwork) -> None:
    """Whatever is asked, of one as of the other."""
    assert list(found.ids) == list(other.ids)
    assert found.snapshot == other.snapshot
    assert found.not_evaluated == other.not_evaluated
    assert found.baseline_down == other.baseline_down
    assert found.network.criticality().tolist() == other.network.criticality().tolist()
    for id_ in other.ids[: other.visible]:
        ours, theirs = found.impact([id_]), other.impact([id_])
        assert ours.affected() == theirs.affected()
        assert ours.totals == theirs.totals
