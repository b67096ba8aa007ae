"""`twinfall scenario`: what-ifs that a running server keeps by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.files import Csv, fields, wanted, write
from twinfall.api.cli.output import AsJson, console, print_json, print_table
from twinfall.api.cli.whatif import content

app = typer.Typer(help="What-ifs that the server keeps by name.")
SAVE = "mutation Save($scenario: JSON!) { saveScenario(scenario: $scenario) { name saved } }"
DELETE = "mutation Delete($name: String!) { deleteScenario(name: $name) { name } }"
LIST = "{ scenarios { name saved savedBy scenario } }"
COMPARE = """query Compare($names: [String!]!) { comparison(names: $names) {
  results { name snapshot assets degraded customers value newlyDown recovered
    everDown customersEverDown outages assetHours customerHours valueHours expected warnings }
  FILES } }"""
COLUMNS = {
    "assets": "taken along",
    "degraded": "degraded",
    "newlyDown": "down, not today",
    "recovered": "up, not today",
    "everDown": "ever down",
    "customersEverDown": "customers",
    "assetHours": "asset h",
    "customerHours": "customer h",
    "valueHours": "value h",
    "expected": "mean",
}
"""What is shown of each scenario, and how the columns are called."""
Name = Annotated[str, typer.Argument(help="The name of a saved scenario.")]


@app.command()
def save(
    file: Annotated[Path, typer.Argument(help="A scenario, as YAML or JSON, with a name.")],
    as_json: AsJson = False,
) -> None:
    """Keep a scenario under its name, in place of the one before."""
    found = _ask(SAVE, {"scenario": content(file)})["saveScenario"]
    _tell(found, f"{found['name']} is saved", as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the saved scenarios."""
    found = _ask(LIST, {})["scenarios"]
    if as_json:
        print_json(found)
    else:
        rows = [[one["name"], one["saved"], one["savedBy"]] for one in found]
        print_table("", ["scenario", "saved", "by"], rows)


@app.command()
def show(name: Name) -> None:
    """Print a saved scenario as JSON."""
    from twinfall.ontology.errors import UnknownName

    found = [one for one in _ask(LIST, {})["scenarios"] if one["name"] == name]
    if not found:
        raise UnknownName(f"no scenario is called {name}", cure="`twinfall scenario list`")
    print_json(found[0]["scenario"])


@app.command()
def delete(name: Name, as_json: AsJson = False) -> None:
    """Forget a saved scenario."""
    _tell(_ask(DELETE, {"name": name})["deleteScenario"], f"{name} is deleted", as_json)


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(help="Names of saved scenarios.")],
    csv: Csv = None,
    as_json: AsJson = False,
) -> None:
    """Put saved scenarios to the plant as it stands, side by side."""
    files = wanted(csv)
    answer = _ask(COMPARE.replace("FILES", fields(files)), {"names": names})["comparison"]
    write(files, answer)
    found = answer["results"]
    if as_json:
        print_json(found)
        return
    rows = [[one["name"], *(_said(one[column]) for column in COLUMNS)] for one in found]
    print_table("", ["scenario", *COLUMNS.values()], rows)


def _said(value: Any) -> str:
    return "" if value is None else f"{value:.6g}"


def _tell(found: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        console().print(words, markup=False)


def _ask(query: str, variables: dict[str, Any]) -> dict[str, Any]:
    from twinfall.api.cli.service import service

    with service(here.settings(), "twinfall scenario") as graph:
        data: dict[str, Any] = graph.ask(query, variables)["data"]
    return data
