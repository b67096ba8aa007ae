"""The GraphQL schema of one model set."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from twinfall.api.graphql.classes import Classes
from twinfall.api.graphql.execution import PreparedDocument, TwinExecutor
from twinfall.api.graphql.fixed import fixed_types
from twinfall.api.graphql.incoming import add_incoming, declared_relationships
from twinfall.api.graphql.inputs import add_edge_inputs, add_inputs
from twinfall.api.graphql.models import Build, add_models, add_root_connection, page_arguments
from twinfall.api.graphql.naming import TypeNames
from twinfall.api.graphql.scalars import MARKERS, scalar_map
from twinfall.api.graphql.shapes import Field, Shapes
from twinfall.ontology import Names, Ontology

MAX_MODELS = 300
"""Up to so many loaded models all have types of their own; beyond it those in use."""


class TwinSchema(strawberry.Schema):
    """Strawberry's schema; errors are logged where a request ends, not here."""

    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Nothing: see `errors.report`."""


@dataclass(slots=True)
class GraphSchema:
    """A schema and the meaning of its fields."""

    shapes: Shapes
    strawberry: TwinSchema
    relationship_names: frozenset[str]
    complete: bool
    """Whether every loaded model has a type."""
    known: dict[str, Any] = field(default_factory=dict)
    """What the compiler found out about these types, kept for later queries."""

    @property
    def core(self) -> GraphQLSchema:
        """The same for graphql-core."""
        return self.strawberry._schema

    def field(self, type_name: str, name: str) -> GraphQLField:
        """A field of an object type or interface, with its arguments."""
        found = self.core.type_map[type_name]
        assert hasattr(found, "fields")
        made: GraphQLField = found.fields[name]
        return made

    def sdl(self) -> str:
        """The schema in the schema definition language."""
        return self.strawberry.as_str()


def models_in_use(
    ontology: Ontology, with_twins: Collection[str], named: Collection[str], limit: int
) -> frozenset[str]:
    """The models that get a type: all up to `limit`, else those with twins and the named ones."""
    if len(ontology.interfaces) <= limit:
        return frozenset(ontology.interfaces)
    return frozenset(ontology.interfaces) & frozenset([*with_twins, *named])


def build_shapes(ontology: Ontology, names: Names, used: frozenset[str]) -> Shapes:
    """All types for these models."""
    shapes = fixed_types()
    build = Build(
        ontology, names, used, shapes, TypeNames({**shapes.types, **dict.fromkeys(_BUILT_IN)})
    )
    add_models(build)
    relationships = declared_relationships(build)
    add_incoming(build, relationships)
    add_edge_inputs(build)
    add_inputs(build, relationships)
    _add_roots(build)
    return shapes


_BUILT_IN = ("ID", "String", "Int", "Float", "Boolean", "Subscription", *MARKERS)


def _add_roots(build: Build) -> None:
    query = build.shapes.types["Query"]
    for dtmi, type_name in sorted(build.shapes.of_model.items(), key=lambda item: item[1]):
        name = build.names.of(dtmi)
        while name in query.fields:
            name += "_"
        connection = add_root_connection(build, type_name)
        arguments = page_arguments(build.input(type_name, "Where"), build.input(type_name, "Sort"))
        query.add(
            Field(
                name,
                f"{connection}!",
                arguments=arguments,
                description=build.shapes.types[type_name].description,
            )
        )
        build.shapes.roots[name] = dtmi


def build_schema(
    ontology: Ontology, names: Names, used: frozenset[str], resolve: Any
) -> GraphSchema:
    """A schema with types for these models; `resolve` answers every root field."""
    shapes = build_shapes(ontology, names, used)
    classes = Classes(shapes)
    schema = TwinSchema(
        query=classes["Query"],
        mutation=classes["Mutation"],
        types=classes.objects(shapes),
        extensions=[PreparedDocument],
        execution_context_class=TwinExecutor,
        config=StrawberryConfig(auto_camel_case=False, scalar_map=scalar_map()),
    )
    for root in (schema._schema.query_type, schema._schema.mutation_type):
        _bind(root, resolve)
    relationship_names = frozenset(
        name for i in ontology.interfaces.values() for name in i.of_kind("Relationship")
    )
    return GraphSchema(
        shapes, schema, relationship_names, complete=len(used) == len(ontology.interfaces)
    )


def _bind(root: GraphQLObjectType | None, resolve: Any) -> None:
    assert root is not None
    for one in root.fields.values():
        one.resolve = resolve
