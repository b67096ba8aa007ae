"""What the plant goes through in the demo: it runs well, a fault comes, it is repaired, and again.

Pure: the story says for every sample which recorded row is played, in which chapter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinfall.api.demo.plant import FAULTS, NORMAL, plant_run

NORMAL_SAMPLES = 100
"""Samples without a fault between two faults, and before the first."""
FAULT_SAMPLES = 125
"""Samples of each fault: fault 6 ends in shutdown with sample 118."""
START_SAMPLES = 10
"""Into a stretch without a fault, when all readings are back: then the plant is started up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the plant's 52 variables, in the order of `plant_variables`."""

    run: str
    """The recorded run it is of."""
    begins: str
    """What begins with this sample, in words; empty within a chapter."""
    values: NDArray[np.float64]
    starts: bool = False
    """Whether an operator starts the plant up now."""


def story(faults: tuple[str, ...] = tuple(FAULTS)) -> Iterator[Sample]:
    """Samples without end: the normal run goes on where the fault interrupted it."""
    normal = plant_run(NORMAL)
    at, begins = 0, "the plant runs normally"
    while True:
        for fault in faults:
            for step in range(NORMAL_SAMPLES):
                row = normal[(at + step) % len(normal)]
                said = begins if step == 0 else ""
                yield Sample(NORMAL, said, row, starts=step == START_SAMPLES)
            at = (at + NORMAL_SAMPLES) % len(normal)
            for step, values in enumerate(plant_run(fault)[:FAULT_SAMPLES]):
                yield Sample(fault, FAULTS[fault] if step == 0 else "", values)
            begins = "repaired: the plant runs normally again"
