"""GraphQLService: the door through which the HTTP room asks."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import orjson
from anyio import to_thread
from graphql import (
    DocumentNode,
    GraphQLError,
    OperationType,
    parse,
    specified_rules,
    validate,
)

from twinfall.api.access import Access
from twinfall.api.actions.actions import Actions
from twinfall.api.graphql.errors import formatted, invalid
from twinfall.api.graphql.execution import Projected
from twinfall.api.graphql.limits import MAX_TEXT, MAX_TOKENS, Measure, measure, operation_of
from twinfall.api.graphql.periods import Source
from twinfall.api.graphql.roots import Asking, answer
from twinfall.api.graphql.schema import MAX_MODELS, GraphSchema, build_schema, models_in_use
from twinfall.api.lookout import Lookout
from twinfall.api.networks import LiveNetwork, Networks, OneMoment
from twinfall.api.requirements.keeper import Keeper
from twinfall.api.states import States
from twinfall.graph.graph import Graph
from twinfall.graph.models import Models
from twinfall.ontology.errors import BadQuery, Refused, TwinError

MAX_PREPARED = 500
"""Documents kept parsed and validated."""
MAX_INTROSPECTIONS = 8
"""Answers to introspection kept, the largest of all."""
MAX_THREADS = 32
"""Root fields at work at once."""
MAX_SECONDS = 30.0
"""For one root field of a query; a mutation is never given up half way."""
MAX_RESPONSE = 10_000_000
"""Bytes of an answer..."""
MAX_FILE_RESPONSE = 120_000_000
"""... and of one that has a list for a file in it, which has bounds of its own."""
_FILE = re.compile(r"\b(csv|geoJson)\b")
MAX_ERRORS = 20
"""Validation errors that one answer lists."""
RECOUNT_SECONDS = 10.0
"""Between looks whether more models have come into use; only with more models than types."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a JSON body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A parsed document and what validation found wrong with it."""

    document: DocumentNode
    errors: tuple[GraphQLError, ...]


@dataclass(slots=True)
class _Serving:
    """A schema with what belongs to it; replaced as a whole."""

    revision: int
    models: Models
    used: frozenset[str]
    schema: GraphSchema
    prepared: OrderedDict[str, Prepared] = field(default_factory=OrderedDict)
    introspections: OrderedDict[str, bytes] = field(default_factory=OrderedDict)


class GraphQLService:
    """Answers GraphQL over one graph. `show` names models that get types however many there are.

    The schema follows the loaded models: the first request after a change builds the new one.
    """

    def __init__(
        self,
        graph: Graph,
        networks: Networks | None = None,
        *,
        show: Collection[str] = (),
        max_models: int = MAX_MODELS,
        clock: Callable[[], float] = time.monotonic,
        lookout: Lookout | None = None,
        actions: Actions | None = None,
        states: States | None = None,
        telemetry: Source | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._graph = graph
        self._networks = networks or LiveNetwork(graph)
        self._show = frozenset(show)
        self._max_models = max_models
        self._clock = clock
        self._lookout = lookout
        self._actions = actions
        self._states = states
        self._telemetry = telemetry
        self._keeper = keeper
        self._building = threading.Lock()
        self._caching = threading.Lock()
        self._threads: anyio.CapacityLimiter | None = None
        self._counted = clock()
        self._serving = self._build()

    # -- the door -------------------------------------------------------------------------

    def sdl(self) -> str:
        """The schema of the models that are loaded now."""
        return self._current().schema.sdl()

    def refresh(self) -> None:
        """Build a new schema if models were loaded, or more than have types came into use."""
        with self._building:
            if self._is_stale() or self._used() != self._serving.used:
                self._serving = self._build()

    async def execute(
        self,
        query: str,
        variables: Mapping[str, Any] | None,
        operation: str | None,
        access: Access,
        request_id: str,
        allow_mutation: bool = True,
    ) -> Answer:
        """Answer a request. Never raises for anything a caller can do."""
        try:
            if not access.reads:
                raise Refused(f"role {access.role} cannot ask questions", cure="use another key")
            asked = _Asked(query, dict(variables or {}), operation, allow_mutation)
            return await self._execute(asked, access, request_id)
        except (TwinError, GraphQLError) as error:
            return _refusal([error], request_id)
        except Exception as error:
            return _refusal([error], request_id, status=500)

    async def _execute(self, asked: _Asked, access: Access, request_id: str) -> Answer:
        serving = self._serving
        if self._is_stale() or self._is_recount_due():
            serving = await to_thread.run_sync(self._current, limiter=self._limiter())
        prepared = self._known(serving, asked.query)
        if prepared is None:
            make = partial(self._prepare, serving, asked)
            prepared = await to_thread.run_sync(make, limiter=self._limiter())
        chosen = operation_of(prepared.document, asked.operation)
        if chosen.operation is OperationType.MUTATION and not asked.allow_mutation:
            error = BadQuery("a mutation cannot be sent with GET", cure="send it with POST")
            return _refusal([error], request_id, status=405)
        found = measure(prepared.document, chosen, asked.variables)
        if prepared.errors:
            return Answer(200, orjson.dumps({"errors": invalid(prepared.errors, request_id)}))
        asking = Asking(
            prepared.document,
            access,
            request_id,
            self._graph,
            serving.models,
            serving.schema,
            OneMoment(self._networks),
            self._lookout,
            self._actions,
            self._states,
            self._telemetry,
            self._keeper,
        )
        if _is_introspection(found):
            return await self._introspect(serving, asked, asking)
        result = await serving.schema.strawberry.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=asking,
            operation_name=asked.operation,
        )
        return _answer(result, request_id, _room(asked.query))

    # -- documents ------------------------------------------------------------------------

    def _known(self, serving: _Serving, query: str) -> Prepared | None:
        with self._caching:
            found = serving.prepared.get(query)
            if found is not None:
                serving.prepared.move_to_end(query)
            return found

    def _prepare(self, serving: _Serving, asked: _Asked) -> Prepared:
        """Parse, measure, validate: nothing is validated that is not within the limits."""
        document = parsed(asked.query)
        measure(document, operation_of(document, asked.operation), asked.variables)
        errors = validate(serving.schema.core, document, specified_rules, max_errors=MAX_ERRORS)
        prepared = Prepared(document, tuple(errors))
        with self._caching:
            serving.prepared[asked.query] = prepared
            while len(serving.prepared) > MAX_PREPARED:
                serving.prepared.popitem(last=False)
        return prepared

    async def _introspect(self, serving: _Serving, asked: _Asked, asking: Asking) -> Answer:
        """Introspection is slow and always the same: computed in a thread, then kept."""
        key = orjson.dumps([asked.query, asked.operation, asked.variables]).decode()
        known = serving.introspections.get(key)
        if known is not None:
            return Answer(200, known)
        made = await to_thread.run_sync(
            lambda: serving.schema.strawberry.execute_sync(
                asked.query,
                variable_values=asked.variables,
                context_value=asking,
                operation_name=asked.operation,
            ),
            limiter=self._limiter(),
        )
        found = _answer(made, asking.request_id, MAX_RESPONSE)
        if not made.errors:
            with self._caching:
                serving.introspections[key] = found.body
                while len(serving.introspections) > MAX_INTROSPECTIONS:
                    serving.introspections.popitem(last=False)
        return found

    # -- root fields ----------------------------------------------------------------------

    async def _resolve(self, _: Any, info: Any, **__: Any) -> Projected:
        """Answer a root field in a worker thread."""
        if info.parent_type.name == "Mutation":
            return await to_thread.run_sync(answer, info, limiter=self._limiter())
        try:
            with anyio.fail_after(MAX_SECONDS):
                return await to_thread.run_sync(
                    answer, info, limiter=self._limiter(), abandon_on_cancel=True
                )
        except TimeoutError:
            raise Refused(
                f"{info.field_name} took more than {MAX_SECONDS:.0f} s",
                code="TOO_COSTLY",
                cure="ask for less at once",
            ) from None

    def _limiter(self) -> anyio.CapacityLimiter:
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(MAX_THREADS)
        return self._threads

    # -- the schema -----------------------------------------------------------------------

    def _is_stale(self) -> bool:
        return self._graph.revision != self._serving.revision

    def _is_recount_due(self) -> bool:
        complete = self._serving.schema.complete
        return not complete and self._clock() - self._counted > RECOUNT_SECONDS

    def _current(self) -> _Serving:
        if self._is_stale() or self._is_recount_due():
            self._counted = self._clock()
            self.refresh()
        return self._serving

    def _used(self) -> frozenset[str]:
        ontology = self._graph.ontology
        if len(ontology.interfaces) <= self._max_models:
            return frozenset(ontology.interfaces)
        counts = self._graph.counts()
        with_twins = [*counts.twins, *counts.components]
        named = [self._graph.names.dtmi(name) or name for name in self._show]
        return models_in_use(ontology, with_twins, named, self._max_models)

    def _build(self) -> _Serving:
        revision = self._graph.revision  # first: too old a number only means building once more
        models, used = self._graph.models, self._used()
        schema = build_schema(models.ontology, models.names, used, self._resolve)
        return _Serving(revision, models, used, schema)


@dataclass(frozen=True, slots=True)
class _Asked:
    query: str
    variables: dict[str, Any]
    operation: str | None
    allow_mutation: bool


def parsed(query: str) -> DocumentNode:
    """The document of a query text. Raises GraphQLError, BadQuery, Refused TOO_COSTLY."""
    if len(query) > MAX_TEXT:
        raise Refused(
            f"the query text has {len(query)} characters, at most {MAX_TEXT} are read",
            code="TOO_COSTLY",
            cure="send values as variables",
        )
    if not query.strip():
        raise BadQuery("there is no query", cure='send {"query": "{ service { version } }"}')
    try:
        return parse(query, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        if "tokens" in error.message:
            raise Refused(
                f"the query has more than {MAX_TOKENS} words and signs",
                code="TOO_COSTLY",
                cure="send values as variables, or ask in several steps",
            ) from None
        if "nested too deeply" in error.message:
            raise Refused(
                "the query nests too deep to be read",
                code="TOO_COSTLY",
                cure="ask in several steps",
            ) from None
        raise


def _is_introspection(found: Measure) -> bool:
    return bool(found.roots) and all(name.startswith("__") for name in found.roots)


def _refusal(errors: Any, request_id: str, status: int = 200) -> Answer:
    return Answer(status, orjson.dumps({"errors": formatted(errors, request_id)}))


def _room(query: str) -> int:
    """Bytes that the answer may have."""
    return MAX_FILE_RESPONSE if _FILE.search(query) else MAX_RESPONSE


def _answer(result: Any, request_id: str, room: int) -> Answer:
    content: dict[str, Any] = {"data": result.data}
    if result.errors:
        content["errors"] = formatted(result.errors, request_id)
    body = orjson.dumps(content, default=_plain)
    if len(body) > room:
        error = Refused(
            f"the answer has {len(body)} bytes, at most {room} are sent",
            code="TOO_LARGE",
            cure="take smaller pages or fewer fields",
        )
        return _refusal([error], request_id)
    return Answer(200, body)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
