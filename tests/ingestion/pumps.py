"""Pumps with a motor and every kind of telemetry, and what a frame says of them in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from twinfall.graph.graph import Graph
from twinfall.graph.sqlite import SQLiteStore
from twinfall.graph.twins import TwinInput
from twinfall.ingestion.catalogue import Catalogue
from twinfall.ingestion.frame import NO_TIME, Frame
from twinfall.ingestion.history import Window
from twinfall.ingestion.telemetry import Telemetry

PUMP = "dtmi:pumps:Pump;1"
MOTOR = "dtmi:pumps:Motor;1"
TWINS = ("P1", "P2", "A%b+c#1", "site=1,x")
NAMES = ("flow", "pressure", "starts", "running", "mode")
_CONTEXT = "dtmi:dtdl:context;3"


def _telemetry(**schemas: str) -> list[dict[str, str]]:
    return [{"@type": "Telemetry", "name": n, "schema": s} for n, s in schemas.items()]


DOCUMENTS: tuple[dict[str, Any], ...] = (
    {
        "@context": _CONTEXT,
        "@id": MOTOR,
        "@type": "Interface",
        "contents": _telemetry(temperature="double", vibration="double"),
    },
    {
        "@context": _CONTEXT,
        "@id": PUMP,
        "@type": "Interface",
        "contents": [
            *_telemetry(flow="double", pressure="double", starts="long"),
            *_telemetry(running="boolean", mode="string"),
            {"@type": "Component", "name": "motor", "schema": MOTOR},
        ],
    },
)


@contextmanager
def pumps(folder: Path, *, background: bool = False, **more: Any) -> Iterator[Telemetry]:
    """Readings of four pumps, over a graph in memory."""
    store = SQLiteStore(":memory:", holder="tests")
    graph = Graph(store)
    graph.load_models(DOCUMENTS)
    graph.write_twins([TwinInput(id_, PUMP, {"motor": {}}) for id_ in TWINS])
    telemetry = Telemetry(folder, graph, background=background, **more)
    try:
        yield telemetry
    finally:
        telemetry.close()
        store.close()


class Said(NamedTuple):
    """A reading of a frame. `time` in ns; None where it has none."""

    twin: str
    name: str
    value: Any
    time: int | None


def said(frame: Frame, catalogue: Catalogue) -> list[Said]:
    """The readings of a frame, in order."""
    found = []
    values = frame.values.tolist() if isinstance(frame.values, np.ndarray) else frame.values
    for i, value in enumerate(values):
        series = int(frame.series[i])
        twin, name = catalogue.key(series) if series >= 0 else frame.unknown[i]
        assert (series < 0) == (i in frame.unknown)
        time = int(frame.times[i])
        found.append(Said(twin, name, value, None if time == NO_TIME else time))
    return found


def rows_said(frame: Frame) -> set[int]:
    """The rows that have a reading in the frame."""
    return set(frame.rows.tolist())


def rows_refused(frame: Frame) -> set[int]:
    """The rows that are refused, whole or in part."""
    return {fault.row for fault in frame.faults}


def history(telemetry: Telemetry, twin: str, name: str) -> list[tuple[int, Any]]:
    """(time, value) of every stored reading of a name."""
    series = telemetry.catalogue.id_of(twin, name)
    if series < 0:
        return []
    window = Window([series], -(2**62), 2**62)
    return [
        (int(t), float(v))
        for points in telemetry.read(window)
        for t, v in zip(points.times, points.values, strict=True)
    ]
