"""Lists as files: fields of an answer that are written from a table only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from twinfall.analytics import AssetNetwork
from twinfall.analytics.exporting import ids_table
from twinfall.analytics.tables import Table

SDL = '''
"""
How many, and the first ones by id. `csv` and `geoJson` have all of them; the latter those that have
a declared location.
"""
type AssetIds { count: Int! ids: [ID!]! csv: String! geoJson: JSON! }
'''
WRITTEN: Mapping[str, Callable[[Table], Any]] = {
    "csv": lambda table: table.csv(),
    "geoJson": lambda table: table.geojson(),
}


class WithFiles(Mapping[str, Any]):
    """A record by field names, whose `csv` and `geoJson` are made of a table when they are read."""

    def __init__(self, fields: Mapping[str, Any], table: Callable[[], Table]) -> None:
        self._fields, self._table = fields, table

    def __getitem__(self, name: str) -> Any:
        write = WRITTEN.get(name)
        return self._fields[name] if write is None else write(self._table())

    def __iter__(self) -> Iterator[str]:
        return iter((*self._fields, *WRITTEN))

    def __len__(self) -> int:
        return len(self._fields) + len(WRITTEN)


def asset_ids(assets: AssetNetwork, name: str, ids: Sequence[str], first: int) -> WithFiles:
    """AssetIds."""
    fields = {"count": len(ids), "ids": list(ids[:first])}
    return WithFiles(fields, lambda: ids_table(assets, name, ids))
