"""From a selection on twins to one store plan, and to the functions that shape its rows.

Type conditions split the possible types of a place into classes that satisfy the same ones. Each
class has its fields and its shape; the plan is the union of what all of them need, so that it
can be made before any row is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twinfall.api.graphql import catalogue, connections, impacts, latest
from twinfall.api.graphql.conditions import Conditions
from twinfall.api.graphql.fixed import OTHER, TWIN
from twinfall.api.graphql.planning import Shape, Shaping, TwinPlan, enum_names
from twinfall.api.graphql.schema import GraphSchema
from twinfall.api.graphql.selection import Mention, Selections, SelectionSets
from twinfall.api.graphql.shapes import (
    Component,
    Field,
    Property,
    Relation,
    System,
    Telemetry,
    Type,
)
from twinfall.graph.plan import Row
from twinfall.ontology import Ontology
from twinfall.ontology.errors import Refused

TYPENAME = "__typename"


@dataclass(slots=True)
class Compiler:
    """Compiles the selection of one root field."""

    schema: GraphSchema
    ontology: Ontology
    selections: Selections
    conditions: Conditions
    impact: impacts.ImpactMaker
    impact_twins: TwinPlan | None = None
    """What is wanted of twins that appear in impacts, all places together."""
    in_impact: bool = False

    # -- types ----------------------------------------------------------------------------

    def concrete(self, static: str, model: str) -> str:
        """The object type of a twin of this model at a place of this type."""
        shapes = self.schema.shapes
        exact = shapes.exact.get(model)
        if exact is not None:
            return exact
        interface = self.ontology.interfaces.get(model)
        for ancestor in interface.ancestors if interface else ():
            found = shapes.exact.get(ancestor)
            if found is not None and self._fits(found, static):
                return found
        return OTHER

    def _fits(self, type_name: str, static: str) -> bool:
        return type_name == static or static in self.schema.shapes.types[type_name].interfaces

    def possible(self, static: str) -> tuple[Type, ...]:
        """The object types that may stand at a place of this type."""
        known: dict[str, tuple[Type, ...]] = self.schema.known
        if static not in known:
            known[static] = tuple(
                shape
                for shape in self.schema.shapes.types.values()
                if shape.kind == "object" and self._fits(shape.name, static)
            )
        return known[static]

    def classes(
        self, static: str, sets: SelectionSets, make: Callable[[Type, list[Mention]], Any]
    ) -> Callable[[str], Any]:
        """For the name of an object type, what `make` made for its class of types."""
        conditions = self.selections.conditions(sets) - {static, TWIN}
        if not conditions:
            shape = self.schema.shapes.types[static]
            made = make(shape, self.selections.fields(sets, lambda _: True))
            return lambda _: made
        by_signature: dict[frozenset[str], Any] = {}
        by_type: dict[str, Any] = {}
        for shape in self.possible(static):
            holding = frozenset(c for c in conditions if self._fits(shape.name, c))
            if holding not in by_signature:
                true = holding | {static, TWIN}
                by_signature[holding] = make(shape, self.selections.fields(sets, true.__contains__))
            by_type[shape.name] = by_signature[holding]
        return by_type.__getitem__

    # -- twins ----------------------------------------------------------------------------

    def twin(self, static: str, sets: SelectionSets, plan: TwinPlan) -> Shape:
        """Shapes rows of twins at a place of this type; adds what it needs to the plan."""
        fields_of = self.classes(
            static, sets, lambda shape, mentions: self._twin_fields(static, shape, mentions, plan)
        )
        by_model: dict[str, list[tuple[str, Shape]]] = {}

        def shape(row: Row, shaping: Shaping) -> dict[str, Any]:
            fields = by_model.get(row.model)
            if fields is None:
                fields = by_model[row.model] = fields_of(self.concrete(static, row.model))
            return {key: make(row, shaping) for key, make in fields}

        return shape

    def _twin_fields(
        self, static: str, shape: Type, mentions: list[Mention], plan: TwinPlan
    ) -> list[tuple[str, Shape]]:
        made: list[tuple[str, Shape]] = []
        for mention in mentions:
            if mention.name == TYPENAME:
                made.append((mention.key, self._typename(static)))
            else:
                field = shape.fields[mention.name]
                made.append((mention.key, self.twin_field(shape, field, mention, plan)))
        return made

    def _typename(self, static: str) -> Shape:
        names: dict[str, str] = {}

        def shape(row: Row, _: Shaping) -> str:
            if row.model not in names:
                names[row.model] = self.concrete(static, row.model)
            return names[row.model]

        return shape

    def twin_field(self, shape: Type, field: Field, mention: Mention, plan: TwinPlan) -> Shape:
        """One field of a twin."""
        meaning = field.meaning
        if isinstance(meaning, Property):
            plan.properties[meaning.name] = None
            return property_shape(meaning)
        if isinstance(meaning, Component):
            return self._component(field, meaning.name, mention.below, plan)
        if isinstance(meaning, Relation):
            return connections.relation(self, shape, field, mention, plan)
        if isinstance(meaning, Telemetry):
            return latest.latest(self, field, meaning, mention)
        assert isinstance(meaning, System)
        return self._system(meaning, shape, field, mention, plan)

    def _component(self, field: Field, name: str, sets: SelectionSets, plan: TwinPlan) -> Shape:
        below = self.twin(field.type_name, sets, plan.component(name))

        def shape(row: Row, shaping: Shaping) -> Any:
            part = row.components.get(name)
            return None if part is None else below(part, shaping)

        return shape

    def _system(
        self, meaning: System, shape: Type, field: Field, mention: Mention, plan: TwinPlan
    ) -> Shape:
        simple = _SIMPLE.get(meaning)
        if simple is not None:
            return simple
        if meaning is System.VALUES:
            plan.whole = True
            return lambda row, _: row.values
        if meaning is System.RELATIONSHIPS:
            return connections.relationships(self, shape, field, mention, plan)
        if meaning is System.IMPACT:
            return self._impact(shape, field, mention)
        if meaning is System.TELEMETRY:
            return latest.latest_by_name(self, shape, field, mention)
        if meaning is System.HEALTH:
            below = catalogue.plain(self, field.type_name, mention.below)
            return lambda row, shaping: (
                None if (health := shaping.health(row.id)) is None else below(health)
            )
        if meaning is System.STATE_REASON:
            said = catalogue.plain(self, field.type_name, mention.below)
            return lambda row, shaping: (
                None if (reason := shaping.reason(row.id)) is None else said(reason)
            )
        if meaning is System.OWNER:
            return self._owner(mention.below, plan)
        return self._incoming(shape, field, mention.below, plan)

    def _owner(self, sets: SelectionSets, plan: TwinPlan) -> Shape:
        if plan.owner is None:
            plan.owner = TwinPlan()
        below = self.twin(TWIN, sets, plan.owner)
        return lambda row, shaping: None if row.owner is None else below(row.owner, shaping)

    def _incoming(self, shape: Type, field: Field, sets: SelectionSets, plan: TwinPlan) -> Shape:
        static = field.type_name
        types = self.schema.shapes.types

        def make(incoming: Type, mentions: list[Mention]) -> list[tuple[str, Shape]]:
            return [
                (m.key, connections.relation(self, incoming, incoming.fields[m.name], m, plan))
                for m in mentions
                if m.name != TYPENAME
            ]

        fields_of = self.classes(static, sets, make)
        order = self.classes(static, sets, lambda _, mentions: [(m.key, m.name) for m in mentions])

        def shape_group(row: Row, shaping: Shaping) -> dict[str, Any]:
            exact = types[self.concrete(shape.name, row.model)]
            name = exact.fields["_in"].type_name
            relations = dict(fields_of(name))
            return {
                key: name if field_name == TYPENAME else relations[key](row, shaping)
                for key, field_name in order(name)
            }

        return shape_group

    # -- impact ---------------------------------------------------------------------------

    def impact_twin(self, sets: SelectionSets) -> Shape:
        """Shapes the row of a twin that an impact names."""
        if self.impact_twins is None:
            self.impact_twins = TwinPlan()
        return self.twin(TWIN, sets, self.impact_twins)

    def _impact(self, shape: Type, field: Field, mention: Mention) -> Shape:
        if self.in_impact:
            raise Refused(
                "_impact inside an impact would compute an impact for each affected twin",
                code="TOO_COSTLY",
                cure="ask impact(failed: [...]) for these ids in a query of their own",
            )
        arguments = self.arguments(shape, field, mention)
        below = impacts.compile_impact(self, mention.below)
        return lambda row, shaping: below(
            self.impact.of([row.id], arguments.get("horizon")), shaping
        )

    def arguments(self, shape: Type, field: Field, mention: Mention) -> Mapping[str, Any]:
        """The argument values of a mention of this field."""
        return self.selections.arguments(self.schema.field(shape.name, field.name), mention.node)


def property_shape(meaning: Property) -> Shape:
    """Reads a property of a twin."""
    name, names = meaning.name, meaning.names
    if names is None:
        return lambda row, _: row.values.get(name)
    return lambda row, _: enum_names(row.values.get(name), names)


_SIMPLE: Mapping[System, Shape] = {
    System.ID: lambda row, _: row.id,
    System.MODEL: lambda row, _: row.model,
    System.VERSION: lambda row, _: row.version,
    System.NAME: lambda row, _: row.caption,
    System.STATE: lambda row, shaping: shaping.state(row.id),
}
