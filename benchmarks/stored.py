"""The synthetic city as a graph in a store: models, declarations, twins, relationships.

Buildings have customers and a place, as they would; the relationships are those of
`synthetic.city`, one name for each kind of provider.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.synthetic import LAYERS, City, city
from twinfall.graph.graph import Graph
from twinfall.graph.store import TwinStore
from twinfall.graph.twins import Batch, Change, Edge, Node

NAMESPACE = "dtmi:benchmark:city:"
CHUNK = 20_000
FEEDS = {
    "Substation": [("infeed", "atLeast", 2, False)],
    "Feeder": [("substation", "all", 1, False), ("hub", "any", 1, True)],
    "Transformer": [("feeder", "all", 1, False)],
    "Pump": [("plant", "any", 1, False), ("transformer", "all", 1, False)],
    "Zone": [("pump", "any", 1, False)],
    "Junction": [("zone", "all", 1, False)],
    "Hub": [("exchange", "any", 1, False), ("transformer", "all", 1, True)],
    "Cell": [("hub", "all", 1, False), ("transformer", "all", 1, False)],
    "Building": [
        ("transformer", "all", 1, False), ("junction", "all", 1, False), ("cell", "any", 1, False),
    ],
    "Hospital": [
        ("transformer", "atLeast", 2, False), ("junction", "all", 1, False),
        ("cell", "any", 1, False),
    ],
}  # fmt: skip
"""By kind of consumer: kind of provider, rule, k, whether it sustains itself."""
KINDS = (*(kind.capitalize() for kind in LAYERS), "Building", "Hospital")
PROPERTIES = {"people": "integer", "x": "double", "y": "double", "name": "string"}


def documents() -> list[dict[str, Any]]:
    """The models, one for each kind."""
    return [
        {
            "@context": "dtmi:dtdl:context;3",
            "@type": "Interface",
            "@id": f"{NAMESPACE}{kind};1",
            "contents": [
                *({"@type": "Property", "name": n, "schema": s} for n, s in PROPERTIES.items()),
                *(
                    {"@type": "Relationship", "name": f"from{feed[0].capitalize()}"}
                    for feed in FEEDS.get(kind, ())
                ),
            ],
        }
        for kind in KINDS
    ]


def declarations() -> dict[str, Any]:
    """What carries failure."""
    interfaces = {}
    for kind in KINDS:
        asset = {
            "customers": {"from": "people", "default": 0},
            "location": {"x": {"from": "x"}, "y": {"from": "y"}},
        }
        contents: dict[str, Any] = {}
        for provider, rule, k, sustain in FEEDS.get(kind, ()):
            said: dict[str, Any] = {"dependent": "source", "group": provider, "rule": rule}
            said |= {"k": k} if rule == "atLeast" else {}
            said |= {"loop": "sustain"} if sustain else {}
            contents[f"from{provider.capitalize()}"] = said
        interfaces[f"{NAMESPACE}{kind};1"] = {"asset": asset, "contents": contents}
    return {"version": 1, "interfaces": interfaces}


def fill(store: TwinStore, assets: int) -> tuple[int, int]:
    """Load models and city into an empty store; how many twins and relationships.

    The rows are known to be good and go past the judge, in batches of one entry of the change
    feed each.
    """
    graph = Graph(store)
    graph.load_models([json.dumps(one) for one in documents()], [declarations()])
    made = city(assets)
    names = ids(made)
    for nodes in _nodes(made, names):
        _apply(store, nodes=tuple(nodes))
    count = 0
    for edges in _edges(made, names):
        count += len(edges)
        _apply(store, edges=tuple(edges))
    return assets, count


def ids(made: City) -> list[str]:
    """The twins' ids, in the order of the city's numbering."""
    return [f"{kind}-{i:07d}" for kind, size in made.size.items() for i in range(size)]


def _nodes(made: City, names: list[str]) -> Iterator[list[Node]]:
    seed = np.random.default_rng(made.assets)
    place = seed.random((made.assets, 2)) * 20_000
    people = seed.integers(1, 200, made.assets)
    first = made.first["building"]
    for start in range(0, made.assets, CHUNK):
        nodes = []
        for i in range(start, min(start + CHUNK, made.assets)):
            kind = names[i].partition("-")[0].capitalize()
            if i >= first and i % 4 == 0:
                kind = "Hospital"
            values = {"x": float(place[i, 0]), "y": float(place[i, 1])}
            if i >= first:
                values["people"] = int(people[i])
            nodes.append(Node(names[i], f"{NAMESPACE}{kind};1", values, 1, names[i]))
        yield nodes


def _edges(made: City, names: list[str]) -> Iterator[list[Edge]]:
    pairs = zip(made.provider.tolist(), made.consumer.tolist(), strict=True)
    edges: dict[tuple[str, str], Edge] = {}
    for provider, consumer in pairs:
        name = f"from{names[provider].partition('-')[0].capitalize()}"
        id_ = f"{name}:{names[provider]}"
        edges[names[consumer], id_] = Edge(names[consumer], id_, name, names[provider])
        if len(edges) == CHUNK:
            yield list(edges.values())
            edges.clear()
    yield list(edges.values())


def _apply(store: TwinStore, **what: Any) -> None:
    at = store.cursor()
    change = Change(
        0, "relationshipWritten", f"bulk/{at}", None, None, None, {"name": ""},
        "2026-01-01T00:00:00Z", "benchmark", "a batch",
    )  # fmt: skip
    store.apply(Batch(f"bulk-{at}", changes=(change,), **what))
