"""A drawing: dots, boxes, crosses, text. It is written as SVG, or painted as PNG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from twinfall.ontology.errors import BadSettings

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

INK, FAINT = "#2a2c34", "#666677"
SCALE = 2
"""Pixels of a PNG for one unit of a drawing."""
COLOURS = 128
"""Of a PNG: a palette makes it a third as large."""
_SMOOTH = 2
"""It is painted so much larger, and made smaller, so that edges are smooth."""
_FONTS = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "Helvetica.ttc")
"""Looked for on the machine; Pillow has one of its own, for plain Latin letters."""


@dataclass(frozen=True, slots=True)
class Dots:
    """Circles of one colour; hollow ones have a line only."""

    at: Sequence[tuple[float, float]]
    radius: float
    colour: str
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Crosses:
    """Marks as plus signs, with a light rim."""

    at: Sequence[tuple[float, float]]
    colour: str
    arm: float = 8.0


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; x and y are where its base line begins."""

    x: float
    y: float
    words: str
    size: float = 11.0
    colour: str = INK


Mark = Dots | Box | Crosses | Text


@dataclass(slots=True)
class Drawing:
    """Marks, the later ones over the earlier ones, on a white ground."""

    width: int
    height: int
    title: str
    marks: list[Mark] = field(default_factory=list)

    def add(self, *marks: Mark) -> None:
        """Draw these over what is there."""
        self.marks.extend(marks)

    def svg(self) -> str:
        """A standalone SVG without scripts; the same drawing gives the same text."""
        body = "\n".join(part for mark in self.marks for part in _WRITE[type(mark)](mark))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" font-family="sans-serif">\n'
            f"<title>{escape(self.title)}</title>\n"
            f'<rect width="{self.width}" height="{self.height}" fill="#fff"/>\n{body}\n</svg>\n'
        )

    def png(self) -> bytes:
        """The same at SCALE pixels a unit. Raises BadSettings where Pillow is not installed."""
        try:
            from PIL import Image, ImageDraw
        except ImportError:
            raise BadSettings(
                "pictures as PNG need Pillow, which is not installed where this runs",
                cure="pip install 'twinfall[picture]', or take the SVG",
            ) from None
        times = SCALE * _SMOOTH
        image = Image.new("RGB", (self.width * times, self.height * times), "#ffffff")
        brush = ImageDraw.Draw(image)
        for mark in self.marks:
            _PAINT[type(mark)](brush, mark, times)
        small = image.resize((self.width * SCALE, self.height * SCALE), Image.Resampling.LANCZOS)
        out = BytesIO()
        small.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        return out.getvalue()


# -- SVG -------------------------------------------------------------------------------------------


def _write_dots(mark: Dots) -> Iterable[str]:
    look = f'fill="{mark.colour}"'
    if mark.hollow:
        look = f'fill="#fff" stroke="{mark.colour}" stroke-width="1.4"'
    yield f"<g {look}>"
    for x, y in mark.at:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{mark.radius}"/>'
    yield "</g>"


def _write_box(mark: Box) -> Iterable[str]:
    yield (
        f'<rect x="{mark.x:.1f}" y="{mark.y:.1f}" width="{mark.width:.1f}" '
        f'height="{mark.height:.1f}" fill="{mark.colour}"/>'
    )


def _write_crosses(mark: Crosses) -> Iterable[str]:
    arm = mark.arm
    for x, y in mark.at:
        way = f"M{x - arm:.1f} {y:.1f}h{2 * arm:.1f}M{x:.1f} {y - arm:.1f}v{2 * arm:.1f}"
        yield f'<path d="{way}" stroke="#fff" stroke-width="6"/>'
        yield f'<path d="{way}" stroke="{mark.colour}" stroke-width="3"/>'


def _write_text(mark: Text) -> Iterable[str]:
    yield (
        f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" font-size="{mark.size}" '
        f'fill="{mark.colour}">{escape(mark.words)}</text>'
    )


_WRITE: dict[type, Any] = {
    Dots: _write_dots,
    Box: _write_box,
    Crosses: _write_crosses,
    Text: _write_text,
}

# -- PNG -------------------------------------------------------------------------------------------


def _paint_dots(brush: Any, mark: Dots, times: int) -> None:
    radius = mark.radius * times
    look: dict[str, Any] = {"fill": mark.colour}
    if mark.hollow:
        look = {"fill": "#ffffff", "outline": mark.colour, "width": round(1.4 * times)}
    for x, y in mark.at:
        around = (x * times - radius, y * times - radius, x * times + radius, y * times + radius)
        brush.ellipse(around, **look)


def _paint_box(brush: Any, mark: Box, times: int) -> None:
    corners = (mark.x, mark.y, mark.x + mark.width, mark.y + mark.height)
    brush.rectangle([one * times for one in corners], fill=mark.colour)


def _paint_crosses(brush: Any, mark: Crosses, times: int) -> None:
    for x, y in mark.at:
        for colour, thick in (("#ffffff", 3.0), (mark.colour, 1.5)):
            for wide, high in ((mark.arm, thick), (thick, mark.arm)):
                corners = (x - wide, y - high, x + wide, y + high)
                brush.rectangle([one * times for one in corners], fill=colour)


def _paint_text(brush: Any, mark: Text, times: int) -> None:
    at = (mark.x * times, mark.y * times)
    brush.text(at, mark.words, fill=mark.colour, font=_font(mark.size * times), anchor="ls")


_PAINT: dict[type, Any] = {
    Dots: _paint_dots,
    Box: _paint_box,
    Crosses: _paint_crosses,
    Text: _paint_text,
}


@cache
def _font(size: float) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
