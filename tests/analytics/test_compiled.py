"""Compiled code kept on disk is never older than the sources it was made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CALLER = """
from small.callee import answer
from twinfall.analytics.kernels.compiled import compiled

@compiled
def ask(more):
    return answer() + more
"""
CALLEE = """
from twinfall.analytics.kernels.compiled import compiled

@compiled
def answer():
    return {}
"""
PROGRAM = """
from small.caller import ask
print(ask(1), sum(ask.stats.cache_hits.values()))
"""


class Kernels:
    """A package of two compiled functions, the one in the one file calling the one in the other;
    each question to it is a process.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "small"
        self.package.mkdir()
        (self.package / "__init__.py").touch()
        (self.package / "caller.py").write_text(CALLER)
        self.answers(1)

    def answers(self, number: int) -> None:
        """Let the called function answer this from now on."""
        (self.package / "callee.py").write_text(CALLEE.format(number))

    def ask(self, **environment: str) -> tuple[int, int]:
        """The called answer and 1, and how often the caller was read from disk."""
        path = os.pathsep.join([str(self.folder), *filter(None, sys.path)])
        told = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        answer, kept = told.stdout.split()
        return int(answer), int(kept)


@pytest.fixture
def kernels(tmp_path: Path) -> Kernels:
    return Kernels(tmp_path)


def test_compiled_code_is_kept_for_the_next_process(kernels: Kernels) -> None:
    assert kernels.ask() == (2, 0)
    assert kernels.ask() == (2, 1)


def test_a_change_in_another_file_of_the_package_compiles_the_caller_anew(
    kernels: Kernels,
) -> None:
    kernels.ask()
    kernels.answers(41)
    assert kernels.ask() == (42, 0)


def test_where_its_folder_cannot_be_written_the_users_folder_keeps_it(
    kernels: Kernels, tmp_path: Path
) -> None:
    (kernels.package / "__pycache__").write_text("no folder, so nothing can be written into it")
    home = tmp_path / "home"
    own = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    kernels.ask(**own)
    kernels.answers(41)
    assert kernels.ask(**own) == (42, 0)
    assert kernels.ask(**own) == (42, 1)
    assert list(home.rglob("*.nbi"))


def test_where_nothing_can_be_written_it_is_compiled_each_time(
    kernels: Kernels, tmp_path: Path
) -> None:
    (kernels.package / "__pycache__").write_text("no folder")
    file = tmp_path / "file"
    file.touch()
    nowhere = {"HOME": str(file), "XDG_CACHE_HOME": str(file)}
    assert kernels.ask(**nowhere) == (2, 0)
    assert kernels.ask(**nowhere) == (2, 0)
