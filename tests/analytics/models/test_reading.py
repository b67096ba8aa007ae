"""Grids from files: Twinfall's own format, pandapower's, and files that mean harm."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analytics.models.grids import grid_of, solved
from twinfall.analytics.models import DCFlow, Grid, from_pandapower, read
from twinfall.ontology.errors import BadInput, TwinError

OWN: dict[str, Any] = {
    "baseMVA": 100,
    "buses": [{"id": "plant", "generation": 90}, {"id": "town", "load": 90}],
    "branches": [
        {"id": "north", "from": "plant", "to": "town", "reactance": 0.1, "capacity": 80},
        {"id": "south", "from": "plant", "to": "town", "reactance": 0.2, "ratio": 1.0, "shift": 0},
    ],
}


@pytest.fixture(autouse=True)
def _quiet_pandapower() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_a_file_in_the_own_format_is_a_grid() -> None:
    grid = read(json.dumps(OWN))

    assert (grid.buses, grid.branches) == (("plant", "town"), ("north", "south"))
    assert grid.capacity.tolist() == [80, np.inf]
    assert DCFlow(grid).state().flow.tolist() == pytest.approx([60, 30])


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["buses"], None, "buses: must be a list"),
        (["buses", 0], "plant", r"buses\[0\]: must be an object"),
        (["buses", 0, "id"], "", r"buses\[0\]/id"),
        (["buses", 1, "id"], "plant", 'buses: "plant" is there twice'),
        (["buses", 1, "load"], "90", r"buses\[1\]/load: must be a number"),
        (["buses", 1, "load"], True, r"buses\[1\]/load: must be a number"),
        (["buses", 1, "load"], -1, r"load\[1\]"),
        (["branches", 0, "to"], "city", r'branches\[0\]/to: no bus is called "city"'),
        (["branches", 0, "reactance"], 0, r"branches\[0\]: reactance and ratio must not be 0"),
        (["branches", 0, "reactance"], None, r"branches\[0\]/reactance"),
        (["baseMVA"], 0, "baseMVA"),
        (["baseMVA"], float("nan"), "susceptance|baseMVA"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_place(
    path: list[Any], value: object, message: str
) -> None:
    document = json.loads(json.dumps(OWN))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value

    with pytest.raises(BadInput, match=message):
        read(json.dumps(document))


@pytest.mark.parametrize("text", ["", "[]", "grid", "[" * 100_000, b"\xff\xfe\x00", "1"])
def test_what_is_no_grid_at_all_is_bad_input(text: str | bytes) -> None:
    with pytest.raises(BadInput):
        read(text)


def test_a_network_that_pandapower_saved_is_the_same_grid() -> None:
    import pandapower

    grid, wanted = read(pandapower.to_json(solved("case118"))), grid_of("case118")

    assert (grid.buses, grid.branches) == (wanted.buses, wanted.branches)
    np.testing.assert_allclose(DCFlow(grid).state().flow, DCFlow(wanted).state().flow, atol=1e-9)
    assert grid.branches[0] == "line 0"
    assert grid.branches[-1] == "trafo 12"


@pytest.mark.parametrize("hidden", [False, True])
def test_a_file_that_names_other_code_is_refused_before_it_runs(
    hidden: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandapower

    (tmp_path / "trap_of_this_test.py").write_text("def spring(*a, **k): raise SystemExit('run')\n")
    monkeypatch.syspath_prepend(tmp_path)
    document = json.loads(pandapower.to_json(solved("case118")))
    trap: Any = {"_module": "trap_of_this_test", "_class": "function", "_object": "spring"}
    if hidden:  # JSON inside a text, one letter of the name escaped
        trap = json.dumps(trap).replace("_module", "_\\u006dodule")
    document["_object"]["note"] = trap

    with pytest.raises(BadInput, match=r"trap_of_this_test\.function"):
        read(json.dumps(document))

    assert "trap_of_this_test" not in sys.modules


def _small() -> Any:
    """Two substations joined by a closed bus coupler, one line out, one line open."""
    import pandapower as pp

    net = pp.create_empty_network()
    a, b, c, d = (pp.create_bus(net, vn_kv=110.0) for _ in range(4))
    pp.create_ext_grid(net, a)
    pp.create_switch(net, a, b, et="b", closed=True)
    for begin, end in ((b, c), (b, c), (c, d)):
        pp.create_line_from_parameters(
            net, begin, end, 10.0, r_ohm_per_km=0.1, x_ohm_per_km=0.4, c_nf_per_km=0, max_i_ka=0.5
        )
    net.line.loc[1, "in_service"] = False
    pp.create_load(net, d, p_mw=30.0, scaling=0.5)
    pp.create_sgen(net, d, p_mw=5.0)
    pp.create_load(net, c, p_mw=-2.0)
    return net


def test_couplers_join_buses_and_what_is_out_of_service_is_left_out() -> None:
    net = _small()

    grid = from_pandapower(net)

    assert grid.branches == ("line 0", "line 2")
    assert len(grid.buses) == 3
    state = DCFlow(grid).state()
    assert state.flow.tolist() == pytest.approx([8, 10])
    # What the static generator gives is generation, not less load.
    assert state.load.sum() == pytest.approx(15)
    assert grid.capacity.tolist() == pytest.approx([np.sqrt(3) * 110 * 0.5] * 2)
    assert "res_bus" not in net or not len(net.res_bus)


def test_a_transformer_with_three_windings_is_three_branches() -> None:
    import pandapower as pp

    net = _small()
    m, low = pp.create_bus(net, vn_kv=20.0), pp.create_bus(net, vn_kv=10.0)
    pp.create_transformer3w(net, 2, m, low, "63/25/38 MVA 110/20/10 kV")
    pp.create_load(net, low, p_mw=3.0)

    grid = from_pandapower(net)

    assert set(grid.branches) == {"line 0", "line 2", "trafo3w 0", "trafo3w 0 mv", "trafo3w 0 lv"}
    flow = dict(zip(grid.branches, DCFlow(grid).state().flow, strict=True))
    assert abs(flow["trafo3w 0 lv"]) == pytest.approx(3)
    assert abs(flow["trafo3w 0 mv"]) == pytest.approx(0)


def test_a_direct_current_line_is_refused_and_not_left_out() -> None:
    import pandapower as pp

    net = _small()
    pp.create_dcline(net, 0, 3, p_mw=1, loss_percent=0, loss_mw=0, vm_from_pu=1, vm_to_pu=1)

    with pytest.raises(BadInput, match="dcline is not read"):
        from_pandapower(net)


def test_without_pandapower_the_message_tells_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pandapower", None)

    with pytest.raises(TwinError, match=r"twinfall\[power\]"):
        from_pandapower(object())
    assert isinstance(read(json.dumps(OWN)), Grid)
