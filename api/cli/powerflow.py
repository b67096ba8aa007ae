"""`twinfall powerflow`: what an outage in an electricity grid does to flows, islands and load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli.output import AsJson, console, print_json, print_table

if TYPE_CHECKING:
    from twinfall.analytics.models import PowerCascade

MAX_TRIPS_SHOWN = 50
WORST = 10


def powerflow(
    file: Annotated[
        Path, typer.Argument(help="The grid: JSON of pandapower, or Twinfall's own format.")
    ],
    outage: Annotated[
        list[str] | None,
        typer.Option(help="A branch that goes out, as `line 7`; again for several at once."),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Capacity of each branch: its flow before and this share more; else the file's.",
        ),
    ] = None,
    least: Annotated[
        float, typer.Option(min=0.0, help="With --margin: no capacity is below these MW.")
    ] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Trip overloaded branches of a grid, round by round, by DC power flow: after one outage, or
    without --outage after every single one. A planning aid, not a protection study.
    """
    from twinfall.analytics.models import PowerCascade, read
    from twinfall.ontology.errors import BadInput

    try:
        grid = read(file.read_bytes())
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", path=str(file)) from None
    model = PowerCascade(grid) if margin is None else PowerCascade.with_margin(grid, margin, least)
    if outage:
        answer = _one(model, outage)
        print_json(answer) if as_json else _show_one(answer)
    else:
        answer = _every(model)
        print_json(answer) if as_json else _show_every(answer)


def _one(model: PowerCascade, outage: list[str]) -> dict[str, Any]:
    failed = [model.grid.branch(name) for name in outage]
    course, trips = model.cascade(failed), model.trips(failed)
    return {
        "outage": sorted(set(outage)),
        "demandMW": model.demand,
        "servedMW": course.served.tolist(),
        "rounds": course.rounds,
        "trips": [
            {"round": t.round, "branch": t.branch, "flowMW": t.flow, "capacityMW": t.capacity}
            for t in trips
        ],
    }


def _every(model: PowerCascade) -> dict[str, Any]:
    """Only outages that may do harm are followed; on large grids the others are nearly all."""
    names, risky = model.grid.branches, set(model.risky().tolist())
    rows = [
        _row(model, branch, name) if branch in risky else (0.0, 0, 0, name)
        for branch, name in enumerate(names)
    ]
    rows.sort(key=lambda row: -round(row[0], 6))  # equal ones stay in the grid's order
    keys = ("shedMW", "trips", "rounds", "branch")
    outages = [dict(zip(keys, row, strict=True)) for row in rows]
    return {"demandMW": model.demand, "branches": len(rows), "outages": outages}


def _row(model: PowerCascade, branch: int, name: str) -> tuple[float, int, int, str]:
    course = model.cascade([branch])
    return max(0.0, float(course.shed[-1])), len(course), course.rounds, name


def _show_one(answer: dict[str, Any]) -> None:
    served, demand = answer["servedMW"], answer["demandMW"]
    out = console()
    out.print(f"{', '.join(answer['outage'])} out of service")
    for trip in answer["trips"][:MAX_TRIPS_SHOWN]:
        load = f"{abs(trip['flowMW']):.1f} MW of {trip['capacityMW']:.1f} MW"
        out.print(f"  round {trip['round']}: {trip['branch']} trips, {load}")
    if (more := len(answer["trips"]) - MAX_TRIPS_SHOWN) > 0:
        out.print(f"  and {more} more; --json has them all")
    share = f" ({100 * served[-1] / demand:.1f} %)" if demand else ""
    out.print(f"{served[-1]:.1f} of {demand:.1f} MW supplied{share}, {answer['rounds']} rounds")


def _show_every(answer: dict[str, Any]) -> None:
    rows = answer["outages"]
    harmful = sum(1 for row in rows if row["trips"])
    console().print(
        f"{len(rows)} single outages, {answer['demandMW']:.1f} MW; {harmful} trip other branches"
    )
    cells = [
        [r["branch"], f"{r['shedMW']:.1f}", str(r["trips"]), str(r["rounds"])] for r in rows[:WORST]
    ]
    print_table("", ["branch", "MW shed", "others trip", "rounds"], cells)
