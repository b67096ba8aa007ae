"""Errors on the wire: HTTP status and body of a TwinError, and of a bug."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from twinfall.api.requirements.breaking import BreaksRequirement
from twinfall.ontology.errors import BadRows, ModelIncomplete, ModelInvalid, TwinError

STATUS: Mapping[str, int] = MappingProxyType(
    {
        "UNAUTHENTICATED": 401,
        "FORBIDDEN": 403,
        "NOT_FOUND": 404,
        "EXISTS": 409,
        "STALE_VERSION": 409,
        "GRAPH_IN_USE": 409,
        "TOO_LARGE": 413,
        "UNSUPPORTED": 415,
        "RATE_LIMITED": 429,
        "INTERNAL": 500,
        "STORE_UNAVAILABLE": 503,
        "DISK_FULL": 503,
        "STOPPING": 503,
        "MQTT_UNAVAILABLE": 503,
        "OVERLOADED": 503,
        "TIMEOUT": 503,
        "NO_REPLY": 504,
    }
)
"""HTTP status by error code; every other code is 400."""
RETRY_AFTER: Mapping[str, str] = MappingProxyType(
    {"RATE_LIMITED": "60", "STORE_UNAVAILABLE": "2", "OVERLOADED": "1", "TIMEOUT": "5"}
    | {"DISK_FULL": "10", "STOPPING": "5", "MQTT_UNAVAILABLE": "5"}
)
"""Seconds a client should wait, by error code."""


def status_of(error: TwinError) -> int:
    """The HTTP status of an error."""
    return STATUS.get(error.code, 400)


def headers_of(error: TwinError) -> dict[str, str]:
    """What the answer's head says beside the status."""
    headers = {}
    if error.code in RETRY_AFTER:
        headers["Retry-After"] = RETRY_AFTER[error.code]
    if error.code == "UNAUTHENTICATED":
        headers["WWW-Authenticate"] = 'Bearer realm="twinfall"'
    return headers


def body_of(error: TwinError, request_id: str) -> dict[str, Any]:
    """The answer's body, in GraphQL's shape on every path, so that clients read one form."""
    extensions: dict[str, Any] = {
        "code": error.code,
        "path": error.path,
        "cure": error.cure,
        "requestId": request_id,
        "retryable": error.retryable,
    }
    extensions |= details_of(error)
    return {"errors": [{"message": error.message, "extensions": extensions}]}


def details_of(error: TwinError) -> dict[str, list[Any]]:
    """Everything behind an error that stands for many: `problems`, `rows`, `undefined` or
    `findings` of requirements.
    """
    if isinstance(error, ModelInvalid):
        return {"problems": [asdict(problem) for problem in error.problems]}
    if isinstance(error, ModelIncomplete):
        return {"undefined": list(error.undefined)}
    if isinstance(error, BadRows):
        return {"rows": [asdict(row) for row in error.rows]}
    if isinstance(error, BreaksRequirement):
        return {"findings": [dict(one) for one in error.findings]}
    return {}


def bug(request_id: str) -> dict[str, Any]:
    """The body of an answer to a request that met a bug: no detail leaves the server."""
    extensions = {
        "code": "INTERNAL",
        "path": "",
        "cure": f"look for request {request_id} in the server's log, and please report it",
        "requestId": request_id,
        "retryable": False,
    }
    return {"errors": [{"message": "a bug in Twinfall", "extensions": extensions}]}
