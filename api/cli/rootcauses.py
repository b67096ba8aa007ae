"""`twinfall rootcause`: what has failed, given what is in alarm."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.files import Csv, GeoJson, fields, wanted, write
from twinfall.api.cli.options import duration
from twinfall.api.cli.output import AsJson, console, print_json, print_table

MAX_RANKS = 25
NAMED = 5
"""Ids of one list that are shown to people."""
ASK = """
query RootCause(
  $alarms: [AlarmedInput!], $quiet: [ID!], $monitored: [ID!], $horizon: Duration, $skew: Duration
  $miss: Float, $first: Int!, $show: Int!
) {
  rootCause(
    alarms: $alarms, quiet: $quiet, monitored: $monitored, horizon: $horizon, skew: $skew
    miss: $miss, first: $first, show: $show
  ) {
    snapshot alarms { count ids } standing { count ids } suspects missedAlarms falseAlarms nothing
    complete check { id bits downIf } FILES
    explanations {
      rank roots probability score gain began explained { count ids } silent { count ids }
      unexplained { count ids } paths
    }
  }
}
"""


def root_cause(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Ids of the assets in alarm; none: all that are now.")
    ] = None,
    quiet: Annotated[
        list[str] | None, typer.Option(help="An asset that was looked at and is in order.")
    ] = None,
    monitored: Annotated[
        list[str] | None,
        typer.Option(help="An asset that would raise an alarm; by default those that can."),
    ] = None,
    horizon: Annotated[
        str | None,
        typer.Option(help="It began no longer ago than this, such as PT30M.", callback=duration),
    ] = None,
    skew: Annotated[
        str | None,
        typer.Option(help="By how much the times of alarms may differ: PT5M.", callback=duration),
    ] = None,
    miss: Annotated[
        float | None, typer.Option(help="Share of failures that raise no alarm, 0 to 1.")
    ] = None,
    first: Annotated[int, typer.Option(min=1, max=MAX_RANKS, help="Ranks shown.")] = 5,
    csv: Csv = None,
    geojson: GeoJson = None,
    as_json: AsJson = False,
) -> None:
    """Find which failures explain the alarms best, and what to look at next."""
    from twinfall.api.cli.service import service

    given = {
        "alarms": [{"id": id_} for id_ in ids] if ids else None,
        "quiet": quiet or None,
        "monitored": monitored or None,
        "horizon": horizon,
        "skew": skew,
        "miss": miss,
        "first": first,
        "show": 500 if as_json else NAMED,
    }
    files = wanted(csv, geojson)
    with service(here.settings(), "twinfall rootcause") as graph:
        found = graph.ask(ASK.replace("FILES", fields(files)), given)["data"]["rootCause"]
    write(files, found)
    if as_json:
        print_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    out = console()
    alarms, standing = found["alarms"]["count"], found["standing"]["count"]
    if standing:
        out.print(
            f"{_count(standing, 'alarm')} of what is down already: {_list(found['standing'])}"
        )
    if not alarms:
        out.print("nothing is in alarm" if not standing else "nothing else is in alarm")
        return
    out.print(
        f"{_count(alarms, 'alarm')}, {_count(found['suspects'], 'suspect')}, "
        f"{found['nothing']:.0%} that nothing has failed"
    )
    columns = ["rank", "failed", "chance", "explains", "silent", "unexplained", "began"]
    print_table("", columns, [_row(one) for one in found["explanations"]])
    for path in found["explanations"][0]["paths"] if found["explanations"] else ():
        out.print(" -> ".join(path))
    check = found["check"]
    if check:
        ranks = ", ".join(str(rank) for rank in check["downIf"])
        out.print(f"look at {check['id']} next: it is down by rank {ranks}")
    if not found["complete"]:
        out.print("not all suspects could be followed in time: ask about fewer alarms")


def _row(one: dict[str, Any]) -> list[str]:
    return [
        str(one["rank"]),
        " and ".join(one["roots"]),
        f"{one['probability']:.1%}",
        str(one["explained"]["count"]),
        _list(one["silent"]),
        _list(one["unexplained"]),
        one["began"] or "",
    ]


def _list(ids: dict[str, Any]) -> str:
    """How many, and the first ones."""
    if not ids["count"]:
        return "0"
    left = ids["count"] - len(ids["ids"])
    return f"{ids['count']}: {', '.join(ids['ids'])}" + (f" and {left} more" if left else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
