"""A ledger is made once, then opened; the eventsourcing library finds its events there."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, Mapper, ProgrammingError, StoredEvent

from consumers.event_store import Append, NotInitialisedError
from infra.event_store.ledger import initialise, open_store
from infra.event_store.meta import Meta, read_meta
from infra.event_store.recorder import LedgerEvent
from tests.event_store.records import DATA, record

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing.domain import DomainEventProtocol

    from infra.event_store.ledger import LedgerStore

PROCESSES = 4


def test_a_ledger_keeps_what_it_was_made_with(empty_url: str) -> None:
    made = initialise(empty_url, partitions=3, topic_prefix="trial")
    assert (made.partitions, made.topic_prefix) == (3, "trial")
    assert initialise(empty_url, partitions=12) == made
    with closing(open_store(empty_url)) as store:
        assert store.meta == made
        assert read_meta(store.database) == made


def test_two_ledgers_have_two_ids(empty_url: str, tmp_path: Path) -> None:
    assert initialise(empty_url).ledger_id != initialise(f"sqlite:{tmp_path / 'b'}").ledger_id


def test_no_ledger_is_opened_before_init(empty_url: str) -> None:
    with pytest.raises(NotInitialisedError, match="guanxi init"):
        open_store(empty_url)


def test_opening_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotInitialisedError):
        open_store(f"sqlite:{tmp_path / 'ledger.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but longer than its header " * 50)
    with pytest.raises(NotInitialisedError):
        open_store(f"sqlite:{tmp_path / 'notes.txt'}")


def test_another_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="mysql://bank"):
        open_store("mysql://bank")


def test_init_makes_the_tables_of_other_adapters_too(empty_url: str) -> None:
    ddl = ["CREATE TABLE IF NOT EXISTS taken (sha256 text PRIMARY KEY)"]
    for _ in range(2):
        initialise(empty_url, ddl_sqlite=ddl, ddl_postgresql=ddl)
    with closing(open_store(empty_url)) as store, store.database.transaction() as connection:
        connection.execute("INSERT INTO taken VALUES ('x')")


@pytest.mark.slow
def test_processes_may_make_a_ledger_at_once(empty_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        made: list[Meta] = pool.map(initialise, [empty_url] * PROCESSES, chunksize=1)
    assert len(set(made)) == 1


def test_the_library_reads_the_ledger_under_its_own_names(store: LedgerStore) -> None:
    assert store.max_notification_id() in (None, 0)
    store.append(Append(records=[record("loan-L1"), record("loan-L2"), record("loan-L1")]))
    store.append(Append(records=[record("loan-L1")]))
    notifications = store.select_notifications(start=2, limit=2)
    assert [(n.id, n.originator_id, n.originator_version, n.topic) for n in notifications] == [
        (2, "loan-L2", 1, "loan-drawn"),
        (3, "loan-L1", 2, "loan-drawn"),
    ]
    assert store.max_notification_id() == 4
    versions = [e.originator_version for e in store.select_events("loan-L1", gt=1)]
    assert versions == [2, 3]
    [last] = store.select_events("loan-L1", lte=2, desc=True, limit=1)
    assert last == StoredEvent("loan-L1", 2, "loan-drawn", DATA)


def test_the_library_records_in_the_ledger(store: LedgerStore) -> None:
    first = LedgerEvent.of(record("loan-L1", expected_version=0))
    assert store.insert_events([first]) == [1]
    with pytest.raises(IntegrityError):
        store.insert_events([first])
    with pytest.raises(ProgrammingError):
        store.insert_events([StoredEvent("loan-L1", 2, "loan-drawn", DATA)])
    assert store.position() == 1


class _Records(Mapper[str]):
    """A mapper for an application whose domain events are the library's form of our records."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        return cast("StoredEvent", domain_event)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        return cast("DomainEventProtocol[str]", stored_event)


def test_an_application_of_the_library_holds_the_ledger(url: str) -> None:
    adapter = "sqlite" if url.startswith("sqlite:") else "postgresql"
    environment = {
        "PERSISTENCE_MODULE": f"infra.event_store.{adapter}:Factory",
        "MAPPER_TOPIC": f"{__name__}:_Records",
        "ORIGINATOR_ID_TYPE": "text",
        "GUANXI_LEDGER": url,
    }
    with Application[str](env=environment) as application:
        event = LedgerEvent.of(record("loan-L1", expected_version=0))
        application.events.put([cast("DomainEventProtocol[str]", event)])
        [stored] = application.events.get("loan-L1")
        assert cast("StoredEvent", stored).state == DATA
        [notification] = application.notification_log.select(1, 10)
        assert notification.originator_id == "loan-L1"
