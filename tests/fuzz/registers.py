"""Target: asset registers as CSV, and what is proposed from them."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.fuzz.law import Target
from twinfall.api.register.proposal import propose
from twinfall.api.register.reading import read_register
from twinfall.api.register.writing import write_proposal
from twinfall.graph.graph import Graph
from twinfall.graph.ndjson import import_rows
from twinfall.graph.sqlite import SQLiteStore

_REGISTERS = (
    b"Tag;Asset Type;Name;Parent;Rated Flow (m3/h);Built;Active;Code\n"
    b"P1;Pump;Main pump;S1;12.5;2001-02-03;yes;007\nM1;Motor;;P1;;2002-01-01;no;008\n"
    b"M2;Motor;;P1;;;;\nS1;Pump station;North;;;1999-01-01;yes;\n",
    b'id,type,parent,"a ""b"""\nA,x,,1\nB,y,A,2\nC,y,A,"3\n4"\n',
    "id\tclass\té\n1\tä ö\t1.5\n2\tPump\t2026-11-23T06:30:00Z\n".encode("utf-16"),
)
_WORDS = (
    ";", ",", "\t", "|", '"', '""', "\n", "\r\n", "\r", "id", "type", "name", "parent", "tag",
    "class", "P1", "S1", "1e400", "-0", "007", "yes", "true", "2026-11-23", "\ufeff", "Pump 2",
    "9223372036854775808", "é", "\u2028", "a/b", "_x", "x_", "id_", "Asset", "contains",
)  # fmt: skip


def registers() -> Target:
    """A register is refused, or what is proposed loads and imports without a refused row."""
    held = ExitStack()
    folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
    path = folder / "assets.csv"

    def take(data: bytes) -> None:
        path.write_bytes(data)
        register = read_register(path)
        for components in (False, True):
            proposal = propose(register, "assets", components=components)
            models, _, rows = write_proposal(proposal, folder, force=True)
            with ExitStack() as opened:
                store = SQLiteStore(":memory:")
                opened.callback(store.close)
                graph = Graph(store)
                graph.load_models([models.read_text("utf-8")])
                lines = rows.read_bytes().splitlines(keepends=True)
                report = import_rows(graph, lines)
                assert not report.refused, report.by_code

    return Target("register", take, lambda: list(_REGISTERS), _WORDS, held.close)
