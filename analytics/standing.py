"""The alarms that stand, kept in a file so that a restart neither repeats nor loses one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twinfall.analytics.alarms import Alarm, Symptom
from twinfall.analytics.detectors.files import write_at_once
from twinfall.ontology.errors import BadInput

MAX_BYTES = 64 * 2**20


class StandingAlarms:
    """By model and twin. Read at start, written whole whenever it changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._alarms: dict[tuple[str, str], Alarm] = {}
        if path.is_file():
            self._read()

    def get(self, model: str, twin: str) -> Alarm | None:
        """The alarm that stands for the twin by the model's detector."""
        return self._alarms.get((model, twin))

    def raise_(self, alarm: Alarm) -> None:
        """It stands from now on."""
        self._alarms[alarm.model, alarm.twin] = alarm

    def clear(self, alarm: Alarm) -> None:
        """It stands no more."""
        self._alarms.pop((alarm.model, alarm.twin), None)

    def forget(self, twin: str) -> bool:
        """Forget all alarms of a twin; whether there were any."""
        keys = [key for key in self._alarms if key[1] == twin]
        for key in keys:
            del self._alarms[key]
        return bool(keys)

    def alarms(self) -> list[Alarm]:
        """All, oldest onset first."""
        return sorted(self._alarms.values(), key=lambda alarm: (alarm.onset, alarm.id))

    def save(self) -> None:
        """Write them."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = [asdict(alarm) for alarm in self.alarms()]
        write_at_once(self.path, json.dumps(rows).encode())

    def _read(self) -> None:
        if self.path.stat().st_size > MAX_BYTES:
            raise BadInput("too many alarms to be ours", path=str(self.path))
        try:
            rows: list[dict[str, Any]] = json.loads(self.path.read_bytes())
            for row in rows:
                symptoms = tuple(Symptom(**symptom) for symptom in row.pop("symptoms"))
                self.raise_(Alarm(**row, symptoms=symptoms))
        except (ValueError, TypeError, KeyError, AttributeError) as err:
            raise BadInput(
                f"not a list of alarms: {err!r}",
                path=str(self.path),
                cure="move the file away; alarms that still hold are raised again",
            ) from err
