"""The line of a place in a JSON text; only needed once something is wrong."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([\[{])|([\]}])|(,)|[^\s\[\]{},:"]+')
MAX_DEPTH = 256
MAX_TEXT = 4 * 1024 * 1024
"""Larger texts (one line more often than not) get no line numbers."""


def line_of(text: str, pointer: str) -> int | None:
    """One-based line where the value at a JSON pointer begins."""
    if len(text) > MAX_TEXT:
        return None
    return _lines(text).get(pointer)


@lru_cache(maxsize=8)
def _lines(text: str) -> dict[str, int]:
    """Lines of all places. Members that are written with escapes are not found."""
    found: dict[str, int] = {"": 1 + text[: len(text) - len(text.lstrip())].count("\n")}
    stack: list[tuple[str, int | None]] = []
    path, at, line, named = "", 0, 1, False
    for token in _TOKEN.finditer(text):
        line += text.count("\n", at, token.start())
        at = token.start()
        name, opens, closes, comma = token.groups()
        if closes:
            if stack:
                path = stack.pop()[0]
            continue
        if comma:
            continue
        base, index = stack[-1] if stack else ("", None)
        if stack and index is None and not named:
            named = True
            path = f"{base}/{_step(name or '')}"
            found[path] = line
            continue
        named = False
        if index is not None:
            path = f"{base}/{index}"
            stack[-1] = (base, index + 1)
            found[path] = line
        if opens and len(stack) == MAX_DEPTH:
            break  # such a text was refused: its places matter to nobody
        if opens:
            stack.append((path, 0 if opens == "[" else None))
    return found


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
