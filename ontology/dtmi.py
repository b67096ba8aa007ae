"""Digital Twin Model Identifiers: `dtmi:com:example:Pump;1`.

Syntax: DTDL v4, "Digital Twin Model Identifier". A segment is letters, digits and underscores,
begins with a letter and never ends with `_`; a segment that begins with `_` belongs to the system
(identifiers made by the parser) and is not allowed in models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_SEGMENT = r"[A-Za-z_][A-Za-z0-9_]*[A-Za-z0-9]|[A-Za-z]"
_DTMI = re.compile(
    rf"dtmi:(?P<path>(?:{_SEGMENT})(?::(?:{_SEGMENT}))*)"
    r"(?:;(?P<major>[1-9][0-9]{0,8})(?:\.(?P<minor>[1-9][0-9]{0,5}))?)?"
    rf"(?P<fragment>#(?:(?:{_SEGMENT})(?::(?:{_SEGMENT}))*)?)?"
)
_RESERVED = re.compile(r"(?:^|[:#])_")
_MINOR_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Dtmi:
    """The parts of an identifier. `major` is 0 where there is no version; `fragment` has its #."""

    path: str
    major: int
    minor: int
    fragment: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The segments, `("com", "example", "Pump")`."""
        return tuple(self.path.split(":"))

    @property
    def local(self) -> str:
        """The last segment."""
        return self.path.rsplit(":", 1)[-1]

    @property
    def versionless(self) -> str:
        """The identifier without its version."""
        return f"dtmi:{self.path}{self.fragment}"

    @property
    def complete_version(self) -> float:
        """Major and minor as one ordered number: 3.14 is 3.000014."""
        return float(f"{self.major}.{self.minor:0{_MINOR_DIGITS}d}")

    @property
    def is_reserved(self) -> bool:
        """Whether a segment belongs to the system."""
        return _RESERVED.search(f":{self.path}{self.fragment}") is not None


@lru_cache(maxsize=65_536)
def read_dtmi(text: str) -> Dtmi | None:
    """The parts of a DTMI, None where the text is not one."""
    match = _DTMI.fullmatch(text)
    if match is None:
        return None
    return Dtmi(
        path=match["path"],
        major=int(match["major"] or 0),
        minor=int(match["minor"] or 0),
        fragment=match["fragment"] or "",
    )


def newer_version(text: str, among: Iterable[str]) -> str | None:
    """The newest of these that is a later version of the same model; None where there is none."""
    old = read_dtmi(text)
    found = [(read_dtmi(other), other) for other in among]
    later = [
        (new.complete_version, other)
        for new, other in found
        if old and new and new.path == old.path and new.complete_version > old.complete_version
    ]
    return max(later)[1] if later else None


def child_id(parent: str, *segments: str) -> str:
    """The identifier the parser gives an element that has none: the parent's with `segments`
    appended before the version.
    """
    path, mark, version = parent.partition(";")
    return ":".join((path, *segments)) + mark + version
