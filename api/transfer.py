"""`/export` and `/import`: a whole graph as NDJSON, out and in.

An import is received to disk first and read from there: so a slow reader of our answer cannot
block the sender, and a body that breaks off has changed nothing.
"""

from __future__ import annotations

import contextlib
import queue
import tempfile
import threading
import zlib
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from dataclasses import asdict
from typing import Any, BinaryIO, cast

import anyio
import orjson
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from twinfall.api.access import Access
from twinfall.api.asking import Admit, media_type
from twinfall.api.bodies import parts_of
from twinfall.api.lines import again, lines_of
from twinfall.api.problems import body_of, bug
from twinfall.api.requests import bugs
from twinfall.api.requirements.guarding import Guard
from twinfall.api.services import Services
from twinfall.graph.ndjson import ImportReport, export_rows, import_rows
from twinfall.ontology.errors import BadInput, Refused, TwinError, Unavailable

MAX_IMPORT_BYTES = 8 * 2**30
"""Of one upload, as sent."""
MAX_IMPORTS = 2
MAX_EXPORTS = 4
BLOCK_BYTES = 65_536
MAX_WAITING = 64
"""Lines of a report that wait to be sent; a refused row may be as long as a line."""
MAX_FIRST = 8_000_000
"""Bytes of a line of requirements: a text of a million characters, each escaped."""
NDJSON = "application/x-ndjson"
_Places = threading.BoundedSemaphore


class Transfer:
    """Answers `/export` and `/import`."""

    def __init__(self, services: Services, admit: Admit) -> None:
        self._services = services
        self._admit = admit
        self._exports = threading.BoundedSemaphore(MAX_EXPORTS)
        self._imports = threading.BoundedSemaphore(MAX_IMPORTS)

    async def export(self, request: Request) -> Response:
        """The graph as NDJSON, compressed where the client takes that."""
        if not self._admit(request).reads:
            raise Refused("this key only writes readings", cure="use a key with role viewer")
        graph = self._services.graph
        _enter(self._exports, "exports")
        blocks = _blocks(export_rows(graph))
        headers = {"content-disposition": 'attachment; filename="twinfall.ndjson"'}
        headers["vary"] = "accept-encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            blocks = _packed(blocks)
            headers["content-encoding"] = "gzip"
        held = _streamed(_Held(blocks, self._exports))
        return StreamingResponse(held, headers=headers, media_type=NDJSON)

    async def take(self, request: Request) -> Response:
        """Import the NDJSON sent. Answers NDJSON: `progress` and `refused` lines as they come,
        then one `report`, or `errors` where it had to stop. With `?requirements=first` the first
        line is `{"requirements": TEXT}`, and nothing is imported if one of them would break.
        """
        access = self._admit(request)
        if not access.writes:
            raise Refused("only an admin may import", cure="use a key with role admin")
        if media_type(request) != NDJSON:
            raise BadInput(f"Content-Type must be {NDJSON}", code="UNSUPPORTED")
        graph = self._services.graph
        _enter(self._imports, "imports")
        try:
            file = await self._received(request)
        except BaseException:
            self._imports.release()
            raise
        guarded = "requirements" in request.query_params
        run = ImportRun(graph, file, access, request.state.request_id, guarded=guarded)
        held = _streamed(_Held(run.lines(), self._imports))
        return StreamingResponse(held, media_type=NDJSON)

    async def _received(self, request: Request) -> BinaryIO:
        file = cast(BinaryIO, tempfile.TemporaryFile(dir=self._services.folder))  # noqa: SIM115
        try:
            async for part in parts_of(request, MAX_IMPORT_BYTES):
                await run_in_threadpool(file.write, part)
            file.seek(0)
        except OSError as error:
            file.close()
            raise Unavailable(f"no room for the upload: {error.strerror}") from error
        except BaseException:
            file.close()
            raise
        return file


class ImportRun:
    """One import in a thread of its own; `lines` is its report, line by line."""

    def __init__(
        self, graph: Any, file: BinaryIO, access: Access, request_id: str, *, guarded: bool = False
    ) -> None:
        self._graph = graph
        self._file = file
        self._access = access
        self._request_id = request_id
        self._guarded = guarded
        self._out: queue.Queue[dict[str, Any] | None] = queue.Queue(MAX_WAITING)
        self._left = threading.Event()

    def lines(self) -> Generator[bytes, None, None]:
        """Run, and yield the report. Closed early (the reader left), the import stops."""
        thread = threading.Thread(target=self._run, name="import")
        thread.start()
        try:
            ended = False
            while not ended:
                lines = _waiting(self._out)
                ended = lines[-1] is None
                yield b"".join(orjson.dumps(line) + b"\n" for line in lines if line is not None)
        finally:
            self._left.set()
            while thread.is_alive():
                _drain(self._out)
                thread.join(0.05)
            self._file.close()

    def _run(self) -> None:
        try:
            report = self._taken_guarded() if self._guarded else self._take(self._rows())
            self._out.put({"report": asdict(report)})
        except TwinError as error:
            self._out.put(body_of(error, self._request_id))
        except Exception:
            # The thread's edge: a bug here must reach the reader, who would wait for ever.
            bugs.exception("request %s: import", self._request_id)
            self._out.put(bug(self._request_id))
        finally:
            self._out.put(None)

    def _take(self, lines: Iterable[bytes]) -> ImportReport:
        return import_rows(
            self._graph,
            lines,
            who=self._access.name,
            why="import",
            progress=lambda report: self._out.put({"progress": asdict(report)}),
            refuse=self._refuse,
        )

    def _taken_guarded(self) -> ImportReport:
        """Once it is judged and begins to be taken, it is taken whole, whether or not the client
        is still there: half of it was never judged.
        """
        guard = Guard(_requirements(self._file), self._waiting)
        return guard.take(self._graph, again(self._file), self._take)

    def _waiting(self) -> None:
        """Tell a client that waits for a verdict that it is worth it."""
        self._here()
        self._out.put({"progress": asdict(ImportReport())})

    def _here(self) -> None:
        if self._left.is_set():
            raise BadInput("the client went away", code="BAD_REQUEST")

    def _rows(self) -> Iterator[bytes]:
        for line in lines_of(self._file):
            self._here()
            yield line

    def _refuse(self, line: int, code: str, message: str, raw: bytes) -> None:
        row = raw.decode("utf-8", "replace").rstrip("\n")
        refused = {"line": line, "code": code, "message": message, "row": row}
        self._out.put({"refused": refused})


def _requirements(file: BinaryIO) -> str:
    """The text in the first line of a guarded import."""
    try:
        found = orjson.loads(file.readline(MAX_FIRST))["requirements"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        found = None
    if not isinstance(found, str):
        raise BadInput(
            "the first line has no requirements",
            code="BAD_REQUEST",
            cure='it is {"requirements": TEXT}, and not packed',
        )
    return found


def _waiting(out: queue.Queue[Any]) -> list[Any]:
    """What waits, at least one: each piece of an answer costs a change of thread."""
    found = [out.get()]
    found.extend(_drain(out))
    return found


def _drain(out: queue.Queue[Any]) -> list[Any]:
    found = []
    with contextlib.suppress(queue.Empty):
        while True:
            found.append(out.get_nowait())
    return found


def _enter(places: _Places, what: str) -> None:
    if not places.acquire(blocking=False):
        raise Unavailable(f"other {what} are under way", code="OVERLOADED", cure="try again later")


class _Held:
    """Blocks whose reader holds one of the places until it is done or gives up."""

    def __init__(self, blocks: Generator[bytes, None, None], places: _Places) -> None:
        self._blocks = blocks
        self._places: _Places | None = places

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._blocks)

    def close(self) -> None:
        self._blocks.close()
        places, self._places = self._places, None
        if places:
            places.release()

    __del__ = close  # an answer that never began is only dropped


async def _streamed(held: _Held) -> AsyncIterator[bytes]:
    try:
        async for block in iterate_in_threadpool(held):
            yield block
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(held.close)


def _blocks(lines: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The same bytes in larger pieces: a piece costs a change of thread."""
    parts: list[bytes] = []
    size = 0
    for line in lines:
        parts.append(line)
        size += len(line)
        if size >= BLOCK_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join(parts)


def _packed(blocks: Iterable[bytes]) -> Generator[bytes, None, None]:
    packer = zlib.compressobj(level=6, wbits=31)
    for block in blocks:
        if packed := packer.compress(block):
            yield packed
    yield packer.flush()
