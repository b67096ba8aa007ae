"""Rows of an Azure Digital Twins import file: models, twins, relationships, in that order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NAMESPACE = "dtmi:example:city:"
DECIMALS = 3
"""Coordinates keep three digits behind the point, a millifoot."""

Point = tuple[float, float]


@dataclass(slots=True)
class Rows:
    """Twins and relationships in the order they were added."""

    namespace: str = NAMESPACE
    organization: str = "Micropolis"
    twins: list[dict[str, Any]] = field(default_factory=list)
    relationships: list[dict[str, Any]] = field(default_factory=list)
    places: dict[str, Point] = field(default_factory=dict)

    def twin(
        self, id: str, kind: str, values: Mapping[str, Any], at: Point | None = None
    ) -> dict[str, Any]:
        """Add a twin of interface `kind`; values that are None are left out. `at` is its place."""
        row: dict[str, Any] = {"$dtId": id, "$metadata": {"$model": f"{self.namespace}{kind};1"}}
        row.update((name, value) for name, value in values.items() if value is not None)
        if at is not None:
            self.places[id] = at
            row["x"], row["y"] = (round(v, DECIMALS) for v in at)
        self.twins.append(row)
        return row

    def relate(self, source: str, name: str, target: str, **properties: Any) -> None:
        """Add a relationship; its id is `<name>:<target>`."""
        self.relationships.append(
            {
                "$relationshipId": f"{name}:{target}",
                "$sourceId": source,
                "$targetId": target,
                "$relationshipName": name,
                **properties,
            }
        )

    def between(self, one: str, other: str) -> Point:
        """The middle between two twins that have a place."""
        (x1, y1), (x2, y2) = self.places[one], self.places[other]
        return (x1 + x2) / 2, (y1 + y2) / 2

    def lines(self, models: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
        """The whole file as NDJSON lines, each with its line end."""
        yield line({"Section": "Header"})
        header = {"fileVersion": "1.0.0", "author": "Twinfall", "organization": self.organization}
        yield line(header)
        yield line({"Section": "Models"})
        yield from map(line, models)
        yield line({"Section": "Twins"})
        yield from map(line, self.twins)
        yield line({"Section": "Relationships"})
        yield from map(line, self.relationships)


def line(row: Mapping[str, Any]) -> bytes:
    """One NDJSON line."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def part(name: str, **values: Any) -> dict[str, Any]:
    """A component nested in its owner's row."""
    return {"$metadata": {}, "name": name, **values}
