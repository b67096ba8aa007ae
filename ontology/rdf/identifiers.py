"""IRIs to DTMIs and names.

`https://brickschema.org/schema/Brick#AHU` is `dtmi:org:brickschema:schema:Brick:AHU;1`: the host
from its end, the path, the fragment. What a DTMI may not hold is replaced, and a digest of the IRI
keeps apart what would become equal. So an IRI has the same DTMI whatever else is
read with it, but for IRIs that differ only in `http` and `https`, or `/` and `#`.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote, urlsplit

from twinfall.ontology.dtmi import read_dtmi

MAX_DTMI = 128
"""Characters of an interface's identifier (DTDL v2 to v4)."""
MAX_NAME = 64
"""Characters of a content's name; DTDL v2's limit, so that every version takes it."""
_LEGAL = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?")
_WEB = ("http", "https")
_DIGITS = 8


def dtmi_of(iri: str, version: int = 1) -> str:
    """The DTMI of a class. An IRI that is a DTMI already stays what it is."""
    known = read_dtmi(iri)
    if known is not None and not known.is_reserved and not known.fragment:
        return iri
    words = _words(iri)
    segments = [segment(word) for word in words]
    exact = segments == words and _is_plain(iri)
    path = ":".join(segments)
    room = MAX_DTMI - len(f"dtmi:;{version}")
    if not exact or len(path) > room:
        mark = "_x" + digest(iri)
        path = path[: room - len(mark)].rstrip("_:") + mark
    return f"dtmi:{path};{version}"


def name_of(iri: str) -> str:
    """The name of a content: what stands last in the IRI, in the characters DTDL has."""
    return segment(local(iri))[:MAX_NAME].rstrip("_")


def qualified_name(iri: str) -> str:
    """The name with its namespace's last word before it, for one whose name is taken."""
    words = _words(iri)
    before = segment(words[-2]) if len(words) > 1 else "x"
    return f"{before}_{name_of(iri)}"[:MAX_NAME].rstrip("_")


def local(iri: str) -> str:
    """What stands last in an IRI."""
    words = [word for word in re.split(r"[/#:]", iri) if word]
    return unquote(words[-1]) if words else iri


def namespace(iri: str) -> str:
    """An IRI up to its last `#`, `/` or `:`, that included."""
    return iri[: max(iri.rfind(mark) for mark in "#/:") + 1]


def segment(word: str) -> str:
    """A word in the characters of a DTMI's segments and of names."""
    if _LEGAL.fullmatch(word):
        return word
    made = re.sub(r"[^A-Za-z0-9_]+", "_", word).strip("_")
    return made if made[:1].isalpha() else f"n{made}"


def digest(iri: str) -> str:
    """Eight hexadecimal digits of an IRI."""
    return hashlib.sha256(iri.encode()).hexdigest()[:_DIGITS]


def _words(iri: str) -> list[str]:
    parts = urlsplit(iri)
    if parts.scheme in _WEB:
        host = [word for word in reversed((parts.hostname or "").split(".")) if word]
        rest = parts.path.split("/")
    else:
        host, rest = [parts.scheme or "iri"], re.split(r"[:/]", f"{parts.netloc}:{parts.path}")
    words = [*host, *rest, *parts.query.split("&"), *re.split(r"[/:]", parts.fragment)]
    return [unquote(word) for word in words if word] or ["iri"]


def _is_plain(iri: str) -> bool:
    """Whether the DTMI says all that the IRI says, but for `http` or `https`, `/` or `#`."""
    parts = urlsplit(iri)
    plain = parts.scheme in _WEB and not parts.query and "@" not in parts.netloc
    ends = iri.endswith(("/", "#", ":")) or "//" in parts.path or "%" in iri
    return plain and ":" not in parts.netloc and not ends and "/" not in parts.fragment
