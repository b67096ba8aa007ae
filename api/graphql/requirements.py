"""Requirements in GraphQL: what a file of them says of the plant as it is, and those kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from twinfall.analytics.requirements import (
    Assumed,
    GraphTwins,
    Report,
    Vocabulary,
    as_json,
    assuming,
    check_throughout,
    finding_json,
    read_requirements,
)
from twinfall.api.graphql.cursors import checked_first
from twinfall.api.graphql.durations import duration_text
from twinfall.api.graphql.watches import instant
from twinfall.api.graphql.whatif import told_warnings
from twinfall.api.requirements.keeper import Keeper
from twinfall.graph.records import RequirementEvent
from twinfall.graph.records.records import MAX_PAGE
from twinfall.ontology.errors import BadInput, Problem, Unavailable

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking

SDL = '''
"""Whether a requirement holds."""
enum Verdict {
  held
  broken
  "It cannot be said: something named is not there, or not evaluated."
  notEvaluated
  "It selects nothing."
  empty
  "Not judged yet, until the day that the file says."
  skipped
}
"""`error`: it must hold. `warn`: it should."""
enum RequirementSeverity { error warn }

"""What a file of requirements says of the plant."""
type RequirementReport {
  "The version of graph, models and live state that was computed on."
  snapshot: String!
  at: DateTime!
  "Whether every requirement holds that is more than a warning."
  holds: Boolean!
  findings: [RequirementFinding!]!
  "What the scenario, where one is given, says in vain, and what of it is not judged."
  warnings: [ScenarioWarning!]!
}
"""The verdict on one requirement: of `checked` assets `failing` do not do what is required, and of
`unclear` nobody can say.
"""
type RequirementFinding {
  name: String!
  description: String
  "The word under `require`."
  kind: String!
  severity: RequirementSeverity!
  verdict: Verdict!
  message: String!
  checked: Int!
  failing: Int!
  unclear: Int!
  "The worst first; not all of them, the counts are exact."
  witnesses: [RequirementWitness!]!
}
"""An asset that does not do what is required. `value` is what it has of it: points of failure,
seconds, feeds, a total. `failures` are the first sets of failures that take it down.
"""
type RequirementWitness {
  id: ID!
  name: String
  message: String!
  value: Float
  failures: [[ID!]!]!
  paths: [RequirementPath!]!
  "What its failure takes along, where that is what is required."
  totals: Totals
}
"""From a failure along causes to the asset, both included; `at` is the time after the failure."""
type RequirementPath { at: Duration! path: [NamedAsset!]! }
type NamedAsset { id: ID! name: String }

"""A requirement that the service keeps, as it stands now."""
type Requirement {
  name: String!
  verdict: Verdict!
  "When the verdict became this one."
  since: DateTime!
  finding: RequirementFinding!
  snapshot: String!
}
"""The verdict on a kept requirement became another one; `before` is null the first time."""
type RequirementEvent {
  name: String!
  before: Verdict
  verdict: Verdict!
  at: DateTime!
  snapshot: String!
  finding: RequirementFinding!
}

extend type Query {
  "The requirements that this service keeps (TWINFALL_REQUIREMENTS), on the plant as it is."
  requirements: [Requirement!]!
  "Changes of verdicts, newest first, of one requirement or of all."
  requirementEvents(name: String, first: Int = 25): [RequirementEvent!]!
  """
  Check a file's text (YAML or JSON) on the plant as it is, or in a scenario, as `whatIf` takes
  it: with what it changes, and what fails in it failed now. Of one that goes on (`then`,
  `repairs`) the worst verdict counts: when it happens, when something is done, when the most is
  down, and at its horizon. Moments that were not judged are in `warnings`.
  """
  checkRequirements(requirements: String!, scenario: JSON): RequirementReport!
}
'''

MAX_SECONDS = 25.0
"""For one report: less than a root field has, so that it ends with a reason."""
Record = Mapping[str, Any]


def kept(asking: Asking, _: Record) -> list[Record]:
    """The kept requirements, checked again if anything has changed."""
    found = _keeper(asking).current()
    if found.problem:
        raise BadInput(
            f"the requirements cannot be checked: {found.problem}",
            code="BAD_REQUIREMENTS",
            cure="correct the file; `twinfall assert FILE` tells all that is wrong",
        )
    report = found.report
    if report is None:
        return []
    return [
        {
            "name": one.requirement.name,
            "verdict": one.verdict,
            "since": instant(found.since[one.requirement.name]),
            "finding": told_finding(finding_json(one, report.names)),
            "snapshot": report.snapshot,
        }
        for one in report.findings
    ]


def events(asking: Asking, arguments: Record) -> list[Record]:
    """What has changed."""
    keeper = _keeper(asking)
    first = min(checked_first(arguments["first"]), MAX_PAGE)
    return [_event(one) for one in keeper.events(arguments.get("name"), first)]


def report(asking: Asking, arguments: Record) -> Record:
    """A report on the plant as it is, or in a scenario."""
    vocabulary = Vocabulary.of(asking.models)
    found = read_requirements(arguments["requirements"], vocabulary)
    now = time.time_ns()
    twins, assets = GraphTwins(asking.graph.fetch), asking.networks.current()
    scenario = arguments.get("scenario")
    assumed = Assumed(assets)
    if scenario is not None:
        assumed = assuming(assets, scenario, vocabulary, now)
    return told(*check_throughout(found, assumed, now, twins, seconds=MAX_SECONDS))


QUERIES: Mapping[str, tuple[str, Callable[[Asking, Record], Any]]] = {
    "requirements": ("Requirement", kept),
    "requirementEvents": ("RequirementEvent", events),
    "checkRequirements": ("RequirementReport", report),
}
"""Root fields, the types of their answers, and who answers."""


def _keeper(asking: Asking) -> Keeper:
    if asking.keeper is None:
        raise Unavailable(
            "no requirements are kept here",
            cure="ask a running server: `twinfall serve` keeps them; or `twinfall assert FILE`",
        )
    return asking.keeper


def _event(one: RequirementEvent) -> Record:
    return {
        "name": one.name,
        "before": one.before,
        "verdict": one.verdict,
        "at": instant(one.at),
        "snapshot": one.snapshot,
        "finding": told_finding(one.finding),
    }


def told(report: Report, warnings: Iterable[Problem] = ()) -> dict[str, Any]:
    """The report as GraphQL answers it."""
    made = as_json(report)
    findings = [told_finding(one) for one in made["findings"]]
    return {
        "snapshot": report.snapshot,
        "at": instant(report.now),
        "holds": report.holds,
        "findings": findings,
        "warnings": told_warnings(warnings),
    }


def told_finding(one: Record) -> dict[str, Any]:
    """One verdict, with times as GraphQL has them."""
    witnesses = [
        {**witness, "paths": [{**p, "at": duration_text(p["at"])} for p in witness["paths"]]}
        for witness in one["witnesses"]
    ]
    return {**one, "witnesses": witnesses}
