"""`twinfall demo`: a city to ask, loaded on the first start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinfall.api.cli import here
from twinfall.api.cli.output import AsJson, bar, console
from twinfall.api.cli.serving import Host, Port, describe, print_described, run

if TYPE_CHECKING:
    from pathlib import Path

    from twinfall.api.services import Services
    from twinfall.api.settings import Settings
    from twinfall.graph.graph import Graph

MARK = "demo"
"""A file in the data folder: the city was loaded whole; what is missing since, was deleted."""


def demo(host: Host = None, port: Port = None, as_json: AsJson = False) -> None:
    """Load a city into an empty data folder, and serve it. Stop with Ctrl-C; nothing is lost."""
    settings = here.settings(host=host, port=port)

    def tell(settings: Settings, services: Services, url: str) -> None:
        told = describe(settings, services, url)
        if as_json:
            import json
            import sys

            from twinfall.api.demo import city_queries

            queries = [query for _, query in city_queries()]
            sys.stdout.write(json.dumps(told | {"queries": queries}) + "\n")
            sys.stdout.flush()
            return
        print_described(told)
        _print_queries(url)

    run(settings, "twinfall demo", insecure=False, tell=tell, prepare=_prepare)


def _print_queries(url: str) -> None:
    from twinfall.api.demo import city_queries

    out = console()
    queries = city_queries()
    out.print(
        f"\n{len(queries)} questions to begin with; they stand at {url}/ too, ready to run:\n"
    )
    for _, query in queries:
        title, _, text = query.strip().partition("\n")
        out.print(title, style="bold", markup=False)
        out.print(text + "\n", markup=False, highlight=False, soft_wrap=True)
    out.print("or from another terminal: twinfall impact P_B1000", markup=False, highlight=False)


def _prepare(graph: Graph, folder: Path) -> None:
    if not (folder / MARK).exists():
        load_city(graph, folder)


def load_city(graph: Graph, folder: Path) -> None:
    """Load the demo's city into an empty graph, or finish loading it.

    Raises Conflict EXISTS where the graph holds anything else, and changes nothing then.
    """
    from twinfall.api.demo import city_dependencies, city_documents, city_rows
    from twinfall.graph.ndjson import import_rows
    from twinfall.ontology.errors import Conflict

    documents = city_documents()
    _check_empty(graph, {d["@id"] for d in documents}, folder)
    refused: list[str] = []

    def refuse(line: int, _code: str, message: str, _raw: bytes) -> None:
        refused.append(f"line {line}: {message}")

    rows = list(city_rows())
    with bar("Loading the city", len(rows)) as shown:
        graph.load_models(documents, city_dependencies(), who="demo", why="first start")

        def move(report: Any) -> None:
            shown.show(report.lines, f"{report.twins} twins, {report.relationships} relationships")

        import_rows(graph, rows, who="demo", why="first start", progress=move, refuse=refuse)
    if refused:
        raise Conflict(
            f"{len(refused)} rows of the demo were refused, the first: {refused[0]}",
            code="EXISTS",
            cure="start with an empty folder: TWINFALL_DIR",
        )
    (folder / MARK).write_text("city\n", encoding="utf-8")


def _check_empty(graph: Graph, ours: set[str], folder: Path) -> None:
    from twinfall.ontology.errors import Conflict

    foreign = sorted(set(graph.ontology.interfaces) - ours)
    if foreign:
        raise Conflict(
            f"this graph holds something else than the demo: {len(foreign)} other models,"
            f" such as {foreign[0]}; nothing was changed",
            code="EXISTS",
            path=str(folder),
            cure="`twinfall serve` serves it; for the demo set TWINFALL_DIR to another folder",
        )
