"""From models to types: object types, interfaces, connections, components, enumerations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from twinfall.api.graphql import readings
from twinfall.api.graphql.fixed import TWIN
from twinfall.api.graphql.naming import TypeNames, capital, described, legal_values
from twinfall.api.graphql.scalars import scalar_name
from twinfall.api.graphql.shapes import (
    Argument,
    Component,
    Field,
    Property,
    Relation,
    Shapes,
    Telemetry,
    Type,
)
from twinfall.ontology import Names, Ontology, field_name
from twinfall.ontology.model import Array, Content, Enum, Interface, Schema

DEFAULT_FIRST = 25


@dataclass(slots=True)
class Build:
    """What the makers of types share. `used` are the models that get a type of their own."""

    ontology: Ontology
    names: Names
    used: frozenset[str]
    shapes: Shapes
    type_names: TypeNames
    connections: dict[tuple[str, str], str] = field(default_factory=dict)
    enums: dict[tuple[str, str], Type] = field(default_factory=dict)
    edge_properties: dict[tuple[str, str], str] = field(default_factory=dict)
    inputs: dict[tuple[str, str], str] = field(default_factory=dict)

    _declaring: Counter[str] = field(default_factory=Counter)

    def declaring(self, name: str) -> int:
        """How many relationships with properties would call their type by this name."""
        if not self._declaring:
            found = {
                (content.declared_in, content.name)
                for interface in self.ontology.interfaces.values()
                for content in interface.contents.values()
                if content.properties
            }
            self._declaring.update(f"{capital(content)}Properties" for _, content in found)
        return self._declaring[name]

    def named(self, dtmi: str | None) -> str:
        """The type for twins of this model and those that extend it; `Twin` without one."""
        return TWIN if dtmi is None else self.shapes.of_model.get(dtmi, TWIN)

    def families(self) -> set[str]:
        """The used models that used models extend: they become interfaces."""
        return {a for dtmi in self.used for a in self.ontology.interfaces[dtmi].ancestors} & (
            self.used
        )

    def input(self, of: str, ending: str) -> str:
        """The input type that belongs to a type: `PumpWhere`."""
        if of == TWIN:
            return f"{of}{ending}"
        key = (of, ending)
        if key not in self.inputs:
            self.inputs[key] = self.type_names.claim(f"{of}{ending}")
        return self.inputs[key]

    def derived(self, content: Content, ending: str) -> str:
        """A type name for something that belongs to a content of a model: `PumpFeedsEdge`."""
        return self.type_names.claim(
            f"{self.names.of(content.declared_in)}{capital(content.name)}{ending}"
        )


def add_models(build: Build) -> None:
    """Add a type for every used model, with all that its fields need."""
    families = build.families()
    for dtmi in sorted(build.used):
        name = build.type_names.claim(build.names.of(dtmi))
        build.shapes.of_model[dtmi] = name
        build.shapes.exact[dtmi] = name
    for dtmi in sorted(families):
        build.shapes.exact[dtmi] = build.type_names.claim(f"{build.shapes.of_model[dtmi]}_")
    for dtmi in sorted(build.used):
        _add_model(build, build.ontology.interfaces[dtmi], dtmi in families)


def _add_model(build: Build, interface: Interface, family: bool) -> None:
    name = build.shapes.of_model[interface.id]
    above = tuple(build.shapes.of_model[a] for a in interface.ancestors if a in build.used)
    shape = Type(
        name,
        "interface" if family else "object",
        interfaces=(TWIN, *above),
        description=described(interface),
        model=interface.id,
    )
    shape.add(*build.shapes.types[TWIN].fields.values(), *content_fields(build, interface))
    build.shapes.add(shape)
    if family:
        exact = Type(
            build.shapes.exact[interface.id],
            "object",
            fields=dict(shape.fields),
            interfaces=(TWIN, *above, name),
            description=f"A twin that is exactly of model {name}.",
            model=interface.id,
        )
        build.shapes.add(exact)


def content_fields(build: Build, interface: Interface) -> Iterable[Field]:
    """A field for every property, telemetry, component and relationship of a model."""
    for content in interface.contents.values():
        if content.kind == "Property":
            yield property_field(build, content)
        elif content.kind == "Telemetry":
            yield telemetry_field(build, content)
        elif content.kind == "Component":
            yield Field(
                field_name(content.name),
                build.named(content.interface),
                Component(content.name),
                description=described(content),
            )
        elif content.kind == "Relationship":
            yield _relation_field(build, content)


def property_field(build: Build, content: Content) -> Field:
    """A property of a twin or of a relationship."""
    enum, listed = _enum_of(content.schema)
    shape = None if enum is None else enum_type(build, content, enum)
    if shape is None:
        type_ = scalar_name(content.schema)
        return Field(
            field_name(content.name),
            type_,
            Property(content.name),
            description=described(content),
        )
    names = {value: name for name, value in shape.values.items()}
    return Field(
        field_name(content.name),
        f"[{shape.name}!]" if listed else shape.name,
        Property(content.name, names),
        description=described(content),
    )


def telemetry_field(build: Build, content: Content) -> Field:
    """The latest reading of a name, with its history."""
    name, schema = field_name(content.name), content.schema
    enum = enum_type(build, content, schema) if isinstance(schema, Enum) else None
    if enum is not None:
        names = {value: name for name, value in enum.values.items()}
        latest = readings.latest_of_enum(build, enum)
        return Field(name, latest, Telemetry(content.name, names), description=described(content))
    return Field(
        name,
        readings.latest_of(scalar_name(schema)),
        Telemetry(content.name),
        description=described(content),
    )


def _enum_of(schema: Schema | None) -> tuple[Enum | None, bool]:
    """The enumeration of a schema, itself or a list of it."""
    if isinstance(schema, Array):
        element = schema.element
        return (element, True) if isinstance(element, Enum) else (None, False)
    return (schema, False) if isinstance(schema, Enum) else (None, False)


def enum_type(build: Build, content: Content, enum: Enum) -> Type | None:
    """The enumeration of a content; None where its names cannot stand in GraphQL."""
    if not legal_values(enum):
        return None
    key = (content.declared_in, content.id or content.name)
    if key not in build.enums:
        build.enums[key] = build.shapes.add(
            Type(
                build.derived(content, ""),
                "enum",
                description=described(content),
                values={value.name: value.value for value in enum.values},
            )
        )
    return build.enums[key]


# -- relationships --------------------------------------------------------------------------


def page_arguments(where: str, sort: str) -> tuple[Argument, ...]:
    """The arguments of every connection."""
    return (
        Argument("where", where),
        Argument("sort", f"[{sort}!]"),
        Argument("first", "Int", DEFAULT_FIRST),
        Argument("after", "String"),
    )


def _relation_field(build: Build, content: Content) -> Field:
    key = (content.declared_in, content.name)
    target = build.named(content.target)
    if key not in build.connections:
        properties = edge_properties(build, content)
        build.connections[key] = add_connection(
            build,
            f"{build.names.of(content.declared_in)}{capital(content.name)}",
            target,
            properties,
        )
    return Field(
        field_name(content.name),
        f"{build.connections[key]}!",
        Relation(content.name, "out"),
        relation_arguments(build, target, edge_properties(build, content)),
        described(content),
    )


def relation_arguments(build: Build, target: str, properties: str | None) -> tuple[Argument, ...]:
    """The arguments of a connection over relationships, whose properties may be asked about."""
    arguments = page_arguments(build.input(target, "Where"), build.input(target, "Sort"))
    if properties is None or properties == "JSON":
        return arguments
    where = build.input(properties, "Where")
    edge = Argument("edge", where, description="Of the relationship itself.")
    return (arguments[0], edge, *arguments[1:])


def add_connection(build: Build, stem: str, node: str, properties: str | None) -> str:
    """A connection type and its edge type; the connection's name."""
    edge = Type(build.type_names.claim(f"{stem}Edge"), "object")
    edge.add(
        Field("id", "ID!", description="Unique among the relationships of its source."),
        Field("cursor", "String!"),
        Field("node", f"{node}!"),
    )
    if properties is not None:
        edge.add(Field("properties", f"{properties}!"))
    connection = Type(build.type_names.claim(f"{stem}Connection"), "object")
    connection.add(*_connection_fields(node, edge.name))
    build.shapes.add(edge)
    build.shapes.add(connection)
    return connection.name


def _connection_fields(node: str, edge: str) -> tuple[Field, ...]:
    return (
        Field("totalCount", "Int!"),
        Field("nodes", f"[{node}!]!"),
        Field("edges", f"[{edge}!]!"),
        Field("pageInfo", "PageInfo!"),
    )


def add_root_connection(build: Build, node: str) -> str:
    """The connection of a typed root field; its name."""
    edge = Type(build.type_names.claim(f"{node}Edge"), "object")
    edge.add(Field("cursor", "String!"), Field("node", f"{node}!"))
    connection = Type(build.type_names.claim(f"{node}Connection"), "object")
    connection.add(*_connection_fields(node, edge.name))
    aggregate = readings.add_aggregate(build, node)
    if aggregate is not None:
        connection.add(aggregate)
    build.shapes.add(edge)
    build.shapes.add(connection)
    return connection.name


def edge_properties(build: Build, content: Content) -> str | None:
    """The type of a relationship's properties, by name; None where it has none."""
    if not content.properties:
        return None
    key = (content.declared_in, content.name)
    if key not in build.edge_properties:
        shape = Type(_properties_name(build, content), "object")
        shape.add(*(property_field(build, one) for one in content.properties.values()))
        build.shapes.add(shape)
        build.edge_properties[key] = shape.name
    return build.edge_properties[key]


def _properties_name(build: Build, content: Content) -> str:
    """`FeedsProperties`; with the model before it where several models declare such a name."""
    name = f"{capital(content.name)}Properties"
    if build.declaring(name) > 1:
        return build.derived(content, "Properties")
    return build.type_names.claim(name)
