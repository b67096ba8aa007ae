"""`twinfall demo`: a city and a plant to ask and to watch, loaded on the first start."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import AsJson, console
from twinfall.api.cli.serving import Host, Port, describe, print_described, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from twinfall.analytics.alarms import Alarm
    from twinfall.api.services import Services
    from twinfall.api.settings import Settings
    from twinfall.graph.graph import Graph

SPEED = 180.0
MAX_SPEED = 18_000.0
Quiet = Annotated[
    bool, typer.Option("--no-telemetry", help="Only the graph: no readings, nothing watched.")
]
Speed = Annotated[
    float,
    typer.Option(
        min=1.0,
        max=MAX_SPEED,
        help="How much faster than in reality the plant runs; 180: a sample every second.",
    ),
]


def demo(
    host: Host = None,
    port: Port = None,
    no_telemetry: Quiet = False,
    speed: Speed = SPEED,
    as_json: AsJson = False,
) -> None:
    """Load a city and a plant into an empty data folder, let their sensors speak, and serve both.

    Stop with Ctrl-C; nothing is lost.
    """
    settings = here.settings(host=host, port=port)

    def tell(settings: Settings, services: Services, url: str) -> None:
        told = describe(settings, services, url)
        if as_json:
            import json

            from twinfall.api.demo import demo_queries

            queries = [query for _, query in demo_queries(telemetry=not no_telemetry)]
            sys.stdout.write(json.dumps(told | {"queries": queries}) + "\n")
            sys.stdout.flush()
            return
        print_described(told)
        _print_queries(url, telemetry=not no_telemetry)

    def beside(services: Services) -> AbstractContextManager[object]:
        if no_telemetry:
            return nullcontext()
        from twinfall.api.demo.learning import learn
        from twinfall.api.demo.operating import start_up
        from twinfall.api.demo.sensors import Sensors
        from twinfall.api.demo.telling import alarm_line, impact_line

        say = _say(as_json=as_json)

        def begin(services: Services, every: int) -> None:
            learn(services, every)
            services.lookout.watch.listen(hear)

        def hear(alarm: Alarm) -> None:
            say(alarm_line(alarm))
            if alarm.state == "RAISED":
                impact = services.networks.current().impact([alarm.suspect])
                say(impact_line(alarm.suspect, impact))

        def start(services: Services) -> bool:
            return start_up(services.states)

        return Sensors(services, speed=speed, tell=say, learn=begin, start_up=start)

    run(settings, "twinfall demo", insecure=False, tell=tell, prepare=_prepare, beside=beside)


def _print_queries(url: str, *, telemetry: bool) -> None:
    from twinfall.api.demo import demo_queries

    out = console()
    queries = demo_queries(telemetry=telemetry)
    out.print(
        f"\n{len(queries)} questions to begin with; they stand at {url}/ too, ready to run:\n"
    )
    for _, query in queries:
        title, _, text = query.strip().partition("\n")
        out.print(title, style="bold", markup=False)
        out.print(text + "\n", markup=False, highlight=False, soft_wrap=True)
    for question in ("impact P_B1000", "impact TE-compressor/bearing"):
        line = f"or from another terminal: {_command()} {question}"
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _command() -> str:
    """What to type for `twinfall`: where it was started from if it is not on the path."""
    if shutil.which("twinfall"):
        return "twinfall"
    beside = Path(sys.executable).with_name("twinfall")
    return os.path.relpath(beside) if beside.exists() else f"{sys.executable} -m twinfall.api.cli"


def _say(*, as_json: bool) -> Callable[[str], None]:
    """How the plant's story is told: a line on the terminal, none beside JSON."""
    import logging
    from datetime import datetime

    log = logging.getLogger("twinfall.demo")

    def say(what: str) -> None:
        log.info("%s", what)
        if not as_json:
            at = datetime.now().astimezone().strftime("%H:%M:%S")
            console().print(f"{at}  {what}", markup=False, highlight=False)

    return say


def _prepare(graph: Graph, folder: Path) -> None:
    from twinfall.api.demo.loading import load_demo

    load_demo(graph, folder)
