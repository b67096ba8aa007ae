"""An impact shown on the graph's own nodes, for Neo4j Browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinfall.analytics.domains import FREE
from twinfall.api.graphql.durations import seconds
from twinfall.graph.twins import Mark
from twinfall.ontology.errors import Refused

if TYPE_CHECKING:
    from twinfall.analytics import AssetImpact
    from twinfall.api.graphql.roots import Asking

SDL = '''
"""How many twins bear the mark of an impact now: none in the embedded store."""
type ShownImpact { shown: Int! }

extend type Mutation {
  """
  Show an impact on the nodes, instead of the one shown before: `_state`, `_wave` and the labels
  `_Failed`, `_Down` and `_Degraded`, which the style sheet colours in Neo4j Browser. Nothing here
  reads them. The embedded store shows nothing. With nobody failed, none is shown.
  """
  showImpact(failed: [ID!]!, horizon: Duration): ShownImpact!
}
'''
MAX_SHOWN = 100_000
MUTATIONS = ("showImpact",)


def change(asking: Asking, _: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Do what `showImpact` asks. Raises UnknownTwin, Refused."""
    if not asking.access.operates:
        raise Refused(
            f"role {asking.access.role} cannot show an impact", cure="use a key with role operator"
        )
    failed, horizon = arguments["failed"], arguments.get("horizon")
    found: list[Mark] = []
    if failed:
        limit = None if horizon is None else seconds(horizon, "horizon")
        found = marks(asking.networks.current().impact(failed, limit))
    return {"shown": asking.graph.store.show_impact(found)}


def marks(impact: AssetImpact) -> list[Mark]:
    """How an impact finds each twin. Raises Refused where there are very many."""
    if impact.count > MAX_SHOWN:
        raise Refused(
            f"{impact.count} twins are affected, at most {MAX_SHOWN} are marked",
            code="TOO_COSTLY",
            cure="choose a horizon",
        )
    ids = impact.assets.ids
    found = [Mark(ids[i], "failed", 0) for i in impact.impact.failed.tolist()]
    for row in impact.affected():
        found.append(Mark(row.id, "down" if row.to == "failed" else "degraded", row.wave))
    return [mark for mark in found if not mark.twin.startswith(FREE)]
