"""A picture of the demo city in the real Neo4j Browser, for the documentation.

    python -m examples.neo4j.screenshot [QUERY] [TARGET] [FAILED]

With FAILED, the id of a twin, what its failure takes along is shown on the nodes first.

Needs what `make neo4j` needs, Chromium, and the extra `browser` (Playwright).
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
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, sync_playwright

from tests.servers.neo4j import Neo4jServer, neo4j_server
from twinfall.api.demo import city_dependencies, city_documents, city_rows
from twinfall.api.graphql.showing import marks
from twinfall.api.networks import LiveNetwork
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import import_rows

HERE = Path(__file__).parent
PICTURE = HERE.parents[1] / "docs" / "images" / "neo4j-browser.png"
QUERY = HERE / "queries" / "2-pumps.cypher"
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1360, "height": 620}
PATIENCE = 60_000
"""Milliseconds that Browser may take to start or to draw."""
SETTLE = 9_000
"""Milliseconds until the drawing has come to rest."""


class _Style(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def style_address() -> Iterator[str]:
    """Where Browser finds the style sheet. It takes one from `localhost` by default."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Style, directory=str(HERE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/twinfall.grass"
    finally:
        server.shutdown()
        server.server_close()


def load_city(server: Neo4jServer, failed: str | None = None) -> None:
    """Import the demo's city; show what a failure takes along."""
    server.empty()
    with tempfile.TemporaryDirectory() as folder:
        store = server.store(Path(folder), holder="examples/neo4j/screenshot.py")
        try:
            graph = Graph(store)
            graph.load_models(city_documents(), city_dependencies())
            import_rows(graph, city_rows())
            if failed is not None:
                impact = LiveNetwork(graph).current().impact([failed])
                store.show_impact(marks(impact))
        finally:
            store.close()


def shoot(server: Neo4jServer, query: str, target: Path) -> None:
    """Run a query in Browser, in our colours, and keep the picture."""
    with style_address() as style, sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport=SIZE, device_scale_factor=1.5)
        page.route("**/*", _local_only)
        page.goto(f"{server.http_url}/browser/?dbms={server.uri}&preselectAuthMethod=NO_AUTH")
        page.wait_for_selector(".monaco-editor textarea", timeout=PATIENCE)
        page.wait_for_timeout(3000)
        _run(page, ":clear")
        _run(page, f":style {style}")
        page.wait_for_timeout(2000)
        _run(page, ":clear")
        _run(page, query)
        page.wait_for_selector("svg g.node", timeout=PATIENCE)
        page.wait_for_timeout(SETTLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(target))
        chromium.close()


def _run(page: Page, text: str) -> None:
    page.focus(".monaco-editor textarea")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(1000)


def _local_only(route: Route) -> None:
    """Browser asks for fonts and reports usage elsewhere; it works without."""
    if urlsplit(route.request.url).hostname in ("127.0.0.1", "localhost", None):
        route.continue_()
    else:
        route.abort()


def main() -> None:
    """Assemble a server, load the city, take the picture."""
    query = Path(sys.argv[1]) if len(sys.argv) > 1 else QUERY
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else PICTURE
    failed = sys.argv[3] if len(sys.argv) > 3 else None
    with neo4j_server(auth=False) as server:
        load_city(server, failed)
        shoot(server, query.read_text(), target)
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
