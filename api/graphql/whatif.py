"""What-if in GraphQL: its types, and warnings as they answer them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twinfall.ontology.errors import Problem

SDL = '''
"""
What a scenario comes to. `impact` is what its failures take along in the plant as the scenario has
it; `without` are the totals of the same failures in the plant as it is, null where that is the same
plant. What its changes take away is in `newlyDown` and `timeline`, which compare with today.
"""
type WhatIf {
  name: String!
  impact: Impact!
  without: Totals
  "Down by the horizon, failed ones included, and not in the plant as it is."
  newlyDown: AssetIds!
  "Over all of them."
  newlyDownTotals: Totals!
  "Down in the plant as it is, and not in the scenario."
  recovered: AssetIds!
  "Of a hazard: what it takes along, over many samples."
  expected: WhatIfExpected
  "What the scenario says that changes or hits nothing."
  warnings: [ScenarioWarning!]!
  """
  What falls and rises from the scenario on, by its failures, its changes and what is done later,
  until its horizon.
  """
  timeline: Timeline!
}
"""
Times are after the scenario has happened. `events` and `outages` are the first 1,000, of
`eventCount` and `outageCount`; `csv` and `geoJson` have all outages. What is down today is no part
of it; what the scenario fails is.
"""
type Timeline {
  "The horizon, or when the last thing happens."
  until: Duration!
  "All that is down at one time or another, each asset once."
  everDown: EverDown!
  unserved: Unserved!
  eventCount: Int!
  events: [TimelineEvent!]!
  outageCount: Int!
  outages: [Outage!]!
  "How much is down from when on; of more than 1,000 moments some are left out, never the worst."
  curve: [CurvePoint!]!
  csv: String!
  geoJson: JSON!
}
type EverDown { assets: Int! customers: Float! value: Float! }
"""Hours without service until then: of assets, and times the customers and value of each."""
type Unserved { assetHours: Float! customerHours: Float! valueHours: Float! }
"""
`cause` by id: an asset, or a failure domain that is no twin; null for what fails by itself, and for
what a change of the scenario cuts off.
"""
type TimelineEvent { at: Duration! id: ID! to: State! group: String cause: ID }
type Outage { id: ID! begin: Duration! until: Duration customers: Float! value: Float! }
type CurvePoint { at: Duration! assets: Int! customers: Float! value: Float! }
"""`path` is the place in the scenario, `line` its line where it was given as text."""
type ScenarioWarning { code: String! message: String! path: String! line: Int cure: String! }
type WhatIfExpected {
  samples: Int!
  "Assets that the event itself may fail."
  exposed: Int!
  assets: Spread!
  customers: Spread!
  value: Spread!
  likeliest: [LikelyDown!]!
  "The likeliest."
  csv: String!
  geoJson: JSON!
}
"""The mean, its standard error, and percentiles."""
type Spread { mean: Float! error: Float! p5: Float! p50: Float! p95: Float! }
type LikelyDown { id: ID! probability: Float! error: Float! }

extend type Query {
  """
  Put a scenario to the plant as it stands; the plant is not touched. A scenario has `fail` and
  `repair` (ids), `add`, `change` and `remove` (relationships: source, name, target, properties),
  `set` (values by twin), `hazard` (polygon, intensity, samples, seed, crs), `at` (when it happens),
  `then` (what is done later: after, fail, repair, open, close), `repairs` (what fails is in order
  again after its declared time) and `horizon`; it is given as an object or as the text of a file,
  or it is a saved one, by `name`. All that is wrong with it stands in the error's `problems`.
  """
  whatIf(scenario: JSON, name: String): WhatIf!
  "Scenarios that were saved, by name."
  scenarios: [SavedScenario!]!
  "What saved scenarios come to today, each on the same moment of the plant."
  compareScenarios(names: [String!]!): [ScenarioResult!]!
  "The same, with the moment, and as CSV."
  comparison(names: [String!]!): Comparison!
}
extend type Mutation {
  "Save a scenario under its name, in place of the one before."
  saveScenario(scenario: JSON!): SavedScenario!
  deleteScenario(name: String!): DeletedScenario!
}
type SavedScenario { name: String! scenario: JSON! saved: DateTime! savedBy: String! }
type DeletedScenario { name: String! }
type Comparison { snapshot: String! results: [ScenarioResult!]! csv: String! }
"""
The totals of the impact of a scenario's failures; what it comes to, changes and what is done later
included: `everDown`, `customersEverDown` and the hours not served until its horizon. `expected` is
the mean number of assets down of a hazard.
"""
type ScenarioResult {
  name: String!
  snapshot: String!
  assets: Int!
  degraded: Int!
  customers: Float!
  value: Float!
  newlyDown: Int!
  recovered: Int!
  "Assets down at one time or another, and the customers they stand for."
  everDown: Int!
  customersEverDown: Float!
  outages: Int!
  assetHours: Float!
  customerHours: Float!
  valueHours: Float!
  expected: Float
  "How many things it says that change or hit nothing."
  warnings: Int!
}
'''


def told_warnings(found: Iterable[Problem]) -> list[Mapping[str, Any]]:
    """What a scenario says that changes or hits nothing, as GraphQL answers it."""
    names = ("code", "message", "path", "line", "cure")
    return [{name: getattr(one, name) for name in names} for one in found]
