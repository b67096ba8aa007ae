"""Writes a style sheet for Neo4j Browser: of the demo's city, or of DTDL files of yours.

python -m examples.neo4j.style > examples/neo4j/city.grass
python -m examples.neo4j.style FILE.json ... > yours.grass
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from twinfall.api.demo import city_documents
from twinfall.graph.neo4j.grass import style_sheet
from twinfall.ontology import Names, parse

CITY_HUES = {
    "dtmi:example:city:WaterAsset;1": 0.56,  # blue
    "dtmi:example:city:PowerAsset;1": 0.10,  # amber
    "dtmi:example:city:RoadAsset;1": 0.36,  # green
    "dtmi:example:city:Part;1": 0.76,  # violet, faint
}


def city_sheet() -> str:
    """The sheet of the demo's city."""
    ontology = parse(city_documents())
    return style_sheet(ontology, Names.extend({}, ontology), CITY_HUES)


def sheet_of(paths: Sequence[str]) -> str:
    """The sheet of the models in these DTDL files."""
    ontology = parse([Path(path).read_text(encoding="utf-8") for path in paths])
    return style_sheet(ontology, Names.extend({}, ontology))


def main() -> None:
    """Print the sheet."""
    paths = sys.argv[1:]
    sys.stdout.write(sheet_of(paths) if paths else city_sheet())


if __name__ == "__main__":
    main()
