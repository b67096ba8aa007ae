"""A style sheet for Neo4j Browser (GraSS), made from the ontology.

Browser applies every rule whose label a node has, later rules over earlier ones: so ancestors
come first and the specific label decides. Colours follow the inheritance tree: a family shares a
part of the colour circle, its members differ in hue and lightness. Interfaces that serve as
components are small and pale.
"""

from __future__ import annotations

import colorsys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from twinfall.ontology import Names, Ontology

_HEAD = """\
node {
  diameter: 54px;
  color: #A5ABB6;
  border-color: #8D94A1;
  border-width: 2px;
  text-color-internal: #FFFFFF;
  font-size: 10px;
  caption: '{_name}';
}
relationship {
  color: #AAB2BF;
  shaft-width: 1px;
  font-size: 8px;
  padding: 3px;
  text-color-external: #5A6270;
  text-color-internal: #FFFFFF;
  caption: '<type>';
}
relationship._hasComponent {
  color: #D3D8E0;
  caption: '{name}';
}
node._WorkOrder {
  diameter: 50px;
  color: #FFFFFF;
  border-color: #C0392B;
  border-width: 4px;
  text-color-internal: #2A2C34;
  caption: '{_name}';
}
relationship._concerns {
  color: #C0392B;
  caption: '';
}
"""
_RULE = """\
node.{name} {{
  diameter: {diameter}px;
  color: {color};
  border-color: {border};
  text-color-internal: {text};
  caption: '{{_name}}';
}}
"""
_MARK = """\
node.{label} {{
  color: {color};
  border-color: #2A2C34;
  border-width: 3px;
  text-color-internal: #FFFFFF;
  caption: '{{_name}}';
}}
"""
_MARKS = {"_Degraded": "#E0B000", "_Down": "#E67E22", "_Failed": "#C0392B"}
"""What an impact shows: over every colour of a model."""
_CIRCLE = (18.0, 348.0)
"""Degrees of hue handed out: from orange, once around."""
_TONES = (0.52, 0.62, 0.43)
"""Lightness of neighbours in turn."""
_SATURATION = 0.60
_PALE = 0.28
_WHITE_UNTIL = 0.58
"""Luminance of a colour on which white letters can still be read."""


@dataclass(frozen=True, slots=True)
class _Shade:
    hue: float
    lightness: float


_PART = _Shade(215.0, 0.80)


def style_sheet(names: Names, ontology: Ontology) -> str:
    """The style sheet for all loaded models; the same models give the same text."""
    parts = _components(ontology)
    shades = _shades(names, ontology, parts)
    rules = [_HEAD]
    in_order = sorted(
        ontology.interfaces.items(), key=lambda item: (len(item[1].ancestors), names.of(item[0]))
    )
    for dtmi, interface in in_order:
        rules.append(
            _rule(names.of(dtmi), shades[dtmi], dtmi in parts, bool(interface.descendants))
        )
    rules += [_MARK.format(label=label, color=color) for label, color in _MARKS.items()]
    return "".join(rules)


def _rule(name: str, shade: _Shade, part: bool, general: bool) -> str:
    saturation = _PALE if part else _SATURATION
    red, green, blue = _rgb(shade.hue, saturation, shade.lightness)
    border = _rgb(shade.hue, saturation, shade.lightness - 0.12)
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    return _RULE.format(
        name=name,
        diameter=40 if part else 54 if general else 58,
        color=_hex((red, green, blue)),
        border=_hex(border),
        text="#FFFFFF" if luminance / 255 < _WHITE_UNTIL else "#2A2C34",
    )


def _components(ontology: Ontology) -> frozenset[str]:
    """Interfaces that are a component's schema, and general ones with none but such below."""
    interfaces = ontology.interfaces
    used = {
        content.interface
        for interface in interfaces.values()
        for content in interface.of_kind("Component").values()
        if content.interface is not None
    }
    used |= {below for dtmi in used for below in interfaces[dtmi].descendants}
    above = {general for dtmi in used for general in interfaces[dtmi].ancestors}
    return frozenset(used | {a for a in above if set(interfaces[a].descendants) <= used | above})


def _shades(names: Names, ontology: Ontology, parts: frozenset[str]) -> Mapping[str, _Shade]:
    children: dict[str, list[str]] = defaultdict(list)
    for dtmi, interface in ontology.interfaces.items():
        if dtmi not in parts:
            children[interface.extends[0] if interface.extends else ""].append(dtmi)
    for below in children.values():
        below.sort(key=names.of)
    shades = dict.fromkeys(parts, _PART)
    _spread("", _CIRCLE, children, shades)
    return shades


def _spread(
    dtmi: str,
    arc: tuple[float, float],
    children: Mapping[str, list[str]],
    shades: dict[str, _Shade],
) -> None:
    """Give what extends the model their part of the arc, each as much as it has leaves."""
    start, end = arc
    below = children.get(dtmi, [])
    whole = sum(_leaves(child, children) for child in below)
    for position, child in enumerate(below):
        share = (end - start) * _leaves(child, children) / whole
        shades[child] = _Shade((start + share / 2) % 360, _TONES[position % len(_TONES)])
        _spread(child, (start, start + share), children, shades)
        start += share


def _leaves(dtmi: str, children: Mapping[str, list[str]]) -> int:
    return sum(_leaves(child, children) for child in children.get(dtmi, [])) or 1


def _rgb(hue: float, saturation: float, lightness: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hls_to_rgb(hue / 360, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02X}{:02X}{:02X}".format(*color)
