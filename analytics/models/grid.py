"""An electricity grid as DC power flow sees it, and the small JSON format it is read from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from twinfall.analytics.models.cascade import Floats, Ints, numbers
from twinfall.analytics.models.wires import link_ends
from twinfall.ontology.errors import BadInput, Refused, UnknownName

MAX_BUSES = 200_000
MAX_BYTES = 256 * 1024 * 1024
"""Of a file with a grid."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Buses and branches in service; made by `Grid.of`, which checks.

    buses, branches: names. ends: int32 [m, 2], buses of each branch, flow counts as positive from
    the first to the second. susceptance: MW per radian [m] (base power / (reactance in per unit x
    tap ratio)). shift: radians [m], of phase shifting transformers. capacity: MW [m], infinite
    where nobody gave one. generation, load: MW [n], 0 and above.
    """

    buses: tuple[str, ...]
    branches: tuple[str, ...]
    ends: Ints
    susceptance: Floats
    shift: Floats
    capacity: Floats
    generation: Floats
    load: Floats

    @classmethod
    def of(
        cls,
        generation: ArrayLike,
        load: ArrayLike,
        ends: ArrayLike,
        susceptance: ArrayLike,
        *,
        shift: ArrayLike | None = None,
        capacity: ArrayLike | None = None,
        buses: Sequence[str] | None = None,
        branches: Sequence[str] | None = None,
    ) -> Grid:
        """Units as above; names are `bus 0`, `branch 0` and so on where none are given. BadInput
        names the first value that cannot be.
        """
        n = np.size(generation)
        if n > MAX_BUSES:
            raise Refused(f"{n} buses: at most {MAX_BUSES:,}", code="TOO_LARGE", path="buses")
        joined = link_ends(n, ends)
        m = len(joined)
        loops = np.flatnonzero(joined[:, 0] == joined[:, 1])
        if len(loops):
            raise BadInput("joins a bus to itself", path=f"branches[{loops[0]}]")
        stiff = numbers(susceptance, (m,), "susceptance", -np.inf)
        if not stiff.all():
            at = np.flatnonzero(stiff == 0)[0]
            raise BadInput("must not be 0", path=f"susceptance[{at}]", cure="leave the branch out")
        return cls(
            buses=_names(buses, n, "bus"),
            branches=_names(branches, m, "branch"),
            ends=joined,
            susceptance=stiff,
            shift=numbers(np.zeros(m) if shift is None else shift, (m,), "shift", -np.inf),
            capacity=np.full(m, np.inf) if capacity is None else _capacity(capacity, m),
            generation=numbers(generation, (n,), "generation"),
            load=numbers(load, (n,), "load"),
        )

    def branch(self, name: str) -> int:
        """Position of a branch; UnknownName names near ones."""
        if name in self.branches:
            return self.branches.index(name)
        from difflib import get_close_matches  # here: only a wrong name needs it

        near = ", ".join(get_close_matches(name, self.branches, 3))
        raise UnknownName(
            f'no branch in service is called "{name}"',
            path="outage",
            cure=f"did you mean {near}?" if near else f"there are {len(self.branches)}",
        )


def _names(given: Sequence[str] | None, count: int, kind: str) -> tuple[str, ...]:
    names = tuple(f"{kind} {i}" for i in range(count)) if given is None else tuple(given)
    if len(names) != count:
        raise BadInput(f"{len(names)} names for {count}", path=kind)
    if len(set(names)) < count:
        seen: set[str] = set()
        twice = next(x for x in names if x in seen or seen.add(x))  # type: ignore[func-returns-value]
        raise BadInput(f'"{twice}" is there twice', path=kind, cure="give each its own name")
    return names


def _capacity(values: ArrayLike, count: int) -> Floats:
    """As numbers, infinity allowed."""
    given = np.asarray(values, np.float64)
    numbers(np.where(np.isposinf(given), 0.0, given), (count,), "capacity")
    return given.copy()


def read_grid(text: str | bytes) -> Grid:
    """A grid from Twinfall's own JSON; docs/models.md has the format. BadInput names the place."""
    document = parsed(text)
    base = _number(document, "baseMVA", "", 100.0)
    if base <= 0:
        raise BadInput("must be above 0", path="baseMVA")
    buses = _rows(document, "buses")
    branches = _rows(document, "branches")
    named = _names([_text(bus, "id", path) for path, bus in buses], len(buses), "buses")
    position = {name: i for i, name in enumerate(named)}
    ends = [
        [_bus(position, branch, end, path) for end in ("from", "to")] for path, branch in branches
    ]

    def column(rows: Any, name: str, default: float | None = None) -> list[float]:
        return [_number(row, name, path, default) for path, row in rows]

    reactance = np.array(column(branches, "reactance")) * np.array(column(branches, "ratio", 1.0))
    if not reactance.all():
        at = int(np.flatnonzero(reactance == 0)[0])
        raise BadInput("reactance and ratio must not be 0", path=branches[at][0])
    return Grid.of(
        column(buses, "generation", 0.0),
        column(buses, "load", 0.0),
        ends,
        base / reactance,
        shift=np.radians(column(branches, "shift", 0.0)),
        capacity=column(branches, "capacity", np.inf),
        buses=named,
        branches=[_text(branch, "id", path) for path, branch in branches],
    )


def parsed(text: str | bytes) -> Mapping[str, Any]:
    """A JSON object; BadInput where it is none or too large."""
    if len(text) > MAX_BYTES:
        raise Refused(f"{len(text):,} bytes: at most {MAX_BYTES:,}", code="TOO_LARGE")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise BadInput(
            "not a grid: it must be a JSON object",
            cure='with "buses" and "branches", or saved by pandapower',
        )
    return document


def _rows(document: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    rows = document.get(name)
    if not isinstance(rows, list):
        raise BadInput("must be a list", path=name)
    for i, row in enumerate(rows):
        if not isinstance(row, dict):
            raise BadInput("must be an object", path=f"{name}[{i}]")
    return [(f"{name}[{i}]", row) for i, row in enumerate(rows)]


def _text(row: Mapping[str, Any], name: str, path: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput("must be a text that is not empty", path=f"{path}/{name}")
    return value


def _number(row: Mapping[str, Any], name: str, path: str, default: float | None) -> float:
    value = row.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        said = "is missing" if name not in row else "must be a number"
        raise BadInput(said, path=f"{path}/{name}" if path else name)
    try:
        return float(value)
    except OverflowError:
        where = f"{path}/{name}" if path else name
        raise BadInput("is beyond any number that is computed with", path=where) from None


def _bus(position: Mapping[str, int], branch: Mapping[str, Any], end: str, path: str) -> int:
    name = _text(branch, end, path)
    if name not in position:
        raise BadInput(f'no bus is called "{name}"', path=f"{path}/{end}")
    return position[name]
