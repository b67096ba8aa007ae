"""The door for arrays: what it refuses, what it hands out, and questions side by side."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from twinfall.analytics import Network, Storages, kernels, warm
from twinfall.analytics.kernels import counting
from twinfall.ontology.errors import BadInput

PAIR: dict[str, Any] = {"group": [0], "rule": ["all"]}


@pytest.mark.parametrize(
    ("arrays", "more", "place"),
    [
        (([0], [2]), PAIR, "consumer"),
        (([-1], [1]), PAIR, "provider"),
        (([0, 1], [1]), PAIR, "provider"),
        (([0], [1]), {"group": [1], "rule": ["all"]}, "group"),
        (([0], [1]), {"group": [0], "rule": ["all", "any"]}, "group"),
        (([0, 1], [1, 0]), {"group": [0, 0], "rule": ["all"]}, "group"),
        (([0], [1]), {"group": [0], "rule": ["most"]}, "rule"),
        (([0], [1]), {**PAIR, "k": [1, 2]}, "k"),
        (([0], [1]), {**PAIR, "transfer": [-1]}, "transfer"),
        (([0], [1]), {**PAIR, "transfer": [1, 2]}, "transfer"),
        (([0], [1]), {**PAIR, "autonomy": [float("nan")]}, "autonomy"),
        (([0], [1]), {**PAIR, "sustain": [True, False]}, "sustain"),
        (([0], [1]), {**PAIR, "black_start": [True]}, "black_start"),
        (([0], [1]), {**PAIR, "connections": [[0, 2]], "carrier": [0]}, "connections"),
        (([0], [1]), {**PAIR, "connections": [[0, 1]]}, "carrier"),
        (([0], [1]), {**PAIR, "connections": [[0, 1]], "carrier": [31]}, "carrier"),
        (([0], [1]), {**PAIR, "source": [1]}, "source"),
        (([0], [1]), {**PAIR, "value": [1.0]}, "value"),
        (
            ([0], [1]),
            {**PAIR, "storages": Storages(np.array([5]), np.array([0]), np.array([1.0]))},
            "storages",
        ),
        (
            ([0], [1]),
            {**PAIR, "storages": Storages(np.array([0]), np.array([0]), np.array([-1.0]))},
            "storages",
        ),
    ],
)
def test_arrays_that_contradict_each_other_are_refused_with_their_name(
    arrays: Any, more: dict[str, Any], place: str
) -> None:
    with pytest.raises(BadInput) as refused:
        Network.from_arrays(2, *arrays, **more)
    assert refused.value.path.startswith(place)


def test_a_position_beyond_the_last_asset_cannot_fail() -> None:
    network = Network.from_arrays(2, [0], [1], **PAIR)

    for failed in ([2], [-1]):
        with pytest.raises(BadInput, match="0 to 1"):
            network.impact(failed)


def test_a_network_may_be_empty() -> None:
    network = Network.from_arrays(0, [], [], group=[], rule=[])

    assert len(network.impact([])) == 0
    assert len(network.criticality()) == 0


def test_networkx_gets_feeds_and_connections_in_the_direction_of_failure() -> None:
    network = Network.from_arrays(
        4, [0], [1], group=[0], rule=["all"], transfer=[7],
        connections=[[1, 2], [2, 3]], carrier=[0, 1], oneway=[False, True],
    )  # fmt: skip

    graph = network.to_networkx()

    assert sorted(graph.nodes) == [0, 1, 2, 3]
    assert graph.get_edge_data(0, 1) == {0: {"group": 0, "transfer": 7.0}}
    assert graph.get_edge_data(1, 2) == graph.get_edge_data(2, 1) == {0: {"carrier": 0}}
    assert graph.get_edge_data(2, 3) == {0: {"carrier": 1}}
    assert not graph.has_edge(3, 2)


def test_questions_at_the_same_time_do_not_meet() -> None:
    n = 2_000
    chain = Network.from_arrays(
        n, range(n - 1), range(1, n), group=range(n - 1), rule=["all"] * (n - 1)
    )
    wrong: list[int] = []

    def ask(start: int) -> None:
        for failed in range(start, n, 97):
            found = chain.impact([failed]).asset
            if not np.array_equal(found, np.arange(failed + 1, n)):
                wrong.append(failed)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_once_warm_no_question_compiles_anything() -> None:
    warm()
    doors = (
        *(kernels.cascade, kernels.settle, kernels.clean, kernels.count_some, kernels.csr),
        *(kernels.rows, counting.take_down, counting.count_each, counting.list_each),
        *(counting.turned, counting.dominators, counting.preorder),
    )
    before = [len(door.signatures) for door in doors]

    network = Network.from_arrays(
        3, np.array([0], np.int64), [1], group=[0], rule=["any"], k=np.array([1]),
        transfer=[1], autonomy=np.array([2], np.int32), sustain=[True], black_start=[1, 0, 0],
        connections=np.array([[1, 2]], np.int64), carrier=np.array([0], np.int8),
        source=np.array([0, 1, 0], np.int8), conducts=[1, 1, 1], value=[1, 2, 3],
    )  # fmt: skip
    network.impact(np.array([0], np.int64), 5)
    network.impact([])
    network.criticality(10)
    network.spof(1)
    network.down([0, 2])

    assert before == [1] * len(doors)
    assert [len(door.signatures) for door in doors] == before
