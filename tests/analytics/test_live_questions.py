"""A live plant hour by hour, and what its failures would take along, against an evolution that has
seen everything and is asked by letting it happen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.plant import assets
from tests.analytics.test_past import Watch
from twinfall.analytics import AssetNetwork
from twinfall.analytics.evolution import Evolution

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
UNITS = [f"U{i}" for i in range(6)]
LONG = 1e9
Links = st.lists(st.tuples(st.sampled_from(UNITS), st.sampled_from(UNITS)), max_size=7, unique=True)


def _declared(rule: str, loop: str, autonomy: str) -> dict[str, Any]:
    needs = {
        "dependent": "source", "group": "power", "rule": rule, "loop": loop, "autonomy": autonomy,
        "recharge": "PT8H", "transfer": {"from": "lag", "default": "PT0S"},
    }  # fmt: skip
    return {
        "Machine": {"asset": {"source": "water", "blackStart": True}},
        "Unit": {
            "asset": {"conducts": {"from": "closed", "default": True}},
            "contents": {"joins": {"mode": "network", "carrier": "water"}, "needs": needs},
        },
    }


@st.composite
def plants(draw: st.DrawFn) -> AssetNetwork:
    declared = _declared(
        draw(st.sampled_from(["any", "all"])),
        draw(st.sampled_from(["grounded", "sustain"])),
        draw(st.sampled_from(["PT0S", "PT4H", "PT4H"])),
    )
    twins = {one: {} for one in UNITS} | {"U0": {"model": "Machine"}, "U1": {"model": "Machine"}}
    lags = st.sampled_from([{}, {}, {"lag": "PT1H"}])
    links = [(one, "needs", other, draw(lags)) for one, other in draw(Links) if one != other]
    links += [(one, "joins", other) for one, other in draw(Links) if one < other]
    return assets(declared, twins, links)


def _rows(
    found: Evolution, without: Evolution, plain: AssetNetwork, failed: str, now: float
) -> Any:
    positions = np.flatnonzero(found.down & ~without.down).astype(np.int32)
    times = found.falls(positions).time - now
    rows = zip((plain.ids[at] for at in positions.tolist()), times.tolist(), strict=True)
    return {id_: pytest.approx(time, abs=1e-3) for id_, time in rows if id_ != failed}


@FEW
@given(plants(), st.data())
def test_a_failure_takes_along_what_it_would_if_it_came(plain: AssetNetwork, data: Any) -> None:
    watch, truth = Watch(plain), Evolution(plain.network)
    watch.conducts = dict.fromkeys(UNITS, True)
    watch.after(0)
    hours = 0.0
    for _ in range(data.draw(st.integers(1, 6))):
        unit = data.draw(st.sampled_from(UNITS))
        at = plain.position_of(unit)
        passed = data.draw(st.sampled_from([0.5, 1.0, 3.0, 5.0]))
        watch.after(passed)
        hours += passed
        truth.advance(hours * 3600)
        if data.draw(st.booleans()):
            on = not watch.conducts[unit]
            watch.set(unit, on, after=0)
            truth.switch(at, on)
        elif unit in watch.failed:
            watch.repair(unit)
            truth.repair(at)
        else:
            watch.fail(unit)
            truth.fail(at)

        now = watch.after(0.01)  # what happens in one moment happens together
        hours += 0.01
        truth.advance(hours * 3600)
        down = np.flatnonzero(truth.down[: plain.visible])
        assert now.baseline_down == tuple(plain.ids[at] for at in down.tolist())
        for horizon in (3600.0, LONG):
            without = truth.fork()
            without.advance(truth.now + horizon)
            for asked in set(UNITS) - set(watch.failed):
                found = truth.fork()
                found.fail(plain.position_of(asked))
                found.advance(truth.now + horizon)
                rows = {row.id: row.at for row in now.impact([asked], horizon).affected()}
                assert rows == _rows(found, without, plain, asked, truth.now)
