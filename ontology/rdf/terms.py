"""Terms of triples that can be kept: what rdflib lets through and nobody can write again."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from rdflib import Literal, URIRef

from twinfall.ontology.errors import BadInput

_NO_IRI = re.compile(r"""[\x00-\x20<>"{}|\\^`\ud800-\udfff]""")
"""RFC 3987: what an IRI never holds, and halves of surrogate pairs."""
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
MAX_IRI = 2_048
"""Characters: what an identifier of DTDL may have."""
SHOWN = 80
"""Characters of a term in a message."""


def check_term(term: object) -> None:
    """Raises BadInput for an IRI that is none and for a text that no store can hold."""
    if isinstance(term, URIRef):
        if len(term) > MAX_IRI:
            raise BadInput(
                f"the IRI {term[:SHOWN]!r}... has {len(term)} characters", code="BAD_FILE",
                cure=f"at most {MAX_IRI} are taken",
            )  # fmt: skip
        if _NO_IRI.search(term) or not _is_split(term):
            raise BadInput(f"{term[:SHOWN]!r} is no IRI", code="BAD_FILE", cure="encode it")
    elif isinstance(term, Literal) and _NO_TEXT.search(term):
        message = f"the text {term[:SHOWN]!r} holds U+0000 or half of a surrogate pair"
        raise BadInput(message, code="BAD_FILE", cure="leave it out")


def _is_split(iri: str) -> bool:
    """Whether its parts can be told: brackets stand around the address of a host alone."""
    if "[" not in iri and "]" not in iri:
        return True
    try:
        urlsplit(iri)
    except ValueError:
        return False
    return True
