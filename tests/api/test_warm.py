"""No question waits for the compiler."""

from __future__ import annotations

import subprocess
import sys

from tests.api.running import environment


def test_once_a_service_is_warm_nothing_that_is_asked_compiles_anything() -> None:
    asked = [sys.executable, "-m", "tests.api.asking_warm"]

    done = subprocess.run(asked, env=environment(), capture_output=True, text=True, check=False)

    assert (done.stdout.split(), done.returncode) == ([], 0), done.stderr
