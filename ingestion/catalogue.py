"""The series: one for every reading name of every twin that ever sent one, numbered for ever.

A series is judged against the ontology once, when its first reading comes, and again after twins or
models changed; in between a reading finds it by one look-up in a dict.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinfall.graph.graph import Graph
from twinfall.graph.identity import owner_of
from twinfall.graph.values import field_type
from twinfall.ingestion.journal import writing
from twinfall.ontology.declarations import Binding
from twinfall.ontology.errors import Unavailable
from twinfall.ontology.model import Enum, Primitive, Schema

Kind = Literal["float", "integer", "long", "boolean", "text", "json"]
MAX_SERIES = 5_000_000
MAX_REFUSED = 100_000
"""Refused keys remembered."""
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Series:
    """What the ontology says of a series. `stale` is in seconds."""

    kind: Kind
    unit: str | None = None
    stale: float | None = None
    model: str = ""
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a reading has no series."""

    code: str
    message: str


class Catalogue:
    """The series of a graph; safe from many threads. Its rows live in the journal's file."""

    def __init__(self, db: sqlite3.Connection, lock: threading.Lock, graph: Graph) -> None:
        self._db, self._write, self._graph = db, lock, graph
        self._ids: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._series: list[Series] = []
        self._twins: dict[str, dict[str, int]] = defaultdict(dict)
        self._names: dict[str, dict[str, int]] = defaultdict(dict)
        self._known: dict[Key, int] = {}
        self._refused: dict[Key, Unknown] = {}
        self._owned: dict[str, set[str]] = defaultdict(set)
        self._plain = np.zeros(1024, np.bool_)
        self._lock = threading.RLock()
        self.generation = 0
        """Grows after every `forget`: what was remembered of `known` before holds no more."""
        for id_, twin, name, kind, unit in db.execute(
            "SELECT id, twin, name, kind, unit FROM series ORDER BY id"
        ):
            assert id_ == len(self._keys)
            self._add((twin, name), Series(kind, unit))

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def known(self) -> Mapping[Key, int]:
        """(twin, name) -> series, of those that were judged since the last change of the graph."""
        return self._known

    def find(self, twin: str, name: str) -> int:
        """The series; -1 where it is not known yet."""
        return self._known.get((twin, name), -1)

    def id_of(self, twin: str, name: str) -> int:
        """The series that ever was, known or not; -1 where there never was one."""
        return self._ids.get((twin, name), -1)

    def plain_numbers(self) -> NDArray[np.bool_]:
        """By series: whether it takes any finite number."""
        return self._plain

    def twins(self) -> Iterable[str]:
        """Addresses that ever sent a reading."""
        return tuple(self._twins)

    def key(self, series: int) -> Key:
        """(twin address, reading name)."""
        return self._keys[series]

    def of(self, series: int) -> Series:
        """What the ontology said of it last."""
        return self._series[series]

    def is_telemetry(self, twin: str, name: str) -> bool:
        """Whether the name is a telemetry of the twin, no property that a device reports."""
        at = self._ids.get((twin, name), -1)
        interface = self._graph.ontology.interfaces.get(self._series[at].model) if at >= 0 else None
        content = interface.contents.get(name) if interface else None
        return content is not None and content.kind == "Telemetry"

    def addresses(self, owner: str) -> Iterable[str]:
        """A twin and its components, those of them that ever sent a reading."""
        return tuple(self._owned.get(owner, ()))

    def series_of(self, twin: str) -> Mapping[str, int]:
        """Reading name -> series, of all that the twin ever sent."""
        return self._twins.get(twin, {})

    def named(self, name: str) -> Mapping[str, int]:
        """Twin -> series, of every twin that ever sent this name."""
        return self._names.get(name, {})

    def is_component(self, twin: str, name: str) -> bool:
        """Whether `name` is a component of the twin, by the ontology. Raises Unavailable while the
        store is away.
        """
        node = self._graph.store.nodes([twin]).get(twin)
        if node is None:
            return False
        content = self._graph.ontology.interfaces[node.model].contents.get(name)
        return content is not None and content.kind == "Component"

    def forget(self) -> None:
        """Twins or models changed: every series is judged anew when its next reading comes."""
        with self._lock:
            self._known = {}
            self.generation += 1

    def learn(self, keys: Iterable[Key]) -> dict[Key, int | Unknown]:
        """The series of these keys, judged against the graph in one store call; or why not.

        While the store is away what it said last holds: series that ever were are taken as they
        are, keys that were refused stay refused. Raises Unavailable where there are others.
        """
        wanted = set(keys)
        with self._lock:
            found: dict[Key, int | Unknown] = {k: self._known[k] for k in wanted & set(self._known)}
            wanted -= set(found)
            if not wanted:
                return found
            try:
                judged = self._judged(wanted)
            except Unavailable:
                last = {key: self._ids.get(key, self._refused.get(key)) for key in wanted}
                said_before = {key: said for key, said in last.items() if said is not None}
                if len(said_before) < len(wanted):
                    raise
                return found | said_before
            good = {key: said for key, said in judged.items() if isinstance(said, Series)}
            self._persist(good)
            for key, said in judged.items():
                found[key] = self._ids[key] if isinstance(said, Series) else said
            self._remember(judged)
            self._known = self._known | {key: self._ids[key] for key in good}
            return found

    def _remember(self, judged: Mapping[Key, Series | Unknown]) -> None:
        """What was refused, for when the store is away: one bad key must not hold up its frame."""
        for key, said in judged.items():
            self._refused.pop(key, None)
            if isinstance(said, Unknown):
                self._refused[key] = said
        for key in list(self._refused)[: max(0, len(self._refused) - MAX_REFUSED)]:
            del self._refused[key]

    def _judged(self, keys: set[Key]) -> dict[Key, Series | Unknown]:
        owners = {owner_of(twin) for twin, _ in keys}
        nodes = self._graph.store.nodes(sorted(owners))
        models = self._graph.models
        found: dict[Key, Series | Unknown] = {}
        for twin, name in keys:
            node = nodes.get(twin)
            if node is None:
                found[twin, name] = Unknown("UNKNOWN_TWIN", f"there is no twin {twin!r}")
                continue
            interface = models.ontology.interfaces[node.model]
            content = interface.contents.get(name)
            if content is None or content.kind not in ("Telemetry", "Property"):
                what = f"{models.names.of(node.model)} has no telemetry {name!r}"
                found[twin, name] = Unknown("UNKNOWN_NAME", what)
                continue
            asset = models.dependencies.assets.get(node.model)
            stale = asset.stale if asset else None
            if isinstance(stale, Binding):
                stale = node.values.get(stale.name, stale.default)
            seconds = float(stale) if isinstance(stale, (int, float)) else None
            kind = _kind(content.schema)
            found[twin, name] = Series(kind, content.unit, seconds, node.model, content.schema)
        return found

    def _persist(self, good: Mapping[Key, Series]) -> None:
        fresh = [(key, said) for key, said in sorted(good.items()) if key not in self._ids]
        if len(self._keys) + len(fresh) > MAX_SERIES:
            raise Unavailable(f"more than {MAX_SERIES} series", code="TOO_LARGE")
        if fresh:
            start = len(self._keys)
            rows = [(start + i, *key, said.kind, said.unit) for i, (key, said) in enumerate(fresh)]
            with writing(self._db, self._write):
                self._db.executemany("INSERT INTO series VALUES (?, ?, ?, ?, ?)", rows)
        for key, said in fresh:
            self._add(key, said)
        for key, said in good.items():
            self._series[self._ids[key]] = said
            self._plain[self._ids[key]] = said.kind == "float"

    def _add(self, key: Key, said: Series) -> None:
        if len(self._keys) == len(self._plain):
            self._plain = np.concatenate([self._plain, np.zeros_like(self._plain)])
        self._plain[len(self._keys)] = said.kind == "float"
        self._ids[key] = len(self._keys)
        self._twins[key[0]] = self._twins[key[0]] | {key[1]: len(self._keys)}
        self._names[key[1]][key[0]] = len(self._keys)
        self._owned[owner_of(key[0])].add(key[0])
        self._keys.append(key)
        self._series.append(said)


def _kind(schema: Schema | None) -> Kind:
    if isinstance(schema, Primitive) and schema.name in ("long", "unsignedLong"):
        return "long"
    if isinstance(schema, Enum):
        return "json"  # judged member by member
    match field_type(schema):
        case "float":
            return "float"
        case "integer":
            return "integer"
        case "boolean":
            return "boolean"
        case "text":
            return "text"
    return "json"
