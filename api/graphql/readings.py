"""The types of readings in GraphQL: latest readings, points, lines over many twins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfall.api.graphql.shapes import Argument, Field, Telemetry, Type

if TYPE_CHECKING:
    from twinfall.api.graphql.models import Build

_COMMON = """
  "When it was measured, as its source says."
  time: DateTime!
  "When it came."
  received: DateTime!
  "As the ontology declares it; readings in other units are converted."
  unit: String
  "It is older than the model declares it may be."
  stale: Boolean!
  "It came without a time: `time` is when it came."
  untimed: Boolean!"""
_NUMBERS = '''
  """
  Up to before `to`, or up to the newest: at most `points` (500) by `lttb`; with `every`, buckets of
  that width by `avg`, unless `fn` says otherwise. Booleans are 0 and 1.
  """
  history(
    from: DateTime!, to: DateTime, points: Int, every: Duration, fn: HistoryFn
  ): [FloatPoint!]!'''
_LISTED = """
  "The newest `points` (500) readings up to before `to`."
  history(from: DateTime!, to: DateTime, points: Int): [FloatPoint!]!"""


def _latest(name: str, value: str, history: str, point: str = "FloatPoint") -> str:
    shown = history.replace("[FloatPoint", f"[{point}")
    return f"type {name} {{\n  value: {value}!{_COMMON}{shown}\n}}\n"


SDL = "".join(
    (
        '''
"""How the readings of a bucket become one point. `raw`: the newest readings themselves; `lttb`:
those that keep the line's shape.
"""
enum HistoryFn { raw avg min max sum count first last lttb }
"""How the readings of all twins in a bucket become one point."""
enum AggregateFn { avg min max sum count first last }
"""A bucket is named by its start."""
type FloatPoint { time: DateTime! value: Float! }
type StringPoint { time: DateTime! value: String! }
type JSONPoint { time: DateTime! value: JSON! }
"""The latest reading of any name."""
''',
        _latest("Latest", "JSON", _NUMBERS, "JSONPoint"),
        "extend type Latest { name: String! }\n",
        *(_latest(f"{name}Latest", name, _NUMBERS) for name in ("Float", "Int", "Long", "Boolean")),
        _latest("StringLatest", "String", _LISTED, "StringPoint"),
        _latest("JSONLatest", "JSON", _LISTED, "JSONPoint"),
    )
)
_TYPED = frozenset({"Float", "Int", "Long", "Boolean"})
_TEXTS = frozenset({"String", "DateTime", "Date", "Duration"})


def latest_of(scalar: str) -> str:
    """The type of latest readings of this GraphQL type."""
    if scalar in _TYPED:
        return f"{scalar}Latest"
    return "StringLatest" if scalar in _TEXTS else "JSONLatest"


def latest_of_enum(build: Build, enum: Type) -> str:
    """The type of latest readings that are names of an enumeration."""
    name, point = build.input(enum.name, "Latest"), build.input(enum.name, "Point")
    if name not in build.shapes.types:
        build.shapes.add(_retyped(build.shapes.types["StringPoint"], point, value=f"{enum.name}!"))
        build.shapes.add(
            _retyped(
                build.shapes.types["StringLatest"],
                name,
                value=f"{enum.name}!",
                history=f"[{point}!]!",
            )
        )
    return name


def _retyped(shape: Type, name: str, **types: str) -> Type:
    made = Type(name, "object", description=shape.description)
    made.add(
        *(
            Field(one.name, types.get(one.name, one.type), "plain", one.arguments, one.description)
            for one in shape.fields.values()
        )
    )
    return made


def add_aggregate(build: Build, node: str) -> Field | None:
    """The field of a connection that sums up readings of all its twins; None where none of them
    are numbers.
    """
    fields = []
    for one in build.shapes.types[node].fields.values():
        if isinstance(one.meaning, Telemetry) and one.type.removesuffix("Latest") in _TYPED:
            arguments = (
                Argument("from", "DateTime!"),
                Argument("to", "DateTime"),
                Argument("every", "Duration"),
                Argument("points", "Int"),
                Argument("fn", "AggregateFn", "avg"),
            )
            field = Field(one.name, "[FloatPoint!]!", one.meaning, arguments, one.description)
            fields.append(field)
    if not fields:
        return None
    shape = Type(
        build.type_names.claim(f"{node}Aggregate"),
        "object",
        description="One line for each reading, over all twins together.",
    )
    shape.add(*fields)
    build.shapes.add(shape)
    return Field(
        "aggregate",
        f"{shape.name}!",
        description="Over all twins that `where` finds, whatever page is asked for. Without `every`"
        " the period is one bucket, or `points` of them.",
    )
