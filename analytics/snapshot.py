"""Compiled arrays in a file, so that a start need neither read the graph nor compile.

A file is a magic word, the length and SHA-256 of a JSON head, the head, and blocks of bytes: the
arrays as they lie in memory. The head says which format, byte order and code wrote it, of which
models and which moment of which change feed, and the SHA-256 of the blocks. Whatever does not fit
is no snapshot: the caller compiles anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import struct
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

import twinfall
from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.packing import ALIGNED, Packer, unpacked
from twinfall.ontology.errors import BadInput, Unavailable

FORMAT = 2
MAGIC = b"TwFlNet\n"
MAX_HEAD = 256 * 2**20
SPARE_BYTES = 512 * 2**20
"""Of the disk, left free for those who need it more."""
STRETCH = 8 * 2**20
"""Bytes fetched at once."""
_START = struct.Struct("<8sQ32s")
_ROOMS = ("analytics", "graph", "ontology")
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Moment:
    """What a snapshot is of: the hash of models and declarations, the change feed's cursor, and a
    `trace` of the change there, by which the feed is known again.
    """

    models: str
    cursor: int
    trace: str


def save(path: Path, network: AssetNetwork, trace: str) -> int:
    """Keep these arrays in a file, which appears whole or not at all; its bytes.

    Raises Unavailable where the disk cannot take it; what was there before then stays.
    """
    packer = Packer()
    tree = [packer.pack(part) for part in (network.topology, network.compiled)]
    size = sum(_padded(len(block)) for block in packer.blocks)
    head = orjson.dumps(
        {
            **_written_by(),
            "models": network.models,
            "cursor": network.topology.cursor,
            "trace": trace,
            "tree": tree,
            "blocks": [len(block) for block in packer.blocks],
            "sha256": _digest(_stretches(packer.blocks)),
        }
    )
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free < size + len(head) + SPARE_BYTES:
            raise Unavailable("there is too little space left on the disk", path=str(path))
        with new.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(_START.pack(MAGIC, len(head), hashlib.sha256(head).digest()))
            file.write(head)
            for stretch in _stretches(packer.blocks):
                file.write(stretch)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise Unavailable(f"not kept: {error.strerror or error}", path=str(path)) from error
    return _START.size + len(head) + size


def moment(path: Path) -> Moment:
    """What the snapshot in a file is of. Raises BadInput where there is none that fits."""
    with _opened(path) as file:
        head = _head(file)
        return Moment(head["models"], head["cursor"], head["trace"])


def load(path: Path) -> tuple[Moment, AssetNetwork]:
    """The arrays in a file. Raises BadInput where there are none that fit."""
    with _opened(path) as file:
        head = _head(file)
        lengths = head["blocks"]
        body = np.empty(sum(map(_padded, lengths)), np.uint8)
        if _read(file, body) != head["sha256"]:
            raise _Unfit("its arrays are damaged")
        starts = np.cumsum([0, *map(_padded, lengths)]).tolist()
        blocks = [body[start : start + n] for start, n in zip(starts, lengths, strict=False)]
        topology, compiled = (unpacked(tree, blocks.__getitem__) for tree in head["tree"])
        topology = replace(topology, ids=list(topology.ids))
        found = Moment(head["models"], head["cursor"], head["trace"])
        return found, AssetNetwork(compiled, topology, found.models)


class _Unfit(Exception):
    """Why a file is no snapshot for us."""


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except _Unfit as error:
        raise BadInput(str(error), code="BAD_FILE", path=str(path)) from None
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise BadInput(f"it is not as we write it: {error!r}", path=str(path)) from error
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror or error}", path=str(path)) from error


def _head(file: BufferedReader) -> dict[str, Any]:
    start = file.read(_START.size)
    if len(start) < _START.size or not start.startswith(MAGIC):
        raise _Unfit("it is no snapshot")
    _, length, digest = _START.unpack(start)
    size = os.fstat(file.fileno()).st_size
    if not length <= min(MAX_HEAD, size):
        raise _Unfit("its head is cut off")
    text = file.read(length)
    if hashlib.sha256(text).digest() != digest:
        raise _Unfit("its head is damaged")
    head: dict[str, Any] = orjson.loads(text)
    if any(head.get(name) != said for name, said in _written_by().items()):
        raise _Unfit("another version wrote it, or another kind of machine")
    if size != _START.size + length + sum(map(_padded, head["blocks"])):
        raise _Unfit("it is cut off, or something follows")
    return head


def _read(file: BufferedReader, body: Bytes) -> str:
    """Fill the body; its SHA-256, made of each stretch while the next one is fetched."""
    digest = hashlib.sha256()
    with ThreadPoolExecutor(1) as beside:
        made: list[Future[None]] = []
        for start in range(0, len(body), STRETCH):
            stretch = body[start : start + STRETCH].data
            if file.readinto(stretch) != len(stretch):
                raise _Unfit("it is cut off")
            made.append(beside.submit(digest.update, stretch))
        for one in made:
            one.result()
    return digest.hexdigest()


@cache
def _written_by() -> dict[str, Any]:
    """Format, machine and code: other code may compile the same graph to other arrays."""
    code = hashlib.sha256(twinfall.__version__.encode())
    for room in _ROOMS:
        for path in sorted((Path(twinfall.__file__).parent / room).rglob("*.py")):
            code.update(path.read_bytes())
    return {"format": FORMAT, "order": sys.byteorder, "code": code.hexdigest()}


def _padded(length: int) -> int:
    return -(-length // ALIGNED) * ALIGNED


def _stretches(blocks: list[Bytes]) -> Iterator[memoryview]:
    """The blocks, each filled up to where the next one begins."""
    for block in blocks:
        yield block.data
        yield memoryview(bytes(_padded(len(block)) - len(block)))


def _digest(stretches: Any) -> str:
    digest = hashlib.sha256()
    for stretch in stretches:
        digest.update(stretch)
    return digest.hexdigest()
