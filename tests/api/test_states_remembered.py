"""What the live plant has been through, at the door: loops that broke, whoever looked meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_states import DEPENDENCIES, MODELS, SECOND, Site, interface, relationship
from twinfall.graph.twins import RelationshipInput, TwinInput

SAY = "mutation($id: ID!, $state: State) { setState(id: $id, state: $state) { at } }"
REASON = "query($id: ID!) { twin(id: $id) { _state _stateReason { kind message } } }"
ROOMS = [interface("Room", relationship("cooledBy"))]
"""Rooms of one cooling system: the plant starts them, and then they hold each other."""
HOLD: dict[str, Any] = {
    "version": 1,
    "interfaces": {
        "dtmi:site:Room;1": {
            "contents": {
                "cooledBy": {
                    "dependent": "source",
                    "group": "cold",
                    "rule": "any",
                    "loop": "sustain",
                }
            }
        }
    },
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    both = {**DEPENDENCIES["interfaces"], **HOLD["interfaces"]}
    made.graph.load_models([*MODELS, *ROOMS], [{"version": 1, "interfaces": both}])
    made.graph.write_twins([TwinInput(one, "dtmi:site:Room;1") for one in ("A", "B", "C")])
    made.graph.write_relationships(
        [
            RelationshipInput(*row)
            for row in (
                ("A", "cooledBy", "T"), ("A", "cooledBy", "B"), ("B", "cooledBy", "A"),
                ("C", "cooledBy", "B"),
            )
        ]
    )  # fmt: skip
    made.well()
    made.all()
    yield made
    made.close()


def say(site: Site, twin: str, state: str | None) -> None:
    site.now += SECOND
    site.ask(SAY, id=twin, state=state)


def down(site: Site) -> list[str]:
    return sorted(id_ for id_, state in site.all().items() if state == "failed")


def break_loop(site: Site) -> None:
    """The tank is away, on which A and B ran on until A failed; A is in order again."""
    for twin, state in (("T", "failed"), ("A", "failed"), ("A", None)):
        say(site, twin, state)
        site.states.networks.look()


def test_a_loop_runs_on_without_what_started_it(site: Site) -> None:
    say(site, "T", "failed")

    assert down(site) == ["T"]


def test_a_loop_that_broke_stays_down_and_says_why_though_nobody_asked(site: Site) -> None:
    break_loop(site)

    assert down(site) == ["A", "B", "C", "T"]
    assert site.ask(REASON, id="A")["twin"] == {
        "_state": "failed",
        "_stateReason": {
            "kind": "dependency",
            "message": 'its group "cold" lost 2 of 2: B, T',
        },
    }


def test_it_is_started_by_the_word_of_a_person_that_it_runs(site: Site) -> None:
    break_loop(site)

    say(site, "A", "ok")
    started = down(site)
    say(site, "A", None)

    assert started == ["T"]
    assert down(site) == ["T"]


def test_it_is_started_by_what_started_it(site: Site) -> None:
    break_loop(site)

    say(site, "T", None)

    assert down(site) == []


def test_it_stays_down_while_the_graph_is_written_and_twins_of_it_go(site: Site) -> None:
    break_loop(site)
    site.graph.write_twins([TwinInput("D", "dtmi:site:Room;1")])
    site.graph.write_relationships([RelationshipInput("D", "cooledBy", "C")])
    grown = down(site)

    site.graph.delete_twins(["B"])

    assert grown == ["A", "B", "C", "D", "T"]
    assert "A" in down(site)


def test_many_who_ask_while_much_happens_get_answers_and_the_same_end(site: Site) -> None:
    """Failures and repairs, twins that come, and questions from six threads."""
    over, trouble = threading.Event(), list[BaseException]()

    def ask() -> None:
        try:
            while not over.is_set():
                found = site.states.networks.current()
                assert found.state("G") == "ok"
                assert found.impact(["G"]).count > 0
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for i in range(80):
            site.now += SECOND if i % 7 else -3 * SECOND
            site.ask(SAY, id="TAB"[i % 3], state=None if i % 6 > 2 else "failed")
            if i % 20 == 0:
                site.graph.write_twins([TwinInput(f"R{i}", "dtmi:site:Room;1")])
        for twin in "TAB":
            say(site, twin, None)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert trouble == []
    say(site, "T", None)
    assert down(site) == []
