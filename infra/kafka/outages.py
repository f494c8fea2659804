"""Failures of kafka-python as the errors of our port."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kafka import errors

from consumers.topics import KafkaUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def outages(bootstrap: str) -> Iterator[None]:
    """Raise `KafkaUnavailableError` for whatever kafka-python raises inside."""
    try:
        yield
    except (errors.KafkaError, OSError) as error:
        message = f"Kafka at {bootstrap}: {str(error).strip() or type(error).__name__}"
        raise KafkaUnavailableError(message) from error
