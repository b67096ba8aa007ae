"""Detectors on disk: what is saved comes back, and nothing on disk can run code."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analytics.detectors import plants
from twinfall.analytics.detectors import Normal, fit, load, save
from twinfall.analytics.detectors.files import MAX_ARRAY_BYTES, MAX_MANIFEST_BYTES
from twinfall.ontology.errors import BadInput


@pytest.fixture(scope="module")
def detector() -> Normal:
    return fit(plants.MODEL, [plants.table(plants.running(0))])


def replace_arrays(manifest: Path, body: bytes) -> None:
    """Put other arrays in place, with a manifest that vouches for them."""
    facts = json.loads(manifest.read_text())
    (manifest.parent / facts["arrays"]).write_bytes(body)
    facts["sha256"] = hashlib.sha256(body).hexdigest()
    manifest.write_text(json.dumps(facts))


def arrays_of(manifest: Path) -> dict[str, Any]:
    with np.load(manifest.parent / json.loads(manifest.read_text())["arrays"]) as found:
        return {name: found[name] for name in found.files}


def packed(arrays: dict[str, Any]) -> bytes:
    body = io.BytesIO()
    np.savez(body, **arrays)
    return body.getvalue()


def test_a_saved_detector_scores_alike(detector: Normal, tmp_path: Path) -> None:
    again = load(save(detector, plants.MODEL, tmp_path))
    one, two = detector.follow(["P1"]), again.follow(["P1"])
    only = np.array([0])
    for row in plants.seized(9):
        np.testing.assert_array_equal(
            detector.score(one, only, row[None]), again.score(two, only, row[None])
        )
    assert again.explain(two, 0) == detector.explain(one, 0)
    assert again.facts == detector.facts


def test_the_manifest_says_what_the_detector_was_learned_from(
    detector: Normal, tmp_path: Path
) -> None:
    facts = json.loads(save(detector, plants.MODEL, tmp_path).read_text())
    assert facts["schema_version"] == 1
    assert facts["model"] == plants.MODEL
    assert ["motor", "temperature", "degC"] in facts["columns"]
    learned = facts["facts"]
    assert learned["trained_from"] == plants.START
    assert learned["trained_to"] == plants.START + 300 * plants.SECOND
    assert learned["every"] == plants.SECOND
    assert len(learned["data_hash"]) == 64
    assert set(learned["libraries"]) == {"numpy", "scikit-learn"}
    assert learned["metrics"]["held_out_rows"] > 200


def test_saving_again_replaces_the_detector_and_leaves_no_litter(
    detector: Normal, tmp_path: Path
) -> None:
    save(detector, plants.MODEL, tmp_path)
    other = fit(plants.MODEL, [plants.table(plants.running(1))])
    manifest = save(other, plants.MODEL, tmp_path)
    assert load(manifest).facts["data_hash"] == other.facts["data_hash"]
    assert len(list(tmp_path.iterdir())) == 2


class Malice:
    """Runs code where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_a_malicious_pickle_among_the_arrays_is_refused_and_never_runs(
    detector: Normal, tmp_path: Path
) -> None:
    manifest, mark = save(detector, plants.MODEL, tmp_path), tmp_path / "it ran"
    evil = np.array([Malice(mark)], dtype=object)
    body = io.BytesIO()
    np.savez(body, **{**arrays_of(manifest), "mean": evil})
    # Proof that the trap works: whoever allows pickles runs it.
    with np.load(io.BytesIO(body.getvalue()), allow_pickle=True) as careless:
        careless["mean"]
    assert mark.exists()
    mark.unlink()
    replace_arrays(manifest, body.getvalue())
    with pytest.raises(BadInput, match="not a file of plain arrays"):
        load(manifest)
    assert not mark.exists()


def test_a_bare_pickle_in_place_of_the_arrays_is_refused_and_never_runs(
    detector: Normal, tmp_path: Path
) -> None:
    manifest, mark = save(detector, plants.MODEL, tmp_path), tmp_path / "it ran"
    replace_arrays(manifest, pickle.dumps(Malice(mark)))
    with pytest.raises(BadInput, match="not a file of plain arrays"):
        load(manifest)
    assert not mark.exists()


def test_an_archive_that_unpacks_without_end_is_refused(detector: Normal, tmp_path: Path) -> None:
    manifest = save(detector, plants.MODEL, tmp_path)
    body = io.BytesIO()
    with (
        zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("mean.npy", "w") as entry,
    ):
        for _ in range(MAX_ARRAY_BYTES // 2**22 + 1):
            entry.write(bytes(2**22))
    assert len(body.getvalue()) < 2**20
    replace_arrays(manifest, body.getvalue())
    with pytest.raises(BadInput, match="not a file of plain arrays"):
        load(manifest)


def test_an_array_that_claims_more_than_it_has_is_refused(detector: Normal, tmp_path: Path) -> None:
    manifest = save(detector, plants.MODEL, tmp_path)
    body, header = io.BytesIO(), io.BytesIO()
    claim = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("mean.npy", header.getvalue())
    replace_arrays(manifest, body.getvalue())
    with pytest.raises(BadInput, match="not a file of plain arrays"):
        load(manifest)


def test_arrays_that_the_manifest_does_not_vouch_for_are_refused(
    detector: Normal, tmp_path: Path
) -> None:
    manifest = save(detector, plants.MODEL, tmp_path)
    arrays = manifest.parent / json.loads(manifest.read_text())["arrays"]
    arrays.write_bytes(arrays.read_bytes() + b"\0")
    with pytest.raises(BadInput, match="not those of the manifest"):
        load(manifest)


@pytest.mark.parametrize(
    "change",
    [
        {"scale": np.zeros(5)},
        {"mean": np.zeros(4)},
        {"level": np.eye(4)},
        {"weights": np.zeros((3, 5))},
        {"limits": np.array([1.0, -1.0])},
        {"bias": np.full(5, np.nan)},
        {"bias": np.zeros(5, dtype=np.int64)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_arrays_that_do_not_fit_are_refused(
    detector: Normal, tmp_path: Path, change: dict[str, Any]
) -> None:
    manifest = save(detector, plants.MODEL, tmp_path)
    replace_arrays(manifest, packed({**arrays_of(manifest), **change}))
    with pytest.raises(BadInput):
        load(manifest)


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"kind": "tree"},
        {"arrays": "../../etc/passwd"},
        {"arrays": "/tmp/x.0123456789abcdef.npz"},
        {"arrays": None},
        {"columns": [["", "flow"]]},
        {"columns": 7},
        {"window": "many"},
        {"window": 10**9},
        {"twins": ["P1", "P2"]},
    ],
    ids=str,
)
def test_a_manifest_that_is_not_ours_is_refused(
    detector: Normal, tmp_path: Path, change: dict[str, Any]
) -> None:
    manifest = save(detector, plants.MODEL, tmp_path)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    with pytest.raises(BadInput):
        load(manifest)


def test_a_manifest_beyond_all_measure_is_refused_unread(tmp_path: Path) -> None:
    manifest = tmp_path / "big.json"
    with manifest.open("wb") as file:
        file.truncate(MAX_MANIFEST_BYTES + 1)
    with pytest.raises(BadInput, match="too large"):
        load(manifest)


def test_a_model_id_with_odd_characters_gets_a_plain_file_name(
    detector: Normal, tmp_path: Path
) -> None:
    first = save(detector, "dtmi:a_b:C;1", tmp_path)
    second = save(detector, "dtmi:a:b_C;1", tmp_path)
    assert first != second
    assert save(detector, "../../x", tmp_path).parent == tmp_path
