"""One contract, two stores.

`new_store` is a factory of fresh, empty stores. Neo4j's come from a real server, found or started
by the fixture `neo4j`, which skips in one line where neither is possible.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.graph.plant import plant
from tests.servers.neo4j import Neo4jServer
from twinfall.graph.models import Models
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.store import TwinStore
from twinfall.graph.twins import Change
from twinfall.graph.values import FieldTypes

NEO4J_SLOWNESS = 8
"""Neo4j compiles each new question for hundreds of milliseconds."""
Effort = Callable[[int], int]
NEO4J = (pytest.mark.neo4j, pytest.mark.timeout(400))
"""Its time includes the start of a server, and the planning of every random query."""
NewStore = Callable[[], AbstractContextManager[TwinStore]]


@contextmanager
def fresh_sqlite() -> Iterator[TwinStore]:
    store = SQLiteStore(":memory:", holder="the contract suite")
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(scope="session", params=["sqlite", pytest.param("neo4j", marks=NEO4J)])
def new_store(request: pytest.FixtureRequest) -> NewStore:
    """Makes fresh, empty stores."""
    if request.param == "sqlite":
        return fresh_sqlite
    server: Neo4jServer = request.getfixturevalue("neo4j")
    return server.fresh_store


@pytest.fixture(scope="session")
def effort(request: pytest.FixtureRequest, new_store: NewStore) -> Effort:
    """How many examples to try, of the number that suits the embedded store. TWINFALL_EFFORT
    multiplies it, for a long search.
    """
    slowness = 1 if new_store is fresh_sqlite else NEO4J_SLOWNESS
    times = int(os.environ.get("TWINFALL_EFFORT", "1"))
    return lambda examples: max(3, examples * times // slowness)


@pytest.fixture(scope="session")
def models() -> Models:
    return plant()


@pytest.fixture
def empty_store(new_store: NewStore) -> Iterator[TwinStore]:
    """A fresh store without models."""
    with new_store() as store:
        yield store


@pytest.fixture
def store(empty_store: TwinStore, models: Models) -> TwinStore:
    """A store that knows the plant's models and has no twins."""
    return with_plant(empty_store, models)


def with_plant(store: TwinStore, models: Models) -> TwinStore:
    """Load the plant's models."""
    change = Change(
        0, "modelsLoaded", "models", None, None, None, None, "2026-11-23T06:30:00Z", "", ""
    )
    store.save_models(models.stored(), change)
    store.use(FieldTypes.of(models.ontology.interfaces))
    return store
