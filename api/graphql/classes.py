"""Shapes into strawberry types.

The definitions are made directly instead of through decorated classes: a model set has hundreds
of types with thousands of fields, whose names need not be Python names. Every schema has classes
of its own, since strawberry writes into fields when it builds a schema.
"""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import (
    StrawberryList,
    StrawberryObjectDefinition,
    StrawberryOptional,
    StrawberryType,
)
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.unset import UNSET as STRAWBERRY_UNSET

from twinfall.api.graphql.scalars import MARKERS
from twinfall.api.graphql.shapes import UNSET, Argument, Field, Shapes, Type

_BUILT_IN: dict[str, Any] = {
    "ID": strawberry.ID,
    "String": str,
    "Int": int,
    "Float": float,
    "Boolean": bool,
    **MARKERS,
}


class WireValue:
    """Stands where strawberry expects a Python enum: the internal value is the wire value."""

    def __new__(cls, value: Any) -> Any:
        return value


class Classes:
    """The strawberry types of one schema."""

    def __init__(self, shapes: Shapes) -> None:
        self._types: dict[str, Any] = dict(_BUILT_IN)
        self._annotations: dict[str, StrawberryAnnotation] = {}
        self._arguments: dict[int, StrawberryArgument] = {}
        for shape in shapes.types.values():
            self._types[shape.name] = _enum(shape) if shape.kind == "enum" else _class(shape)
        for shape in shapes.types.values():
            if shape.kind != "enum":
                self._fill(shape)

    def __getitem__(self, name: str) -> Any:
        """The strawberry type of this name."""
        return self._types[name]

    def objects(self, shapes: Shapes) -> list[Any]:
        """The object types, which a schema must be told when only interfaces lead to them."""
        return [self._types[s.name] for s in shapes.types.values() if s.kind == "object"]

    def _fill(self, shape: Type) -> None:
        definition: StrawberryObjectDefinition = self._types[shape.name].__strawberry_definition__
        definition.interfaces = [
            self._types[name].__strawberry_definition__ for name in shape.interfaces
        ]
        definition.fields = [
            self._field(index, field, definition.origin, shape.kind == "input")
            for index, field in enumerate(shape.fields.values())
        ]

    def _field(self, index: int, field: Field, origin: type, is_input: bool) -> StrawberryField:
        made = StrawberryField(
            python_name=f"f{index}",
            graphql_name=field.name,
            type_annotation=self._annotation(field.type),
            origin=origin,
            description=field.description,
            default=STRAWBERRY_UNSET if is_input else None,
        )
        made.arguments = [self._argument(argument) for argument in field.arguments]
        return made

    def _annotation(self, text: str) -> StrawberryAnnotation:
        """One for all places of this type: strawberry evaluates each of them."""
        if text not in self._annotations:
            self._annotations[text] = StrawberryAnnotation(self._type(text))
        return self._annotations[text]

    def _argument(self, argument: Argument) -> StrawberryArgument:
        made = self._arguments.get(id(argument))
        if made is None:
            made = self._arguments[id(argument)] = self._new_argument(argument)
        return made

    def _new_argument(self, argument: Argument) -> StrawberryArgument:
        return StrawberryArgument(
            python_name=argument.name,
            graphql_name=argument.name,
            type_annotation=self._annotation(argument.type),
            description=argument.description,
            default=STRAWBERRY_UNSET if argument.default is UNSET else argument.default,
        )

    def _type(self, text: str) -> StrawberryType | type:
        if not text.endswith("!"):
            return StrawberryOptional(self._required(text))
        made: StrawberryType | type = self._required(text[:-1])
        return made

    def _required(self, text: str) -> Any:
        if text.startswith("["):
            return StrawberryList(self._type(text[1:-1]))
        return self._types[text]


def _class(shape: Type) -> type:
    cls = type(shape.name, (), {"__module__": __name__})
    cls.__strawberry_definition__ = StrawberryObjectDefinition(  # type: ignore[attr-defined]
        name=shape.name,
        is_input=shape.kind == "input",
        is_interface=shape.kind == "interface",
        origin=cls,
        description=shape.description,
        interfaces=[],
        extend=False,
        directives=(),
        is_type_of=None if shape.kind != "object" else _always,
        resolve_type=_type_name if shape.kind == "interface" else None,
        fields=[],
    )
    return cls


def _enum(shape: Type) -> StrawberryEnumDefinition:
    return StrawberryEnumDefinition(
        wrapped_cls=WireValue,  # type: ignore[arg-type]
        name=shape.name,
        values=[EnumValue(name, value) for name, value in shape.values.items()],
        description=shape.description,
    )


def _always(*_: Any) -> bool:
    """`_type_name` has chosen the type already."""
    return True


def _type_name(value: Any, *_: Any) -> str:
    """The object type of a value: only the plain engine asks, our trees are complete already."""
    name: str = value["__typename"]
    return name
