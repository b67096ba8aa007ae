"""Loads the demo's city into a Neo4j of its own and takes a picture of it in Neo4j Browser.

    python -m examples.neo4j.screenshot [FILE.png]

Needs Java, Maven, Playwright (`pip install twinfall[browser]`) and Chromium. Nothing leaves this
machine: what the page asks of other hosts is refused.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, sync_playwright

from tests.servers.neo4j import Neo4jServer, neo4j_server
from twinfall.api.demo import city_dependencies, city_documents, city_rows
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import import_rows

HERE = Path(__file__).parent
PICTURE = HERE.parents[1] / "docs" / "images" / "neo4j-browser.png"
QUERY = HERE / "1-pump-stations.cypher"
STYLE = "city.grass"
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1500, "height": 950}
PATIENCE_MS = 30_000
SETTLING_MS = 12_000
"""For the force layout to come to rest."""


class _StyleFiles(SimpleHTTPRequestHandler):
    """This folder, for a page from elsewhere."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
        """Say nothing."""


@contextmanager
def style_address() -> Iterator[str]:
    """Serves the style sheet on `localhost`, a host that Neo4j Browser trusts by default."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_StyleFiles, directory=str(HERE)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/{STYLE}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def load_city(server: Neo4jServer) -> None:
    """The demo's city, as `twinfall demo` loads it."""
    with server.fresh_store() as store:
        graph = Graph(store)
        graph.load_models(city_documents(), city_dependencies())
        import_rows(graph, city_rows())


def take_picture(server: Neo4jServer, query: Path, target: Path) -> None:
    """A picture of the query's answer in Browser, in the city's style."""
    with style_address() as style, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport=SIZE, device_scale_factor=1.5)
        page.set_default_timeout(PATIENCE_MS)
        page.route("**/*", _only_local)
        page.goto(f"{server.http_url}/browser/?dbms={server.uri}&preselectAuthMethod=NO_AUTH")
        _run(page, ":clear")
        _run(page, f":style {style}")
        _run(page, ":clear")
        _run(page, query.read_text(encoding="utf-8"))
        page.wait_for_selector("svg g.node")
        page.wait_for_timeout(SETTLING_MS)
        target.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=target)
        browser.close()


def _only_local(route: Route) -> None:
    host = urlsplit(route.request.url).hostname
    if host in ("127.0.0.1", "localhost"):
        route.continue_()
    else:
        route.abort()


def _run(page: Page, text: str) -> None:
    page.wait_for_selector(".monaco-editor textarea", state="attached")
    page.focus(".monaco-editor textarea")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(1500)


def main() -> None:
    """Start, load, take the picture."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with neo4j_server(auth=False) as server, tempfile.TemporaryDirectory():
        load_city(server)
        take_picture(server, QUERY, target)
    print(target)


if __name__ == "__main__":
    main()
