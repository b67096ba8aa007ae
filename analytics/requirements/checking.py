"""`check`: the verdict on every requirement, on one moment of the plant."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.requirements import cutting, failures, groups, states
from twinfall.analytics.requirements.judging import Judged
from twinfall.analytics.requirements.moment import Moment, Rows, TooLong, several
from twinfall.analytics.requirements.report import (
    MAX_WITNESSES,
    Finding,
    Report,
    Verdict,
    Witness,
    mentioned,
)
from twinfall.analytics.requirements.requirement import (
    Autonomy,
    CutSets,
    Evaluated,
    ImpactLimits,
    InState,
    Margin,
    Requirement,
    Requirements,
    SinglePoints,
    Survival,
    Up,
)
from twinfall.analytics.requirements.twins import Twins
from twinfall.ontology.errors import Refused

Judge = Callable[[Moment, Any, Rows], Judged]
_JUDGES: Mapping[type, Judge] = {
    SinglePoints: failures.single_points,
    CutSets: cutting.cut_sets,
    ImpactLimits: failures.impact_limits,
    Survival: failures.survival,
    Autonomy: groups.autonomy,
    Margin: groups.margin,
    Up: states.up,
    InState: states.in_state,
    Evaluated: states.evaluated,
}
MAX_MISSING = 5
"""Missing ids that a message names."""


def check(
    requirements: Requirements,
    assets: AssetNetwork,
    now: int,
    twins: Twins | None = None,
    *,
    seconds: float = math.inf,
) -> Report:
    """The verdicts at `now` (ns). `twins` answers `where` and gives names for people.

    One and the same for the same arrays, time and answers of `twins`. Raises BadInput for a
    `where` without `twins`, Refused (TOO_COSTLY) where it takes longer than `seconds`.
    """
    moment = Moment(assets, twins, seconds)
    found: list[Finding] = []
    try:
        for one in requirements.items:
            moment.left()
            found.append(_finding(one, moment, now))
    except TooLong:
        raise _too_long(seconds, len(found), len(requirements)) from None
    findings = tuple(found)
    ids = sorted(mentioned(findings))
    names = dict(twins.captions(ids)) if twins is not None else {}
    return Report(assets.snapshot, now, findings, names)


def _too_long(seconds: float, done: int, count: int) -> Refused:
    return Refused(
        f"after {seconds:g} s only {done} of {count} requirements were judged",
        code="TOO_COSTLY",
        cure="check fewer at once; a service that keeps them takes its time",
    )


def _finding(one: Requirement, moment: Moment, now: int) -> Finding:
    if one.skip is not None and now < one.skip.until:
        return Finding(one, "skipped", one.skip.reason)
    missing = moment.missing(one.of)
    if missing and not one.optional:
        more = f" and {len(missing) - MAX_MISSING} more" if len(missing) > MAX_MISSING else ""
        text = f"there is no {', '.join(missing[:MAX_MISSING])}{more}"
        return Finding(one, "notEvaluated", text)
    assets = moment.select(one.of)
    if not len(assets):
        verdict: Verdict = "held" if one.optional else "empty"
        return Finding(one, verdict, "it selects nothing")
    try:
        return _judged(one, moment, assets)
    except TooLong:
        raise
    except Refused as error:
        return Finding(one, "notEvaluated", str(error), len(assets), 0, len(assets))


def _judged(one: Requirement, moment: Moment, assets: Rows) -> Finding:
    judged = _JUDGES[type(one.demand)](moment, one.demand, assets)
    failing, unclear = judged.failing, judged.unclear
    shown = [judged.witness(row) for row in failing[:MAX_WITNESSES].tolist()]
    room = MAX_WITNESSES - len(shown)
    shown += [_unclear(judged, moment, row) for row in unclear[:room].tolist()]
    checked = several(len(assets), "asset")
    verdict: Verdict = "held"
    text = f"holds for {checked}"
    if len(failing):
        verdict, text = "broken", f"fails for {len(failing):,} of {checked}: {judged.wrong}"
    elif len(unclear):
        verdict, text = "notEvaluated", f"it cannot be said of {len(unclear):,} of {checked}"
    return Finding(one, verdict, text, len(assets), len(failing), len(unclear), tuple(shown))


def _unclear(judged: Judged, moment: Moment, asset: int) -> Witness:
    return Witness(moment.ids[asset], judged.why_unclear(asset))
