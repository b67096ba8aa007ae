"""`twinfall detector`: what the learned watch knows, and teaching it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import AsJson, console, print_json, print_table

app = typer.Typer(help="Detectors: what is normal for a model, learned from history.")
FACTS = """model every rows twins assets leftOut trainedFrom trainedTo heldOutRows heldOutAbove
  dataHash sensors { path name unit }"""
LIST = f"{{ detectors {{ {FACTS} }} }}"
TRAIN = f"""mutation Train($model: String!, $from: DateTime!, $to: DateTime!, $every: Duration,
  $through: [String!], $twins: [ID!]) {{
  trainDetector(model: $model, from: $from, to: $to, every: $every, through: $through,
    twins: $twins) {{ {FACTS} }} }}"""


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="A DTMI or a name.")],
    start: Annotated[str, typer.Option("--from", help="Begin of a period in which all was well.")],
    end: Annotated[str, typer.Option("--to", help="Its end, such as 2026-11-23T06:30:00Z.")],
    every: Annotated[
        str | None, typer.Option(help="Sample period such as PT10S; default: as readings come.")
    ] = None,
    through: Annotated[
        list[str] | None,
        typer.Option(help="A relationship whose targets belong to the asset; may be repeated."),
    ] = None,
    twin: Annotated[
        list[str] | None, typer.Option(help="A twin to learn from; default: all of the model.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn what is normal for a model from history, and watch its twins from now on."""
    given: dict[str, Any] = {"model": model, "from": start, "to": end}
    given |= {"every": every, "through": through, "twins": twin}
    found = _ask(TRAIN, {name: value for name, value in given.items() if value})["trainDetector"]
    if as_json:
        print_json(found)
    else:
        _print(found)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the detectors."""
    found = _ask(LIST)["detectors"]
    if as_json:
        print_json(found)
        return
    rows = [
        [
            d["model"],
            str(len(d["sensors"])),
            d["every"],
            str(d["assets"]),
            str(d["rows"]),
            f"{d['trainedFrom']} to {d['trainedTo']}",
        ]
        for d in found
    ]
    print_table("", ["model", "sensors", "every", "assets", "rows learned", "from"], rows)


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="The detector's DTMI.")], as_json: AsJson = False
) -> None:
    """Show what a detector watches and what it was learned from."""
    from twinfall.ontology.errors import UnknownName

    found = next((d for d in _ask(LIST)["detectors"] if d["model"] == model), None)
    if found is None:
        raise UnknownName(f"no detector is called {model}", cure="`twinfall detector list` has all")
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    lines = [
        f"{found['model']}: {len(found['sensors'])} sensors every {found['every']}, "
        f"{found['assets']} assets watched",
        f"learned from {found['rows']} rows of {', '.join(found['twins'])}, "
        f"{found['trainedFrom']} to {found['trainedTo']}",
        f"of {found['heldOutRows']} healthy rows not seen in fitting {found['heldOutAbove']} "
        "scored above the threshold",
    ]
    if found["leftOut"]:
        lines.append(f"never moved, not watched: {', '.join(found['leftOut'])}")
    for line in lines:
        console().print(line, markup=False)
    rows = [[sensor["path"], sensor["name"], sensor["unit"] or ""] for sensor in found["sensors"]]
    print_table("", ["where", "sensor", "unit"], rows)


def _ask(query: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
    from twinfall.api.cli.service import service

    with service(here.settings(), "twinfall detector") as graph:
        answer: dict[str, Any] = graph.ask(query, given)["data"]
    return answer
