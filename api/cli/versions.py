"""`twinfall model` on versions: compare, migrate, decommission, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import BAD, AsJson, console, print_json, print_table

if TYPE_CHECKING:
    from twinfall.ontology.differences import Comparison

REPORT = "{ id moved stayedCount stayed { id errors { path message cure } } }"
MIGRATE = f"""mutation Migrate(
    $from: String!, $to: String!, $rename: JSON, $drop: [String!], $rehearse: Boolean,
    $partial: Boolean) {{
  migrateTwins(from: $from, to: $to, rename: $rename, drop: $drop, rehearse: $rehearse,
    partial: $partial) {REPORT} }}"""
ROLLBACK = f"mutation Rollback($id: ID!) {{ rollbackMigration(id: $id) {REPORT} }}"
DECOMMISSION = """mutation Decommission($models: [String!]!, $undo: Boolean) {
  decommissionModels(models: $models, undo: $undo) { decommissioned } }"""
DELETE = "mutation Delete($models: [String!]!) { deleteModels(models: $models) { deleted } }"


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
