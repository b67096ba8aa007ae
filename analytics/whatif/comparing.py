"""Scenarios beside each other, put to one moment of a plant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinfall.analytics.explaining import Totals
from twinfall.analytics.whatif.outcome import what_if
from twinfall.analytics.whatif.scenario import BadScenario
from twinfall.analytics.whatif.unfolding import EverDown, Unserved

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork
    from twinfall.ontology.declarations import Dependencies
    from twinfall.ontology.ontology import Ontology


@dataclass(frozen=True, slots=True)
class Compared:
    """What a scenario comes to: the totals of what its failures take along, how many are down and
    up that are not so today, what is down at one time or another, in how many outages and for how
    long, the mean number down of a hazard, and how many things it says in vain.
    """

    name: str
    snapshot: str
    totals: Totals
    newly_down: int
    recovered: int
    ever_down: EverDown
    outages: int
    unserved: Unserved
    expected: float | None
    warnings: int


def compare(
    assets: AssetNetwork,
    scenarios: Mapping[str, Any],
    ontology: Ontology,
    dependencies: Dependencies,
) -> tuple[Compared, ...]:
    """Put scenarios, by name, to a plant, one after the other. Raises BadScenario with the name of
    the first that does not fit as `path`, and what `what_if` raises.
    """
    found = []
    for name, scenario in scenarios.items():
        try:
            outcome = what_if(assets, scenario, ontology, dependencies)
        except BadScenario as error:
            error.path = name
            raise
        later, expected = outcome.timeline, outcome.expected
        found.append(
            Compared(
                name,
                outcome.snapshot,
                outcome.impact.totals,
                newly_down=len(outcome.newly_down),
                recovered=len(outcome.recovered),
                ever_down=later.ever_down,
                outages=len(later.outages),
                unserved=later.unserved,
                expected=expected.assets.mean if expected else None,
                warnings=len(outcome.warnings),
            )
        )
    return tuple(found)
