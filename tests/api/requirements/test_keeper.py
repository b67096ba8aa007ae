"""Requirements that are kept: events when one breaks or holds again, alarms, and what survives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.actions.plants import Works
from twinfall.api.networks import LiveNetwork
from twinfall.api.requirements.file import RequirementsFile
from twinfall.api.requirements.keeper import Keeper
from twinfall.api.requirements.wiring import attend_requirements
from twinfall.graph.records import Asked, NewRequirementEvent, Records, RequirementEvent
from twinfall.graph.records import requirements as table
from twinfall.graph.twins import RelationshipInput, RelationshipKey
from twinfall.ontology.errors import BadSettings, Unavailable

MARGIN = """version: 1
requirements:
  - name: a pump to spare
    of: {models: [Tank]}
    require: {margin: {group: feeds, min: 1}}
"""
DAY = 86_400 * 1_000_000_000
POLICY = """version: 1
rules:
  - name: tell the planners
    when: {source: requirement}
    do: [{workOrder: {title: "{source} at {twin}"}}]
"""


class Kept:
    """A waterworks with a keeper, whose events are gathered."""

    def __init__(self, folder: Path) -> None:
        self.works = Works(folder, POLICY)
        self.file = folder / "r.yaml"
        self.file.write_text(MARGIN)
        self.events: list[RequirementEvent] = []
        self.open()

    def open(self) -> None:
        records, clock = self.works.actions.records, self.works.clock
        networks = LiveNetwork(self.works.graph)
        file = RequirementsFile(self.file)
        self.keeper = Keeper(file, self.works.graph, networks, records, clock)
        attend_requirements(self.works.actions, self.keeper)
        self.unwatch = self.keeper.watch(self.events.append)

    def restart(self) -> None:
        self.works.actions.stop()
        self.works.open()
        self.open()

    def cut(self) -> None:
        self.works.graph.delete_relationships([RelationshipKey("P2", "feeds:T1")])

    def mend(self) -> None:
        self.works.graph.write_relationships([RelationshipInput("P2", "feeds", "T1")])

    def told(self) -> list[tuple[str, str | None, str]]:
        return [(one.name, one.before, one.verdict) for one in self.events]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.keeper.stop()
    made.works.actions.stop()
    made.works.store.store.close()


def test_a_requirement_that_breaks_and_holds_again_is_told_each_time(kept: Kept) -> None:
    kept.keeper.look()
    kept.works.clock.now += DAY
    kept.cut()
    kept.keeper.look()
    kept.mend()
    kept.keeper.look()

    assert kept.told() == [
        ("a pump to spare", None, "held"),
        ("a pump to spare", "held", "broken"),
        ("a pump to spare", "broken", "held"),
    ]
    broken = kept.events[1]
    assert broken.at == kept.events[0].at + DAY
    assert broken.finding["witnesses"][0]["id"] == "T1"
    assert [one.verdict for one in kept.keeper.events(None, 10)] == ["held", "broken", "held"]


def test_without_a_change_nothing_is_checked_again(kept: Kept) -> None:
    assert [kept.keeper.look(), kept.keeper.look()] == [True, False]
    kept.cut()
    assert [kept.keeper.look(), kept.keeper.look()] == [True, False]


def test_a_change_that_moves_no_verdict_is_no_event(kept: Kept) -> None:
    kept.keeper.look()
    kept.works.graph.delete_relationships([RelationshipKey("T1", "feeds:H1")])

    assert kept.keeper.look()
    assert len(kept.events) == 1


def test_who_no_longer_watches_is_told_nothing(kept: Kept) -> None:
    kept.unwatch()
    kept.keeper.look()

    assert kept.events == []


def test_a_listener_that_fails_keeps_nobody_from_hearing(kept: Kept) -> None:
    def stumble(_: RequirementEvent) -> None:
        raise RuntimeError("a stranger's bug")

    heard: list[str] = []
    kept.keeper.watch(stumble)
    kept.keeper.watch(lambda event: heard.append(event.name))
    kept.keeper.look()

    assert heard == ["a pump to spare"]


def test_since_when_a_verdict_stands_outlives_a_restart(kept: Kept) -> None:
    kept.keeper.look()
    began = kept.keeper.kept.since["a pump to spare"]
    kept.works.clock.now += DAY
    kept.restart()

    assert kept.keeper.current().since == {"a pump to spare": began}
    assert len(kept.events) == 1


def test_what_broke_while_nobody_looked_is_told_at_the_start(kept: Kept) -> None:
    kept.keeper.look()
    kept.cut()
    kept.restart()
    kept.keeper.look()

    assert kept.told()[-1] == ("a pump to spare", "held", "broken")


def test_the_file_is_read_again_when_it_changed(kept: Kept) -> None:
    kept.keeper.look()
    kept.file.write_text(MARGIN.replace("min: 1", "min: 2") + "\n")
    kept.keeper.look()

    assert kept.told()[-1] == ("a pump to spare", "held", "broken")


def test_a_bad_file_is_a_problem_that_names_its_lines_until_it_is_mended(kept: Kept) -> None:
    kept.keeper.look()
    kept.file.write_text(MARGIN.replace("Tank", "Tonk") + "\n")
    kept.keeper.look()
    assert "line 4 /requirements/0/of/models/0: " in kept.keeper.kept.problem
    assert 'did you mean "Tank"?' in kept.keeper.kept.problem
    assert kept.keeper.kept.report is None

    kept.file.write_text(MARGIN + "\n\n")
    kept.keeper.look()

    assert kept.keeper.kept.problem == ""
    assert len(kept.events) == 1


def test_without_a_file_nothing_is_kept(kept: Kept) -> None:
    kept.keeper.look()
    kept.file.unlink()

    assert kept.keeper.current().report is None


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="there is no such file"):
        RequirementsFile(tmp_path / "none.yaml", named=True)


def test_a_skip_that_ends_is_judged_without_any_other_change(kept: Kept) -> None:
    day = "2024-01-01"
    skip = f'    skip: {{until: {day}, reason: "new"}}\n'
    kept.file.write_text(MARGIN.replace("min: 1", "min: 2") + skip)
    kept.keeper.look()
    kept.works.clock.now += 365 * DAY
    kept.keeper.look()

    assert [verdict for *_, verdict in kept.told()] == ["skipped", "broken"]


def test_a_store_that_is_away_changes_no_verdict(kept: Kept) -> None:
    kept.keeper.look()
    kept.cut()
    kept.works.store.away = True

    with pytest.raises(Unavailable):
        kept.keeper.look()

    kept.works.store.away = False
    assert kept.told() == [("a pump to spare", None, "held")]


# -- alarms ---------------------------------------------------------------------------------


def test_a_broken_requirement_is_an_alarm_on_its_worst_witness_until_it_holds(kept: Kept) -> None:
    actions = kept.works.actions
    kept.cut()
    kept.keeper.look()
    actions.agree()

    (alarm,) = actions.records.alarms(Asked(open=True)).rows
    assert (alarm.twin, alarm.source) == ("T1", "requirement:a pump to spare")
    assert alarm.severity == "critical"
    (order,) = actions.records.work_orders(Asked()).rows
    assert order.title == "requirement:a pump to spare at T1"

    kept.mend()
    kept.keeper.look()
    actions.agree()
    assert actions.records.alarms(Asked(open=True)).rows == []


def test_an_alarm_stays_over_a_restart_until_the_first_check_says_otherwise(kept: Kept) -> None:
    kept.cut()
    kept.keeper.look()
    kept.works.actions.agree()
    kept.restart()
    actions = kept.works.actions

    actions.agree()
    assert len(actions.records.alarms(Asked(open=True)).rows) == 1
    kept.mend()
    kept.keeper.look()
    actions.agree()
    assert actions.records.alarms(Asked()).total == 1
    assert actions.records.alarms(Asked(open=True)).rows == []


# -- in the background ----------------------------------------------------------------------


def test_a_started_keeper_notices_by_itself(kept: Kept) -> None:
    kept.keeper.start()
    _until(lambda: len(kept.events) == 1)
    kept.cut()
    _until(lambda: len(kept.events) == 2)

    assert kept.told()[-1][2] == "broken"


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# -- the records ----------------------------------------------------------------------------


def test_old_events_are_forgotten_but_the_last_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_KEPT", 3)
    records = Records(tmp_path / "records.sqlite")
    try:
        for name in ("quiet", *["busy"] * 9):
            with records.change("requirement", name, who="tests") as change:
                change.note_verdict(NewRequirementEvent(name, None, "held", "1-a", {}))
        found = records.requirement_events(None, 100)

        assert [one.name for one in found] == ["busy"] * 3 + ["quiet"]
        assert [one.name for one in records.last_requirement_events()] == ["busy", "quiet"]
        assert len(records.audit()) == 10
    finally:
        records.close()
