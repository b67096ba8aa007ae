"""`check_throughout`: requirements on a scenario, at the moment it happens and as it goes on."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from twinfall.analytics.requirements.assuming import Assumed
from twinfall.analytics.requirements.checking import check
from twinfall.analytics.requirements.moment import spoken
from twinfall.analytics.requirements.report import Finding, Report
from twinfall.analytics.requirements.requirement import Requirements
from twinfall.analytics.requirements.twins import Twins
from twinfall.ontology.errors import Problem, Refused

WORST = ("broken", "notEvaluated", "empty", "held", "skipped")


def check_throughout(
    requirements: Requirements,
    assumed: Assumed,
    now: int,
    twins: Twins | None = None,
    *,
    seconds: float = math.inf,
) -> tuple[Report, tuple[Problem, ...]]:
    """The worst verdict on each requirement over all moments of a scenario, the first such, and
    warnings: those of the scenario, and moments for which no time was left. As `check`; Refused
    only where not even the first moment can be judged in `seconds`.
    """
    until = time.monotonic() + seconds
    report = check(requirements, assumed.assets, now, twins, seconds=seconds)
    findings, names = list(report.findings), dict(report.names)
    for count, (after, assets) in enumerate(assumed.later()):
        open_ = [i for i, one in enumerate(findings) if one.verdict not in ("broken", "skipped")]
        some = Requirements(tuple(findings[i].requirement for i in open_))
        try:
            found = check(some, assets, now, twins, seconds=until - time.monotonic())
        except Refused:
            return _merged(report, findings, names), (*assumed.warnings, _no_time(assumed, count))
        names.update(found.names)
        for i, one in zip(open_, found.findings, strict=True):
            findings[i] = _worse(findings[i], one, after)
    return _merged(report, findings, names), assumed.warnings


def _merged(report: Report, findings: list[Finding], names: dict[str, str]) -> Report:
    return replace(report, findings=tuple(findings), names=names)


def _worse(before: Finding, found: Finding, after: float) -> Finding:
    if WORST.index(found.verdict) >= WORST.index(before.verdict):
        return before
    return replace(found, message=f"{spoken(after)} after it: {found.message}")


def _no_time(assumed: Assumed, count: int) -> Problem:
    moments = ", ".join(spoken(one) for one in assumed.after[count:])
    return Problem(
        "notJudged",
        f"the plant {moments} after it is not judged: there was no time left",
        "/then",
        cure="check fewer requirements at once",
    )
