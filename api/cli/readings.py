"""`twinfall replay`: the readings of a file, as they were or as if they came in now."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import BAD, AsJson, Bar, bar, console, errors, print_json

if TYPE_CHECKING:
    from twinfall.ingestion.sources.replay import Played


def replay(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet: twin,name,value,time; or wide.")],
    speed: Annotated[
        float | None, typer.Option(help="2: twice as fast as it was. Default: as fast as it goes.")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="With times from this moment on; needs --speed.")
    ] = False,
    twin: Annotated[str, typer.Option(help="The twin that a wide file is of.")] = "",
    utc: Annotated[bool, typer.Option("--utc", help="Times without a zone are UTC.")] = False,
    as_json: AsJson = False,
    progress: Annotated[
        bool | None, typer.Option(help="A progress bar; by default on a terminal.")
    ] = None,
) -> None:
    """Play the readings of a file into the graph. Refused ones are kept as dead letters. Playing
    a file again with its own times changes nothing.
    """
    from twinfall.api.cli.service import service
    from twinfall.ingestion.sources.files import FileForm
    from twinfall.ingestion.sources.replay import Replay, play

    how = Replay(speed, "now" if now else "original", FileForm(twin, utc))
    with (
        service(here.settings(), "twinfall replay") as graph,
        graph.sender() as send,
        bar("Playing", None, shown=progress) as shown,
    ):
        played = play(file, send, how, progress=_mover(shown))
    refused = dict(sorted(played.refused.items()))
    if as_json:
        print_json({"readings": played.readings, "stored": played.stored, "refused": refused})
    else:
        console().print(f"{played.readings} readings: {played.stored} stored")
        for code, count in refused.items():
            errors().print(f"{count} refused [{code}]", markup=False)
    if refused:
        raise typer.Exit(BAD)


def _mover(shown: Bar) -> Any:
    def move(played: Played) -> None:
        shown.show(0, f"{played.stored} stored, {math.fsum(played.refused.values()):.0f} refused")

    return move
