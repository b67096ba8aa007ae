"""Demands about how assets are now: up, in some states, evaluated."""

from __future__ import annotations

import numpy as np

from twinfall.analytics.requirements.judging import Judged, unclear_among
from twinfall.analytics.requirements.moment import Moment, Rows
from twinfall.analytics.requirements.report import Witness
from twinfall.analytics.requirements.requirement import Evaluated, InState, Up
from twinfall.analytics.states import STATES

_NONE = np.zeros(0, np.int32)


def up(moment: Moment, demand: Up, assets: Rows) -> Judged:
    """Not down, by whatever reason."""
    failing = assets[moment.down[assets]]

    def witness(asset: int) -> Witness:
        return Witness(moment.ids[asset], moment.why_down(asset))

    unclear = unclear_among(moment, assets, failing)
    return Judged(failing, "down", witness, unclear, moment.why_unknown)


def in_state(moment: Moment, demand: InState, assets: Rows) -> Judged:
    """In one of the states; the worst state first."""
    twins = assets[assets < moment.assets.twins]
    states = [moment.assets.state(moment.ids[int(row)]) for row in twins]
    bad = [(-STATES.index(s), int(row)) for s, row in zip(states, twins, strict=True)]
    wrong = [row for rank, row in sorted(bad) if STATES[-rank] not in demand.states]

    def witness(asset: int) -> Witness:
        id_ = moment.ids[asset]
        reason = moment.assets.reason(id_)
        why = f": {reason.message}" if reason else ""
        return Witness(id_, f"it is {moment.assets.state(id_)}{why}")

    text = f"not {' or '.join(demand.states)}"
    return Judged(np.array(wrong, np.int32), text, witness, _NONE, moment.why_unknown)


def evaluated(moment: Moment, demand: Evaluated, assets: Rows) -> Judged:
    """Nothing of them stands in notEvaluated."""
    reasons: dict[str, list[str]] = {}
    for row in moment.assets.not_evaluated:
        reasons.setdefault(row.id, []).append(row.reason)
    failing = assets[moment.assets.flags(reasons)[assets]]

    def witness(asset: int) -> Witness:
        id_ = moment.ids[asset]
        return Witness(id_, "; ".join(reasons[id_]), float(len(reasons[id_])))

    text = "not evaluated fully"
    return Judged(failing, text, witness, _NONE, moment.why_unknown)
