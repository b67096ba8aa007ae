"""Inputs a little wrong: a value of a JSON or YAML text replaced, a line lost, a byte turned.

An input may have several parts, with `PART` between them; one of them is changed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from random import Random
from typing import Any

import yaml

from tests.fuzz.law import MAX_INPUT

PART = b"\n\x1e\n"
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, 10**400, -0.0, 1e308, 1e-320,
    0.1, "", " ", "\0", "\n", "\ud800", "\U0001f4a9", "é", "é", "a" * 600, "a" * 5000, "1",
    "true", "null", "NaN", "__proto__", "$ref", "@id", "@type", "a.b", "a/b", "~1", "`", "'", '"',
    "${jndi}", "{{x}}", "{twin}", "dtmi:a;1", "dtmi:dtdl:context;3", "dtmi:example:Pump;1",
    "PT30S", "P1Y", "2026-11-23T06:30:00Z", "9999-12-31T23:59:60+23:59", "0000-00-00", "http://[",
    [], {}, [[]], [None], {"": None}, {"@value": 1}, {"from": "x"}, {"en": "x"}, [{}], ["a", "a"],
)  # fmt: skip
STRUCTURED = 0.75
"""How often the text is changed as what it says, where it says something."""
DEEP = 200
MAX_YAML = 3_000
"""Bytes of a text that is read as YAML; it takes long."""


def mutate(data: bytes, words: Sequence[str], other: bytes, random: Random) -> bytes:
    """A changed input; `other` is one to borrow from."""
    parts = data.split(PART)
    at = random.randrange(len(parts))
    borrowed = random.choice(other.split(PART))
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        parts[at] = _changed(parts[at], borrowed, words, random)
    if random.random() < 0.05:
        parts = random.choice(([*parts, borrowed], parts[:-1] or parts, parts[::-1]))
    return PART.join(parts)[:MAX_INPUT]


def _changed(text: bytes, borrowed: bytes, words: Sequence[str], random: Random) -> bytes:
    if random.random() < STRUCTURED:
        found = _as_value(text, borrowed, words, random)
        if found is not None:
            return found
    return _bytes(text, borrowed, words, random)


# -- as what it says -------------------------------------------------------------------------------


def _as_value(text: bytes, borrowed: bytes, words: Sequence[str], random: Random) -> bytes | None:
    value = _json(text)
    if isinstance(value, dict | list):
        return _written(_edited(value, _json(borrowed), words, random))
    lines = text.split(b"\n")
    at = random.randrange(len(lines))
    line = _json(lines[at])
    if isinstance(line, dict | list):
        lines[at] = _written(_edited(line, _json(borrowed), words, random))
        return b"\n".join(lines)
    # An alias may make a value that holds itself, which has no end of places.
    if len(text) > MAX_YAML or text[:1] in b"[{" or b"*" in text:
        return None
    try:
        value = yaml.safe_load(text)
        if not isinstance(value, dict | list):
            return None
        edited = _edited(value, None, words, random)
        return yaml.safe_dump(edited, sort_keys=False).encode(errors="replace")
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError):
        return None


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _written(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
    except (ValueError, RecursionError):
        return b"[" * DEEP


def _edited(value: Any, other: Any, words: Sequence[str], random: Random) -> Any:
    value = copy.deepcopy(value)
    places = list(_places(value))
    if not places:
        return random.choice(HOSTILE)
    holder, key = random.choice(places)
    how = random.randrange(7)
    if how == 0:
        del holder[key]
    elif how == 1:
        _again(holder, key, words, random)
    elif how == 2:
        holder[key] = [holder[key]]
    elif how == 3:
        a, b = random.choice(places)
        holder[key] = copy.deepcopy(a[b])
    elif how == 4 and other is not None:
        lent = list(_places(other)) or [([other], 0)]
        a, b = random.choice(lent)
        holder[key] = copy.deepcopy(a[b])
    elif how == 5 and words:
        holder[key] = random.choice(words)
    else:
        holder[key] = copy.deepcopy(random.choice(HOSTILE))
    return value


def _again(holder: Any, key: Any, words: Sequence[str], random: Random) -> None:
    """The same under another name, or twice."""
    if isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        names = [*words, *(word for word in HOSTILE if isinstance(word, str))]
        holder[random.choice(names)] = holder.pop(key) if random.random() < 0.5 else holder[key]


def _places(value: Any, depth: int = 0) -> Any:
    if depth > DEEP:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield value, key
            yield from _places(item, depth + 1)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield value, position
            yield from _places(item, depth + 1)


# -- as bytes --------------------------------------------------------------------------------------


def _bytes(text: bytes, borrowed: bytes, words: Sequence[str], random: Random) -> bytes:
    start = random.randrange(len(text) + 1)
    stop = min(len(text), start + random.choice((0, 1, 1, 2, 4, 16, 64, 1000)))
    how = random.randrange(6)
    if how == 0:
        return text[:start] + text[stop:]
    if how == 1:
        return text[:stop] + text[start:stop] * random.choice((1, 2, 50)) + text[stop:]
    if how == 2 and words:
        return text[:start] + random.choice(words).encode() + text[stop:]
    if how == 3:
        return text[:start] + _piece(borrowed, random) + text[stop:]
    if how == 4:
        deep = random.choice((b"[", b"{", b"(", b'{"a":', b"- ", b"\\", b"a:\n ", b"!"))
        return text[:start] + deep * random.choice((1, 3, 50, 2000)) + text[stop:]
    return text[:start] + bytes(random.randrange(256) for _ in range(stop - start)) + text[stop:]


def _piece(text: bytes, random: Random) -> bytes:
    start = random.randrange(len(text) + 1)
    return text[start : start + random.choice((1, 4, 20, 200))]
