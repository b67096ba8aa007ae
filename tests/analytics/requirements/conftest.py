from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.analytics.requirements.plant import Plant


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close every plant that a test makes."""
    yield
    while Plant.made:
        Plant.made.pop().graph.store.close()
