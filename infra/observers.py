"""The loops' observers: what they tell becomes metrics, log lines, and readiness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from infra import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import CollectorRegistry

    from consumers.projector import Standing

log = structlog.get_logger()


class RelayMetrics:
    """The observer of a relay; see `consumers.relay.RelayObserver`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._published = metrics.counter(metrics.PUBLISHED, registry)
        self._position = metrics.gauge(metrics.RELAY_POSITION, registry)
        self._lag = metrics.gauge(metrics.RELAY_LAG, registry)
        self._leader = metrics.gauge(metrics.RELAY_LEADER, registry)
        self._faults = metrics.counter(metrics.RELAY_FAULTS, registry)
        self._waits_for: Sequence[str] = ("the first look at the ledger",)

    def published(self, topic: str, records: int) -> None:
        """Count what Kafka has acknowledged."""
        self._published.labels(topic).inc(records)

    def position(self, position: int, lag_events: int) -> None:
        """Show how far the topics are complete."""
        self._position.set(position)
        self._lag.set(lag_events)
        self._waits_for = ()

    def leader(self, *, leads: bool) -> None:
        """Show whether this relay leads. One that stands by is ready too."""
        self._leader.set(int(leads))
        self._waits_for = ()
        log.info("leading" if leads else "standing by")

    def standing_by(self) -> None:
        """Tell that another relay leads."""
        self._waits_for = ()

    def fault(self, error: Exception, wait_seconds: float) -> None:
        """Count an outage and tell it in one line."""
        self._faults.inc()
        self._waits_for = (str(error),)
        log.warning("waiting", error=str(error), again_in_seconds=round(wait_seconds, 1))

    def waits_for(self) -> Sequence[str]:
        """Return what the relay waits for, in words."""
        return self._waits_for


class ProjectorMetrics:
    """The observer of a projector; see `consumers.projector.Observer`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._applied = metrics.counter(metrics.APPLIED, registry)
        self._skipped = metrics.counter(metrics.SKIPPED, registry)
        self._position = metrics.gauge(metrics.PROJECTION_POSITION, registry)
        self._lag = metrics.gauge(metrics.PROJECTION_LAG, registry)
        self._lag_seconds = metrics.gauge(metrics.PROJECTION_LAG_SECONDS, registry)
        self._parked = metrics.gauge(metrics.PARKED_KEYS, registry)
        self._seconds = metrics.histogram(metrics.APPLY_SECONDS, registry)
        self._faults = metrics.counter(metrics.PROJECTION_FAULTS, registry)
        self._waits_for: Sequence[str] = ("the first shard",)

    def applied(self, projection: str, events: int, seconds: float) -> None:
        """Count a batch that was folded and committed."""
        self._applied.labels(projection).inc(events)
        self._seconds.labels(projection).observe(seconds)

    def skipped(self, projection: str, events: int) -> None:
        """Count events left out for good."""
        self._skipped.labels(projection).inc(events)

    def stands(self, standing: Standing) -> None:
        """Show how far a projection is."""
        name = standing.projection
        self._position.labels(name).set(standing.position)
        self._lag.labels(name).set(standing.lag_events)
        self._lag_seconds.labels(name).set(standing.lag_seconds)
        self._parked.labels(name).set(standing.parked_keys)
        self._waits_for = ()

    def fault(self, error: Exception) -> None:
        """Count an outage or a lost shard and tell it in one line."""
        self._faults.inc()
        self._waits_for = (str(error),)
        log.warning("waiting", error=str(error))

    def waits_for(self) -> Sequence[str]:
        """Return what the projector waits for, in words."""
        return self._waits_for
