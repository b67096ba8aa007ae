"""An asset register as people keep it: a CSV file with ids, types, names, parents, columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from twinfall.api.lines import open_file
from twinfall.graph.values_judge import MAX_TEXT
from twinfall.ontology.errors import BadInput

MAX_BYTES = 256_000_000
MAX_COLUMNS = 500
MAX_CELL = 1_000_000
SNIFFED_CHARACTERS = 64_000
WORDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "asset_id", "assetid", "asset id", "tag", "code", "number", "no", "nr"),
    "type": ("type", "asset_type", "assettype", "asset type", "class", "category", "kind", "model"),
    "name": ("name", "asset_name", "asset name", "label", "title", "display_name", "displayname"),
    "parent": ("parent", "parent_id", "parentid", "parent id", "part_of", "location", "belongs_to"),
}
"""What the special columns are called in practice; the first that is there counts."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One row: `values` holds the other columns' texts, empty ones left out."""

    line: int
    id: str
    type: str
    name: str
    parent: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unused:
    """A row that could not be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Register:
    """What was read."""

    assets: tuple[Asset, ...]
    columns: tuple[str, ...]
    unused: tuple[Unused, ...] = field(default=())


def read_register(path: Path) -> Register:
    """Read a CSV register: UTF-8 with or without a byte order mark, else Latin-1; separated by
    comma, semicolon, tab or bar. Raises BadInput where there is no id or type column.
    """
    text = _text(path)
    csv.field_size_limit(MAX_CELL)
    rows = csv.reader(io.StringIO(text, newline=""), _dialect(text), strict=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        special = _special(header, path)
        found = _Rows(header, special)
        for row in rows:
            found.take(rows.line_num, row)
    except csv.Error as error:
        raise BadInput(
            f"not CSV: {error}", code="BAD_FILE", path=f"{path}:{rows.line_num}"
        ) from None
    if not found.assets:
        raise BadInput("the register has no usable row", code="BAD_FILE", path=str(path))
    columns = tuple(c for i, c in enumerate(header) if c and i not in special.values())
    return Register(tuple(found.assets), columns, tuple(found.unused))


def _text(path: Path) -> str:
    with open_file(path) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise BadInput(f"larger than {MAX_BYTES} bytes", code="TOO_LARGE", path=str(path))
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _dialect(text: str) -> type[csv.Dialect]:
    """Told from the header alone where that has a separator: values often hold other ones."""
    first = text.lstrip("\r\n").partition("\n")[0]
    counts = {mark: first.count(mark) for mark in ",;\t|"}
    best = max(counts, key=lambda mark: counts[mark])

    class Dialect(csv.excel):
        delimiter = best

    return Dialect


def _special(header: list[str], path: Path) -> dict[str, int]:
    if len(header) > MAX_COLUMNS:
        raise BadInput(f"more than {MAX_COLUMNS} columns", code="TOO_LARGE", path=str(path))
    lower = [h.lower() for h in header]
    doubled = sorted({h for h in lower if h and lower.count(h) > 1})
    if doubled:
        raise BadInput(f"column {doubled[0]!r} is there twice", code="BAD_FILE", path=str(path))
    special = {}
    for meaning, words in WORDS.items():
        word = next((w for w in words if w in lower), None)
        if word is not None:
            special[meaning] = lower.index(word)
    for needed in ("id", "type"):
        if needed not in special:
            raise BadInput(
                f"no column for the {needed}; the columns are {', '.join(header) or 'none'}",
                code="BAD_FILE",
                path=f"{path}:1",
                cure=f"call one of them `{needed}`",
            )
    return special


def _unkeepable(row: list[str]) -> str:
    """Why no twin can hold a text of this row; empty where it can."""
    if any("\0" in cell for cell in row):
        return "a cell holds the character U+0000"
    longest = max(map(len, row), default=0)
    return f"a cell has {longest} characters, at most {MAX_TEXT} fit" if longest > MAX_TEXT else ""


class _Rows:
    def __init__(self, header: list[str], special: dict[str, int]) -> None:
        self.assets: list[Asset] = []
        self.unused: list[Unused] = []
        self._header = header
        self._special = special

    def take(self, line: int, row: list[str]) -> None:
        if not any(cell.strip() for cell in row):
            return
        if len(row) > len(self._header) and any(c.strip() for c in row[len(self._header) :]):
            reason = f"{len(row)} cells, the header has {len(self._header)}"
            self.unused.append(Unused(line, reason))
            return
        id_, type_ = self._cell(row, "id"), self._cell(row, "type")
        if not id_ or not type_:
            self.unused.append(Unused(line, f"it has no {'id' if not id_ else 'type'}"))
            return
        if reason := _unkeepable(row):
            self.unused.append(Unused(line, reason))
            return
        taken = set(self._special.values())
        values = {
            name: cell.strip()
            for i, (name, cell) in enumerate(zip(self._header, row, strict=False))
            if i not in taken and name and cell.strip()
        }
        name, parent = self._cell(row, "name"), self._cell(row, "parent")
        self.assets.append(Asset(line, id_, type_, name, parent, values))

    def _cell(self, row: list[str], meaning: str) -> str:
        at = self._special.get(meaning)
        return row[at].strip() if at is not None and at < len(row) else ""
