"""Compiled arrays as plain blocks of bytes and a tree that says what they are; and back.

Only the classes listed here are made, from arrays, texts and numbers: nothing is executed. An
array that stands in several places is one block, and is shared again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.compiling import Compiled
from twinfall.analytics.degrading import Soft
from twinfall.analytics.feeds import Feeds
from twinfall.analytics.gathering import NotEvaluated, Places
from twinfall.analytics.kernels import RULE, Arrays
from twinfall.analytics.links import Links, Storages
from twinfall.analytics.network import Network
from twinfall.analytics.votes import Standbys
from twinfall.graph.column import Column
from twinfall.graph.store import EdgeColumns, Topology

Tree: TypeAlias = Any
"""JSON: scalars as they are, everything else as a list that begins with its kind."""
Bytes = NDArray[np.uint8]

ALIGNED = 64
"""Each block begins at a multiple of so many bytes."""
FEW = 64
"""A list of texts with no more different ones than this is kept as numbers."""
PIECE = 65_536
"""Texts that are joined at once: other threads go on in between."""
_DTYPES = {
    np.dtype(kind).str[1:]: np.dtype(kind)
    for kind in (np.bool_, np.int8, np.uint8, np.int32, np.int64, np.float64)
} | {"rule": RULE}
_DTYPE_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def _fields(made: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(made))


_CLASSES: dict[str, tuple[type, tuple[str, ...]]] = {
    made.__name__: (made, _fields(made))
    for made in (
        Compiled, EdgeColumns, Feeds, Links, NotEvaluated, Places, Soft, Standbys, Storages,
        Topology,
    )
} | {
    "Arrays": (Arrays, Arrays._fields),
    "Column": (Column, ("at", "kind", "bits", "others")),
    "Network": (Network, ("feeds", "links", "arrays", "value", "visible", "baseline")),
}  # fmt: skip


class Packer:
    """Packs values into `blocks`; each block is one array or one run of texts."""

    def __init__(self) -> None:
        self.blocks: list[Bytes] = []
        self._known: dict[int, tuple[Any, Tree]] = {}

    def pack(self, value: Any) -> Tree:
        """The tree of a value."""
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return ["float", value.hex()]
        known = self._known.get(id(value))
        if known is None:
            # Kept with its tree: an id is one object's only as long as that object lives.
            known = self._known[id(value)] = value, self._pack(value)
        return known[1]

    def _pack(self, value: Any) -> Tree:
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, np.generic):
            return self.pack(value.item())
        name = type(value).__name__
        if name in _CLASSES and type(value) is _CLASSES[name][0]:
            return [name, *(self.pack(getattr(value, one)) for one in _CLASSES[name][1])]
        if isinstance(value, Mapping):
            return ["map", *([self.pack(k), self.pack(v)] for k, v in value.items())]
        if isinstance(value, tuple):
            return self._rows(value)
        if isinstance(value, list | Texts):  # these, of arrays that were kept before
            return self._list(value)
        raise TypeError(f"{name} is not kept")

    def _array(self, array: NDArray[Any]) -> Tree:
        dtype = _DTYPE_NAMES[array.dtype]
        shape = list(array.shape)
        if array.size > 1 and not any(array.strides):  # one value, shown everywhere
            return ["same", dtype, shape, self._block(_bytes(array.reshape(-1)[:1]))]
        block = _bytes(array)
        first = block[: array.itemsize]
        if array.size > FEW and (block.reshape(array.size, -1) == first).all():
            return ["full", dtype, shape, self._block(first)]
        return ["array", dtype, shape, self._block(block)]

    def _list(self, values: Sequence[Any]) -> Tree:
        if set(map(type, values)) != {str}:
            return ["list", *map(self.pack, values)]
        different = sorted(_few(values))
        if len(different) <= FEW < len(values):
            number = {text: i for i, text in enumerate(different)}
            numbers = np.fromiter((number[text] for text in values), np.uint8, len(values))
            return ["few", different, self.pack(numbers)]
        pieces = ["\n".join(values[i : i + PIECE]) for i in range(0, len(values), PIECE)]
        joined = "\n".join(pieces).encode("utf-8", "surrogatepass")
        if not values or joined.count(b"\n") != len(values) - 1:
            return ["list", *values]
        return ["texts", len(values), self._block(np.frombuffer(joined, np.uint8))]

    def _rows(self, values: tuple[Any, ...]) -> Tree:
        """A tuple; many objects of one kind go by columns."""
        made = type(values[0]) if values else None
        if len(values) <= FEW or not is_dataclass(made) or any(type(v) is not made for v in values):
            return ["tuple", *map(self.pack, values)]
        columns = [[getattr(value, one) for value in values] for one in _fields(made)]
        return ["rows", made.__name__, *map(self.pack, columns)]

    def _block(self, block: Bytes) -> int:
        self.blocks.append(block)
        return len(self.blocks) - 1


def _few(values: Sequence[str]) -> set[str]:
    """The different ones; some of them where they are not few."""
    found: set[str] = set()
    for start in range(0, len(values), PIECE):
        found.update(values[start : start + PIECE])
        if len(found) > FEW:
            break
    return found


def _bytes(array: NDArray[Any]) -> Bytes:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


class Texts(Sequence[str]):
    """Texts in a block of bytes, taken apart once somebody looks."""

    def __init__(self, count: int, block: Bytes) -> None:
        self._count = count
        self._block = block

    @cached_property
    def _values(self) -> list[str]:
        return self._block.tobytes().decode("utf-8", "surrogatepass").split("\n")

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> list[str]: ...

    def __getitem__(self, at: int | slice) -> str | list[str]:
        return self._values[at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)


def unpacked(tree: Tree, block: Callable[[int], Bytes]) -> Any:
    """The value of a tree, over its blocks: arrays are views of them. Raises KeyError, ValueError,
    TypeError, IndexError where the tree is none of ours.
    """
    return _Unpacker(block).value(tree)


class _Unpacker:
    def __init__(self, block: Callable[[int], Bytes]) -> None:
        self._block = block
        self._arrays: dict[int, NDArray[Any]] = {}

    def value(self, tree: Tree) -> Any:
        if not isinstance(tree, list):
            return tree
        kind, *rest = tree
        if kind in _CLASSES:
            return _CLASSES[kind][0](*map(self.value, rest))
        if kind not in _KINDS:
            raise ValueError(f"{kind!r} is nothing of ours")
        return getattr(self, f"_{kind}")(*rest)

    def _float(self, text: str) -> float:
        return float.fromhex(text)

    def _array(self, dtype: str, shape: Sequence[int], block: int) -> NDArray[Any]:
        if block not in self._arrays:
            self._arrays[block] = self._block(block).view(_DTYPES[dtype]).reshape(shape)
        return self._arrays[block]

    def _same(self, dtype: str, shape: Sequence[int], block: int) -> NDArray[Any]:
        return np.broadcast_to(self._block(block).view(_DTYPES[dtype])[0], shape)

    def _full(self, dtype: str, shape: Sequence[int], block: int) -> NDArray[Any]:
        if block not in self._arrays:
            found = np.empty(shape, _DTYPES[dtype])
            found[...] = self._block(block).view(_DTYPES[dtype])[0]
            self._arrays[block] = found
        return self._arrays[block]

    def _list(self, *values: Tree) -> list[Any]:
        return [self.value(value) for value in values]

    def _tuple(self, *values: Tree) -> tuple[Any, ...]:
        return tuple(self.value(value) for value in values)

    def _map(self, *pairs: Sequence[Tree]) -> dict[Any, Any]:
        return {self.value(key): self.value(value) for key, value in pairs}

    def _texts(self, count: int, block: int) -> Sequence[str]:
        texts = Texts(count, self._block(block))
        return texts if count > PIECE else list(texts)

    def _few(self, different: Sequence[str], numbers: Tree) -> list[str]:
        texts = np.array(different, object)
        found: list[str] = texts[self.value(numbers)].tolist()
        return found

    def _rows(self, name: str, *columns: Tree) -> tuple[Any, ...]:
        made = _CLASSES[name][0]
        return tuple(made(*row) for row in zip(*map(self.value, columns), strict=True))


_KINDS = frozenset(
    ("float", "array", "full", "same", "list", "tuple", "map", "texts", "few", "rows")
)
