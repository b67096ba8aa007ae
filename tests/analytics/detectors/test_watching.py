"""The watch: readings in columns come in, alarms and health come out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.analytics.detectors import plants
from twinfall.analytics.alarms import Alarm
from twinfall.analytics.membership import Asset
from twinfall.analytics.watching import Watch
from twinfall.ontology.errors import BadInput, UnknownName


def alarms_of(
    watch: Watch, values: plants.Floats, size: int = 7, start: int = plants.START
) -> list[Alarm]:
    found: list[Alarm] = []
    for piece in plants.pieces(plants.readings(values, start=start), size):
        found += watch.observe(*piece)
    return found


def test_a_healthy_run_never_seen_before_raises_no_alarm(tmp_path: Path) -> None:
    assert alarms_of(plants.watch(tmp_path), plants.running(99, 200)) == []


def test_a_fault_raises_one_alarm_that_says_since_when_and_why(tmp_path: Path) -> None:
    watch = plants.watch(tmp_path)
    told: list[Alarm] = []
    watch.listen(told.append)
    found = alarms_of(watch, plants.seized(99))
    assert [alarm.state for alarm in found] == ["RAISED"]
    assert told == found
    alarm = found[0]
    assert alarm.twin == "P1"
    assert 100 <= (alarm.onset - plants.START) / plants.SECOND <= 110
    assert alarm.at == alarm.onset + plants.SECOND
    first = alarm.symptoms[0]
    assert (first.address, first.name, first.unit) == ("P1/motor", "temperature", "degC")
    assert first.observed > first.expected > 50
    assert len(alarm.symptoms) == 3
    assert alarm.suspect == "P1"
    assert watch.standing() == found


def test_one_score_above_the_threshold_is_no_alarm_and_two_are(tmp_path: Path) -> None:
    from twinfall.analytics.alarms import Episodes

    episodes = Episodes()
    episodes.grow(1)
    only, full = np.array([0]), np.array([1.0])

    def take(score: float, at: int) -> list[str]:
        return [s for _, s in episodes.take(only, np.array([at]), np.array([score]), full)]

    assert take(5.0, 1) == []
    assert take(0.9, 2) == []
    assert take(5.0, 3) == []
    assert take(float("nan"), 4) == []  # nothing known confirms nothing
    assert take(1.1, 5) == []
    assert take(1.1, 6) == ["RAISED"]
    assert episodes.onset(0) == 5


def test_an_alarm_clears_when_all_is_well_for_a_while(tmp_path: Path) -> None:
    watch = plants.watch(tmp_path)
    values = np.concatenate([plants.seized(99), plants.running(98, 100)])
    found = alarms_of(watch, values)
    assert [alarm.state for alarm in found] == ["RAISED", "CLEARED"]
    assert found[0].id == found[1].id
    assert found[1].at > found[0].at
    assert found[1].score < 0.7
    assert watch.standing() == []


@pytest.mark.parametrize("size", [1, 3, 64, 1000])
def test_the_size_of_micro_batches_changes_nothing(tmp_path: Path, size: int) -> None:
    usual = alarms_of(plants.watch(tmp_path / "a"), plants.seized(99), size=5)
    assert alarms_of(plants.watch(tmp_path / "b"), plants.seized(99), size=size) == usual


def test_readings_out_of_order_by_a_period_give_the_same_alarm(tmp_path: Path) -> None:
    values = plants.seized(99)
    usual = alarms_of(plants.watch(tmp_path / "a"), values)
    series, times, numbers = plants.readings(values)
    order = np.argsort(times + np.random.default_rng(0).integers(0, plants.SECOND, len(times)))
    # Neighbouring samples swap readings.
    shifted = np.argsort(
        np.arange(len(order)) + np.random.default_rng(1).integers(0, 5, len(order))
    )
    watch = plants.watch(tmp_path / "b")
    found = []
    for at in range(0, len(shifted), 5):
        part = shifted[at : at + 5]
        found += watch.observe(series[part], times[part], numbers[part])
    assert [(a.id, a.state) for a in found] == [(a.id, a.state) for a in usual]


def test_many_assets_watched_at_once_alarm_as_each_would_alone(tmp_path: Path) -> None:
    watch, alone = plants.watch(tmp_path / "a", pumps=6), plants.watch(tmp_path / "b", pumps=6)
    runs = [plants.seized(50) if n == 3 else plants.running(60 + n, 200) for n in range(6)]
    columns = [plants.readings(run, n + 1) for n, run in enumerate(runs)]
    series, times, numbers = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(times, kind="stable")
    found, expected = [], []
    for at in range(0, len(order), 200):
        part = order[at : at + 200]
        found += watch.observe(series[part], times[part], numbers[part])
    for column in columns:
        expected += alone.observe(*column)
    assert {(a.id, a.state, a.at) for a in found} == {(a.id, a.state, a.at) for a in expected}
    assert [a.state for a in found if a.twin == "P4"] == ["RAISED"]


def test_health_is_full_when_well_falls_with_the_fault_and_is_unknown_at_first(
    tmp_path: Path,
) -> None:
    watch = plants.watch(tmp_path)
    assert watch.health("nobody") == []
    (cold,) = watch.health("P1")
    assert (cold.state, cold.value, cold.warmth) == ("COLD", None, "COLD")
    values = plants.seized(99)
    watch.observe(*plants.readings(values[:90]))
    (well,) = watch.health("P1")
    assert well.state == "NORMAL"
    assert well.warmth == "OWN"
    assert well.value == pytest.approx(100, abs=2)
    watch.observe(*plants.readings(values[90:], start=plants.START + 90 * plants.SECOND))
    (ill,) = watch.health("P1")
    assert ill.state == "ALARM"
    assert ill.value is not None
    assert ill.value < 60
    assert ill.symptoms[0].address == "P1/motor"


def test_an_asset_most_of_whose_sensors_are_silent_is_unknown_not_well(tmp_path: Path) -> None:
    watch = plants.watch(tmp_path)
    values = plants.running(99, 60)
    series, times, numbers = plants.readings(values)
    silent = (times >= plants.START + 30 * plants.SECOND) & (series % 5 != 0)
    watch.observe(series[~silent], times[~silent], numbers[~silent])
    (health,) = watch.health("P1")
    assert (health.state, health.value) == ("UNKNOWN", None)


def test_a_twin_never_trained_on_is_watched_by_what_is_normal_for_its_model(
    tmp_path: Path,
) -> None:
    watch = plants.watch(tmp_path, pumps=3)
    watch.follow(plants.MODEL, [plants.asset(4)])
    watch.observe(*plants.readings(plants.running(77, 100), pump=4))
    (health,) = watch.health("P4")
    assert health.warmth == "FLEET"
    assert health.state == "NORMAL"


def test_after_a_long_gap_an_asset_is_cold_again(tmp_path: Path) -> None:
    watch = plants.watch(tmp_path)
    watch.observe(*plants.readings(plants.running(99, 60)))
    later = plants.START + 1000 * plants.SECOND
    watch.observe(*plants.readings(plants.running(98, 4), start=later))
    assert watch.health("P1")[0].state == "COLD"


def test_a_reading_of_a_judged_sample_is_late_and_changes_nothing(tmp_path: Path) -> None:
    watch = plants.watch(tmp_path)
    watch.observe(*plants.readings(plants.running(99, 60)))
    before = watch.health("P1")
    watch.observe(*plants.readings(np.full((3, 5), 1e6), start=plants.START))
    assert watch.late() == 15
    assert watch.health("P1") == before


def test_a_restart_keeps_detector_and_standing_alarms_and_raises_none_twice(
    tmp_path: Path,
) -> None:
    values = plants.seized(99)
    first = plants.watch(tmp_path)
    (raised,) = alarms_of(first, values)
    # The service stops and starts: a new watch on the same folder, fed the last samples again.
    again = Watch(tmp_path)
    again.bind(plants.key)
    again.follow(plants.MODEL, [plants.asset(1)])
    assert again.standing() == [raised]
    rows = again.look_back() // plants.SECOND
    tail = plants.START + (200 - rows) * plants.SECOND
    again.refill(*plants.readings(values[-rows:], start=tail))
    end = plants.START + 200 * plants.SECOND
    found = alarms_of(again, plants.seized(97, 100, at=0)[:20], start=end)
    assert found == []
    found = alarms_of(again, plants.running(98, 100), start=end + 20 * plants.SECOND)
    assert [(alarm.id, alarm.state) for alarm in found] == [(raised.id, "CLEARED")]
    assert Watch(tmp_path).standing() == []


def test_series_of_other_assets_are_nobodys_business(tmp_path: Path) -> None:
    watch = plants.watch(tmp_path)
    assert watch.observe(*plants.readings(plants.running(99, 60), pump=30)) == []
    assert watch.health("P30") == []


def test_a_twin_that_is_gone_is_watched_no_more(tmp_path: Path) -> None:
    watch = plants.watch(tmp_path)
    alarms_of(watch, plants.seized(99))
    watch.leave(["P1"])
    assert watch.health("P1") == []
    assert watch.standing() == []
    end = plants.START + 200 * plants.SECOND
    assert watch.observe(*plants.readings(plants.running(99, 60), start=end)) == []


def test_a_failing_listener_is_logged_and_the_next_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch = plants.watch(tmp_path)
    told: list[Alarm] = []

    def fail(alarm: Alarm) -> None:
        raise RuntimeError("no network")

    watch.listen(fail)
    watch.listen(told.append)
    alarms_of(watch, plants.seized(99))
    assert len(told) == 1
    assert told[0].id in caplog.text


def test_the_suspect_is_the_contained_twin_whose_sensors_explain_the_alarm(
    tmp_path: Path,
) -> None:
    station = Asset("S", {"S": "", "S-motor": "motor"})
    watch = Watch(tmp_path)
    watch.bind(lambda at: ("S-motor" if at > 2 else "S", plants.COLUMNS[at].name))
    watch.follow(plants.MODEL, [station])
    watch.train(plants.MODEL, {"S": plants.traces(plants.running(0))})
    (alarm,) = alarms_of(watch, plants.seized(99))
    assert (alarm.twin, alarm.suspect) == ("S", "S-motor")


def test_a_model_without_detector_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="dtmi:example:Fan;1"):
        plants.watch(tmp_path).detector("dtmi:example:Fan;1")


def test_too_little_history_is_refused_and_the_old_detector_stays(tmp_path: Path) -> None:
    watch = plants.watch(tmp_path)
    old = watch.detector(plants.MODEL)
    with pytest.raises(BadInput, match="59 usable rows; a detector needs at least 60"):
        watch.train(plants.MODEL, {"P1": plants.traces(plants.running(0, 59))})
    assert watch.detector(plants.MODEL) is old


def test_a_spoilt_detector_file_is_named_and_the_others_work(tmp_path: Path) -> None:
    plants.watch(tmp_path)
    (tmp_path / "Fan.json").write_text("{")
    watch = Watch(tmp_path)
    assert list(watch.unreadable) == ["Fan.json"]
    assert list(watch.detectors()) == [plants.MODEL]
