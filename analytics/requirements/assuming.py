"""Requirements on a what-if: the plant as a scenario has it, with what fails there failed now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.requirements.vocabulary import Vocabulary
from twinfall.analytics.whatif import what_if
from twinfall.ontology.errors import Problem


@dataclass(frozen=True, slots=True)
class Assumed:
    """A plant in a scenario, and what the scenario says that changes or hits nothing."""

    assets: AssetNetwork
    warnings: tuple[Problem, ...] = ()


def assuming(assets: AssetNetwork, scenario: Any, vocabulary: Vocabulary, now: int) -> Assumed:
    """The plant at `now` (ns) in a scenario (text or parsed JSON, as `twinfall whatif` takes it):
    what it changes is changed, and what it fails failed at that moment; of a hazard, those that
    more likely fail than not. The plant given is not touched.

    Raises BadScenario with all that is wrong.
    """
    models = vocabulary.ontology, vocabulary.dependencies
    outcome = what_if(assets, scenario, *models, spread=False)
    changed, standing = outcome.assets, outcome.assets.standing
    fail = [changed.ids[int(at)] for at in outcome.impact.whole.failed]
    said = replace(
        standing,
        failed=tuple(sorted({*standing.failed, *fail})),
        out=tuple(one for one in standing.out if one not in set(fail)),
        since={**standing.since, **dict.fromkeys(fail, now)},
    )
    return Assumed(changed.under(said, max(now, changed.now)), outcome.warnings)
