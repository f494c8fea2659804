"""The relay's cursor and leader lock in the ledger's own database.

`DDL` makes the table, in either database; `open_cursor` gives the adapter that fits it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.databases import PostgreSQLDatabase
from infra.relay_cursor.postgresql import PostgreSQLRelayCursor
from infra.relay_cursor.sqlite import SQLiteRelayCursor

if TYPE_CHECKING:
    from consumers.relay_cursor import RelayCursor
    from infra.databases import Database

DDL = (
    """
    CREATE TABLE IF NOT EXISTS relay_cursor (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch BIGINT NOT NULL,
        leader TEXT NOT NULL,
        complete_through BIGINT NOT NULL,
        last TEXT NOT NULL -- JSON: topic to the positions of its partitions
    )
    """,
    "INSERT INTO relay_cursor VALUES (1, 0, '', 0, '{}') ON CONFLICT DO NOTHING",
)


def open_cursor(database: Database) -> RelayCursor:
    """Return the cursor of a ledger's database."""
    if isinstance(database, PostgreSQLDatabase):
        return PostgreSQLRelayCursor(database)
    return SQLiteRelayCursor(database)
