"""Saved scenarios in GraphQL: kept by name, run again on the plant as it stands, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from twinfall.analytics.exporting import records_table
from twinfall.analytics.whatif import Compared, compare, read_scenario
from twinfall.analytics.whatif.scenario import MAX_BYTES
from twinfall.api.graphql.files import WithFiles
from twinfall.api.graphql.watches import instant
from twinfall.ontology.errors import BadQuery, Refused, Unavailable

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking
    from twinfall.graph.records import Records
    from twinfall.graph.records.rows import SavedScenario

MAX_COMPARED = 20
Record = Mapping[str, Any]
RESULT = (
    *("name", "snapshot", "assets", "degraded", "customers", "value", "newlyDown", "recovered"),
    *("everDown", "customersEverDown", "outages", "assetHours", "customerHours", "valueHours"),
    "expected",
)
MUTATIONS = ("saveScenario", "deleteScenario")


def asked_for(asking: Asking, arguments: Record) -> Any:
    """The scenario that is given, or the saved one. Raises BadQuery, UnknownName."""
    scenario, name = arguments.get("scenario"), arguments.get("name")
    if (scenario is None) == (name is None):
        raise BadQuery("give a scenario, or the name of a saved one")
    return scenario if name is None else orjson.loads(_records(asking).scenario(name).scenario)


def change(asking: Asking, name: str, arguments: Record) -> Record:
    """Do what one of `MUTATIONS` asks. Raises BadInput, Refused, UnknownName."""
    if not asking.access.operates:
        raise Refused(
            f"role {asking.access.role} cannot save scenarios", cure="use a key with role operator"
        )
    records, who, request = _records(asking), asking.access.name, asking.request_id
    if name == "deleteScenario":
        gone = arguments["name"]
        with records.change("deleteScenario", gone, who=who, request=request) as made:
            made.delete_scenario(gone)
        return {"name": gone}
    read = read_scenario(arguments["scenario"])
    called = read.name
    if not called.strip():
        raise BadQuery(
            "a scenario that is saved has a name", path="scenario/name", cure="give it one: `name`"
        )
    text = orjson.dumps(read.written.value if read.written else {})
    if len(text) > MAX_BYTES:
        raise Refused(f"a scenario has at most {MAX_BYTES} bytes", code="TOO_LARGE")
    with records.change("saveScenario", called, who=who, request=request) as made:
        saved = made.save_scenario(called, text.decode())
    return _told(saved)


def every(asking: Asking, _: Record) -> list[Record]:
    """Answer `scenarios`."""
    return [_told(one) for one in _records(asking).scenarios()]


def compared(asking: Asking, arguments: Record) -> list[Record]:
    """Answer `compareScenarios`. Raises UnknownName, Refused, and what a scenario raises."""
    names = arguments["names"]
    if len(names) > MAX_COMPARED:
        raise Refused(f"at most {MAX_COMPARED} scenarios are compared", code="TOO_COSTLY")
    models = asking.models
    saved = {name: orjson.loads(_records(asking).scenario(name).scenario) for name in names}
    plant = asking.networks.current()
    by_name = {
        one.name: _compared(one)
        for one in compare(plant, saved, models.ontology, models.dependencies)
    }
    return [by_name[name] for name in names]


def _compared(one: Compared) -> Record:
    totals, hours = one.totals, one.unserved
    return {
        "name": one.name,
        "snapshot": one.snapshot,
        "assets": totals.assets,
        "degraded": totals.degraded,
        "customers": totals.customers,
        "value": totals.value,
        "newlyDown": one.newly_down,
        "recovered": one.recovered,
        "everDown": one.ever_down.assets,
        "customersEverDown": one.ever_down.customers,
        "outages": one.outages,
        "assetHours": hours.asset_hours,
        "customerHours": hours.customer_hours,
        "valueHours": hours.value_hours,
        "expected": one.expected,
        "warnings": one.warnings,
    }


def comparison(asking: Asking, arguments: Record) -> Record:
    """Answer `comparison`; as `compared`."""
    found = compared(asking, arguments)
    snapshot = str(found[0]["snapshot"]) if found else asking.networks.current().snapshot
    told = {"snapshot": snapshot, "results": found}
    return WithFiles(told, lambda: records_table("comparison", snapshot, RESULT, found))


QUERIES: Mapping[str, tuple[str, Callable[[Asking, Record], Any]]] = {
    "scenarios": ("SavedScenario", every),
    "compareScenarios": ("ScenarioResult", compared),
    "comparison": ("Comparison", comparison),
}
"""Root fields, the types of their answers, and who answers."""


def _told(one: SavedScenario) -> Record:
    return {
        "name": one.name,
        "scenario": orjson.loads(one.scenario),
        "saved": instant(one.saved),
        "savedBy": one.saved_by,
    }


def _records(asking: Asking) -> Records:
    if asking.actions is None:
        raise Unavailable(
            "no scenarios are kept here", cure="ask a running server: `twinfall serve` keeps them"
        )
    return asking.actions.records
