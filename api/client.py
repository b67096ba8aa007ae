"""A Twinfall server seen from a command: questions, imports and exports over HTTP."""

from __future__ import annotations

import gzip
import http.client
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

import orjson

from twinfall.graph.ndjson import ImportReport, Progress, Refuse
from twinfall.ontology.errors import BadInput, Conflict, TwinError, Unavailable

if TYPE_CHECKING:
    from twinfall.ingestion.frame import Receipt
    from twinfall.ingestion.sources.files import Entry
    from twinfall.ingestion.sources.replay import Send

ANSWER_SECONDS = 150.0
"""Longer than the server's own limits, which answer with a reason."""
BLOCK_BYTES = 65_536
MAX_ANSWER_BYTES = 256_000_000
SENDERS = 2


def request_body(query: str, variables: dict[str, Any] | None) -> bytes:
    """A GraphQL request as JSON. Raises BadInput for words of a command line that are not UTF-8."""
    try:
        return orjson.dumps({"query": query, "variables": variables or {}})
    except TypeError as error:
        raise BadInput(f"cannot be sent: {error}", cure="write it in UTF-8") from None


class ServerSays(TwinError):
    """An error that a server answered, with its details (problems, rows)."""

    def __init__(self, answer: dict[str, Any]) -> None:
        error = answer["errors"][0]
        more = error.get("extensions") or {}
        code = more.get("code") or "BAD_QUERY"
        super().__init__(
            error["message"],
            code=code,
            path=str(more.get("path") or (_place(error) if code == "BAD_QUERY" else "")),
            cure=more.get("cure") or "",
        )
        self.retryable = bool(more.get("retryable"))
        names = ("problems", "rows", "undefined", "findings")
        self.details: dict[str, list[Any]] = {n: more[n] for n in names if more.get(n)}


def _place(error: dict[str, Any]) -> str:
    """Where in the query, for errors of the query itself: others lie in what is there."""
    at = (error.get("locations") or [None])[0]
    return f"line {at['line']}, column {at['column']}" if at else ""


class Remote:
    """The server at `url`. Raises Unavailable where it does not answer, ServerSays for errors."""

    def __init__(self, url: str, key: str) -> None:
        address = urlsplit(url)
        self.url = url
        self._secure = address.scheme == "https"
        self._host, self._port = address.hostname or "", address.port
        self._base = address.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a GraphQL request, with `data` and perhaps `errors`."""
        body = request_body(query, variables)
        headers = {"Content-Type": "application/json"}
        with self._exchange("POST", "/graphql", headers, body) as response:
            answer = _json(response.read(MAX_ANSWER_BYTES), response)
        if answer.get("data") is None and answer.get("errors"):
            raise ServerSays(answer)
        return answer

    def take(
        self, file: BinaryIO, progress: Progress, refuse: Refuse, requirements: str = ""
    ) -> ImportReport:
        """Import an NDJSON file, packed or not; with requirements, only if they hold then."""
        # Ask first: a refusal that comes while the file is being sent is lost on the way.
        self.ask("{ service { caller { role } } }")
        headers = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"}
        path, body = "/import", _blocks(file)
        if requirements:
            first = orjson.dumps({"requirements": requirements}) + b"\n"
            path, body = "/import?requirements=first", chain([first], body)
        with self._exchange("POST", path, headers, body) as response:
            while line := response.readline():
                if report := _one(_json(line, response), progress, refuse):
                    return report
        raise Unavailable("the server broke off", path=self.url, cure="import again: it is safe")

    @contextmanager
    def sender(self) -> Iterator[Send]:
        """Sends readings of files to `/ingest`, a few requests at once."""
        with ThreadPoolExecutor(SENDERS) as pool:
            yield lambda batch: pool.submit(self._ingest, batch)

    def _ingest(self, batch: Sequence[Entry]) -> Receipt:
        from twinfall.ingestion.frame import Fault, Receipt
        from twinfall.ingestion.sources.replay import rows_of

        headers = {"Content-Type": "application/x-ndjson"}
        try:
            with self._exchange("POST", "/ingest", headers, rows_of(batch)) as response:
                answer = _json(response.read(MAX_ANSWER_BYTES), response)
        except ServerSays as error:
            if error.code != "OVERLOADED":
                raise
            raise Unavailable(error.message, code="OVERLOADED") from None
        rows = answer.get("rows") or []
        faults = tuple(Fault(row["index"], row["code"], row["message"]) for row in rows)
        return Receipt(int(answer["stored"]), faults)

    def export(self) -> Iterator[bytes]:
        """The whole graph as NDJSON, in blocks."""
        with self._exchange("GET", "/export", {"Accept-Encoding": "gzip"}, None) as response:
            packed = response.headers.get("Content-Encoding") == "gzip"
            source = gzip.GzipFile(fileobj=cast(BinaryIO, response)) if packed else response
            try:
                while block := source.read(BLOCK_BYTES):
                    yield block
            except (EOFError, OSError) as error:
                raise Unavailable("the export broke off", path=self.url) from error

    def download(self, path: str, target: Path) -> int:
        """A file that the server sends, whole or not at all; how many bytes. Raises Conflict
        EXISTS where `target` is there.
        """
        if target.exists():
            raise Conflict("is there already", code="EXISTS", path=str(target))
        part = target.with_name(f".{target.name}.part")
        try:
            with part.open("xb") as file, self._exchange("GET", path, {}, None) as response:
                shutil.copyfileobj(response, file, BLOCK_BYTES)
                if response.length:
                    raise Unavailable("the server broke off", path=self.url, cure="ask again")
                file.flush()
                os.fsync(file.fileno())
            part.chmod(0o600)
            os.link(part, target)  # unlike a rename, this never replaces
        except FileExistsError as error:
            place = str(error.filename2 or error.filename)
            raise Conflict("is there already", code="EXISTS", path=place) from None
        finally:
            part.unlink(missing_ok=True)
        return target.stat().st_size

    @contextmanager
    def _exchange(
        self, method: str, path: str, headers: dict[str, str], body: bytes | Iterator[bytes] | None
    ) -> Iterator[http.client.HTTPResponse]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=ANSWER_SECONDS)
        try:
            connection.request(
                method,
                self._base + path,
                body,
                self._headers | headers,
                encode_chunked="Transfer-Encoding" in headers,
            )
            response = connection.getresponse()
            if response.status != 200:
                raise ServerSays(_refusal(response))
            yield response
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                f"the server does not answer: {error}",
                code="SERVER_UNAVAILABLE",
                path=self.url,
                cure="is it running? `twinfall doctor` looks; TWINFALL_URL names another",
            ) from error
        finally:
            connection.close()


def _refusal(response: http.client.HTTPResponse) -> dict[str, Any]:
    answer = _json(response.read(MAX_ANSWER_BYTES), response)
    if not isinstance(answer.get("errors"), list) or not answer["errors"]:
        raise _foreign(response)
    return answer


def _one(line: dict[str, Any], progress: Progress, refuse: Refuse) -> ImportReport | None:
    if "errors" in line:
        raise ServerSays(line)
    if "report" in line:
        return ImportReport(**line["report"])
    if "progress" in line:
        progress(ImportReport(**line["progress"]))
    else:
        row = line["refused"]
        refuse(row["line"], row["code"], row["message"], row["row"].encode())
    return None


def _json(body: bytes, response: http.client.HTTPResponse) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _foreign(response) from None
    if not isinstance(answer, dict):
        raise _foreign(response)
    return answer


def _foreign(response: http.client.HTTPResponse) -> Unavailable:
    return Unavailable(
        f"what answers there is not Twinfall (HTTP {response.status})",
        code="SERVER_UNAVAILABLE",
        path="TWINFALL_URL",
        cure="check the address",
    )


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    while block := read(BLOCK_BYTES):
        yield block
