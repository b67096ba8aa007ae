"""Saved scenarios at the command line, kept by a running server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.api.running import COMMAND, environment, plant, served, twinfall
from twinfall.api.demo import city_dependencies, city_rows
from twinfall.api.folder import owner_of


def test_scenarios_are_kept_by_the_server_and_compared(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    top = twinfall(tmp_path, "criticality", "--json").json["nodes"][0]["id"]
    (tmp_path / "dark.json").write_text(json.dumps({"name": "a dark hour", "fail": [top]}))
    (tmp_path / "calm.yaml").write_text("name: calm\n")
    alone = twinfall(tmp_path, "scenario", "list")
    with served(tmp_path):
        for file in ("dark.json", "calm.yaml"):
            assert twinfall(tmp_path, "scenario", "save", file).status == 0
        listed = twinfall(tmp_path, "scenario", "list", "--json").json
        shown = twinfall(tmp_path, "scenario", "show", "a dark hour")
        run = twinfall(tmp_path, "whatif", "a dark hour", "--json").json
        compared = twinfall(tmp_path, "scenario", "compare", "calm", "a dark hour", "--json").json
        filed = twinfall(
            tmp_path, "scenario", "compare", "calm", "a dark hour", "--csv", "compared.csv"
        )
        gone = twinfall(tmp_path, "scenario", "delete", "calm")
        again = twinfall(tmp_path, "scenario", "delete", "calm")

    assert alone.status == 3
    assert [one["name"] for one in listed] == ["a dark hour", "calm"]
    assert json.loads(shown.out)["fail"] == [top]
    assert top in run["newlyDown"]["ids"]
    assert [one["newlyDown"] for one in compared] == [0, run["newlyDown"]["count"]]
    assert filed.status == 0
    names = [line.split(",")[0] for line in (tmp_path / "compared.csv").read_text().splitlines()]
    assert names == ["name", "calm", "a dark hour"]
    assert (gone.status, again.status) == (0, 1)


def test_saved_scenarios_outlive_a_restart_and_meet_the_plant_as_it_is_then(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    (tmp_path / "dark.yaml").write_text("name: dark\nfail:\n- P2\n")
    delete = 'mutation { deleteTwins(ids: ["%s"]) { written } }'
    with served(tmp_path) as server:
        assert twinfall(tmp_path, "scenario", "save", "dark.yaml").status == 0
        before = twinfall(tmp_path, "whatif", "dark", "--json").json
        assert server.stop() == 0
    with served(tmp_path) as server:
        again = twinfall(tmp_path, "whatif", "dark", "--json").json
        server.ask(delete % "T1")
        later = twinfall(tmp_path, "whatif", "dark", "--json").json
        server.ask(delete % "P2")
        gone = twinfall(tmp_path, "scenario", "compare", "dark")

    assert before["newlyDown"]["ids"] == again["newlyDown"]["ids"] == ["P2", "T1"]
    assert later["newlyDown"]["ids"] == ["P2"]
    assert gone.status == 1
    assert "[BAD_SCENARIO] dark: 1 problem" in gone.err
    assert "/fail/0: there is no twin 'P2'" in gone.err


def test_what_is_wrong_with_a_file_is_told_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    (tmp_path / "bad.yaml").write_text("fial: []\nfail:\n- P9\nhorizon: soon\n")
    (tmp_path / "vain.yaml").write_text("fail: [P1]\nrepair: [P2]\n")

    bad = twinfall(tmp_path, "whatif", "bad.yaml")
    vain = twinfall(tmp_path, "whatif", "vain.yaml")

    assert (bad.status, vain.status) == (1, 0)
    assert [line.split(":")[0] for line in bad.err.splitlines()[1:4]] == [
        "  line 1 /fial",
        "  line 4 /horizon",
        "  line 3 /fail/0",
    ]
    assert "warning line 2 /repair/0: P2 is in order by itself [inOrder]" in vain.err


def test_what_is_done_later_is_told_with_its_times(tmp_path: Path) -> None:
    (tmp_path / "plant.ndjson").write_bytes(plant())
    assert twinfall(tmp_path, "import", "plant.ndjson").status == 0
    (tmp_path / "later.yaml").write_text("then: [{after: PT1H, fail: [P2]}]\nhorizon: PT4H\n")

    said = twinfall(tmp_path, "whatif", "later.yaml", "--first", "1").out

    assert "In this scenario: 2 assets down at one time or another until PT4H" in said
    assert "in 2 outages: 6 asset hours" in said
    assert "the first 1 of 2 falls and rises" in said
    assert ["PT1H", "P2", "failed", "fails", "by", "itself"] in [
        line.split() for line in said.splitlines()
    ]


def test_ctrl_c_ends_a_long_question_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "city.ndjson").write_bytes(b"\n".join(city_rows()))
    (tmp_path / "city.dependencies.yaml").write_text(city_dependencies()[0])
    assert twinfall(tmp_path, "import", "city.ndjson").status == 0
    assert twinfall(tmp_path, "model", "load", "city.dependencies.yaml").status == 0
    flood = 'polygon: "POLYGON ((0 0, 9000 0, 9000 9000, 0 9000, 0 0))", intensity: 2'
    asked = f"whatIf(scenario: {{hazard: {{{flood}, samples: 2000}}}}) {{ newlyDown {{ count }} }}"
    (tmp_path / "long.graphql").write_text(f"{{{' '.join(f'a{i}: {asked}' for i in range(20))}}}")
    with subprocess.Popen(
        [*COMMAND, "query", "@long.graphql"],
        cwd=tmp_path,
        env=environment(TWINFALL_DIR=str(tmp_path / "data")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,
    ) as process:
        _await(lambda: (owner := owner_of(tmp_path / "data")) and owner.pid == process.pid)
        opened = _worked(process.pid)
        _await(lambda: _worked(process.pid) > opened + 1.0)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert process.returncode in (130, -signal.SIGINT)
    assert (out, err) == ("", "")


def _heed_ctrl_c() -> None:
    """What runs in the background of a shell ignores it, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _await(is_so: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _worked(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
