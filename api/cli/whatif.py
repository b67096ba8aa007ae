"""`twinfall whatif`: a scenario put to the plant as it stands."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.files import (
    Csv,
    Files,
    GeoJson,
    Png,
    Svg,
    fields,
    wanted,
    write,
)
from twinfall.api.cli.options import needs_file
from twinfall.api.cli.outcomes import show
from twinfall.api.cli.output import AsJson, detail_line, errors, print_json

MAX_SHOWN = 500


class WhatIfList(StrEnum):
    """Lists of an outcome: those of its impact, and its own."""

    AFFECTED = "affected"
    WAVES = "waves"
    SERVICES = "services"
    NEAR_MISSES = "nearMisses"
    NOT_EVALUATED = "notEvaluated"
    BASELINE_DOWN = "baselineDown"
    NEWLY_DOWN = "newlyDown"
    RECOVERED = "recovered"
    LIKELIEST = "likeliest"
    OUTAGES = "outages"


OWN_LISTS = (
    WhatIfList.NEWLY_DOWN,
    WhatIfList.RECOVERED,
    WhatIfList.LIKELIEST,
    WhatIfList.OUTAGES,
)
MAX_FILE_BYTES = 1_000_000
ASK = """
query WhatIf($scenario: JSON, $name: String, $first: Int!) {
  whatIf(scenario: $scenario, name: $name) {
    name
    warnings { code message path line cure }
    without { assets customers value degraded services { name count } }
    newlyDownTotals { assets customers value degraded services { name count } }
    newlyDown { count ids NEWLYDOWN } recovered { count ids RECOVERED }
    expected {
      samples exposed
      assets { mean error p5 p50 p95 } customers { mean error p5 p50 p95 }
      value { mean error p5 p50 p95 } likeliest { id probability error } LIKELIEST
    }
    timeline {
      until everDown { assets customers value }
      unserved { assetHours customerHours valueHours } eventCount
      events { at id to group cause } outageCount
      outages { id begin until customers value } curve { at assets customers value } OUTAGES
    }
    impact {
      snapshot
      totals { assets customers value degraded services { name count } }
      waves { wave at count }
      counts { affected nearMisses notEvaluated baselineDown }
      affected(first: $first) {
        totalCount
        nodes {
          twin { id } wave at from to level group votes cause { id } failureDomain path { id }
          minimalCauses spof
        }
      }
      nearMisses(first: $first) { twin { id } group margin wouldFailIf until }
      notEvaluated(first: 100) { id reason }
      IMPACT
    }
  }
}
"""


def what_if(
    file: Annotated[
        Path, typer.Argument(help="A scenario, as YAML or JSON, or the name of a saved one.")
    ],
    first: Annotated[
        int, typer.Option(min=1, max=MAX_SHOWN, help="Affected assets, or falls and rises, shown.")
    ] = 50,
    csv: Csv = None,
    geojson: GeoJson = None,
    which: Annotated[
        WhatIfList | None,
        typer.Option("--list", help="The list for --csv and --geojson; affected, if not said."),
    ] = None,
    svg: Svg = None,
    png: Png = None,
    as_json: AsJson = False,
) -> None:
    """Ask what a scenario would come to; the plant is not touched."""
    from twinfall.api.cli.service import service

    lists, pictures = wanted(csv, geojson), wanted(svg=svg, png=png)
    needs_file(which, lists)
    list_ = which or WhatIfList.AFFECTED
    given: dict[str, Any] = {"name": str(file)}
    if file.exists() or file.suffix:
        given = {"scenario": content(file)}
    with service(here.settings(), "twinfall whatif") as graph:
        query = _selecting(list_, lists, pictures)
        found = graph.ask(query, {**given, "first": first})["data"]["whatIf"]
    _write(list_, lists, found)
    write(pictures, found["impact"])
    if as_json:
        print_json(found)
    else:
        show(found, first)
    warn(found["warnings"])


def _selecting(which: WhatIfList, lists: Files, pictures: Files) -> str:
    """The question with the fields for these files where the list is."""
    own = which.upper() if which in OWN_LISTS else ""
    query = ASK
    for place in ("NEWLYDOWN", "RECOVERED", "LIKELIEST", "OUTAGES"):
        query = query.replace(place, fields(lists) if place == own else "")
    of_impact = "" if own else fields(lists, f"(list: {which})")
    return query.replace("IMPACT", f"{of_impact} {fields(pictures)}")


def _write(which: WhatIfList, lists: Files, found: dict[str, Any]) -> None:
    if which == WhatIfList.LIKELIEST:
        _write_likeliest(lists, found["expected"])
    elif which == WhatIfList.OUTAGES:
        write(lists, found["timeline"])
    elif which in OWN_LISTS:
        write(lists, found[which])
    else:
        write(lists, found["impact"])


def _write_likeliest(lists: Files, expected: dict[str, Any] | None) -> None:
    from twinfall.ontology.errors import BadInput

    if lists and expected is None:
        raise BadInput(
            "the scenario has no hazard: nothing is likely or not", path="--list", cure="add one"
        )
    write(lists, expected or {})


def warn(warnings: list[dict[str, Any]]) -> None:
    """Tell what a scenario says in vain, on standard error."""
    from rich.text import Text

    for one in warnings:
        line = detail_line(one).removeprefix(": ")
        errors().print(Text.assemble(("warning ", "yellow"), line))


def content(file: Path) -> str:
    """What a scenario file says: the text itself, so that what is wrong is told with its line."""
    from twinfall.api.lines import open_file
    from twinfall.ontology.errors import BadInput

    with open_file(file) as opened:
        found: bytes = opened.read(MAX_FILE_BYTES + 1)
    if len(found) > MAX_FILE_BYTES:
        message = f"it is larger than {MAX_FILE_BYTES} bytes"
        raise BadInput(message, code="TOO_LARGE", path=str(file))
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("is not UTF-8 text", code="BAD_FILE", path=str(file)) from None
