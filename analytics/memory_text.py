"""A memory as text, for a file: a line that says what it is, and one of JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from twinfall.analytics.memory import Charge, Coming, Memory, Name
from twinfall.ontology.errors import BadInput

IS = "the past of a Twinfall plant"
VERSION = 1
MOST = 1e12
"""Seconds, some 30 000 years: no time is longer."""
LAST = 2**63 - 1
"""The last time that fits, in ns."""


def text_of(memory: Memory) -> str:
    """As text that says its version and its hash."""
    said = orjson.dumps(_written(memory)).decode()
    return f"{_head(said)}\n{said}\n"


def memory_in(text: str) -> Memory:
    """The memory that was written so. Raises BadInput that says what is wrong with the text."""
    head, _, rest = text.partition("\n")
    said = rest.removesuffix("\n")
    try:
        of = orjson.loads(head)
        if not isinstance(of, dict) or of.get("is") != IS:
            raise BadInput("it is not the past of a plant")
        if of.get("version") != VERSION:
            raise BadInput(f"it is of version {of.get('version')}, this Twinfall knows {VERSION}")
        if head != _head(said):
            raise BadInput("it is damaged")
        return _read(orjson.loads(said))
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise BadInput("it is damaged") from error


def _head(said: str) -> str:
    digest = hashlib.sha256(said.encode()).hexdigest()
    return json.dumps({"is": IS, "version": VERSION, "sha256": digest})


def _written(memory: Memory) -> dict[str, Any]:
    return {
        "network": memory.network,
        "origin": memory.origin,
        "now": memory.now,
        "own": dict(memory.own),
        "running": sorted(memory.running),
        "down": list(memory.down.items()),
        "switches": list(memory.switches.items()),
        "coming": list(map(list, memory.coming)),
        "buffers": list(map(list, memory.buffers)),
        "storages": list(map(list, memory.storages)),
        "left": memory.left,
    }


def _read(said: Mapping[str, Any]) -> Memory:
    """Every value is looked at: a number that is none would go round in circles in the arrays."""
    left = tuple(_seconds(one, least=0.0) for one in said["left"])
    if len(left) != len(said["buffers"]) + len(said["storages"]):
        raise ValueError(len(left))
    return Memory(
        _text(said["network"]),
        _nanos(said["origin"]),
        _seconds(said["now"], least=0.0),
        {_text(id_): _nanos(time) for id_, time in said["own"].items()},
        frozenset(map(_text, said["running"])),
        {_name(one): None if time is None else _seconds(time) for one, time in said["down"]},
        {_name(one): _flag(on) for one, on in said["switches"]},
        tuple(Coming(_name(p), _name(c), _text(g), _seconds(t)) for p, c, g, t in said["coming"]),
        tuple(map(_charged, said["buffers"])),
        tuple(map(_charged, said["storages"])),
        left,
    )


def _charged(row: Any) -> Charge:
    asset, of, level, since, full, mode, circled = row
    if mode not in (0, 1, 2) or circled not in (0, 1):
        raise ValueError(mode)
    return Charge(
        _name(asset),
        _text(of),
        _seconds(level, least=0.0),
        _seconds(since),
        _seconds(full, least=0.0),
        int(mode),
        int(circled),
    )


def _is(kind: type | tuple[type, ...], allowed: Callable[[Any], bool] = lambda _: True) -> Any:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or not allowed(value):
            raise TypeError(value)
        return value

    return read


_text: Callable[[Any], str] = _is(str)
_flag: Callable[[Any], bool] = _is(bool)
_nanos: Callable[[Any], int] = _is(int, lambda value: -LAST <= value <= LAST)
_name: Callable[[Any], Name] = _is((str, int), lambda value: not isinstance(value, bool))


def _seconds(value: Any, *, least: float = -MOST) -> float:
    if not isinstance(value, int | float):
        raise TypeError(value)
    found = float(value)
    if not (math.isfinite(found) and least <= found <= MOST):
        raise ValueError(value)
    return found
