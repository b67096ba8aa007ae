"""`twinfall import` and `twinfall export`: whole graphs as NDJSON files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import BAD, AsJson, Bar, bar, console, errors, print_json
from twinfall.api.cli.rdf import BASE

if TYPE_CHECKING:
    from twinfall.api.cli.service import Service
    from twinfall.graph.ndjson import ImportReport

FIRST_SHOWN = 5
NDJSON = "ndjson"
BASE_HELP = "RDF: before the ids of twins that have no IRI of their own."


class Refused:
    """Collects refused rows into a file, which exists only if there are any."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: list[str] = []
        self._file: Any = None

    def take(self, line: int, code: str, message: str, raw: bytes) -> None:
        """Keep one row with its reason."""
        row = raw.decode("utf-8", "replace").rstrip("\r\n")
        entry = {"line": line, "code": code, "reason": message, "row": row}
        self.keep(entry, f"line {line}", code, message)

    def keep(self, entry: dict[str, Any], place: str, code: str, message: str) -> None:
        """Keep one entry; `place` is what people are told."""
        import orjson

        try:
            if self._file is None:
                self._file = self.path.open("wb")
            self._file.write(orjson.dumps(entry) + b"\n")
        except OSError as error:
            raise self._stopped(error, f"{place} was refused: {message}") from error
        if len(self.first) < FIRST_SHOWN:
            self.first.append(f"{place}: {message} [{code}]")

    def close(self) -> None:
        """Done; a file of an earlier run that no longer holds true goes away."""
        try:
            if self._file is not None:
                self._file.close()
            elif self.path.is_file():
                self.path.unlink()
        except OSError as error:
            raise self._stopped(error, "it does not hold what this import refused") from error

    def _stopped(self, error: OSError, why: str) -> Exception:
        from twinfall.ontology.errors import BadInput

        return BadInput(
            f"cannot be written: {error.strerror} ({why})",
            code="BAD_FILE",
            path=str(self.path),
            cure="import from a folder where it can be; what is imported already does no harm",
        )


def import_(
    file: Annotated[str, typer.Argument(help="An NDJSON file, packed or not; `-` reads stdin.")],
    requirements: Annotated[
        Path | None,
        typer.Option("--assert", help="Refuse the import if it would break one of these."),
    ] = None,
    as_json: AsJson = False,
    progress: Annotated[
        bool | None, typer.Option(help="A progress bar; by default on a terminal.")
    ] = None,
    base: Annotated[str, typer.Option(help=BASE_HELP)] = BASE,
) -> None:
    """Import models, twins and relationships from NDJSON, or twins and relationships from RDF
    (.ttl, .nt, .jsonld) of classes whose models are loaded. Good rows are written; refused ones
    go, with line and reason, to FILE.refused.ndjson. Importing a file again changes nothing.
    """
    from twinfall.api.checking import is_rdf
    from twinfall.api.cli.service import service

    refused = Refused(Path("stdin.refused.ndjson" if file == "-" else f"{file}.refused.ndjson"))
    asserted = "" if requirements is None else _asserted(requirements)
    opened = _opened(file, twice=bool(asserted))
    with opened as (source, path), bar("Importing", None, shown=progress) as shown:
        out = _Out(_mover(shown), refused, asserted)
        try:
            with _telling(), service(here.settings(), "twinfall import", create=True) as graph:
                if is_rdf(path):
                    report = _take_rdf(graph, path, base, out)
                else:
                    report = graph.take(source, out.progress, refused.take, asserted)
        finally:
            refused.close()
    _tell(report, refused, as_json)
    if report.refused:
        raise typer.Exit(BAD)


@dataclass(frozen=True, slots=True)
class _Out:
    """Where an import tells what it does, and the text of the requirements it must not break."""

    progress: Any
    refused: Refused
    requirements: str


def _asserted(file: Path) -> str:
    from twinfall.api.cli.requirements import text_of
    from twinfall.ontology.errors import BadInput

    text = text_of(file)
    if not text.strip():
        raise BadInput("it is empty", code="BAD_REQUIREMENTS", path=str(file))
    return text


@contextmanager
def _telling() -> Iterator[None]:
    """Tell of the requirements for which an import is refused."""
    try:
        yield
    except Exception as error:
        from twinfall.api.cli.requirements import tell_worse

        tell_worse(error)
        raise


def _take_rdf(graph: Service, path: Path, base: str, out: _Out) -> ImportReport:
    """Import RDF: it becomes rows here, and the graph judges them as any others."""
    from io import BufferedReader, BytesIO

    from twinfall.api.cli.rdf import entry, rows_of_file
    from twinfall.graph.rdf import as_lines, refused_row

    refused = out.refused
    rows = rows_of_file(graph, path, base)
    for one in rows.refused:
        refused.keep(entry(one), one.subject, one.code, one.message)

    def take(line: int, code: str, message: str, raw: bytes) -> None:
        one = refused_row(rows, code, message, raw)
        refused.keep(entry(one), one.subject, code, message)

    lines = BufferedReader(BytesIO(b"".join(as_lines(rows))))
    report = graph.take(lines, out.progress, take, out.requirements)
    report.refused += len(rows.refused)
    for one in rows.refused:
        report.by_code[one.code] = report.by_code.get(one.code, 0) + 1
    return report


@contextmanager
def _opened(file: str, *, twice: bool) -> Iterator[tuple[BinaryIO, Path]]:
    """The file; what comes through a pipe and must be read twice is copied to disk meanwhile."""
    import shutil
    import tempfile

    from twinfall.api.lines import open_file

    with ExitStack() as opened:
        source = cast(BinaryIO, sys.stdin.buffer)
        if file != "-":
            source = opened.enter_context(open_file(Path(file)))
        if twice and (file == "-" or not source.seekable()):
            copy = opened.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(source, copy)
            copy.seek(0)
            source = cast(BinaryIO, copy)
        yield source, Path() if file == "-" else Path(file)


def _mover(shown: Bar) -> Any:
    def move(report: ImportReport) -> None:
        shown.show(0, f"{report.twins} twins, {report.relationships} relationships")

    return move


def _tell(report: ImportReport, refused: Refused, as_json: bool) -> None:
    if as_json:
        rest = str(refused.path) if report.refused else None
        print_json(asdict(report) | {"refused_file": rest})
        return
    console().print(
        f"{report.models} models, {report.twins} twins, {report.relationships} relationships"
        f" from {report.lines} lines; {report.refused} refused"
    )
    if not report.refused:
        return
    err = errors()
    for line in refused.first:
        err.print("  " + line, markup=False)
    if report.refused > len(refused.first):
        err.print(f"  and {report.refused - len(refused.first)} more")
    err.print(f"refused rows are in {refused.path}", markup=False)


def export(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; `.gz` is packed. Without it: stdout.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="ndjson; or turtle, jsonld, ntriples: twins alone.")
    ] = NDJSON,
    base: Annotated[str, typer.Option(help=BASE_HELP)] = BASE,
    as_json: AsJson = False,
) -> None:
    """Export the whole graph as NDJSON that imports to an equal graph, or its twins and
    relationships as RDF.
    """
    from twinfall.api.cli.service import service

    with service(here.settings(), "twinfall export") as graph:
        if format_ != NDJSON:
            _put([_rdf(graph, format_, base)], file, as_json)
            return
        _put(graph.export(), file, as_json)


def _rdf(graph: Service, format_: str, base: str) -> bytes:
    from twinfall.api.cli.rdf import exported

    return exported(graph, format_, base)


def _put(blocks: Any, file: Path | None, as_json: bool) -> None:
    """Onto standard output, or into a file, with its size told."""
    if file is None:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return
    size = _write(blocks, file)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        console().print(f"{file}: {size} bytes", markup=False)


def _write(blocks: Any, file: Path) -> int:
    """Write beside the file and put it in place when whole, so that no half export is left."""
    import gzip

    from twinfall.ontology.errors import BadInput

    part = file.with_name(file.name + ".part")
    try:
        with gzip.open(part, "wb") if file.suffix == ".gz" else part.open("wb") as out:
            for block in blocks:
                out.write(block)
        part.replace(file)
        return file.stat().st_size
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror}", code="BAD_FILE", path=str(file)
        ) from error
    finally:
        part.unlink(missing_ok=True)
