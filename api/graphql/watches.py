"""The learned watch in GraphQL: a twin's health, the detectors, and training one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twinfall.api.graphql.durations import duration_text, seconds
from twinfall.api.lookout import Lesson, Lookout
from twinfall.ontology.errors import Unavailable

if TYPE_CHECKING:
    from twinfall.analytics.alarms import Symptom
    from twinfall.analytics.detectors import Normal
    from twinfall.analytics.watching import Health

SDL = '''
"""How an asset does, by the detector of its model."""
enum HealthState {
  "Too few samples since the start or a gap."
  COLD
  "Too few of its sensors speak."
  UNKNOWN
  "As when all was well."
  NORMAL
  "Two consecutive scores were above the threshold, and it has not been well for long since."
  ALARM
}
type Health {
  "0 to 100; 100 is as in training. Null while nothing is known."
  value: Float
  state: HealthState!
  "In units of the detector's threshold: above 1 is not normal."
  score: Float
  "COLD; FLEET: against what is normal for its model; OWN: against what is normal for itself."
  warmth: String!
  "The newest sample that was judged."
  at: DateTime
  "The detector's model."
  detector: ID!
  "The sensors that explain the score, the largest share first; at most three."
  drivers: [Driver!]!
}
"""A sensor and its share of a score, 0 to 1. Observed and expected are in its unit; expected is
what the asset's past and its other sensors say.
"""
type Driver {
  twin: ID!
  name: String!
  unit: String
  share: Float!
  observed: Float!
  expected: Float!
}
"""What is normal for a model, and what it was learned from."""
type Detector {
  model: ID!
  sensors: [Sensor!]!
  "Sensors that never moved in training: they are not watched."
  leftOut: [String!]!
  "Twins watched."
  assets: Int!
  "The sample period."
  every: Duration!
  trainedFrom: DateTime!
  trainedTo: DateTime!
  rows: Int!
  "The twins it was learned from."
  twins: [ID!]!
  "Healthy rows that were scored by a detector that had not seen them."
  heldOutRows: Int!
  "How many of them scored above the threshold."
  heldOutAbove: Int!
  dataHash: String!
}
type Sensor { path: String! name: String! unit: String }
'''

Record = Mapping[str, Any]
NANO = 1_000_000_000


def instant(time: int) -> str:
    """RFC 3339 text in UTC of a time in ns."""
    whole, rest = divmod(time, NANO)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0").rstrip(".") + "Z"


def nanoseconds(text: str) -> int:
    """The time in ns of a canonical instant."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return int(moment.timestamp()) * NANO + int(rest.ljust(9, "0")[:9] or 0)


def health(lookout: Lookout | None) -> Callable[[str], Record | None]:
    """Answers a twin's health; the worst where several detectors watch it."""

    def of(twin: str) -> Record | None:
        found = [] if lookout is None else lookout.watch.health(twin)
        return _health(min(found, key=_worst)) if found else None

    return of


def _worst(one: Health) -> tuple[bool, float]:
    return one.state != "ALARM", 100.0 if one.value is None else one.value


def _health(one: Health) -> Record:
    return {
        "value": one.value,
        "state": one.state,
        "score": one.score,
        "warmth": one.warmth,
        "at": instant(one.at) if one.at else None,
        "detector": one.model,
        "drivers": [_driver(symptom) for symptom in one.symptoms],
    }


def _driver(symptom: Symptom) -> Record:
    return {
        "twin": symptom.address,
        "name": symptom.name,
        "unit": symptom.unit or None,
        "share": symptom.share,
        "observed": symptom.observed,
        "expected": symptom.expected,
    }


def detectors(lookout: Lookout | None) -> list[Record]:
    """Every detector, by model."""
    if lookout is None:
        return []
    found = lookout.watch.detectors()
    return [_detector(lookout, found[model]) for model in sorted(found)]


def train(lookout: Lookout | None, arguments: Record) -> Record:
    """Learn from history; raises as `Lookout.train`."""
    if lookout is None:
        raise Unavailable(
            "nothing watches here", cure="ask a running server: `twinfall serve` watches"
        )
    every = arguments.get("every")
    lesson = Lesson(
        arguments["model"],
        nanoseconds(arguments["from"]),
        nanoseconds(arguments["to"]),
        None if every is None else round(seconds(every, "every") * NANO),
        tuple(arguments.get("through") or ()),
        tuple(arguments.get("twins") or ()),
    )
    return _detector(lookout, lookout.train(lesson))


def _detector(lookout: Lookout, one: Normal) -> Record:
    facts = one.facts
    return {
        "model": one.model,
        "sensors": [{"path": c.path, "name": c.name, "unit": c.unit or None} for c in one.columns],
        "leftOut": list(facts["left_out"]),
        "assets": len(lookout.watch.assets(one.model)),
        "every": duration_text(one.every / NANO),
        "trainedFrom": instant(facts["trained_from"]),
        "trainedTo": instant(facts["trained_to"]),
        "rows": facts["rows"],
        "twins": list(facts["twins"]),
        "heldOutRows": facts["metrics"]["held_out_rows"],
        "heldOutAbove": facts["metrics"]["held_out_over"],
        "dataHash": facts["data_hash"],
    }
