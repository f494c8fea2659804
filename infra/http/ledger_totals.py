"""The whole ledger's metrics, read from its database whenever `serve` is scraped."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from consumers.views import NoViewError
from domain.catalogue import BY_NAME
from infra import metrics
from infra.answers import Answers, NothingRecordedError
from infra.feeds.rows_counted import RowsCounted
from infra.status import seconds_waited, status_of
from projections.book import currencies
from projections.deposit_compliance import compliance_rows
from projections.findings import OPEN, finding_rows
from projections.projection import FINDINGS, PROJECTIONS, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric

    from infra.composition import Parts
    from infra.metrics import Spec

WINDOWS_AGE_SECONDS_MAX = 30.0  # the windows of the whole book are counted at most so often


class LedgerTotals(Collector):
    """Collects the totals of one ledger. An outage shows as a failed scrape, as it should."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._appended = _CountedTypes(parts)
        self._published = _CountedTypes(parts)
        self._rows = RowsCounted(parts.store.database)
        self._windows: Counter[str] = Counter()
        self._windows_at: tuple[int, float] = (-1, -WINDOWS_AGE_SECONDS_MAX)
        self._guard = threading.Lock()

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield what the ledger's database says now."""
        with self._guard:
            yield from self._collect()

    def _collect(self) -> Iterator[Metric]:
        status = status_of(self._parts)
        position = status["ledger"]["position"]
        yield _counter(metrics.APPENDED, self._appended.through(position))
        yield _counter(metrics.INGEST_ROWS, self._rows.through(position))
        yield _gauge(metrics.LEDGER_POSITION, {(): position})
        yield from self._relay(status["relay"])
        yield from _projections(status["projections"])
        yield _gauge(metrics.PROJECTION_LAG_SECONDS, self._lag_seconds(status["projections"]))
        yield _counter(metrics.SKIPPED, {(p.name,): self._dropped(p.name) for p in PROJECTIONS})
        yield _gauge(metrics.PARKED_OLDEST, self._parked_seconds())
        yield _gauge(metrics.WINDOWS, self._counted_windows(position))
        yield _gauge(metrics.FINDINGS_OPEN, self._open_findings())

    def _relay(self, relay: dict[str, Any] | None) -> Iterator[Metric]:
        if relay is None:
            return
        published: Counter[tuple[str]] = Counter()
        for (name,), count in self._published.through(relay["position"]).items():
            family = BY_NAME[name].family if name in BY_NAME else "unknown"
            published[(f"{self._parts.meta.topic_prefix}.{family}.v1",)] += count
        yield _counter(metrics.PUBLISHED, published)
        yield _gauge(metrics.RELAY_POSITION, {(): relay["position"]})
        yield _gauge(metrics.RELAY_LAG, {(): relay["lag_events"]})
        yield _gauge(metrics.RELAY_LEADER, {(): int(relay["leader"] is not None)})

    def _lag_seconds(self, states: dict[str, Any]) -> Mapping[tuple[str], float]:
        """Return the age of the oldest event that each view does not hold yet."""
        store = self._parts.store
        return {
            (view,): seconds_waited(store, state["position"]) if state["lag_events"] else 0.0
            for view, state in states.items()
        }

    def _dropped(self, projection: str) -> int:
        return len(self._parts.views.dropped(projection))

    def _parked_seconds(self) -> Mapping[tuple[str, ...], float]:
        views, now = self._parts.views, time.time()
        oldest: dict[tuple[str, ...], float] = {}
        for projection in PROJECTIONS:
            try:
                parked = views.parked(views.live(projection.name))
            except NoViewError:
                parked = ()
            since = min((each.parked_at / 1_000_000 for each in parked), default=now)
            oldest[(projection.name,)] = max(0.0, now - since)
        return oldest

    def _counted_windows(self, position: int) -> Mapping[tuple[str, ...], float]:
        counted_at, when = self._windows_at
        if position != counted_at and time.monotonic() - when > WINDOWS_AGE_SECONDS_MAX:
            answers = Answers(self._parts)
            try:
                book, on = answers.book(WINDOWS), answers.as_of(None)
            except (NothingRecordedError, NoViewError):
                return {}
            self._windows = Counter(
                row.status
                for currency in currencies(book)
                for row in compliance_rows(book, on, currency)
            )
            self._windows_at = (position, time.monotonic())
        return {(status,): count for status, count in self._windows.items()}

    def _open_findings(self) -> Mapping[tuple[str, str], float]:
        answers = Answers(self._parts)
        try:
            book, on = answers.book(FINDINGS), answers.as_of(None)
        except (NothingRecordedError, NoViewError):
            return {}
        rows = (row for row in finding_rows(book, on) if row.status in OPEN)
        return Counter((row.rule, row.severity) for row in rows)


class _CountedTypes:
    """Events by type, counted on from where the last count ended."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self._counts: Counter[str] = Counter()
        self._position = 0

    def through(self, position: int) -> dict[tuple[str], int]:
        self._counts.update(self._store.count_types(self._position, position))
        self._position = max(self._position, position)
        return {(name,): count for name, count in self._counts.items()}


def _projections(states: dict[str, Any]) -> Iterator[Metric]:
    for spec, name in (
        (metrics.PROJECTION_POSITION, "position"),
        (metrics.PROJECTION_LAG, "lag_events"),
        (metrics.PARKED_KEYS, "parked_keys"),
    ):
        yield _gauge(spec, {(view,): state[name] for view, state in states.items()})
    yield _counter(metrics.APPLIED, {(view,): s["position"] for view, s in states.items()})


def _gauge(spec: Spec, values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(spec.name, spec.meaning, labels=spec.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _counter(spec: Spec, values: Mapping[Any, float]) -> Metric:
    name = spec.name.removesuffix("_total")
    family = CounterMetricFamily(name, spec.meaning, labels=spec.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
