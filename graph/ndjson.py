"""Twins in files: the NDJSON import layout of Azure Digital Twins, in and out, streamed.

A line `{"Section": NAME}` opens a section: Header, Models, Dependencies (ours: a sidecar a line;
other tools pass over it), Twins, Relationships, Decommissioned (ours: `{"model": DTMI}`, done when
all is imported). Memory stays bounded by a batch, not by the file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import orjson

from twinfall.graph.graph import MAX_BATCH, Graph, WriteReport
from twinfall.graph.identity import owner_of
from twinfall.graph.outer import by_owner, outer_values
from twinfall.graph.twins import Edge, Node, RelationshipInput, TwinInput
from twinfall.ontology.errors import BadInput, ModelInvalid, RowError

MAX_LINE = 4 * 1024 * 1024
"""Bytes in one line."""
MAX_MODELS = 256 * 1024 * 1024
"""Bytes of all models and sidecars in one file."""
MAX_BATCH_BYTES = 16 * 1024 * 1024
"""Bytes of lines waiting to be written."""
MAX_REFUSED_KNOWN = 100_000
"""Refused twins remembered, to say of their relationships why."""

Refuse = Callable[[int, str, str, bytes], None]
"""Takes line number (from 1), code, reason and the raw line of each refused row."""
Progress = Callable[["ImportReport"], None]
"""Called after each batch with the counts so far."""


@dataclass(slots=True)
class ImportReport:
    """Counts of rows; `lines` read so far, `cursor` the change feed's position at the end."""

    lines: int = 0
    models: int = 0
    twins: int = 0
    relationships: int = 0
    refused: int = 0
    cursor: int = 0
    by_code: dict[str, int] = field(default_factory=dict)
    """How many rows were refused with each code."""


def import_rows(
    graph: Graph,
    lines: Iterable[bytes],
    *,
    batch: int = 1000,
    who: str = "",
    why: str = "",
    progress: Progress | None = None,
    refuse: Refuse | None = None,
) -> ImportReport:
    """Import a file of NDJSON lines: good rows are written, bad ones go to `refuse`.

    Models are all or nothing: ModelInvalid (its problems have line numbers), ModelIncomplete and
    Conflict EXISTS end the import before any twin is read. Importing a file again changes
    nothing.
    """
    reader = _Import(graph, min(batch, MAX_BATCH), who, why)
    reader.progress = progress or (lambda _: None)
    reader.refuse = refuse or (lambda *_: None)
    for raw in lines:
        reader.line(raw)
    reader.end()
    return reader.report


def bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file without ever holding more than one line and `MAX_LINE` bytes of it;
    a longer line comes cut, just long enough to be refused.
    """
    while line := file.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE + 1)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    raw: bytes
    row: Any


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Import:
    """Reads lines in order; the section says what a line is."""

    def __init__(self, graph: Graph, batch: int, who: str, why: str) -> None:
        self.report = ImportReport(cursor=graph.cursor())
        self.progress: Progress
        self.refuse: Refuse
        self._graph = graph
        self._size = batch
        self._by = {"who": who, "why": why}
        self._section = ""
        self._models: list[_Line] = []
        self._sidecars: list[_Line] = []
        self._model_bytes = 0
        self._waiting: list[_Line] = []
        self._waiting_bytes = 0
        self._refused_twins: set[str] = set()
        self._decommissioned: dict[str, None] = {}

    def line(self, raw: bytes) -> None:
        self.report.lines += 1
        raw = raw.removeprefix(b"\xef\xbb\xbf") if self.report.lines == 1 else raw
        raw = raw.strip()
        if not raw:
            return
        number = self.report.lines
        try:
            line = _Line(number, raw, _parsed(raw))
            if set(line.row) == {"Section"}:
                self._open(line.row["Section"])
            else:
                self._take(line)
        except _Refused as fault:
            self._say(number, fault.code, fault.message, raw)

    def end(self) -> None:
        """Write what waits."""
        self._load()
        self._flush()
        if self._decommissioned:
            by = self._by
            self._graph.decommission_models([*self._decommissioned], who=by["who"], why=by["why"])
            self.report.cursor = self._graph.cursor()

    def _open(self, section: object) -> None:
        if section in ("Twins", "Relationships"):
            self._load()
        self._flush()
        self._section = str(section)

    def _take(self, line: _Line) -> None:
        match self._section:
            case "Header":
                _check_header(line.row)
            case "Models" | "Dependencies":
                self._keep(line)
            case "Twins" | "Relationships":
                self._waiting.append(line)
                self._waiting_bytes += len(line.raw)
                if len(self._waiting) >= self._size or self._waiting_bytes >= MAX_BATCH_BYTES:
                    self._flush()
            case "Decommissioned":
                self._decommission(line)
            case other:
                message = f"unknown section {other!r}" if other else "this row is in no section"
                known = '{"Section": "Header" | "Models" | "Twins" | "Relationships"}'
                raise _Refused("BAD_SECTION", f"{message}; a section begins with {known}")

    # -- models ---------------------------------------------------------------------------

    def _keep(self, line: _Line) -> None:
        self._model_bytes += len(line.raw)
        if self._model_bytes > MAX_MODELS:
            raise BadInput(f"the models take more than {MAX_MODELS} bytes", code="TOO_LARGE")
        (self._models if self._section == "Models" else self._sidecars).append(line)

    def _load(self) -> None:
        models, sidecars = self._models, self._sidecars
        if not models and not sidecars:
            return
        self._models, self._sidecars = [], []
        try:
            report = self._graph.load_models(
                [line.raw.decode() for line in models], [line.row for line in sidecars], **self._by
            )
        except ModelInvalid as error:
            raise ModelInvalid([_with_line(p, models) for p in error.problems]) from None
        self.report.models += len(report.loaded)
        self.report.cursor = report.cursor

    def _decommission(self, line: _Line) -> None:
        self._load()
        model = line.row.get("model")
        if not isinstance(model, str) or model not in self._graph.ontology.interfaces:
            raise _Refused("UNKNOWN_NAME", 'the row has no {"model": DTMI} that is loaded')
        self._decommissioned[model] = None

    # -- twins and relationships ----------------------------------------------------------

    def _flush(self) -> None:
        lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not lines:
            return
        if self._section == "Twins":
            written = self._write(lines, self._twin, self._graph.write_twins)
            self.report.twins += written
        else:
            written = self._write(lines, self._relationship, self._graph.write_relationships)
            self.report.relationships += written
        self.progress(self.report)

    def _write(
        self,
        lines: list[_Line],
        read: Callable[[Mapping[str, Any]], Any],
        write: Callable[..., WriteReport],
    ) -> int:
        good: list[_Line] = []
        rows = []
        faults: dict[int, tuple[_Line, list[RowError]]] = {}
        for line in lines:
            try:
                rows.append(read(line.row))
                good.append(line)
            except _Refused as fault:
                faults[line.number] = (line, [RowError(0, fault.code, fault.message)])
        result = write(rows, partial=True, **self._by)
        for error in result.refused:
            line = good[error.index]
            faults.setdefault(line.number, (line, []))[1].append(error)
        self._refuse_rows([faults[number] for number in sorted(faults)])
        self.report.cursor = result.cursor
        return result.written

    def _twin(self, row: Mapping[str, Any]) -> TwinInput:
        metadata = row.get("$metadata")
        model = metadata.get("$model") if isinstance(metadata, dict) else None
        if not isinstance(model, str):
            raise _Refused("BAD_ROW", 'a twin row has {"$metadata": {"$model": DTMI}}')
        interface = self._graph.ontology.interfaces.get(model)
        values = {name: value for name, value in row.items() if not name.startswith("$")}
        for name in interface.of_kind("Component") if interface else ():
            part = values.get(name)
            if isinstance(part, dict):  # without its $metadata
                values[name] = {n: v for n, v in part.items() if not n.startswith("$")}
        return TwinInput(_text(row, "$dtId"), model, values)

    def _relationship(self, row: Mapping[str, Any]) -> RelationshipInput:
        found = _relationship(row)
        for end in (found.source, found.target):
            if owner_of(end) in self._refused_twins:
                raise _Refused("UNKNOWN_TWIN", f"twin {owner_of(end)} was refused in this file")
        return found

    def _refuse_rows(self, faults: list[tuple[_Line, list[RowError]]]) -> None:
        if self._section == "Twins":
            self._remember([line.row.get("$dtId") for line, _ in faults])
        for line, errors in faults:
            reasons = [
                (f"{e.path}: " if e.path else "") + e.message + (f" ({e.cure})" if e.cure else "")
                for e in errors
            ]
            self._say(line.number, errors[0].code, "; ".join(reasons), line.raw)

    def _remember(self, refused: list[object]) -> None:
        """Keep the ids that are in no version of the graph: one look for a whole batch."""
        new = {id_ for id_ in refused if isinstance(id_, str)} - self._refused_twins
        if new and len(self._refused_twins) < MAX_REFUSED_KNOWN:
            self._refused_twins |= new - set(self._graph.store.nodes(sorted(new)))

    def _say(self, number: int, code: str, message: str, raw: bytes) -> None:
        self.report.refused += 1
        self.report.by_code[code] = self.report.by_code.get(code, 0) + 1
        self.refuse(number, code, message, raw)


def _parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LINE:
        raise _Refused("TOO_LARGE", f"the line has {len(raw)} bytes, at most {MAX_LINE} are read")
    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _Refused("BAD_JSON", f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise _Refused("BAD_ROW", "a row is a JSON object")
    return row


def _check_header(row: Mapping[str, Any]) -> None:
    version = row.get("fileVersion")
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        raise BadInput(
            f"file version {version!r} is not known",
            cure='the header says {"fileVersion": "1.0.0"}',
        )


def _with_line(problem: Any, models: list[_Line]) -> Any:
    """The problem with its line in the file instead of its place among the models."""
    if problem.document is None or problem.document >= len(models):
        return problem
    return replace(problem, document=None, line=models[problem.document].number)


def _relationship(row: Mapping[str, Any]) -> RelationshipInput:
    id_ = row.get("$relationshipId")
    if id_ is not None and not isinstance(id_, str):
        raise _Refused("BAD_ROW", "$relationshipId is a text")
    return RelationshipInput(
        source=_text(row, "$sourceId"),
        name=_text(row, "$relationshipName"),
        target=_text(row, "$targetId"),
        id=id_,
        properties={name: value for name, value in row.items() if not name.startswith("$")},
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise _Refused("BAD_ROW", f"the row has no text {name}")
    return sys.intern(value) if name == "$relationshipName" else value


# -- out ------------------------------------------------------------------------------------


def export_rows(graph: Graph) -> Iterator[bytes]:
    """The graph as lines (each ends with a newline) that import to an equal graph.

    Members are in order of name, so equal graphs export equal bytes, `$etag` apart.
    """
    models = graph.models
    yield _line({"Section": "Header"})
    yield _line({"fileVersion": "1.0.0", "author": "", "organization": ""})
    yield _line({"Section": "Models"})
    yield from map(_line, _elements(models.ontology.documents))
    if models.dependencies.documents:
        yield _line({"Section": "Dependencies"})
        for text in models.dependencies.documents:
            yield _line(orjson.loads(text))
    yield _line({"Section": "Twins"})
    section = "Twins"
    for nodes, edges in graph.store.scan():
        for group in by_owner(nodes).values():
            yield _line(_twin_row(next(iter(group.values())), group))
        if edges and section == "Twins":
            section = "Relationships"
            yield _line({"Section": section})
        for edge in edges:
            yield _line(_edge_row(edge))
    if models.decommissioned:
        yield _line({"Section": "Decommissioned"})
        for dtmi in sorted(models.decommissioned):
            yield _line({"model": dtmi})


def _elements(documents: Iterable[str]) -> list[Any]:
    """The interfaces of all documents, one by one, in order of id."""
    found: list[Any] = []
    for text in documents:
        document = orjson.loads(text)
        found.extend(document if isinstance(document, list) else [document])
    return sorted(found, key=lambda element: str(element.get("@id")))


def _twin_row(twin: Node, group: Mapping[str, Node]) -> dict[str, Any]:
    row = outer_values(twin, group)
    for node in group.values():
        if node.component is not None:
            row[node.component] = {"$metadata": {}, **node.values}
    row["$dtId"] = twin.id
    row["$etag"] = f'W/"{twin.version}"'
    row["$metadata"] = {"$model": twin.model}
    return row


def _edge_row(edge: Edge) -> dict[str, Any]:
    return {
        "$relationshipId": edge.id,
        "$sourceId": edge.source,
        "$targetId": edge.target,
        "$relationshipName": edge.name,
        **edge.properties,
    }


def _line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
