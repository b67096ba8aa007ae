"""What the kernels work on: a network as arrays, and the state of one question.

Positions are int32, times float64 seconds, flags uint8. `Arrays` is read-only and shared;
`Scratch` belongs to one question at a time and is clean between questions, so that a question
costs what it touches and not what there is. What the loops compute is defined in
`docs/cascade.md`; `tests/analytics/reference.py` computes the same in the plainest way.

Loops take their arrays out of the tuples first and hand them on one by one: every look into a
tuple of arrays counts references, which costs more than the work of a step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twinfall.analytics.kernels.compiled import compiled, inner

UP = np.int32(2**31 - 1)
"""The wave of an asset that is up."""
DOWN_BEFORE = np.int32(-1)
"""The wave of an asset that is down before any failure."""

BEFORE = -1.0
"""The time of the baseline: nothing has failed, no buffer runs."""

FEED, GROUP, STORAGE, FAILURE = 0, 1, 2, 3
NONE: Any = np.int64(-1)
i64: Any = np.int64
# Every call passes the same integer type: numba would compile a second copy for another.
u64: Any = np.uint64
# An index that cannot be negative spares the compiled code a look at its sign.

RULE = np.dtype([("consumer", "i4"), ("fail_at", "i4")])
"""A group: the asset it feeds, how much lost weight loses it (0: never evaluated)."""
TALLY = np.dtype([("lost", "i4"), ("before", "i4"), ("decided", "i4"), ("lacks", "i4")])
"""A group in a question: lost weight, how much of it before any failure, the provider whose loss
lost the group, weight it lacks while grounding (0 and less: nothing).
"""
MARK = np.dtype([("time", "f8"), ("wave", "i4"), ("by", "i4"), ("cause", "i4"), ("ends", "i4")])
"""An asset in a question: when it went down, by which group (-2 - carrier, -1), by whose loss;
whether cascades end here, for it feeds nothing and is connected to nothing.
"""
SUPPORT = np.dtype(
    [
        ("open", "i4"),
        ("fed", "i4"),
        ("passed", "i4"),
        ("holds", "u1"),
        ("assumed", "u1"),
        ("inside", "u1"),
        ("waits", "u1"),
    ],
    align=True,
)
"""An asset while grounding: groups without their votes, carriers that reach it and that it has
passed on (bits), whether its support is derived, whether it is assumed, whether it is in question,
whether it waits for the loss of what is before it.
"""


class Arrays(NamedTuple):
    """A network as arrays, for n assets, G groups, E feeds, C carriers, S storages."""

    provider: Any  # int32 [E], ascending
    group: Any  # int32 [E]
    transfer: Any  # float64 [E] seconds; empty where no loss takes time to be felt
    weight: Any  # int32 [E]
    out_start: Any  # int32 [n + 1]: the feeds of a provider
    in_start: Any  # int32 [G + 1], into in_edges: the feeds of a group
    in_edges: Any  # int32 [E]
    rule: Any  # RULE [G]
    autonomy: Any  # float64 [G] seconds; empty where no group has a buffer
    sustain: Any  # uint8 [G]: satisfied until lost, without being derived; empty where none is
    group_start: Any  # int32 [n + 1], into groups: the groups of a consumer
    groups: Any  # int32 [G]
    member: Any  # int32 [n] bits of the carriers an asset is connected in
    source: Any  # int32 [n] bits of the carriers an asset feeds by itself
    conducts: Any  # uint8 [n]
    black_start: Any  # uint8 [n]
    pass_start: Any  # int32 [C * n + 1], into pass_to, at carrier * n + asset
    pass_end: Any  # int32 [C * n]; the next start, but in a plant whose connections change
    pass_to: Any  # int32: where an asset passes its carrier on to
    touch_start: Any  # int32 [C * n + 1], into touch: neighbours whatever the direction
    touch_end: Any  # int32 [C * n]
    touch: Any  # int32
    member_start: Any  # int32 [C + 1], into members
    member_end: Any  # int32 [C]
    members: Any  # int32: the assets connected in a carrier, ascending
    storage: Any  # int32 [S] assets
    storage_carrier: Any  # int32 [S]
    storage_autonomy: Any  # float64 [S] seconds
    circling: Any  # uint8 [n]: whether its support may run in a circle; empty where nothing's can
    cyclic: bool  # whether support can run in a circle


class Scratch(NamedTuple):
    """The state of one question; `clean` leaves it as `prepare` does."""

    mark: Any  # MARK [n]
    tally: Any  # TALLY [G]
    order: Any  # int32 [n] assets in the order in which they went down; -1 - asset where cascades
    # end, until the cascade is through
    seen: Any  # uint64 [n / 64]: bits of assets, to put them in order
    reached: Any  # uint8 [n]
    root: Any  # int32 [n]
    queue: Any  # int32 [n]
    support: Any  # SUPPORT [n]
    scope: Any  # int32 [n] assets whose support is in question
    begun: Any  # int32 [G] groups whose buffers began to run in a circle
    counts: Any  # int64 [1] how many those are
    dry: Any  # float64 [S] since when a storage has lost its own supply; inf: it has not
    empty: Any  # uint8 [S]
    dry_cause: Any  # int32 [S]


@inner
def seconds(column: Any, at: int) -> float:
    """Of a column that is empty where all are zero."""
    return float(column[u64(at)]) if len(column) > 0 else 0.0


@compiled
def csr(keys: Any, count: int) -> Any:
    """Positions of `keys` grouped by key, in order: start[k]:start[k+1] of the second array."""
    start = np.zeros(count + 1, np.int32)
    for key in keys:
        start[key + 1] += 1
    for k in range(count):
        start[k + 1] += start[k]
    order = np.empty(len(keys), np.int32)
    fill = start[:-1].copy()
    for i in range(len(keys)):
        order[fill[keys[i]]] = i
        fill[keys[i]] += 1
    return start, order
