"""What propagates where, drawn from the declarations: as Mermaid text and as SVG.

An arrow leads from who is needed to who needs; a line without a head is a network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from twinfall.ontology.declarations import Binding, Dependencies, Feed, Value
from twinfall.ontology.dtmi import read_dtmi
from twinfall.ontology.model import Content
from twinfall.ontology.ontology import Ontology

ANY = "any model"
MAX_ARROWS = 2_000
SWEEPS = 6
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 190, 34, 150, 18, 24
"""Of a box and between boxes, in pixels."""


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """`provider` and `consumer` are DTMIs or ANY; `label` says content, group and rule."""

    provider: str
    consumer: str
    label: str
    network: bool = False
    degrades: bool = False


def arrows(ontology: Ontology, dependencies: Dependencies) -> list[Arrow]:
    """Every declaration once, where it is made."""
    return sorted(set(_arrows(ontology, dependencies)))[:MAX_ARROWS]


def _arrows(ontology: Ontology, dependencies: Dependencies) -> Iterator[Arrow]:
    for dtmi, feeds in dependencies.feeds.items():
        interface = ontology.interfaces[dtmi]
        for name, feed in feeds.items():
            if any(dependencies.feeds.get(a, {}).get(name) == feed for a in interface.ancestors):
                continue
            content = interface.contents[name]
            other = (content.interface if content.kind == "Component" else content.target) or ANY
            ends = (other, dtmi) if feed.dependent == "source" else (dtmi, other)
            label = _label(content, feed)
            yield Arrow(*ends, label, feed.mode == "network", feed.effect == "degrade")


def _label(content: Content, feed: Feed) -> str:
    if feed.mode == "network":
        return f"{content.name}: {feed.carrier}"
    words = [feed.rule if feed.rule != "atLeast" else f"at least {_said(feed.k)}"]
    if feed.group != content.name:
        words.insert(0, feed.group)
    if feed.priority != 1:
        words.append("standby")
    if feed.autonomy:
        words.append(f"lives {_duration(feed.autonomy)}")
    if feed.effect == "degrade":
        words.append(f"degrades to {_said(feed.level)}")
    return f"{content.name}: {', '.join(words)}"


def _said(value: Value) -> str:
    return f"its {value.name}" if isinstance(value, Binding) else f"{value:g}"


def _duration(value: Value) -> str:
    if isinstance(value, Binding):
        return f"its {value.name}"
    for seconds, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if value >= seconds:
            return f"{value / seconds:g} {unit}"
    return f"{value:g} s"


def _short(dtmi: str) -> str:
    known = read_dtmi(dtmi)
    return known.local if known else dtmi


# -- Mermaid ---------------------------------------------------------------------------------------


def mermaid(ontology: Ontology, dependencies: Dependencies) -> str:
    """A Mermaid flowchart."""
    found = arrows(ontology, dependencies)
    number = {node: f"m{i}" for i, node in enumerate(_nodes(found))}
    sources = {dtmi: _sources(dependencies, dtmi) for dtmi in number}
    lines = ["flowchart LR"]
    for node, short in number.items():
        shape = ("([", "])") if sources[node] else ("[", "]")
        text = _short(node) + (f"<br/>source of {sources[node]}" if sources[node] else "")
        lines.append(f'  {short}{shape[0]}"{_plain(text)}"{shape[1]}')
    for arrow in found:
        line = "---" if arrow.network else "-.->" if arrow.degrades else "-->"
        ends = number[arrow.provider], number[arrow.consumer]
        lines.append(f'  {ends[0]} {line}|"{_plain(arrow.label)}"| {ends[1]}')
    return "\n".join(lines) + "\n"


def _nodes(found: Sequence[Arrow]) -> list[str]:
    return sorted({end for arrow in found for end in (arrow.provider, arrow.consumer)})


def _sources(dependencies: Dependencies, dtmi: str) -> str:
    asset = dependencies.assets.get(dtmi)
    return ", ".join(source.carrier for source in asset.source) if asset else ""


def _plain(text: str) -> str:
    return text.replace('"', "'")


# -- SVG -------------------------------------------------------------------------------------------


def svg(ontology: Ontology, dependencies: Dependencies) -> str:
    """A picture: who needs nothing stands left, who needs them to the right of them."""
    found = arrows(ontology, dependencies)
    columns = _columns(found)
    place = {
        node: (MARGIN + x * (WIDTH + GAP_X), MARGIN + y * (HEIGHT + GAP_Y))
        for x, column in enumerate(columns)
        for y, node in enumerate(column)
    }
    rows = max((len(column) for column in columns), default=0)
    width = 2 * MARGIN + max(1, len(columns)) * (WIDTH + GAP_X) - GAP_X
    height = 2 * MARGIN + max(1, rows) * (HEIGHT + GAP_Y)
    body = [_line(arrow, place) for arrow in found]
    body += [_box(node, at, _sources(dependencies, node)) for node, at in place.items()]
    if not found:
        body.append(f'<text x="{MARGIN}" y="{MARGIN + 14}">nothing is declared</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">\n'
        f"<title>What fails with what</title>\n{_STYLE}\n" + "\n".join(body) + "\n</svg>\n"
    )


_STYLE = """\
<style>
  rect { fill: #fff; stroke: #445; } .source rect { fill: #e6f2ea; stroke: #2a7a4b; }
  path { fill: none; stroke: #778; }
  .degrades { stroke-dasharray: 5 4; } .network { stroke: #2d6cb5; }
  .label { font-size: 9px; fill: #445; paint-order: stroke; stroke: #fff; stroke-width: 3px; }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"
  orient="auto"><path d="M0,0 L8,4 L0,8 z" style="fill:#778;stroke:none"/></marker></defs>"""


def _columns(found: Sequence[Arrow]) -> list[list[str]]:
    """Nodes by the longest way to them, circles cut where they are met first."""
    needs: Mapping[str, set[str]] = defaultdict(set)
    for arrow in found:
        if arrow.provider != arrow.consumer:
            needs[arrow.consumer].add(arrow.provider)
    rank: dict[str, int] = {}

    def ranked(node: str, above: frozenset[str]) -> int:
        if node not in rank:
            before = [ranked(n, above | {node}) for n in sorted(needs[node]) if n not in above]
            if above & needs[node]:  # within a circle: not settled by this way alone
                return 1 + max(before, default=-1)
            rank[node] = 1 + max(before, default=-1)
        return rank[node]

    nodes = _nodes(found)
    placed: dict[int, list[str]] = defaultdict(list)
    for node in nodes:
        placed[ranked(node, frozenset({node}))].append(node)
    return _untangled([placed[i] for i in sorted(placed)], found)


def _untangled(columns: list[list[str]], found: Sequence[Arrow]) -> list[list[str]]:
    """Each column in the order of what its nodes are joined with, a few sweeps to and fro."""
    joined: Mapping[str, set[str]] = defaultdict(set)
    for arrow in found:
        joined[arrow.provider].add(arrow.consumer)
        joined[arrow.consumer].add(arrow.provider)
    for sweep in range(SWEEPS):
        at = {node: y / len(column) for column in columns for y, node in enumerate(column)}
        for column in columns if sweep % 2 else columns[::-1]:
            middle = {n: sum(at[o] for o in joined[n]) / max(1, len(joined[n])) for n in column}
            column.sort(key=lambda node, middle=middle: (middle[node], node))  # type: ignore[misc]
            at |= {node: y / len(column) for y, node in enumerate(column)}
    return columns


def _line(arrow: Arrow, place: Mapping[str, tuple[int, int]]) -> str:
    x0, y0 = place[arrow.provider]
    x1, y1 = place[arrow.consumer]
    xa, ya, xb, yb = x0 + WIDTH, y0 + HEIGHT // 2, x1, y1 + HEIGHT // 2
    bend = GAP_X // 2 if xb > xa else GAP_X
    way = f"M{xa},{ya} C{xa + bend},{ya} {xb - bend},{yb} {xb},{yb}"
    kind = "network" if arrow.network else "degrades" if arrow.degrades else "fails"
    head = "" if arrow.network else ' marker-end="url(#head)"'
    text = f'<text class="label" x="{xa + 6}" y="{ya - 4 if yb <= ya else ya + 10}">'
    return f'<path class="{kind}" d="{way}"{head}/>{text}{escape(arrow.label)}</text>'


def _box(node: str, at: tuple[int, int], source: str) -> str:
    name = _short(node)
    shown = name if len(name) <= 28 else name[:27] + "…"
    second = f'<tspan x="{at[0] + 8}" dy="12" font-size="9">source of {escape(source)}</tspan>'
    first = at[1] + (14 if source else 21)
    return (
        f'<g class="{"source" if source else "model"}"><title>{escape(node)}</title>'
        f'<rect x="{at[0]}" y="{at[1]}" width="{WIDTH}" height="{HEIGHT}" rx="5"/>'
        f'<text x="{at[0] + 8}" y="{first}">{escape(shown)}{second if source else ""}</text></g>'
    )
