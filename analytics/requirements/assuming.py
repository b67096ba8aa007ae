"""Requirements on a what-if: the plant as a scenario has it, with what fails there failed now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.requirements.vocabulary import Vocabulary
from twinfall.analytics.whatif import Scenario, read_scenario, what_if


def assuming(assets: AssetNetwork, scenario: Any, vocabulary: Vocabulary, now: int) -> AssetNetwork:
    """The plant at `now` (ns) in a scenario (text or parsed JSON, as `twinfall whatif` takes it):
    what it changes is changed, and what it fails failed at that moment; of a hazard, those that
    more likely fail than not. The plant given is not touched.

    Raises BadInput, UnknownTwin, naming the place in the scenario.
    """
    found = _once(read_scenario(scenario))
    outcome = what_if(assets, found, vocabulary.ontology, vocabulary.dependencies)
    changed, standing = outcome.assets, outcome.assets.standing
    fail = [changed.ids[int(at)] for at in outcome.impact.whole.failed]
    said = replace(
        standing,
        failed=tuple(sorted({*standing.failed, *fail})),
        out=tuple(one for one in standing.out if one not in set(fail)),
        since={**standing.since, **dict.fromkeys(fail, now)},
    )
    return changed.under(said, max(now, changed.now))


def _once(scenario: Scenario) -> Scenario:
    """Without the many samples of a hazard, of which only the probabilities matter here."""
    if scenario.hazard is None:
        return scenario
    return replace(scenario, hazard=replace(scenario.hazard, samples=1))
