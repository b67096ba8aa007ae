"""What every parser of user text promises, and how one input is held to it.

No exception but a `TwinError`; and an input of at most `MAX_INPUT` bytes takes at most `SECONDS`
of processor time and `MEMORY` bytes more than was ever taken before.
"""

from __future__ import annotations

import resource
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from twinfall.ontology.errors import TwinError

MAX_INPUT = 65_536
SECONDS = 5.0
MEMORY = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """A parser: `take` gives it an input as user text, `seeds` are inputs that it knows, `words`
    what its grammar is made of; `close` gives back what it holds.
    """

    name: str
    take: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    words: tuple[str, ...] = ()
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that an input broke; `place` is the same for inputs that break it alike."""

    place: str
    story: str


def hold(target: Target, data: bytes) -> Broken | None:
    """Give the target an input; what it broke."""
    peak, began = _peak(), time.process_time()
    try:
        target.take(data)
    except TwinError:
        pass
    except Exception as error:  # what must not come, whatever it is
        return Broken(_place(error), traceback.format_exc())
    took, grown = time.process_time() - began, _peak() - peak
    if took > SECONDS:
        return Broken("slow", f"took {took:.1f} s of processor time")
    if grown > MEMORY:
        return Broken("memory", f"took {grown >> 20} MiB more than was taken before")
    return None


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/fuzz/" not in frame.filename] or frames
    own = [frame for frame in ours if "site-packages" not in frame.filename] or ours
    return f"{type(error).__name__} at {own[-1].filename}:{own[-1].lineno}"
