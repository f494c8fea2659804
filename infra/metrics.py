"""Every metric there is: its name, kind, labels and meaning. `docs/metrics.md` is made from it.

No label holds a customer's id. The registry is injected: a process shows its own counts; `serve`
shows the whole ledger's (see `infra/http/ledger_totals.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Spec:
    """One metric: its full name, kind, labels, and what it tells an operator."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str


APPENDED = Spec(
    "guanxi_events_appended_total", "counter", ("type",), "Events recorded in the ledger."
)
PUBLISHED = Spec(
    "guanxi_events_published_total", "counter", ("topic",), "Events that Kafka acknowledged."
)
APPLIED = Spec(
    "guanxi_events_applied_total",
    "counter",
    ("projection",),
    "Events folded into a view and committed.",
)
SKIPPED = Spec(
    "guanxi_events_skipped_total",
    "counter",
    ("projection",),
    "Events a projector had to leave out for good. Must be 0: anything else is an alarm.",
)
LEDGER_POSITION = Spec("guanxi_ledger_position", "gauge", (), "Position of the last event.")
RELAY_POSITION = Spec(
    "guanxi_relay_position", "gauge", (), "All events up to this position are in Kafka."
)
RELAY_LAG = Spec("guanxi_relay_lag_events", "gauge", (), "Events that are not in Kafka yet.")
RELAY_LEADER = Spec(
    "guanxi_relay_leader", "gauge", (), "1 while a relay leads (here: this one), else 0."
)
RELAY_FAULTS = Spec(
    "guanxi_relay_faults_total",
    "counter",
    (),
    "Faults of broker or database that the relay waited out: one for each attempt, and for each "
    "5 s without an acknowledgement.",
)
PROJECTION_POSITION = Spec(
    "guanxi_projection_position",
    "gauge",
    ("projection",),
    "A view holds all events up to this position.",
)
PROJECTION_LAG = Spec(
    "guanxi_projection_lag_events", "gauge", ("projection",), "Events not in the view yet."
)
PROJECTION_LAG_SECONDS = Spec(
    "guanxi_projection_lag_seconds",
    "gauge",
    ("projection",),
    "Age of the oldest event that is not in the view yet; 0 when there is none.",
)
PROJECTION_FAULTS = Spec(
    "guanxi_projection_faults_total",
    "counter",
    (),
    "Faults of broker or database that the projector waited out: one for each attempt.",
)
RECORDS_MISSING = Spec(
    "guanxi_records_missing_total",
    "counter",
    (),
    "Times a projector found published records gone. Must be 0: anything else is an alarm.",
)
PARKED_KEYS = Spec(
    "guanxi_parked_keys", "gauge", ("projection",), "Customers whose events wait for a decision."
)
PARKED_OLDEST = Spec(
    "guanxi_parked_oldest_seconds",
    "gauge",
    ("projection",),
    "For how long the oldest of them has waited.",
)
APPEND_SECONDS = Spec("guanxi_append_seconds", "histogram", (), "Time of one append, in seconds.")
APPLY_SECONDS = Spec(
    "guanxi_apply_seconds",
    "histogram",
    ("projection",),
    "Time to fold and commit one batch, in seconds.",
)
INGEST_ROWS = Spec(
    "guanxi_ingest_rows_total",
    "counter",
    ("file", "outcome"),
    "Rows of feeds: recorded, unchanged or rejected.",
)
WINDOWS = Spec(
    "guanxi_compliance_windows",
    "gauge",
    ("status",),
    "Windows of commitments by status, as of the default date.",
)
FINDINGS_OPEN = Spec(
    "guanxi_findings_open",
    "gauge",
    ("rule", "severity"),
    "Findings about which nothing was done yet, as of the default date.",
)

SPECS: tuple[Spec, ...] = (
    APPENDED,
    PUBLISHED,
    APPLIED,
    SKIPPED,
    LEDGER_POSITION,
    RELAY_POSITION,
    RELAY_LAG,
    RELAY_LEADER,
    RELAY_FAULTS,
    PROJECTION_POSITION,
    PROJECTION_LAG,
    PROJECTION_LAG_SECONDS,
    PROJECTION_FAULTS,
    RECORDS_MISSING,
    PARKED_KEYS,
    PARKED_OLDEST,
    APPEND_SECONDS,
    APPLY_SECONDS,
    INGEST_ROWS,
    WINDOWS,
    FINDINGS_OPEN,
)


def counter(spec: Spec, registry: CollectorRegistry) -> Counter:
    """Register a counter (the client adds `_total` itself)."""
    return Counter(spec.name.removesuffix("_total"), spec.meaning, spec.labels, registry=registry)


def gauge(spec: Spec, registry: CollectorRegistry) -> Gauge:
    """Register a gauge."""
    return Gauge(spec.name, spec.meaning, spec.labels, registry=registry)


def histogram(spec: Spec, registry: CollectorRegistry) -> Histogram:
    """Register a histogram of seconds."""
    return Histogram(
        spec.name, spec.meaning, spec.labels, buckets=SECONDS_BUCKETS, registry=registry
    )
