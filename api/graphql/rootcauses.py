"""Root cause in GraphQL: which failures explain alarms best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import time_ns
from typing import TYPE_CHECKING, Any

from twinfall.analytics import AssetNetwork
from twinfall.analytics.exporting import explanations_table
from twinfall.analytics.rootcause import (
    Check,
    Diagnosis,
    Explanation,
    Odds,
    Seen,
    diagnose,
    monitored,
)
from twinfall.analytics.rootcause.seen import SKEW
from twinfall.api.graphql.durations import seconds
from twinfall.api.graphql.files import WithFiles, asset_ids
from twinfall.api.graphql.watches import instant, nanoseconds
from twinfall.ontology.errors import BadQuery, Refused

if TYPE_CHECKING:
    from twinfall.api.graphql.roots import Asking

SDL = '''
"""An asset in alarm, and since when, where that is known."""
input AlarmedInput { id: ID! since: DateTime }
"""What has failed by itself, given the assets in alarm; see docs/rootcause.md."""
type RootCause {
  snapshot: String!
  "The alarms that were to be explained."
  alarms: AssetIds!
  "Alarms that what is down already explains."
  standing: AssetIds!
  "How many assets take down one of the alarms at least."
  suspects: Int!
  "The shares of missed and of false alarms that were reckoned with."
  missedAlarms: Float!
  falseAlarms: Float!
  "The probability that nothing has failed and all alarms are false."
  nothing: Float!
  "False where more cascades would have had to be followed than may be."
  complete: Boolean!
  "The likeliest first."
  explanations: [Explanation!]!
  "What to look at next."
  check: Check
  "All explanations that are asked for, with whole lists of ids; in GeoJSON the roots."
  csv: String!
  geoJson: JSON!
}
"""Failures that would explain the alarms. Those that nothing seen tells apart share a rank.
`roots` failed by themselves, `explained` are the alarms that follow from them. `silent` would be
down too, and have raised no alarm though somebody listens. `unexplained` are alarms of others.
"""
type Explanation {
  rank: Int!
  roots: [ID!]!
  probability: Float!
  "Natural logarithm of its odds against all alarms being false."
  score: Float!
  "By how much several roots beat the best explanation with fewer."
  gain: Float
  "When the roots failed, where the alarms have times."
  began: DateTime
  explained: AssetIds!
  silent: AssetIds!
  unexplained: AssetIds!
  "From a root to some of the alarms, along the causes."
  paths: [[ID!]!]!
}
"""An asset whose state tells the explanations apart: knowing it is worth so many `bits` (up to 1).
`downIf` are the ranks by which it is down, all of them or some.
"""
type Check { id: ID! bits: Float! downIf: [Int!]! }

extend type Query {
  """
  The failures that explain these alarms best; without `alarms` those that stand now. `at` is when
  these were the alarms (now), `quiet` are assets that were looked at and are in order, `monitored`
  those that would raise an alarm (those with telemetry or limits). `horizon` is how long ago it
  began at most, `skew` by how much clocks may differ, `miss` the share of failures that raise no
  alarm (0.1, or more where that explains far better). `first` ranks are answered, with so many ids
  of each list as `show` says.
  """
  rootCause(
    alarms: [AlarmedInput!], at: DateTime, quiet: [ID!], monitored: [ID!], horizon: Duration,
    skew: Duration, miss: Float, first: Int = 5, show: Int = 10
  ): RootCause!
}
'''

MAX_ALARMS = 10_000
"""Alarms of one question."""
MAX_RANKS = 25
MAX_SHOWN = 500
"""Ids of one list."""
NANO = 1_000_000_000
Record = Mapping[str, Any]


def root_cause(asking: Asking, arguments: Record) -> Record:
    """Answer `rootCause`. Raises BadQuery, UnknownTwin, BadInput, Refused."""
    first, shown = arguments["first"], arguments["show"]
    if not (1 <= first <= MAX_RANKS and 0 <= shown <= MAX_SHOWN):
        raise BadQuery(f"`first` is from 1 to {MAX_RANKS}, `show` from 0 to {MAX_SHOWN}")
    assets = asking.networks.current()
    alarms = _alarms(assets, arguments.get("alarms"))
    for name, ids in (("alarms", alarms), ("quiet", arguments.get("quiet") or ())):
        if len(ids) > MAX_ALARMS:
            raise Refused(
                f"{len(ids)} assets, at most {MAX_ALARMS} are taken at once",
                code="TOO_COSTLY",
                path=name,
                cure="ask about those of one area, or that came within one hour",
            )
    skew = arguments.get("skew")
    odds = Odds(arguments.get("miss"), skew=SKEW if skew is None else seconds(skew))
    seen = _seen(asking, assets, alarms, arguments)
    found = diagnose(assets, list(alarms), seen=seen, odds=odds, first=first)
    told = _Telling(assets, shown).told(found)
    return WithFiles(told, lambda: explanations_table(assets, found))


QUERIES: Mapping[str, tuple[str, Callable[[Asking, Record], Any]]] = {
    "rootCause": ("RootCause", root_cause),
}
"""Root fields, the types of their answers, and who answers."""


def _alarms(assets: AssetNetwork, given: Sequence[Record] | None) -> dict[str, float | None]:
    """Onset in seconds by id: of those given, or of all that are not in order by themselves."""
    if given is None:
        standing = assets.standing
        ids = [*standing.failed, *standing.degraded]
        return {id_: standing.since[id_] / NANO if id_ in standing.since else None for id_ in ids}
    found: dict[str, float | None] = {}
    for one in given:
        since = one.get("since")
        onset = None if since is None else nanoseconds(since) / NANO
        known = found.get(one["id"])
        found[one["id"]] = onset if known is None or onset is None else min(known, onset)
    return found


def _seen(
    asking: Asking, assets: AssetNetwork, alarms: Mapping[str, float | None], arguments: Record
) -> Seen:
    at, horizon = arguments.get("at"), arguments.get("horizon")
    named = arguments.get("monitored")
    return Seen(
        at={id_: onset for id_, onset in alarms.items() if onset is not None},
        now=(time_ns() if at is None else nanoseconds(at)) / NANO,
        horizon=None if horizon is None else seconds(horizon),
        quiet=arguments.get("quiet") or (),
        monitored=monitored(assets, asking.models.ontology, asking.models.dependencies)
        if named is None
        else named,
    )


@dataclass(frozen=True, slots=True)
class _Telling:
    """`shown` ids of each list."""

    assets: AssetNetwork
    shown: int

    def told(self, found: Diagnosis) -> Record:
        return {
            "snapshot": found.snapshot,
            "alarms": self.ids("alarms", found.alarms),
            "standing": self.ids("standing", found.standing),
            "suspects": found.suspects,
            "missedAlarms": found.miss,
            "falseAlarms": found.false,
            "nothing": found.nothing,
            "complete": found.complete,
            "explanations": [_Told(one, self) for one in found.explanations],
            "check": _check(found.check),
        }

    def ids(self, name: str, ids: Sequence[str]) -> Record:
        return asset_ids(self.assets, name, ids, self.shown)


class _Told(Mapping[str, Any]):
    """An explanation by field names, each made when it is read: a path costs a cascade."""

    def __init__(self, one: Explanation, telling: _Telling) -> None:
        self._one, self._telling = one, telling

    def __getitem__(self, name: str) -> Any:
        value = getattr(self._one, name)
        if name in ("explained", "silent", "unexplained"):
            return self._telling.ids(name, value)
        if name == "began":
            return None if value is None else instant(round(value * NANO))
        if name == "paths":
            return [list(path) for path in value]
        return list(value) if name == "roots" else value

    def __iter__(self) -> Iterator[str]:
        return iter(("rank", "roots", "probability", "score"))

    def __len__(self) -> int:
        return 4


def _check(one: Check | None) -> Record | None:
    if one is None:
        return None
    return {"id": one.id, "bits": one.bits, "downIf": list(one.down_if)}
