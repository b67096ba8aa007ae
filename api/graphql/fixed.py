"""The types that every schema has, written in SDL."""

from __future__ import annotations

from typing import Any

from graphql import (
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    parse,
    print_ast,
    value_from_ast_untyped,
)

from twinfall.api.graphql import (
    actions,
    criticality,
    files,
    impacttypes,
    letters,
    linting,
    readings,
    requirements,
    rootcauses,
    showing,
    states,
    versions,
    watches,
    whatif,
)
from twinfall.api.graphql.shapes import UNSET, Argument, Field, Shapes, System, Type, Where
from twinfall.graph.plan import CAPTION, ID, VERSION, FieldRef

TWIN = "Twin"
OTHER = "OtherTwin"
"""Twins of models that have no type of their own in the schema."""

SDL = '''
"""Where to go on: `endCursor` is the next page's `after`."""
type PageInfo { hasNextPage: Boolean! endCursor: String }

"""How an asset is before any failure that a question assumes."""
enum State { ok degraded failed unknown }

"""From which end a relationship is seen: it starts here (OUT) or ends here (IN)."""
enum Direction { OUT IN }

"""ASC puts missing values last, DESC first."""
enum SortDirection { ASC DESC }

"""A twin or a component, whatever its model."""
interface Twin {
  id: ID!
  "The DTMI of its model."
  model: String!
  "Grows with every write to the twin."
  _version: Int!
  "The name people read."
  _name: String
  "By its readings, by what people said, and by what it depends on."
  _state: State!
  "Why it is so; null where it is ok and nobody said so."
  _stateReason: StateReason
  "All property values by the ontology's names, components nested."
  _values: JSON!
  "The latest readings by name, of all names or of these."
  _telemetry(names: [String!]): [Latest!]!
  "Relationships of every name, or of one, that start or end here."
  _relationships(
    name: String, direction: Direction = OUT, first: Int = 25, after: String
  ): RelationshipConnection!
  "What else fails when this fails."
  _impact(horizon: Duration): Impact!
  "How it does, by the learned watch; null where none watches it."
  _health: Health
  "The twin that a component belongs to."
  _owner: Twin
}

"""A twin whose model has no type of its own in this schema."""
type OtherTwin implements Twin { id: ID! }

type TwinConnection { totalCount: Int! nodes: [Twin!]! edges: [TwinEdge!]! pageInfo: PageInfo! }
type TwinEdge { cursor: String! node: Twin! }

"""A relationship. Its id is unique among those of its source; `twin` is the one at the far end."""
type Relationship {
  id: ID!
  name: String!
  source: ID!
  target: ID!
  properties: JSON!
  twin: Twin!
}
type RelationshipConnection {
  totalCount: Int!
  nodes: [Relationship!]!
  edges: [RelationshipEdge!]!
  pageInfo: PageInfo!
}
type RelationshipEdge { cursor: String! node: Relationship! }

"""A loaded interface; `name` is what GraphQL and Cypher call it."""
type Model {
  id: ID!
  name: String!
  displayName: String
  description: String
  extends: [ID!]!
  "Twins and components of exactly this model."
  twins: Int!
  "Whether it takes no new twins any more."
  decommissioned: Boolean!
  contents: [ModelContent!]!
}
type ModelContent {
  name: String!
  "Property, Telemetry, Relationship, Component or Command."
  kind: String!
  "The DTMI of a relationship's target or a component's model."
  target: ID
  "The DTMI of the model that declares it: this one or one that it extends."
  declaredIn: ID!
  schema: String
  "What a command takes and answers."
  request: String
  response: String
  unit: String
  writable: Boolean!
  displayName: String
  description: String
}

type Service {
  version: String!
  "Position of the change feed."
  cursor: Long!
  models: Int!
  twins: Int!
  components: Int!
  relationships: Int!
  caller: Caller!
}
type Caller { name: String! role: String! }

type LoadResult {
  "DTMIs that are new."
  loaded: [ID!]!
  "DTMIs that were there already."
  unchanged: [ID!]!
  "What GraphQL and Cypher call the interfaces of the whole model set."
  names: JSON!
}
"""All or nothing: with any error, nothing is written."""
type WriteResult { written: Int! errors: [RowError!]! }
type RowError { index: Int! code: String! path: String message: String! cure: String }

"""A whole twin; components inside `values`. `ifVersion` 0: only if it is new."""
input TwinInput { id: ID! model: String! values: JSON ifVersion: Int }
"""A JSON merge patch (RFC 7396) of the twin's values."""
input TwinPatch { id: ID! merge: JSON! ifVersion: Int }
"""A whole relationship; without an id it is called `<name>:<target>`."""
input RelationshipInput { source: ID! name: String! target: ID! id: ID properties: JSON }
input RelationshipKey { source: ID! id: ID! }

input BooleanFilter { eq: Boolean null: Boolean }
input IntFilter { eq: Int in: [Int!] lt: Int lte: Int gt: Int gte: Int null: Boolean }
input LongFilter { eq: Long in: [Long!] lt: Long lte: Long gt: Long gte: Long null: Boolean }
input FloatFilter { eq: Float in: [Float!] lt: Float lte: Float gt: Float gte: Float null: Boolean }
"""Text in order of code points; `contains`, `startsWith` and `endsWith` are case-sensitive."""
input StringFilter {
  eq: String in: [String!] lt: String lte: String gt: String gte: String
  contains: String startsWith: String endsWith: String null: Boolean
}
input DateTimeFilter {
  eq: DateTime in: [DateTime!] lt: DateTime lte: DateTime gt: DateTime gte: DateTime null: Boolean
}
input DateFilter { eq: Date in: [Date!] lt: Date lte: Date gt: Date gte: Date null: Boolean }
"""Equality of the texts as written; such values have no order."""
input ExactFilter { eq: String in: [String!] null: Boolean }
"""Whether there is a value."""
input NullFilter { null: Boolean! }
input IDFilter { eq: ID in: [ID!] contains: String startsWith: String endsWith: String }
input StateFilter { eq: State in: [State!] }
"""DTMIs or names; `is` includes the models that extend it."""
input ModelFilter { is: String eq: String in: [String!] }

input TwinWhere {
  id: IDFilter
  model: ModelFilter
  _name: StringFilter
  _version: IntFilter
  _state: StateFilter
  _and: [TwinWhere!]
  _or: [TwinWhere!]
  _not: TwinWhere
}
"""One field each, in order of weight."""
input TwinSort {
  id: SortDirection
  model: SortDirection
  _name: SortDirection
  _version: SortDirection
}
"""About the twins one relationship away; `all` holds where there are none."""
input TwinRelation { some: TwinWhere none: TwinWhere all: TwinWhere }

type Query {
  twin(id: ID!): Twin
  "Twins of every model, or of one and those that extend it; components only on request."
  twins(
    model: String, where: TwinWhere, sort: [TwinSort!], components: Boolean = false,
    first: Int = 25, after: String
  ): TwinConnection!
  "What fails when these fail together, until nothing changes any more or the horizon is reached."
  impact(failed: [ID!]!, horizon: Duration): Impact!
  models: [Model!]!
  "What the learned watch knows to be normal."
  detectors: [Detector!]!
  service: Service!
}

type Mutation {
  "Add models (DTDL) and dependency sidecars, as JSON values or as texts; sidecars may be YAML."
  loadModels(documents: [JSON!]!, dependencies: [JSON!]): LoadResult!
  "Write whole twins. A component not given is emptied."
  writeTwins(twins: [TwinInput!]!): WriteResult!
  patchTwins(patches: [TwinPatch!]!): WriteResult!
  "Delete twins with their components and every relationship at them."
  deleteTwins(ids: [ID!]!): WriteResult!
  writeRelationships(relationships: [RelationshipInput!]!): WriteResult!
  deleteRelationships(relationships: [RelationshipKey!]!): WriteResult!
  """
  Learn what is normal for a model from a period in which all was well, and watch its twins.
  `every` is the sample period (default: as the readings come), `through` the relationships whose
  targets belong to the asset, `twins` those to learn from (default: all).
  """
  trainDetector(
    model: String!, from: DateTime!, to: DateTime!, every: Duration, through: [String!],
    twins: [ID!]
  ): Detector!
}
'''

_MODULES = (
    *(watches, actions, states, readings, letters, files, impacttypes),
    *(requirements, rootcauses, versions, criticality, whatif, showing, linting),
)
"""Modules with SDL of their own."""
_ENUM_VALUES = {"OUT": "out", "IN": "in", "ASC": "asc", "DESC": "desc"}
_WORDS = ("_and", "_or", "_not")

SYSTEM_WHERE: dict[str, Where] = {
    "id": Where("field", ref=FieldRef(ID, "text")),
    "model": Where("model"),
    "_name": Where("field", ref=FieldRef(CAPTION, "text")),
    "_version": Where("field", ref=FieldRef(VERSION, "integer")),
    "_state": Where("state"),
    **{word: Where("word", word[1:]) for word in _WORDS},
}
SYSTEM_SORT: dict[str, FieldRef] = {
    "id": FieldRef(ID, "text"),
    "model": FieldRef("_model", "text"),
    "_name": FieldRef(CAPTION, "text"),
    "_version": FieldRef(VERSION, "integer"),
}


def fixed_types() -> Shapes:
    """A fresh set of the fixed types; Query and Mutation are among them."""
    shapes = Shapes()
    sdl = "".join((SDL, *(one.SDL for one in _MODULES)))
    for node in parse(sdl, no_location=True).definitions:
        if isinstance(node, ObjectTypeExtensionNode):
            shapes.types[node.name.value].add(*(_field(one, False) for one in node.fields or ()))
        else:
            shapes.add(_type(node))
    twin = shapes.types[TWIN]
    shapes.types[OTHER].fields = dict(twin.fields)
    shapes.types["TwinWhere"].where = dict(SYSTEM_WHERE)
    shapes.types["TwinSort"].sort = dict(SYSTEM_SORT)
    return shapes


def _type(node: Any) -> Type:
    description = node.description.value if node.description else None
    name = node.name.value
    if isinstance(node, EnumTypeDefinitionNode):
        values = {
            v.name.value: _ENUM_VALUES.get(v.name.value, v.name.value) for v in node.values or ()
        }
        return Type(name, "enum", description=description, values=values)
    if isinstance(node, InputObjectTypeDefinitionNode):
        shape = Type(name, "input", description=description)
    elif isinstance(node, InterfaceTypeDefinitionNode):
        shape = Type(name, "interface", description=description)
    else:
        assert isinstance(node, ObjectTypeDefinitionNode)
        shape = Type(name, "object", description=description)
        shape.interfaces = tuple(i.name.value for i in node.interfaces or ())
    shape.add(*(_field(one, name in (TWIN, OTHER)) for one in node.fields))
    return shape


def _field(node: Any, of_twin: bool) -> Field:
    return Field(
        node.name.value,
        print_ast(node.type),
        System(node.name.value) if of_twin else "plain",
        tuple(_argument(one) for one in getattr(node, "arguments", None) or ()),
        node.description.value if node.description else None,
    )


def _argument(node: Any) -> Argument:
    default: Any = UNSET
    if node.default_value is not None:
        default = value_from_ast_untyped(node.default_value)
        if default in _ENUM_VALUES:  # an enumeration's default is its internal value
            default = _ENUM_VALUES[default]
    return Argument(node.name.value, print_ast(node.type), default)
