"""`twinfall init`: from an asset register to files one can edit and import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twinfall.api.cli.output import BAD, AsJson, console, errors, print_json

MAX_SHOWN = 20


def init(
    register: Annotated[Path, typer.Argument(help="A CSV file: id, type, name, parent, ...")],
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path(),
    components: Annotated[
        bool, typer.Option("--components", help="Children become components of their parents.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Propose an ontology, a dependency file, twins and relationships from a plain asset list."""
    from twinfall.api.register.proposal import propose
    from twinfall.api.register.reading import read_register
    from twinfall.api.register.writing import write_proposal

    read = read_register(register)
    proposal = propose(read, register.stem, components=components)
    files = write_proposal(proposal, out, force=force)
    unused = sorted([*read.unused, *proposal.unused], key=lambda u: u.line)
    if as_json:
        rows = [{"line": u.line, "reason": u.reason} for u in unused]
        told = {"files": [str(f) for f in files], "interfaces": len(proposal.interfaces)}
        counts = {"twins": len(proposal.twins), "relationships": len(proposal.relationships)}
        print_json(told | counts | {"unused": rows})
    else:
        console().print(
            f"{len(proposal.interfaces)} interfaces, {len(proposal.twins)} twins,"
            f" {len(proposal.relationships)} relationships proposed:"
        )
        for file in files:
            console().print(f"  {file}", markup=False)
        console().print("edit them, then: twinfall model check, twinfall model load, import")
        for row in unused[:MAX_SHOWN]:
            errors().print(f"left out: line {row.line}: {row.reason}", markup=False)
        if len(unused) > MAX_SHOWN:
            errors().print(f"and {len(unused) - MAX_SHOWN} more; --json has all")
    if unused:
        raise typer.Exit(BAD)
