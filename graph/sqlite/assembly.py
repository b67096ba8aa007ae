"""The rows of one statement back as the tree that the plan asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from twinfall.graph.plan import EdgeRow, Row, RowPage
from twinfall.graph.sqlite.encoding import decode
from twinfall.graph.sqlite.fetching import Part

_NO_PAGE = 0
Record = Sequence[Any]


class Assembly:
    """Rows by part and parent, made into `Row`s on demand.

    Twins that several parents share at one level are built once, and shared.
    """

    def __init__(
        self,
        records: Iterable[Record],
        models: Mapping[int, str],
        relationship_names: Mapping[int, str],
    ) -> None:
        self._models = models
        self._relationship_names = relationship_names
        self._records: dict[tuple[int, int | None], list[Record]] = {}
        self._built: dict[tuple[int, int], Row] = {}
        for record in records:
            self._records.setdefault((record[0], record[1]), []).append(record)

    def root(self, part: Part) -> RowPage:
        """The page of twins that the plan asked for."""
        assert part.page is not None
        records = self._of(part, None)
        rows = []
        for record in records[: part.page.first]:
            row = self._row(part, record)
            row.cursor = _cursor(part, record)
            rows.append(row)
        return RowPage(rows, len(records) > part.page.first, self._total(part, None))

    def _of(self, part: Part, parent: int | None) -> list[Record]:
        return self._records.get((part.number, parent), [])

    def _total(self, part: Part, parent: int | None) -> int | None:
        if part.count is None:
            return None
        found = self._of(part.count, parent)
        return found[0][2] if found else 0

    def _row(self, part: Part, record: Record) -> Row:
        ix: int = record[2]
        built = self._built.get((part.number, ix))
        if built is not None:
            return built
        row = Row(
            id=record[3],
            model=self._models[record[4]],
            version=record[5],
            caption=record[6],
            values=_values(record[7], part.properties),
            components={key: self._one(below, ix) for key, below in part.components},
            relations={key: self._relation(below, ix) for key, below in part.relations},
            owner=None if part.owner is None else self._one(part.owner, ix),
        )
        if part.whole is not None:
            for component in self._of(part.whole, ix):
                name = component[3].rpartition("/")[2]
                row.values[name] = _values(component[7], None)
        self._built[part.number, ix] = row
        return row

    def _one(self, part: Part, parent: int) -> Row | None:
        found = self._of(part, parent)
        return self._row(part, found[0]) if found else None

    def _relation(self, part: Part, parent: int) -> RowPage:
        assert part.page is not None
        records = self._of(part, parent)
        rows = [self._edge(part, record) for record in records[: part.page.first]]
        return RowPage(rows, len(records) > part.page.first, self._total(part, parent))

    def _edge(self, part: Part, record: Record) -> EdgeRow:
        assert part.relation is not None
        return EdgeRow(
            source=record[8],
            id=record[9],
            name=self._relationship_names[record[10]],
            target=record[11],
            properties=_values(record[12], part.relation.properties),
            other=None if part.relation.select is None else self._row(part, record),
            cursor=_cursor(part, record),
        )


def _values(text: str | None, names: tuple[str, ...] | None) -> dict[str, Any]:
    if text is None:
        return {}
    found = orjson.loads(text)
    if names is None:
        return dict(found)
    return {n: v for n, v in zip(names, found, strict=False) if v is not None}


def _cursor(part: Part, record: Record) -> tuple[Any, ...]:
    return tuple(
        decode(value, key.field.type) for value, key in zip(record[13:], part.sort, strict=False)
    )
