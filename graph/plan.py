"""A question to the store: what to fetch, as data. One plan is one round trip.

The GraphQL compiler makes plans, each store compiles them into its own language. Names in a plan
are content names of the ontology (never user text: the compiler looked them up); everything else
is a value and travels as a parameter.

Order is total and equal on all stores: by the sort fields, then by twin id (a page of
relationships: then by relationship source and id). Ascending puts nulls last, descending first.
Text orders by Unicode code point, false before true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from twinfall.graph.values import FieldType

Direction = Literal["out", "in"]
Operator = Literal[
    "eq", "in", "lt", "lte", "gt", "gte", "null", "contains", "startsWith", "endsWith"
]
Quantifier = Literal["some", "none", "all"]

ID = "id"
MODEL = "_model"
CAPTION = "_name"
VERSION = "_version"
"""System fields by these names; every other field name is a property. One called `id` (or `model`)
goes by its field name `id_` (`model_`) in a FieldRef, and by its content name everywhere else.
"""


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field of the twin at hand, or of its relationship where `on` is `edge`.

    `type` is how it is stored (`twinfall.graph.values.field_type`). Comparing with another type
    is the compiler's error, not the store's.
    """

    name: str
    type: FieldType
    on: Literal["node", "edge"] = "node"


@dataclass(frozen=True, slots=True)
class Compare:
    """`field op value`. A missing field is null; only `null` is true for it. `in` takes a list,
    `null` a bool; `contains`, `startsWith`, `endsWith` are case-sensitive and on text only.
    """

    field: FieldRef
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Ids:
    """The twin's id is among these (resolved in the service: state, latest values)."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IsA:
    """The twin's model is one of these (an interface and its descendants, already expanded)."""

    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """And; true when empty."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Or; false when empty."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Two-valued: true whenever `of` is not true, null comparisons included."""

    of: Condition


@dataclass(frozen=True, slots=True)
class Related:
    """About the twins one relationship away: `some`, `none` or `all` of them satisfy `where`.
    `all` holds when there are none. `where` may look at the relationship with on=edge.
    """

    name: str
    direction: Direction
    quantifier: Quantifier
    where: Condition


@dataclass(frozen=True, slots=True)
class Component:
    """The component of this name satisfies `where`; false where the twin has no such component."""

    name: str
    where: Condition


Condition: TypeAlias = Compare | Ids | IsA | All | Either | Not | Related | Component


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key."""

    field: FieldRef
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """`first` rows after the row whose cursor is `after` (a tuple as a store returned it)."""

    first: int
    after: tuple[Any, ...] | None = None
    where: Condition | None = None
    sort: tuple[Sort, ...] = ()
    count: bool = False
    """Also count all rows that satisfy `where`, ignoring `first` and `after`."""


@dataclass(frozen=True, slots=True)
class Select:
    """What to bring of a twin besides id, model, version and caption, which always come.

    `properties`: content names; `whole` brings all properties and all components, nested as on
    the outer door: `Row.values` has a component's values under the component's name.
    `components` and `relations` are keyed by a caller's key, under which the answer stands.
    """

    properties: tuple[str, ...] = ()
    whole: bool = False
    components: tuple[tuple[str, ComponentSelect], ...] = ()
    relations: tuple[tuple[str, RelationSelect], ...] = ()
    owner: Select | None = None


@dataclass(frozen=True, slots=True)
class ComponentSelect:
    """The component called `name`."""

    name: str
    select: Select


@dataclass(frozen=True, slots=True)
class RelationSelect:
    """A page of relationships that start (out) or end (in) at the twin; `name` None: of any name
    (never `_hasComponent`). `properties` None: all of the relationship's properties.
    """

    name: str | None
    direction: Direction
    page: Page
    select: Select | None
    """None: no twin at the other end is wanted (only ids, properties or the count)."""
    properties: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """The root: a page of twins. Components are left out unless `components`; asked for by `Ids`
    they are found either way. `ids` in given order is the caller's work.
    """

    page: Page
    select: Select
    components: bool = False


@dataclass(slots=True)
class Row:
    """A twin as fetched. `values` holds the properties asked for that have a value."""

    id: str
    model: str
    version: int
    caption: str
    values: dict[str, Any]
    components: dict[str, Row | None]
    relations: dict[str, RowPage]
    owner: Row | None = None
    cursor: tuple[Any, ...] = ()


@dataclass(slots=True)
class EdgeRow:
    """A relationship as fetched; `other` is the twin at the far end, when asked for."""

    source: str
    id: str
    name: str
    target: str
    properties: dict[str, Any]
    other: Row | None
    cursor: tuple[Any, ...] = ()


@dataclass(slots=True)
class RowPage:
    """`total` where counted; `more`: rows follow the last one."""

    rows: list[Any]
    more: bool
    total: int | None = None
