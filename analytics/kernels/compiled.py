"""How a loop is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Compiled at the first call and kept on disk: beside its file, or in the user's cache
    folder where that cannot be written, or nowhere where neither can be.

    A function that is kept is compiled anew when its own file changes, not when a function of
    another file does: compiled functions call only those of their own file.
    """
    try:
        return njit(cache=True)(function)
    except RuntimeError:  # no folder to keep it in
        return njit(function)
