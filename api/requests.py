"""What every request gets: an id, one line in the log, safe headers, and an answer.

One of the places that catch everything: a bug becomes INTERNAL with the request's id, its
traceback goes to the log only.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twinfall.api.metrics import Metrics
from twinfall.api.problems import body_of, bug, headers_of, status_of
from twinfall.ontology.errors import TwinError

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NO_CONTENT = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
log = logging.getLogger("twinfall.access")
bugs = logging.getLogger("twinfall.bugs")


class Requests:
    """The outermost ASGI application around ours."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        one = _Request(scope, send)
        try:
            await self._app(scope, receive, one.send)
        except TwinError as error:
            await one.refuse(error)
        except Exception:
            bugs.exception("request %s", one.id, extra={"request": one.id})
            await one.fail()
        finally:
            one.note(self._metrics)


class _Request:
    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start = time.perf_counter()
        self._status = 0
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        self.id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = self.id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            present = {name for name, _ in message["headers"]}
            more = [h for h in (*_SAFE_HEADERS, _NO_CONTENT) if h[0] not in present]
            message["headers"] = [
                *message["headers"],
                *more,
                (b"x-request-id", self.id.encode()),
            ]
        await self._send(message)

    async def refuse(self, error: TwinError) -> None:
        await self._answer(status_of(error), body_of(error, self.id), headers_of(error))

    async def fail(self) -> None:
        await self._answer(500, bug(self.id), {})

    async def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        if self._status:
            # The answer has begun: all that is left is to break it off, which the server does
            # when we return without its end.
            return
        raw = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        raw += [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": orjson.dumps(body)})

    def note(self, metrics: Metrics) -> None:
        """Count it; one line for the log, without query and headers, which may hold secrets."""
        seconds = time.perf_counter() - self._start
        metrics.count(self._scope, self._status, seconds)
        access = self._scope["state"].get("access")
        client = self._scope.get("client") or ("",)
        fields = {
            "request": self.id,
            "who": access.name if access else "",
            "from": client[0],
            "method": self._scope["method"],
            "path": self._scope["path"],
            "status": self._status,
            "ms": round(seconds * 1000, 1),
        }
        log.info("request", extra={"fields": fields})
