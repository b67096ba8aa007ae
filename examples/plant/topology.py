"""The plant's flow sheet: which twin stands where, and what flows to what.

After the figure and the tables of Downs and Vogel (1993); stream numbers and valve numbers (XMV)
are theirs. What comes into the plant (`Supply`, `PowerFeeder`) is our addition.
"""

from __future__ import annotations

from examples.city.rows import Rows, part
from examples.plant.variables import read_variables

NAMESPACE = "dtmi:example:plant:"
PLANT = "TE-plant"
PRODUCT = "TE-stream-11"

STREAMS = {
    1: ("FeedA", "A feed", "A"),
    2: ("FeedD", "D feed", "D"),
    3: ("FeedE", "E feed", "E"),
    4: ("FeedAC", "A and C feed", "A, B and C"),
    5: ("StripperOverhead", "Stripper overhead", "A, B, C, D and E"),
    6: ("ReactorFeed", "Reactor feed", "all feeds and the recycle"),
    7: ("ReactorEffluent", "Reactor effluent", "products and what did not react"),
    8: ("RecycleGas", "Recycle gas", "what was not condensed"),
    9: ("Purge", "Purge", "B, F and what was not condensed"),
    10: ("SeparatorLiquid", "Separator underflow", "products and dissolved reactants"),
    11: ("ProductStream", "Product", "G and H"),
}
SUPPLIES = {
    "A": "reactant A",
    "D": "reactant D",
    "E": "reactant E",
    "AC": "reactants A and C",
    "steam": "steam",
    "cooling-water": "cooling water",
}
VALVES = {
    1: ("D feed valve", "TE-supply-D", "TE-stream-2"),
    2: ("E feed valve", "TE-supply-E", "TE-stream-3"),
    3: ("A feed valve", "TE-supply-A", "TE-stream-1"),
    4: ("A and C feed valve", "TE-supply-AC", "TE-stream-4"),
    5: ("Compressor recycle valve", None, None),
    6: ("Purge valve", "TE-separator", "TE-stream-9"),
    7: ("Separator liquid valve", "TE-separator", "TE-stream-10"),
    8: ("Product valve", "TE-stripper", "TE-stream-11"),
    9: ("Stripper steam valve", "TE-supply-steam", None),
    10: ("Reactor cooling water valve", "TE-supply-cooling-water", "TE-reactor"),
    11: ("Condenser cooling water valve", "TE-supply-cooling-water", "TE-condenser"),
}
"""Each valve by its XMV: name, what flows into it, where it flows to."""
FLOWS = (
    ("TE-stream-1", "TE-stream-6"),
    ("TE-stream-2", "TE-stream-6"),
    ("TE-stream-3", "TE-stream-6"),
    ("TE-stream-4", "TE-stripper"),
    ("TE-stream-5", "TE-stream-6"),
    ("TE-stream-6", "TE-reactor"),
    ("TE-reactor", "TE-stream-7"),
    ("TE-stream-7", "TE-condenser"),
    ("TE-condenser", "TE-separator"),
    ("TE-separator", "TE-compressor"),
    ("TE-compressor", "TE-stream-8"),
    ("TE-stream-8", "TE-stream-6"),
    ("TE-stream-10", "TE-stripper"),
    ("TE-stripper", "TE-stream-5"),
)
ANALYZERS = {
    6: ("ReactorFeedAnalyzer", "Reactor feed analyzer"),
    9: ("PurgeAnalyzer", "Purge analyzer"),
    11: ("ProductAnalyzer", "Product analyzer"),
}
OTHER = (
    ("TE-reactor", "poweredBy", "TE-power"),
    ("TE-compressor", "poweredBy", "TE-power"),
    ("TE-compressor", "bypassedBy", "TE-valve-5"),
    ("TE-separator", "drainsThrough", "TE-valve-7"),
    ("TE-stripper", "drainsThrough", "TE-valve-8"),
    ("TE-stripper", "heatedThrough", "TE-valve-9"),
    (PLANT, "produces", PRODUCT),
)


def plant() -> Rows:
    """All twins and relationships of the plant."""
    rows = Rows(namespace=NAMESPACE, organization="Tennessee Eastman process")
    rows.twin(PLANT, "ProcessPlant", {"name": "Tennessee Eastman plant"})
    _add_supplies(rows)
    _add_valves(rows)
    _add_streams(rows)
    _add_equipment(rows)
    for number, (kind, name) in ANALYZERS.items():
        rows.twin(f"TE-analyzer-{number}", kind, {"name": name})
        rows.relate(f"TE-analyzer-{number}", "analyzes", f"TE-stream-{number}")
    for source, target in FLOWS:
        rows.relate(source, "flowsTo", target)
    for source, name, target in OTHER:
        rows.relate(source, name, target)
    for row in rows.twins[1:]:
        rows.relate(PLANT, "contains", row["$dtId"])
    _check(rows)
    return rows


def _add_supplies(rows: Rows) -> None:
    for key, medium in SUPPLIES.items():
        name = f"Supply of {medium}"
        rows.twin(f"TE-supply-{key}", "Supply", {"name": name, "medium": medium})
    rows.twin("TE-power", "PowerFeeder", {"name": "Power feeder of the drives"})


def _add_valves(rows: Rows) -> None:
    for number, (name, source, target) in VALVES.items():
        id = f"TE-valve-{number}"
        values = {"name": name, "tag": f"XMV {number}", "actuator": part("Actuator")}
        rows.twin(id, "ControlValve", values)
        if source:
            rows.relate(source, "flowsTo", id)
        if target:
            rows.relate(id, "flowsTo", target)


def _add_streams(rows: Rows) -> None:
    for number, (kind, name, medium) in STREAMS.items():
        values = {"name": name, "tag": f"stream {number}", "medium": medium}
        rows.twin(f"TE-stream-{number}", kind, values)


def _add_equipment(rows: Rows) -> None:
    parts = {"agitator": part("Agitator"), "coolingJacket": part("Cooling jacket")}
    rows.twin("TE-reactor", "Reactor", {"name": "Reactor", **parts})
    rows.twin("TE-condenser", "Condenser", {"name": "Condenser", "tubes": part("Tube bundle")})
    rows.twin("TE-separator", "VaporSeparator", {"name": "Vapour-liquid separator"})
    parts = {
        "motor": part("Compressor motor"),
        "bearing": part("Compressor bearing"),
        "seal": part("Shaft seal"),
    }
    rows.twin("TE-compressor", "Compressor", {"name": "Recycle compressor", **parts})
    rows.twin("TE-stripper", "Stripper", {"name": "Product stripper", "reboiler": part("Reboiler")})


def _check(rows: Rows) -> None:
    """Every variable is measured somewhere on the flow sheet."""
    known = {row["$dtId"] for row in rows.twins}
    missing = {v.twin for v in read_variables() if v.twin.partition("/")[0] not in known}
    if missing:
        raise ValueError(f"variables of unknown twins: {', '.join(sorted(missing))}")
