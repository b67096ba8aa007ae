"""`twinfall model dependencies`: what propagates where, drawn; and declarations that come along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import AsJson, console, print_json

if TYPE_CHECKING:
    from twinfall.ontology import Ontology
    from twinfall.ontology.declarations import Dependencies


def dependencies(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Model files or folders; none: the loaded models.")
    ] = None,
    sidecar: Annotated[
        str | None, typer.Option(help="Also these declarations that come along, by name.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write a picture to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw which models fail with which: a Mermaid flowchart, or a picture."""
    from dataclasses import asdict

    from twinfall.ontology.dependencies import drawing

    found = _from_files(paths, sidecar) if paths else _loaded(sidecar)
    if svg is not None:
        _write(svg, drawing.svg(*found))
    if as_json:
        print_json([asdict(arrow) for arrow in drawing.arrows(*found)])
    elif svg is None:
        console().print(drawing.mermaid(*found), end="", markup=False, soft_wrap=True)


def sidecar(
    name: Annotated[str | None, typer.Argument(help="Without it: which there are.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the dependency declarations that come along for a public ontology."""
    from twinfall.ontology import sidecars

    said: Any = list(sidecars.names()) if name is None else sidecars.sidecar(name)
    if as_json:
        print_json(said)
        return
    text = "\n".join(said) + "\n" if name is None else said
    console().print(text, end="", markup=False, highlight=False, soft_wrap=True)


def _from_files(paths: list[str], sidecar: str | None) -> tuple[Ontology, Dependencies]:
    from twinfall.api.checking import Files

    files = Files.at(paths)
    return _read(files.texts(), files.sidecar_texts(), sidecar)


def _loaded(sidecar: str | None) -> tuple[Ontology, Dependencies]:
    import orjson

    from twinfall.api.checking import model_rows
    from twinfall.api.cli.service import service

    texts: dict[str, list[str]] = {"Models": [], "Dependencies": []}
    with service(here.settings(), "twinfall model dependencies") as graph:
        for section, row in model_rows(graph.export()):
            texts[section].append(orjson.dumps(row).decode())
    return _read(texts["Models"], texts["Dependencies"], sidecar)


def _read(
    documents: list[str], declared: list[str], sidecar: str | None
) -> tuple[Ontology, Dependencies]:
    from twinfall.ontology import parse, read_dependencies, sidecars

    ontology = parse(documents)
    more = [sidecars.sidecar(sidecar)] if sidecar else []
    return ontology, read_dependencies([*declared, *more], ontology)


def _write(path: Path, text: str) -> None:
    from twinfall.ontology.errors import BadInput

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror}", code="BAD_FILE", path=str(path)
        ) from error
