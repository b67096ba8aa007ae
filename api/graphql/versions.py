"""Versions of models in GraphQL: twins moved between them, models decommissioned and deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twinfall.graph.migrating import Migration, MigrationReport, migrate, rollback
from twinfall.ontology.errors import BadQuery, Refused

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking
    from twinfall.graph.graph import Graph

SDL = '''
"""
What a migration did, or would do. `id` undoes it; null where nothing was written. At most 1,000 of
those that stayed are listed.
"""
type MigrationResult { id: ID moved: Int! stayedCount: Int! stayed: [StayedTwin!]! }
type StayedTwin { id: ID! errors: [RowError!]! }
type DeletedModels { deleted: [ID!]! }
type DecommissionedModels { decommissioned: [ID!]! }

extend type Mutation {
  """
  Move all twins of exactly one model to another one, such as its next version. `rename` takes
  values from old content names to new ones, `drop` gives values up. Nothing moves unless every
  twin can, but with `partial`; with `rehearse` nothing is written.
  """
  migrateTwins(
    from: String!, to: String!, rename: JSON, drop: [String!], rehearse: Boolean = false,
    partial: Boolean = false
  ): MigrationResult!
  "Put back what a migration changed and nobody has changed since."
  rollbackMigration(id: ID!): MigrationResult!
  "Delete models that no twin, component, descendant or component declaration uses."
  deleteModels(models: [String!]!): DeletedModels!
  """
  Let models take no new twins, or again with `undo`; what there is stays as it was. The answer has
  all that are decommissioned then.
  """
  decommissionModels(models: [String!]!, undo: Boolean = false): DecommissionedModels!
}
'''
Record = Mapping[str, Any]


def change(asking: Asking, name: str, arguments: Record) -> Record:
    """Do what one of `MUTATIONS` asks."""
    if not asking.access.writes:
        raise Refused(
            f"role {asking.access.role} cannot change the graph", cure="use a key with role admin"
        )
    return MUTATIONS[name](asking.graph, arguments, asking.access.name)


def _migrate(graph: Graph, arguments: Record, who: str) -> Record:
    renamed = arguments.get("rename") or {}
    if not isinstance(renamed, dict) or not all(isinstance(v, str) for v in renamed.values()):
        raise BadQuery("rename is an object of old names to new ones", path="rename")
    migration = Migration(
        graph.names.dtmi(arguments["from"]) or arguments["from"],
        graph.names.dtmi(arguments["to"]) or arguments["to"],
        renamed,
        tuple(arguments.get("drop") or ()),
    )
    rehearse, partial = arguments["rehearse"], arguments["partial"]
    return _report(migrate(graph, migration, rehearse=rehearse, partial=partial, who=who))


def _rollback(graph: Graph, arguments: Record, who: str) -> Record:
    return _report(rollback(graph, arguments["id"], who=who))


def _delete(graph: Graph, arguments: Record, who: str) -> Record:
    return {"deleted": list(graph.delete_models(arguments["models"], who=who))}


def _decommission(graph: Graph, arguments: Record, who: str) -> Record:
    graph.decommission_models(arguments["models"], undo=bool(arguments["undo"]), who=who)
    return {"decommissioned": sorted(graph.models.decommissioned)}


def _report(report: MigrationReport) -> Record:
    return {
        "id": report.id or None,
        "moved": report.moved,
        "stayedCount": report.stayed_count,
        "stayed": [
            {
                "id": twin.id,
                "errors": [
                    {
                        "index": error.index,
                        "code": error.code,
                        "path": error.path or None,
                        "message": error.message,
                        "cure": error.cure or None,
                    }
                    for error in twin.errors
                ],
            }
            for twin in report.stayed
        ],
    }


MUTATIONS: Mapping[str, Callable[[Graph, Record, str], Record]] = {
    "migrateTwins": _migrate,
    "rollbackMigration": _rollback,
    "deleteModels": _delete,
    "decommissionModels": _decommission,
}
