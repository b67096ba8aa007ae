"""`_in`: the relationships that can end at a twin.

A model's incoming relationships include its ancestors', so the types mirror those of the models:
an interface for a model that others extend, object types below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twinfall.api.graphql.fixed import TWIN
from twinfall.api.graphql.models import (
    Build,
    add_connection,
    edge_properties,
    relation_arguments,
)
from twinfall.api.graphql.naming import capital
from twinfall.api.graphql.shapes import Field, Relation, System, Type
from twinfall.ontology import field_name
from twinfall.ontology.model import Content


@dataclass(frozen=True, slots=True)
class Incoming:
    """All declarations of one relationship name, and how it is seen from the far end."""

    name: str
    declarations: tuple[Content, ...]
    source: str
    """The GraphQL type of the twins it comes from."""


def declared_relationships(build: Build) -> dict[str, Incoming]:
    """Every relationship name of the model set, with the interfaces that declare it."""
    found: dict[str, list[Content]] = {}
    for dtmi in sorted(build.ontology.interfaces):
        for content in build.ontology.interfaces[dtmi].of_kind("Relationship").values():
            if content.declared_in == dtmi:
                found.setdefault(content.name, []).append(content)
    return {
        name: Incoming(
            name,
            tuple(declarations),
            build.named(declarations[0].declared_in) if len(declarations) == 1 else TWIN,
        )
        for name, declarations in sorted(found.items())
    }


def add_incoming(build: Build, relationships: Mapping[str, Incoming]) -> None:
    """Give every used model whose twins can be a target its `_in`."""
    fields: dict[str, Field] = {}
    families = build.families()
    made: dict[str, str] = {}
    for dtmi in _ancestors_first(build):
        reaching = [one for one in relationships.values() if _reaches(build, one, dtmi)]
        if not reaching:
            continue
        for one in reaching:
            if one.name not in fields:
                fields[one.name] = _field(build, one)
        above = tuple(made[a] for a in build.ontology.interfaces[dtmi].ancestors if a in made)
        own = [fields[one.name] for one in reaching]
        made[dtmi] = _add_type(build, build.shapes.of_model[dtmi], above, own, dtmi in families)
        if dtmi in families:
            exact = build.shapes.exact[dtmi]
            _give(build, exact, _add_type(build, exact, (*above, made[dtmi]), own, False))
        _give(build, build.shapes.of_model[dtmi], made[dtmi])


def _ancestors_first(build: Build) -> list[str]:
    return sorted(build.used, key=lambda d: (len(build.ontology.interfaces[d].ancestors), d))


def _reaches(build: Build, incoming: Incoming, dtmi: str) -> bool:
    return any(
        one.target is None or build.ontology.is_a(dtmi, one.target) for one in incoming.declarations
    )


def _field(build: Build, incoming: Incoming) -> Field:
    properties = None
    if len(incoming.declarations) == 1:
        properties = edge_properties(build, incoming.declarations[0])
    elif any(one.properties for one in incoming.declarations):
        properties = "JSON"
    connection = add_connection(
        build, f"{capital(incoming.name)}Incoming", incoming.source, properties
    )
    return Field(
        field_name(incoming.name),
        f"{connection}!",
        Relation(incoming.name, "in"),
        relation_arguments(build, incoming.source, properties),
    )


def _add_type(
    build: Build, model_type: str, above: tuple[str, ...], fields: list[Field], family: bool
) -> str:
    shape = Type(
        build.type_names.claim(f"{model_type}Incoming"),
        "interface" if family else "object",
        interfaces=above,
    )
    shape.add(*fields)
    build.shapes.add(shape)
    return shape.name


def _give(build: Build, type_name: str, incoming: str) -> None:
    build.shapes.types[type_name].add(
        Field("_in", f"{incoming}!", System.INCOMING, description="Relationships that end here.")
    )
