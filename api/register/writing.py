"""The proposal as files: one to edit by hand each for models and dependencies, one to import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson

from twinfall.api.register.proposal import CONTAINS, Proposal
from twinfall.ontology.errors import Conflict


def write_proposal(proposal: Proposal, out: Path, *, force: bool) -> list[Path]:
    """Write NAME.json, NAME.dependencies.yaml and NAME.ndjson. Raises Conflict EXISTS where one
    of them is there, unless `force`.
    """
    files = {
        out / f"{proposal.name}.json": _models(proposal),
        out / f"{proposal.name}.dependencies.yaml": _dependencies(proposal).encode(),
        out / f"{proposal.name}.ndjson": _rows(proposal),
    }
    there = [str(path) for path in files if path.exists()]
    if there and not force:
        raise Conflict(
            f"{', '.join(there)} would be written over",
            code="EXISTS",
            cure="move it, choose another folder with --out, or say --force",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            path.write_bytes(content)
    except OSError as error:
        raise Conflict(
            f"cannot be written: {error.strerror}", code="BAD_FILE", path=str(out)
        ) from error
    return list(files)


def _models(proposal: Proposal) -> bytes:
    return (json.dumps(proposal.interfaces, indent=2, ensure_ascii=False) + "\n").encode()


def _rows(proposal: Proposal) -> bytes:
    sections: list[tuple[str, list[dict[str, Any]]]] = [
        ("Header", [{"fileVersion": "1.0.0", "author": "twinfall init", "organization": ""}]),
        ("Twins", proposal.twins),
        ("Relationships", proposal.relationships),
    ]
    lines: list[dict[str, Any]] = []
    for name, rows in sections:
        lines += [{"Section": name}, *rows]
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


_HEAD = """\
# Which relationships carry failure, and how. Nothing spreads unless it is declared here.
# Take the # away from what is true of your assets; `twinfall model check` reads the file.
# Durations are ISO 8601: PT30M is half an hour, P1D a day.
version: 1
interfaces:
  {base}:
    asset: {{}}
    # asset:
    #   repairTime: PT8H                 # until it works again
    #   crew: mechanical                 # who repairs it
    #   failureRate: 0.2                 # a year
    # contents:
    #   {contains}: {{dependent: target}}    # with an asset fails all that it contains
    #   {contains}: {{dependent: source}}    # or: an asset fails with anything that it contains
"""


def _dependencies(proposal: Proposal) -> str:
    """A file that declares nothing yet and shows what could be."""
    text = _HEAD.format(base=proposal.base, contains=CONTAINS)
    numeric = [n for n, s in proposal.properties.items() if s in ("integer", "long", "double")]
    for dtmi, components in proposal.components.items():
        text += f"  {dtmi}:\n    asset: {{}}\n    # contents:\n"
        for name in components:
            text += f"    #   {name}: {{dependent: source}}    # with it fails the whole\n"
    if numeric:
        text += (
            f"  # A number of the register may say how much hangs on an asset, {numeric[0]} say:\n"
        )
        text += f"  #   asset: {{customers: {{from: {numeric[0]}, default: 0}}}}\n"
    return text
