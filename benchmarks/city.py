"""The city on both stores: import, nested queries, impact, start-up and memory.

`python -m benchmarks.city` prints Markdown. One client, one process, everything on one machine;
beside every Neo4j figure stands the same server's `RETURN 1`, beside the cascade networkx.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import networkx as nx
import orjson
import psutil

from benchmarks.measure import HEADER, Figure, machine, measure
from twinfall.analytics import AssetNetwork, topology_request, warm
from twinfall.api.access import Access
from twinfall.api.demo import city_dependencies, city_documents, city_rows
from twinfall.api.graphql import GraphQLService
from twinfall.graph import Graph
from twinfall.graph.ndjson import import_rows
from twinfall.graph.sqlite import SQLiteStore

ADMIN = Access("benchmark", "admin")
FAILED = "P_B1000"
QUERIES = {
    "1 level, by id": '{ twin(id: "W_WP1") { id _name _version } }',
    "1 level, page of 100": "{ Pipe(first: 100) { nodes { id name } } }",
    "2 levels": "{ Pump(first: 25) { nodes { id name drivenBy { nodes { id } } } } }",
    "4 levels": """{ Transformer(first: 5) { nodes { id _relationships(first: 10) { nodes { twin {
        id _relationships(first: 10, direction: IN) { nodes { twin { id
        _relationships(first: 10) { nodes { twin { id _name } } } } } } } } } } } }""",
    "100 twins, neighbours counted": """{ Pipe(first: 100) { totalCount nodes { id
        _relationships { totalCount } } } }""",
}
IMPACT = """{ impact(failed: ["%s"]) { totals { assets customers } waves { wave at count }
    affected(first: 100) { nodes { twin { id } wave at group } } } }"""


class Service:
    """A GraphQL service with its own event loop, so that a call is one blocking call."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.loop = asyncio.new_event_loop()
        self.service = GraphQLService(graph)

    def ask(self, query: str) -> dict[str, Any]:
        answer = self.loop.run_until_complete(
            self.service.execute(query, None, None, ADMIN, "bench", allow_mutation=False)
        )
        document: dict[str, Any] = orjson.loads(answer.body)
        if document.get("errors"):
            raise SystemExit(f"{query}\n{document['errors']}")
        return document


def load(graph: Graph) -> tuple[int, float]:
    """Import the city; rows and seconds."""
    graph.load_models(city_documents(), city_dependencies(), who="benchmark")
    start = time.perf_counter()
    report = import_rows(graph, city_rows(), who="benchmark")
    return report.twins + report.relationships, time.perf_counter() - start


def queries(title: str, service: Service, floor: Figure) -> None:
    print(f"\n### {title}\n\n{HEADER}")
    print(floor.row())
    for name, query in QUERIES.items():
        print(measure(name, lambda q=query: service.ask(q)).row(floor))
    answer = measure("impact answer, first 100", lambda: service.ask(IMPACT % FAILED), count=50)
    print(answer.row(floor))


def cascade(graph: Graph) -> None:
    request = topology_request(graph.ontology, graph.dependencies)
    read = measure("topology as arrays", lambda: graph.topology(request), count=10, warm=1)
    topology = graph.topology(request)
    built = measure(
        "arrays to network",
        lambda: AssetNetwork.compile(topology, graph.ontology, graph.dependencies),
        count=10,
        warm=1,
    )
    assets = AssetNetwork.compile(topology, graph.ontology, graph.dependencies)
    peer_graph = assets.network.to_networkx()
    position = list(assets.ids).index(FAILED)
    size = assets.impact([FAILED]).count
    reached = len(nx.descendants(peer_graph, position))
    peer = measure(
        "networkx descendants",
        lambda: nx.descendants(peer_graph, position),
        count=30,
        note=f"{reached} reached",
    )
    ours = measure("impact with causes", lambda: assets.impact([FAILED]), note=f"{size} affected")
    print(f"\n### Cascade\n\n{HEADER}")
    for figure in (read, built, peer):
        print(figure.row())
    print(ours.row(peer))


@contextmanager
def neo4j_graph(folder: Path) -> Iterator[tuple[Graph, Figure] | None]:
    """The city's graph on a real server, with the server's own floor; None where there is none."""
    import neo4j

    from tests.servers.neo4j import neo4j_server, unavailable_reason
    from twinfall.graph.neo4j import Neo4jStore

    if reason := unavailable_reason():
        print(f"\nNeo4j: left out ({reason})")
        yield None
        return
    with neo4j_server() as server:
        store = Neo4jStore(
            server.uri, server.user, server.password, feed=folder / "feed", holder="benchmark"
        )
        driver = neo4j.GraphDatabase.driver(server.uri, auth=(server.user, server.password))
        try:
            session = driver.session(database="neo4j")
            floor = measure("RETURN 1", lambda: session.run("RETURN 1").consume())
            yield Graph(store), floor
        finally:
            driver.close()
            store.close()


def start_up() -> None:
    """A second start of the demo, as a user has it: seconds until ready, and memory then."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TWINFALL_DIR": folder, "TWINFALL_PORT": "18231"}
        first, _ = _start(environment)
        second, memory = _start(environment)
    print("\n### Start\n")
    print(f"first start, loading the city: {first:.1f} s; second start: {second:.1f} s;")
    print(f"resident memory when ready: {memory / 2**20:.0f} MB")


def _start(environment: dict[str, str]) -> tuple[float, int]:
    start = time.perf_counter()
    command = [sys.executable, "-m", "twinfall.api.cli", "demo"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen("http://127.0.0.1:18231/readyz", timeout=1).close()
                break
            except OSError:
                if server.poll() is not None or time.perf_counter() - start > 120:
                    raise SystemExit("the demo did not start") from None
                time.sleep(0.05)
        taken = time.perf_counter() - start
        return taken, psutil.Process(server.pid).memory_info().rss
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    warm()
    print(f"Machine: {machine()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph = Graph(SQLiteStore(folder / "city.sqlite", holder="benchmark"))
        rows, seconds = load(graph)
        print(f"\nImport, SQLite: {rows} rows in {seconds:.1f} s, {rows / seconds:.0f} rows/s")
        service = Service(graph)
        floor = measure("{ __typename }", lambda: service.ask("{ __typename }"))
        queries("Queries, SQLite", service, floor)
        cascade(graph)
        graph.store.close()
        with neo4j_graph(folder) as found:
            if found:
                graph, floor = found
                rows, seconds = load(graph)
                print(
                    f"\nImport, Neo4j: {rows} rows in {seconds:.1f} s, {rows / seconds:.0f} rows/s"
                )
                queries("Queries, Neo4j", Service(graph), floor)
    start_up()


if __name__ == "__main__":
    main()
