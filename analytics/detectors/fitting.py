"""Learning what is normal: one fixed recipe, no search, thresholds never from rows fitted on.

The history of every twin is cut into blocks of consecutive rows. Each block is scored by a
detector fitted on all others; a quantile of those scores is the threshold. scikit-learn fits
(ridge forecast, Ledoit-Wolf covariances) and is imported only here, when something is learned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np

from twinfall.analytics.detectors.detector import Column, Floats
from twinfall.analytics.detectors.normal import CARRY, CLIP, Baseline, Coefficients, Normal
from twinfall.analytics.detectors.table import MAX_ROWS, Table
from twinfall.ontology.errors import BadInput

MIN_ROWS = 60
"""Fewer rows than this do not say what is normal."""
LEAST_OWN = 60
"""Rows that a twin needs for a mean and scale of its own."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The one way detectors are learned; the defaults hold for every model type."""

    window: int = 8
    lags: int = 3
    smoothing: float = 0.1
    ridge: float = 10.0
    folds: int = 4
    quantile: float = 0.999
    margin: float = 1.2
    """The threshold is this quantile of the held-out statistics of healthy rows, times the margin:
    a history of some hundred rows has not seen all that is normal.
    """


def fit(model: str, tables: Sequence[Table], recipe: Recipe | None = None) -> Normal:
    """A detector for the model type from the healthy history of some of its twins.

    All tables have the same columns in the same order. Columns that never moved are left out and
    named in the facts. Raises BadInput with fewer than `MIN_ROWS` usable rows.
    """
    recipe = recipe or Recipe()
    tables, left_out = _prepare(tables)
    blocks = [block for table in tables for block in _cut(table, recipe.folds)]
    scored = _cross_fit(model, tables, blocks, recipe)
    limits = np.quantile(scored.statistics, recipe.quantile, axis=0, method="higher")
    final = _fit_once(model, _Blocks(tables[0].columns, tuple(blocks)), recipe)
    final = replace(
        final,
        coefficients=replace(final.coefficients, spread=scored.spread),
        limits=np.maximum(limits * recipe.margin, 1e-12),
    )
    over = (scored.statistics / final.limits).max(axis=1) > 1
    metrics = {"held_out_rows": len(over), "held_out_over": int(over.sum())}
    return replace(final, facts=_facts(tables, left_out, recipe, metrics))


@dataclass(frozen=True, slots=True)
class _Block:
    """Consecutive rows of one twin, all of one fold."""

    twin: str
    fold: int
    values: Floats


@dataclass(frozen=True, slots=True)
class _Blocks:
    columns: tuple[Column, ...]
    blocks: tuple[_Block, ...]

    def without(self, fold: int) -> _Blocks:
        return replace(self, blocks=tuple(b for b in self.blocks if b.fold != fold))


@dataclass(frozen=True, slots=True)
class _Scored:
    """What held-out blocks gave: error size per column, and (row, statistic)."""

    spread: Floats
    statistics: Floats


def _prepare(tables: Sequence[Table]) -> tuple[list[Table], list[str]]:
    if not tables:
        raise BadInput("no history to learn from", cure="name twins that have readings")
    columns = tables[0].columns
    if any(table.columns != columns for table in tables):
        raise BadInput("the histories have different sensors, or in another order")
    moving = sorted(set[int]().union(*(table.moving() for table in tables)))
    usable = sum(int(_usable(table.values).sum()) for table in tables) if moving else 0
    if usable < MIN_ROWS:
        raise BadInput(
            f"{usable} usable rows; a detector needs at least {MIN_ROWS}",
            cure="train on a longer healthy period",
        )
    if sum(len(table.values) for table in tables) > MAX_ROWS:
        raise BadInput(
            f"more than {MAX_ROWS} rows", cure="train on a shorter period or a longer sample period"
        )
    left_out = [str(c) for at, c in enumerate(columns) if at not in set(moving)]
    return [table.only(moving) for table in tables], left_out


def _usable(values: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows in which at least half of the sensors were read."""
    return np.asarray(np.isfinite(values).mean(axis=1) >= 0.5)


def _cut(table: Table, folds: int) -> list[_Block]:
    """Runs of usable rows, cut where the fold changes; short gaps carry the last reading."""
    values = _carried(table.values)
    usable = _usable(values)
    rank = np.cumsum(usable) - 1
    fold = np.minimum(rank * folds // max(int(usable.sum()), 1), folds - 1)
    mark = np.where(usable, fold, -1)
    edges = np.flatnonzero(np.diff(mark)) + 1
    runs = np.split(np.arange(len(mark)), edges)
    return [
        _Block(table.twin, int(mark[run[0]]), values[run])
        for run in runs
        if len(run) and mark[run[0]] >= 0
    ]


def _carried(values: Floats) -> Floats:
    filled = values.copy()
    for _ in range(CARRY):
        holes = ~np.isfinite(filled)
        holes[0] = False
        filled[holes] = np.roll(filled, 1, axis=0)[holes]
    return filled


def _baseline(blocks: _Blocks) -> Baseline:
    names = sorted({block.twin for block in blocks.blocks})
    parts = [np.concatenate([b.values for b in blocks.blocks if b.twin == n]) for n in names]
    means = np.stack([np.nanmean(_seen(part), axis=0) for part in parts])
    variances = np.stack([np.nanvar(_seen(part), axis=0) for part in parts])
    mean = means.mean(axis=0)
    # A twin never seen may stand anywhere among those seen.
    fleet = np.sqrt(variances.mean(axis=0) + means.var(axis=0))
    # A column may rest in one twin or fold though it moves in others.
    floor = np.maximum(fleet, 1e-9 * np.maximum(np.abs(mean), 1.0))
    own = np.maximum(np.sqrt(variances), 0.1 * floor)
    enough = [at for at, part in enumerate(parts) if len(part) >= LEAST_OWN or len(parts) == 1]
    return Baseline(mean, floor, tuple(names[at] for at in enough), means[enough], own[enough])


def _seen(part: Floats) -> Floats:
    """The part with columns nobody read at 0, so that their mean is a number."""
    unread = ~np.isfinite(part).any(axis=0)
    return np.where(unread, 0.0, part)


def _standardised(blocks: _Blocks, baseline: Baseline) -> list[Floats]:
    """Each block standardised by its twin's baseline; what is missing at its mean."""
    result = []
    for block in blocks.blocks:
        mean, scale, _ = baseline.of([block.twin])
        z = np.clip((block.values - mean[0]) / scale[0], -CLIP, CLIP)
        result.append(np.nan_to_num(z))
    return result


def _fit_once(model: str, blocks: _Blocks, recipe: Recipe) -> Normal:
    """Fitted on these blocks; spread and limits are still 1."""
    from sklearn.covariance import LedoitWolf
    from sklearn.linear_model import Ridge

    baseline = _baseline(blocks)
    standard = _standardised(blocks, baseline)
    pairs = [_lagged(z, recipe.lags) for z in standard if len(z) > recipe.lags]
    past, now = (np.concatenate(side) for side in zip(*pairs, strict=True))
    forecast = Ridge(alpha=recipe.ridge).fit(past, now)
    width = len(blocks.columns)
    means = [_running_mean(z, recipe.window) for z in standard if len(z) >= recipe.window]
    covariance = LedoitWolf(assume_centered=True)
    coefficients = Coefficients(
        together=covariance.fit(np.concatenate(standard)).precision_.copy(),
        level=covariance.fit(np.concatenate(means)).precision_.copy(),
        weights=np.ascontiguousarray(np.reshape(forecast.coef_, (width, -1)).T),
        bias=np.reshape(forecast.intercept_, width).copy(),
        spread=np.ones(width),
    )
    return Normal(
        model,
        blocks.columns,
        recipe.window,
        recipe.smoothing,
        baseline,
        coefficients,
        limits=np.ones(2),
    )


def _lagged(z: Floats, lags: int) -> tuple[Floats, Floats]:
    """The last samples, newest first, beside the one that came next."""
    past = np.concatenate([z[lags - 1 - k : len(z) - 1 - k] for k in range(lags)], axis=1)
    return past, z[lags:]


def _running_mean(z: Floats, window: int) -> Floats:
    sums = np.cumsum(np.concatenate([np.zeros((1, z.shape[1])), z]), axis=0)
    return np.asarray((sums[window:] - sums[:-window]) / window)


def _cross_fit(
    model: str, tables: Sequence[Table], blocks: Sequence[_Block], recipe: Recipe
) -> _Scored:
    """Score every block by a detector fitted on the other folds."""
    whole = _Blocks(tables[0].columns, tuple(blocks))
    fitted = [_fit_once(model, whole.without(fold), recipe) for fold in range(recipe.folds)]
    errors = [
        error
        for block in blocks
        if len(block.values) > recipe.lags
        for error in [_errors(fitted[block.fold], block)]
    ]
    spread = np.sqrt(np.mean(np.concatenate(errors) ** 2, axis=0))
    spread = np.maximum(spread, 1e-3)
    statistics = [
        _statistics(
            replace(one, coefficients=replace(one.coefficients, spread=spread)),
            [block for block in blocks if block.fold == fold],
        )
        for fold, one in enumerate(fitted)
    ]
    scored = np.concatenate(statistics)
    if not len(scored):
        raise BadInput(
            "the history is in pieces too short to score",
            cure="train on a period without long gaps",
        )
    return _Scored(spread, scored)


def _errors(fitted: Normal, block: _Block) -> Floats:
    one = _Blocks(fitted.columns, (block,))
    past, now = _lagged(_standardised(one, fitted.baseline)[0], fitted.lags)
    coefficients = fitted.coefficients
    return np.asarray(now - past @ coefficients.weights - coefficients.bias)


def _statistics(fitted: Normal, blocks: Sequence[_Block]) -> Floats:
    """(row, statistic) of all rows that get a score: the blocks in parallel, as if twins."""
    flock = fitted.follow([block.twin for block in blocks])
    found = [np.empty((0, 2))]
    for row in range(max((len(block.values) for block in blocks), default=0)):
        which = np.array([at for at, b in enumerate(blocks) if row < len(b.values)], dtype=np.intp)
        fitted.score(flock, which, np.stack([blocks[at].values[row] for at in which]))
        parts = flock.parts[which]
        found.append(parts[np.isfinite(parts).all(axis=1)])
    return np.concatenate(found)


def _facts(
    tables: Sequence[Table], left_out: Sequence[str], recipe: Recipe, metrics: dict[str, Any]
) -> dict[str, Any]:
    digest = hashlib.sha256()
    for table in sorted(tables, key=lambda table: table.twin):
        digest.update(f"{table.twin} {table.start} {table.values.shape}".encode())
        digest.update(np.ascontiguousarray(table.values).tobytes())
    return {
        "trained_from": min(table.start for table in tables),
        "trained_to": max(table.start + table.every * len(table.values) for table in tables),
        "every": tables[0].every,
        "rows": sum(len(table.values) for table in tables),
        "twins": [table.twin for table in tables],
        "data_hash": digest.hexdigest(),
        "left_out": list(left_out),
        "recipe": {name: getattr(recipe, name) for name in Recipe.__slots__},
        "libraries": {name: version(name) for name in ("numpy", "scikit-learn")},
        "metrics": metrics,
    }
