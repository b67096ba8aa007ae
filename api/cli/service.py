"""The graph as commands see it: a running server where there is one, else opened right here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import orjson

from twinfall.api.access import LOCAL
from twinfall.api.client import Remote, ServerSays, request_body
from twinfall.api.folder import own, owner_of
from twinfall.api.lines import again, lines_of
from twinfall.api.services import graphql_over, open_graph, telemetry_of
from twinfall.api.settings import Settings
from twinfall.graph.ndjson import ImportReport, Progress, Refuse, export_rows, import_rows
from twinfall.ontology.errors import BadInput

if TYPE_CHECKING:
    from twinfall.api.networks import LiveNetwork
    from twinfall.graph.graph import Graph
    from twinfall.ingestion.sources.replay import Send
    from twinfall.ingestion.telemetry import Telemetry


class Service(Protocol):
    """What commands ask for."""

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a GraphQL request; an error that answers nothing is raised."""
        ...

    def take(
        self, file: BinaryIO, progress: Progress, refuse: Refuse, requirements: str = ""
    ) -> ImportReport:
        """Import NDJSON, packed or not; with requirements (their text), only if they hold then, and
        the file can be read twice.
        """
        ...

    def export(self) -> Iterator[bytes]:
        """The whole graph as NDJSON."""
        ...

    def sender(self) -> AbstractContextManager[Send]:
        """Takes readings while it is open."""
        ...


class Local:
    """A graph opened by this process."""

    def __init__(self, graph: Graph, settings: Settings) -> None:
        self._graph = graph
        self._settings = settings
        self._opened: Telemetry | None = None
        self._networks: LiveNetwork | None = None

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """See Service."""
        request_body(query, variables)  # what a server could not be asked is not answered here
        service = graphql_over(
            self._graph, self._settings, self._arrays(), telemetry=self._telemetry
        )
        work = service.execute(query, variables, None, LOCAL, "local", allow_mutation=True)
        answer: dict[str, Any] = orjson.loads(asyncio.run(work).body)
        if answer.get("data") is None and answer.get("errors"):
            raise ServerSays(answer)
        return answer

    def take(
        self, file: BinaryIO, progress: Progress, refuse: Refuse, requirements: str = ""
    ) -> ImportReport:
        """See Service."""

        def take(lines: Iterable[bytes]) -> ImportReport:
            return import_rows(
                self._graph, lines, who=LOCAL.name, why="import", progress=progress, refuse=refuse
            )

        if not requirements:
            return take(lines_of(file))
        from twinfall.api.requirements.guarding import Guard  # here: most imports need none

        return Guard(requirements).take(self._graph, again(file), take)

    def export(self) -> Iterator[bytes]:
        """See Service."""
        return export_rows(self._graph)

    @contextmanager
    def sender(self) -> Iterator[Send]:
        """See Service."""
        from twinfall.ingestion.sources.replay import into

        telemetry = self._telemetry()
        yield into(telemetry.pipeline, telemetry.catalogue)

    def close(self) -> None:
        """Keep what was taken, and arrays that took long to make."""
        if self._networks is not None:
            self._networks.close()
        if self._opened is not None:
            self._opened.close()

    def _arrays(self) -> LiveNetwork:
        """The arrays: compiled, or taken from where they were kept, once a question needs them."""
        from twinfall.api.keeping import FILE, KeptArrays
        from twinfall.api.networks import LiveNetwork  # here: most commands ask a server

        if self._networks is None:
            kept = KeptArrays(self._settings.dir / FILE, self._graph)
            self._networks = LiveNetwork(self._graph, kept=kept)
        return self._networks

    def _telemetry(self) -> Telemetry:
        """The readings, opened when something asks for them."""
        if self._opened is None:
            self._opened = telemetry_of(
                self._settings, self._settings.dir, self._graph, background=False
            )
            while self._opened.follow():
                pass
        return self._opened


@contextmanager
def service(settings: Settings, command: str, *, create: bool = False) -> Iterator[Service]:
    """The server that the settings or the data folder's lock name; without one the graph itself,
    held for the time of the command. Only with `create` may the graph be a new one.
    """
    owner = None if settings.url else owner_of(settings.dir)
    url = settings.url or (owner.url if owner else "")
    if url:
        yield Remote(url, settings.api_key.reveal())
        return
    if settings.store == "sqlite" and not create and not (settings.dir / "format").exists():
        raise BadInput(
            "there is no graph here yet",
            code="NO_GRAPH",
            path=str(settings.dir),
            cure="`twinfall demo` makes one to try; `twinfall import FILE` one of your own",
        )
    with own(settings.dir, command) as folder:
        graph = open_graph(settings, folder.path, str(folder.owner))
        local = Local(graph, settings)
        try:
            yield local
        finally:
            local.close()
            graph.store.close()
