"""The Markdown pages of the project, taken apart for the tests that hold them to the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced code block: where it stands, its language, its text."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """README, changelog and everything under docs/ and examples/."""
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for folder in ("docs", "examples"):
        found += sorted((ROOT / folder).rglob("*.md"))
    return [p for p in found if "node_modules" not in p.parts]


def blocks(*languages: str) -> list[Block]:
    """All fenced blocks in one of these languages, in order."""
    return [b for page in pages() for b in _blocks(page) if b.language in languages]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(page, line, match.group(1), match.group(2))


def links(page: Path) -> list[str]:
    """Targets of links and images on a page, code blocks left out."""
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
