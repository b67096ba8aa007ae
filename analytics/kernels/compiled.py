"""How a loop is compiled, and when what was compiled is still good."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache


def compiled(function: Callable[..., Any]) -> Any:
    """Compiled at the first call and kept on disk: beside its file, or in the user's cache
    folder where that cannot be written, or nowhere where neither can be.

    What is kept is compiled anew when any file of the function's package has changed: compiled
    code has in it what it calls, and numba by itself looks at the function's own file only.
    """
    return _kept(function, no_cfunc_wrapper=True)


def inner(function: Callable[..., Any]) -> Any:
    """The same for a loop that only compiled code calls: there is no way into it from Python, which
    takes longer to compile than most loops themselves.
    """
    return _kept(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _kept(function: Callable[..., Any], **options: Any) -> Any:
    made = njit(**options)(function)
    with contextlib.suppress(RuntimeError):  # no folder to keep it in
        made._cache = _PackageCache(function)  # type: ignore[no-untyped-call]
    return made


@cache
def _sources(package: str) -> str:
    """A hash of all Python files of a package, wherever it lies; looked at once in a process."""
    found = hashlib.sha256()
    for source in sorted(files(package).iterdir(), key=lambda one: one.name):
        if source.name.endswith(".py"):
            text = source.read_bytes()
            found.update(f"{source.name} {len(text)} ".encode())
            found.update(text)
    return found.hexdigest()


class _OfPackage:
    """Puts the whole package into the stamp by which a place of numba's knows its code again."""

    package: str

    @classmethod
    def from_function(cls, function: Any, file: str) -> Any:
        """The place where the function is kept; None where this kind of place cannot be."""
        place = super().from_function(function, file)  # type: ignore[misc]
        if place is not None:
            place.package = function.__module__.rpartition(".")[0]
        return place

    def get_source_stamp(self) -> tuple[Any, str]:
        """What must be the same for compiled code to be good."""
        return super().get_source_stamp(), _sources(self.package)  # type: ignore[misc]


def _places() -> list[Any]:
    kinds: list[Any] = CompileResultCacheImpl._locator_classes
    return [type(kind.__name__, (_OfPackage, kind), {}) for kind in kinds]


class _PackagePlaces(CompileResultCacheImpl):
    _locator_classes = _places()


class _PackageCache(FunctionCache):
    _impl_class = _PackagePlaces
