"""The publisher over kafka-python: idempotent, acknowledged by all, never given up by itself.

A batch that expired would leave a hole that later batches drain past; so batches do not expire,
and after any failure the whole publisher is thrown away. Events fill large batches; the horizon
has a producer of its own, which sends at once.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer, errors
from kafka.partitioner.default import murmur2

from consumers.topics import event_topics, progress_topic
from infra.kafka.connection import connection, outages
from infra.kafka.wire import HORIZON_KEY, Headers, pack_horizon

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumers.event_store import StoredRecord
    from consumers.topics import Horizon, Receipt

BATCH_BYTES = 512 * 1024
REQUEST_BYTES_MAX = 8 * 1024 * 1024
LINGER_MS = 20  # the relay flushes where it has caught up
NEVER_MS = 10 * 365 * 24 * 3600 * 1000
METADATA_TIMEOUT_MS = 5_000


def partition_of(customer_id: str, partitions: int) -> int:
    """Return the partition of a key, as Kafka's default partitioner would (murmur2)."""
    hashed: int = murmur2(customer_id.encode())
    return (hashed & 0x7FFFFFFF) % partitions


class KafkaPublisher:
    """Sends a ledger's records and horizons. Raises `KafkaUnavailableError` where it cannot."""

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        ledger_id: str,
        canonical: Callable[[StoredRecord], bytes],
    ) -> None:
        self._bootstrap = bootstrap
        self._progress = progress_topic(prefix)
        self._canonical = canonical
        self._headers = Headers(ledger_id)
        with contextlib.ExitStack() as undo:
            self._events = self._producer(LINGER_MS)
            undo.callback(_abandon, self._events, 1.0)
            self._horizons = self._producer(0)
            undo.callback(_abandon, self._horizons, 1.0)
            with outages(bootstrap):  # now, so that no send has to wait for it
                for topic in event_topics(prefix):
                    self._events.partitions_for(topic)
                self._horizons.partitions_for(self._progress)
            undo.pop_all()

    def partition(self, customer_id: str, partitions: int) -> int:
        """Return the partition of a key, as Kafka's default partitioner would."""
        return partition_of(customer_id, partitions)

    def send(self, record: StoredRecord, topic: str, partition: int, previous: int) -> Receipt:
        """Send a record; never waits for its acknowledgement."""
        with outages(self._bootstrap):
            receipt: Receipt = self._events.send(
                topic,
                self._canonical(record),
                record.customer_id.encode(),
                self._headers.of(record, previous),
                partition,
            )
        return receipt

    def flush(self, timeout_seconds: float) -> None:
        """Send at once what waits to fill a batch, and wait for it as long as told."""
        with outages(self._bootstrap), contextlib.suppress(errors.KafkaTimeoutError):
            self._events.flush(timeout_seconds)

    def wait(self, receipt: Receipt, timeout_seconds: float) -> None:
        """Wait for one receipt; whether it failed, the receipt tells."""
        with contextlib.suppress(errors.KafkaError):
            receipt.get(timeout_seconds)  # type: ignore[attr-defined]  # it is kafka-python's

    def publish(self, horizon: Horizon) -> Receipt:
        """Send a horizon at once; never waits for its acknowledgement."""
        with outages(self._bootstrap):
            receipt: Receipt = self._horizons.send(
                self._progress, pack_horizon(horizon), HORIZON_KEY, partition=0
            )
        return receipt

    def close(self, timeout_seconds: float) -> None:
        """Give up what is in flight and return within about the time given."""
        for producer in (self._events, self._horizons):
            _abandon(producer, timeout_seconds / 2)

    def _producer(self, linger_ms: int) -> Any:  # noqa: ANN401  # kafka-python is not typed
        with outages(self._bootstrap):
            return KafkaProducer(
                **connection(self._bootstrap),
                acks="all",
                enable_idempotence=True,
                batch_size=BATCH_BYTES,
                max_request_size=REQUEST_BYTES_MAX,
                linger_ms=linger_ms,
                delivery_timeout_ms=NEVER_MS,
                max_block_ms=METADATA_TIMEOUT_MS,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )


def _abandon(producer: Any, timeout_seconds: float) -> None:  # noqa: ANN401  # as above
    """Close a producer that may have no broker: under a watchdog, and without waiting for sends.

    `KafkaProducer.close` waits for what is in flight and leaves its thread running where that
    does not come; so its sender is told first to drop everything.
    """
    producer._sender.force_close()  # noqa: SLF001  # the only way that leaves no thread behind
    closing = threading.Thread(target=_close, args=(producer,), daemon=True)
    closing.start()
    closing.join(timeout_seconds)


def _close(producer: Any) -> None:  # noqa: ANN401  # as above
    with contextlib.suppress(errors.KafkaError):
        producer.close(timeout=1.0)
