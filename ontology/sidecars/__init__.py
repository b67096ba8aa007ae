"""Dependency declarations for public ontologies, each line with its reason."""

from __future__ import annotations

from importlib.resources import files

from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.errors import UnknownName

ENDING = ".dependencies.yaml"


def names() -> tuple[str, ...]:
    """The ontologies for which there are declarations."""
    folder = files(__name__)
    found = (one.name for one in folder.iterdir() if one.name.endswith(ENDING))
    return tuple(sorted(name.removesuffix(ENDING) for name in found))


def sidecar(name: str) -> str:
    """The sidecar of an ontology, as text. Raises UnknownName."""
    if name not in names():
        cure = did_you_mean(name, names()) or f"there are {', '.join(names())}"
        raise UnknownName(f"there are no declarations for {name[:64]!r}", cure=cure)
    return (files(__name__) / f"{name}{ENDING}").read_text(encoding="utf-8")
