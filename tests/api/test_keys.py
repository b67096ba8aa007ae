from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from twinfall.api.access import Access
from twinfall.api.keys import Keys
from twinfall.ontology.errors import BadInput, BadSettings, Conflict, UnknownName

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_key_opens_with_its_name_and_role(tmp_path: Path) -> None:
    key = Keys(tmp_path).create("ops", "operator", NOW)

    assert Keys(tmp_path).find(key) == Access("ops", "operator")


def test_other_texts_open_nothing(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    key = keys.create("ops", "admin", NOW)

    for wrong in ("", "tw_", key[:-1], key + "x", key.upper(), keys.all()[0].sha256, "x" * 10**6):
        assert keys.find(wrong) is None


def test_the_file_holds_no_key_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = Keys(tmp_path).create("ops", "admin", NOW)

    assert key.removeprefix("tw_")[4:] not in (tmp_path / "keys.json").read_text()
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_another_process_changing_the_keys_is_noticed(tmp_path: Path) -> None:
    running = Keys(tmp_path)
    assert running.all() == ()

    key = Keys(tmp_path).create("a", "viewer", NOW)
    assert running.find(key) == Access("a", "viewer")

    Keys(tmp_path).revoke("a")
    assert running.find(key) is None


def test_a_name_is_given_once(tmp_path: Path) -> None:
    Keys(tmp_path).create("a", "viewer", NOW)

    with pytest.raises(Conflict, match="a key called a"):
        Keys(tmp_path).create("a", "admin", NOW)


def test_revoking_an_unknown_key_names_the_known(tmp_path: Path) -> None:
    Keys(tmp_path).create("a", "viewer", NOW)

    with pytest.raises(UnknownName, match="known: a"):
        Keys(tmp_path).revoke("b")


@pytest.mark.parametrize("name", ["", "-x", "a b", "a\n", "a" * 65, "../x"])
def test_a_key_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        Keys(tmp_path).create(name, "viewer", NOW)


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1}', '{"format": 2, "keys": []}', "[1]"])
def test_a_damaged_file_never_means_no_keys(tmp_path: Path, text: str) -> None:
    Keys(tmp_path).create("a", "viewer", NOW)
    (tmp_path / "keys.json").write_text(text)

    with pytest.raises(BadSettings, match=r"keys\.json"):
        Keys(tmp_path).all()


def test_keys_survive_a_round_trip(tmp_path: Path) -> None:
    for number in range(5):
        Keys(tmp_path).create(f"k{number}", "viewer", NOW)

    rows = json.loads((tmp_path / "keys.json").read_text())["keys"]
    assert [r["name"] for r in rows] == [f"k{n}" for n in range(5)]
