"""What was said and read of a twin ends with it: who comes under its id is another one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_keeping_past import BATTERY, HOUR, _passes, plant_site
from tests.api.test_states import MINUTE, SECOND, Site
from tests.api.test_states_remembered import down, say
from twinfall.graph.statebook import FILE_NAME, Followed, StateBook
from twinfall.graph.twins import RelationshipInput, TwinInput

PUMP = "dtmi:site:Pump;1"
LINES = [RelationshipInput("G", "line", "P2"), RelationshipInput("T", "filledBy", "P2")]
HISTORY = "query($id: ID!) { stateHistory(id: $id) { kind state who at note } }"
MAINTAIN = 'mutation($id: ID!) { maintenance(id: $id, on: true, note: "seal") { at } }'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.well()
    made.all()
    yield made
    made.close()


@pytest.fixture(params=["while it runs", "while it does not"])
def when(request: pytest.FixtureRequest, site: Site) -> Any:
    """Whether the service runs while the graph is written."""

    def written(*writes: Any) -> None:
        if request.param == "while it does not":
            site.shut()
        for write in writes:
            site.now += SECOND
            write()
        if request.param == "while it does not":
            site.open()

    return written


def _anew(site: Site) -> None:
    site.graph.write_twins([TwinInput("P2", PUMP)])
    site.graph.write_relationships(LINES)


def _deleted(site: Site) -> None:
    site.graph.delete_twins(["P2"])


def test_what_was_said_of_a_twin_is_not_said_of_one_written_anew(site: Site, when: Any) -> None:
    say(site, "P2", "failed")
    site.ask(MAINTAIN, id="P2")
    assert site.all()["P2"] == "failed"

    when(lambda: _deleted(site), lambda: _anew(site))

    site.say("P2", "heat", 20.0)
    assert site.all()["P2"] == "ok"
    ended, last, *rest = site.ask(HISTORY, id="P2")["stateHistory"]
    assert {ended["kind"], last["kind"]} == {"forced", "maintenance"}
    assert [one["note"] for one in (ended, last)] == ["the twin was deleted"] * 2
    assert [one["state"] for one in (ended, last)] == [None, None]
    assert [(one["kind"], one["state"], one["who"]) for one in rest] == [
        ("maintenance", "on", "ann"),
        ("forced", "failed", "ann"),
    ]


def test_what_was_said_of_a_twin_that_is_only_deleted_ends_too(site: Site, when: Any) -> None:
    say(site, "P2", "failed")

    when(lambda: _deleted(site))
    site.all()

    assert site.states.standing().failed == ()


def test_what_is_said_of_the_new_one_holds_through_restarts(site: Site, when: Any) -> None:
    say(site, "P2", "failed")
    when(lambda: _deleted(site), lambda: _anew(site))
    site.all()
    say(site, "P2", "degraded")

    site.restart()
    site.restart()

    assert site.all()["P2"] == "degraded"


def test_what_was_said_of_others_holds(site: Site, when: Any) -> None:
    say(site, "P1", "failed")
    say(site, "P2", "failed")

    when(
        lambda: _deleted(site),
        lambda: site.graph.write_twins([TwinInput("P3", PUMP)]),
        lambda: site.graph.delete_twins(["P3"]),
        lambda: site.graph.write_twins([TwinInput("P1", PUMP)]),
    )

    assert site.all()["P1"] == "failed"


def test_what_was_read_of_a_twin_says_nothing_of_one_written_anew(site: Site, when: Any) -> None:
    site.now += SECOND
    site.say("P2", "heat", 99.0)
    assert site.all()["P2"] == "failed"

    when(lambda: _deleted(site), lambda: _anew(site))

    assert site.all()["P2"] == "unknown"
    assert site.reason("P2")["kind"] == "silent"
    site.say("P2", "heat", 99.0, site.now - 3 * SECOND)  # late, and still of the old one
    assert site.all()["P2"] == "unknown"
    site.say("P2", "heat", 20.0)
    assert site.all()["P2"] == "ok"
    site.restart()
    assert site.all()["P2"] == "ok"


def test_old_readings_say_nothing_after_the_next_restart_either(site: Site, when: Any) -> None:
    site.now += SECOND
    site.say("P2", "heat", 99.0)
    when(lambda: _deleted(site), lambda: _anew(site))
    assert site.all()["P2"] == "unknown"

    site.restart()

    assert site.all()["P2"] == "unknown"
    assert site.all()["P1"] == "ok"


def test_a_kill_forgets_no_end(site: Site) -> None:
    """The book has it before anything answers."""
    say(site, "P2", "failed")
    _deleted(site)
    _anew(site)
    site.all()

    site.telemetry.close()  # and nothing else
    site.open()

    assert site.reason("P2")["kind"] == "silent"


def test_a_book_of_another_feed_keeps_what_is_said_of_twins_that_are_there(site: Site) -> None:
    """As after a restore, which begins the feed anew."""
    say(site, "P1", "degraded")
    say(site, "P2", "failed")
    site.shut()
    _deleted(site)
    book = StateBook(site.folder / FILE_NAME)
    book.write(followed=Followed(10_000, "of another feed"))
    book.close()
    site.open()

    assert site.all()["P1"] == "degraded"
    _anew(site)
    assert site.reason("P2")["kind"] == "silent"
    assert [one["state"] for one in site.ask(HISTORY, id="P2")["stateHistory"]] == [None, "failed"]


def test_a_book_from_before_deletions_were_followed_is_taken(site: Site) -> None:
    say(site, "P1", "degraded")
    site.shut()
    book = StateBook(site.folder / FILE_NAME)
    book._db.executescript("DROP TABLE followed; DROP TABLE ended; PRAGMA user_version = 1")
    book.close()
    site.open()

    assert site.all()["P1"] == "degraded"


def test_the_new_one_has_not_been_through_what_the_old_one_has(tmp_path: Path) -> None:
    """A battery half spent goes with its room."""
    site = plant_site(tmp_path, BATTERY, [("A", "T"), ("B", "T")])
    try:
        say(site, "T", "failed")
        down(site)
        _passes(site, 3 * HOUR)
        say(site, "T", None)
        down(site)
        site.graph.delete_twins(["A"])
        site.graph.write_twins([TwinInput("A", "dtmi:site:Room;1")])
        site.graph.write_relationships([RelationshipInput("A", "cooledBy", "T")])
        say(site, "T", "failed")
        assert down(site) == ["T"]

        _passes(site, HOUR + MINUTE)

        assert down(site) == ["B", "T"]
    finally:
        site.close()
