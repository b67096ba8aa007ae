"""The GraphQL schema as plain data: what its types are called, and what each field means.

Shapes are made from the ontology, then used twice: `classes` turns them into strawberry types,
`compiler` reads the meanings to turn a selection into one store plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypeAlias

from twinfall.graph.plan import Direction, FieldRef

UNSET = object()
"""An argument without default."""


class System(Enum):
    """Fields that every twin has, whatever its model."""

    ID = "id"
    MODEL = "model"
    VERSION = "_version"
    NAME = "_name"
    STATE = "_state"
    STATE_REASON = "_stateReason"
    VALUES = "_values"
    RELATIONSHIPS = "_relationships"
    IMPACT = "_impact"
    HEALTH = "_health"
    TELEMETRY = "_telemetry"
    OWNER = "_owner"
    INCOMING = "_in"


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the twin. `names` maps wire values of an enumeration to GraphQL names."""

    name: str
    names: Mapping[Any, str] | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """The component of this content name."""

    name: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A connection over relationships of one name, seen from one end."""

    name: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The latest reading of this name. `names` as those of a property."""

    name: str
    names: Mapping[Any, str] | None = None


Plain = Literal["plain"]
Meaning: TypeAlias = System | Property | Component | Relation | Telemetry | Plain
"""`plain`: the value stands under the field's name in what the surrounding value is."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument; `type` as in SDL: `[ID!]!`."""

    name: str
    type: str
    default: Any = UNSET
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, interface or input; `type` as in SDL."""

    name: str
    type: str
    meaning: Meaning = "plain"
    arguments: tuple[Argument, ...] = ()
    description: str | None = None

    @property
    def type_name(self) -> str:
        """The named type, without lists and exclamation marks."""
        return self.type.strip("[]!")


@dataclass(frozen=True, slots=True)
class Where:
    """What a field of a where input asks about.

    `field`: compare it (`state`: of the computed state, `model`: model names too, `telemetry`:
    the latest reading of `name`, stored as `ref.type`). `component`,
    `relation`: ask there, with the where input `of`. `incoming`: a group of relations. `word`:
    and, or, not.
    """

    kind: Literal[
        "field", "state", "model", "telemetry", "component", "relation", "incoming", "word"
    ]
    name: str = ""
    ref: FieldRef | None = None
    of: str = ""
    direction: Direction = "out"


@dataclass(slots=True)
class Type:
    """A type of the schema. `model` is the DTMI of the twins of an object type or interface.

    `where` and `sort` say what the fields of such inputs mean; `values` are an enumeration's,
    GraphQL name to internal value.
    """

    name: str
    kind: Literal["object", "interface", "input", "enum"]
    fields: dict[str, Field] = field(default_factory=dict)
    interfaces: tuple[str, ...] = ()
    description: str | None = None
    model: str | None = None
    where: dict[str, Where] = field(default_factory=dict)
    sort: dict[str, FieldRef] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, *fields: Field) -> None:
        """Add fields; one that is there already stays as it is."""
        for one in fields:
            self.fields.setdefault(one.name, one)


@dataclass(slots=True)
class Shapes:
    """All types of one schema by name, and which type stands for which model."""

    types: dict[str, Type] = field(default_factory=dict)
    of_model: dict[str, str] = field(default_factory=dict)
    """DTMI -> the type people name: an object type, or the interface of a whole family."""
    exact: dict[str, str] = field(default_factory=dict)
    """DTMI -> the object type of twins that are exactly of this model."""
    roots: dict[str, str] = field(default_factory=dict)
    """Typed root field -> DTMI."""

    def add(self, shape: Type) -> Type:
        """Add a type; names are unique."""
        assert shape.name not in self.types, shape.name
        self.types[shape.name] = shape
        return shape
