"""A graph of pumps, shared where a test only decodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ingestion.pumps import NAMES, TWINS, pumps
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.telemetry import Telemetry


@pytest.fixture(scope="session")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """The catalogue of pumps that have all sent before; P2's motor never did."""
    with pumps(tmp_path_factory.mktemp("decoding")) as telemetry:
        telemetry.catalogue.learn([(twin, name) for twin in TWINS for name in NAMES])
        telemetry.catalogue.learn([("P1/motor", "temperature")])
        yield telemetry.catalogue


@pytest.fixture
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telemetry]:
    """Readings of pumps that have sent nothing yet."""
    with pumps(tmp_path_factory.mktemp("readings")) as opened:
        yield opened
