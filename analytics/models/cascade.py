"""What every model of a cascade answers: this fails, what else fails, and what is still served.

The models differ in why something fails: because what it needs is lost (`DependencyCascade`),
because it carries more than it can bear after others failed (`MotterLai`, `LocalSharing`), because
physics sends the power another way (`PowerCascade`). docs/models.md says which answers what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinfall.ontology.errors import BadInput

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TIE = 1e-9
"""A load counts as above its capacity from this share of the capacity on: sums of floating point
numbers that are equal on paper differ by less.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What took which course. Arrays of one length belong together, in order of round, then
    position; what was failed in the question is not among them.

    failed: what was failed, ascending, each once. element: what failed besides. round: from 1, no
    number left out. reason: why, a position in the model's `reasons`. served, shed: float64
    [rounds + 1] in the model's `unit`; first after what was failed alone, then after each round.
    They sum to the model's `demand`.
    """

    failed: Ints
    element: Ints
    round: Ints
    reason: Ints
    served: Floats
    shed: Floats

    @property
    def rounds(self) -> int:
        """How many rounds the cascade took; 0 where nothing else failed."""
        return len(self.served) - 1

    def __len__(self) -> int:
        return len(self.element)


class CascadeModel(Protocol):
    """A cascade over elements 0..elements-1. Immutable; the same question has the same answer."""

    @property
    def elements(self) -> int:
        """How many there are."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why an element can fail."""

    @property
    def unit(self) -> str:
        """What is served: `value`, `nodes`, `load`, `MW`."""

    @property
    def demand(self) -> float:
        """What is served while nothing has failed."""

    def cascade(self, failed: ArrayLike) -> Course:
        """The course after these fail at once; BadInput where one is not an element."""


def positions(failed: ArrayLike, elements: int) -> Ints:
    """Ascending, each once; BadInput where one is not an element."""
    given = np.asarray(failed).reshape(-1)
    if len(given) and not np.issubdtype(given.dtype, np.integer):
        raise BadInput(f"elements are whole numbers, not {given.dtype}", path="failed")
    if len(given) and (given.min() < 0 or given.max() >= elements):
        raise BadInput(f"elements are numbered 0 to {elements - 1}", path="failed")
    return np.unique(given).astype(np.int32)


def numbers(values: ArrayLike, shape: tuple[int, ...], name: str, least: float = 0.0) -> Floats:
    """Finite float64 of this shape, none below `least`; BadInput names the first that is not."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"these are not numbers: {error}", path=name) from None
    if array.shape != shape:
        raise BadInput(f"has shape {array.shape}, not {shape}", path=name)
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= least)))
    if len(wrong):
        bound = "finite" if least == -np.inf else f"finite and at least {least:g}"
        place = f"{name}[{wrong[0]}]" if shape else name
        raise BadInput(f"{array.reshape(-1)[wrong[0]]} must be {bound}", path=place)
    frozen = array.copy()
    frozen.setflags(write=False)
    return frozen


class Record:
    """Collects the rounds of one question."""

    def __init__(self, failed: Ints, served: float, shed: float) -> None:
        self._failed = failed
        self._elements: list[Ints] = []
        self._served, self._shed = [served], [shed]

    def add(self, elements: Ints, served: float, shed: float) -> None:
        """One round: what failed in it, ascending, and what is served after it."""
        self._elements.append(elements)
        self._served.append(served)
        self._shed.append(shed)

    def course(self) -> Course:
        """All of it; models with one reason only."""
        sizes = [len(part) for part in self._elements]
        element = np.concatenate([np.empty(0, np.int32), *self._elements]).astype(np.int32)
        return Course(
            failed=self._failed,
            element=element,
            round=np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int32), sizes),
            reason=np.zeros(len(element), np.int32),
            served=np.array(self._served),
            shed=np.array(self._shed),
        )
