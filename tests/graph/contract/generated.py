"""Random plants and random questions about them, from small pools so that things meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.graph.contract.oracle import Oracle
from tests.graph.plant import BIG_PUMP, MOTOR, PUMP, TANK
from twinfall.graph.identity import caption
from twinfall.graph.plan import (
    CAPTION,
    ID,
    MODEL,
    VERSION,
    All,
    Compare,
    Component,
    ComponentSelect,
    Either,
    Fetch,
    FieldRef,
    Ids,
    IsA,
    Not,
    Page,
    Related,
    RelationSelect,
    Select,
    Sort,
)
from twinfall.graph.twins import Edge, Node
from twinfall.graph.values import FieldType

# A surrogate-range neighbour and an astral letter: UTF-16 order would swap them.
TEXTS = (
    "",
    " ",
    "A",
    "a",
    "ab",
    "b",
    "é",
    "e\u0301",
    "\uff5e",
    "\U0001d4b3",
    "%_",
    "'\"\\`",
    "a/b",
)
texts = st.sampled_from(TEXTS) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6
)
floats = st.sampled_from(
    (0.0, 0.1, 0.30000000000000004, -1.5, 5e-324, 1.7976931348623157e308, 9007199254740993.0)
) | st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)
longs = st.sampled_from((0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63))) | st.integers(
    -(2**63), 2**63 - 1
)
unsigned = st.sampled_from((0, 1, 2**63 - 1, 2**63, 2**64 - 1)) | st.integers(0, 2**64 - 1)
instants = st.builds(
    lambda day, second, fraction: f"{day}T06:30:{second:02d}{fraction}Z",
    st.sampled_from(("0001-01-01", "1969-12-31", "2026-11-23", "9999-12-31")),
    st.integers(0, 2),
    st.sampled_from(("", ".5", ".05", ".123", ".1230001", ".999999999")),
)
dates = st.sampled_from(("0001-01-01", "2026-11-23", "2026-12-01", "9999-12-31"))
decimals = st.sampled_from(("0", "0.10", "12345678901234567890.123456789", "-1"))

PUMP_FIELDS: dict[str, tuple[FieldType, st.SearchStrategy[Any]]] = {
    "name": ("text", texts),
    "weight": ("float", floats),
    "on": ("boolean", st.booleans()),
    "stages": ("integer", st.integers(-2, 2)),
    "turns": ("integer", longs),
    "serial": ("unsignedLong", unsigned),
    "flow": ("float", floats),
    "since": ("dateTime", instants),
    "built": ("date", dates),
    "price": ("text", decimals),
    "mode": ("text", st.sampled_from(("r", "h"))),
    "grade": ("integer", st.sampled_from((1, 2))),
}
STRUCTURED: dict[str, tuple[FieldType, st.SearchStrategy[Any]]] = {
    "tags": ("list", st.lists(texts, max_size=3)),
    "levels": ("list", st.lists(floats, max_size=3)),
    "labels": ("json", st.dictionaries(texts, texts, max_size=2)),
    "shape": (
        "json",
        st.fixed_dictionaries({"width": floats}, optional={"seen": instants}),
    ),
}
TANK_FIELDS = {
    "name": PUMP_FIELDS["name"],
    "weight": PUMP_FIELDS["weight"],
    "volume": ("float", floats),
}
MOTOR_FIELDS: dict[str, tuple[FieldType, st.SearchStrategy[Any]]] = {
    "power": ("float", floats),
    "maker": ("text", texts),
}
FEED_FIELDS: dict[str, tuple[FieldType, st.SearchStrategy[Any]]] = {
    "share": ("float", floats),
    "from": ("dateTime", instants),
    "note": ("text", texts),
    "count": ("integer", longs),
}
PUMP_IDS = ("P", "P!", "P-1", "P0", "p", "Q", "P.10", "P%2")
TANK_IDS = ("T1", "T2", "T'3", "T$4")


def _some(fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={n: values for n, (_, values) in fields.items()})


pump_values = _some({**PUMP_FIELDS, **STRUCTURED})
tank_values = _some(TANK_FIELDS)
motor_values = _some(MOTOR_FIELDS)
feed_values = _some(FEED_FIELDS)


@st.composite
def plants(draw: st.DrawFn) -> Oracle:
    """Twins with their components, and relationships between them."""
    plant = Oracle()
    for id_ in draw(st.lists(st.sampled_from(PUMP_IDS), min_size=1, unique=True)):
        model = draw(st.sampled_from((PUMP, PUMP, BIG_PUMP)))
        version = draw(st.integers(1, 3))
        add(plant, Node(id_, model, draw(pump_values), version))
        for name in ("motor", "spare"):
            add(
                plant,
                Node(f"{id_}/{name}", MOTOR, draw(motor_values), version, "", id_, name),
            )
    for id_ in draw(st.lists(st.sampled_from(TANK_IDS), max_size=4, unique=True)):
        add(plant, Node(id_, TANK, draw(tank_values), 1))
    twins = sorted(id_ for id_, node in plant.nodes.items() if node.owner is None)
    pumps = [id_ for id_ in twins if id_ in PUMP_IDS]
    tanks = [id_ for id_ in twins if id_ in TANK_IDS]
    for number in range(draw(st.integers(0, 8))):
        name = draw(st.sampled_from(("feeds", "near") if tanks else ("near",)))
        source = draw(st.sampled_from(pumps if name == "feeds" else twins))
        target = draw(st.sampled_from(tanks if name == "feeds" else sorted(plant.nodes)))
        id_ = f"{draw(st.sampled_from('aBc'))}{number}"
        values = draw(feed_values) if name == "feeds" else {}
        plant.edges[source, id_] = Edge(source, id_, name, target, values)
    return plant


def add(plant: Oracle, node: Node) -> None:
    """Put a node there, with the caption it would have."""
    title = caption(node.id, node.values)
    plant.nodes[node.id] = Node(
        node.id, node.model, node.values, node.version, title, node.owner, node.component
    )


# -- questions ------------------------------------------------------------------------------


def _system() -> dict[str, tuple[FieldType, st.SearchStrategy[Any]]]:
    return {
        ID: ("text", st.sampled_from((*PUMP_IDS, *TANK_IDS, "P/motor"))),
        MODEL: ("text", st.sampled_from((PUMP, TANK, MOTOR))),
        CAPTION: ("text", texts),
        VERSION: ("integer", st.integers(0, 3)),
    }


@st.composite
def compares(draw: st.DrawFn, fields: dict[str, Any], on: Any = "node") -> Compare:
    known = {**fields, **_system()} if on == "node" else {**fields, ID: _system()[ID]}
    name = draw(st.sampled_from(sorted(known)))
    kind, values = known[name]
    ref = FieldRef(name, kind, on)
    if kind in ("list", "json"):
        return Compare(ref, "null", draw(st.booleans()))
    ops = ["eq", "in", "lt", "lte", "gt", "gte", "null"]
    if kind == "text":
        ops += ["contains", "startsWith", "endsWith"]
    op: Any = draw(st.sampled_from(ops))
    if op == "null":
        return Compare(ref, op, draw(st.booleans()))
    return Compare(ref, op, draw(st.lists(values, max_size=3) if op == "in" else values))


def conditions(
    fields: dict[str, Any], edge: dict[str, Any] | None = None, depth: int = 2
) -> st.SearchStrategy[Any]:
    """Conditions on a twin with these fields (and on a relationship with those)."""
    leaf = st.one_of(
        compares(fields),
        st.builds(
            Ids,
            st.lists(st.sampled_from((*PUMP_IDS, "T1", "P/motor", "no")), max_size=4).map(tuple),
        ),
        st.builds(
            IsA, st.lists(st.sampled_from((PUMP, BIG_PUMP, TANK, MOTOR)), max_size=3).map(tuple)
        ),
        *([compares(edge, "edge")] if edge else []),
    )
    if depth == 0:
        return leaf
    below = conditions(fields, edge, depth - 1)
    related = st.builds(
        Related,
        st.just("feeds"),
        st.sampled_from(("out", "in")),
        st.sampled_from(("some", "none", "all")),
        conditions({**PUMP_FIELDS, **STRUCTURED}, FEED_FIELDS, depth - 1),
    )
    unspecific = st.builds(
        Related,
        st.sampled_from(("near", "nobodyUsesThis")),
        st.sampled_from(("out", "in")),
        st.sampled_from(("some", "none", "all")),
        conditions(TANK_FIELDS, None, depth - 1),
    )
    component = st.builds(
        Component,
        st.sampled_from(("motor", "spare", "gearbox")),
        conditions(MOTOR_FIELDS, None, depth - 1),
    )
    several = st.lists(below, max_size=3).map(tuple)
    return st.one_of(
        leaf,
        st.builds(All, several),
        st.builds(Either, several),
        st.builds(Not, below),
        related,
        unspecific,
        component,
    )


@st.composite
def sorts(draw: st.DrawFn, fields: dict[str, Any], edge: dict[str, Any] | None = None) -> Sort:
    known = {**{n: f for n, f in fields.items() if n not in STRUCTURED}, **_system()}
    on: Any = draw(st.sampled_from(("node", "edge"))) if edge else "node"
    if on == "edge":
        known = {**(edge or {}), ID: _system()[ID]}
    name = draw(st.sampled_from(sorted(known)))
    return Sort(FieldRef(name, known[name][0], on), draw(st.booleans()))


@st.composite
def pages(
    draw: st.DrawFn, fields: dict[str, Any], edge: dict[str, Any] | None = None, depth: int = 2
) -> Page:
    return Page(
        first=draw(st.integers(0, 4) | st.just(100)),
        where=draw(st.none() | conditions(fields, edge, depth)),
        sort=tuple(draw(st.lists(sorts(fields, edge), max_size=2))),
        count=draw(st.booleans()),
    )


@st.composite
def selects(draw: st.DrawFn, depth: int = 2) -> Select:
    names = st.lists(st.sampled_from([*PUMP_FIELDS, *STRUCTURED, "volume", "power"]), max_size=4)
    components: list[Any] = []
    relations: list[Any] = []
    owner = None
    if depth:
        for name in draw(st.lists(st.sampled_from(("motor", "spare", "gearbox")), max_size=2)):
            part = ComponentSelect(name, draw(selects(depth - 1)))
            components.append((f"part{len(components)}", part))
        for _ in range(draw(st.integers(0, 2))):
            relations.append((f"rel{len(relations)}", draw(relation_selects(depth - 1))))
        owner = draw(st.none() | selects(depth - 1))
    return Select(
        properties=tuple(dict.fromkeys(draw(names))),
        whole=draw(st.booleans()),
        components=tuple(components),
        relations=tuple(relations),
        owner=owner,
    )


@st.composite
def relation_selects(draw: st.DrawFn, depth: int) -> RelationSelect:
    name = draw(st.sampled_from(("feeds", "near", None)))
    edge = FEED_FIELDS if name == "feeds" else None
    return RelationSelect(
        name=name,
        direction=draw(st.sampled_from(("out", "in"))),
        page=draw(pages({**PUMP_FIELDS, **STRUCTURED} if edge else TANK_FIELDS, edge, 1)),
        select=draw(st.none() | selects(depth)),
        properties=draw(
            st.none() | st.lists(st.sampled_from(sorted(FEED_FIELDS)), unique=True).map(tuple)
        ),
    )


@st.composite
def plans(draw: st.DrawFn) -> Fetch:
    """A question of any shape."""
    fields = draw(st.sampled_from(({**PUMP_FIELDS, **STRUCTURED}, TANK_FIELDS)))
    return Fetch(draw(pages(fields)), draw(selects()), components=draw(st.booleans()))
