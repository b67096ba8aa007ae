"""`/graphql`: reads a question, lets the GraphQL service answer it, within limits.

Limits on the query itself (text, depth, cost) are the GraphQL service's; here are those on the
request: size, nesting, how many at once, how long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from twinfall.api.access import Access
from twinfall.api.bodies import body_of
from twinfall.api.services import Services
from twinfall.ontology.errors import BadInput, Refused, Unavailable

MAX_BODY_BYTES = 16_000_000
"""Large enough for the models of a whole ontology in one mutation."""
MAX_JSON_DEPTH = 32
CHECK = "checkRequirements"
Admit = Callable[[Request], Access]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many questions are answered at once, and for how long each is waited for."""

    at_once: int = 50
    query_seconds: float = 10.0
    mutation_seconds: float = 120.0
    check_seconds: float = 28.0
    """Of requirements, which end by themselves after 25 s and say what they did not get to."""


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Question:
    """A GraphQL request as sent."""

    query: str
    variables: dict[str, Any] | None
    operation: str | None


class Asking:
    """Answers `/graphql`."""

    def __init__(self, services: Services, admit: Admit, limits: Limits = LIMITS) -> None:
        self._services = services
        self._admit = admit
        self._limits = limits
        self._running: set[asyncio.Task[Any]] = set()

    async def ask(self, request: Request) -> Response:
        """GET for queries, POST for queries and mutations."""
        access = self._admit(request)
        if request.method == "GET":
            question = _from_address(request)
        else:
            question = _question(await _json_body(request))
        return await self._answer(request, question, access)

    async def _answer(self, request: Request, question: Question, access: Access) -> Response:
        limits = self._limits
        if len(self._running) >= limits.at_once:
            raise Unavailable(
                f"{limits.at_once} queries are being answered already",
                code="OVERLOADED",
                cure="send it again in a second",
            )
        work = self._services.graphql.execute(
            question.query,
            question.variables,
            question.operation,
            access,
            request.state.request_id,
            allow_mutation=request.method == "POST",
        )
        task = asyncio.create_task(work)
        # A thread cannot be stopped: the task keeps its place among the running until it ends.
        self._running.add(task)
        task.add_done_callback(self._ended)
        # Only who may write is waited for longer: the word alone could stand in a comment.
        writes = access.writes and "mutation" in question.query
        limit = limits.mutation_seconds if writes else limits.query_seconds
        if CHECK in question.query:
            limit = max(limit, limits.check_seconds)
        done, _ = await asyncio.wait({task}, timeout=limit)
        if not done:
            raise Unavailable(
                f"no answer within {limit:g} s",
                code="TIMEOUT",
                cure="ask for less; a mutation may still be carried out",
            )
        answer = task.result()
        return Response(answer.body, answer.status, media_type="application/json")

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # taken, so that a late failure is not reported as forgotten


def media_type(request: Request) -> str:
    """The bare Content-Type."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _json_body(request: Request) -> Any:
    if media_type(request) != "application/json":
        # Also what keeps foreign pages out: a browser asks before it sends this type across.
        raise BadInput("Content-Type must be application/json", code="UNSUPPORTED")
    try:
        value = orjson.loads(await body_of(request, MAX_BODY_BYTES))
    except orjson.JSONDecodeError as error:
        raise BadInput(
            f"the body is not JSON: {error.msg}",
            code="BAD_REQUEST",
            path=f"line {error.lineno}, column {error.colno}",
        ) from None
    if _deeper_than(value, MAX_JSON_DEPTH):
        raise Refused(f"the JSON is nested deeper than {MAX_JSON_DEPTH}", code="TOO_LARGE")
    return value


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _from_address(request: Request) -> Question:
    given = request.query_params
    variables = None
    if given.get("variables"):
        try:
            variables = orjson.loads(given["variables"])
        except orjson.JSONDecodeError as error:
            raise BadInput(str(error), code="BAD_REQUEST", path="variables") from None
    return _question(
        {
            "query": given.get("query"),
            "variables": variables,
            "operationName": given.get("operationName"),
        }
    )


def _question(body: Any) -> Question:
    if not isinstance(body, dict):
        raise BadInput(
            'send one object: {"query": "...", "variables": {}}',
            code="BAD_REQUEST",
            cure="batches of queries are not taken",
        )
    query, variables = body.get("query"), body.get("variables")
    operation = body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise BadInput("the query is missing", code="BAD_REQUEST", path="query")
    if variables is not None and not isinstance(variables, dict):
        raise BadInput("it must be an object", code="BAD_REQUEST", path="variables")
    if operation is not None and not isinstance(operation, str):
        raise BadInput("it must be a text", code="BAD_REQUEST", path="operationName")
    return Question(query, variables, operation or None)
