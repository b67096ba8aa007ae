"""`twinfall assert`: requirements checked on the graph as it is, or as an import would make it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import BAD, AsJson, console, errors, print_json, printable
from twinfall.api.cli.rdf import BASE
from twinfall.api.cli.whatif import content, warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twinfall.graph.graph import Graph

FIRST_SHOWN = 5
MAX_SHOWN = 20
IN_JUNIT = 20
FINDING = """name description kind severity verdict message checked failing unclear
  witnesses { id name message value failures paths { at path { id name } }
    totals { assets customers value degraded services { name count } } }"""
CHECK = f"""query Check($requirements: String!, $scenario: JSON) {{
  checkRequirements(requirements: $requirements, scenario: $scenario) {{
    snapshot at holds warnings {{ code message path line cure }} findings {{ {FINDING} }} }} }}"""
_COLOURS = {"held": "green", "broken": "bold red", "skipped": "dim"}


def assert_(
    file: Annotated[Path, typer.Argument(help="The requirements, YAML or JSON.")],
    whatif: Annotated[
        Path | None,
        typer.Option(help="Check the graph as this scenario has it, a file for `whatif`."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--import", help="Check the graph that importing this NDJSON file would give."
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(help="With --import: models to load first (files, folders, patterns)."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    first: Annotated[
        int, typer.Option(min=0, max=MAX_SHOWN, help="Witnesses shown of each requirement.")
    ] = FIRST_SHOWN,
    as_json: AsJson = False,
) -> None:
    """Check requirements: exit status 0 if all hold, 1 if one is broken or cannot be judged."""
    report, refused = _report(text_of(file), whatif, data, models)
    if junit is not None:
        from twinfall.api.requirements.telling import junit as junit_of

        _write(junit, junit_of(report, file.name.removesuffix(".yaml"), IN_JUNIT))
    if as_json:
        print_json(report | ({"refused": refused} if data is not None else {}))
    else:
        show(report, first)
    warn(report["warnings"])
    if not report["holds"] or refused:
        raise typer.Exit(BAD)


def _report(
    text: str, whatif: Path | None, data: Path | None, models: list[str] | None
) -> tuple[dict[str, Any], int]:
    """The report, and how many rows of the import would be refused."""
    if models and data is None:
        raise typer.BadParameter("it goes with --import", param_hint="--models")
    if whatif is not None and data is not None:
        raise typer.BadParameter("it does not go with --import", param_hint="--whatif")
    if data is not None:
        return _on_an_import(text, data, models or [])
    return _on_the_graph(text, None if whatif is None else content(whatif)), 0


def _on_the_graph(text: str, scenario: str | None) -> dict[str, Any]:
    from twinfall.api.cli.service import service

    given = {"requirements": text, "scenario": scenario}
    with service(here.settings(), "twinfall assert") as graph:
        found: dict[str, Any] = graph.ask(CHECK, given)["data"]["checkRequirements"]
    return found


def _on_an_import(text: str, data: Path, models: list[str]) -> tuple[dict[str, Any], int]:
    from twinfall.api.checking import Files

    files = Files.at(models) if models else None
    loaded = (files.texts(), files.sidecar_texts()) if files else ((), ())
    from twinfall.api.requirements.preview import preview

    with _present() as present, preview(present, loaded) as copy:
        refused = _take(copy, data, BASE)
        from twinfall.api.requirements.guarding import judged

        return judged(copy, text), refused


@contextmanager
def _present() -> Iterator[Iterator[bytes]]:
    """What there is now; nothing where no graph has been made yet."""
    from twinfall.api.cli.service import service
    from twinfall.ontology.errors import BadInput

    opened = service(here.settings(), "twinfall assert")
    try:
        graph = opened.__enter__()
    except BadInput as error:
        if error.code != "NO_GRAPH":
            raise
        yield iter(())
        return
    try:
        yield graph.export()
    finally:
        opened.__exit__(None, None, None)


def _take(copy: Graph, data: Path, base: str) -> int:
    """Take the file into the copy; how many rows were refused, the first of them told."""
    from twinfall.api.checking import is_rdf
    from twinfall.api.lines import lines_of, open_file
    from twinfall.api.requirements.preview import imported

    if is_rdf(data):
        seen, refused = _take_rdf(copy, data, base)
    else:
        seen = []

        def refuse(line: int, code: str, message: str, _raw: bytes) -> None:
            if len(seen) < FIRST_SHOWN:
                seen.append(f"line {line}: {message} [{code}]")

        with open_file(data) as file:
            refused = imported(copy, lines_of(file), refuse).refused
    for line in seen[:FIRST_SHOWN]:
        errors().print(f"{data}: {line}", markup=False)
    if refused:
        errors().print(f"{refused} rows would be refused", markup=False)
    return refused


def _take_rdf(copy: Graph, data: Path, base: str) -> tuple[list[str], int]:
    """Take a file of RDF; what is refused of it, in words, and how many."""
    from twinfall.api.checking import rdf_sources
    from twinfall.api.requirements.preview import imported
    from twinfall.graph.ndjson import export_rows
    from twinfall.graph.rdf import as_lines, read_export, refused_row, rows_of

    rows = rows_of(rdf_sources([data]), copy.ontology, read_export(export_rows(copy)), base)
    seen = list(rows.refused)

    def refuse(_line: int, code: str, message: str, raw: bytes) -> None:
        seen.append(refused_row(rows, code, message, raw))

    report = imported(copy, as_lines(rows), refuse)
    told = [f"{one.subject}: {one.message} [{one.code}]" for one in seen]
    return told, len(rows.refused) + report.refused


def tell_worse(error: Exception) -> None:
    """Show the verdicts for which an import was refused, where it was for that."""
    from twinfall.api.problems import details_of
    from twinfall.ontology.errors import TwinError

    if isinstance(error, TwinError):
        found = getattr(error, "details", None) or details_of(error)
        if found.get("findings"):
            show({"findings": found["findings"], "snapshot": "the import"}, FIRST_SHOWN, errors())


def show(report: Mapping[str, Any], first: int, out: Any = None) -> None:
    """The report for people, like a test run."""
    from rich.text import Text

    from twinfall.api.requirements.telling import counted, is_fine, lines_of

    out = out or console()
    for finding in report["findings"]:
        verdict = finding["verdict"]
        warned = is_fine(finding) and verdict not in ("held", "skipped")
        colour = "yellow" if warned else _COLOURS.get(verdict, "bold red")
        word = "warning" if warned else verdict
        out.print(Text.assemble((f"{word:<13}", colour), printable(finding["name"])))
        told = first if verdict != "held" else 0
        for line in lines_of(finding, told):
            style = "dim" if verdict == "held" else ""
            out.print(Text(" " * 15 + printable(line), style))
    out.print(f"{counted(report['findings'])}, on {report['snapshot']}", markup=False)


def text_of(file: Path) -> str:
    """What a file of requirements says."""
    from twinfall.analytics.requirements.reading import MAX_BYTES
    from twinfall.ontology.errors import BadInput

    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise BadInput(f"it is larger than {MAX_BYTES} bytes", code="BAD_FILE", path=str(file))
        return text.decode("utf-8-sig")
    except OSError as error:
        raise BadInput(
            f"cannot be read: {error.strerror}", code="BAD_FILE", path=str(file)
        ) from None
    except UnicodeDecodeError:
        raise BadInput("is not UTF-8 text", code="BAD_FILE", path=str(file)) from None


def _write(file: Path, content: bytes) -> None:
    from twinfall.ontology.errors import BadInput

    try:
        file.write_bytes(content)
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror}", code="BAD_FILE", path=str(file)
        ) from None
