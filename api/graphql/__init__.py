"""GraphQL over the graph: the schema of the loaded models, and one store call per root field."""

from __future__ import annotations

from twinfall.api.graphql.service import Answer, GraphQLService

__all__ = ["Answer", "GraphQLService"]
