"""Impact in GraphQL: the arrays answer, twins come by id in one fetch for all places."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from twinfall.analytics import AssetImpact, AssetNetwork, picturing
from twinfall.analytics.domains import FREE
from twinfall.analytics.exporting import impact_table
from twinfall.analytics.tables import Table
from twinfall.api.graphql.connections import TYPENAME, mentions
from twinfall.api.graphql.cursors import checked_first
from twinfall.api.graphql.durations import duration_text, seconds
from twinfall.api.graphql.files import WRITTEN
from twinfall.api.graphql.planning import Shape, Shaping
from twinfall.ontology.errors import BadQuery, Refused

if TYPE_CHECKING:
    from twinfall.api.graphql.compiler import Compiler
    from twinfall.api.graphql.selection import Mention, SelectionSets

MAX_FAILED = 1_000
"""Twins that fail together in one question."""
MAX_IMPACTS = 100
"""Impacts computed in one root field."""


class ImpactMaker:
    """Computes impacts for one root field, each once."""

    def __init__(self, network: Callable[[], AssetNetwork]) -> None:
        self._network = network
        self._made: dict[tuple[tuple[str, ...], str | None], AssetImpact] = {}

    def of(self, failed: Sequence[str], horizon: str | None) -> AssetImpact:
        """The impact of these twins failing together. Raises UnknownTwin, Refused."""
        if len(failed) > MAX_FAILED:
            raise _too_costly(f"more than {MAX_FAILED} twins fail together")
        key = (tuple(failed), horizon)
        if key not in self._made:
            if len(self._made) == MAX_IMPACTS:
                raise _too_costly(f"one field asks for more than {MAX_IMPACTS} impacts")
            limit = None if horizon is None else seconds(horizon, "horizon")
            self._made[key] = self._network().impact(failed, limit)
        return self._made[key]


def _too_costly(message: str) -> Refused:
    return Refused(message, code="TOO_COSTLY", cure="ask about fewer twins at once")


_Part: TypeAlias = "Callable[[Compiler, Any, SelectionSets], Shape]"
"""Makes the shape of a field from its arguments and what is selected below it."""


def compile_impact(compiler: Compiler, sets: SelectionSets) -> Shape:
    """Shapes an `AssetImpact`."""
    outer, compiler.in_impact = compiler.in_impact, True
    try:
        parts = [(m.key, _impact_field(compiler, m)) for m in mentions(compiler, sets)]
    finally:
        compiler.in_impact = outer
    return lambda impact, shaping: {key: make(impact, shaping) for key, make in parts}


def _impact_field(compiler: Compiler, mention: Mention) -> Shape:
    name = mention.name
    shape = compiler.schema.shapes.types["Impact"]
    if name == TYPENAME:
        return lambda *_: "Impact"
    if name in _WHOLE:
        read = _WHOLE[name]
        return lambda impact, _: read(impact)
    arguments = compiler.arguments(shape, shape.fields[name], mention)
    return _PARTS[name](compiler, arguments, mention.below)


_WHOLE: dict[str, Callable[[AssetImpact], Any]] = {
    "snapshot": lambda impact: impact.snapshot,
    "svg": picturing.svg,
    "png": lambda impact: base64.b64encode(picturing.png(impact)).decode(),
}
_COUNTS: dict[str, Callable[[AssetImpact], Any]] = {
    "affected": lambda impact: impact.count,
    "nearMisses": lambda impact: len(impact.near),
    "notEvaluated": lambda impact: len(impact.not_evaluated),
    "baselineDown": lambda impact: len(impact.baseline_down),
}


def _counts(compiler: Compiler, _: Any, sets: SelectionSets) -> Shape:
    parts = [(m.key, m.name) for m in mentions(compiler, sets)]
    return lambda impact, _: {
        key: "ImpactCounts" if name == TYPENAME else _COUNTS[name](impact) for key, name in parts
    }


def _file(write: Callable[[Table], Any]) -> _Part:
    return lambda _, given, __: lambda impact, ___: write(impact_table(impact, given["list"]))


def _bounds(compiler: Compiler, _: Any, sets: SelectionSets) -> Shape:
    return _over(lambda impact: impact.bounds, _plain(compiler, "ImpactBounds", sets))


def _waves(compiler: Compiler, _: Any, sets: SelectionSets) -> Shape:
    return _list(lambda impact: impact.waves, _plain(compiler, "Wave", sets))


def _near_misses(compiler: Compiler, arguments: Any, sets: SelectionSets) -> Shape:
    first = checked_first(arguments["first"])
    return _list(lambda impact: impact.near[:first], _plain(compiler, "NearMiss", sets))


def _not_evaluated(compiler: Compiler, arguments: Any, sets: SelectionSets) -> Shape:
    first = checked_first(arguments["first"])
    reason = _plain(compiler, "NotEvaluated", sets)
    return _list(lambda impact: impact.not_evaluated[:first], reason)


def _baseline_down(compiler: Compiler, arguments: Any, sets: SelectionSets) -> Shape:
    first = checked_first(arguments["first"])
    return _twins(compiler, sets, lambda impact: impact.baseline_down[:first])


def _list(items: Callable[[Any], Sequence[Any]], one: Shape) -> Shape:
    return lambda value, shaping: [one(item, shaping) for item in items(value)]


def _totals(compiler: Compiler, _: Any, sets: SelectionSets) -> Shape:
    return _over(lambda impact: impact.totals, _plain(compiler, "Totals", sets))


def _over(part: Callable[[Any], Any], below: Shape) -> Shape:
    return lambda value, shaping: below(part(value), shaping)


# -- plain values, with places for twins --------------------------------------------------------


def _cause(value: Any, *, twin: bool) -> str | None:
    """The cause by id where it is a twin, or where it is none."""
    id_: str | None = value.cause
    return id_ if id_ is not None and id_.startswith(FREE) is not twin else None


_ATTRIBUTES: dict[str, Callable[[Any], Any]] = {
    "at": lambda value: duration_text(value.at),
    "from": lambda value: value.before,
    "minimalCauses": lambda value: _listed(value.minimal_causes),
    "until": lambda value: None if value.until is None else duration_text(value.until),
    "wouldFailIf": lambda value: list(value.would_fail_if),
    "failureDomain": lambda value: _cause(value, twin=False),
}


def _without_domains(ids: Sequence[str]) -> list[str]:
    """Free failure domains are no twins; `failureDomain` names the one that decided."""
    return [id_ for id_ in ids if not id_.startswith(FREE)]


def _listed(ids: Sequence[str] | None) -> list[str] | None:
    return None if ids is None else list(ids)


_TWIN_OF: dict[tuple[str, str], Callable[[Any], str | None]] = {
    ("Impacted", "twin"): lambda value: value.id,
    ("Impacted", "cause"): lambda value: _cause(value, twin=True),
    ("NearMiss", "twin"): lambda value: value.id,
}


def _plain(compiler: Compiler, type_name: str, sets: SelectionSets) -> Shape:
    """Shapes a record whose attributes are called like the fields."""
    parts = [(m.key, _plain_field(compiler, type_name, m)) for m in mentions(compiler, sets)]
    return lambda value, shaping: {key: make(value, shaping) for key, make in parts}


def _plain_field(compiler: Compiler, type_name: str, mention: Mention) -> Shape:
    name = mention.name
    if name == TYPENAME:
        return lambda *_: type_name
    if (type_name, name) in _TWIN_OF:
        return _twin(compiler, mention.below, _TWIN_OF[type_name, name])
    if (type_name, name) == ("Impacted", "path"):
        return _twins(compiler, mention.below, lambda value: _without_domains(value.path))
    if type_name == "ImpactBounds":
        return _over(
            lambda bounds: getattr(bounds, name), _plain(compiler, "Totals", mention.below)
        )
    if (type_name, name) == ("Totals", "services"):
        service = _plain(compiler, "ServiceTotal", mention.below)
        return _list(lambda totals: totals.services, service)
    read = _ATTRIBUTES.get(name)
    if read is not None:
        return lambda value, _: read(value)
    return lambda value, _: getattr(value, name)


def _twin(compiler: Compiler, sets: SelectionSets, id_of: Callable[[Any], str | None]) -> Shape:
    below = compiler.impact_twin(sets)

    def shape(value: Any, shaping: Shaping) -> Any:
        id_ = id_of(value)
        return None if id_ is None else shaping.twin(id_, below)

    return shape


def _twins(
    compiler: Compiler, sets: SelectionSets, ids_of: Callable[[Any], Sequence[str]]
) -> Shape:
    below = compiler.impact_twin(sets)
    return lambda value, shaping: [shaping.twin(id_, below) for id_ in ids_of(value)]


# -- the affected ---------------------------------------------------------------------------------


def _affected(compiler: Compiler, arguments: Any, sets: SelectionSets) -> Shape:
    first = checked_first(arguments["first"], pages=True)
    start = _position(arguments.get("after"))
    parts: list[tuple[str, Callable[[_AffectedPage, Shaping], Any]]] = []
    looked_at = False
    for mention in mentions(compiler, sets):
        parts.append((mention.key, _affected_part(compiler, mention)))
        looked_at = looked_at or mention.name in ("nodes", "edges")

    def shape(impact: AssetImpact, shaping: Shaping) -> dict[str, Any]:
        stop = min(start + first, impact.count)
        rows = impact.affected(start, stop) if looked_at and start < stop else []
        page = _AffectedPage(rows, start, max(start, stop), impact.count)
        return {key: make(page, shaping) for key, make in parts}

    return shape


class _AffectedPage:
    def __init__(self, rows: Sequence[Any], start: int, stop: int, total: int) -> None:
        self.rows = rows
        self.start = start
        self.stop = stop
        self.total = total


def _affected_part(compiler: Compiler, mention: Mention) -> Callable[[_AffectedPage, Shaping], Any]:
    if mention.name == TYPENAME:
        return lambda *_: "ImpactedConnection"
    if mention.name == "totalCount":
        return lambda page, _: page.total
    if mention.name == "pageInfo":
        names = [(m.key, m.name) for m in mentions(compiler, mention.below)]
        return lambda page, _: {key: _page_info(page, name) for key, name in names}
    if mention.name == "nodes":
        one = _plain(compiler, "Impacted", mention.below)
        return lambda page, shaping: [one(row, shaping) for row in page.rows]
    parts = [(m.key, _edge_part(compiler, m)) for m in mentions(compiler, mention.below)]
    return lambda page, shaping: [
        {key: make((page.start + n, row), shaping) for key, make in parts}
        for n, row in enumerate(page.rows)
    ]


def _edge_part(compiler: Compiler, mention: Mention) -> Shape:
    if mention.name == TYPENAME:
        return lambda *_: "ImpactedEdge"
    if mention.name == "cursor":
        return lambda item, _: _cursor(item[0] + 1)
    one = _plain(compiler, "Impacted", mention.below)
    return lambda item, shaping: one(item[1], shaping)


def _page_info(page: _AffectedPage, name: str) -> Any:
    if name == "hasNextPage":
        return page.stop < page.total
    if name == "endCursor":
        return _cursor(page.stop) if page.stop > page.start else None
    return "PageInfo"


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(["affected", position])).decode().rstrip("=")


def _position(after: str | None) -> int:
    if after is None:
        return 0
    try:
        found = orjson.loads(base64.urlsafe_b64decode(after[:64] + "=" * (-len(after[:64]) % 4)))
        if found[0] == "affected" and type(found[1]) is int and 0 <= found[1] < 2**31:
            return int(found[1])
    except (ValueError, TypeError, LookupError):
        pass
    raise BadQuery("`after` is not a cursor of affected", cure="pass its endCursor")


_PARTS: dict[str, _Part] = {
    "totals": _totals,
    "bounds": _bounds,
    "waves": _waves,
    "counts": _counts,
    "affected": _affected,
    "nearMisses": _near_misses,
    "notEvaluated": _not_evaluated,
    "baselineDown": _baseline_down,
    **{name: _file(write) for name, write in WRITTEN.items()},
}
