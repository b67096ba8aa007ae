"""Short names: what a model is called in GraphQL, in Neo4j and at the command line.

A name, once registered, is kept for ever. A new model is called by the last segment of its DTMI;
where that is taken it is qualified by its namespace (`Namespace_Local`), segment after segment,
and where only the version differs by that (`Local_v2`). Names never clash, whatever their case,
with each other, with what the GraphQL schema generates for other models, nor with the words of
GraphQL and Neo4j. Within one load they do not depend on the order of documents.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from twinfall.ontology.dtmi import Dtmi, read_dtmi
from twinfall.ontology.errors import BadInput, Conflict
from twinfall.ontology.ontology import Ontology

RESERVED = frozenset(
    {
        *("Query", "Mutation", "Subscription", "PageInfo", "Node", "Direction", "SortOrder"),
        *("String", "Int", "Float", "Boolean", "ID", "JSON", "Long", "BigInt", "Decimal"),
        *("Duration", "DateTime", "Date", "Time", "Latest", "State", "Model", "Service"),
        *("Twin", "Twins", "TwinInput", "TwinPatch", "Models", "Services"),
        *("Relationship", "RelationshipInput", "RelationshipKey"),
        *("LoadResult", "WriteResult", "RowError", "Changes", "Change"),
        *("Impact", "Impacted", "Totals", "ServiceTotal", "Wave", "NearMiss", "NotEvaluated"),
        *("Reading", "Readings", "History", "Alarm", "Alarms", "Incident", "Incidents"),
        *("Action", "Actions", "Command", "Commands", "Health", "WorkOrder", "WorkOrders"),
    }
)
"""GraphQL types and root fields of our own, and the label every node has."""

GENERATED = (
    "Connection",
    "Edge",
    "Where",
    "Sort",
    "Filter",
    "Relation",
    "Incoming",
    "Latest",
    "Properties",
)
"""Endings of the types generated for a model; a model whose name ends so gets one more word."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
MAX_NAME = 128
_RESERVED_FOLDED = frozenset(name.casefold() for name in RESERVED)
_OWN_FIELDS = frozenset({"id", "model"})
_DIGEST_DIGITS = 8
_AFTER_GENERATED = "_model"
"""Behind a name such as DuctConnection, which would be the page type of a model called Duct."""


def field_name(content_name: str) -> str:
    """How a content appears as a field: verbatim, but `id_` and `model_` for `id` and `model`."""
    return f"{content_name}_" if content_name in _OWN_FIELDS else content_name


def content_name(field: str) -> str:
    """The content behind a field, the inverse of `field_name`."""
    bare = field.removesuffix("_")
    return bare if bare in _OWN_FIELDS and field != bare else field


@dataclass(frozen=True, slots=True)
class Names:
    """DTMI to registered short name, and back. Immutable."""

    entries: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    qualified: tuple[str, ...] = ()
    """DTMIs whose name is not their last segment, sorted."""
    _dtmis: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def extend(
        cls,
        entries: Mapping[str, str],
        ontology: Ontology,
        aliases: Mapping[str, str] = MappingProxyType({}),
    ) -> Names:
        """The registry grown by the ontology's models. Earlier entries keep their names.

        `aliases` (DTMI to name) are wishes for models that have no name yet. Raises Conflict
        EXISTS for an alias that is taken or that renames, BadInput for one that is no name.
        """
        names = dict(entries)
        taken = {name.casefold(): dtmi for dtmi, name in names.items()}
        _apply_aliases(names, taken, aliases, ontology)
        new = sorted(dtmi for dtmi in ontology.interfaces if dtmi not in names)
        _name_all(names, taken, new)
        by_name = {name: dtmi for dtmi, name in names.items()}
        qualified = tuple(sorted(d for d, n in names.items() if n != _local(d)))
        return cls(MappingProxyType(names), qualified, MappingProxyType(by_name))

    def of(self, dtmi: str) -> str:
        """The name of a registered model. Raises KeyError."""
        return self.entries[dtmi]

    def dtmi(self, name: str) -> str | None:
        """The model called so."""
        return self._dtmis.get(name)


def _apply_aliases(
    names: dict[str, str], taken: dict[str, str], aliases: Mapping[str, str], ontology: Ontology
) -> None:
    for dtmi, alias in sorted(aliases.items()):
        if names.get(dtmi) == alias or dtmi not in ontology.interfaces:
            continue
        if dtmi in names:
            raise Conflict(
                f"{dtmi} is already called {names[dtmi]}",
                code="EXISTS",
                cure="a name never changes",
            )
        if not NAME.fullmatch(alias) or is_reserved(alias):
            raise BadInput(f'"{alias}" cannot be the name of a model', cure="choose another alias")
        if alias.casefold() in taken:
            raise Conflict(
                f'the name "{alias}" is taken', code="EXISTS", cure="choose another alias"
            )
        names[dtmi] = alias
        taken[alias.casefold()] = dtmi


def is_reserved(name: str) -> bool:
    """Whether a name belongs to GraphQL, to Neo4j or to types generated for models."""
    return name.casefold() in _RESERVED_FOLDED or name.endswith(GENERATED)


def _local(dtmi: str) -> str:
    known = read_dtmi(dtmi)
    return known.local if known else dtmi


def _name_all(names: dict[str, str], holders: dict[str, str], new: list[str]) -> None:
    """Name new models in the order of their DTMIs, lower versions first."""
    for dtmi in sorted(new, key=_order):
        known = read_dtmi(dtmi)
        if known is None:
            raise BadInput(f"{dtmi} is not a DTMI")
        name = next(n for n in _candidates(known, dtmi, holders) if _is_free(n, holders))
        names[dtmi] = name
        holders[name.casefold()] = dtmi


def _order(dtmi: str) -> tuple[str, int, int, str]:
    known = read_dtmi(dtmi)
    return (known.path, known.major, known.minor, dtmi) if known else (dtmi, 0, 0, dtmi)


def _is_free(name: str, holders: Mapping[str, str]) -> bool:
    return len(name) <= MAX_NAME and name.casefold() not in holders and not is_reserved(name)


def _candidates(known: Dtmi, dtmi: str, holders: Mapping[str, str]) -> Iterator[str]:
    version = f"_v{known.major}" + (f"_{known.minor}" if known.minor else "")
    for base in _bases(known.labels):
        yield base
        holder = read_dtmi(holders.get(base.casefold(), ""))
        if holder is not None and holder.path == known.path:
            yield base + version
    digest = hashlib.sha256(dtmi.encode()).hexdigest()
    yield f"{known.local[: MAX_NAME - _DIGEST_DIGITS - 2]}_x{digest[:_DIGEST_DIGITS]}"
    yield f"Model_{digest}"


def _bases(labels: tuple[str, ...]) -> Iterator[str]:
    """The last segment; with one namespace segment before it, nearest first; with all of them."""
    local = labels[-1]
    yield _unlike_generated(local)
    for start in range(len(labels) - 2, -1, -1):
        yield _unlike_generated(f"{labels[start]}_{local}")
    for start in range(len(labels) - 3, -1, -1):
        yield _unlike_generated("_".join(labels[start:]))


def _unlike_generated(name: str) -> str:
    return f"{name}{_AFTER_GENERATED}" if name.endswith(GENERATED) else name
