"""Harbour House: a building in Brick and RealEstateCore, and where Brick is found."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
CLASSES = HERE / "classes.ttl"
HOUSE = HERE / "house.ttl"
DECLARATIONS = HERE / "classes.dependencies.yaml"


def brick_file() -> Path | None:
    """`Brick.ttl` 1.4 of the installed package `brickschema`, which is not imported."""
    package = find_spec("brickschema")
    for place in (package.submodule_search_locations or ()) if package else ():
        file = Path(place) / "ontologies" / "1.4" / "Brick.ttl"
        if file.is_file():
            return file
    return None
