"""Arrays that contradict themselves, or are none, are refused by name; nothing is rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from twinfall.analytics import Network
from twinfall.analytics.links import Storages
from twinfall.ontology.errors import BadInput

NAN = float("nan")
PAIR = {"connections": [[0, 1]], "carrier": [0]}
CHAIN: dict[str, Any] = {
    "n": 4,
    "provider": [0, 1, 2],
    "consumer": [1, 2, 3],
    "group": [0, 1, 2],
    "rule": ["all"] * 3,
}


def _network(**said: Any) -> Network:
    return Network.from_arrays(**{**CHAIN, **said})


@pytest.mark.parametrize(
    ("said", "place"),
    [
        *(({"n": n}, "n") for n in (-1, 4.5, "4", None, NAN, True, 10**12, 2**63)),
        *(({"provider": p}, "provider") for p in ([0, 1], [-1, 1, 2], [4, 1, 2], None, 1, {0, 1})),
        *(({"provider": p}, "provider") for p in (["a", "b", "c"], [[0], [1, 2], 3], [[0, 1, 2]])),
        ({"provider": [0.5, 1, 2]}, "provider[0]"),
        ({"provider": [0, NAN, 2]}, "provider[1]"),
        ({"provider": np.array([2**32, 1, 2])}, "provider"),
        ({"provider": [2**70, 1, 2]}, "provider"),
        ({"provider": [True, False, True]}, "provider"),
        ({"provider": np.array([0, 1, 2], complex)}, "provider"),
        ({"provider": np.array(["2020", "2021", "2022"], "datetime64[D]")}, "provider"),
        ({"group": [0, 5, 2]}, "group"),
        ({"group": [0, 0, 1], "rule": ["all"] * 2}, "group"),
        ({"rule": "all"}, "rule"),
        ({"rule": None}, "rule"),
        ({"rule": ["all", "most", "any"]}, "rule[1]"),
        ({"rule": [["all"]] * 3}, "rule[0]"),
        ({"rule": ["atLeast"] * 3}, "k"),
        ({"rule": ["atLeast"] * 3, "k": [1, 1.5, 1]}, "k[1]"),
        ({"rule": ["atLeast"] * 3, "k": ["x", 1, 1]}, "k"),
        ({"rule": ["capacity"] * 3, "share": [NAN, 1, 1], "min_share": [1, 1, 1]}, "share[0]"),
        ({"rule": ["capacity"] * 3, "share": [1, 1, 1], "min_share": [1, -1, 1]}, "min_share[1]"),
        ({"transfer": ["x", 0, 0]}, "transfer"),
        ({"transfer": [0, 0, -1]}, "transfer[2]"),
        ({"transfer": 3.0}, "transfer"),
        ({"autonomy": [NAN, 0, 0]}, "autonomy[0]"),
        ({"sustain": ["no"] * 3}, "sustain"),
        ({"sustain": [2, 0, 0]}, "sustain[0]"),
        ({"black_start": [NAN] * 4}, "black_start[0]"),
        ({"connections": [[0, 9]], "carrier": [0]}, "connections"),
        ({"connections": [[0, 1, 2]], "carrier": [0]}, "connections"),
        ({"connections": [0, 1], "carrier": [0]}, "connections"),
        ({"connections": [[0.5, 1]], "carrier": [0]}, "connections[0]"),
        ({"connections": [[0, 1]], "carrier": [31]}, "carrier"),
        ({"connections": [[0, 1]], "carrier": ["water"]}, "carrier"),
        ({"connections": [[0, 1]]}, "carrier"),
        ({**PAIR, "oneway": [True, False]}, "oneway"),
        ({**PAIR, "source": [1]}, "source"),
        ({**PAIR, "source": [-1] * 4}, "source"),
        ({**PAIR, "source": [2**40] * 4}, "source[0]"),
        ({**PAIR, "conducts": ["open"] * 4}, "conducts"),
        ({"value": [1]}, "value"),
        ({"value": ["x"] * 4}, "value"),
        ({"value": [1, NAN, 1, 1]}, "value[1]"),
        *(({"visible": v}, "visible") for v in (-1, 5, "x")),
        ({"storages": Storages([9], [0], [1.0])}, "storages.asset"),  # type: ignore[arg-type]
        ({"storages": Storages([0], [40], [1.0])}, "storages.carrier"),  # type: ignore[arg-type]
        ({"storages": Storages([0], [0], [NAN])}, "storages.autonomy[0]"),  # type: ignore[arg-type]
        ({"storages": Storages([0, 0], [0, 0], [1.0, 2.0])}, "storages.asset[1]"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_network_is_refused_with_its_place(said: dict[str, Any], place: str) -> None:
    with pytest.raises(BadInput) as refused:
        _network(**said)

    assert refused.value.path == place
    assert refused.value.message


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint64, np.float64])
def test_whole_numbers_of_any_type_are_taken(kind: Any) -> None:
    network = _network(provider=np.array([0, 1, 2], kind))

    assert network.impact([0]).asset.tolist() == [1, 2, 3]


def test_a_network_of_nobody_has_no_failures() -> None:
    nobody = {"n": 0, "provider": [], "consumer": [], "group": [], "rule": []}

    assert _network(**nobody).criticality().tolist() == []


@pytest.mark.parametrize(
    "failed", [[-1], [4], [2**40], [2**70], [0.5], [NAN], ["a"], [[0]], None, [True]]
)
def test_what_is_no_asset_cannot_fail(failed: Any) -> None:
    with pytest.raises(BadInput) as refused:
        _network().impact(failed)

    assert refused.value.path.startswith("failed")


@pytest.mark.parametrize("horizon", [-1, NAN, "soon", None])
def test_a_horizon_is_a_number_of_seconds(horizon: Any) -> None:
    for ask in (lambda n: n.impact([0], horizon), lambda n: n.criticality(horizon)):
        with pytest.raises(BadInput) as refused:
            ask(_network())
        assert refused.value.path == "horizon"


@pytest.mark.parametrize("asset", [-1, 9, 0.5, "x", None, NAN])
def test_only_an_asset_has_single_points_of_failure(asset: Any) -> None:
    with pytest.raises(BadInput) as refused:
        _network().spof(asset)

    assert refused.value.path.startswith("asset")


def test_the_same_asset_may_be_named_many_times() -> None:
    assert _network().impact([0] * 10_000).asset.tolist() == [1, 2, 3]
    assert _network().impact([]).asset.tolist() == []


@pytest.mark.parametrize("conducts", [[True], "x", [2, 1, 1, 1]])
def test_switches_are_set_one_by_one(conducts: Any) -> None:
    with pytest.raises(BadInput) as refused:
        _network().conducting(conducts)

    assert refused.value.path.startswith("conducts")
