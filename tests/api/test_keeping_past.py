"""What the live plant has been through outlives the service, in a file of the data folder."""

from __future__ import annotations

import logging
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_states import DEPENDENCIES, MODELS, SECOND, Site
from tests.api.test_states_remembered import HOLD, ROOMS, break_loop, down, say
from twinfall.api.backup import restore, write_backup
from twinfall.api.keeping_past import FILE, KeptPast
from twinfall.graph.twins import RelationshipInput, TwinInput

HOUR = 3600 * SECOND
BATTERY: dict[str, Any] = {
    "dtmi:site:Room;1": {
        "contents": {
            "cooledBy": {
                "dependent": "source", "group": "cold", "autonomy": "PT4H", "recharge": "PT8H",
            }
        }
    }
}  # fmt: skip


def plant_site(folder: Path, rooms: dict[str, Any], feeds: list[tuple[str, str]]) -> Site:
    made = Site(folder)
    both = {**DEPENDENCIES["interfaces"], **rooms}
    made.graph.load_models([*MODELS, *ROOMS], [{"version": 1, "interfaces": both}])
    made.graph.write_twins(
        [TwinInput(one, "dtmi:site:Room;1") for one in sorted({one for one, _ in feeds})]
    )
    made.graph.write_relationships(
        [RelationshipInput(one, "cooledBy", other) for one, other in feeds]
    )
    made.well()
    made.all()
    return made


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Site]:
    """Rooms that hold each other once the tank T has started them."""
    made = plant_site(
        tmp_path, HOLD["interfaces"], [("A", "T"), ("A", "B"), ("B", "A"), ("C", "B")]
    )
    yield made
    made.close()


@pytest.fixture
def battery(tmp_path: Path) -> Iterator[Site]:
    """A room that does without the tank T for four hours."""
    made = plant_site(tmp_path, BATTERY, [("A", "T")])
    yield made
    made.close()


def _passes(site: Site, span: int) -> None:
    """Hours, in which the pumps go on telling that they are well."""
    site.now += span
    site.well()


def _killed(site: Site) -> None:
    """The process is gone at once; another one opens the folder."""
    site.states.networks.keep()
    assert _eventually(site.folder / FILE)
    site.telemetry.close()
    site.open()


def _eventually(path: Path) -> bool:
    for _ in range(1000):
        if path.exists():
            return True
        time.sleep(0.01)
    return False


def test_a_loop_that_broke_stays_down_after_a_restart(loop: Site) -> None:
    break_loop(loop)

    loop.restart()

    assert down(loop) == ["A", "B", "C", "T"]
    say(loop, "T", None)
    assert down(loop) == []


def test_a_loop_that_broke_stays_down_after_a_kill(loop: Site) -> None:
    break_loop(loop)

    _killed(loop)

    assert down(loop) == ["A", "B", "C", "T"]


def test_a_battery_half_spent_is_half_spent_after_a_restart(battery: Site) -> None:
    say(battery, "T", "failed")
    down(battery)
    _passes(battery, 3 * HOUR)
    say(battery, "T", None)
    down(battery)
    battery.restart()
    say(battery, "T", "failed")
    assert down(battery) == ["T"]

    _passes(battery, HOUR + 10 * SECOND)

    assert down(battery) == ["A", "T"]


def test_an_impact_says_what_is_left_of_a_battery_now(battery: Site) -> None:
    """Nothing happens in the end but that time passes."""
    ask = '{ impact(failed: ["T"]) { affected { nodes { twin { id } at } } } }'

    def falls() -> list[tuple[str, str]]:
        rows = battery.ask(ask)["impact"]["affected"]["nodes"]
        return [(row["twin"]["id"], row["at"]) for row in rows]

    say(battery, "T", "failed")
    down(battery)
    _passes(battery, 3 * HOUR)
    say(battery, "T", None)
    left = falls()
    battery.now += 2 * HOUR
    more = falls()
    battery.now += 6 * HOUR

    assert left == [("A", "PT59M59S")]  # to tell of the repair took a second
    assert more == [("A", "PT1H59M59S")]
    assert falls() == [("A", "PT4H")]


def test_the_time_while_nothing_ran_counts(battery: Site) -> None:
    """The battery recharges two hours of four in the four hours meanwhile."""
    say(battery, "T", "failed")
    down(battery)
    _passes(battery, 4 * HOUR - 10 * SECOND)
    say(battery, "T", None)
    down(battery)

    battery.shut()
    battery.now += 4 * HOUR
    battery.open()

    battery.well()
    say(battery, "T", "failed")
    _passes(battery, 2 * HOUR - 60 * SECOND)
    assert down(battery) == ["T"]
    _passes(battery, 120 * SECOND)
    assert down(battery) == ["A", "T"]


def test_what_the_graph_became_while_nothing_ran_counts(loop: Site) -> None:
    """Somebody gave A another source with the command line."""
    break_loop(loop)
    loop.shut()
    loop.graph.write_relationships([RelationshipInput("A", "cooledBy", "P1")])
    loop.open()
    loop.well()

    assert down(loop) == ["T"]


def test_a_file_that_is_damaged_is_told_of_and_left_aside(
    loop: Site, caplog: pytest.LogCaptureFixture
) -> None:
    break_loop(loop)
    loop.shut()
    file = loop.folder / FILE
    file.write_bytes(file.read_bytes()[:-30] + b"\xff")

    with caplog.at_level(logging.WARNING):
        loop.open()

    assert "what the plant has been through is not known" in caplog.text
    assert down(loop) == ["T"]


def test_a_file_too_large_is_left_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (tmp_path / FILE).open("wb") as file:
        file.truncate(2**30)

    assert KeptPast(tmp_path / FILE).load() is None
    assert "1073741824 bytes" in caplog.text


def test_a_plant_in_order_leaves_no_file(battery: Site) -> None:
    say(battery, "T", "failed")
    down(battery)
    _passes(battery, HOUR)
    battery.restart()
    assert (battery.folder / FILE).exists()

    say(battery, "T", None)
    down(battery)
    battery.now += 9 * HOUR
    battery.say("P1", "heat", 85.0)  # something else happens, and it is looked at again
    down(battery)
    battery.restart()

    assert not (battery.folder / FILE).exists()


def test_a_disk_that_does_not_take_it_holds_up_nothing(
    loop: Site, caplog: pytest.LogCaptureFixture
) -> None:
    (loop.folder / f"{FILE}.new").mkdir()
    break_loop(loop)

    loop.restart()

    assert "what the plant has been through is not kept" in caplog.text
    assert down(loop) == ["T"]


def test_what_could_not_be_written_is_written_later(loop: Site) -> None:
    kept = KeptPast(loop.folder / FILE, rest=0.0)
    in_the_way = loop.folder / f"{FILE}.new"
    in_the_way.mkdir()
    break_loop(loop)
    told = loop.states.networks._past.told()
    kept.offer(told).join()
    assert kept.owes

    in_the_way.rmdir()
    kept.offer(told).join()

    assert not kept.owes
    assert KeptPast(loop.folder / FILE).load() == told()


def test_a_backup_carries_it(loop: Site, tmp_path: Path) -> None:
    break_loop(loop)
    loop.shut()
    archive, there = tmp_path / "b.zip", tmp_path / "there"

    write_backup(loop.folder, loop.graph, archive, embedded=True)
    restore(archive, there)

    assert f"files/{FILE}" in zipfile.ZipFile(archive).namelist()
    assert KeptPast(there / FILE).load() is not None
    loop.open()
