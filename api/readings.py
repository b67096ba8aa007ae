"""Readings over HTTP: `/ingest` as JSON, `/api/v2/write` and `/write` as Influx line protocol.

Decoding runs in a thread; the answer comes after the commit, so that 2xx means on disk.
"""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from twinfall.api.asking import Admit
from twinfall.api.bodies import body_of
from twinfall.api.services import Services
from twinfall.ingestion.decoding.json_rows import RowDecoder
from twinfall.ingestion.decoding.line_protocol import LineDecoder
from twinfall.ingestion.frame import Frame, Receipt
from twinfall.ingestion.telemetry import Telemetry
from twinfall.ontology.errors import BadInput, Refused, TwinError, Unavailable

MAX_BODY_BYTES = 16_000_000
"""As sent, and as unpacked."""
MAX_MEMBERS = 1_000
"""Of a gzip body."""
COMMIT_SECONDS = 30.0
MAX_AT_ONCE = 64
"""Requests whose bodies are in memory at once; beyond it senders are told to wait."""
MAX_SAID = 5
"""Refused lines that an answer to an Influx client names; all are among the dead letters."""
VERSION_HEADERS = {"x-influxdb-version": "2.0-twinfall", "x-influxdb-build": "OSS"}
_PRECISIONS = {"ns": "ns", "n": "ns", "us": "us", "u": "us", "ms": "ms", "s": "s", "": "ns"}


class Readings:
    """Answers what senders of readings ask."""

    def __init__(self, services: Services, admit: Admit) -> None:
        self._services = services
        self._admit = admit
        self._lock = threading.Lock()
        self._at_once = 0
        self._for: Telemetry | None = None
        self._rows: RowDecoder | None = None
        self._lines: LineDecoder | None = None

    async def ingest(self, request: Request) -> Response:
        """POST /ingest: JSON array or NDJSON, gzip or not."""
        self._allowed(request)
        with self._one_more():
            body = await _body(request)
            rows, _ = self._decoders()
            kind = request.headers.get("content-type", "")
            receipt = await self._taken(lambda: rows.decode(body, content_type=kind))
        refused = [
            {"index": fault.row, "code": fault.code, "message": fault.message}
            for fault in receipt.refused
        ]
        told = {"stored": receipt.stored, "refused": len(refused), "rows": refused}
        return Response(orjson.dumps(told), media_type="application/json")

    async def write(self, request: Request) -> Response:
        """POST /api/v2/write and /write: line protocol, answered as InfluxDB does."""
        try:
            self._allowed(request)
            precision = _PRECISIONS.get(request.query_params.get("precision", ""))
            if precision is None:
                raise BadInput("no such precision", code="BAD_REQUEST", cure="ns, us, ms or s")
            with self._one_more():
                body = await _body(request)
                _, lines = self._decoders()
                receipt = await self._taken(lambda: lines.decode(body, precision=precision))
        except TwinError as error:
            return _influx_error(error)
        if not receipt.refused:
            return Response(status_code=204, headers=VERSION_HEADERS)
        said = "; ".join(f"line {f.row + 1}: {f.message}" for f in receipt.refused[:MAX_SAID])
        count = len(receipt.refused)
        message = f"partial write: {said} dropped={count} ({receipt.stored} stored)"
        told = {"code": "invalid", "message": message, "error": message}
        return Response(orjson.dumps(told), 400, VERSION_HEADERS, "application/json")

    async def ping(self, _request: Request) -> Response:
        """GET /ping, as InfluxDB's clients expect."""
        return Response(status_code=204, headers=VERSION_HEADERS)

    async def health(self, _request: Request) -> Response:
        """GET /health, as InfluxDB's clients expect."""
        try:
            _ = self._services.telemetry
            told, status = {"name": "twinfall", "status": "pass", "message": "ready"}, 200
        except TwinError as error:
            told, status = {"name": "twinfall", "status": "fail", "message": error.message}, 503
        return Response(orjson.dumps(told), status, VERSION_HEADERS, "application/json")

    def _allowed(self, request: Request) -> None:
        access = self._admit(request)
        if not (access.role == "ingest" or access.writes or access.role == "operator"):
            raise Refused(
                "this key may not write readings", cure="use a key with role ingest or admin"
            )

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        """While a request is worked on. Only the event loop's thread comes here."""
        if self._at_once >= MAX_AT_ONCE:
            raise Unavailable(
                f"{MAX_AT_ONCE} requests with readings are worked on already",
                code="OVERLOADED",
                cure="send it again in a second",
            )
        self._at_once += 1
        try:
            yield
        finally:
            self._at_once -= 1

    def _decoders(self) -> tuple[RowDecoder, LineDecoder]:
        telemetry = self._services.telemetry
        with self._lock:
            if self._for is not telemetry or self._rows is None or self._lines is None:
                self._for = telemetry
                self._rows = RowDecoder(telemetry.catalogue)
                self._lines = LineDecoder(telemetry.catalogue)
            return self._rows, self._lines

    async def _taken(self, decode: Callable[[], Frame]) -> Receipt:
        telemetry = self._services.telemetry
        future = telemetry.submit(await run_in_threadpool(decode))
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                return await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError:
            raise Unavailable(
                f"not committed within {COMMIT_SECONDS:g} s",
                code="TIMEOUT",
                cure="send it again: readings with a time are kept once",
            ) from None


async def _body(request: Request) -> bytes:
    body = await body_of(request, MAX_BODY_BYTES)
    packing = request.headers.get("content-encoding", "").strip().lower()
    if packing in ("", "identity"):
        return body
    if packing != "gzip":
        raise BadInput(f"Content-Encoding {packing[:20]!r} is not understood", code="UNSUPPORTED")
    return await run_in_threadpool(_unpacked, body)


def _unpacked(body: bytes) -> bytes:
    """What a gzip body says; several members after each other are one, as in a gzip file."""
    found: list[bytes] = []
    room = MAX_BODY_BYTES + 1
    while body:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            found.append(unpacker.decompress(body, room))
        except zlib.error as error:
            raise BadInput(f"the body is not gzip: {error}", code="BAD_REQUEST") from None
        room -= len(found[-1])
        if room <= 0:
            message = f"the body unpacks to more than {MAX_BODY_BYTES} bytes"
            raise Refused(message, code="TOO_LARGE")
        if not unpacker.eof:
            raise BadInput("the gzip body is cut off", code="BAD_REQUEST")
        if len(found) == MAX_MEMBERS and unpacker.unused_data:
            message = f"the gzip body has more than {MAX_MEMBERS} members"
            raise Refused(message, code="TOO_LARGE")
        body = unpacker.unused_data
    return b"".join(found)


def _influx_error(error: TwinError) -> Response:
    names: dict[type[TwinError], tuple[int, str]] = {
        Refused: (413 if error.code == "TOO_LARGE" else 403, "forbidden"),
        Unavailable: (503, "unavailable"),
    }
    status, code = names.get(type(error), (400, "invalid"))
    if error.code == "UNAUTHENTICATED":
        status, code = 401, "unauthorized"
    if error.code == "RATE_LIMITED":
        status, code = 429, "too many requests"
    told: dict[str, Any] = {"code": code, "message": str(error), "error": str(error)}
    headers = dict(VERSION_HEADERS)
    if status in (429, 503):
        headers["retry-after"] = "1"
    return Response(orjson.dumps(told), status, headers, "application/json")
