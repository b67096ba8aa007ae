"""`twinfall criticality` and `twinfall spof`: what matters most, and what takes one asset down."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.files import Csv, Files, GeoJson, fields, wanted, write
from twinfall.api.cli.output import AsJson, console, print_json, print_table

MAX_SHOWN = 500
RANK = """
query Rank($by: CriticalityOrder!, $model: String, $first: Int!) {
  criticality(by: $by, model: $model, first: $first) {
    snapshot totalCount
    nodes { rank id assets customers value expected failureRate repairTime }
    FILES
  }
}
"""
PARTNERS = """
query Partners($id: ID!, $first: Int!) { criticalWith(id: $id, first: $first) { count ids FILES } }
"""
CUTS = """
query Cuts($of: ID!, $order: Int!, $first: Int!) {
  spof(of: $of, maxOrder: $order, first: $first) {
    snapshot complete totalCount sets { order members path } FILES
  }
}
"""


class By(StrEnum):
    """What assets are ranked by."""

    ASSETS = "assets"
    CUSTOMERS = "customers"
    VALUE = "value"
    EXPECTED = "expected"


def criticality(
    by: Annotated[By, typer.Option(help="expected: value-hours lost a year.")] = By.ASSETS,
    model: Annotated[str | None, typer.Option(help="Only twins of this model.")] = None,
    with_: Annotated[
        str | None,
        typer.Option(
            "--with", metavar="ID", help="Instead: what takes more along together with this one."
        ),
    ] = None,
    first: Annotated[int, typer.Option(min=1, max=MAX_SHOWN, help="Assets shown.")] = 25,
    csv: Csv = None,
    geojson: GeoJson = None,
    as_json: AsJson = False,
) -> None:
    """Rank assets by what their failure alone takes along, as things stand."""
    files = wanted(csv, geojson)
    if with_ is not None:
        _partners(_ask(PARTNERS, {"id": with_, "first": first}, files), with_, as_json)
        return
    found = _ask(RANK, {"by": by, "model": model, "first": first}, files)
    if as_json:
        print_json(found)
        return
    rows = [
        [
            str(row["rank"]), row["id"], str(row["assets"]), f"{row['customers']:g}",
            f"{row['value']:g}", "" if row["expected"] is None else f"{row['expected']:g}",
        ]
        for row in found["nodes"]
    ]  # fmt: skip
    head = ["rank", "asset", "others down", "customers", "value", "value-hours a year"]
    print_table("", head, rows)
    console().print(f"{len(rows)} of {found['totalCount']} assets", markup=False)


def _partners(found: dict[str, Any], id_: str, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    out = console()
    for partner in found["ids"]:
        out.print(partner)
    count = found["count"]
    out.print(f"{count} asset{'' if count == 1 else 's'} with which {id_} takes more along")


def spof(
    of: Annotated[str, typer.Argument(metavar="ID", help="The asset that goes down.")],
    order: Annotated[int, typer.Option(min=1, max=3, help="Also pairs (2) and triples (3).")] = 1,
    first: Annotated[int, typer.Option(min=1, max=MAX_SHOWN, help="Sets shown.")] = 100,
    csv: Csv = None,
    geojson: GeoJson = None,
    as_json: AsJson = False,
) -> None:
    """Show what takes an asset down by itself, or together, and the way it takes."""
    found = _ask(CUTS, {"of": of, "order": order, "first": first}, wanted(csv, geojson))
    if as_json:
        print_json(found)
        return
    rows = [
        [str(cut["order"]), " + ".join(cut["members"]), " > ".join(cut["path"])]
        for cut in found["sets"]
    ]
    if rows:
        print_table("", ["order", "fails", "way"], rows)
    more = "" if found["complete"] else "; the search was cut short, there may be more"
    console().print(f"{found['totalCount']} sets take {of} down{more}", markup=False)


def _ask(query: str, variables: dict[str, Any], files: Files) -> dict[str, Any]:
    """The one root field of the answer, what goes into files taken out."""
    from twinfall.api.cli.service import service

    with service(here.settings(), "twinfall criticality") as graph:
        data = graph.ask(query.replace("FILES", fields(files)), variables)["data"]
    (found,) = data.values()
    write(files, found)
    told: dict[str, Any] = found
    return told
