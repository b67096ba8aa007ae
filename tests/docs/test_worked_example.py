"""The worked example of the page about dependencies is a plant that stands."""

from __future__ import annotations

import re
from typing import Any

from tests.docs.pages import ROOT
from twinfall.analytics import AssetNetwork, topology_request
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput
from twinfall.ontology.lint import lint

SITE = "dtmi:example:site:"
PROPERTIES = {
    "Hospital": {"beds": "integer", "x": "double", "y": "double"},
    "Valve": {"open": "boolean"},
}
RELATIONSHIPS = {
    "Hospital": ("feeder", "generator", "pipe", "chiller"),
    "Waterworks": ("pipe",),
    "Tank": ("pipe",),
    "Valve": (),
    "Unit": (),
}
LINKS = (
    *(("hospital", "feeder", id_) for id_ in ("feeder-1", "feeder-2")),
    ("hospital", "generator", "genset"),
    ("hospital", "chiller", "chiller"),
    ("waterworks", "pipe", "valve"),
    ("hospital", "pipe", "valve"),
    ("tank", "pipe", "hospital"),
)
"""The tank is filled through the hospital, and lives for six hours without it."""
HOUR = 3600.0


def _interface(name: str, relationships: tuple[str, ...]) -> dict[str, Any]:
    properties = PROPERTIES.get(name, {})
    return {
        "@context": "dtmi:dtdl:context;3",
        "@type": "Interface",
        "@id": f"{SITE}{name};1",
        "contents": [
            *({"@type": "Property", "name": n, "schema": s} for n, s in properties.items()),
            *({"@type": "Relationship", "name": one} for one in relationships),
        ],
    }


def _plant() -> Graph:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    said = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert said is not None
    graph = Graph(SQLiteStore(":memory:"))
    graph.load_models([_interface(*one) for one in RELATIONSHIPS.items()], [said[1]])
    models = {"hospital": "Hospital", "waterworks": "Waterworks", "tank": "Tank", "valve": "Valve"}
    ids = dict.fromkeys(id_ for source, _, target in LINKS for id_ in (source, target))
    graph.write_twins([TwinInput(i, f"{SITE}{models.get(i, 'Unit')};1", {}) for i in ids])
    graph.write_relationships([RelationshipInput(*one, properties={}) for one in LINKS])
    return graph


def test_it_stands_and_falls_as_the_page_says() -> None:
    graph = _plant()
    topology = graph.topology(topology_request(graph.ontology, graph.dependencies))
    assets = AssetNetwork.compile(topology, graph.ontology, graph.dependencies)

    def falls(*failed: str) -> dict[str, float]:
        return {one.id: one.at / HOUR for one in assets.impact(failed).affected()}

    assert assets.baseline_down == ()
    assert falls("feeder-1", "feeder-2", "genset") == {"hospital": 4, "tank": 10}
    assert falls("valve") == {"hospital": 6, "tank": 6}
    assert [one.to for one in assets.impact(["chiller"]).affected()] == ["degraded"]
    graph.store.close()


def test_nothing_about_it_is_warned_of() -> None:
    graph = _plant()

    codes = {one.code for one in lint(graph.ontology, graph.dependencies)}

    assert "onlyStorages" not in codes
    graph.store.close()
