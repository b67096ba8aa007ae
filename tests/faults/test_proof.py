"""The judge itself can find fault."""

from __future__ import annotations

from pathlib import Path

from tests.faults.proof import judged
from tests.faults.publisher import acknowledged, is_bad


def test_all_there_once_holds() -> None:
    found = judged(range(50), range(50), [n for n in range(50) if not is_bad(n)], 2, is_bad)
    assert found.holds, found


def test_a_lost_a_doubled_an_invented_and_a_forgotten_reading_are_found() -> None:
    values = [n for n in range(1, 50) if not is_bad(n)]
    found = judged(range(50), range(50), [*values, 7, 99], 1, is_bad)
    assert (found.lost, found.doubled, found.invented, found.unaccounted) == ((0,), (7,), (99,), 1)
    assert not found.holds


def test_what_was_sent_and_not_acknowledged_may_be_there_or_not() -> None:
    assert judged(range(10), range(5), range(8), 0, is_bad).holds


def test_a_log_cut_by_a_kill_counts_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"1\n2\n12cut\n3\n14")
    assert acknowledged(log) == {1, 2, 3}
