"""What the live plant has been through, kept in the data folder for the next start.

A small file, replaced as a whole. One that is damaged, foreign or too large is left aside with a
line in the log, and the plant begins with its present failures; a disk that cannot take it holds
up nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from twinfall.analytics.memory import Memory
from twinfall.analytics.memory_text import memory_in, text_of
from twinfall.ontology.errors import TwinError

FILE = "past.json"
"""In the data folder."""
REST_SECONDS = 10.0
"""Between two writings while the service runs: what a crash may lose."""
MAX_BYTES = 64 * 2**20
"""Some half a million assets that are down."""
Told: TypeAlias = Callable[[], Memory | None]
"""What is to be kept, put in words by whoever calls it."""
log = logging.getLogger("twinfall.networks")


class KeptPast:
    """The file of one plant's past; one thread at a time writes it."""

    def __init__(self, path: Path, *, rest: float = REST_SECONDS) -> None:
        self._path = path
        self._rest = rest
        self._last: Memory | None = None
        """What the file says."""
        self.owes = False
        """Whether the last one could not be written."""
        self._looked = float("-inf")
        self._thread: threading.Thread | None = None

    def load(self) -> Memory | None:
        """What was kept, if it can be read."""
        try:
            size = self._path.stat().st_size
            if size > MAX_BYTES:
                log.warning("%s has %d bytes and is left aside", self._path, size)
                return None
            self._last = memory_in(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, TwinError) as error:
            why = error.message if isinstance(error, TwinError) else error
            log.warning("what the plant has been through is not known, %s: %s", self._path, why)
            return None
        log.info("what the plant has been through by the last stop is taken up")
        return self._last

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again what there is to keep."""
        busy = self._thread is not None and self._thread.is_alive()
        return not busy and time.monotonic() - self._looked >= self._rest

    def offer(self, told: Told) -> threading.Thread:
        """Keep this, in the background, where it is other than what is kept."""
        self._looked = time.monotonic()
        self._thread = threading.Thread(
            target=self._keep, args=(told,), name="keep-past", daemon=True
        )
        self._thread.start()
        return self._thread

    def close(self, told: Told) -> None:
        """Keep the last one."""
        if self._thread is not None:
            self._thread.join()
        self._keep(told)

    def _keep(self, told: Told) -> None:
        memory = told()
        if _same(memory, self._last):
            return
        try:
            if memory is None or memory.is_blank:
                self._path.unlink(missing_ok=True)
            else:
                self._write(text_of(memory))
            self._last, self.owes = memory, False
        except OSError as error:
            self.owes = True
            log.warning("what the plant has been through is not kept: %s", error)

    def _write(self, text: str) -> None:
        content = text.encode()
        if len(content) > MAX_BYTES:
            log.warning(
                "what the plant has been through is not kept: more than %d bytes", MAX_BYTES
            )
            self._path.unlink(missing_ok=True)  # an older past would be a wrong one
            return
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise


def _same(one: Memory | None, other: Memory | None) -> bool:
    nothing = [memory is None or memory.is_blank for memory in (one, other)]
    return all(nothing) or one == other
