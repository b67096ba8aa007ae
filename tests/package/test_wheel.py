"""What is packed: the rooms themselves, once, with their data, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("ontology", "graph", "ingestion", "analytics", "api")
LARGEST_WHEEL = 3_500_000
"""Bytes; more than half of it are the query page."""


def _build(kind: str, folder: Path, target: Path) -> Path:
    """Call the build backend as pip does; the path of what it made."""
    code = f"import sys, hatchling.build as b; print(b.build_{kind}(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(target)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return target / run.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("sdist", REPOSITORY, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from the unpacked sdist and not from the checkout."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return zipfile.ZipFile(_build("wheel", source, tmp_path_factory.mktemp("wheel")))


def _files_of(room: str) -> set[str]:
    """Files of a room that git knows, as the wheel should name them."""
    command = ["git", "ls-files", room]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("not a git checkout")
    names = run.stdout.splitlines()
    return {f"twinfall/{n}" for n in names if not n.startswith("api/graphiql/")}


@pytest.mark.parametrize("room", ROOMS)
def test_the_wheel_holds_every_file_of_a_room(wheel: zipfile.ZipFile, room: str) -> None:
    missing = _files_of(room) - set(wheel.namelist())
    assert not {n for n in missing if (REPOSITORY / n.removeprefix("twinfall/")).exists()}


def test_the_wheel_holds_nothing_but_the_package(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert len(names) == len(set(names))
    tops = {name.split("/", 1)[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"twinfall"}
    assert not [n for n in names if "node_modules" in n or "__pycache__" in n or "/tests/" in n]
    assert not [n for n in names if n.startswith("twinfall/api/graphiql/")]


def test_the_wheel_holds_no_links(wheel: zipfile.ZipFile) -> None:
    symbolic_link = 0o120000
    for info in wheel.infolist():
        assert (info.external_attr >> 16) & 0o170000 != symbolic_link, info.filename


def test_the_wheel_stays_small(wheel: zipfile.ZipFile) -> None:
    assert sum(info.compress_size for info in wheel.infolist()) < LARGEST_WHEEL


def test_the_wheel_carries_the_licences(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "twinfall/api/static/LICENSES.txt" in names
    assert "twinfall/api/demo/LICENSE-micropolis" in names
    assert "twinfall/api/demo/LICENSE-tennessee-eastman" in names
    assert "twinfall/api/demo/plant-d00.csv.xz" in names
    assert [n for n in names if n.endswith(".dist-info/licenses/LICENSE")]


def test_the_sdist_holds_no_links_and_no_modules_of_others(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert not [m.name for m in members if m.issym() or m.islnk()]
    assert not [m.name for m in members if "node_modules" in m.name]


def test_an_editable_install_copies_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(_build("editable", REPOSITORY, tmp_path)) as wheel:
        names = wheel.namelist()
        path_file = next(name for name in names if name.endswith(".pth"))
        assert wheel.read(path_file).decode().strip() == str(REPOSITORY)
    assert all(name == path_file or ".dist-info/" in name for name in names)
