"""`twinfall key`: who may ask."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import AsJson, console, errors, print_json, print_table

app = typer.Typer(help="API keys of the data folder; a running server notices at once.")


class RoleName(StrEnum):
    """Roles as an option."""

    viewer = "viewer"
    ingest = "ingest"
    operator = "operator"
    admin = "admin"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is called.")],
    role: Annotated[
        RoleName,
        typer.Option(help="viewer reads; ingest only writes readings; operator also commands."),
    ],
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, once."""
    from datetime import UTC, datetime

    from twinfall.api.folder import prepare
    from twinfall.api.keys import Keys

    folder = here.settings().dir
    prepare(folder)
    key = Keys(folder).create(name, role.value, datetime.now(UTC))
    if as_json:
        print_json({"name": name, "role": role.value, "key": key})
        return
    console().print(key)
    errors().print(
        f"Keep it: it is not shown again. Send it as `Authorization: Bearer KEY`;"
        f" commands take it from TWINFALL_API_KEY. Role: {role.value}."
    )


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the keys; what they are is known by their first characters only."""
    from twinfall.api.keys import Keys

    found = Keys(here.settings().dir).all()
    if as_json:
        rows = [{"name": k.name, "role": k.role, "shown": k.shown} for k in found]
        print_json([r | {"created": k.created} for r, k in zip(rows, found, strict=True)])
        return
    rows_ = [[k.name, k.role, k.shown + "...", k.created] for k in found]
    print_table("", ["name", "role", "key", "created"], rows_)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The key's name.")], as_json: AsJson = False
) -> None:
    """Forget a key: whoever shows it is refused from now on."""
    from twinfall.api.keys import Keys

    Keys(here.settings().dir).revoke(name)
    if as_json:
        print_json({"revoked": name})
    else:
        console().print(f"revoked {name}")
