"""Random graphs and grids, and pandapower's networks, each loaded once."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np

from twinfall.analytics.models import Grid, from_pandapower


def random_links(seed: int, n: int, more: int) -> np.ndarray:
    """A random tree and `more` links beside it, some of them twice."""
    rng = np.random.default_rng(seed)
    tree = [(int(rng.integers(0, i)), i) for i in range(1, n)]
    others = [tuple(rng.choice(n, 2, replace=False)) for _ in range(more)]
    return np.array(tree + others)


def random_grid(seed: int, n: int, more: int) -> Grid:
    """Connected, with more or less generation than load, one phase shifter."""
    rng = np.random.default_rng(seed)
    ends = random_links(seed, n, more)
    shift = np.zeros(len(ends))
    shift[-1] = 0.01
    load = rng.integers(0, 9, n) * (rng.random(n) < 0.7)
    generation = rng.integers(0, 30, n) * (rng.random(n) < 0.4)
    return Grid.of(generation, load, ends, rng.uniform(50, 500, len(ends)), shift=shift)


@functools.cache
def solved(name: str) -> Any:
    """A network that pandapower brings along, with its own DC power flow's results."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        import pandapower
        import pandapower.networks

        net = getattr(pandapower.networks, name)()
        pandapower.rundcpp(net)
    return net


@functools.cache
def grid_of(name: str) -> Grid:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return from_pandapower(solved(name))
