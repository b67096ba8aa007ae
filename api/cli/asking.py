"""`twinfall query` and `twinfall impact`: questions from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.files import Csv, GeoJson, ImpactList, Png, Svg, fields, wanted, write
from twinfall.api.cli.options import duration, needs_file
from twinfall.api.cli.output import (
    BAD,
    UNAVAILABLE,
    AsJson,
    console,
    errors,
    print_json,
    print_table,
)

MAX_SHOWN = 500
MAX_NAMED = 10
"""Assets named in a line; `--json` has more."""
IMPACT = """
query Impact($failed: [ID!]!, $horizon: Duration, $first: Int!) {
  impact(failed: $failed, horizon: $horizon) {
    snapshot
    totals { assets customers value services { name count } degraded }
    bounds {
      optimistic { assets customers value services { name count } degraded }
      pessimistic { assets customers value services { name count } degraded }
    }
    counts { affected nearMisses notEvaluated baselineDown }
    waves { wave at count }
    affected(first: $first) {
      totalCount
      nodes {
        twin { id _name model } wave at from to level group votes
        cause { id } failureDomain path { id } minimalCauses spof
      }
    }
    nearMisses(first: 20) { twin { id } group margin wouldFailIf until }
    baselineDown(first: 100) { id }
    notEvaluated(first: 100) { id reason }
    FILES
  }
}
"""


def query(
    text: Annotated[str, typer.Argument(help="A GraphQL query, or @FILE that holds one.")],
    variables: Annotated[
        str | None, typer.Option(help="Variables as JSON, or @FILE that holds them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask in GraphQL; prints the answer's data as JSON."""
    from twinfall.api.cli.service import service

    given = _variables(variables)
    with service(here.settings(), "twinfall query") as graph:
        answer = graph.ask(_content(text), given)
    print_json(answer if as_json else answer["data"])
    raise typer.Exit(_status(answer))


def impact(
    ids: Annotated[list[str], typer.Argument(help="Ids of the assets that fail together.")],
    horizon: Annotated[
        str | None,
        typer.Option(help="Look no further than this, such as PT24H.", callback=duration),
    ] = None,
    first: Annotated[int, typer.Option(min=1, max=MAX_SHOWN, help="Affected assets shown.")] = 100,
    geojson: GeoJson = None,
    csv: Csv = None,
    which: Annotated[
        ImpactList | None,
        typer.Option("--list", help="The list for --csv and --geojson; affected, if not said."),
    ] = None,
    svg: Svg = None,
    png: Png = None,
    show: Annotated[
        bool, typer.Option(help="Also show it on the nodes, for Neo4j Browser.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What else fails when these fail: when, why, and how much hangs on it."""
    from twinfall.api.cli.service import service

    given = {"failed": ids, "horizon": horizon, "first": first}
    needs_file(which, wanted(csv, geojson))
    files, list_ = wanted(csv, geojson, svg, png), which or ImpactList.AFFECTED
    with service(here.settings(), "twinfall impact") as graph:
        answer = graph.ask(IMPACT.replace("FILES", fields(files, f"(list: {list_})")), given)
        marked = graph.ask(SHOW, given)["data"]["showImpact"]["shown"] if show else None
    found = answer["data"]["impact"]
    write(files, found)
    if as_json:
        print_json(found)
    else:
        _show(ids, found)
    if marked is not None:
        errors().print(f"{marked} nodes marked" if marked else NOTHING_MARKED)
    raise typer.Exit(_status(answer))


NOTHING_MARKED = "no node is marked: the embedded store has none to look at, Neo4j has"
SHOW = """mutation Show($failed: [ID!]!, $horizon: Duration) {
  showImpact(failed: $failed, horizon: $horizon) { shown } }"""


def _show(ids: list[str], found: dict[str, Any]) -> None:
    out = console()
    out.print(f"{', '.join(ids)} failed: {_totals(found['totals'])}")
    if found["bounds"]["optimistic"] != found["totals"]:
        out.print(f"whatever is unknown: at least {_totals(found['bounds']['optimistic'])}")
    if found["bounds"]["pessimistic"] != found["totals"]:
        out.print(f"with all that is unknown down: {_totals(found['bounds']['pessimistic'])}")
    waves = [[str(w["wave"]), w["at"], str(w["count"])] for w in found["waves"]]
    if waves:
        print_table("", ["wave", "at", "assets"], waves)
    rows = [_row(node) for node in found["affected"]["nodes"]]
    if rows:
        print_table("", ["at", "wave", "asset", "model", "to", "because", "cause"], rows)
    left = found["affected"]["totalCount"] - len(rows)
    if left > 0:
        out.print(f"and {left} more: --first shows more, up to {MAX_SHOWN}")
    for miss in found["nearMisses"]:
        id_, group = miss["twin"]["id"], miss["group"]
        if miss["until"] is not None:
            out.print(f"near miss: {id_} goes down at {miss['until']} for want of {group}")
            continue
        whose = f"{id_} goes down if one more of its {group} fails"
        out.print(f"near miss: {whose}: {_named(miss['wouldFailIf'])}")
    if found["baselineDown"]:
        out.print(f"down before: {_named([twin['id'] for twin in found['baselineDown']])}")
    for unknown in found["notEvaluated"]:
        out.print(f"not judged: {unknown['id']}: {unknown['reason']}")


def _totals(totals: dict[str, Any]) -> str:
    count = totals["assets"]
    text = f"{count} more asset{'' if count == 1 else 's'}"
    for name in ("customers", "value"):
        if totals[name]:
            text += f", {name} {totals[name]:g}"
    for service in totals["services"]:
        text += f", {service['name']} {service['count']}"
    return text + (f", {totals['degraded']} degraded" if totals["degraded"] else "")


def _named(ids: list[str]) -> str:
    more = f" and {len(ids) - MAX_NAMED} more" if len(ids) > MAX_NAMED else ""
    return ", ".join(ids[:MAX_NAMED]) + more


def _row(node: dict[str, Any]) -> list[str]:
    twin = node["twin"]
    name = twin["id"]
    if twin["_name"] and twin["_name"] != twin["id"]:
        name += f" ({twin['_name']})"
    model = twin["model"].rpartition(":")[2].partition(";")[0]
    why = " ".join(part for part in (node["group"], node["votes"]) if part)
    cause = node["cause"]["id"] if node["cause"] else node["failureDomain"] or ""
    return [node["at"], str(node["wave"]), name, model, node["to"], why, cause]


def _status(answer: dict[str, Any]) -> int:
    """Tell of errors that came with an answer; the exit status."""
    from rich.text import Text

    status = 0
    for error in answer.get("errors") or []:
        more = error.get("extensions") or {}
        cure = f" ({more['cure']})" if more.get("cure") else ""
        line = f"[{more.get('code', 'BAD_QUERY')}] {error['message']}{cure}"
        errors().print(Text.assemble(("error ", "bold red"), line))
        status = max(status, UNAVAILABLE if more.get("retryable") else BAD)
    return status


def _content(text: str) -> str:
    """The text itself, or what the file says that it names with @."""
    from twinfall.api.lines import open_file
    from twinfall.ontology.errors import BadInput

    if not text.startswith("@"):
        return text
    with open_file(Path(text[1:])) as file:
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BadInput("is not UTF-8 text", code="BAD_FILE", path=text[1:]) from None


def _variables(text: str | None) -> dict[str, Any] | None:
    import json

    from twinfall.ontology.errors import BadInput

    if text is None:
        return None
    try:
        value = json.loads(_content(text))
    except ValueError as error:
        raise BadInput(f"not JSON: {error}", code="BAD_FILE", path="--variables") from None
    if not isinstance(value, dict):
        raise BadInput("variables are a JSON object", code="BAD_FILE", path="--variables")
    return value
