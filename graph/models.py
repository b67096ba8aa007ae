"""What happens to the stored model set when documents and sidecars are loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from twinfall.graph.kept_models import KeptModels
from twinfall.graph.store import StoredModels
from twinfall.graph.twins import JSON
from twinfall.ontology import Names, Ontology, canonical_sidecar, parse, read_dependencies
from twinfall.ontology.declarations import Dependencies
from twinfall.ontology.errors import Conflict, ModelIncomplete, ModelInvalid
from twinfall.ontology.model import Interface

MAX_NAMED = 5
"""Uses that a refusal names."""


@dataclass(frozen=True, slots=True)
class Models:
    """A compiled model set. Decommissioned models take no new twins."""

    ontology: Ontology
    names: Names
    dependencies: Dependencies
    decommissioned: frozenset[str] = frozenset()

    def stored(self) -> StoredModels:
        """As a store keeps it."""
        return StoredModels(
            self.ontology.documents,
            self.dependencies.documents,
            dict(self.names.entries),
            decommissioned=tuple(sorted(self.decommissioned)),
        )


@dataclass(frozen=True, slots=True)
class LoadReport:
    """`loaded` and `unchanged` are DTMIs of interfaces; `names` has all registered names.
    `dropped` are interfaces whose declarations stood in a replaced sidecar and are in none now.
    """

    loaded: tuple[str, ...]
    unchanged: tuple[str, ...]
    names: Mapping[str, str]
    cursor: int
    dropped: tuple[str, ...] = ()


def compile_models(
    stored: StoredModels, aliases: Mapping[str, str], kept: KeptModels | None = None
) -> Models:
    """The model set that a store has, from where compiled ones are kept if need be."""
    ontology = kept.ontology(stored.documents) if kept else parse(stored.documents)
    return Models(
        ontology,
        Names.extend(stored.names, ontology, aliases),
        read_dependencies(stored.dependencies, ontology),
        frozenset(stored.decommissioned) & ontology.interfaces.keys(),
    )


def added_documents(
    current: Models, documents: Sequence[JSON | str]
) -> tuple[Ontology, tuple[str, ...]]:
    """The ontology with these documents added, and the DTMIs that were there already.

    Raises Conflict EXISTS where an interface is there with other content, and whatever `parse`
    raises, with positions counted in `documents`.
    """
    known = dict(_interfaces(current.ontology.documents))
    fresh: list[JSON | str] = []
    positions: list[int] = []
    unchanged: list[str] = []
    other: list[str] = []
    for position, document in enumerate(documents):
        found = list(_interfaces([document]))
        old = [dtmi for dtmi, _ in found if dtmi in known]
        other += [dtmi for dtmi, text in found if known.get(dtmi, text) != text]
        unchanged += old
        if not old:
            rest: list[JSON | str] = [document]  # as it came, so that problems have its lines
        else:
            rest = [orjson.loads(text) for dtmi, text in found if dtmi not in known]
        fresh += rest
        positions += [position] * len(rest)
    if other:
        raise Conflict(
            f"{len(other)} model(s) are loaded with other content: {', '.join(other[:5])}",
            code="EXISTS",
            cure="a model never changes: give the new one a higher version",
        )
    if not fresh:
        return current.ontology, tuple(unchanged)
    try:
        return parse([*fresh, *current.ontology.documents]), tuple(unchanged)
    except ModelInvalid as error:
        raise ModelInvalid(
            [
                replace(problem, document=positions[problem.document])
                if problem.document is not None and problem.document < len(positions)
                else problem
                for problem in error.problems
            ]
        ) from None


def without(current: Models, going: Sequence[str]) -> tuple[Ontology, Dependencies]:
    """Ontology and declarations without these interfaces; names are kept for ever.

    Raises UnknownName, and Conflict IN_USE where other models extend one or have it as a
    component, naming them.
    """
    interfaces, gone = current.ontology.interfaces, set(going)
    for dtmi in going:
        current.ontology.interface(dtmi)
    uses = [
        f"{other.id} {how}"
        for other in interfaces.values()
        if other.id not in gone
        for how in _uses(other, gone)
    ]
    if uses:
        more = f" and {len(uses) - MAX_NAMED} more" if len(uses) > MAX_NAMED else ""
        raise Conflict(
            f"other models need these: {'; '.join(uses[:MAX_NAMED])}{more}",
            code="IN_USE",
            cure="delete those as well, or first",
        )
    documents = [text for text in map(_rest(gone), current.ontology.documents) if text]
    sidecars = []
    for text in current.dependencies.documents:
        document = orjson.loads(text)
        kept = {d: said for d, said in document["interfaces"].items() if d not in gone}
        if kept:
            sidecars.append(canonical_sidecar({**document, "interfaces": kept}))
    try:
        ontology = parse(documents)
        return ontology, read_dependencies(sidecars, ontology)
    except (ModelIncomplete, ModelInvalid) as error:
        raise Conflict(
            f"what is left would not hold together: {error.message}",
            code="IN_USE",
            cure="delete what needs them as well",
        ) from error


def _uses(interface: Interface, gone: set[str]) -> Iterator[str]:
    yield from (f"extends {dtmi}" for dtmi in interface.extends if dtmi in gone)
    for name, content in interface.contents.items():
        if content.declared_in == interface.id and content.interface in gone:
            yield f'has {content.interface} as its component "{name}"'


def _rest(gone: set[str]) -> Callable[[str], str]:
    """A document without these interfaces; empty where nothing is left."""

    def rest(text: str) -> str:
        document = orjson.loads(text)
        elements = document if isinstance(document, list) else [document]
        kept = [element for element in elements if element["@id"] not in gone]
        if len(kept) == len(elements):
            return text
        return orjson.dumps(kept).decode() if kept else ""

    return rest


def added_dependencies(
    current: Dependencies, sidecars: Sequence[JSON | str], ontology: Ontology
) -> tuple[Dependencies, tuple[str, ...]]:
    """The declarations with these sidecars added, and the interfaces that lost theirs.

    A sidecar is a whole: it replaces every stored one that declares an interface it declares.
    Raises ModelInvalid.
    """
    if not sidecars:
        return read_dependencies(current.documents, ontology), ()
    added = [canonical_sidecar(sidecar) for sidecar in sidecars]
    declared = {dtmi for text in added for dtmi in _declared(text)}
    kept = [text for text in current.documents if declared.isdisjoint(_declared(text))]
    before = {dtmi for text in current.documents for dtmi in _declared(text)}
    after = declared | {dtmi for text in kept for dtmi in _declared(text)}
    # The new ones first: their positions in problems are then those of `sidecars`.
    return read_dependencies([*sidecars, *kept], ontology), tuple(sorted(before - after))


def _declared(sidecar: str) -> set[str]:
    document = orjson.loads(sidecar)
    found = document.get("interfaces") if isinstance(document, dict) else None
    return set(found) if isinstance(found, dict) else set()


def _interfaces(documents: Sequence[JSON | str]) -> Iterator[tuple[str, str]]:
    """The DTMI and canonical text of every interface at the top of these documents; what cannot
    be read is left for `parse` to complain about.
    """
    for document in documents:
        if isinstance(document, str):
            try:
                document = orjson.loads(document)
            except orjson.JSONDecodeError:
                continue
        for element in document if isinstance(document, list) else [document]:
            if isinstance(element, Mapping) and isinstance(element.get("@id"), str):
                text = orjson.dumps(element, option=orjson.OPT_SORT_KEYS, default=dict)
                yield element["@id"], text.decode()
