"""A real Telegraf, built by Go from its public module with only the plugins that are used here.

The program stands in a per-user cache folder; TEST_TELEGRAF names another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "1.36.2"
TAGS = (
    "custom,inputs.opcua,inputs.mqtt_consumer,inputs.mem,"
    "outputs.influxdb_v2,outputs.http,serializers.influx,parsers.influx"
)
BUILD_SECONDS = 1200
_STOP_SECONDS = 15


def program() -> Path | None:
    """Where Telegraf is or will be; None where it cannot be had."""
    named = os.environ.get("TEST_TELEGRAF")
    if named:
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    built = cache / "twinfall" / f"telegraf-{VERSION}" / "telegraf"
    return built if built.exists() or shutil.which("go") else None


def build() -> Path:
    """The program, built first where it is not there yet (minutes, once)."""
    path = program()
    if path is None:
        raise RuntimeError("Telegraf needs Go, or TEST_TELEGRAF to name a program")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as place:
            package = f"github.com/influxdata/telegraf/cmd/telegraf@v{VERSION}"
            subprocess.run(
                ["go", "install", "-tags", TAGS, package],
                env=os.environ | {"GOBIN": place, "GOFLAGS": "-buildvcs=false"},
                check=True,
                timeout=BUILD_SECONDS,
                capture_output=True,
            )
            (Path(place) / "telegraf").replace(path)
    return path


@contextmanager
def telegraf(config: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Telegraf with this configuration, until the block ends. Its log lies beside the file."""
    with (
        config.with_suffix(".log").open("wb") as log,
        subprocess.Popen(
            [build(), "--config", config],
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
