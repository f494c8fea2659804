"""A ledger is made once, by `initialise`, and opened ever after."""

from __future__ import annotations

import uuid
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from infra.clock import wall_clock
from infra.databases import SQLiteDatabase, open_database
from infra.event_store.meta import Meta, read_meta
from infra.event_store.postgresql import PostgreSQLEventStore
from infra.event_store.sqlite import SQLiteEventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.values import Instant
    from infra.databases import PostgreSQLDatabase

PARTITIONS = 12
TOPIC_PREFIX = "guanxi"

_INIT_LOCK = 0x6775616E7869  # "guanxi": the advisory lock under which tables are made
_FOLDER = Path(__file__).parent

LedgerStore: TypeAlias = SQLiteEventStore | PostgreSQLEventStore


def initialise(
    url: str,
    *,
    partitions: int = PARTITIONS,
    topic_prefix: str = TOPIC_PREFIX,
    ddl_sqlite: Sequence[str] = (),
    ddl_postgresql: Sequence[str] = (),
) -> Meta:
    """Make the ledger's tables, and those of the statements given, where they are missing.

    Returns what the ledger was made with: on a ledger that exists, not what was asked for now.
    Processes may do so at once. The statements must be repeatable (`IF NOT EXISTS`).
    Raises `StoreUnavailableError`.
    """
    meta = Meta(str(uuid.uuid4()), partitions, topic_prefix)
    with open_database(url, create=True) as database:
        if isinstance(database, SQLiteDatabase):
            _make_sqlite(database, meta, ddl_sqlite)
        else:
            _make_postgresql(database, meta, ddl_postgresql)
        return read_meta(database)


def open_store(url: str, clock: Callable[[], Instant] = wall_clock) -> LedgerStore:
    """Return the event store of an initialised ledger; close it after use.

    Raises `NotInitialisedError`, `StoreUnavailableError`, `ValueError` for another scheme.
    """
    database = open_database(url)
    try:
        if isinstance(database, SQLiteDatabase):
            return SQLiteEventStore(database, clock)
        return PostgreSQLEventStore(database, clock)
    except BaseException:
        database.close()
        raise


def _make_sqlite(database: SQLiteDatabase, meta: Meta, ddl: Sequence[str]) -> None:
    statements = (_FOLDER / "sqlite.sql").read_text(encoding="utf-8").split(";\n")
    with database.transaction() as connection:
        for statement in (*statements, *ddl):
            connection.execute(statement)
        connection.execute("INSERT OR IGNORE INTO ledger VALUES (1, ?, ?, ?, ?)", astuple(meta))


def _make_postgresql(database: PostgreSQLDatabase, meta: Meta, ddl: Sequence[str]) -> None:
    scripts = [(_FOLDER / name).read_bytes() for name in ("postgresql.sql", "append.sql")]
    with database.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_INIT_LOCK,))
        for script in (*scripts, *(statement.encode() for statement in ddl)):
            connection.execute(script)
        connection.execute(
            "INSERT INTO ledger VALUES (1, %s, %s, %s, %s) ON CONFLICT DO NOTHING", astuple(meta)
        )
