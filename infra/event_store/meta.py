"""What is fixed when a ledger is made, and how to tell that one was made."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from consumers.event_store import NotInitialisedError
from infra.databases import SQLiteDatabase

if TYPE_CHECKING:
    from infra.databases import Database

SCHEMA_VERSION = 1

_SELECT = "SELECT ledger_id, partitions, topic_prefix, schema_version FROM ledger"


@dataclass(frozen=True, slots=True)
class Meta:
    """What is fixed when a ledger is made: its id (UUID), partitions a topic, topics' prefix."""

    ledger_id: str
    partitions: int
    topic_prefix: str
    schema_version: int = SCHEMA_VERSION


def read_meta(database: Database) -> Meta:
    """Return what the ledger was made with. Raises `NotInitialisedError`."""
    if isinstance(database, SQLiteDatabase) and not database.path.exists():
        message = f"there is no ledger at {database.path}: run `guanxi init`"
        raise NotInitialisedError(message)
    try:
        with database.connection() as connection:
            row = connection.execute(_SELECT).fetchone()
    except (sqlite3.DatabaseError, psycopg.errors.UndefinedTable) as error:
        message = f"this is no ledger yet ({str(error).splitlines()[0]}): run `guanxi init`"
        raise NotInitialisedError(message) from error
    assert row is not None, "the tables and this row are made in one transaction"
    return Meta(*row)
