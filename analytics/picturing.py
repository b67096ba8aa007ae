"""A picture of an impact: on the map where assets have places, else layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.drawing import FAINT, Box, Crosses, Dots, Drawing, Text

if TYPE_CHECKING:
    from twinfall.analytics.explaining import AssetImpact, Wave

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int32]

WIDTH, HEIGHT, MARGIN, HEAD, LEGEND = 960, 640, 24, 64, 216
MAX_GREY = 8_000
"""Unaffected assets drawn as background; every n-th beyond."""
MAX_MARKS = 12_000
"""Assets drawn of one layer; every n-th beyond."""
MAX_CROSSES = 200
FEW = 300
"""Affected assets that are drawn large."""
MAX_LAYERS = 6
"""Colours; more waves share them, neighbours together."""
LINES = 25
"""Assets named in a layer where there is no map."""
COLOURS = ("#f6b24a", "#ea7a2c", "#cf4a3a", "#a0304f", "#6b2560", "#33205a")
"""From light to dark, so that they are told apart without seeing colours."""
FAILED, DEGRADED, GREY = "#000000", "#0072b2", "#c3c9d2"
WHOLE, LEAST = 0.25, 0.05
"""Shares of the map: from the first on all of it is drawn; the second is drawn at least."""
ON_MAP = 0.2
"""Share of the affected that must have a place for a map to say something."""


def svg(impact: AssetImpact) -> str:
    """A standalone SVG without scripts; the same impact gives the same picture."""
    return drawn(impact).svg()


def png(impact: AssetImpact) -> bytes:
    """The same picture in pixels. Raises BadSettings where the extra `picture` is missing."""
    return drawn(impact).png()


def drawn(impact: AssetImpact) -> Drawing:
    """The picture of an impact."""
    places = impact.assets.compiled.places
    known = np.isfinite(places.x) & np.isfinite(places.y)
    affected = np.concatenate([impact.impact.failed, impact.impact.asset])
    drawing = Drawing(WIDTH, HEIGHT, f"Impact {impact.snapshot}")
    _head(drawing, impact)
    layers = _layers(impact)
    if len(known) and known.any() and known[affected].mean() >= ON_MAP:
        _Map(drawing, impact, known).draw(layers)
    else:
        _columns(drawing, impact, layers)
    return drawing


def _head(drawing: Drawing, impact: AssetImpact) -> None:
    ids = [impact.assets.ids[i] for i in impact.impact.failed[:3].tolist()]
    more = len(impact.impact.failed) - len(ids)
    failed = ", ".join(ids) + (f" and {more:,} more" if more else "")
    totals = impact.totals
    services = ", ".join(f"{s.count:,} {s.name}" for s in totals.services[:4])
    said = (
        f"{totals.assets:,} down, {totals.degraded:,} degraded, {totals.customers:,.0f} customers"
        f"{'; ' + services if services else ''}"
    )
    verb = "fails" if len(impact.impact.failed) == 1 else "fail"
    title = f"{_short(failed, 80)} {verb}" if failed else "Nothing fails"
    drawing.add(Text(MARGIN, 28, title, 17), Text(MARGIN, 47, _short(said, 140)))


@dataclass(frozen=True, slots=True)
class _Layer:
    """Waves that share a colour, and the assets that they take down."""

    words: str
    when: str
    colour: str
    assets: Rows

    @property
    def label(self) -> str:
        return f"{self.words}: {len(self.assets):,}"


def _layers(impact: AssetImpact) -> list[_Layer]:
    """Each wave by itself, or equally many neighbours together."""
    runs = _runs(impact.waves)
    shade = [round(i * (len(COLOURS) - 1) / max(1, len(runs) - 1)) for i in range(len(runs))]
    found = []
    for run, colour in zip(runs, shade, strict=True):
        first, last = run[0], run[-1]
        waves = (impact.impact.wave >= first.wave) & (impact.impact.wave <= last.wave)
        words = f"wave {first.wave}" if len(run) == 1 else f"waves {first.wave} to {last.wave}"
        when = _time(first.at)
        when += f" to {_time(last.at)}" if last.at != first.at else ""
        found.append(_Layer(words, when, COLOURS[colour], impact.impact.asset[waves]))
    return found


def _runs(waves: Sequence[Wave]) -> list[Sequence[Wave]]:
    """Neighbours together, so that there are no more than there are colours."""
    count = min(len(waves), MAX_LAYERS)
    ends = [round(i * len(waves) / count) for i in range(count + 1)] if count else []
    return [waves[begin:end] for begin, end in pairwise(ends)]


# -- map -------------------------------------------------------------------------------------------


class _Map:
    def __init__(self, drawing: Drawing, impact: AssetImpact, known: Flags) -> None:
        self.drawing = drawing
        self.impact = impact
        self.known = known
        places = impact.assets.compiled.places
        affected = np.concatenate(
            [impact.impact.failed, impact.impact.asset, impact.degraded.asset]
        )
        self.frame = _frame(places.x, places.y, known, affected[known[affected]])
        self.x, self.y = self.frame.fitted(places.x, places.y)
        self.shown = known & self.frame.holds(places.x, places.y)
        self.at = MARGIN + HEAD
        """Where the next line of the legend stands."""

    def draw(self, layers: list[_Layer]) -> None:
        """The few over the many; the failed over all, where they do not hide them."""
        impact, drawing = self.impact, self.drawing
        lessened = impact.degraded.asset
        affected = np.zeros(len(self.known), bool)
        for rows in (impact.impact.asset, impact.impact.failed, lessened):
            affected[rows[rows < len(affected)]] = True
        grey = np.flatnonzero(self.known & ~affected).astype(np.int32)
        drawing.add(Dots(self._points(grey, MAX_GREY), 1.6 if self.frame.part else 1.0, GREY))
        radius = self._radius()
        few = impact.count < FEW
        crosses = Crosses(self._points(impact.impact.failed, MAX_CROSSES), FAILED)
        if few:
            drawing.add(crosses)
        for layer in sorted(layers, key=lambda one: -len(one.assets)):
            drawing.add(Dots(self._points(layer.assets, MAX_MARKS), radius, layer.colour))
        if len(lessened):
            rings = self._points(lessened, MAX_MARKS)
            drawing.add(Dots(rings, radius + 0.8, DEGRADED, hollow=True))
        if not few:
            drawing.add(crosses)
        self._legend(layers, len(grey))
        self._note()

    def _radius(self) -> float:
        count = self.impact.count
        return 3.6 if count < FEW else 2.4 if count < 3_000 else 1.9

    def _points(self, rows: Rows, most: int) -> list[tuple[float, float]]:
        rows = rows[self.shown[rows]]
        rows = rows[:: -(-len(rows) // most) if len(rows) else 1]
        return list(zip(self.x[rows].tolist(), self.y[rows].tolist(), strict=True))

    def _legend(self, layers: list[_Layer], grey: int) -> None:
        x = WIDTH - LEGEND + 14.0
        failed = len(self.impact.impact.failed)
        self.drawing.add(Crosses([(x, self.at)], FAILED, 6))
        self._line(f"failed: {failed:,}")
        for layer in layers:
            self.drawing.add(Dots([(x, self.at)], 5, layer.colour))
            self._line(layer.label, layer.when)
        if len(self.impact.degraded):
            self.drawing.add(Dots([(x, self.at)], 4.4, DEGRADED, hollow=True))
            self._line(f"degraded: {len(self.impact.degraded):,}")
        self.drawing.add(Dots([(x, self.at)], 2, GREY))
        self._line(f"not affected: {grey:,}")

    def _line(self, words: str, below: str = "") -> None:
        x = WIDTH - LEGEND + 28.0
        self.drawing.add(Text(x, self.at + 4, words))
        if below:
            self.drawing.add(Text(x, self.at + 17, below, 10, FAINT))
        self.at += 34 if below else 21

    def _note(self) -> None:
        hidden = int((~self.known[self.impact.impact.asset]).sum())
        systems = ", ".join(self.impact.assets.compiled.places.systems) or "a local plane"
        note = f"Coordinates: {systems}. "
        note += "A part of the map. " if self.frame.part else ""
        note += f"{hidden:,} affected assets have no place of their own." if hidden else ""
        self.drawing.add(Text(MARGIN, HEIGHT - 12, note, 10, FAINT))


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is seen of the plane; `part`: not all of it."""

    left: float
    low: float
    right: float
    high: float
    part: bool = False

    def holds(self, x: Floats, y: Floats) -> Flags:
        inside: Flags = (x >= self.left) & (x <= self.right) & (y >= self.low) & (y <= self.high)
        return inside

    def fitted(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Left of the legend, north up, the same scale both ways, in the middle."""
        across, up = self.right - self.left, self.high - self.low
        wide, tall = WIDTH - LEGEND - 2 * MARGIN, HEIGHT - HEAD - 2 * MARGIN
        scale = min(wide / max(across, 1e-9), tall / max(up, 1e-9))
        aside, down = max(0.0, wide - across * scale) / 2, max(0.0, tall - up * scale) / 2
        return MARGIN + aside + (x - self.left) * scale, HEAD + MARGIN + down + (
            self.high - y
        ) * scale


def _frame(x: Floats, y: Floats, known: Flags, affected: Rows) -> _Frame:
    """The whole map, or where little of it is affected that, with as much again around it."""
    ends = [float(end) for one in (x[known], y[known]) for end in (one.min(), one.max())]
    left, right, low, high = ends
    size = max(right - left, high - low)
    begin, end = float(x[affected].min()), float(x[affected].max())
    south, north = float(y[affected].min()), float(y[affected].max())
    near = max(end - begin, north - south, size * LEAST)
    if near > size * WHOLE:
        return _Frame(left, low, right, high)
    middle, height = (begin + end) / 2, (south + north) / 2
    return _Frame(middle - near, height - near, middle + near, height + near, part=True)


# -- layers ----------------------------------------------------------------------------------------


def _columns(drawing: Drawing, impact: AssetImpact, layers: list[_Layer]) -> None:
    """A column for the failed, one for each layer and one for the degraded, with the first ids."""
    columns = [_Layer("failed", "", FAILED, impact.impact.failed), *layers]
    if len(impact.degraded):
        columns.append(_Layer("degraded", "", DEGRADED, impact.degraded.asset))
    width = (WIDTH - 2 * MARGIN) / max(4, len(columns))
    fits = int(width / 7)
    for i, layer in enumerate(columns):
        x = MARGIN + i * width
        drawing.add(
            Box(x, HEAD, width - 8, 6, layer.colour),
            Text(x, HEAD + 22, _short(layer.label, fits), 12),
            Text(x, HEAD + 36, _short(layer.when, fits), 10, FAINT),
        )
        names = [impact.assets.ids[at] for at in layer.assets[:LINES].tolist()]
        for line, name in enumerate(names):
            drawing.add(Text(x, HEAD + 60 + line * 19, _short(name, fits)))
        left = len(layer.assets) - len(names)
        if left:
            y = HEAD + 60 + len(names) * 19
            drawing.add(Text(x, y, f"and {left:,} more", 11, FAINT))


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(1, length - 1)] + "…"


def _time(seconds: float) -> str:
    if not seconds:
        return "at once"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"after {seconds / size:.3g} {unit}"
    return f"after {seconds:.3g} s"
