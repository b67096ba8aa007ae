"""What commands print: answers on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

OK = 0
BAD = 1
USAGE = 2
UNAVAILABLE = 3
_UNAVAILABLE_CODES = ("GRAPH_IN_USE", "PORT_IN_USE")
MAX_DETAILS = 200
"""Details of one error shown to people; `--json` has them all."""

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]


def console() -> Console:
    """Standard output; plain text when it is not a terminal. Names are never markup: `:a:` in a
    DTMI is no emoji.
    """
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def errors() -> Console:
    """Standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table for people; wide enough never to lose a name when it is not a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", header_style="bold", box=None)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    out = console()
    if not sys.stdout.isatty():
        out.width = 200
    out.print(table)


def report(error: Exception, *, as_json: bool) -> int:
    """Tell the user of an error; the exit status."""
    from twinfall.ontology.errors import TwinError

    if not isinstance(error, TwinError):
        return _report_bug(error, as_json=as_json)
    details = _details(error)
    if as_json:
        shown = {"code": error.code, "path": error.path, "message": error.message}
        print_json({"error": shown | {"cure": error.cure} | details})
    _print_error(error, details)
    if error.retryable or error.code in _UNAVAILABLE_CODES:
        return UNAVAILABLE
    return BAD


def _details(error: Any) -> dict[str, list[Any]]:
    from twinfall.api.problems import details_of

    found: dict[str, list[Any]] = getattr(error, "details", None) or details_of(error)
    return found


def _print_error(error: Any, details: dict[str, list[Any]]) -> None:
    from rich.text import Text

    err = errors()
    lines = [detail_line(d) for d in details.get("problems", []) + details.get("rows", [])]
    lines += [f"{dtmi} is referred to but was not given" for dtmi in details.get("undefined", [])]
    message = error.message.partition("; " if "problems" in details else ": ")[0]
    text = Text.assemble(("error ", "bold red"), (f"[{error.code}] ", "red"))
    text.append(printable(f"{error.path}: ") if error.path else "")
    text.append(printable(message if lines else error.message))
    err.print(text)
    for line in lines[:MAX_DETAILS]:
        err.print(Text("  " + line))
    if len(lines) > MAX_DETAILS:
        err.print(f"  and {len(lines) - MAX_DETAILS} more")
    if error.cure:
        err.print(Text.assemble(("cure  ", "bold green"), printable(error.cure)))


def detail_line(detail: dict[str, Any]) -> str:
    """One problem or refused row, as a line of text."""
    places = [
        f"row {detail['index']}" if detail.get("index") is not None else "",
        f"line {detail['line']}" if detail.get("line") is not None else "",
        str(detail.get("element") or ""),
        str(detail.get("path") or ""),
    ]
    place = " ".join(p for p in places if p)
    message = detail.get("message") or detail.get("code") or ""
    cure = f" ({detail['cure']})" if detail.get("cure") else ""
    return printable(f"{place}: {message}{cure} [{detail.get('code')}]")


def printable(text: str) -> str:
    """Names come from anybody's data: none of them may steer the terminal."""
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)


def _report_bug(error: Exception, *, as_json: bool) -> int:
    """A traceback goes to a file, its name to the user."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="twinfall-bug-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(error, file=file)
    message = f"a bug in Twinfall: {type(error).__name__}; its traceback is in {file.name}"
    if as_json:
        print_json({"error": {"code": "INTERNAL", "message": message, "cure": "please report it"}})
    errors().print(f"[bold red]error[/] \\[INTERNAL] {message}, please report it", markup=True)
    return BAD


class Bar:
    """Progress that only moves where somebody watches."""

    def __init__(self, progress: Any, task: Any) -> None:
        self._progress = progress
        self._task = task

    def show(self, done: int, text: str = "") -> None:
        """Set how much is done, and what is going on."""
        if self._progress:
            self._progress.update(self._task, completed=done, detail=text)


@contextmanager
def bar(title: str, total: int | None, *, shown: bool | None = None) -> Iterator[Bar]:
    """A progress bar on standard error; by default where that is a terminal."""
    if not (sys.stderr.isatty() if shown is None else shown):
        yield Bar(None, None)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(title), BarColumn(), TextColumn("{task.fields[detail]}"))
    with Progress(*columns, TimeElapsedColumn(), console=errors(), transient=True) as progress:
        yield Bar(progress, progress.add_task(title, total=total, detail=""))
