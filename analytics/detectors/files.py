"""Detectors on disk: a JSON manifest that people can read, and arrays that cannot run code.

`<name>.json` names `<name>.<hash>.npz`; the manifest is replaced last and at once, so that a
crash leaves the old detector or the new one. Arrays are loaded without pickle; sizes, shapes and
the hash are checked before a number is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.detectors.detector import Column, Detector
from twinfall.analytics.detectors.normal import Baseline, Coefficients, Normal
from twinfall.analytics.detectors.table import MAX_COLUMNS
from twinfall.ontology.errors import BadInput

SCHEMA_VERSION = 1
KIND = "normal"
MAX_MANIFEST_BYTES = 4 * 2**20
MAX_ARRAY_BYTES = 256 * 2**20
"""Of all arrays together, unpacked."""
_ARRAY_FILE = re.compile(r"[A-Za-z0-9._-]{1,200}\.[0-9a-f]{16}\.npz")


_NOT_ARRAYS = (
    ValueError, OSError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error,
    NotImplementedError, RuntimeError,
)  # fmt: skip
"""What the readers of archives and arrays say of damage, of codes and of packings unknown."""


def file_name(model: str) -> str:
    """A name for the model's files: its letters and digits, and a hash so that none collide."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", model).strip("_")[:80]
    return f"{plain}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"


def save(detector: Detector, model: str, folder: Path) -> Path:
    """Write the detector of a model type, replacing the one before; answers the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays, facts = detector.dump()
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **dict(arrays))
    body = packed.getvalue()
    digest = hashlib.sha256(body).hexdigest()
    name = file_name(model)
    arrays_file = f"{name}.{digest[:16]}.npz"
    write_at_once(folder / arrays_file, body)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "arrays": arrays_file,
        "sha256": digest,
        **facts,
    }
    write_at_once(folder / f"{name}.json", json.dumps(manifest, indent=1).encode())
    for old in folder.glob(f"{name}.*.npz"):
        if old.name != arrays_file:
            old.unlink()
    return folder / f"{name}.json"


def load(manifest: Path) -> Normal:
    """The detector of a manifest. Raises BadInput where a file is not what `save` wrote."""
    facts = _manifest(manifest)
    arrays = _arrays(manifest.parent / facts["arrays"], str(facts.get("sha256")))
    try:
        detector = _build(facts, arrays)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as err:
        raise BadInput(f"not a detector: {err!r}", path=str(manifest), cure="train it again") from (
            err
        )
    _check(detector, str(manifest))
    return detector


def write_at_once(path: Path, body: bytes) -> None:
    """Replace a file by these bytes, or, after a crash, have left the old one."""
    draft = path.with_name(path.name + ".draft")
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _manifest(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BadInput("the manifest is too large", path=str(path), code="TOO_LARGE")
    try:
        facts = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as err:
        raise BadInput(f"the manifest is no JSON: {err}", path=str(path)) from None
    if not isinstance(facts, dict) or facts.get("schema_version") != SCHEMA_VERSION:
        raise BadInput(
            f"the manifest is not of schema version {SCHEMA_VERSION}",
            path=str(path),
            cure="train the detector again with this version",
        )
    name = facts.get("arrays")
    if facts.get("kind") != KIND or not isinstance(name, str) or not _ARRAY_FILE.fullmatch(name):
        raise BadInput("the manifest names no arrays of a known kind", path=str(path))
    return facts


def _arrays(path: Path, digest: str) -> dict[str, NDArray[np.float64]]:
    """Every array of the file, as float64; whatever needs pickle is refused unread."""
    refused = BadInput(
        "not a file of plain arrays", path=str(path), cure="train the detector again"
    )
    if not path.is_file() or path.stat().st_size > MAX_ARRAY_BYTES:
        raise refused
    body = path.read_bytes()
    if hashlib.sha256(body).hexdigest() != digest:
        raise BadInput("the arrays are not those of the manifest", path=str(path))
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_ARRAY_BYTES:
                raise refused
        with np.load(io.BytesIO(body), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except _NOT_ARRAYS as err:
        raise refused from err
    if any(a.dtype != np.float64 or not np.isfinite(a).all() for a in arrays.values()):
        raise BadInput("the arrays are no finite numbers", path=str(path))
    return arrays


def _build(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float64]]) -> Normal:
    columns = tuple(Column(str(p), str(n), str(u)) for p, n, u in facts["columns"])
    return Normal(
        model=str(facts["model"]),
        columns=columns,
        window=int(facts["window"]),
        smoothing=float(facts["smoothing"]),
        baseline=Baseline(
            arrays["mean"],
            arrays["scale"],
            tuple(str(twin) for twin in facts["twins"]),
            arrays["own_mean"],
            arrays["own_scale"],
        ),
        coefficients=Coefficients(
            *(arrays[n] for n in ("together", "level", "weights", "bias", "spread"))
        ),
        limits=arrays["limits"],
        facts=dict(facts["facts"]),
    )


def _check(detector: Normal, path: str) -> None:
    """Shapes that fit each other, and divisors above 0."""
    width, twins = len(detector.columns), len(detector.baseline.twins)
    if not 0 < width <= MAX_COLUMNS:
        message = f"{width} columns: a detector has 1 to {MAX_COLUMNS}"
        raise BadInput(message, path=path, cure="train it again")
    base, fitted = detector.baseline, detector.coefficients
    shapes = {
        (width,): (base.mean, base.scale, fitted.bias, fitted.spread),
        (width, width): (fitted.together, fitted.level),
        (twins, width): (base.own_mean, base.own_scale),
        (detector.lags * width, width): (fitted.weights,),
        (2,): (detector.limits,),
    }
    right = 0 < detector.window <= 1000 and detector.lags > 0
    right = right and 0 < detector.smoothing <= 1
    right = right and all(a.shape == shape for shape, held in shapes.items() for a in held)
    divisors = (base.scale, base.own_scale, fitted.spread, detector.limits)
    if not right or any((a <= 0).any() for a in divisors):
        raise BadInput("the arrays do not fit each other", path=path, cure="train it again")
