"""The local log of changes that were drained from another store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from twinfall.graph.feed import FeedLog
from twinfall.graph.twins import Change
from twinfall.ontology.errors import BadSettings, Unavailable

CHANGE = Change(
    0, "twinWritten", "P", "dtmi:a:B;1", 1, None, {"u": 2**64 - 1}, "2026-11-23T06:30:00Z", "a", "b"
)


def numbered(*seqs: int) -> list[Change]:
    return [replace(CHANGE, seq=seq) for seq in seqs]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FeedLog]:
    log = FeedLog(tmp_path / "feed.sqlite")
    yield log
    log.close()


def test_changes_come_back_in_order_after_a_seq(log: FeedLog) -> None:
    assert (log.last(), log.after(0)) == (0, [])
    log.append(numbered(1, 2, 3))
    log.append(numbered(4, 5))
    assert log.after(2) == numbered(3, 4, 5)
    assert log.after(0, 2) == numbered(1, 2)
    assert log.last() == 5


def test_a_change_drained_twice_is_kept_once_as_it_was(log: FeedLog) -> None:
    log.append(numbered(1, 2))
    log.append([replace(CHANGE, seq=2, who="other"), *numbered(3)])
    assert log.after(0) == numbered(1, 2, 3)


def test_the_log_is_there_after_a_restart(tmp_path: Path) -> None:
    for last in (0, 2):
        log = FeedLog(tmp_path / "feed.sqlite")
        assert log.last() == last
        log.append(numbered(1, 2))
        log.close()


def test_a_graph_file_is_not_a_log(tmp_path: Path) -> None:
    from twinfall.graph.sqlite import SQLiteStore

    SQLiteStore(tmp_path / "graph.sqlite").close()
    with pytest.raises(BadSettings, match="not a Twinfall change feed"):
        FeedLog(tmp_path / "graph.sqlite")


def test_a_closed_log_says_so(log: FeedLog) -> None:
    log.close()
    with pytest.raises(Unavailable):
        log.last()
