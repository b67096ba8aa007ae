"""`twinfall model`: check, load, look at models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import dependencies, here
from twinfall.api.cli.output import BAD, AsJson, console, print_json, print_table

if TYPE_CHECKING:
    from twinfall.api.checking import Verdict
    from twinfall.ontology.differences import Comparison
    from twinfall.ontology.lint import Finding

app = typer.Typer(help="DTDL models and their dependency declarations.")
app.command()(dependencies.dependencies)
app.command()(dependencies.sidecar)
Paths = Annotated[
    list[str], typer.Argument(help="Files, folders (searched through) or glob patterns.")
]
LIST = "{ models { id name displayName extends twins decommissioned } }"
SHOW = """{ models { id name displayName description extends twins decommissioned
  contents { name kind target schema unit writable displayName description } } }"""
LOAD = """mutation Load($documents: [JSON!]!, $dependencies: [JSON!]) {
  loadModels(documents: $documents, dependencies: $dependencies) { loaded unchanged names } }"""

REPORT = "{ id moved stayedCount stayed { id errors { path message cure } } }"
MIGRATE = f"""mutation Migrate(
    $from: String!, $to: String!, $rename: JSON, $drop: [String!], $rehearse: Boolean,
    $partial: Boolean) {{
  migrateTwins(from: $from, to: $to, rename: $rename, drop: $drop, rehearse: $rehearse,
    partial: $partial) {REPORT} }}"""
ROLLBACK = f"mutation Rollback($id: ID!) {{ rollbackMigration(id: $id) {REPORT} }}"
LINT = """query Lint($after: String) { lint(first: 500, after: $after) {
  nodes { element code message cure level } pageInfo { hasNextPage endCursor } } }"""
DECOMMISSION = """mutation Decommission($models: [String!]!, $undo: Boolean) {
  decommissionModels(models: $models, undo: $undo) { decommissioned } }"""
DELETE = "mutation Delete($models: [String!]!) { deleteModels(models: $models) { deleted } }"


@app.command()
def check(paths: Paths, as_json: AsJson = False) -> None:
    """Check models, and the dependency files beside them, without loading anything."""
    from dataclasses import asdict

    from twinfall.api.checking import check as check_files

    verdict = check_files(paths)
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
def diff(
    old: Annotated[str, typer.Argument(help="A file, folder or glob pattern.")],
    new: Annotated[str, typer.Argument(help="The same, later.")],
    as_json: AsJson = False,
) -> None:
    """Say what changed between two model sets, and whether it breaks what was valid or asked.

    Exit status 1 where something breaks.
    """
    from dataclasses import asdict

    from twinfall.api.checking import compare

    found = compare([old], [new])
    if as_json:
        told = [asdict(one) | {"verdict": one.verdict} for one in found.differences]
        print_json(
            {"verdict": found.verdict, "added": found.added, "removed": found.removed}
            | {"differences": told}
        )
    else:
        _print_comparison(found)
    if found.verdict == "breaking":
        raise typer.Exit(BAD)


_COLOURS = {"breaking": "red", "compatible": "green", "wording": "dim", "same": "dim"}


def _print_comparison(found: Comparison) -> None:
    from rich.text import Text

    out = console()
    for dtmi in found.removed:
        out.print(Text.assemble(("gone ", "red"), dtmi))
    for dtmi in found.added:
        out.print(Text.assemble(("new ", "green"), dtmi))
    for one in found.differences:
        name = one.new if one.old == one.new else f"{one.old} -> {one.new}"
        out.print(Text.assemble((f"{one.verdict} ", _COLOURS[one.verdict]), (name, "bold")))
        for change in one.changes:
            where = f"{change.where}: " if change.where else ""
            out.print(
                Text.assemble(
                    "    ",
                    (f"{change.weight} ", _COLOURS[change.weight]),
                    f"{where}{change.message}",
                )
            )
    out.print(Text.assemble("verdict: ", (found.verdict, _COLOURS[found.verdict])))


@app.command()
def migrate(
    old: Annotated[str, typer.Argument(help="A DTMI or a name: all its twins move.")],
    new: Annotated[str, typer.Argument(help="A DTMI or a name: the model they get.")],
    rename: Annotated[
        list[str] | None, typer.Option(help="OLD=NEW: a content is called otherwise now.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="A content whose values are given up.")
    ] = None,
    rehearse: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    partial: Annotated[
        bool, typer.Option(help="Move those that can, though others cannot.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move all twins of one model to another one, such as its next version.

    Exit status 1 where a twin cannot move.
    """
    from twinfall.api.cli.service import service
    from twinfall.ontology.errors import BadInput

    pairs = [one.partition("=") for one in rename or ()]
    if wrong := [a for a, equals, b in pairs if not (a and equals and b)]:
        raise BadInput(f"--rename wants OLD=NEW, not {wrong[0]!r}")
    given = {
        "from": old, "to": new, "rename": {a: b for a, _, b in pairs}, "drop": drop,
        "rehearse": rehearse, "partial": partial,
    }  # fmt: skip
    with service(here.settings(), "twinfall model migrate") as graph:
        found = graph.ask(MIGRATE, given)["data"]["migrateTwins"]
    _show_migration(found, "would move" if rehearse else "moved", as_json)


@app.command()
def rollback(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `model migrate` told it.")],
    as_json: AsJson = False,
) -> None:
    """Put back what a migration changed and nobody has changed since."""
    from twinfall.api.cli.service import service

    with service(here.settings(), "twinfall model rollback") as graph:
        found = graph.ask(ROLLBACK, {"id": id_})["data"]["rollbackMigration"]
    _show_migration(found, "put back", as_json)


def _show_migration(found: dict[str, Any], done: str, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        rows = [
            [twin["id"], error["path"] or "", error["message"], error["cure"] or ""]
            for twin in found["stayed"]
            for error in twin["errors"]
        ]
        if rows:
            print_table("", ["stays", "place", "why", "cure"], rows)
        undo = f"; `twinfall model rollback {found['id']}` undoes it" if found["id"] else ""
        said = f"{found['moved']} twins {done}, {found['stayedCount']} stay{undo}"
        console().print(said, markup=False)
    if found["stayedCount"]:
        raise typer.Exit(BAD)


@app.command()
def delete(
    models: Annotated[list[str], typer.Argument(help="DTMIs or names.")], as_json: AsJson = False
) -> None:
    """Delete models that nothing uses any more, all or none."""
    from twinfall.api.cli.service import service

    with service(here.settings(), "twinfall model delete") as graph:
        found = graph.ask(DELETE, {"models": models})["data"]["deleteModels"]["deleted"]
    if as_json:
        print_json(found)
    else:
        console().print(f"{len(found)} deleted: {', '.join(found)}", markup=False)


@app.command()
def decommission(
    models: Annotated[list[str], typer.Argument(help="DTMIs or names.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let them take new twins again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let models take no new twins any more, all or none; what there is stays as it was."""
    from twinfall.api.cli.service import service

    given = {"models": models, "undo": undo}
    with service(here.settings(), "twinfall model decommission") as graph:
        answer = graph.ask(DECOMMISSION, given)["data"]["decommissionModels"]
    found = answer["decommissioned"]
    if as_json:
        print_json(found)
    else:
        said = f"{len(found)} models take no new twins{': ' if found else ''}{', '.join(found)}"
        console().print(said, markup=False)


@app.command()
def load(
    paths: Paths,
    sidecar: Annotated[
        str | None, typer.Option(help="Also these declarations that come along, by name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load models with the dependency files beside them, all or nothing."""
    from twinfall.api.checking import Files
    from twinfall.api.cli.service import service
    from twinfall.ontology import sidecars

    files = Files.at(paths)
    more = [sidecars.sidecar(sidecar)] if sidecar else []
    given = {"documents": files.texts(), "dependencies": [*files.sidecar_texts(), *more]}
    with service(here.settings(), "twinfall model load", create=True) as graph:
        loaded = graph.ask(LOAD, given)["data"]["loadModels"]
    if as_json:
        print_json(loaded)
        return
    for dtmi in loaded["loaded"]:
        console().print(f"{loaded['names'].get(dtmi, '')}  {dtmi}", markup=False)
    console().print(f"{len(loaded['loaded'])} loaded, {len(loaded['unchanged'])} unchanged")


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
    parts = [content["schema"], content["unit"], target, "writable" if content["writable"] else ""]
    return " ".join(p for p in parts if p)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to; made if need be.")],
    format_: Annotated[
        str, typer.Option("--format", help="dtdl, json-schema or graphql.")
    ] = "dtdl",
    as_json: AsJson = False,
) -> None:
    """Write the loaded models into a folder, a file each: as they are, with their dependency
    files, or in another language.
    """
    from twinfall.api.cli.service import service
    from twinfall.api.exporting import export_models

    with service(here.settings(), "twinfall model export") as graph:
        written = export_models(graph, format_, folder)
    if as_json:
        print_json({"files": [str(path) for path in written]})
    else:
        console().print(f"{len(written)} files in {folder}", markup=False)


def _ask(query: str) -> list[dict[str, Any]]:
    from twinfall.api.cli.service import service

    with service(here.settings(), "twinfall model") as graph:
        models: list[dict[str, Any]] = graph.ask(query)["data"]["models"]
    return models
