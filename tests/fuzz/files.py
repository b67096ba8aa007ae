"""Targets: files that are not text alone: grids, detectors, and bodies that come packed."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import tempfile
import warnings
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from tests.analytics.detectors import plants
from tests.analytics.models.grids import solved
from tests.fuzz import seeds
from tests.fuzz.law import Target
from tests.fuzz.mutating import PART
from twinfall.analytics.detectors.files import load, save
from twinfall.analytics.detectors.fitting import fit
from twinfall.analytics.models import DCFlow, read
from twinfall.api.readings import _unpacked

_GRIDS = (
    {"baseMVA": 100, "buses": [{"id": "a", "generation": 90}, {"id": "b", "load": 30}],
     "branches": [{"id": "x", "from": "a", "to": "b", "reactance": 1, "capacity": 80}]},
    {"buses": [{"id": "a"}, {"id": "b"}, {"id": "c", "load": 1e-9}], "branches": [
        {"id": "x", "from": "a", "to": "b", "reactance": 1e-5, "ratio": 0.9, "shift": 30},
        {"id": "y", "from": "b", "to": "c", "reactance": -1}]},
)  # fmt: skip
_GRID_WORDS = (
    "baseMVA", "buses", "branches", "generation", "load", "reactance", "capacity", "ratio",
    "shift", "from", "to", "id", "1e308", "1e-308", "0", "-1", "null", "NaN", "Infinity", "_class",
    "_module", "_object", "pandapowerNet", "DataFrame", "pandas.core.frame", "1e400",
)  # fmt: skip


def grids() -> Target:
    """A grid is refused, or its flows are computed or refused."""

    def take(data: bytes) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pandapower|pandas|numba")  # theirs
            grid = read(data)
            DCFlow(grid).state()

    def begin() -> list[bytes]:
        import pandapower

        return [*seeds.written(*_GRIDS), pandapower.to_json(solved("case4gs")).encode()]

    return Target("grid", take, begin, _GRID_WORDS)


def packed() -> Target:
    """What is unpacked is what was packed, each member of it, and nothing is passed over."""

    def take(data: bytes) -> None:
        assert _unpacked(gzip.compress(data, 1)) == data
        found = _unpacked(data)
        assert zlib.crc32(found) == zlib.crc32(_plainly(data))

    texts = (b'{"_twin": "P1", "flow": 1}\n', b"pump,twin=P1 flow=1\n" * 50, b"")
    members = [gzip.compress(text) for text in texts]
    return Target("gzip", take, lambda: [*members, members[0] + members[1], members[1][:-9]])


def _plainly(data: bytes) -> bytes:
    """The members one by one, as the plain reader of gzip files has them."""
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise AssertionError(f"read as gzip, and no gzip: {error}") from error


@functools.cache
def _detector() -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        learned = fit(plants.MODEL, [plants.table(plants.running(0))])
        manifest = save(learned, plants.MODEL, Path(folder))
        facts = json.loads(manifest.read_bytes())
        return manifest.read_bytes(), (manifest.parent / facts["arrays"]).read_bytes()


def detectors() -> Target:
    """A manifest and its arrays are refused, or are a detector that scores."""
    held = ExitStack()
    folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
    manifest = folder / "detector.json"

    def take(data: bytes) -> None:
        told, _, arrays = data.partition(PART)
        manifest.write_bytes(_vouching(told, arrays, folder))
        found = load(manifest)
        followed = found.follow(["P1"])
        rows = np.zeros((1, len(found.columns)))
        with np.errstate(all="ignore"):
            found.score(followed, np.array([0]), rows)

    def begin() -> list[bytes]:
        told, arrays = _detector()
        return [told + PART + arrays]

    words = ("window", "smoothing", "columns", "arrays", "1e400", "-1", "0", "null", "NaN", "[]")
    return Target("detector", take, begin, words, held.close)


def _vouching(told: bytes, arrays: bytes, folder: Path) -> bytes:
    """The manifest, with the arrays where it says, and their hash: else none would be looked at."""
    try:
        facts: Any = json.loads(told)
        name = facts["arrays"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return told
    if not isinstance(name, str) or not name.endswith(".npz") or "/" in name or len(name) > 200:
        return told
    try:
        (folder / name).write_bytes(arrays)
    except (OSError, ValueError):
        return told
    facts["sha256"] = hashlib.sha256(arrays).hexdigest()
    return json.dumps(facts).encode()
