"""Options that several commands have: durations, and lists that need a file to go to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from twinfall.api.cli.files import Files


def duration(text: str | None) -> str | None:
    """The duration as it is. Raises BadParameter, wrong usage, where it is none."""
    from twinfall.ontology.durations import CURE, duration_seconds, why_no_duration

    if text is not None and duration_seconds(text) is None:
        raise typer.BadParameter(f"{why_no_duration(text)}; {CURE}")
    return text


def needs_file(which: StrEnum | None, files: Files) -> None:
    """Raises BadParameter where a list is chosen and nothing is written."""
    if which is not None and not files:
        raise typer.BadParameter(
            f"it says which list --csv and --geojson write: give one of them for {which}",
            param_hint="--list",
        )
