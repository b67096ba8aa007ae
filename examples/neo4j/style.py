"""Write `twinfall.grass`, the demo city's colours and captions, from its ontology.

python examples/neo4j/style.py
"""

from __future__ import annotations

import json
from pathlib import Path

from twinfall.graph.neo4j.grass import style_sheet
from twinfall.ontology import Names, parse

CITY = Path(__file__).parents[1] / "city" / "city.json"
TARGET = Path(__file__).with_name("twinfall.grass")


def city_style() -> str:
    """The style sheet of the demo city."""
    ontology = parse(json.loads(CITY.read_text()))
    return style_sheet(Names.extend({}, ontology), ontology)


if __name__ == "__main__":
    TARGET.write_text(city_style())
