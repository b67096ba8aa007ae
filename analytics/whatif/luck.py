"""Which assets an event fails in which sample of it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def failures(
    ids: Iterable[str], chances: NDArray[np.float64], samples: int, seed: int
) -> NDArray[np.bool_]:
    """Whether each asset fails in each sample [assets, samples]. Its luck hangs on its id, the seed
    and the number of the sample alone: what else there is in the plant moves nothing, and a greater
    chance fails it wherever a smaller one did.

    Numbers by Philox, a generator whose streams are numbered (Salmon et al., SC 2011).
    """
    found = np.zeros((len(chances), samples), np.bool_)
    for row, (id_, chance) in enumerate(zip(ids, chances.tolist(), strict=True)):
        number = int.from_bytes(blake2b(id_.encode(), digest_size=8).digest(), "little")
        stream = np.random.Philox(key=[seed, number])
        found[row] = np.random.Generator(stream).random(samples) < chance
    return found
