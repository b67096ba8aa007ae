"""The plant some time after a scenario has happened, as a live state to put questions to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from twinfall.analytics.limits import NANO
from twinfall.analytics.past import going_on
from twinfall.analytics.states import Standing
from twinfall.analytics.timeline import Step, timeline
from twinfall.analytics.whatif.unfolding import doings

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork
    from twinfall.analytics.whatif.outcome import Outcome


def afterwards(outcome: Outcome, after: float, now: int) -> AssetNetwork:
    """The plant so many seconds after a scenario that happens at `now` (ns), with all that was done
    by then. What is down there is what the timeline has down. After changes also what they cut
    off, whether or not it has a buffer, and buffers in use hold what is left of a full one.
    """
    assets, plant = outcome.assets, outcome.plant
    done = doings(assets, plant, outcome.failed, outcome.scenario)
    until = done.begin + after
    found = timeline(done.plant, done.steps, until)
    steps = sorted((one for one in done.steps if one.at <= until), key=lambda one: one.at)
    steps[0] = replace(steps[0], fail=tuple(one for one in steps[0].fail if one not in done.again))
    standing = _done(assets, assets.standing, steps, now - round(done.begin * NANO))
    moment = now + round(after * NANO)
    if plant.prop is None:
        found.evolution.advance(until)
        return going_on(assets, standing, moment, found.evolution)
    under = assets.under(standing, moment)
    down = found.evolution.down[: assets.visible]
    gone = np.flatnonzero(down & ~under.course.down[: assets.visible])
    times = found.evolution.falls(gone.astype(np.int32)).time
    stopped = {
        assets.ids[at]: 0 if time == -np.inf else now + round((time - done.begin) * NANO)
        for at, time in zip(gone.tolist(), times.tolist(), strict=True)
    }
    return assets.under(replace(standing, stopped=stopped), moment)


def _done(assets: AssetNetwork, standing: Standing, steps: Iterable[Step], origin: int) -> Standing:
    """The states once these steps were taken; their times count from `origin` (ns)."""
    own, since = dict.fromkeys(standing.failed), dict(standing.since)
    conducts, repaired = dict(standing.conducts), set[str]()
    out = set(standing.out)
    for step in steps:
        back = {assets.ids[at] for at in step.repair}
        repaired |= back
        own = {id_: None for id_ in own if id_ not in back}
        out -= back
        conducts.update((assets.ids[at], True) for at in step.close)
        conducts.update((assets.ids[at], False) for at in step.open)
        fresh = [assets.ids[at] for at in step.fail if at < len(assets.ids)]
        new = (id_ for id_ in fresh if id_ not in own and id_ not in out)
        since.update((id_, origin + round(step.at * NANO)) for id_ in new)
        own.update(dict.fromkeys(fresh))
    gone = repaired | own.keys()

    def left(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in ids if one not in gone)

    return replace(
        standing,
        failed=tuple(sorted(own)),
        out=left(standing.out),
        unknown=left(standing.unknown),
        degraded=left(standing.degraded),
        since=since,
        conducts=conducts,
        stopped={},
    )
