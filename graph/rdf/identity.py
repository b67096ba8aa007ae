"""The ids of twins and the IRIs that RDF has for them.

A twin keeps its IRI in the property that its model has for it; the id is what stands last in the
IRI. Where a model has no such property, the id itself is the IRI, percent-encoded, and ids that are
none stand behind a base.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from twinfall.graph.identity import MAX_ID, twin_id_fault
from twinfall.ontology.rdf.identifiers import digest, local

BASE = "urn:twinfall:twin:"
"""Before the ids of twins that have no IRI of their own."""
BLANK = "_:"
"""Before the names of blank nodes, which have no IRI to keep."""
_ENCODED = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*%3A", re.IGNORECASE)
_ILLEGAL = re.compile(r"[^A-Za-z0-9\-.+%_#*?!(),=@$']+")


def iri_of(id_: str, base: str) -> str:
    """The IRI of a twin that has none of its own, or of a component at `twin/component`."""
    if _ENCODED.match(id_):
        return unquote(id_)
    return base + "/".join(quote(part, safe="") for part in id_.split("/"))


class TwinIds:
    """Gives ids to IRIs: the known ones theirs, new ones what stands last in the IRI, with a
    digest of the IRI where that is taken. The same IRI has the same id each time.
    """

    def __init__(self, known: Mapping[str, str], taken: Mapping[str, str], base: str) -> None:
        """`known` has ids by IRI, `taken` IRIs by id ("" for a twin that has none)."""
        self._ids = dict(known)
        self._taken = dict(taken)
        self._base = base

    def of(self, iri: str, wish: str = "", *, kept: bool = True) -> str:
        """The id of an IRI; `wish` is the id that the text itself gives, `kept` whether the twin
        will hold its IRI.
        """
        known = self._ids.get(iri)
        if known is None:
            known = self._free(iri, wish) if kept else self._encoded(iri)
            self._ids[iri] = known
            self._taken[known] = iri
        return known

    def known(self, iri: str) -> str | None:
        """The id of an IRI that has one, or whose id the base says."""
        if iri in self._ids:
            return self._ids[iri]
        encoded = self._encoded(iri)
        return encoded if self.is_based(iri) or encoded in self._taken else None

    def is_based(self, iri: str) -> bool:
        """Whether the IRI is only the base and the id."""
        return iri.startswith(self._base)

    def _encoded(self, iri: str) -> str:
        if self.is_based(iri):
            return unquote(iri[len(self._base) :])
        return iri.removeprefix(BLANK) if iri.startswith(BLANK) else quote(iri, safe="")

    def _free(self, iri: str, wish: str) -> str:
        if self.is_based(iri) or iri.startswith(BLANK):
            return self._encoded(iri)
        if wish and twin_id_fault(wish) is None and self._taken.get(wish, iri) in (iri, ""):
            return wish
        plain = _ILLEGAL.sub("_", local(iri))[:MAX_ID] or "twin"
        if self._taken.get(plain, iri) == iri:
            return plain
        return f"{plain[: MAX_ID - 9]}-{digest(iri)}"
