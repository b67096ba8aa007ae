"""Names of GraphQL types: unique, legal, and as close as possible to the ontology's words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from twinfall.ontology.model import Content, Enum, Interface

_LEGAL_VALUE = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_NOT_VALUES = frozenset({"true", "false", "null"})


class TypeNames:
    """Gives out type names. A later wish for a name that is taken gets `_` at its end: DTDL names
    never end with it.
    """

    def __init__(self, taken: Mapping[str, object]) -> None:
        self._taken = set(taken)

    def claim(self, wanted: str) -> str:
        """The wanted name, or the nearest free one."""
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted


def capital(name: str) -> str:
    """The name as a part of a type name: `feeds` in `PumpFeedsConnection`."""
    return name[:1].upper() + name[1:]


def described(thing: Content | Interface) -> str | None:
    """Display name, description and unit as people should read them in the schema."""
    parts = [in_english(thing.display_name), in_english(thing.description)]
    if isinstance(thing, Content) and thing.unit:
        parts.append(f"In {thing.unit}.")
    text = "\n".join(dict.fromkeys(part for part in parts if part and part != _own_name(thing)))
    # Strawberry and graphql-core print descriptions as block strings; NUL and the like are noise.
    return "".join(c for c in text if c.isprintable() or c == "\n") or None


def _own_name(thing: Content | Interface) -> str:
    return thing.name if isinstance(thing, Content) else ""


def in_english(texts: Mapping[str, str]) -> str | None:
    """The English text, else the first by language."""
    if not texts:
        return None
    return texts.get("en") or texts[min(texts)]


def legal_values(enum: Enum) -> bool:
    """Whether all names of an enumeration can be GraphQL enum values."""
    return bool(enum.values) and all(
        _LEGAL_VALUE.fullmatch(v.name) and v.name not in _NOT_VALUES for v in enum.values
    )
