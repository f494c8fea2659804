"""How every client of kafka-python connects, and its failures as the errors of our port."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict

from kafka import errors

from consumers.topics import KafkaUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOTSTRAP_TIMEOUT_MS = 5_000  # the first answer of a broker; then the caller backs off
RECONNECT_MAX_MS = 1_000


class Connection(TypedDict):
    """The options that every client is given."""

    bootstrap_servers: str
    bootstrap_timeout_ms: int
    reconnect_backoff_max_ms: int


def connection(bootstrap: str) -> Connection:
    """Return the options of a client. The defaults wait half a minute for a broker."""
    return {
        "bootstrap_servers": bootstrap,
        "bootstrap_timeout_ms": BOOTSTRAP_TIMEOUT_MS,
        "reconnect_backoff_max_ms": RECONNECT_MAX_MS,
    }


@contextmanager
def outages(bootstrap: str) -> Iterator[None]:
    """Raise `KafkaUnavailableError` for whatever kafka-python raises inside."""
    try:
        yield
    except (errors.KafkaError, OSError) as error:
        message = f"Kafka at {bootstrap}: {str(error).strip() or type(error).__name__}"
        raise KafkaUnavailableError(message) from error
