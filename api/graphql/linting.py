"""Lint in GraphQL: what the loaded models, and the graph under them, hardly mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from twinfall.analytics.linting import lint_graph
from twinfall.api.graphql.cursors import checked_first, checked_position
from twinfall.ontology.lint import lint

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking

SDL = '''
"""
Something odd: `element` is a model, a content of one (`DTMI/name`), or a twin; `level` is `warning`
or `hint`.
"""
type LintFinding { element: String! code: String! message: String! cure: String! level: String! }
type LintFindings { totalCount: Int! nodes: [LintFinding!]! pageInfo: PageInfo! }

extend type Query {
  """
  What the loaded models and their declarations hardly mean, and which declarations can do nothing
  with the twins and relationships there are. Warnings first.
  """
  lint(first: Int = 100, after: String): LintFindings!
}
'''
Record = Mapping[str, Any]


def findings(asking: Asking, arguments: Record) -> Record:
    """Answer `lint`. Raises BadQuery."""
    first, start = (
        checked_first(arguments["first"], pages=True),
        checked_position(arguments.get("after")),
    )
    models = asking.models
    found = [
        *lint(models.ontology, models.dependencies),
        *lint_graph(asking.networks.current(), models.ontology, models.dependencies),
    ]
    found.sort(key=lambda one: (one.level != "warning", one))
    end = start + first
    return {
        "totalCount": len(found),
        "nodes": [asdict(one) for one in found[start:end]],
        "pageInfo": {"hasNextPage": end < len(found), "endCursor": str(end)},
    }


QUERIES: Mapping[str, tuple[str, Callable[[Asking, Record], Any]]] = {
    "lint": ("LintFindings", findings),
}
"""Root fields, the types of their answers, and who answers."""
