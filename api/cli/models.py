"""`twinfall model`: check, load, look at models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import dependencies, here, rdf, versions
from twinfall.api.cli.output import BAD, AsJson, console, print_json, print_table

if TYPE_CHECKING:
    from twinfall.api.checking import Verdict
    from twinfall.ontology.lint import Finding

app = typer.Typer(help="DTDL models and their dependency declarations.")
Paths = Annotated[
    list[str], typer.Argument(help="Files, folders (searched through) or glob patterns.")
]
RdfVersion = Annotated[
    int, typer.Option("--rdf-version", min=1, help="The version that models made of RDF get.")
]
LIST = "{ models { id name displayName extends twins decommissioned } }"
SHOW = """{ models { id name displayName description extends twins decommissioned
  contents { name kind declaredIn target schema request response unit writable displayName
    description } } }"""
LOAD = """mutation Load($documents: [JSON!]!, $dependencies: [JSON!]) {
  loadModels(documents: $documents, dependencies: $dependencies) { loaded unchanged names } }"""

LINT = """query Lint($after: String) { lint(first: 500, after: $after) {
  nodes { element code message cure level } pageInfo { hasNextPage endCursor } } }"""


@app.command()
def check(paths: Paths, rdf_version: RdfVersion = 1, as_json: AsJson = False) -> None:
    """Check models, and the dependency files beside them, without loading anything."""
    from dataclasses import asdict

    from twinfall.api.checking import check as check_files

    verdict = check_files(paths, rdf_version)
    if as_json:
        told = asdict(verdict)
        print_json({"verdict": told.pop("word")} | told)
    else:
        _print_verdict(verdict)
    if verdict.word != "valid":
        raise typer.Exit(BAD)


def _print_verdict(verdict: Verdict) -> None:
    from rich.text import Text

    out = console()
    for finding in verdict.findings:
        place = finding.file + (f":{finding.line}" if finding.line else "")
        where = " ".join(p for p in (finding.element, finding.path) if p)
        text = Text.assemble((place, "bold"), f" {where}: " if where else ": ", finding.message)
        text.append(f" [{finding.code}]", "red")
        out.print(text)
        for line in finding.frame:
            out.print(Text("    " + line, "dim"))
        if finding.cure:
            out.print(Text(f"    cure: {finding.cure}", "green"))
    colour = "bold green" if verdict.word == "valid" else "bold red"
    text = Text.assemble((verdict.word, colour), f": {verdict.interfaces} interfaces")
    text.append(f" in {verdict.documents} documents, {verdict.sidecars} dependency files,")
    text.append(f" {len(verdict.findings)} problems ({verdict.seconds:.2f} s)")
    out.print(text)
    rdf.print_losses(verdict.losses)


@app.command()
def lint(
    paths: Annotated[list[str] | None, typer.Argument(help="As for `check`.")] = None,
    graph: Annotated[
        bool, typer.Option("--graph", help="The loaded models, on the graph that is there.")
    ] = False,
    strict: Annotated[bool, typer.Option(help="Hints count as warnings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what valid models, and the dependency files beside them, hardly mean; with --graph also
    which declarations can do nothing with the twins and relationships there are.
    """
    from dataclasses import asdict

    from twinfall.api.checking import lint as lint_files

    if bool(paths) == graph:
        raise typer.BadParameter("give files to lint, or --graph")
    found = lint_files(paths) if paths else _lint_graph()
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        _print_findings(found)
    if any(strict or finding.level == "warning" for finding in found):
        raise typer.Exit(BAD)


def _lint_graph() -> list[Finding]:
    from twinfall.api.cli.service import service
    from twinfall.ontology.lint import Finding

    found: list[Finding] = []
    after: str | None = None
    with service(here.settings(), "twinfall model lint") as graph:
        while True:
            page = graph.ask(LINT, {"after": after})["data"]["lint"]
            found += [Finding(**row) for row in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


def _print_findings(found: list[Finding]) -> None:
    from rich.text import Text

    out = console()
    for finding in found:
        colour = "yellow" if finding.level == "warning" else "cyan"
        text = Text.assemble((finding.level, colour), " ", (finding.element, "bold"))
        out.print(text.append(f" {finding.message} [{finding.code}]"))
        if finding.cure:
            out.print(Text(f"    {finding.cure}", "green"))
    warnings = sum(finding.level == "warning" for finding in found)
    out.print(f"{warnings} warnings, {len(found) - warnings} hints", markup=False)


@app.command()
def load(
    paths: Paths,
    sidecar: Annotated[
        str | None, typer.Option(help="Also these declarations that come along, by name.")
    ] = None,
    rdf_version: RdfVersion = 1,
    as_json: AsJson = False,
) -> None:
    """Load models with the dependency files beside them, all or nothing."""
    from dataclasses import asdict

    from twinfall.api.checking import Files
    from twinfall.api.cli.service import service
    from twinfall.ontology import sidecars
    from twinfall.ontology.errors import TwinError

    files = Files.at(paths)
    more = [sidecars.sidecar(sidecar)] if sidecar else []
    with service(here.settings(), "twinfall model load", create=True) as graph:
        models = files.models(rdf.loaded_models(graph) if files.rdf else None, rdf_version)
        given = {"documents": models.texts, "dependencies": [*files.sidecar_texts(), *more]}
        try:
            loaded = graph.ask(LOAD, given)["data"]["loadModels"]
        except TwinError as error:
            if not as_json and error.code == "BAD_MODEL":
                _show_where(paths, rdf_version)
            raise
    if as_json:
        print_json(loaded | {"losses": [asdict(loss) for loss in models.losses]})
        return
    for dtmi in loaded["loaded"]:
        console().print(f"{loaded['names'].get(dtmi, '')}  {dtmi}", markup=False)
    console().print(f"{len(loaded['loaded'])} loaded, {len(loaded['unchanged'])} unchanged")
    rdf.print_losses(models.losses)


def _show_where(paths: list[str], rdf_version: int) -> None:
    """What is wrong with the files themselves, as `check` shows it: with file, line and frame."""
    from twinfall.api.checking import check as check_files

    verdict = check_files(paths, rdf_version)
    if verdict.word == "invalid":
        _print_verdict(verdict)
        raise typer.Exit(BAD)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the loaded models by the names they have in GraphQL and Cypher."""
    found = _ask(LIST)
    if as_json:
        print_json(found)
        return
    rows = [[m["name"], m["id"], _twins(m), m["displayName"] or ""] for m in found]
    print_table("", ["name", "model", "twins", "called"], rows)


def _twins(model: dict[str, Any]) -> str:
    return f"{model['twins']}{' (decommissioned)' if model['decommissioned'] else ''}"


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="A DTMI or a name.")], as_json: AsJson = False
) -> None:
    """Show what a model says: its properties, telemetry, relationships, components, commands."""
    import difflib

    from twinfall.ontology.errors import UnknownName

    models = _ask(SHOW)
    found = next((m for m in models if model in (m["id"], m["name"])), None)
    if found is None:
        names = [m["name"] for m in models] + [m["id"] for m in models]
        near = difflib.get_close_matches(model, names, n=3)
        cure = f"did you mean {', '.join(near)}?" if near else "`twinfall model list` has all"
        raise UnknownName(f"no model is called {model}", cure=cure)
    if as_json:
        print_json(found)
        return
    twins = f"{found['twins']} twins{', decommissioned' if found['decommissioned'] else ''}"
    console().print(f"{found['name']}  {found['id']}  ({twins})", markup=False)
    if found["extends"]:
        console().print(f"extends {', '.join(found['extends'])}", markup=False)
    rows = [[c["name"], c["kind"], _what(c), c["displayName"] or ""] for c in found["contents"]]
    print_table("", ["name", "kind", "what", "called"], rows)


def _what(content: dict[str, Any]) -> str:
    target = f"-> {content['target']}" if content["target"] else ""
    asks = f"({content['request'] or ''})" if content["kind"] == "Command" else ""
    gives = f"-> {content['response']}" if content["response"] else ""
    writable = "writable" if content["writable"] else ""
    parts = [content["schema"], content["unit"], target, asks, gives, writable]
    return " ".join(p for p in parts if p)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to; made if need be.")],
    format_: Annotated[
        str,
        typer.Option("--format", help="dtdl, json-schema, graphql, owl, shacl or jsonld."),
    ] = "dtdl",
    version: Annotated[
        int | None, typer.Option(help="Of DTDL: 2, 3 or 4. By default as each was loaded.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the loaded models into a folder, a file each: as they are, with their dependency
    files, or in another language.
    """
    from twinfall.api.cli.service import service
    from twinfall.api.exporting import export_models

    with service(here.settings(), "twinfall model export") as graph:
        written = export_models(graph, format_, folder, version)
    if as_json:
        print_json({"files": [str(path) for path in written]})
    else:
        console().print(f"{len(written)} files in {folder}", markup=False)


def _ask(query: str) -> list[dict[str, Any]]:
    from twinfall.api.cli.service import service

    with service(here.settings(), "twinfall model") as graph:
        models: list[dict[str, Any]] = graph.ask(query)["data"]["models"]
    return models


app.command()(versions.diff)
app.command()(versions.migrate)
app.command()(versions.rollback)
app.command()(versions.decommission)
app.command()(versions.delete)
app.command()(dependencies.dependencies)
app.command()(dependencies.sidecar)
