"""Graph: the room's door. One graph, its models, and judged writes to it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from twinfall.graph.identity import is_address, owner_of, relationship_id_fault
from twinfall.graph.judge import Stored, judge_deletions, judge_twins
from twinfall.graph.judge_relationships import (
    StoredRelationships,
    judge_relationship_deletions,
    judge_relationships,
    limited,
    relationship_id,
)
from twinfall.graph.kept_models import KeptModels
from twinfall.graph.models import (
    MAX_NAMED,
    LoadReport,
    Models,
    added_dependencies,
    added_documents,
    compile_models,
    without,
)
from twinfall.graph.outer import by_owner
from twinfall.graph.plan import Fetch, IsA, Page, RowPage, Select
from twinfall.graph.store import Counts, Topology, TopologyRequest, TwinStore
from twinfall.graph.twins import (
    JSON,
    Change,
    Edge,
    Node,
    RelationshipInput,
    RelationshipKey,
    TwinInput,
    TwinPatch,
)
from twinfall.graph.values import FieldTypes
from twinfall.graph.verdict import Verdict, Writing
from twinfall.ontology import Names, Ontology
from twinfall.ontology.declarations import Dependencies
from twinfall.ontology.errors import BadRows, Conflict, Refused, RowError

MAX_BATCH = 10_000
"""Rows in one call."""
MAX_ATTEMPTS = 3
"""Judgements of one batch when somebody else writes the same twins meanwhile."""


@dataclass(frozen=True, slots=True)
class WriteReport:
    """`written` rows are as asked for now, those that changed nothing included; `cursor` is the
    change feed's position after the write; `refused` rows come with partial writes only.
    """

    written: int
    cursor: int
    refused: tuple[RowError, ...] = ()


class Graph:
    """One graph over a store; safe from many threads, writes one after the other.

    A write is all or nothing: any bad row raises BadRows with every failed one, and nothing is
    written. With `partial` the good rows are written and the bad ones reported.
    """

    def __init__(
        self,
        store: TwinStore,
        *,
        aliases: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        kept: KeptModels | None = None,
    ) -> None:
        self.store = store
        self._kept = kept
        self.revision = 0
        self._aliases = dict(aliases or {})
        self._clock = clock
        self._lock = threading.RLock()
        self._models = compile_models(store.load_models(), self._aliases, kept)
        store.use(FieldTypes.of(self.ontology.interfaces))

    def alone(self) -> AbstractContextManager[Any]:
        """While this is open nobody else writes through this graph; whoever wants to, waits."""
        return self._lock

    # -- models ---------------------------------------------------------------------------

    @property
    def models(self) -> Models:
        """Ontology, names and dependencies that belong together."""
        return self._models

    @property
    def ontology(self) -> Ontology:
        """What may exist."""
        return self._models.ontology

    @property
    def names(self) -> Names:
        """The registered short names."""
        return self._models.names

    @property
    def dependencies(self) -> Dependencies:
        """Which relationships carry failure."""
        return self._models.dependencies

    def load_models(
        self,
        documents: Sequence[JSON | str],
        dependencies: Sequence[JSON | str] = (),
        *,
        who: str = "",
        why: str = "",
    ) -> LoadReport:
        """Add models and dependency sidecars, all or nothing.

        An interface that is loaded already is left alone; with other content it is a Conflict
        EXISTS. A sidecar replaces every stored one that shares an interface with it. Raises
        ModelInvalid, ModelIncomplete.
        """
        with self._lock:
            old = self._models
            ontology, unchanged = added_documents(old, documents)
            declared, dropped = added_dependencies(old.dependencies, dependencies, ontology)
            names = Names.extend(old.names.entries, ontology, self._aliases)
            models = Models(ontology, names, declared, old.decommissioned)
            loaded = tuple(sorted(set(ontology.interfaces) - set(old.ontology.interfaces)))
            cursor = self._save(old, models, loaded, self._writing(who, why))
            return LoadReport(loaded, unchanged, dict(names.entries), cursor, dropped)

    def delete_models(
        self, models: Sequence[str], *, who: str = "", why: str = ""
    ) -> tuple[str, ...]:
        """Delete models, all or none; their names stay registered for ever.

        Raises UnknownName, and Conflict IN_USE while there are twins or components of one, or
        models that extend it or have it as a component, naming them.
        """
        with self._lock:
            old = self._models
            going = tuple(dict.fromkeys(self.names.dtmi(name) or name for name in models))
            self._check_unused(going)
            ontology, dependencies = without(old, going)
            left = Models(ontology, old.names, dependencies, old.decommissioned - {*going})
            self._save(old, left, (), self._writing(who, why or f"deleted {', '.join(going)}"))
            return going

    def decommission_models(
        self, models: Sequence[str], *, undo: bool = False, who: str = "", why: str = ""
    ) -> tuple[str, ...]:
        """Let models take no new twins, or again (`undo`), all or none; their DTMIs.

        What there is stays as it was: twins are written and deleted, relationships come and go, and
        components come with their owners. Raises UnknownName.
        """
        with self._lock:
            old = self._models
            named = tuple(dict.fromkeys(self.names.dtmi(name) or name for name in models))
            for dtmi in named:
                old.ontology.interface(dtmi)
            after = old.decommissioned - {*named} if undo else old.decommissioned | {*named}
            done = "recommissioned" if undo else "decommissioned"
            writing = self._writing(who, why or f"{done} {', '.join(named)}")
            self._save(old, replace(old, decommissioned=after), (), writing)
            return named

    def _check_unused(self, models: Sequence[str]) -> None:
        counts = self.store.counts()
        for dtmi in models:
            twins, parts = counts.twins.get(dtmi, 0), counts.components.get(dtmi, 0)
            if not twins and not parts:
                continue
            page = Page(MAX_NAMED, where=IsA((dtmi,)))
            found = self.store.fetch(Fetch(page, Select(), components=True)).rows
            named = ", ".join(row.id for row in found)
            raise Conflict(
                f"there are {twins} twins and {parts} components of {dtmi}: {named}"
                + (", ..." if twins + parts > len(found) else ""),
                code="IN_USE",
                path=dtmi,
                cure="delete or migrate them first",
            )

    def _save(self, old: Models, models: Models, loaded: tuple[str, ...], writing: Writing) -> int:
        if models.stored() == old.stored():
            return self.store.cursor()
        after: dict[str, JSON] = {
            "models": list(loaded),
            "dependencies": models.dependencies.hash,
        }
        if models.decommissioned:
            after["decommissioned"] = sorted(models.decommissioned)
        change = writing.change("modelsLoaded", "models", after=after)
        cursor = self.store.save_models(models.stored(), change)
        self.store.use(FieldTypes.of(models.ontology.interfaces))
        self._models = models
        self.revision += 1
        if self._kept is not None and models.ontology is not old.ontology:
            self._kept.keep(models.ontology)
        return cursor

    # -- writes ---------------------------------------------------------------------------

    def write_twins(
        self, twins: Sequence[TwinInput], *, who: str = "", why: str = "", partial: bool = False
    ) -> WriteReport:
        """Write whole twins; a registered short name may stand for the model's DTMI."""
        rows = [self._with_dtmi(twin) for twin in twins]
        return self._write_rows(rows, self._writing(who, why), partial)

    def rehearse_twins(self, twins: Sequence[TwinInput], *, who: str = "") -> WriteReport:
        """What `write_twins` with `partial` would report now; nothing is written."""
        rows = [self._with_dtmi(twin) for twin in twins]
        _check_batch(len(rows))
        with self._lock:
            verdict = self._judge_twins(rows, self._writing(who, ""))
        return WriteReport(verdict.accepted, self.store.cursor(), tuple(verdict.refused))

    def patch_twins(
        self, patches: Sequence[TwinPatch], *, who: str = "", why: str = "", partial: bool = False
    ) -> WriteReport:
        """Apply JSON merge patches (RFC 7396) to the twins as they are when it is their turn."""
        return self._write_rows(list(patches), self._writing(who, why), partial)

    def delete_twins(
        self, ids: Sequence[str], *, who: str = "", why: str = "", partial: bool = False
    ) -> WriteReport:
        """Delete twins with their components and every relationship that starts or ends there."""
        writing = self._writing(who, why)

        def judge() -> Verdict:
            nodes = self.store.nodes(_addresses(ids))
            edges = self.store.edges_at(list(nodes))
            return judge_deletions(ids, Stored(by_owner(nodes.values()), edges), writing)

        return self._judged(len(ids), judge, writing, partial)

    def write_relationships(
        self,
        rows: Sequence[RelationshipInput],
        *,
        who: str = "",
        why: str = "",
        partial: bool = False,
    ) -> WriteReport:
        """Write whole relationships between twins, or components, that exist."""
        writing = self._writing(who, why)

        def judge() -> Verdict:
            nodes = self.store.nodes(
                _addresses(end for row in rows for end in (row.source, row.target))
            )
            keys = _keys((row.source, relationship_id(row)) for row in rows)
            stored = StoredRelationships(
                nodes=nodes,
                edges=self.store.edges(keys),
                degrees=self.store.out_degree(limited(self.ontology, rows, nodes)),
            )
            return judge_relationships(rows, stored, self.ontology, writing)

        return self._judged(len(rows), judge, writing, partial)

    def delete_relationships(
        self,
        keys: Sequence[RelationshipKey],
        *,
        who: str = "",
        why: str = "",
        partial: bool = False,
    ) -> WriteReport:
        """Delete relationships."""
        writing = self._writing(who, why)

        def judge() -> Verdict:
            edges = self.store.edges(_keys((key.source, key.id) for key in keys))
            return judge_relationship_deletions(keys, edges, writing)

        return self._judged(len(keys), judge, writing, partial)

    # -- questions ------------------------------------------------------------------------

    def fetch(self, plan: Fetch) -> RowPage:
        """Answer a plan in one round trip."""
        return self.store.fetch(plan)

    def topology(self, request: TopologyRequest) -> Topology:
        """The whole graph as arrays."""
        return self.store.topology(request)

    def counts(self) -> Counts:
        """How much is stored."""
        return self.store.counts()

    def size(self) -> tuple[int, int]:
        """All twins, components apart, and all relationships."""
        return self.store.size()

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Changes with seq > after, in order, at most `limit`."""
        return self.store.changes(after, limit)

    def cursor(self) -> int:
        """The change feed's position."""
        return self.store.cursor()

    # -- how a write goes -----------------------------------------------------------------

    def _writing(self, who: str, why: str) -> Writing:
        at = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return Writing(uuid.uuid4().hex, at, who, why)

    def _with_dtmi(self, twin: TwinInput) -> TwinInput:
        dtmi = None if twin.model in self.ontology.interfaces else self.names.dtmi(twin.model)
        return twin if dtmi is None else replace(twin, model=dtmi)

    def _write_rows(
        self, rows: Sequence[TwinInput | TwinPatch], writing: Writing, partial: bool
    ) -> WriteReport:
        def judge() -> Verdict:
            return self._judge_twins(rows, writing)

        return self._judged(len(rows), judge, writing, partial)

    def _judge_twins(self, rows: Sequence[TwinInput | TwinPatch], writing: Writing) -> Verdict:
        nodes = self.store.nodes(_addresses(row.id for row in rows))
        twins = by_owner(nodes.values())
        edges, ends = self._at_changing_models(rows, nodes)
        stored = Stored(twins, edges, ends, self._models.decommissioned)
        return judge_twins(rows, stored, self.ontology, writing)

    def _at_changing_models(
        self, rows: Sequence[TwinInput | TwinPatch], nodes: Mapping[str, Node]
    ) -> tuple[Sequence[Edge], Mapping[str, Node]]:
        """The relationships at twins whose model changes, and the twins at their ends."""
        changing = {
            row.id
            for row in rows
            if isinstance(row, TwinInput) and row.id in nodes and nodes[row.id].model != row.model
        }
        if not changing:
            return (), {}
        edges = self.store.edges_at([id_ for id_ in nodes if owner_of(id_) in changing])
        return edges, self.store.nodes(
            _addresses(e for edge in edges for e in (edge.source, edge.target))
        )

    def _judged(
        self, count: int, judge: Callable[[], Verdict], writing: Writing, partial: bool
    ) -> WriteReport:
        _check_batch(count)
        with self._lock:
            verdict, cursor = self._attempt(judge, writing, partial, MAX_ATTEMPTS)
        return WriteReport(verdict.accepted, cursor, tuple(verdict.refused))

    def _attempt(
        self, judge: Callable[[], Verdict], writing: Writing, partial: bool, attempts: int
    ) -> tuple[Verdict, int]:
        verdict = judge()
        if verdict.refused and not partial:
            raise BadRows(verdict.refused)
        if not verdict.changes:
            return verdict, self.store.cursor()
        try:
            return verdict, self.store.apply(verdict.batch(writing.id))
        except Conflict as conflict:
            if conflict.code != "STALE_VERSION" or attempts <= 1:
                raise
        # Somebody wrote past us, in Neo4j Browser say: judge again what is there now.
        return self._attempt(judge, writing, partial, attempts - 1)


def _check_batch(count: int) -> None:
    if count > MAX_BATCH:
        raise Refused(
            f"{count} rows in one call, at most {MAX_BATCH} are taken",
            code="TOO_LARGE",
            cure="send them in several calls, or import a file",
        )


def _addresses(ids: Iterable[object]) -> list[str]:
    """The ids that could be somebody's, each once; the judge refuses the others."""
    return list(dict.fromkeys(id_ for id_ in ids if is_address(id_)))


def _keys(keys: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The (source, id) pairs that could be some relationship's."""
    return [
        (source, id_)
        for source, id_ in keys
        if is_address(source) and relationship_id_fault(id_) is None
    ]
