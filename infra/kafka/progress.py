"""Reads the horizon: a consumer of its own, assigned by hand, outside of any group."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kafka import KafkaConsumer, TopicPartition

from consumers.topics import KafkaUnavailableError, progress_topic
from infra.kafka.connection import connection, outages
from infra.kafka.wire import HORIZON_KEY, unpack_horizon

if TYPE_CHECKING:
    from consumers.topics import Horizon

ANSWER_TIMEOUT_SECONDS = 30.0
ASK_TIMEOUT_MS = 1_000
READ_SECONDS = 0.1


class ProgressReader:
    """Knows the highest horizon published. Raises `KafkaUnavailableError`."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap = bootstrap
        self._highest: Horizon | None = None
        self._partition = TopicPartition(progress_topic(prefix), 0)
        with outages(bootstrap):
            self._consumer = KafkaConsumer(
                **connection(bootstrap), group_id=None, enable_auto_commit=False
            )
            self._consumer.assign([self._partition])
            self._consumer.seek_to_beginning(self._partition)

    def highest(self, timeout_seconds: float = 0.0) -> Horizon | None:
        """Return the highest horizon so far; wait up to the time given for something new."""
        with outages(self._bootstrap):
            pages = self._consumer.poll(timeout_ms=round(1000 * timeout_seconds), max_records=None)
        for message in (message for page in pages.values() for message in page):
            if message.key == HORIZON_KEY:
                horizon = unpack_horizon(message.value)
                if self._highest is None or (
                    horizon.complete_through >= self._highest.complete_through
                ):
                    self._highest = horizon
        return self._highest

    def at_end(self) -> Horizon | None:
        """Return the highest of all horizons there are now."""
        deadline = time.monotonic() + ANSWER_TIMEOUT_SECONDS
        timeout_ms = 1000 * ANSWER_TIMEOUT_SECONDS
        with outages(self._bootstrap):
            end = self._consumer.end_offsets([self._partition], timeout_ms)[self._partition]
        while (self._consumer.position(self._partition, timeout_ms) or 0) < end:
            if time.monotonic() > deadline:
                message = f"Kafka at {self._bootstrap} does not give its horizons"
                raise KafkaUnavailableError(message)
            self.highest(READ_SECONDS)
        return self._highest

    def ask(self) -> None:
        """Ask the broker for something cheap, to learn whether it is there."""
        try:
            with outages(self._bootstrap):
                self._consumer.end_offsets([self._partition], ASK_TIMEOUT_MS)
        except KafkaUnavailableError as error:
            topic = self._partition.topic
            message = f"Kafka at {self._bootstrap} cannot be reached, or gives nothing of {topic}"
            raise KafkaUnavailableError(message) from error

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()
