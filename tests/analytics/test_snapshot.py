"""Arrays in a file come back as they were, or not at all."""

from __future__ import annotations

import hashlib
import resource
import struct
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import answer_alike, assets
from twinfall.analytics import AssetNetwork, kernels, packing, snapshot
from twinfall.analytics.kernels import counting
from twinfall.analytics.packing import Packer, unpacked
from twinfall.ontology.errors import BadInput, Unavailable

DECLARED: dict[str, Any] = {
    "Unit": {
        "asset": {
            "customers": {"from": "people", "default": 1},
            "value": {"from": "worth"},
            "conducts": {"from": "closed", "default": True},
            "repairTime": "PT8H",
            "failureRate": {"from": "worth"},
            "location": {"x": {"from": "worth"}, "y": {"from": "people"}, "crs": "EPSG:25832"},
            "services": ["heat", "light"],
        },
        "contents": {
            "needs": {
                "dependent": "source",
                "autonomy": {"from": "reserve", "default": "PT0S"},
                "recharge": "PT2H",
                "failureDomain": "domain:trench",
            },
            "backs": {
                "dependent": "source",
                "effect": "degrade",
                "level": 0.5,
                "group": "comfort",
                "rule": "atLeast",
                "k": {"from": "quorum"},
            },
            "joins": {"mode": "network", "carrier": "water"},
        },
    },
    "Machine": {
        "asset": {"source": ["water", {"carrier": "heat", "autonomy": "PT1H"}]},
        "contents": {"bearing": {"dependent": "source"}},
    },
}


@pytest.fixture(scope="module")
def plant() -> AssetNetwork:
    """Everything a declaration can say, and texts of every kind."""
    twins: dict[str, dict[str, Any]] = {
        "M": {"model": "Machine", "bearing": {}, "people": 3},
        "A": {"people": 2**30, "worth": 0.5, "reserve": "PT1H"},
        "B": {"reserve": "P1M", "quorum": 9, "closed": False},
        "C": {},
    }
    for i in range(90):
        twins[f"U{i:02}"] = {"people": i, "reserve": "P1M"}
    between = [("A", "needs", "M", {"lag": "PT5S"}), ("B", "needs", "A"), ("C", "backs", "A")]
    pipes = [("M", "joins", "A"), ("A", "joins", "B"), ("B", "joins", "C")]
    many = [(f"U{i:02}", "needs", "M") for i in range(90)]
    return assets(DECLARED, twins, [*between, *pipes, *many])


def test_arrays_that_came_from_a_file_are_kept_again(
    plant: AssetNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As large ones are: their texts stay in the file's bytes until somebody looks."""
    monkeypatch.setattr(packing, "PIECE", 50)
    monkeypatch.setattr(packing, "FEW", 0)
    snapshot.save(tmp_path / "first", plant, "trace")
    _, first = snapshot.load(tmp_path / "first")
    snapshot.save(tmp_path / "second", first, "trace")

    _, second = snapshot.load(tmp_path / "second")

    answer_alike(second, plant)


def _equal(one: Any, other: Any) -> None:
    """All the way down, dtypes and kinds of values included."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            _equal(one[name], other[name])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            _equal(mine, theirs)
    elif hasattr(one, "__slots__") or hasattr(one, "__dataclass_fields__"):
        names = getattr(one, "__dataclass_fields__", None) or one.__slots__
        for name in names:
            _equal(getattr(one, name), getattr(other, name))
    elif type(one).__name__ != "Network":
        assert one == other


def test_arrays_come_back_as_they_were(plant: AssetNetwork, tmp_path: Path) -> None:
    path = tmp_path / "arrays"

    size = snapshot.save(path, plant, "trace")
    moment, found = snapshot.load(path)

    assert path.stat().st_size == size
    assert path.stat().st_mode & 0o077 == 0
    assert moment == snapshot.moment(path) == snapshot.Moment(plant.models, plant.cursor, "trace")
    answer_alike(found, plant)
    _equal(found.topology, plant.topology)
    _equal(found.compiled, plant.compiled)
    _equal(found.network.arrays, plant.network.arrays)
    _equal(found.network.feeds, plant.network.feeds)
    _equal(found.network.links, plant.network.links)
    assert len(plant.not_evaluated) > 64, "the plant is to have many notes"


def test_what_was_one_array_is_one_again_and_can_be_handed_to_compiled_loops(
    plant: AssetNetwork, tmp_path: Path
) -> None:
    assert plant.network.feeds.provider is plant.network.arrays.provider
    snapshot.save(tmp_path / "arrays", plant, "")

    network = snapshot.load(tmp_path / "arrays")[1].network

    assert network.feeds.provider is network.arrays.provider
    assert network.arrays.provider.flags.writeable, "a loop is compiled again for other flags"
    assert network.arrays.provider.flags.aligned


def test_nothing_is_compiled_for_arrays_from_a_file(plant: AssetNetwork, tmp_path: Path) -> None:
    snapshot.save(tmp_path / "arrays", plant, "trace")
    doors = (kernels.follow, kernels.prepare, kernels.count_some, counting.take_down)
    before = [len(door.signatures) for door in doors]

    found = snapshot.load(tmp_path / "arrays")[1].network
    found.impact([0, 1])
    found.criticality(10.0)
    found.down([0])

    assert [len(door.signatures) for door in doors] == before == [1] * len(doors)


def test_what_is_read_is_packed_as_it_was(plant: AssetNetwork, tmp_path: Path) -> None:
    snapshot.save(tmp_path / "first", plant, "t")
    snapshot.save(tmp_path / "second", snapshot.load(tmp_path / "first")[1], "t")

    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_file_is_refused(
    plant: AssetNetwork, tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "arrays"
    snapshot.save(path, plant, "t")
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    how = data.draw(st.sampled_from(["cut", "flip", "grow", "lose", "swap"]))
    damaged = {
        "cut": whole[:at],
        "flip": whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :],
        "grow": whole + b"\0",
        "lose": whole[:at] + whole[at + 1 :],
        "swap": whole[at:] + whole[:at],
    }[how]
    if damaged == whole:
        return
    path.write_bytes(damaged)

    with pytest.raises(BadInput):
        snapshot.load(path)


def _with_head(path: Path, **said: Any) -> None:
    """The file with another head, its hash made right again."""
    whole = path.read_bytes()
    start = struct.calcsize("<8sQ32s")
    magic, length, _ = struct.unpack("<8sQ32s", whole[:start])
    head = {**orjson.loads(whole[start : start + length]), **said}
    text = orjson.dumps(head)
    digest = hashlib.sha256(text).digest()
    path.write_bytes(
        struct.pack("<8sQ32s", magic, len(text), digest) + text + whole[start + length :]
    )


@pytest.mark.parametrize(
    "said",
    [
        {"format": snapshot.FORMAT + 1},
        {"order": "big"},
        {"code": "0" * 64},
        {"blocks": []},
        {"blocks": None},
        {"tree": [["Popen", "ls"], None]},
        {"tree": [["array", "i4", [1], 10**9], None]},
        {"tree": [["array", "O", [1], 0], None]},
        {"tree": []},
        {"sha256": "0" * 64},
    ],
)
def test_a_file_of_another_kind_is_refused(
    plant: AssetNetwork, tmp_path: Path, said: dict[str, Any]
) -> None:
    path = tmp_path / "arrays"
    snapshot.save(path, plant, "t")
    _with_head(path)
    answer_alike(snapshot.load(path)[1], plant)

    _with_head(path, **said)

    with pytest.raises(BadInput):
        snapshot.load(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04K\x01.", b"PK\x03\x04" * 100])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "arrays"
    path.write_bytes(content)

    with pytest.raises(BadInput, match="no snapshot"):
        snapshot.load(path)
    with pytest.raises(BadInput, match="cannot be read"):
        snapshot.load(tmp_path)


def test_a_disk_that_is_full_leaves_what_was_there(plant: AssetNetwork, tmp_path: Path) -> None:
    path = tmp_path / "arrays"
    snapshot.save(path, plant, "before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(Unavailable, match="not kept"):
            snapshot.save(path, plant, "after")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert snapshot.moment(path).trace == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["arrays"]


def test_the_last_space_of_a_disk_is_left_to_others(
    plant: AssetNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SPARE_BYTES", 2**62)

    with pytest.raises(Unavailable, match="too little space"):
        snapshot.save(tmp_path / "arrays", plant, "t")

    assert not any(tmp_path.iterdir())


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
_plain = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False),
        _texts,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(_texts, inner, max_size=3),
    ),
    max_leaves=8,
)


@given(st.one_of(_plain, st.lists(_texts, min_size=60, max_size=140)))
def test_every_plain_value_comes_back(value: Any) -> None:
    packer = Packer()

    tree = orjson.loads(orjson.dumps(packer.pack(value)))

    _equal(unpacked(tree, packer.blocks.__getitem__), value)
