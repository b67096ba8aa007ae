"""`/metrics` in Prometheus's text format: how much waits, how far behind, what was refused and why.

Figures are looked up when they are asked for; only requests are counted as they come.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from twinfall.api.asking import Admit
from twinfall.api.services import Services
from twinfall.ontology.errors import Refused, TwinError

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Seconds."""
OTHER = "other"
"""The path of requests that lead nowhere: their own would make a series each."""

_GAUGES = {
    "waiting": ("readings_waiting", "Readings in the queue before their commit."),
    "unmoved": ("readings_unmoved", "Readings in the journal that the history does not have yet."),
    "move_lag": ("history_lag_seconds", "Age of the oldest reading that is not moved yet."),
    "journal_bytes": ("journal_bytes", "The journal on disk, its write-ahead log included."),
    "history_bytes": ("history_bytes", "The history on disk."),
    "series": ("series", "Series known: twin and reading name."),
}


class Metrics:
    """All figures of one application."""

    def __init__(self, services: Services) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "twinfall_requests",
            "Requests answered.",
            ("method", "path", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "twinfall_request_seconds",
            "How long requests took.",
            ("path",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Looked(services))

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """A request was answered."""
        path = _path(scope)
        method = scope["method"] if path != OTHER else OTHER
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """All figures now."""
        return generate_latest(self._registry)


def _path(scope: Scope) -> str:
    if "endpoint" not in scope:
        return OTHER
    path: str = scope["path"]
    return "/static" if path.startswith("/static/") else path


class Showing:
    """Answers `/metrics`."""

    def __init__(self, metrics: Metrics, admit: Admit) -> None:
        self._metrics = metrics
        self._admit = admit

    async def answer(self, request: Request) -> Response:
        """For whoever may read."""
        access = self._admit(request)
        if not access.reads:
            raise Refused(f"role {access.role} cannot see metrics", cure="use role viewer")
        text = await run_in_threadpool(self._metrics.text)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})


class _Looked(Collector):
    """Figures that the rooms know themselves."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._start = time.time()

    def describe(self) -> Iterator[Metric]:
        """Nothing is looked up while registering."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Look around; a room that is away has no figures."""
        yield _gauge(
            "start_time_seconds", "When the service started, seconds since 1970.", self._start
        )
        yield _gauge("up", "Whether questions are answered: 1 or 0.", float(self._is_ready()))
        for look in (self._readings, self._broker, self._outbox):
            try:
                yield from look()
            except TwinError:
                continue

    def _is_ready(self) -> bool:
        try:
            self._services.check()
        except TwinError:
            return False
        return True

    def _readings(self) -> Iterator[Metric]:
        told = self._services.telemetry.status()
        for name, (called, meaning) in _GAUGES.items():
            yield _gauge(called, meaning, told[name])
        yield _counter("readings_stored", "Readings stored since the folder began.", told["stored"])
        refused = CounterMetricFamily(
            "twinfall_readings_refused", "Readings refused, by reason.", labels=["code"]
        )
        _fill(refused, told["refused_by"])
        yield refused
        letters = GaugeMetricFamily(
            "twinfall_dead_letters", "Refused readings that are kept, by reason.", labels=["code"]
        )
        _fill(letters, told["dead_letters"])
        yield letters
        what = "Blocks of readings that the watch was too slow to look at."
        yield _counter("watch_left_out", what, told["left_out"])

    def _broker(self) -> Iterator[Metric]:
        source = self._services.source
        if source is None:
            return
        told = source.status()
        yield _gauge("mqtt_connected", "Whether the broker takes us: 1 or 0.", told["connected"])
        yield _gauge("mqtt_waiting", "Messages not acknowledged yet.", told["waiting"])
        yield _counter("mqtt_received", "Messages that came since the start.", told["received"])
        yield _counter("mqtt_acknowledged", "Messages acknowledged.", told["acknowledged"])

    def _outbox(self) -> Iterator[Metric]:
        counts = self._services.actions.records.delivery_counts()
        deliveries = GaugeMetricFamily(
            "twinfall_deliveries", "Webhooks, commands and work orders, by state.", labels=["state"]
        )
        _fill(deliveries, counts)
        yield deliveries


def _gauge(name: str, meaning: str, value: Any) -> Metric:
    return GaugeMetricFamily(f"twinfall_{name}", meaning, value=float(value))


def _counter(name: str, meaning: str, value: Any) -> Metric:
    return CounterMetricFamily(f"twinfall_{name}", meaning, value=float(value))


def _fill(family: Any, by_label: Mapping[str, int]) -> None:
    for label, value in sorted(by_label.items()):
        family.add_metric([label], float(value))
