"""What a check found: a verdict for each requirement, with witnesses, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from twinfall.analytics.explaining import Totals
from twinfall.analytics.requirements.requirement import Requirement, Severity

Verdict = Literal["held", "broken", "notEvaluated", "empty", "skipped"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
FINE: tuple[Verdict, ...] = ("held", "skipped")
MAX_WITNESSES = 20
"""Shown of one requirement, the worst first; the counts are exact."""
MAX_PATHS = 3
"""Shown of one witness."""


@dataclass(frozen=True, slots=True)
class Path:
    """From a failure along causes to the asset, both included; `at` seconds after the failure."""

    ids: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Witness:
    """An asset that does not do what is required, or for which that is not known.

    `value` is what it has of what is required (single points of failure, seconds, feeds), None
    where it has none. `failures` has sets of failures that take it down, the first `MAX_PATHS`.
    """

    id: str
    message: str
    value: float | None = None
    failures: tuple[tuple[str, ...], ...] = ()
    paths: tuple[Path, ...] = ()
    totals: Totals | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one requirement: of `checked` assets `failing` do not do what is required,
    and of `unclear` it is not known.
    """

    requirement: Requirement
    verdict: Verdict
    message: str
    checked: int = 0
    failing: int = 0
    unclear: int = 0
    witnesses: tuple[Witness, ...] = ()

    @property
    def severity(self) -> Severity:
        """What it means that it does not hold."""
        return self.requirement.severity

    @property
    def fine(self) -> bool:
        """Whether nobody has to do anything."""
        return self.verdict in FINE


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts in the order of the file, on the arrays of `snapshot`, at `now` (ns)."""

    snapshot: str
    now: int
    findings: tuple[Finding, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    """Names for people of the ids that the report mentions."""

    @property
    def holds(self) -> bool:
        """Whether every requirement is fine that is more than a warning."""
        return all(one.fine or one.severity == "warn" for one in self.findings)

    def counts(self) -> dict[str, int]:
        """How many requirements have each verdict."""
        return {v: sum(one.verdict == v for one in self.findings) for v in VERDICTS}


def mentioned(findings: tuple[Finding, ...]) -> set[str]:
    """Every id that they show."""
    found: set[str] = set()
    for witness in (w for finding in findings for w in finding.witnesses):
        found.add(witness.id)
        found.update(id_ for path in witness.paths for id_ in path.ids)
        found.update(id_ for failures in witness.failures for id_ in failures)
    return found


def as_json(report: Report) -> dict[str, Any]:
    """The report as GraphQL and the command give it; times in seconds and ns."""
    return {
        "snapshot": report.snapshot,
        "now": report.now,
        "holds": report.holds,
        "counts": report.counts(),
        "findings": [finding_json(one, report.names) for one in report.findings],
    }


def finding_json(one: Finding, names: Mapping[str, str]) -> dict[str, Any]:
    """One verdict."""
    return {
        "name": one.requirement.name,
        "description": one.requirement.description or None,
        "kind": one.requirement.kind,
        "severity": one.severity,
        "verdict": one.verdict,
        "message": one.message,
        "checked": one.checked,
        "failing": one.failing,
        "unclear": one.unclear,
        "witnesses": [_witness(witness, names) for witness in one.witnesses],
    }


def _witness(one: Witness, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_named(one.id, names),
        "message": one.message,
        "value": one.value,
        "failures": [list(failures) for failures in one.failures],
        "paths": [
            {"at": path.at, "path": [_named(id_, names) for id_ in path.ids]} for path in one.paths
        ],
        "totals": None if one.totals is None else _totals(one.totals),
    }


def _named(id_: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {"id": id_, "name": names.get(id_)}


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "assets": totals.assets,
        "customers": totals.customers,
        "value": totals.value,
        "services": [{"name": s.name, "count": s.count} for s in totals.services],
        "degraded": totals.degraded,
    }
