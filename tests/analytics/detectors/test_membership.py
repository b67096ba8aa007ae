"""Which addresses belong to an asset, and by which path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twinfall.analytics.membership import Asset, assets
from twinfall.graph.store import EdgeColumns, Topology

NODES = {
    "A": ("dtmi:x:Station;1", None),
    "A/motor": ("dtmi:x:Motor;1", "A"),
    "A/motor/bearing": ("dtmi:x:Bearing;1", "A/motor"),
    "B": ("dtmi:x:Pump;1", None),
    "B/motor": ("dtmi:x:Motor;1", "B"),
    "C": ("dtmi:x:Pump;1", None),
    "D": ("dtmi:x:Station;1", None),
    "E": ("dtmi:x:Valve;1", None),
}


def topology(edges: Sequence[tuple[str, str, str]]) -> Topology:
    ids = sorted(NODES)
    models = sorted({model for model, _ in NODES.values()})
    names = sorted({name for _, name, _ in edges})
    return Topology(
        cursor=1,
        ids=ids,
        models=models,
        model=np.array([models.index(NODES[one][0]) for one in ids], dtype=np.int32),
        owner=np.array(
            [ids.index(owner) if (owner := NODES[one][1]) else -1 for one in ids], dtype=np.int32
        ),
        component=[one.rpartition("/")[2] if NODES[one][1] else "" for one in ids],
        edges={
            name: EdgeColumns(
                np.array([ids.index(s) for s, n, _ in edges if n == name], dtype=np.int32),
                np.array([ids.index(t) for _, n, t in edges if n == name], dtype=np.int32),
                [f"{name}:{t}" for _, n, t in edges if n == name],
                {},
            )
            for name in names
        },
        values={},
    )


def test_an_asset_has_its_components_at_any_depth() -> None:
    first, second = assets(topology([]), ["dtmi:x:Station;1"])
    assert first == Asset("A", {"A": "", "A/motor": "motor", "A/motor/bearing": "motor/bearing"})
    assert second.places() == {"D": ""}


def test_contained_twins_are_named_by_relationship_and_model_and_numbered() -> None:
    graph = topology([("D", "contains", "C"), ("D", "contains", "B"), ("C", "contains", "E")])
    (_, station) = assets(graph, ["dtmi:x:Station;1"], ["contains"])
    assert station.places() == {
        "D": "",
        "B": "contains:Pump",
        "B/motor": "contains:Pump/motor",
        "C": "contains:Pump#2",
        "E": "contains:Pump#2/contains:Valve",
    }


def test_relationships_not_named_add_nothing() -> None:
    graph = topology([("D", "feeds", "B")])
    assert assets(graph, ["dtmi:x:Station;1"], ["contains"])[1].places() == {"D": ""}


def test_a_circle_of_containment_ends() -> None:
    graph = topology([("A", "contains", "D"), ("D", "contains", "A")])
    first, _ = assets(graph, ["dtmi:x:Station;1"], ["contains"])
    assert [one for one in first.places() if "/" not in one] == ["A", "D"]


def test_a_twin_reached_twice_belongs_once() -> None:
    graph = topology([("A", "contains", "B"), ("A", "holds", "B")])
    first, _ = assets(graph, ["dtmi:x:Station;1"], ["contains", "holds"])
    assert first.places()["B"] == "contains:Pump"
