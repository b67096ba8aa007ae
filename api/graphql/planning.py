"""Store plans while they grow, and what shaping their rows needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import time_ns
from typing import Any, TypeAlias

from twinfall.api.graphql.periods import Readings
from twinfall.graph.plan import (
    ComponentSelect,
    Condition,
    Direction,
    Page,
    RelationSelect,
    Row,
    Select,
    Sort,
)

Shape: TypeAlias = Callable[[Any, "Shaping"], Any]
"""Makes the answer of a selection from a row, an edge row, a row page, ... ."""


@dataclass(slots=True)
class TwinPlan:
    """A `Select` under construction. Several selections may share one: each adds its needs."""

    properties: dict[str, None] = field(default_factory=dict)
    whole: bool = False
    components: dict[str, TwinPlan] = field(default_factory=dict)
    relations: dict[str, RelationPlan] = field(default_factory=dict)
    owner: TwinPlan | None = None

    def component(self, name: str) -> TwinPlan:
        """The plan of this component."""
        return self.components.setdefault(name, TwinPlan())

    def add_relation(self, relation: RelationPlan) -> str:
        """The key under which rows will have the relation."""
        key = f"r{len(self.relations)}"
        self.relations[key] = relation
        return key

    def select(self) -> Select:
        """The finished part of the plan."""
        return Select(
            properties=tuple(self.properties),
            whole=self.whole,
            components=tuple(
                (name, ComponentSelect(name, plan.select()))
                for name, plan in self.components.items()
            ),
            relations=tuple((key, plan.select()) for key, plan in self.relations.items()),
            owner=None if self.owner is None else self.owner.select(),
        )


@dataclass(slots=True)
class PagePlan:
    """A page of rows under construction; `order` marks its cursors."""

    first: int
    after: tuple[Any, ...] | None
    where: Condition | None
    sort: tuple[Sort, ...]
    order: str
    rows: bool = False
    """Whether any row is looked at, or only the count."""
    count: bool = False

    def page(self) -> Page:
        """The finished page. Where only the count matters one row is the least to ask for."""
        first = self.first if self.rows else 1
        return Page(first, self.after, self.where, self.sort, self.count)


@dataclass(slots=True)
class RelationPlan:
    """A `RelationSelect` under construction; `far` is None while no far twin is wanted."""

    name: str | None
    direction: Direction
    page: PagePlan
    far: TwinPlan | None = None
    properties: dict[str, None] | None = field(default_factory=dict)

    def twin(self) -> TwinPlan:
        """The plan of the twins at the far end."""
        if self.far is None:
            self.far = TwinPlan()
        return self.far

    def select(self) -> RelationSelect:
        """The finished part of the plan."""
        return RelationSelect(
            self.name,
            self.direction,
            self.page.page(),
            None if self.far is None else self.far.select(),
            None if self.properties is None else tuple(self.properties),
        )


@dataclass(slots=True)
class Shaping:
    """One root field's answer while it is shaped.

    Twins that are known by id only (in an impact) are fetched together at the end and then put
    into the places that wait for them.
    """

    state: Callable[[str], str]
    reason: Callable[[str], Mapping[str, Any] | None] = lambda _: None
    health: Callable[[str], Mapping[str, Any] | None] = lambda _: None
    readings: Readings = field(default_factory=lambda: Readings(None, time_ns))
    waiting: dict[tuple[str, int], tuple[dict[str, Any], Shape]] = field(default_factory=dict)

    def twin(self, id_: str, shape: Shape) -> dict[str, Any]:
        """The place of this twin in the answer, empty until `fill`."""
        key = (id_, id(shape))
        if key not in self.waiting:
            self.waiting[key] = ({}, shape)
        return self.waiting[key][0]

    def fill(self, rows: Mapping[str, Row]) -> None:
        """Fill all places. Raises KeyError for a twin that is not among the rows."""
        for (id_, _), (place, shape) in list(self.waiting.items()):
            place.update(shape(rows[id_], self))


def enum_names(value: Any, names: Mapping[Any, str]) -> Any:
    """The GraphQL name of an enumeration's wire value, or of each in a list."""
    if isinstance(value, list):
        return [names[one] for one in value]
    return None if value is None else names[value]
