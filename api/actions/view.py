"""How an alarmed asset stands: its model, its state, and what fails if it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinfall.analytics import AssetImpact
from twinfall.api.networks import Networks
from twinfall.graph.graph import Graph
from twinfall.ontology.errors import TwinError, Unavailable

SHOWN = 20
"""Affected assets that a summary names."""
KEPT = 1_000
"""Affected assets by which alarms find their incident."""


@dataclass(frozen=True, slots=True)
class View:
    """`impact` is the summary that is recorded and sent; `models` the twin's model and those it
    extends, by DTMI and by name.
    """

    model: str
    models: frozenset[str]
    state: str
    maintained: bool
    """In maintenance: what it shows is expected, so that nothing is done about it."""
    impact: Mapping[str, Any]
    affected: tuple[str, ...]

    @property
    def count(self) -> int:
        """Assets that would fail too."""
        return int(self.impact.get("assets", 0))

    @property
    def customers(self) -> float:
        """Customers of these."""
        return float(self.impact.get("customers", 0.0))


def look(graph: Graph, networks: Networks, twin: str) -> View:
    """The view of now. Raises Unavailable where the store is away; a twin that is not in the
    graph is seen without model and impact.
    """
    node = graph.store.nodes([twin]).get(twin)
    model = "" if node is None else node.model
    try:
        network = networks.current()
        impact, state = network.but_for(twin).impact([twin]), network.state(twin)
    except Unavailable:
        raise
    except TwinError as error:
        summary = {"problem": str(error)}
        return View(model, _family(graph, model), "unknown", False, summary, ())
    affected = tuple(one.id for one in impact.affected(0, KEPT))
    maintained = not {twin, twin.partition("/")[0]}.isdisjoint(network.standing.out)
    return View(model, _family(graph, model), state, maintained, _summary(impact), affected)


def _family(graph: Graph, model: str) -> frozenset[str]:
    interface = graph.ontology.interfaces.get(model)
    if interface is None:
        return frozenset()
    dtmis = (model, *interface.ancestors)
    return frozenset([*dtmis, *(graph.names.of(one) for one in dtmis)])


def _summary(impact: AssetImpact) -> dict[str, Any]:
    totals = impact.totals
    return {
        "snapshot": impact.snapshot,
        "assets": totals.assets,
        "customers": totals.customers,
        "value": totals.value,
        "services": [{"name": one.name, "count": one.count} for one in totals.services],
        "first": [
            {"twin": one.id, "after": one.at, "because": one.votes}
            for one in impact.affected(0, SHOWN)
        ],
        "notEvaluated": len(impact.not_evaluated),
    }
