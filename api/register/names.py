"""Names that DTDL takes, from what people write in headers and type columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

BASE = "Asset"
MAX_NAME = 60
_OTHERS = re.compile(r"[^A-Za-z0-9]+")
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)
"""Letters that Unicode does not take apart."""
_OWN = ("name", "assetid", "contains")
"""Names that the proposal itself gives out, in lower case."""


def segment(stem: str) -> str:
    """A segment of a DTMI from a file's name."""
    words = _words(stem)
    return ("".join(words[:1]) + "".join(w.capitalize() for w in words[1:]))[:MAX_NAME] or "assets"


def type_names(types: Iterable[str]) -> dict[str, str]:
    """PascalCase for each type; types that differ in case or punctuation only become one."""
    found: dict[str, str] = {}
    for number, type_ in enumerate(sorted(types), 1):
        words = _words(type_)
        found[type_] = "".join(w[0].upper() + w[1:] for w in words)[:MAX_NAME] or f"Type{number}"
    first = {name.lower(): name for name in reversed(found.values())}
    return {type_: first[name.lower()] for type_, name in found.items()}


def property_names(columns: Sequence[str]) -> dict[str, str]:
    """camelCase for each column, numbered where two would be the same."""
    found: dict[str, str] = {}
    taken = set(_OWN)
    for number, column in enumerate(columns, 1):
        words = _words(column)
        name = "".join(words[:1]) + "".join(w[0].upper() + w[1:] for w in words[1:])
        name = name[:MAX_NAME] or f"column{number}"
        chosen, again = name, 2
        while chosen.lower() in taken:
            chosen, again = f"{name}{again}", again + 1
        taken.add(chosen.lower())
        found[column] = chosen
    return found


def _words(text: str) -> list[str]:
    """Words of Latin letters and digits; the first begins with a small letter or an `n`."""
    plain = (
        unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()
    )
    words = [w for w in _OTHERS.split(plain) if w]
    if not words:
        return []
    first = words[0].lower() if words[0].isupper() else words[0][0].lower() + words[0][1:]
    return [first if first[0].isalpha() else f"n{first}", *words[1:]]
