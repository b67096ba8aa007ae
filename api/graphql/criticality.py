"""Criticality in GraphQL: which assets matter most, and what takes one of them down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from twinfall.analytics.criticality import ORDERS, Critical
from twinfall.analytics.exporting import cut_sets_table, ranking_table
from twinfall.api.graphql.cursors import checked_first, checked_position
from twinfall.api.graphql.durations import duration_text
from twinfall.api.graphql.files import WithFiles, asset_ids
from twinfall.ontology.errors import UnknownName

if TYPE_CHECKING:
    from twinfall.analytics import AssetNetwork
    from twinfall.api.graphql.roots import Asking

SDL = '''
"""What a ranking of assets goes by."""
enum CriticalityOrder { assets customers value expected }
"""
What is lost when an asset fails by itself: how many others go down with it, and the customers and
value of them all. `expected` is what that costs a year in value-hours, where failure rate (a year)
and repair time are declared. Equals share a rank.
"""
type Critical {
  rank: Int!
  id: ID!
  assets: Int!
  customers: Float!
  value: Float!
  expected: Float
  failureRate: Float
  repairTime: Duration
}
type CriticalConnection {
  snapshot: String!
  totalCount: Int!
  nodes: [Critical!]!
  pageInfo: PageInfo!
  "The whole ranking, whatever page is asked for; repair times in seconds."
  csv: String!
  geoJson: JSON!
}
"""A smallest set of assets whose failure together takes the asset down, and a way it takes."""
type CutSet { order: Int! members: [ID!]! path: [ID!]! }
"""
By size, then members. `totalCount` counts all that were found; `complete` is false where the search
was cut short, so that there may be more.
"""
type CutSets {
  snapshot: String!
  complete: Boolean!
  totalCount: Int!
  sets: [CutSet!]!
  "Pages end with the 10,000th set; `csv` has the others too."
  pageInfo: PageInfo!
  "All sets; in GeoJSON the members as points, and the way as a line."
  csv: String!
  geoJson: JSON!
}

extend type Query {
  "Every single failure as things stand, the most critical first; of one model and what extends it."
  criticality(
    by: CriticalityOrder = assets, model: String, first: Int = 25, after: String
  ): CriticalConnection!
  """
  What takes an asset down: single points of failure, and with `maxOrder` up to 3 the pairs and
  triples that do, none of which can be spared.
  """
  spof(of: ID!, maxOrder: Int = 1, first: Int = 100, after: String): CutSets!
  "Assets whose failure together with this one's takes down more than both do alone."
  criticalWith(id: ID!, first: Int = 100): AssetIds!
}
'''
Record = Mapping[str, Any]


def ranking(asking: Asking, arguments: Record) -> Record:
    """Answer `criticality`. Raises BadQuery, UnknownName, Refused."""
    assets = asking.networks.current()
    first, start = _page(arguments)
    by = arguments["by"] or ORDERS[0]
    among = _among(asking, assets, arguments)
    rows, total = assets.criticality.page(by, start, first, among)
    end = start + len(rows)
    told = {
        "snapshot": assets.snapshot,
        "totalCount": total,
        "nodes": [_critical(row) for row in rows],
        "pageInfo": {"hasNextPage": end < total, "endCursor": str(end) if rows else None},
    }
    return WithFiles(told, lambda: ranking_table(assets, assets.criticality, by, among))


def spof(asking: Asking, arguments: Record) -> Record:
    """Answer `spof`. Raises UnknownTwin, BadInput."""
    assets = asking.networks.current()
    first, start = _page(arguments)
    found = assets.criticality.cut_sets(arguments["of"], arguments["maxOrder"])
    ids, listed = assets.ids, len(found.sets)
    end = min(start + first, listed)
    told = {
        "snapshot": assets.snapshot,
        "complete": found.complete,
        "totalCount": found.total,
        "sets": [
            {
                "order": len(cut.members),
                "members": [ids[m] for m in cut.members],
                "path": [ids[p] for p in cut.path],
            }
            for cut in found.sets[start:end]
        ],
        "pageInfo": {"hasNextPage": end < listed, "endCursor": str(end) if end > start else None},
    }
    return WithFiles(told, lambda: cut_sets_table(assets, found))


def _page(arguments: Record) -> tuple[int, int]:
    """How many rows, from which on. Raises BadQuery."""
    first = checked_first(arguments["first"], pages=True)
    return first, checked_position(arguments.get("after"))


def critical_with(asking: Asking, arguments: Record) -> Record:
    """Answer `criticalWith`. Raises UnknownTwin, Refused."""
    first = checked_first(arguments["first"])
    assets = asking.networks.current()
    found = assets.criticality.partners(arguments["id"])
    return asset_ids(assets, "criticalWith", found, first)


QUERIES: Mapping[str, tuple[str, Callable[[Asking, Record], Any]]] = {
    "criticality": ("CriticalConnection", ranking),
    "spof": ("CutSets", spof),
    "criticalWith": ("AssetIds", critical_with),
}
"""Root fields, the types of their answers, and who answers."""


def _among(asking: Asking, assets: AssetNetwork, arguments: Record) -> Any:
    """Positions of the twins of a model and what extends it; None for all."""
    name = arguments.get("model")
    if name is None:
        return None
    models = asking.models
    dtmi = name if name in models.ontology.interfaces else models.names.dtmi(name)
    if dtmi is None:
        raise UnknownName(f"no model is called {name[:128]}", path="model")
    topology = assets.topology
    family = set(models.ontology.family(dtmi))
    codes = [code for code, model in enumerate(topology.models) if model in family]
    return np.flatnonzero(np.isin(topology.model, codes)).astype(np.int32)


def _critical(row: Critical) -> Record:
    repair = row.repair_time
    return {
        "rank": row.rank,
        "id": row.id,
        "assets": row.assets,
        "customers": row.customers,
        "value": row.value,
        "expected": row.expected,
        "failureRate": row.failure_rate,
        "repairTime": None if repair is None else duration_text(repair),
    }
