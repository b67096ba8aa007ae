"""The jars of a server, resolved by Maven once per machine and user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
VERSION = "5.26.29"
FETCH_SECONDS = 900


def cache() -> Path:
    """The per-user folder that keeps the jars between runs."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "twinfall" / f"neo4j-{VERSION}"


def missing_tools() -> str:
    """What this machine lacks to assemble a server; empty when nothing."""
    tools = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    if cache().is_dir():
        tools = [tool for tool in tools if tool != "mvn"]
    return " and ".join(tools)


def neo4j_jars() -> Path:
    """The folder with all jars; fetched when it is not there yet."""
    folder = cache()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    print(f"fetching Neo4j {VERSION} into {folder} (133 MB, once)", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        target = Path(name) / "lib"
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        subprocess.run(
            ["mvn", "-q", "-B", "-f", str(POM), *goal, f"-DoutputDirectory={target}"],
            check=True,
            timeout=FETCH_SECONDS,
            stdout=sys.stderr,
        )
        try:
            target.rename(folder)  # complete or not there: two test runs may fetch at once
        except OSError:
            if not folder.is_dir():
                raise
    return folder
