from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.graphql.plant import Plant


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    """A filled plant that tests only read."""
    made = Plant()
    made.fill()
    yield made
    made.close()


@pytest.fixture
def fresh() -> Iterator[Plant]:
    """An empty plant whose models are loaded."""
    made = Plant()
    yield made
    made.close()
