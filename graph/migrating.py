"""Twins from one model to another: with a rehearsal, a report of each, and a way back.

A migration writes whole twins anew under the new model; what the new model refuses stays as it is
and is reported. Each write bears the migration's name in the change feed, and that is where a
rollback finds what was there before.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twinfall.graph.plan import Fetch, IsA, Page, Row, Select
from twinfall.graph.twins import JSON, TwinInput
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.errors import BadInput, RowError, UnknownName

if TYPE_CHECKING:
    from twinfall.graph.graph import Graph

PAGE = 1_000
BATCH = 10_000
"""Twins that move in one transaction; relationships among them are judged together."""
MAX_REPORTED = 1_000
"""Twins a report names; it counts all."""
_ID = re.compile(r"(\d{1,18})-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Migration:
    """From `old` to `new`, DTMIs. `renamed` takes values from an old content name to a new one,
    `dropped` names contents whose values are given up: nothing else is lost.
    """

    old: str
    new: str
    renamed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stayed:
    """A twin that could not move, and every reason."""

    id: str
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """`id` undoes it (empty: nothing was written); `moved` and `stayed_count` count twins,
    `stayed` names at most MAX_REPORTED of them.
    """

    id: str
    moved: int
    stayed_count: int
    stayed: tuple[Stayed, ...]


def migrate(
    graph: Graph, migration: Migration, *, rehearse: bool = False, partial: bool = False,
    who: str = "",
) -> MigrationReport:  # fmt: skip
    """Move all twins of exactly the old model, or say what would happen (`rehearse`).

    Without `partial`, nothing moves unless every twin can. Moving twins again is harmless: those
    that moved are of the new model. Raises UnknownName, BadInput.
    """
    _check(graph, migration)
    rehearsed = _rehearsed(graph, migration, who)
    if rehearse or (rehearsed.stayed_count and not partial) or not rehearsed.moved:
        return (
            rehearsed
            if rehearse
            else MigrationReport("", 0, rehearsed.stayed_count, rehearsed.stayed)
        )
    id_ = f"{graph.cursor()}-{uuid.uuid4().hex[:12]}"
    moved, count = 0, 0
    stayed: list[Stayed] = []
    for rows in _batches(graph, migration):
        done = graph.write_twins(rows, who=who, why=_why(id_, migration), partial=True)
        moved += done.written
        kept = _stayed(rows, done.refused)
        count += len(kept)
        stayed += kept[: MAX_REPORTED - len(stayed)]
    return MigrationReport(id_, moved, count, tuple(stayed))


def rollback(graph: Graph, id_: str, *, who: str = "") -> MigrationReport:
    """Put back what a migration changed, as far as nobody has changed it since.

    Raises BadInput for a text that names no migration of this graph.
    """
    found = _ID.fullmatch(id_)
    old, before = _written(graph, int(found[1]), id_) if found else ("", {})
    if not before:
        raise BadInput(
            f"{id_[:64]!r} names no migration of this graph",
            cure="a migration says its id when it is done",
        )
    rows = [
        TwinInput(twin, old, values, version) for twin, (values, version) in sorted(before.items())
    ]
    moved = 0
    stayed: list[Stayed] = []
    for at in range(0, len(rows), BATCH):
        part = rows[at : at + BATCH]
        done = graph.write_twins(part, who=who, why=f"rollback {id_}", partial=True)
        moved += done.written
        stayed += _stayed(part, done.refused)
    return MigrationReport("", moved, len(stayed), tuple(stayed[:MAX_REPORTED]))


def _check(graph: Graph, migration: Migration) -> None:
    interfaces = graph.ontology.interfaces
    for dtmi in (migration.old, migration.new):
        graph.ontology.interface(dtmi)
    if migration.old == migration.new:
        raise BadInput("a migration leads from one model to another")
    old, new = interfaces[migration.old].contents, interfaces[migration.new].contents
    for name in (*migration.renamed, *migration.dropped):
        if name not in old:
            cure = did_you_mean(name, old)
            raise UnknownName(f"{migration.old} has no content {name!r}", path=name, cure=cure)
    for name in migration.renamed.values():
        if name not in new:
            cure = did_you_mean(name, new)
            raise UnknownName(f"{migration.new} has no content {name!r}", path=name, cure=cure)
    if len(set(migration.renamed.values())) < len(migration.renamed):
        raise BadInput("two contents cannot take one name")


def _rehearsed(graph: Graph, migration: Migration, who: str) -> MigrationReport:
    moved, count = 0, 0
    stayed: list[Stayed] = []
    for rows in _batches(graph, migration):
        done = graph.rehearse_twins(rows, who=who)
        moved += done.written
        kept = _stayed(rows, done.refused)
        count += len(kept)
        stayed += kept[: MAX_REPORTED - len(stayed)]
    return MigrationReport("", moved, count, tuple(stayed))


def _batches(graph: Graph, migration: Migration) -> Iterator[list[TwinInput]]:
    """All twins of the old model as they would be under the new one."""
    rows: list[TwinInput] = []
    for row in list(_twins(graph, migration.old)):
        values = _fitted(row.values, migration)
        rows.append(TwinInput(row.id, migration.new, values, row.version))
        if len(rows) == BATCH:
            yield rows
            rows = []
    if rows:
        yield rows


def _twins(graph: Graph, model: str) -> Iterator[Row]:
    after: tuple[Any, ...] | None = None
    while True:
        page = Page(PAGE, after, IsA((model,)))
        found = graph.fetch(Fetch(page, Select(whole=True)))
        yield from found.rows
        if not found.more:
            return
        after = found.rows[-1].cursor


def _fitted(values: Mapping[str, JSON], migration: Migration) -> dict[str, JSON]:
    return {
        migration.renamed.get(name, name): value
        for name, value in values.items()
        if name not in migration.dropped
    }


def _stayed(rows: Sequence[TwinInput], errors: Sequence[RowError]) -> list[Stayed]:
    found: dict[int, list[RowError]] = {}
    for error in errors:
        lost = error.code == "UNKNOWN_NAME" and not error.cure
        told = replace(error, cure="rename it, or drop it") if lost else error
        found.setdefault(error.index, []).append(told)
    return [Stayed(rows[index].id, tuple(why)) for index, why in sorted(found.items())]


def _why(id_: str, migration: Migration) -> str:
    return f"migration {id_} {migration.old} {migration.new}"


def _written(
    graph: Graph, after: int, id_: str
) -> tuple[str, dict[str, tuple[Mapping[str, JSON], int | None]]]:
    """The old model, and of each twin that the migration wrote what was there and the version
    that it made.
    """
    old, before = "", {}
    while changes := graph.changes(after, PAGE):
        for change in changes:
            if not change.why.startswith(f"migration {id_} ") or change.kind != "twinWritten":
                continue
            old = change.why.split(" ")[2]
            before[change.subject] = (change.before or {}, change.version)
        after = changes[-1].seq
    return old, before
