"""What GraphQL costs above the store: CPU of the projected answer and of the ordinary one.

Run with `python -m benchmarks.graphql`. The figures of one run belong together: both ways answer
the same queries over the same embedded store; `store` is the same plan without GraphQL.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson

from twinfall.api.access import Access
from twinfall.api.graphql import GraphQLService
from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import RelationshipInput, TwinInput

TWINS = 2_000
ROUNDS = 15
PROPERTIES = ("a", "b", "c", "d", "e")
MODEL = {
    "@context": "dtmi:dtdl:context;3",
    "@id": "dtmi:bench:Thing;1",
    "@type": "Interface",
    "contents": [
        *({"@type": "Property", "name": name, "schema": "double"} for name in PROPERTIES),
        {"@type": "Relationship", "name": "next", "target": "dtmi:bench:Thing;1"},
    ],
}
QUERIES = {
    "one twin, 3 fields": '{ Thing(where: {id: {eq: "T7"}}) { nodes { id a b } } }',
    "500 twins x 5 fields": "{ Thing(first: 500) { nodes { a b c d e } } }",
    "100 twins x 2 levels": "{ Thing(first: 100) { nodes { id next { nodes { id a b } } } } }",
    "20 twins x 4 levels": (
        "{ Thing(first: 20) { nodes { id next(first: 4) { nodes { id next(first: 4) "
        "{ nodes { id next(first: 4) { nodes { id a } } } } } } } } }"
    ),
}


def main() -> None:
    """Print CPU milliseconds per query, the best of several rounds."""
    graph = Graph(SQLiteStore(":memory:"))
    graph.load_models([MODEL])
    graph.write_twins(
        [TwinInput(f"T{n}", "Thing", dict.fromkeys(PROPERTIES, float(n))) for n in range(TWINS)]
    )
    graph.write_relationships(
        [
            RelationshipInput(f"T{n}", "next", f"T{(n * 7 + k) % TWINS}")
            for n in range(TWINS)
            for k in range(4)
        ]
    )
    projected, ordinary = GraphQLService(graph), _ordinary(graph)
    print(f"{'CPU ms':28} {'store':>9} {'projected':>10} {'ordinary':>9} {'ratio':>6}")
    for name, query in QUERIES.items():
        assert asyncio.run(_ask(projected, query)) == asyncio.run(_ask(ordinary, query))
        store = asyncio.run(_store_share(projected, graph, query))
        ours, theirs = asyncio.run(_cpu(projected, query)), asyncio.run(_cpu(ordinary, query))
        print(f"{name:28} {store:9.2f} {ours:10.2f} {theirs:9.2f} {theirs / ours:6.1f}")
    graph.store.close()


def _ordinary(graph: Graph) -> GraphQLService:
    """A service whose answers graphql-core completes field by field."""
    service = GraphQLService(graph)
    core = service._serving.schema.core
    for type_ in core.type_map.values():
        for field in getattr(type_, "fields", {}).values():
            if hasattr(field, "resolve"):
                field.resolve = lambda source, info, **_: source[info.path.key]
    assert core.query_type is not None

    async def root(source: Any, info: Any, **arguments: Any) -> Any:
        return (await service._resolve(source, info, **arguments)).value

    for field in core.query_type.fields.values():
        field.resolve = root
    return service


async def _ask(service: GraphQLService, query: str) -> Any:
    made = await service.execute(query, None, None, Access("bench", "viewer"), "bench")
    content = orjson.loads(made.body)
    assert "errors" not in content, content
    return content


async def _cpu(service: GraphQLService, query: str) -> float:
    await _ask(service, query)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        await _ask(service, query)
        best = min(best, time.process_time() - start)
    return best * 1000


async def _store_share(service: GraphQLService, graph: Graph, query: str) -> float:
    """The store's part: the plans that the query makes, fetched alone."""
    plans: list[Any] = []
    fetch: Callable[[Any], Any] = graph.fetch

    def note(plan: Any) -> Any:
        plans.append(plan)
        return fetch(plan)

    graph.fetch = note  # type: ignore[method-assign]
    await _ask(service, query)
    graph.fetch = fetch  # type: ignore[method-assign]
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for plan in plans:
            fetch(plan)
        best = min(best, time.process_time() - start)
    return best * 1000


if __name__ == "__main__":
    main()
