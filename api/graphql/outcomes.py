"""What-if in GraphQL: a scenario put to the plant as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twinfall.analytics.explaining import Totals
from twinfall.analytics.exporting import likeliest_table, outages_table
from twinfall.analytics.whatif import Expected, Outcome, what_if
from twinfall.analytics.whatif.outcome import Spread
from twinfall.api.graphql import catalogue, impacts
from twinfall.api.graphql.connections import TYPENAME, mentions
from twinfall.api.graphql.durations import duration_text
from twinfall.api.graphql.files import WithFiles, asset_ids
from twinfall.api.graphql.planning import Shape
from twinfall.api.graphql.whatif import told_warnings

if TYPE_CHECKING:
    from twinfall.api.graphql.compiler import Compiler
    from twinfall.api.graphql.roots import Asking
    from twinfall.api.graphql.selection import SelectionSets

SHOWN = 1_000
"""Ids of one list."""


def answer(asking: Asking) -> Any:
    """Makes outcomes of scenarios over one moment of the plant."""

    def put(scenario: Any) -> Outcome:
        models = asking.models
        plant = asking.networks.current()
        return what_if(plant, scenario, models.ontology, models.dependencies)

    return put


def compile_what_if(compiler: Compiler, sets: SelectionSets) -> Shape:
    """Shapes an Outcome."""
    parts = []
    for mention in mentions(compiler, sets):
        if mention.name == "impact":
            below = impacts.compile_impact(compiler, mention.below)
            parts.append((mention.key, _impact(below)))
        else:
            parts.append((mention.key, _plain(compiler, mention)))
    return lambda told, shaping: {key: make(told, shaping) for key, make in parts}


def _impact(below: Shape) -> Shape:
    return lambda told, shaping: below(told.impact, shaping)


def _plain(compiler: Compiler, mention: Any) -> Shape:
    if mention.name == TYPENAME:
        return lambda *_: "WhatIf"
    field = compiler.schema.shapes.types["WhatIf"].fields[mention.name]
    if not mention.below:
        return lambda told, _: told.scenario.name
    shape = catalogue.plain(compiler, field.type_name, mention.below)
    read = _READ[mention.name]

    def part(told: Outcome, _: Any) -> Any:
        value = read(told)
        if isinstance(value, list):
            return [shape(one) for one in value]
        return None if value is None else shape(value)

    return part


def _ids(outcome: Outcome, name: str, ids: tuple[str, ...]) -> Mapping[str, Any]:
    return asset_ids(outcome.assets, name, ids, SHOWN)


def _totals(totals: Totals | None) -> Mapping[str, Any] | None:
    if totals is None:
        return None
    return {
        "assets": totals.assets,
        "customers": totals.customers,
        "value": totals.value,
        "degraded": totals.degraded,
        "services": [{"name": s.name, "count": s.count} for s in totals.services],
    }


def _expected(outcome: Outcome) -> Mapping[str, Any] | None:
    found: Expected | None = outcome.expected
    if found is None:
        return None
    told = {
        "samples": found.samples,
        "exposed": found.exposed,
        "assets": _spread(found.assets),
        "customers": _spread(found.customers),
        "value": _spread(found.value),
        "likeliest": [
            {"id": one.id, "probability": one.probability, "error": one.error}
            for one in found.likeliest
        ],
    }
    return WithFiles(told, lambda: likeliest_table(outcome))


def _timeline(outcome: Outcome) -> Mapping[str, Any]:
    found = outcome.timeline
    unserved, ever = found.unserved, found.ever_down
    told = {
        "until": duration_text(found.until),
        "everDown": {"assets": ever.assets, "customers": ever.customers, "value": ever.value},
        "unserved": {
            "assetHours": unserved.asset_hours,
            "customerHours": unserved.customer_hours,
            "valueHours": unserved.value_hours,
        },
        "eventCount": len(found.events),
        "events": [
            {
                "at": duration_text(one.at),
                "id": one.id,
                "to": "ok" if one.rose else "failed",
                "group": one.group,
                "cause": one.cause,
            }
            for one in found.events[:SHOWN]
        ],
        "outageCount": len(found.outages),
        "outages": [
            {
                "id": one.id,
                "begin": duration_text(one.begin),
                "until": None if one.until is None else duration_text(one.until),
                "customers": one.customers,
                "value": one.value,
            }
            for one in found.outages[:SHOWN]
        ],
        "curve": [
            {
                "at": duration_text(p.at),
                "assets": p.assets,
                "customers": p.customers,
                "value": p.value,
            }
            for p in found.curve
        ],
    }
    return WithFiles(told, lambda: outages_table(outcome))


def _spread(one: Spread) -> Mapping[str, float]:
    return {name: getattr(one, name) for name in ("mean", "error", "p5", "p50", "p95")}


_READ: Mapping[str, Callable[[Outcome], Any]] = {
    "warnings": lambda outcome: told_warnings(outcome.warnings),
    "newlyDown": lambda outcome: _ids(outcome, "newlyDown", outcome.newly_down),
    "recovered": lambda outcome: _ids(outcome, "recovered", outcome.recovered),
    "without": lambda outcome: _totals(outcome.without),
    "newlyDownTotals": lambda outcome: _totals(outcome.newly_down_totals),
    "expected": _expected,
    "timeline": _timeline,
}
