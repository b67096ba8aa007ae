"""Errors as GraphQL answers show them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from graphql import GraphQLError

from twinfall.ontology.errors import BadRows, ModelIncomplete, ModelInvalid, TwinError

log = logging.getLogger("twinfall.graphql")


def formatted(errors: Iterable[Exception], request_id: str) -> list[dict[str, Any]]:
    """The `errors` of an answer. What is not meant for callers is logged and masked."""
    return [_formatted(error, request_id) for error in errors]


def invalid(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """The `errors` of an answer to a document that validation refused: all of them the caller's,
    whatever a scalar raised underneath.
    """
    return formatted([GraphQLError(e.message, e.nodes) for e in errors], request_id)


def _formatted(error: Exception, request_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    cause: Exception | None = error
    if isinstance(error, GraphQLError):
        if error.locations:
            found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
        if error.path:
            found["path"] = list(error.path)
        cause = error.original_error
        while isinstance(cause, GraphQLError):
            cause = cause.original_error
    return {"message": _message(error, cause, request_id), **found} | {
        "extensions": _extensions(error, cause, request_id)
    }


def _message(error: Exception, cause: Exception | None, request_id: str) -> str:
    if isinstance(cause, TwinError):
        return cause.message
    if isinstance(error, GraphQLError) and cause is None:
        return error.message
    log.error("a query failed [%s]", request_id, exc_info=cause or error)
    return f"internal error; the log has it under {request_id}"


def _extensions(error: Exception, cause: Exception | None, request_id: str) -> dict[str, Any]:
    if isinstance(cause, TwinError):
        return {
            "code": cause.code,
            "path": cause.path or None,
            "cure": cause.cure or None,
            "requestId": request_id,
            "retryable": cause.retryable,
            **_details(cause),
        }
    bad_query = isinstance(error, GraphQLError) and cause is None
    return {
        "code": "BAD_QUERY" if bad_query else "INTERNAL",
        "path": None,
        "cure": None,
        "requestId": request_id,
        "retryable": False,
    }


def _details(cause: TwinError) -> dict[str, Any]:
    if isinstance(cause, ModelInvalid):
        return {"problems": [asdict(problem) for problem in cause.problems]}
    if isinstance(cause, ModelIncomplete):
        return {"undefined": list(cause.undefined)}
    if isinstance(cause, BadRows):
        return {"rows": [asdict(row) for row in cause.rows]}
    return {}
