"""`read_dependencies`: sidecars and the DTDL extension in, one table of declarations out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from twinfall.ontology.declarations import Asset, Dependencies
from twinfall.ontology.dependencies.feeds import Declared, Inheritance, check_feed
from twinfall.ontology.dependencies.groups import Grouping
from twinfall.ontology.dependencies.layers import (
    Layers,
    layers_of_extension,
    layers_of_sidecars,
    overlaid,
)
from twinfall.ontology.dependencies.sidecar import Sidecar, read_sidecar
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtdl.text import NotStrict, canonical
from twinfall.ontology.errors import ModelInvalid, Problem
from twinfall.ontology.ontology import Ontology

MAX_SIDECARS = 10_000


def canonical_sidecar(document: str | bytes | Mapping[str, Any]) -> str:
    """One JSON text for the content of a sidecar, unjudged. Raises ModelInvalid."""
    return _read_all([document])[0].canonical


def read_dependencies(
    documents: Sequence[str | bytes | Mapping[str, Any]], ontology: Ontology
) -> Dependencies:
    """The declarations of sidecars (YAML, JSON or parsed) and of the models' own extension.

    At one interface a sidecar wins over the extension; along inheritance the nearest interface
    wins; both member by member. Raises ModelInvalid with every problem.
    """
    sidecars = _read_all(documents)
    below, above = layers_of_extension(ontology), Layers(ontology)
    layers_of_sidecars(sidecars, above)
    inheritance = Inheritance(ontology, overlaid(below, above))
    inheritance.read()
    problems = below.problems + above.problems + inheritance.problems
    feeds = _feeds(inheritance, problems)
    assets = _assets(inheritance)
    grouping = Grouping(ontology, feeds)
    grouping.build()
    problems += grouping.problems
    problems += _check_carriers(feeds, assets)
    if problems:
        raise ModelInvalid(_distinct(problems), _headline(problems))
    texts = tuple(sorted({s.canonical for s in sidecars}))
    return Dependencies(
        feeds=MappingProxyType({i: MappingProxyType(f) for i, f in grouping.spread().items()}),
        assets=MappingProxyType(assets),
        documents=texts,
        hash=_hash(texts, ontology),
        groups=MappingProxyType({i: MappingProxyType(g) for i, g in grouping.groups.items()}),
    )


def _read_all(documents: Sequence[str | bytes | Mapping[str, Any]]) -> list[Sidecar]:
    sidecars: list[Sidecar] = []
    problems: list[Problem] = []
    for number, document in enumerate(documents):
        try:
            sidecars.append(read_sidecar(document))
        except NotStrict as err:
            problems.append(Problem(err.code, err.message, document=number, line=err.line))
    if len(documents) > MAX_SIDECARS:
        problems.append(Problem("tooMany", f"more than {MAX_SIDECARS} declaration files"))
    if problems:
        raise ModelInvalid(problems, _headline(problems))
    return sidecars


def _headline(problems: Sequence[Problem]) -> str:
    count = len(_distinct(problems))
    return f"{count} problem{'' if count == 1 else 's'} in the dependency declarations"


def _distinct(problems: Sequence[Problem]) -> list[Problem]:
    """Each once: an inherited declaration is judged for every descendant."""
    return list(dict.fromkeys(problems))


def _feeds(inheritance: Inheritance, problems: list[Problem]) -> dict[str, dict[str, Declared]]:
    found = {}
    if not inheritance.contents:
        return {}
    for dtmi, interface in inheritance.ontology.interfaces.items():
        feeds = {d.content.name: d for d in inheritance.feeds_of(interface)}
        for declared in feeds.values():
            problems += check_feed(declared)
        if feeds:
            found[dtmi] = feeds
    return found


def _assets(inheritance: Inheritance) -> dict[str, Asset]:
    found = {}
    for dtmi, interface in inheritance.ontology.interfaces.items():
        asset = inheritance.asset_of(interface)
        if asset is not None:
            found[dtmi] = asset
    return found


def _check_carriers(
    feeds: Mapping[str, Mapping[str, Declared]], assets: Mapping[str, Asset]
) -> list[Problem]:
    """Carriers are words of the declarations' own: a misspelt one would cut a network silently."""
    sources = {s.carrier for asset in assets.values() for s in asset.source}
    problems = []
    for declared in (d for named in feeds.values() for d in named.values()):
        carrier = declared.get("carrier")
        if carrier is None or carrier in sources:
            continue
        cure = did_you_mean(carrier, sorted(sources))
        if declared.get("mode") == "network" or (cure and sources):
            message = f'nothing is a source of the carrier "{carrier}"'
            cure = cure or f"declare one: asset: {{source: [{carrier}]}}"
            problems.append(declared.places["carrier"].problem("unknownCarrier", message, cure))
    return problems


def _hash(sidecars: Sequence[str], ontology: Ontology) -> str:
    digest = hashlib.sha256()
    for text in (*sidecars, canonical({k: dict(v) for k, v in ontology.extension.items()})):
        digest.update(text.encode())
        digest.update(b"\0")
    return digest.hexdigest()
