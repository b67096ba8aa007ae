"""The HTTP application: which path leads where. What a path does stands in its own module."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from twinfall.api.access import Access
from twinfall.api.asking import LIMITS, Asking, Limits
from twinfall.api.backups import Backups
from twinfall.api.guard import LOCAL_NAMES, Guard, Rules, host_name, is_local
from twinfall.api.keys import Keys
from twinfall.api.metrics import Metrics, Showing
from twinfall.api.problems import body_of
from twinfall.api.readings import Readings
from twinfall.api.requests import Requests
from twinfall.api.services import Services
from twinfall.api.transfer import Transfer
from twinfall.ontology.errors import TwinError

PAGE_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the editor styles its lines inline
        "img-src 'self' data:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self' ws: wss:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
_CODE_OF_STATUS = {404: "NOT_FOUND", 405: "BAD_REQUEST"}


@dataclass(frozen=True, slots=True)
class Served:
    """What an application serves, and how openly."""

    services: Services
    keys: Keys
    rules: Rules


def rules_of(services: Services, *, insecure: bool) -> Rules:
    """The rules that the settings ask for."""
    settings = services.settings
    own = {host_name(h) for h in settings.allowed_hosts}
    if is_local(settings.host):
        own.add(settings.host.lower())
    return Rules(settings.host, insecure, LOCAL_NAMES | own, frozenset(settings.cors_origins))


def create_app(services: Services, *, insecure: bool = False, limits: Limits = LIMITS) -> FastAPI:
    """The application over these services; opens and closes nothing itself."""
    rules = rules_of(services, insecure=insecure)
    metrics = Metrics(services)
    served = Served(services, Keys(services.folder), rules)
    app = FastAPI(
        title="Twinfall",
        openapi_url=None,  # the schema of /graphql describes itself; no page loads foreign files
        middleware=_middleware(rules, metrics),
        exception_handlers={HTTPException: _no_such_path},
    )
    guard = Guard(served.keys, rules, time.monotonic)

    def admit(request: Request) -> Access:
        client = request.client.host if request.client else ""
        access = guard.admit(request.headers, client)
        request.state.access = access
        return access

    asking = Asking(services, admit, limits)
    transfer = Transfer(services, admit)
    app.add_route("/graphql", asking.ask, methods=["GET", "POST"])
    app.add_route("/export", transfer.export, methods=["GET"])
    app.add_route("/import", transfer.take, methods=["POST"])
    app.add_route("/backup", Backups(services, admit).give, methods=["GET"])
    readings = Readings(services, admit)
    app.add_route("/ingest", readings.ingest, methods=["POST"])
    app.add_route("/api/v2/write", readings.write, methods=["POST"])
    app.add_route("/write", readings.write, methods=["POST"])
    app.add_route("/ping", readings.ping, methods=["GET", "HEAD"])
    app.add_route("/health", readings.health, methods=["GET"])
    app.add_route("/livez", _alive, methods=["GET"])
    app.add_route("/readyz", _Readiness(services).answer, methods=["GET"])
    app.add_route("/metrics", Showing(metrics, admit).answer, methods=["GET"])
    _add_pages(app)
    return app


def _middleware(rules: Rules, metrics: Metrics) -> list[Middleware]:
    found = [Middleware(Requests, metrics=metrics)]
    if rules.origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=sorted(rules.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-api-key", "x-request-id"],
            expose_headers=["x-request-id", "retry-after"],
            max_age=600,
        )
        found.append(cors)
    return found


def _add_pages(app: FastAPI) -> None:
    """The page at `/` with its files, where the build put them."""
    static = Path(str(files("twinfall.api").joinpath("static")))
    page = static / "index.html"

    async def index(_request: Request) -> Response:
        if not page.is_file():
            return RedirectResponse("/readyz")
        headers = {"content-security-policy": PAGE_POLICY, "cache-control": "no-cache"}
        return FileResponse(page, headers=headers)

    app.add_route("/", index, methods=["GET"])
    if static.is_dir():
        app.mount("/static", _Static(directory=static))


class _Static(StaticFiles):
    """Files of the page; scripts among them start workers, which obey their own file's policy."""

    def file_response(self, *args: object, **more: object) -> Response:
        response = super().file_response(*args, **more)  # type: ignore[arg-type]
        response.headers["content-security-policy"] = PAGE_POLICY
        return response


async def _alive(_request: Request) -> Response:
    return Response(b'{"alive":true}', media_type="application/json")


class _Readiness:
    def __init__(self, services: Services) -> None:
        self._services = services

    def answer(self, request: Request) -> Response:
        """Ready: questions are answered. Readings may be taken while they are not yet."""
        parts = self._services.parts()
        try:
            self._services.check()
        except TwinError as error:
            told = {"ready": False} | parts | body_of(error, request.state.request_id)
            body = orjson.dumps(told)
            return Response(body, 503, {"retry-after": "2"}, media_type="application/json")
        return Response(orjson.dumps({"ready": True} | parts), media_type="application/json")


async def _no_such_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODE_OF_STATUS.get(error.status_code, "BAD_REQUEST")
    shown = TwinError(f"{error.detail}: {request.method} {request.url.path[:200]}", code=code)
    body = orjson.dumps(body_of(shown, request.state.request_id))
    return Response(body, error.status_code, error.headers, media_type="application/json")
