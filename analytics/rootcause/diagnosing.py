"""The door: given alarms, what has failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.network import FOREVER
from twinfall.analytics.rootcause.explanation import Check, Explanation, next_check, ranks
from twinfall.analytics.rootcause.searching import Case, Hypothesis, Singles, singles
from twinfall.analytics.rootcause.seen import Observed, Odds, Seen, observe
from twinfall.analytics.rootcause.together import Together
from twinfall.ontology.errors import BadInput

MAX_FIRST = 100
"""Ranks of one answer."""
MAX_LISTED = 300
"""Explanations of one answer; more that share the last ranks are left out."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The explanations, best first, and what they are about.

    `alarms` are those that were to be explained, `standing` those that what was down before
    explains. `suspects` is how many assets take down one of the alarms at least. `miss` and
    `false` are the shares of missed and false alarms that were reckoned with, `nothing` is the
    probability that nothing has failed. `complete` unless so many cascades would have had to be
    followed that some were not.
    """

    snapshot: str
    explanations: tuple[Explanation, ...]
    check: Check | None
    alarms: tuple[str, ...]
    standing: tuple[str, ...]
    suspects: int
    miss: float
    false: float
    nothing: float
    complete: bool


def explain(
    assets: AssetNetwork,
    alarms: Sequence[str],
    *,
    seen: Seen | None = None,
    odds: Odds | None = None,
    first: int = 10,
) -> list[Explanation]:
    """The failures that explain these alarms best, ranked; see `diagnose`."""
    return list(diagnose(assets, alarms, seen=seen, odds=odds, first=first).explanations)


def diagnose(
    assets: AssetNetwork,
    alarms: Sequence[str],
    *,
    seen: Seen | None = None,
    odds: Odds | None = None,
    first: int = 10,
) -> Diagnosis:
    """The same with what it is about. What is down already and not in alarm is no explanation,
    and what it took along is no alarm to be explained.

    Raises UnknownTwin, BadInput, Refused (TOO_COSTLY).
    """
    seen, odds = seen or Seen(), odds or Odds()
    odds.check()
    if not 1 <= first <= MAX_FIRST:
        raise BadInput(f"from 1 to {MAX_FIRST} ranks are shown", path="first")
    assets.positions(alarms)  # an unknown one is named before anything is put in order
    base = assets.afresh(*alarms)
    observed = observe(base, alarms, seen, base.course.anyway(FOREVER))
    case = Case(base, observed, odds)
    single = singles(case, first)
    found = single.best(first)
    sets = Together(case, single.weights).search(found) if found else []
    return _told(case, single, _ordered([*sets, *found], first))


def _ordered(found: list[Hypothesis], first: int) -> list[Hypothesis]:
    """The likeliest first, as many kinds as wanted."""
    found = sorted(found, key=lambda one: (-round(one.score, 9), one.roots))
    kept = [one for one, rank in zip(found, ranks(found), strict=True) if rank <= first]
    return kept[:MAX_LISTED]


def _told(case: Case, single: Singles, ordered: list[Hypothesis]) -> Diagnosis:
    assets, observed = case.assets, case.observed
    several = np.array([one.score for one in ordered if len(one.roots) > 1])
    scores = np.concatenate([[0.0], single.score[np.isfinite(single.score)], several])
    total = float(np.logaddexp.reduce(scores))
    chance = [float(np.exp(one.score - total)) for one in ordered]
    check = next_check(assets, observed, ordered, chance)
    numbers = ranks(ordered)
    explanations = tuple(
        Explanation(
            rank,
            tuple(assets.ids[root] for root in one.roots),
            one.score,
            probability,
            one.gain,
            one.fit.began,
            check,
            one,
            observed,
            assets,
        )
        for rank, one, probability in zip(numbers, ordered, chance, strict=True)
    )
    return Diagnosis(
        assets.snapshot,
        explanations,
        check,
        _ids(assets, observed, standing=False),
        _ids(assets, observed, standing=True),
        len(case.suspects),
        single.weights.miss,
        single.weights.false,
        float(np.exp(-total)),
        single.complete,
    )


def _ids(assets: AssetNetwork, observed: Observed, *, standing: bool) -> tuple[str, ...]:
    positions = observed.standing if standing else observed.alarm
    return tuple(assets.ids[int(position)] for position in positions)
