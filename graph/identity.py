"""Names of twins, components and relationships, and the caption that people read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

MAX_ID = 128
MAX_CAPTION = 256

_TWIN_ID = re.compile(r"[A-Za-z0-9\-.+%_#*?!(),=@$']{1,128}")
_ADDRESS = re.compile(_TWIN_ID.pattern + r"(/[A-Za-z_][A-Za-z0-9_]{0,511})?")
_RELATIONSHIP_ID = re.compile(r"[A-Za-z0-9\-.+%_#*?!(),=@$':/]{1,128}")
_CAPTIONS = ("name", "displayName", "label", "title")


def twin_id_fault(id_: object) -> str | None:
    """What is wrong with a twin's id, or None."""
    if not isinstance(id_, str):
        return "a twin id is a text"
    if "/" in id_:
        return f"{id_!r} is the address of a component, not a twin id"
    return _fault(id_, _TWIN_ID, "letters, digits and -.+%_#*?!(),=@$'")


def relationship_id_fault(id_: object) -> str | None:
    """What is wrong with a relationship's id, or None. It may also hold `:` and `/`, so that
    the default `<name>:<target>` is one.
    """
    if not isinstance(id_, str):
        return "a relationship id is a text"
    return _fault(id_, _RELATIONSHIP_ID, "letters, digits and -.+%_#*?!(),=@$':/")


def _fault(id_: str, pattern: re.Pattern[str], allowed: str) -> str | None:
    if pattern.fullmatch(id_):
        return None
    if not 1 <= len(id_) <= MAX_ID:
        return f"an id has 1 to {MAX_ID} characters, this one {len(id_)}"
    return f"{id_!r} is not an id: it may hold {allowed}"


def is_address(id_: object) -> TypeGuard[str]:
    """Whether this could be the id of a twin or component."""
    return isinstance(id_, str) and _ADDRESS.fullmatch(id_) is not None


def component_address(twin: str, component: str) -> str:
    """The id of a twin's component."""
    return f"{twin}/{component}"


def owner_of(address: str) -> str:
    """The twin that owns a component; the twin itself where the address is a twin's."""
    return address.partition("/")[0]


def default_relationship_id(name: str, target: str) -> str:
    """The id of a relationship that was given none; may be too long to be an id."""
    return f"{name}:{target}"


def caption(id_: str, values: Mapping[str, Any]) -> str:
    """The first of the usual naming properties that holds a text, else the id."""
    for name in _CAPTIONS:
        found = _text(values.get(name))
        if found:
            return found[:MAX_CAPTION]
    return id_


def _text(value: Any) -> str:
    """A text, or of a text in several languages the English, else the first."""
    if isinstance(value, Mapping):
        texts = [value.get("en"), *(value[key] for key in sorted(value))]
        value = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    return value.strip() if isinstance(value, str) else ""
