"""What a scenario comes to: the impact in it, and what is different from the plant as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.explaining import AssetImpact, Totals
from twinfall.analytics.lasting import lasting
from twinfall.analytics.limits import NANO
from twinfall.analytics.network import FOREVER
from twinfall.analytics.past import going_on, otherwise, plant_now
from twinfall.analytics.states import Standing
from twinfall.analytics.whatif.editing import edited
from twinfall.analytics.whatif.fitting import Fit
from twinfall.analytics.whatif.luck import failures
from twinfall.analytics.whatif.propping import Propped, propped
from twinfall.analytics.whatif.scenario import Hazard, Scenario, check, draft
from twinfall.analytics.whatif.unfolding import Unfolding, standing_at_end, unfold
from twinfall.analytics.whatif.warning import warnings
from twinfall.ontology.declarations import Binding
from twinfall.ontology.errors import Problem, Refused

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork
    from twinfall.ontology.declarations import Dependencies
    from twinfall.ontology.ontology import Ontology

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LIKELY = 0.5
"""Assets with at least this probability fail in the impact that is told in full."""
MAX_TRIED = 20_000_000
"""Samples times assets that the event may fail."""
MAX_TESTED = 1_000_000_000
"""Corners looked at: of the polygon, times assets."""
MAX_LISTED = 100
"""Assets whose probability is told, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Over all samples: the mean, its standard error, and the 5th, 50th and 95th percentile."""

    mean: float
    error: float
    p5: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Likely:
    """How likely an asset is to be down in the end because of the event."""

    id: str
    probability: float
    error: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What an event takes along, over many samples of it; in the end, whatever the horizon.

    The same asset has the same luck in the same sample of any scenario with this seed, so that
    two scenarios differ by what they change and not by chance.
    """

    samples: int
    exposed: int
    assets: Spread
    customers: Spread
    value: Spread
    likeliest: tuple[Likely, ...]


@dataclass(frozen=True)
class Outcome:
    """`scenario` as it was read; `assets` is the plant in it, `plant` the same with what held it
    until then. `impact` is what its failures take along there, `without` the totals of the same
    failures in the plant as it is. `newly_down` and `recovered` compare what is down by the
    horizon, failed ones included, with the plant as it is; what is done later apart. `warnings`
    are about what changes or hits nothing.
    """

    scenario: Scenario
    assets: AssetNetwork
    plant: Propped
    impact: AssetImpact
    without: Totals | None
    newly_down: tuple[str, ...]
    recovered: tuple[str, ...]
    expected: Expected | None
    warnings: tuple[Problem, ...] = ()

    @cached_property
    def timeline(self) -> Unfolding:
        """What falls and rises from the scenario on, until its horizon; what the plant as it is has
        down already apart.
        """
        return unfold(self.assets, self.plant, self.failed, self.scenario)

    @property
    def failed(self) -> tuple[str, ...]:
        """What fails when it happens: what it says, and what its hazard more likely fails than
        not.
        """
        return tuple(self.assets.ids[int(at)] for at in self.impact.whole.failed)

    @cached_property
    def newly_down_totals(self) -> Totals:
        """Over all that is newly down."""
        return self.impact.sums(self.assets.positions(self.newly_down))

    @property
    def snapshot(self) -> str:
        """The version of the plant that the scenario was put to."""
        return self.assets.snapshot


def what_if(
    assets: AssetNetwork,
    scenario: Any,
    ontology: Ontology,
    dependencies: Dependencies,
    *,
    spread: bool = True,
) -> Outcome:
    """Put a scenario to a plant: a Scenario, or what `read_scenario` reads. The plant is not
    touched; edits cost a compilation. Without `spread` a hazard is not tried many times.

    Raises BadScenario with all that is wrong, be it with the text or with what it asks of this
    plant; Refused for a hazard that would take minutes.
    """
    if isinstance(scenario, Scenario):
        read, members = scenario, scenario.members()
    else:
        read, members = draft(scenario)
    fit = Fit(assets, (ontology, dependencies), members)
    fit.look(read)
    check(members)
    return _outcome(fit, read, spread)


def _outcome(fit: Fit, scenario: Scenario, spread: bool) -> Outcome:
    assets, changed = _moved(fit.assets, scenario), _moved(_changed(fit, scenario), scenario)
    horizon = _horizon(scenario)
    probability, inside = _exposed(changed, scenario.hazard, fit.dependencies)
    hit = [changed.ids[int(i)] for i in np.flatnonzero(probability >= LIKELY)]
    failed = list(dict.fromkeys([*scenario.fail, *hit]))
    impact = changed.impact(failed, scenario.horizon)
    plant = propped(changed, assets) if scenario.edits else _as_it_is(changed, assets)
    before = _ids(assets, assets.course.anyway(horizon))
    after = _ids(changed, _down(scenario, changed, plant, impact))
    without = assets.impact(failed, scenario.horizon).totals if _differs(scenario) else None
    expected = None
    if scenario.hazard is not None and spread:
        expected = _expected(changed, scenario, probability)
    return Outcome(
        scenario,
        changed,
        plant,
        impact,
        without,
        tuple(sorted(after - before)),
        tuple(sorted(before - after)),
        expected,
        warnings(fit, scenario, changed, inside),
    )


def _moved(assets: AssetNetwork, scenario: Scenario) -> AssetNetwork:
    """The plant as it will be when the scenario happens, if nothing else does until then."""
    if scenario.at is None:
        return assets
    moment = scenario.at.moment(assets.now)
    if assets.moment is None:
        return assets.under(assets.standing, moment)
    plant = plant_now(assets)
    plant.advance(plant.now + (moment - assets.now) / NANO)
    return going_on(assets, assets.standing, moment, plant)


def _as_it_is(changed: AssetNetwork, today: AssetNetwork) -> Propped:
    """Without edits nothing is taken away."""
    return Propped(changed.network, None, today.course.down)


def _differs(scenario: Scenario) -> bool:
    return scenario.edits or bool(scenario.repair)


def _changed(fit: Fit, scenario: Scenario) -> AssetNetwork:
    from twinfall.analytics.assets import AssetNetwork as Assets

    assets = changed = fit.assets
    standing = _standing(fit, scenario)
    if scenario.edits:
        topology = edited(fit.known, scenario)
        changed = Assets.compile(topology, fit.ontology, fit.dependencies)
    if changed is not assets or standing is not assets.standing:
        changed = otherwise(changed, assets, standing, scenario.repair)
    return changed


def _standing(fit: Fit, scenario: Scenario) -> Standing:
    """The live state with what is repaired in order, and switches that follow a reading as set."""
    standing, repaired = fit.assets.standing, set(scenario.repair)
    if repaired:
        names = ("failed", "out", "unknown", "degraded")
        left = {n: tuple(i for i in getattr(standing, n) if i not in repaired) for n in names}
        standing = replace(standing, **left)  # type: ignore[arg-type]
    switched = dict(_switched(fit, scenario))
    if switched:
        standing = replace(standing, conducts={**standing.conducts, **switched})
    return standing


def _switched(fit: Fit, scenario: Scenario) -> Iterator[tuple[str, bool]]:
    for id_, said in scenario.set.items():
        asset = fit.dependencies.assets.get(fit.model(fit.known.position[id_]))
        conducts = asset.conducts if asset else None
        if isinstance(conducts, Binding) and conducts.telemetry and conducts.name in said:
            yield id_, bool(said[conducts.name])


def _down(scenario: Scenario, changed: AssetNetwork, plant: Propped, impact: AssetImpact) -> Flags:
    """What is down by the horizon in the changed plant, what is done later apart."""
    failed, horizon = impact.whole.failed, _horizon(scenario)
    flags = changed.course.anyway(horizon)
    if plant.prop is None:
        flags[impact.whole.asset] = True
    else:
        ids = [changed.ids[int(at)] for at in failed]
        now = replace(scenario, then=(), repairs=False)
        flags = (flags & plant.before) | standing_at_end(changed, plant, ids, now)
    flags[failed] = True
    return flags


def _horizon(scenario: Scenario) -> float:
    return FOREVER if scenario.horizon is None else scenario.horizon


def _ids(assets: AssetNetwork, flags: Flags) -> set[str]:
    return {assets.ids[int(i)] for i in np.flatnonzero(flags[: assets.visible])}


# -- hazards ---------------------------------------------------------------------------------------


def _exposed(
    assets: AssetNetwork, hazard: Hazard | None, dependencies: Dependencies
) -> tuple[Floats, NDArray[np.int64]]:
    """The probability that the event fails each position by itself, and who is in its area."""
    probability = np.zeros(len(assets.ids))
    if hazard is None:
        return probability, np.zeros(0, np.int64)
    corners = sum(len(ring) for ring in hazard.area.rings)
    limit = MAX_TESTED // max(1, len(assets.ids))
    if corners > limit:
        message = f"a polygon of {corners:,} corners over {len(assets.ids):,} assets is too much"
        cure = f"at most {limit:,} corners"
        raise Refused(message, code="TOO_COSTLY", path="/hazard/polygon", cure=cure)
    places = assets.compiled.places
    inside = hazard.area.holds(places.x, places.y)
    topology = assets.topology
    for code, model in enumerate(topology.models):
        declared = dependencies.assets.get(model)
        curve = declared.fragility if declared else ()
        chance = _chance(curve, hazard.intensity)
        of_model = np.flatnonzero(topology.model == code)
        probability[of_model] = np.where(inside[of_model], chance, 0.0)
    return probability, np.flatnonzero(inside)


def _check_samples(samples: int, exposed: int) -> None:
    """Refuse what would take minutes."""
    limit = MAX_TRIED // max(1, exposed)
    if samples > limit:
        raise Refused(
            f"{samples:,} samples of {exposed:,} exposed assets are too many",
            code="TOO_COSTLY",
            path="/hazard/samples",
            cure=f"at most {limit:,} samples, or a smaller area",
        )


def _chance(curve: Sequence[tuple[float, float]], intensity: float) -> float:
    """Linear between the points of a fragility, flat beyond them; certain where none is given."""
    if not curve:
        return 1.0
    at, chance = zip(*curve, strict=True)
    return float(np.interp(intensity, at, chance))


def _expected(assets: AssetNetwork, scenario: Scenario, probability: Floats) -> Expected:
    hazard = scenario.hazard
    assert hazard is not None
    network, compiled = lasting(assets), assets.compiled
    exposed = np.flatnonzero((probability > 0) & ~network.baseline)
    _check_samples(hazard.samples, len(exposed))
    ids = [assets.ids[at] for at in exposed.tolist()]
    fails = failures(ids, probability[exposed], hazard.samples, hazard.seed)
    always = assets.positions(scenario.fail)
    hits = np.zeros(len(assets.ids))
    totals = np.zeros((hazard.samples, 3))
    for sample in range(hazard.samples):
        failed = exposed[fails[:, sample]]
        down = network.down(np.concatenate([always, failed]).astype(np.int32))
        down = down[down < assets.visible]
        hits[down] += 1
        sums = (compiled.customers[down].sum(), compiled.value[down].sum())
        totals[sample] = (len(down), *sums)
    share = hits / hazard.samples
    order = np.lexsort((np.arange(len(share)), -share))[:MAX_LISTED]
    likely = tuple(
        Likely(assets.ids[int(i)], float(share[i]), _share_error(share[i], hazard.samples))
        for i in order
        if share[i] > 0
    )
    many, people, worth = (_spread(totals[:, i]) for i in range(3))
    return Expected(hazard.samples, len(exposed), many, people, worth, likely)


def _share_error(share: float, samples: int) -> float:
    return float(np.sqrt(share * (1 - share) / samples))


def _spread(values: Floats) -> Spread:
    p5, p50, p95 = (float(p) for p in np.percentile(values, [5, 50, 95]))
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return Spread(float(values.mean()), error, p5, p50, p95)
