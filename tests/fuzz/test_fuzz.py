"""A glance at every target, and every input that once broke a promise."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.law import Target, hold
from tests.fuzz.running import Keeper, plainly
from tests.fuzz.targets import TARGETS

GLANCE_SECONDS = 0.5
KEPT = Path(__file__).parent / "kept"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def target(name: str) -> Iterator[Target]:
    opened = TARGETS[name]()
    yield opened
    opened.close()


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_our_errors_comes_from_a_parser(target: Target, tmp_path: Path) -> None:
    keeper = Keeper(target, tmp_path)
    plainly(target, GLANCE_SECONDS, keeper.take, seed=7)
    assert keeper.inputs > 0
    assert keeper.broken == {}


@pytest.mark.parametrize("name", sorted(folder.name for folder in KEPT.glob("*")))
def test_inputs_that_broke_a_parser_are_refused_or_read(target: Target) -> None:
    for path in sorted((KEPT / target.name).iterdir()):
        broken = hold(target, path.read_bytes())
        assert broken is None, f"{path.name}: {broken and broken.story}"
