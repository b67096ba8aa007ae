"""`twinfall doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import BAD, UNAVAILABLE, AsJson, console, print_json

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(as_json: AsJson = False) -> None:
    """Look at settings, folder, disk, keys, port, store and models; say what is wrong."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from rich.text import Text

    from twinfall.api.doctor import examine
    from twinfall.api.settings import printed

    settings = here.settings()
    signs = list(examine(settings, datetime.now(UTC)))
    if as_json:
        print_json({"settings": printed(settings), "signs": [asdict(s) for s in signs]})
    else:
        shown = ", ".join(f"{k}={v}" for k, v in printed(settings).items() if v)
        console().print(f"settings  {shown}", markup=False)
        for s in signs:
            text = Text.assemble((f"{s.state:<5}", _COLOURS[s.state]), f"{s.what:<8} {s.found}")
            console().print(text)
            if s.cure and s.state != "ok":
                console().print(Text(f"     cure: {s.cure}", "green"))
    failed = [s for s in signs if s.state == "fail"]
    if failed:
        raise typer.Exit(UNAVAILABLE if all(s.unavailable for s in failed) else BAD)
