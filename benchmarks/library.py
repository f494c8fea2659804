"""The peer of the event store: the `eventsourcing` library's own recorders, by default."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import NAMESPACE_OID, uuid5

from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.utils import Environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from eventsourcing.persistence import ApplicationRecorder

    from consumers.event_store import NewRecord


def postgresql_environment(url: str) -> dict[str, str]:
    """Return the environment of an application of the library on a database."""
    parts = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path[1:],
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": "none",
    }


def sqlite_environment(path: Path) -> dict[str, str]:
    """Return the environment of an application of the library on a file."""
    return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}


@contextmanager
def recorder(environment: dict[str, str]) -> Iterator[ApplicationRecorder]:
    """Lend the library's recorder over tables that are there: see `make_tables`."""
    factory: InfrastructureFactory = InfrastructureFactory.construct(
        Environment("bench", {"CREATE_TABLE": "n", **environment})
    )
    try:
        yield factory.application_recorder()
    finally:
        factory.close()


def make_tables(environment: dict[str, str]) -> None:
    """Make the library's tables: processes that do so at once fail."""
    with recorder({**environment, "CREATE_TABLE": "y"}):
        pass


def stored_events(records: Iterable[NewRecord]) -> list[StoredEvent]:
    """Return the library's form of our records: only what it needs, so fewer bytes than ours."""
    return [
        StoredEvent(
            originator_id=uuid5(NAMESPACE_OID, record.stream),
            originator_version=(record.expected_version or 0) + 1,
            topic=record.type,
            state=record.data,
        )
        for record in records
    ]
