"""The process killed between a webhook's answer and its mark: the same key comes again, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.api.actions.receiver import receiver
from twinfall.api.actions.courier import Courier
from twinfall.api.actions.webhook import Webhooks
from twinfall.graph.records import NewDelivery, Records

PROGRAM = """
import os, signal, sys
from pathlib import Path
from twinfall.api.actions.courier import Courier
from twinfall.api.actions.webhook import Webhooks
from twinfall.graph.records import Records

class KilledBeforeTheMark(Records):
    def change(self, what, *rest, **more):
        if what == "delivered":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().change(what, *rest, **more)

records = KilledBeforeTheMark(Path(sys.argv[1]))
Courier(records, {"webhook": Webhooks([sys.argv[2]])}).deliver_one()
"""


def test_a_delivery_whose_mark_was_lost_comes_again_under_its_key(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with receiver() as server:
        records = Records(path)
        with records.change("send", "k", who="tests") as change:
            for n in range(3):
                change.send(NewDelivery(f"key-{n}", "webhook", server.url(f"/hook{n}"), {"n": n}))
        records.close()
        for _ in range(2):
            killed = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(path), server.named],
                env={**os.environ},
                timeout=60,
            )
            assert killed.returncode == -signal.SIGKILL
        assert len(server.received) == 2

        records = Records(path)
        courier = Courier(records, {"webhook": Webhooks([server.named])})
        while courier.deliver_one():
            pass
        by_path: dict[str, list[str]] = {}
        for got in server.received:
            by_path.setdefault(got.path, []).append(got.headers["Idempotency-Key"])
        assert sorted(by_path) == ["/hook0", "/hook1", "/hook2"]
        assert all(len(set(keys)) == 1 for keys in by_path.values())
        assert sum(len(keys) for keys in by_path.values()) == 5  # three, and one for each kill
        assert {one.state for one in records.deliveries()} == {"done"}
        assert records.first_broken_line() is None
        records.close()
