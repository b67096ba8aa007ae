"""Arrays as callers give them: checked and brought into the type that is computed with.

Nothing is rounded, cut off or wrapped on the way: a position of 2**32 is refused, not taken for 0.
BadInput names the array, the entry and what it should be.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.ontology.errors import BadInput

MAX_ASSETS = 100_000_000
"""Assets of one network: some 5 GB of arrays."""
LATEST = 1e15
"""Seconds that a time may have; later ones would not be told apart."""
INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
EXACT = 2**53
"""Up to here a float holds every whole number."""


def size(n: Any) -> int:
    """How many assets there are."""
    try:
        count = -1 if isinstance(n, bool | np.bool_) else operator.index(n)
    except TypeError:
        count = -1
    if 0 <= count <= MAX_ASSETS:
        return count
    raise BadInput(
        f"{str(n)[:40]!r} is no number of assets", path="n", cure=f"a whole one to {MAX_ASSETS}"
    )


def positions(values: Any, n: int, name: str, of: str = "assets") -> NDArray[np.int32]:
    """Numbers of assets (or what they are `of`), 0 to n - 1, as many as there are."""
    found, cure = _row(values, name), f"{of} are numbered 0 to {n - 1}"
    if found.dtype.kind != "i":
        found = whole(found, name, cure=cure)
    if len(found) and (found.min() < 0 or found.max() >= n):
        raise BadInput(cure, path=name)
    return np.ascontiguousarray(found, np.int32)


def position(value: Any, n: int, name: str) -> int:
    """The number of one asset, group or storage, 0 to n - 1."""
    try:
        found = -1 if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        found = -1
    if not 0 <= found < n:
        raise BadInput(f"{str(value)[:40]!r} of {n}", path=name, cure=f"0 to {n - 1}")
    return found


def chosen(assets: Any, n: int) -> NDArray[np.int32]:
    """The numbers of some assets, 0 to n - 1, in a row of any kind: ascending, each once."""
    try:
        found = np.asarray(assets if isinstance(assets, np.ndarray) else list(assets))
    except (TypeError, ValueError):
        found = np.zeros(1)
    if found.size and not np.issubdtype(found.dtype, np.integer):
        raise BadInput("assets are given by their positions, whole numbers", path="assets")
    found = np.unique(found.astype(np.int64))
    if len(found) and (found[0] < 0 or found[-1] >= n):
        raise BadInput(f"assets are numbered 0 to {n - 1}", path="assets")
    return found.astype(np.int32)


def instant(at: Any, earliest: float, name: str) -> float:
    """A time in seconds, not before `earliest` and not infinite."""
    number = isinstance(at, Real) and not isinstance(at, bool | np.bool_)
    if not number or not earliest <= at <= LATEST:
        cure = f"seconds from {earliest:g} on"
        raise BadInput(f"{str(at)[:40]!r} is no such time", path=name, cure=cure)
    return float(at)


def whole(
    values: Any, name: str, *, cure: str = "whole numbers", bits: tuple[int, int] = INT32
) -> NDArray[np.int32]:
    """Whole numbers in one row, of 32 bits; more where `bits` says so."""
    array = _row(values, name)
    kind = np.int32 if bits == INT32 else np.int64
    if array.dtype.kind not in "iuf" and len(array):
        raise _bad(values, name, cure)
    low, high = bits
    with np.errstate(invalid="ignore"):
        good = (array >= low) & (array <= high)
        if array.dtype.kind == "f":
            good &= (array == np.rint(array)) & (np.abs(array) <= EXACT)
    _all(good, array, name, cure)
    return np.ascontiguousarray(array.astype(kind))


def flags(values: Any, count: int, name: str) -> NDArray[np.uint8]:
    """One truth value for each."""
    if values is None:
        return np.zeros(count, np.uint8)
    cure = "true or false, or 1 or 0"
    array = counted(_row(values, name), count, name)
    if array.dtype.kind not in "biuf" and len(array):
        raise _bad(values, name, cure)
    if array.dtype.kind != "b":
        _all((array == 0) | (array == 1), array, name, cure)
    return np.ascontiguousarray(array.astype(np.uint8))


def numbers(values: Any, count: int, default: float, name: str) -> NDArray[np.float64]:
    """A number for each, zero or more; infinity is one. `default` where none are given."""
    if values is None:
        return np.full(count, default)
    cure = "numbers, zero or more"
    array = counted(_row(values, name), count, name)
    if array.dtype.kind not in "biuf" and len(array):
        raise _bad(values, name, cure)
    column = np.ascontiguousarray(array, np.float64)
    _all(column >= 0, column, name, cure)
    return column


def finite(values: Any, count: int, name: str) -> NDArray[np.float64]:
    """A number for each, none of them infinite."""
    array = counted(_row(values, name), count, name)
    if array.dtype.kind not in "biuf" and len(array):
        raise _bad(values, name, "numbers")
    column = np.ascontiguousarray(array, np.float64)
    _all(np.isfinite(column), column, name, "numbers")
    return column


def seconds(horizon: Any) -> float:
    """How long a question looks ahead; infinity is to the end."""
    try:
        found = float(horizon)
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if found >= 0:
        return found
    raise BadInput(
        f"{str(horizon)[:40]!r} is no horizon", path="horizon", cure="seconds, zero or more"
    )


def visible(count: Any, n: int) -> int:
    """How many of n assets answers name."""
    if isinstance(count, int | np.integer) and 0 <= count <= n:
        return int(count)
    raise BadInput(f"{str(count)[:40]!r} of {n} assets", path="visible", cure=f"0 to {n}")


def columns(values: Any, name: str, count: int = 2) -> Sequence[Any]:
    """The columns of an array of pairs, or of rows of so many."""
    array = _array(values, name)
    if array.ndim != 2 or array.shape[1] != count:
        cure = "a pair in each row" if count == 2 else f"{count} numbers in each row"
        raise BadInput(f"{name} has shape {array.shape}", path=name, cure=cure)
    return tuple(array.T)


def by_position(
    values: Any, n: int, name: str, of: str = "assets"
) -> tuple[NDArray[np.int32], list[Any]]:
    """Positions, and what is given for each of them."""
    if not isinstance(values, Mapping):
        cure = f"{{position: value}}, one for each of the {of} that change"
        raise BadInput(f"{name} is no mapping", path=name, cure=cure)
    return positions(list(values), n, name, of), list(values.values())


def is_empty(values: Any) -> bool:
    """Whether nothing is given."""
    try:
        return values is None or not len(values)
    except TypeError:
        return False


def counted(array: Any, count: int, name: str) -> Any:
    """The array, if it has so many entries."""
    if len(array) != count:
        raise BadInput(f"{name} has {len(array)} entries, not {count}", path=name)
    return array


def _row(values: Any, name: str) -> NDArray[Any]:
    array = _array(values, name)
    if array.ndim != 1:
        raise BadInput(
            f"{name} has {array.ndim} dimensions", path=name, cure="a list, or an array of one row"
        )
    return array


def _array(values: Any, name: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadInput(f"{name} is no array: {error}", path=name) from None


def _all(good: NDArray[np.bool_], array: NDArray[Any], name: str, cure: str) -> None:
    if not good.all():
        at = int(np.argmin(good))
        raise BadInput(f"{array[at]} is not allowed", path=f"{name}[{at}]", cure=cure)


def _bad(values: Any, name: str, cure: str) -> BadInput:
    shown = getattr(values, "dtype", None) or type(values).__name__
    return BadInput(f"{name} has no numbers ({shown})", path=name, cure=cure)
