"""A picture of an impact as SVG: on the map where assets have places, else wave by wave."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from twinfall.analytics.explaining import AssetImpact

Floats = NDArray[np.float64]

WIDTH, HEIGHT, MARGIN, HEAD = 960, 640, 24, 64
MAX_GREY = 8_000
"""Unaffected assets drawn as background; every n-th beyond."""
MAX_MARKS = 12_000
MAX_WAVES = 6
"""Colours; later waves share the last."""
ROWS = 24
"""Assets named in a wave where there is no map."""
COLOURS = ("#f2a541", "#e4772f", "#c8503c", "#9c3a52", "#6b2f63", "#3d2a5f")
FAILED, DEGRADED, GREY = "#c0182b", "#d9b100", "#b8bec8"
_STYLE = """\
<style>
  text { font-family: sans-serif; fill: #2a2c34; } .head { font-size: 17px; font-weight: 600; }
  .small { font-size: 11px; } .note { font-size: 10px; fill: #667; }
</style>"""


def picture(impact: AssetImpact) -> str:
    """A standalone SVG without scripts; the same impact gives the same picture."""
    places = impact.assets.compiled.places
    known = np.isfinite(places.x) & np.isfinite(places.y)
    affected = np.concatenate([impact.impact.failed, impact.impact.asset])
    on_map = len(known) and known.any() and known[affected].mean() >= 0.2
    body = _map(impact, known) if on_map else _layers(impact)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}">\n<title>Impact {escape(impact.snapshot)}</title>\n'
        f'{_STYLE}\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
        f"{_head(impact)}\n{body}\n</svg>\n"
    )


def _head(impact: AssetImpact) -> str:
    ids = [impact.assets.ids[i] for i in impact.impact.failed[:3].tolist()]
    more = len(impact.impact.failed) - len(ids)
    failed = ", ".join(ids) + (f" and {more} more" if more else "")
    totals = impact.totals
    services = ", ".join(f"{s.count} {s.name}" for s in totals.services[:4])
    said = (
        f"{totals.assets:,} down, {totals.degraded:,} degraded, {totals.customers:,.0f} customers"
        f"{'; ' + services if services else ''}"
    )
    return (
        f'<text class="head" x="{MARGIN}" y="28">{escape(_short(failed, 80))} fails</text>'
        f'<text class="small" x="{MARGIN}" y="47">{escape(said)}</text>'
    )


# -- map -------------------------------------------------------------------------------------------


def _map(impact: AssetImpact, known: NDArray[np.bool_]) -> str:
    places = impact.assets.compiled.places
    x, y = _fitted(places.x, places.y, known)
    affected = np.zeros(len(known), bool)
    affected[impact.impact.asset] = affected[impact.impact.failed] = True
    grey = np.flatnonzero(known & ~affected)
    grey = grey[:: max(1, len(grey) // MAX_GREY)]
    parts = [f'<g fill="{GREY}">', *(_dot(x[i], y[i], 1.2) for i in grey), "</g>"]
    waves = np.minimum(impact.impact.wave, MAX_WAVES) - 1
    for wave, colour in enumerate(COLOURS):
        rows = impact.impact.asset[waves == wave]
        rows = rows[known[rows]][:MAX_MARKS]
        if len(rows):
            parts += [f'<g fill="{colour}">', *(_dot(x[i], y[i], 2.4) for i in rows), "</g>"]
    lessened = impact.degraded.asset
    rows = lessened[known[lessened]][:MAX_MARKS]
    parts += [f'<g fill="{DEGRADED}">', *(_dot(x[i], y[i], 2.4) for i in rows), "</g>"]
    for i in impact.impact.failed[known[impact.impact.failed]][:200].tolist():
        at = f"{x[i]:.1f} {y[i]:.1f}"
        parts.append(f'<path d="M{at} m-7 0 h14 m-7 -7 v14" stroke="{FAILED}" stroke-width="3"/>')
    hidden = int((~known[impact.impact.asset]).sum())
    systems = ", ".join(impact.assets.compiled.places.systems) or "a local plane"
    note = f"Coordinates: {systems}. {hidden:,} affected assets have no place of their own."
    parts.append(f'<text class="note" x="{MARGIN}" y="{HEIGHT - 10}">{escape(note)}</text>')
    return "\n".join([*parts, _legend(impact)])


def _fitted(x: Floats, y: Floats, known: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Into the frame, north up, the same scale both ways."""
    left, right = float(x[known].min()), float(x[known].max())
    low, high = float(y[known].min()), float(y[known].max())
    wide, tall = WIDTH - 2 * MARGIN, HEIGHT - HEAD - 2 * MARGIN
    scale = min(wide / max(right - left, 1e-9), tall / max(high - low, 1e-9))
    return MARGIN + (x - left) * scale, HEAD + MARGIN + (high - y) * scale


def _dot(x: float, y: float, radius: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _legend(impact: AssetImpact) -> str:
    parts, at = [], HEAD
    entries = [(FAILED, "failed")]
    for wave in impact.waves[:MAX_WAVES]:
        more = " and later" if wave.wave == MAX_WAVES < len(impact.waves) else ""
        entries.append(
            (COLOURS[wave.wave - 1], f"wave {wave.wave}{more}, {_time(wave.at)}: {wave.count:,}")
        )
    if len(impact.degraded):
        entries.append((DEGRADED, f"degraded: {len(impact.degraded):,}"))
    for colour, words in entries:
        parts.append(
            f'<circle cx="{WIDTH - 196}" cy="{at}" r="5" fill="{colour}"/>'
            f'<text class="small" x="{WIDTH - 186}" y="{at + 4}">{escape(words)}</text>'
        )
        at += 18
    return "\n".join(parts)


# -- waves -----------------------------------------------------------------------------------------


def _layers(impact: AssetImpact) -> str:
    """A column for the failed and one for each wave, the first assets of each by name."""
    columns = [("failed", FAILED, [impact.assets.ids[i] for i in impact.impact.failed.tolist()])]
    for wave in impact.waves[:MAX_WAVES]:
        assets = impact.impact.asset[impact.impact.wave == wave.wave]
        ids = [impact.assets.ids[i] for i in assets.tolist()]
        title = f"wave {wave.wave}, {_time(wave.at)}"
        columns.append((title, COLOURS[wave.wave - 1], ids))
    width = (WIDTH - 2 * MARGIN) / max(1, len(columns))
    parts = []
    for i, (title, colour, ids) in enumerate(columns):
        x = MARGIN + i * width
        parts.append(
            f'<rect x="{x:.0f}" y="{HEAD}" width="{width - 8:.0f}" height="24" fill="{colour}"/>'
            f'<text class="small" x="{x + 6:.0f}" y="{HEAD + 16}" style="fill:#fff">'
            f"{escape(f'{title}: {len(ids):,}')}</text>"
        )
        shown = ids[:ROWS] + ([f"and {len(ids) - ROWS:,} more"] if len(ids) > ROWS else [])
        for row, name in enumerate(shown):
            y = HEAD + 44 + row * 20
            words = escape(_short(name, max(8, int(width / 7))))
            parts.append(f'<text class="small" x="{x + 6:.0f}" y="{y}">{words}</text>')
    return "\n".join(parts)


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _time(seconds: float) -> str:
    if not seconds:
        return "at once"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"after {seconds / size:.3g} {unit}"
    return f"after {seconds:.3g} s"
