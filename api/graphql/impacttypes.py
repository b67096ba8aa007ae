"""Impact in GraphQL: its types."""

from __future__ import annotations

SDL = '''
"""What fails next when something fails."""
type Impact {
  "The version of graph and models that was computed on."
  snapshot: String!
  totals: Totals!
  "Between which totals the truth lies, as far as states are unknown."
  bounds: ImpactBounds!
  waves: [Wave!]!
  "In order of time. A cursor is a position: when the graph changes, so does `snapshot`."
  affected(first: Int = 100, after: String): ImpactedConnection!
  "Assets that hold, by the smallest margin first."
  nearMisses(first: Int = 20): [NearMiss!]!
  "Assets that could not be judged, and why."
  notEvaluated(first: Int = 100): [NotEvaluated!]!
  "Assets that are down before any failure."
  baselineDown(first: Int = 100): [Twin!]!
  "How long the lists are, whatever part of them is asked for."
  counts: ImpactCounts!
  "Those of a list that have a declared location, as a GeoJSON FeatureCollection."
  geoJson(list: ImpactList! = affected): JSON!
  "A whole list as CSV with a header."
  csv(list: ImpactList! = affected): String!
  "A picture: on the map where assets have places, else wave by wave."
  svg: String!
  "The same picture as PNG, in base64; needs the extra `picture` where the service runs."
  png: String!
}
"""`affected` has the failed ones too, as wave 0."""
enum ImpactList { affected waves services nearMisses notEvaluated baselineDown }
type ImpactCounts {
  affected: Int!
  nearMisses: Int!
  notEvaluated: Int!
  baselineDown: Int!
}
"""Over what goes down; `degraded` counts what goes on with less."""
type Totals {
  assets: Int!
  customers: Float!
  value: Float!
  services: [ServiceTotal!]!
  degraded: Int!
}
type ServiceTotal { name: String! count: Int! }
"""What fails at one moment for one reason."""
type Wave { wave: Int! at: Duration! count: Int! }
type ImpactedConnection {
  totalCount: Int!
  nodes: [Impacted!]!
  edges: [ImpactedEdge!]!
  pageInfo: PageInfo!
}
type ImpactedEdge { cursor: String! node: Impacted! }
"""`path` leads from a failed asset to this one, both included; failure domains are no twins."""
type Impacted {
  twin: Twin!
  wave: Int!
  "After the failure."
  at: Duration!
  from: State!
  to: State!
  "What is left of what is degraded, 0 to 1."
  level: Float
  "The group that was lost."
  group: String
  "How the group stood."
  votes: String
  "The asset whose loss decided it; null where that is a failure domain that is no twin."
  cause: Twin
  "That failure domain, such as `domain:trench`."
  failureDomain: ID
  path: [Twin!]!
  "Failed assets none of which can be spared for this; null where very many failed."
  minimalCauses: [ID!]
  "Whether one of them does it alone; null as `minimalCauses`."
  spof: Boolean
}
"""`margin` is how many more feeds the group can lose."""
type NearMiss {
  twin: Twin!
  group: String!
  margin: Int!
  wouldFailIf: [ID!]!
  "After the failure, beyond the horizon: it lives on a buffer until then; null: it stays up."
  until: Duration
}
type NotEvaluated { id: ID! reason: String! }
'''
