"""Where and sort inputs for every used model."""

from __future__ import annotations

from collections.abc import Mapping

from twinfall.api.graphql.fixed import SYSTEM_SORT, SYSTEM_WHERE
from twinfall.api.graphql.incoming import Incoming
from twinfall.api.graphql.models import Build
from twinfall.api.graphql.shapes import (
    Field,
    Property,
    Relation,
    System,
    Telemetry,
    Type,
    Where,
)
from twinfall.graph.plan import FieldRef
from twinfall.graph.values import field_type
from twinfall.ontology import field_name
from twinfall.ontology.model import Content, Interface, Primitive

_FILTERS: Mapping[str, str] = {
    "boolean": "BooleanFilter",
    "unsignedLong": "LongFilter",
    "float": "FloatFilter",
    "text": "StringFilter",
    "dateTime": "DateTimeFilter",
    "date": "DateFilter",
    "list": "NullFilter",
    "json": "NullFilter",
}
_UNORDERED = frozenset({"decimal", "duration"})
"""Stored as text whose order means nothing."""


def add_inputs(build: Build, relationships: Mapping[str, Incoming]) -> None:
    """Add the inputs of every used model; relations between them go by name."""
    for dtmi, name in build.shapes.of_model.items():
        where = _where_type(build, build.input(name, "Where"))
        sort = Type(
            build.input(name, "Sort"), "input", description="One field each, in order of weight."
        )
        _system_sort(sort)
        interface = build.ontology.interfaces[dtmi]
        _add_contents(build, interface, where, sort)
        _add_incoming(build, build.shapes.types[name], where, relationships)
        build.shapes.add(where)
        build.shapes.add(sort)
        _add_relation(build, name)


def add_edge_inputs(build: Build) -> None:
    """Where inputs for the properties of relationships."""
    for (declared_in, name), type_name in build.edge_properties.items():
        interface = build.ontology.interfaces[declared_in]
        where = Type(build.input(type_name, "Where"), "input")
        for content in interface.contents[name].properties.values():
            _add_property(build, build.shapes.types[type_name], content, where, None)
        where.where = {
            key: Where("field", ref=FieldRef(one.ref.name, one.ref.type, "edge"))
            for key, one in where.where.items()
            if one.ref is not None
        }
        _add_words(where)
        build.shapes.add(where)


def _where_type(build: Build, name: str) -> Type:
    where = Type(name, "input")
    where.fields = {
        one.name: one
        for one in build.shapes.types["TwinWhere"].fields.values()
        if not one.name.startswith(("_and", "_or", "_not"))
    }
    where.where = dict(SYSTEM_WHERE)
    _add_words(where)
    return where


def _add_words(where: Type) -> None:
    for word, type_ in (
        ("_and", f"[{where.name}!]"),
        ("_or", f"[{where.name}!]"),
        ("_not", where.name),
    ):
        where.add(Field(word, type_))
        where.where[word] = SYSTEM_WHERE[word]


def _system_sort(sort: Type) -> None:
    for name, ref in SYSTEM_SORT.items():
        sort.add(Field(name, "SortDirection"))
        sort.sort[name] = ref


def _add_contents(build: Build, interface: Interface, where: Type, sort: Type) -> None:
    shape = build.shapes.types[build.shapes.of_model[interface.id]]
    for content in interface.contents.values():
        name = field_name(content.name)
        if content.kind == "Property":
            _add_property(build, shape, content, where, sort)
        elif content.kind == "Telemetry":
            _add_telemetry(build, shape.fields[name], content, where)
        elif content.kind == "Component":
            of = build.input(build.named(content.interface), "Where")
            where.add(Field(name, of))
            where.where[name] = Where("component", content.name, of=of)
        elif content.kind == "Relationship":
            target = build.named(content.target)
            where.add(Field(name, build.input(target, "Relation")))
            where.where[name] = Where("relation", content.name, of=build.input(target, "Where"))


def _add_property(
    build: Build, shape: Type, content: Content, where: Type, sort: Type | None
) -> None:
    name = field_name(content.name)
    ref = FieldRef(field_name(content.name), field_type(content.schema))
    where.add(Field(name, _filter(build, shape.fields[name], content)))
    where.where[name] = Where("field", ref=ref)
    if sort is not None and ref.type not in ("list", "json") and not _unordered(content):
        sort.add(Field(name, "SortDirection"))
        sort.sort[name] = ref


def _add_telemetry(build: Build, field: Field, content: Content, where: Type) -> None:
    """A filter on the latest reading. Instants stand as they were written: they have no order."""
    assert isinstance(field.meaning, Telemetry)
    kind = field_type(content.schema)
    if kind in ("list", "json"):
        filter_ = "NullFilter"
    elif field.meaning.names is not None:
        enum = build.shapes.types[field.type_name].fields["value"].type_name
        filter_ = _enum_filter(build, enum)
    elif kind in ("dateTime", "date") or _unordered(content):
        filter_ = "ExactFilter"
    else:
        filter_ = f"{build.shapes.types[field.type_name].fields['value'].type_name}Filter"
    where.add(Field(field.name, filter_))
    where.where[field.name] = Where("telemetry", content.name, FieldRef(content.name, kind))


def _unordered(content: Content) -> bool:
    return isinstance(content.schema, Primitive) and content.schema.name in _UNORDERED


def _filter(build: Build, field: Field, content: Content) -> str:
    kind = field_type(content.schema)
    if kind in ("list", "json"):
        return "NullFilter"
    if isinstance(field.meaning, Property) and field.meaning.names is not None:
        return _enum_filter(build, field.type_name)
    if _unordered(content):
        return "ExactFilter"
    if kind == "integer":
        return f"{field.type_name}Filter"
    return _FILTERS[kind]


def _enum_filter(build: Build, enum: str) -> str:
    name = build.input(enum, "Filter")
    if name not in build.shapes.types:
        shape = Type(name, "input")
        shape.add(Field("eq", enum), Field("in", f"[{enum}!]"), Field("null", "Boolean"))
        build.shapes.add(shape)
    return name


def _add_incoming(
    build: Build, shape: Type, where: Type, relationships: Mapping[str, Incoming]
) -> None:
    incoming = shape.fields.get("_in")
    if incoming is None or incoming.meaning is not System.INCOMING:
        return
    name = build.input(incoming.type_name, "Where")
    group = Type(name, "input")
    for field in build.shapes.types[incoming.type_name].fields.values():
        assert isinstance(field.meaning, Relation)
        source = relationships[field.meaning.name].source
        group.add(Field(field.name, build.input(source, "Relation")))
        group.where[field.name] = Where(
            "relation", field.meaning.name, of=build.input(source, "Where"), direction="in"
        )
    build.shapes.add(group)
    where.add(Field("_in", name))
    where.where["_in"] = Where("incoming", of=name)


def _add_relation(build: Build, name: str) -> None:
    relation = Type(build.input(name, "Relation"), "input")
    where = build.input(name, "Where")
    relation.add(*(Field(word, where) for word in ("some", "none", "all")))
    build.shapes.add(relation)
