"""NDJSON files as lines, packed or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from twinfall.graph.ndjson import bounded_lines
from twinfall.ontology.errors import BadInput


class Peeking(Protocol):
    """A binary file that shows its first bytes without moving on."""

    def peek(self, size: int = 0, /) -> bytes:
        """The next bytes."""
        ...


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Lines of an NDJSON file, unpacked where it is gzip. BadInput where the gzip is damaged."""
    packed = cast(Peeking, file).peek(2)[:2] == b"\x1f\x8b"
    try:
        yield from bounded_lines(cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"the gzip file is damaged: {error}", code="BAD_FILE") from None


def again(file: BinaryIO) -> Callable[[], Iterator[bytes]]:
    """The lines from here on, each time they are asked for."""
    start = file.tell()

    def lines() -> Iterator[bytes]:
        file.seek(start)
        return lines_of(file)

    return lines


def open_file(path: Path) -> BinaryIO:
    """A file for reading; BadInput where that cannot be."""
    try:
        return path.open("rb")
    except OSError as error:
        raise BadInput(
            f"cannot be read: {error.strerror}", code="BAD_FILE", path=str(path)
        ) from error
