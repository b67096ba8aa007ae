from __future__ import annotations

import signal
from pathlib import Path

from tests.api.running import plant, served, twinfall, twinfall_apart


def test_the_demo_loads_a_city_once_and_its_queries_answer_alike_after_a_restart(
    tmp_path: Path,
) -> None:
    with served(tmp_path, command="demo") as server:
        queries = server.told["queries"]
        first = [server.ask(query).json for query in queries]
        twins = server.told["twins"]
        cursor = server.ask("{ service { cursor } }").json
        assert server.stop(signal.SIGINT) == 0

    with served(tmp_path, command="demo") as again:
        second = [again.ask(query).json for query in queries]
        assert again.ask("{ service { cursor } }").json == cursor
        assert again.told["twins"] == twins

    assert len(queries) >= 3
    assert twins > 1000
    assert [a for a in first if "errors" in a] == []
    assert second == first


def test_the_demo_leaves_another_graph_alone(tmp_path: Path) -> None:
    assert twinfall(tmp_path, "import", "-", stdin=plant()).status == 0
    before = twinfall(tmp_path, "export").out

    done = twinfall_apart(tmp_path, "demo", "--port", "0")

    assert done.status == 1
    assert "something else than the demo" in done.err
    assert twinfall(tmp_path, "export").out == before
