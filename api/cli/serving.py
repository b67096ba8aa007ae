"""`twinfall serve`: one process that owns the graph and answers."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import AsJson, console

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from twinfall.api.folder import DataFolder
    from twinfall.api.services import Services
    from twinfall.api.settings import Settings
    from twinfall.graph.graph import Graph

Host = Annotated[str | None, typer.Option(help="Listen here instead of TWINFALL_HOST.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Instead of TWINFALL_PORT; 0: a free one.")
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Beyond this machine without a key: all are admin.")
]


def serve(
    host: Host = None, port: Port = None, insecure: Insecure = False, as_json: AsJson = False
) -> None:
    """Serve the graph: GraphQL at /graphql, a page to ask from at /."""
    settings = here.settings(host=host, port=port)
    telling = _Telling(as_json=as_json)
    run(
        settings,
        "twinfall serve",
        insecure=insecure,
        tell=telling.tell,
        beside=telling.beside,
    )


def run(
    settings: Settings,
    command: str,
    *,
    insecure: bool,
    tell: Callable[[Settings, Services, str], None],
    prepare: Callable[[Graph, Path], None] = lambda *_: None,
    beside: Callable[[Services], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Own the data folder, listen, open the graph, `prepare` it, `tell`, serve until a signal.

    What `beside` enters runs while requests are served.
    """
    from twinfall.api.folder import own
    from twinfall.api.keys import Keys
    from twinfall.api.logs import log_to
    from twinfall.api.server import address_of, listen

    with own(settings.dir, command) as folder:
        _check_openness(settings, Keys(folder.path), insecure=insecure)
        log_to(settings.log, folder.path)
        bound = listen(settings.host, settings.port)
        try:
            url = address_of(bound, settings.host)
            folder.announce(url)
            _serve(_Run(settings, folder, bound, insecure), prepare, tell, beside)
        finally:
            bound.close()


class _Run:
    """What one server run holds."""

    def __init__(
        self, settings: Settings, folder: DataFolder, bound: socket.socket, insecure: bool
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.bound = bound
        self.insecure = insecure


def _serve(
    run: _Run,
    prepare: Callable[[Graph, Path], None],
    tell: Callable[[Settings, Services, str], None],
    beside: Callable[[Services], AbstractContextManager[object]],
) -> None:
    from twinfall.api.app import create_app
    from twinfall.api.server import run as serve_app
    from twinfall.api.services import Services

    services = Services(run.settings, run.folder.path, str(run.folder.owner), prepare)
    try:
        services.open()
        _warm()
        app = create_app(services, insecure=run.insecure)
        tell(run.settings, services, run.folder.owner.url)
        with beside(services):
            serve_app(app, run.bound)
    finally:
        services.close()


def _warm() -> None:
    """Have the cascade compiled before the first question: once an installation it takes about a
    minute, and a question may not.
    """
    from twinfall.api.cli.output import errors

    with errors().status("Getting the cascade ready (a minute at the first start) ..."):
        from twinfall.analytics import cutsets, warm

        warm()
        cutsets.warm()


def _check_openness(settings: Settings, keys: Any, *, insecure: bool) -> None:
    from twinfall.api.guard import is_local
    from twinfall.ontology.errors import BadSettings

    if is_local(settings.host) or keys.all() or insecure:
        return
    raise BadSettings(
        f"listening on {settings.host} lets other machines in, and there is no key",
        path="TWINFALL_HOST",
        cure="`twinfall key create NAME --role admin` makes one; `--insecure` goes without",
    )


def describe(settings: Settings, services: Services, url: str) -> dict[str, Any]:
    """What a server says of itself when it starts."""
    from twinfall.api.guard import is_local
    from twinfall.api.keys import Keys
    from twinfall.ontology.errors import Unavailable

    keyed = bool(Keys(services.folder).all())
    local = is_local(settings.host)
    told: dict[str, Any] = {
        "url": url,
        "store": _store(settings),
        "open_to": ("whoever has a key" if keyed else "this machine" if local else "EVERYBODY"),
        "folder": str(settings.dir),
    }
    try:
        graph = services.graph
        told["models"] = len(graph.ontology.interfaces)
        told["twins"], told["relationships"] = graph.size()
    except Unavailable as error:
        told["waiting_for"] = str(error)
    return told


def _store(settings: Settings) -> str:
    if settings.store == "sqlite":
        return str(settings.dir / "graph.sqlite")
    return f"{settings.store}, database {settings.neo4j_database}"


class _Telling:
    """Says what is served while it is served: to count a large graph takes a while."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._thread = threading.Thread()

    def tell(self, settings: Settings, services: Services, url: str) -> None:
        """This is what there is to say."""
        self._thread = threading.Thread(target=self._say, args=(settings, services, url))

    @contextmanager
    def beside(self, _: Services) -> Iterator[None]:
        """Say it meanwhile."""
        self._thread.start()
        try:
            yield
        finally:
            self._thread.join()

    def _say(self, settings: Settings, services: Services, url: str) -> None:
        told = describe(settings, services, url)
        if self._as_json:
            sys.stdout.write(json.dumps(told) + "\n")  # one line: the process goes on
            sys.stdout.flush()
            return
        print_described(told)


def print_described(told: dict[str, Any]) -> None:
    """The same for people."""
    out = console()
    out.print(
        f"Twinfall at [bold]{told['url']}/[/]  (GraphQL at {told['url']}/graphql)", markup=True
    )
    if "waiting_for" in told:
        out.print(f"  store   {told['store']}", markup=False)
        out.print(f"  waiting {told['waiting_for']}", markup=False)
    else:
        out.print(
            f"  store   {told['store']}: {told['models']} models, {told['twins']} twins,"
            f" {told['relationships']} relationships",
            markup=False,
        )
    out.print(f"  open to {told['open_to']}; Ctrl-C stops", markup=False)
