from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinfall.api.folder import own, owner_of, prepare
from twinfall.ontology.errors import BadSettings, Conflict


def test_a_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    with own(tmp_path / "deep" / "data", "twinfall serve") as folder:
        mode = stat.S_IMODE(folder.path.stat().st_mode)

        assert mode == 0o700
        assert json.loads((folder.path / "format").read_text()) == {"format": 1}


def test_the_lock_says_who_has_the_folder_and_where_it_listens(tmp_path: Path) -> None:
    with own(tmp_path / "data", "twinfall serve") as folder:
        folder.announce("http://localhost:8123")
        owner = owner_of(tmp_path / "data")

        assert owner is not None
        assert (owner.pid, owner.url) == (os.getpid(), "http://localhost:8123")
        assert owner.command == "twinfall serve"


def test_a_second_owner_is_told_of_the_first(tmp_path: Path) -> None:
    with own(tmp_path / "data", "twinfall serve") as folder:
        folder.announce("http://localhost:8123")

        with pytest.raises(Conflict, match="http://localhost:8123") as refused:
            own(tmp_path / "data", "twinfall import").__enter__()

        assert refused.value.code == "GRAPH_IN_USE"
        assert str(os.getpid()) in refused.value.message


def test_a_folder_given_back_is_free(tmp_path: Path) -> None:
    with own(tmp_path / "data", "a"):
        pass

    assert owner_of(tmp_path / "data") is None
    with own(tmp_path / "data", "b") as folder:
        assert folder.owner.command == "b"


def test_the_lock_of_a_killed_process_is_no_obstacle(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from twinfall.api.folder import own\n"
        "with own(Path(sys.argv[1]), 'killed') as f:\n"
        "    f.announce('http://localhost:1'); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "data")], check=False)

    assert done.returncode == -9
    assert "killed" in (tmp_path / "data" / "lock").read_text()
    assert owner_of(tmp_path / "data") is None
    with own(tmp_path / "data", "next") as folder:
        assert folder.owner.command == "next"


def test_a_file_in_the_way_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(BadSettings, match="a file is in the way"):
        prepare(tmp_path / "data")


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")

    with pytest.raises(BadSettings, match="not a Twinfall data folder"):
        prepare(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["letters.txt"]


def test_a_folder_of_a_later_format_is_left_alone(tmp_path: Path) -> None:
    prepare(tmp_path / "data")
    (tmp_path / "data" / "format").write_text('{"format": 99}')

    with pytest.raises(BadSettings, match="format 99"):
        prepare(tmp_path / "data")


def test_a_damaged_format_file_is_said_so(tmp_path: Path) -> None:
    prepare(tmp_path / "data")
    (tmp_path / "data" / "format").write_text("")

    with pytest.raises(BadSettings, match="damaged"):
        prepare(tmp_path / "data")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_a_read_only_folder_is_said_so_and_how_to_cure_it(open_folder: Path) -> None:
    data = open_folder / "data"
    prepare(data)
    data.chmod(0o555)
    # Root may write everywhere: whoever is root becomes nobody for this.
    code = (
        "import os, socket, sys; from pathlib import Path; from twinfall.api.folder import own\n"
        "if os.getuid() == 0:\n    os.setgroups([]); os.setuid(65534)\n"
        "try:\n    own(Path(sys.argv[1]), 'x').__enter__()\n"
        "except Exception as error:\n    print(error)\n"
    )
    command = [sys.executable, "-c", code, str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "cannot be written: no right to" in done.stdout, done.stderr
    assert "TWINFALL_DIR" in done.stdout
