"""The demo's city and plant into a graph: once, and to the end where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfall.api.actions.policyfile import FILE_NAME as POLICY_NAME
from twinfall.api.cli.output import bar
from twinfall.api.demo import city_dependencies, city_documents, city_rows
from twinfall.api.demo.plant import plant_dependencies, plant_documents, plant_rows
from twinfall.ontology.errors import Conflict

if TYPE_CHECKING:
    from twinfall.graph.graph import Graph

POLICY = "demo.policy.yaml"
MARK = "demo"
"""A file in the data folder: what of the demo was loaded whole, a line each. What is missing of it
since, was deleted.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Something the demo loads."""

    name: str
    documents: Callable[[], Sequence[dict[str, Any]]]
    dependencies: Callable[[], Sequence[str]]
    rows: Callable[[], Iterator[bytes]]


PARTS = (
    Part("city", city_documents, city_dependencies, city_rows),
    Part("plant", plant_documents, plant_dependencies, plant_rows),
)


def load_demo(graph: Graph, folder: Path) -> None:
    """Load what is not loaded yet, or finish loading it.

    Raises Conflict EXISTS where the graph holds anything else, and changes nothing then.
    """
    mark = folder / MARK
    done = mark.read_text(encoding="utf-8").split() if mark.exists() else []
    missing = [part for part in PARTS if part.name not in done]
    if missing and not done:
        _check_empty(graph, {d["@id"] for part in PARTS for d in part.documents()}, folder)
    for part in missing:
        _load(graph, part)
        done.append(part.name)
        mark.write_text("".join(f"{name}\n" for name in done), encoding="utf-8")
    if missing:
        _lay_policy(folder)


def _lay_policy(folder: Path) -> None:
    """What the demo does about alarms; a policy that somebody laid there stays."""
    path = folder / POLICY_NAME
    if not path.exists():
        path.write_bytes(files("twinfall.api.demo").joinpath(POLICY).read_bytes())


def _load(graph: Graph, part: Part) -> None:
    from twinfall.graph.ndjson import import_rows

    refused: list[str] = []

    def refuse(line: int, _code: str, message: str, _raw: bytes) -> None:
        refused.append(f"line {line}: {message}")

    rows = list(part.rows())
    with bar(f"Loading the {part.name}", len(rows)) as shown:
        graph.load_models(part.documents(), part.dependencies(), who="demo", why="first start")

        def move(report: Any) -> None:
            shown.show(report.lines, f"{report.twins} twins, {report.relationships} relationships")

        import_rows(graph, rows, who="demo", why="first start", progress=move, refuse=refuse)
    if refused:
        raise Conflict(
            f"{len(refused)} rows of the {part.name} were refused, the first: {refused[0]}",
            code="EXISTS",
            cure="start with an empty folder: TWINFALL_DIR",
        )


def _check_empty(graph: Graph, ours: set[str], folder: Path) -> None:
    foreign = sorted(set(graph.ontology.interfaces) - ours)
    if foreign:
        raise Conflict(
            f"this graph holds something else than the demo: {len(foreign)} other models,"
            f" such as {foreign[0]}; nothing was changed",
            code="EXISTS",
            path=str(folder),
            cure="`twinfall serve` serves it; for the demo set TWINFALL_DIR to another folder",
        )
