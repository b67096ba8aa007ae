"""Requirements on a what-if: the plant as a scenario has it, when it happens and as it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.limits import NANO
from twinfall.analytics.past import going_on, plant_now
from twinfall.analytics.requirements.vocabulary import Vocabulary
from twinfall.analytics.states import Standing
from twinfall.analytics.whatif import Outcome, what_if
from twinfall.analytics.whatif.afterwards import afterwards
from twinfall.ontology.errors import Problem

MAX_MOMENTS = 8
"""Of one scenario, besides the one at which it happens."""


@dataclass(frozen=True)
class Assumed:
    """A plant in a scenario when that happens, and what the scenario says that changes or hits
    nothing. `after` are the further moments to look at, in seconds after it.
    """

    assets: AssetNetwork
    warnings: tuple[Problem, ...] = ()
    after: tuple[float, ...] = ()
    outcome: Outcome | None = field(default=None, repr=False)
    now: int = 0

    def later(self) -> Iterator[tuple[float, AssetNetwork]]:
        """The plant at each further moment, in order of time."""
        for after in self.after:
            assert self.outcome is not None
            yield after, afterwards(self.outcome, after, self.now)


def assuming(assets: AssetNetwork, scenario: Any, vocabulary: Vocabulary, now: int) -> Assumed:
    """The plant at `now` (ns) in a scenario (text or parsed JSON, as `twinfall whatif` takes it):
    what it changes is changed, and what it fails failed at that moment; of a hazard, those that
    more likely fail than not. The plant given is not touched.

    A scenario that goes on (`then`, `repairs`) is looked at further on, too: when something is
    done, when the most is down, and at its horizon. Raises BadScenario with all that is wrong.
    """
    models = vocabulary.ontology, vocabulary.dependencies
    outcome = what_if(assets, scenario, *models, spread=False)
    changed, standing, fail = outcome.assets, outcome.assets.standing, outcome.failed
    now = max(now, changed.now)
    fresh = set(fail) - {*standing.failed, *standing.out}
    said = replace(
        standing,
        failed=tuple(sorted({*standing.failed, *fail})),
        out=tuple(one for one in standing.out if one not in set(fail)),
        since={**standing.since, **dict.fromkeys(fresh, now)},
    )
    moments, left_out = _moments(outcome)
    warnings = outcome.warnings + ((_left_out(left_out),) if left_out else ())
    return Assumed(_failing(changed, said, now, fail), warnings, moments, outcome, now)


def _failing(
    assets: AssetNetwork, said: Standing, now: int, failed: tuple[str, ...]
) -> AssetNetwork:
    """The plant once these have failed, which they are said to have at `now`."""
    if assets.as_is is None:
        return assets.under(said, now)
    plant = plant_now(assets)
    plant.fail(assets.some_positions(failed), plant.now + (now - assets.now) / NANO)
    return going_on(assets, said, now, plant)


def _moments(outcome: Outcome) -> tuple[tuple[float, ...], int]:
    """When to look at a scenario again, and how many moments more there would be."""
    scenario = outcome.scenario
    if not scenario.then and not scenario.repairs:
        return (), 0
    curve = outcome.timeline.curve
    worst = [max(curve, key=lambda one: one.assets), max(curve, key=lambda one: one.customers)]
    first = [one.at for one in worst]
    first += [] if scenario.horizon is None else [scenario.horizon]
    limit = outcome.timeline.until if scenario.horizon is not None else float("inf")
    steps = sorted({one.after for one in scenario.then if one.after <= limit})
    every = list(dict.fromkeys([*first, *steps]))
    return tuple(sorted(every[:MAX_MOMENTS])), max(0, len(every) - MAX_MOMENTS)


def _left_out(count: int) -> Problem:
    return Problem(
        "notJudged",
        f"{count} of the moments at which something is done are not judged",
        "/then",
        cure=f"at most {MAX_MOMENTS} are, the worst and the end among them",
    )
