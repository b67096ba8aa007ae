"""Requirements on a what-if: the plant with some assets failed now, and others in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twinfall.analytics.assets import AssetNetwork
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.errors import BadQuery

MEMBERS = ("fail", "repair")
MAX_ASSUMED = 10_000


def assuming(assets: AssetNetwork, scenario: Any, now: int) -> AssetNetwork:
    """The plant at `now` (ns) if `fail` failed at that moment and `repair` were in order by
    themselves; the arrays are shared, the state is its own.

    Raises BadQuery for a scenario that says anything else, UnknownTwin.
    """
    fail, repair = (_ids(scenario, name) for name in MEMBERS)
    assets.positions([*fail, *repair])  # raises UnknownTwin
    standing = assets.standing
    repaired = {*repair, *fail}  # who fails in the scenario fails now, whatever was before
    failed = [*(one for one in standing.failed if one not in repaired), *fail]
    out = tuple(one for one in standing.out if one not in repaired)
    since = {**standing.since, **dict.fromkeys(fail, now)}
    said = replace(standing, failed=tuple(sorted(failed)), out=out, since=since)
    return assets.under(said, max(now, assets.now))


def _ids(scenario: Any, name: str) -> list[str]:
    if not isinstance(scenario, Mapping):
        raise BadQuery("a scenario is an object", path="scenario", cure='{"fail": ["P1"]}')
    for other in scenario:
        if other not in MEMBERS:
            cure = did_you_mean(str(other), MEMBERS) or f"known: {', '.join(MEMBERS)}"
            raise BadQuery(f"unknown member {str(other)[:100]!r}", path="scenario", cure=cure)
    ids = scenario.get(name, [])
    good = isinstance(ids, list) and len(ids) <= MAX_ASSUMED
    if not good or not all(isinstance(one, str) for one in ids):
        raise BadQuery(f"it must be a list of at most {MAX_ASSUMED} ids", path=f"scenario/{name}")
    return list(dict.fromkeys(ids))
