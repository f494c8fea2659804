"""The loops' observers: what they tell becomes metrics, log lines, and readiness."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from consumers.event_store import StoreUnavailableError
from consumers.merging import RecordsMissingError
from consumers.projector import Unobserved
from consumers.topics import KafkaUnavailableError
from infra import metrics
from infra.outages import Waiting
from infra.status import seconds_waited
from projections.projection import PROJECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prometheus_client import CollectorRegistry

    from consumers.event_store import EventStore
    from consumers.projector import Standing

STALL_SECONDS_MAX = 5.0  # without an acknowledgement of what was sent; then told as often

log = structlog.get_logger()


class RelayMetrics(Waiting):
    """The observer of a relay; see `consumers.relay.RelayObserver`."""

    def __init__(
        self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._clock = clock
        self._heard_at = clock()  # or told that nothing is heard
        self._at = -1
        self._published = metrics.counter(metrics.PUBLISHED, registry)
        self._position = metrics.gauge(metrics.RELAY_POSITION, registry)
        self._lag = metrics.gauge(metrics.RELAY_LAG, registry)
        self._leader = metrics.gauge(metrics.RELAY_LEADER, registry)
        self._faults = metrics.counter(metrics.RELAY_FAULTS, registry)
        self._led: bool | None = None

    def published(self, topic: str, records: int) -> None:
        """Count what Kafka has acknowledged."""
        self._published.labels(topic).inc(records)

    def position(self, position: int, lag_events: int, *, heard: bool) -> None:
        """Show how far the topics are complete; count while Kafka acknowledges nothing."""
        self._position.set(position)
        self._lag.set(lag_events)
        if heard and (lag_events == 0 or position != self._at):
            self._at, self._heard_at = position, self._clock()
            self.is_ready()
        elif self._clock() - self._heard_at > STALL_SECONDS_MAX:
            self._heard_at = self._clock()
            waiting = f"{lag_events} events wait" if lag_events else "the horizon waits"
            message = f"Kafka acknowledges nothing: {waiting} for it"
            self.fault(KafkaUnavailableError(message), STALL_SECONDS_MAX)

    def leader(self, *, leads: bool) -> None:
        """Show whether this relay leads."""
        self._leader.set(int(leads))
        self._heard_at = self._clock()
        if leads != self._led:
            log.info("leading" if leads else "standing by")
        self._led = leads

    def stands_by(self) -> None:
        """Show that this relay is ready to take over."""
        self.leader(leads=False)
        self.is_ready()

    def fault(self, error: Exception, wait_seconds: float) -> None:
        """Count an outage and tell it in one line."""
        self._faults.inc()
        self.outage(error, wait_seconds)


class ProjectorMetrics(Waiting):
    """The observer of a projector; see `consumers.projector.Observer`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._applied = metrics.counter(metrics.APPLIED, registry)
        self._skipped = metrics.counter(metrics.SKIPPED, registry)
        self._position = metrics.gauge(metrics.PROJECTION_POSITION, registry)
        self._lag = metrics.gauge(metrics.PROJECTION_LAG, registry)
        self._lag_seconds = metrics.gauge(metrics.PROJECTION_LAG_SECONDS, registry)
        self._parked = metrics.gauge(metrics.PARKED_KEYS, registry)
        self._seconds = metrics.histogram(metrics.APPLY_SECONDS, registry)
        self._faults = metrics.counter(metrics.PROJECTION_FAULTS, registry)
        self._missing = metrics.counter(metrics.RECORDS_MISSING, registry)
        self._store: EventStore | None = None
        self._source_waits_for: Callable[[], Sequence[str]] = tuple
        for projection in PROJECTIONS:  # an alarm on what never was needs its 0
            self._skipped.labels(projection.name)

    def follows(self, store: EventStore, source: object) -> None:
        """Measure lags against the store, and let readiness ask the source what it waits for."""
        self._store = store
        self._source_waits_for = getattr(source, "waits_for", tuple)

    def waits_for(self) -> Sequence[str]:
        """Return what the projector and its source wait for, in words."""
        return (*super().waits_for(), *self._source_waits_for())

    def applied(self, projection: str, events: int, seconds: float) -> None:
        """Count a batch that was folded and committed."""
        self._applied.labels(projection).inc(events)
        self._seconds.labels(projection).observe(seconds)

    def skipped(self, projection: str, events: int) -> None:
        """Count events left out for good."""
        self._skipped.labels(projection).inc(events)

    def stands(self, standings: Sequence[Standing]) -> None:
        """Show how far each projection is, against what is recorded: relay or broker may be away.

        Raises `StoreUnavailableError`.
        """
        assert self._store is not None, "it follows a ledger"
        end = self._store.position()
        for standing in standings:
            name, position = standing.projection, standing.position
            self._position.labels(name).set(position)
            self._lag.labels(name).set(max(standing.lag_events, end - position))
            self._lag_seconds.labels(name).set(
                seconds_waited(self._store, position) if end > position else 0.0
            )
            self._parked.labels(name).set(standing.parked_keys)
        self.is_ready()

    def fault(self, error: Exception) -> None:
        """Count a fault, and tell it in one line where the source does not."""
        self._faults.inc()
        self._missing.inc(isinstance(error, RecordsMissingError))
        if not isinstance(error, KafkaUnavailableError | RecordsMissingError):
            self.outage(error, 0.0)


class ServedMetrics(Unobserved):
    """What `serve` does itself, beside the ledger's totals: appends, and embedded, applying.

    `on_lost` is told of the database's outage.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        on_lost: Callable[[StoreUnavailableError], None] = lambda _error: None,
    ) -> None:
        self._on_lost = on_lost
        self.appended = metrics.histogram(metrics.APPEND_SECONDS, registry).observe
        self._apply_seconds = metrics.histogram(metrics.APPLY_SECONDS, registry)

    def applied(self, projection: str, events: int, seconds: float) -> None:
        """Time a batch that was folded and committed."""
        del events  # among the totals
        self._apply_seconds.labels(projection).observe(seconds)

    def fault(self, error: Exception) -> None:
        """Tell a fault in one line."""
        if isinstance(error, StoreUnavailableError):
            self._on_lost(error)
        else:
            log.warning("waiting", error=str(error))
