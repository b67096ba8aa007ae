"""A style sheet for Neo4j Browser (GraSS), made from an ontology.

A twin carries the label of its model and of every ancestor, and Browser lets later rules win over
earlier ones: so ancestors stand first and the most specific model last. Every family of models
(what shares the nearest common ancestor below the root) has a hue, and its members shades of it.
Source of the format: Neo4j Browser's own sheet and its reader of `node.Label { property: value }`.
"""

from __future__ import annotations

import colorsys
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from twinfall.ontology import Names, Ontology

PART, PLAIN, COMPOUND = 34, 46, 60
"""Diameters: of components, of other twins, of twins that have components."""
FIRST_HUE = 0.58
"""Blue. Each further family is the golden section of the colour wheel away, far from the others."""
GOLDEN = 0.381966
SPREAD = 0.055
"""How far a member's hue may be from its family's."""
SATURATION, FAINT = 0.62, 0.28
"""Of twins, and of components, which stand back."""
DARKEST, LIGHTEST = 0.42, 0.72
"""Lightness within a family."""
LIGHT = 0.58
"""From here on text is dark."""
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ROOT = """\
node {
  diameter: 38px;
  color: #A5ABB6;
  border-color: #8A93A3;
  border-width: 2px;
  text-color-internal: #1F2933;
  font-size: 10px;
  caption: '{_name}';
}
relationship {
  color: #A5ABB6;
  shaft-width: 1px;
  font-size: 8px;
  padding: 3px;
  text-color-external: #52606D;
  text-color-internal: #FFFFFF;
  caption: '<type>';
}
relationship._hasComponent {
  color: #CBD2D9;
  shaft-width: 1px;
  caption: '{name}';
}
"""


def style_sheet(
    ontology: Ontology, names: Names, hues: Mapping[str, float] = MappingProxyType({})
) -> str:
    """The sheet for all models of the ontology, by their registered names, ancestors first.

    `hues` chooses the hue (0 and 1 red, 1/3 green, 2/3 blue) of a model and those that extend it.
    """
    parts = _parts(ontology)
    order = sorted(ontology.interfaces, key=lambda dtmi: (_depth(ontology, dtmi), dtmi))
    colours = _colours(ontology, order, hues)
    rules = []
    for model in order:
        compound = bool(ontology.interfaces[model].of_kind("Component"))
        diameter = PART if model in parts else COMPOUND if compound else PLAIN
        rules.append(_rule(names.of(model), colours[model], diameter))
    return _ROOT + "".join(rules)


def _colours(
    ontology: Ontology, order: Sequence[str], hues: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Hue and lightness by model."""
    families: dict[str, list[str]] = defaultdict(list)
    for model in order:
        families[_family(ontology, model, hues)].append(model)
    colours = {}
    free = FIRST_HUE
    for family, members in sorted(families.items()):
        hue = hues.get(family, free)
        free = free if family in hues else (free + GOLDEN) % 1
        for place, model in enumerate(members):
            colours[model] = _colour(hue, place, len(members))
    return colours


def _depth(ontology: Ontology, model: str) -> int:
    """More than that of any ancestor."""
    return len(ontology.interfaces[model].ancestors)


def _family(ontology: Ontology, model: str, chosen: Mapping[str, float]) -> str:
    """The ancestor (or the model itself) whose hue it has: a chosen one, else the one below the
    root that others extend too.
    """
    line = [
        model,
        *sorted(ontology.interfaces[model].ancestors, key=lambda a: -_depth(ontology, a)),
    ]
    for one in line:
        if one in chosen:
            return one
    branches = [one for one in line if _depth(ontology, one) == 1]
    branch = branches[0] if branches else line[-1]
    return branch if ontology.interfaces[branch].descendants else line[-1]


def _colour(hue: float, place: int, count: int) -> tuple[float, float]:
    """Hue and lightness of a member: its neighbours in the family differ in both."""
    step = place / max(1, count - 1)
    lightness = LIGHTEST - (LIGHTEST - DARKEST) * step
    return (hue + SPREAD * math.sin(place * 2.4)) % 1, lightness


def _rule(label: str, colour: tuple[float, float], diameter: int) -> str:
    if not _LABEL.fullmatch(label):
        return ""  # Browser's reader knows no quoted labels
    hue, lightness = colour
    saturation = FAINT if diameter == PART else SATURATION
    text = "#FFFFFF" if lightness < LIGHT else "#1F2933"
    return (
        f"node.{label} {{\n"
        f"  diameter: {diameter}px;\n"
        f"  color: {_hex(hue, lightness, saturation)};\n"
        f"  border-color: {_hex(hue, lightness - 0.14, saturation)};\n"
        f"  text-color-internal: {text};\n}}\n"
    )


def _parts(ontology: Ontology) -> frozenset[str]:
    """The models of components, and those that only such models extend."""
    used = {
        component.interface
        for interface in ontology.interfaces.values()
        for component in interface.of_kind("Component").values()
    }
    below = {
        model
        for model, interface in ontology.interfaces.items()
        if interface.descendants and used.issuperset(interface.descendants)
    }
    return frozenset(used & ontology.interfaces.keys() | below)


def _hex(hue: float, lightness: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(255 * channel):02X}" for channel in rgb)
