"""One contract for the relay's cursor, in SQLite and in PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from consumers.event_store import NotInitialisedError
from consumers.relay_cursor import Cursor, LeadershipLostError, RelayStatus
from infra.databases import open_database
from infra.event_store.ledger import initialise
from infra.relay_cursor import DDL, open_cursor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.relay_cursor import RelayCursor

MOVED = Cursor(7, {"guanxi.loan.v1": (0, 7), "guanxi.deposit.v1": (3, 0)})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.cluster)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url: str = (
        f"sqlite:{tmp_path / 'ledger.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgresql_url")
    )
    return url


@pytest.fixture
def ledger(url: str) -> str:
    initialise(url, ddl_sqlite=DDL, ddl_postgresql=DDL)
    return url


@contextmanager
def cursor_of(url: str) -> Iterator[RelayCursor]:
    with open_database(url) as database:
        cursor = open_cursor(database)
        yield cursor
        cursor.resign()


def test_the_first_leader_begins_at_the_start(ledger: str) -> None:
    with cursor_of(ledger) as cursor:
        assert cursor.lead("a") == Cursor(0, {})


def test_the_next_leader_goes_on_at_the_stored_cursor(ledger: str) -> None:
    with cursor_of(ledger) as first, cursor_of(ledger) as second:
        first.lead("a")
        first.store(MOVED)
        first.resign()
        assert second.lead("b") == MOVED


def test_only_one_relay_leads(ledger: str) -> None:
    with cursor_of(ledger) as first, cursor_of(ledger) as second:
        assert first.lead("a") is not None
        assert second.lead("b") is None
        first.resign()
        assert second.lead("b") is not None


def test_everybody_may_know_who_leads_and_how_far_it_is(ledger: str) -> None:
    with cursor_of(ledger) as relay, cursor_of(ledger) as other:
        assert other.status() == RelayStatus(0, None)
        relay.lead("a")
        relay.store(MOVED)
        assert other.status() == relay.status() == RelayStatus(7, "a")
        relay.resign()
        assert other.status() == RelayStatus(7, None)


def test_a_relay_of_an_earlier_epoch_stores_nothing(ledger: str) -> None:
    with cursor_of(ledger) as sleeper, cursor_of(ledger) as other:
        sleeper.lead("sleeper")
        with open_database(ledger) as database, database.connection() as connection:
            connection.execute("update relay_cursor set epoch = epoch + 1")
        with pytest.raises(LeadershipLostError):
            sleeper.store(MOVED)
        assert other.status().position == 0


@pytest.mark.cluster
def test_a_lost_connection_is_a_lost_leadership(postgresql_url: str) -> None:
    initialise(postgresql_url, ddl_postgresql=DDL)
    with cursor_of(postgresql_url) as first, cursor_of(postgresql_url) as second:
        first.lead("a")
        with psycopg.connect(postgresql_url) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'guanxi-relay' and datname = current_database()"
            )
        with pytest.raises(LeadershipLostError):
            first.store(MOVED)
        assert second.lead("b") == Cursor(0, {})


def test_a_ledger_that_was_not_made_is_named(url: str) -> None:
    if url.startswith("sqlite:"):
        initialise(url)  # without the relay's table
    with cursor_of(url) as cursor, pytest.raises(NotInitialisedError, match="guanxi init"):
        cursor.lead("a")
