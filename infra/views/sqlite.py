"""The views in a SQLite file, which may be the ledger's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.views.sql import SQLViews

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from consumers.views import StoredRow
    from infra.databases import SQLiteDatabase
    from infra.views.generations import Connection, Cursor
    from projections.facts import Key

TABLES = (
    """CREATE TABLE IF NOT EXISTS view_generation (
    number INTEGER PRIMARY KEY,
    projection TEXT NOT NULL,
    version INTEGER NOT NULL,
    live INTEGER NOT NULL,
    retired INTEGER NOT NULL
)""",
    """CREATE TABLE IF NOT EXISTS view_lane (
    generation INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    through INTEGER NOT NULL,
    last TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (generation, shard)
) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS view_row (
    generation INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (generation, customer_id, kind, id)
) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS view_parked (
    generation INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    value BLOB NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    PRIMARY KEY (generation, customer_id, position)
) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS view_deal (
    number INTEGER PRIMARY KEY,
    projection TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    deed TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    why TEXT NOT NULL
)""",
)
_FIND = """SELECT customer_id, kind, id, value FROM view_row
    WHERE generation = ? AND customer_id = ? AND kind = ? AND id = ?"""
_PUT = """INSERT INTO view_row (generation, customer_id, kind, id, value) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value"""


class SQLiteViews(SQLViews):
    """The views in a SQLite file."""

    def __init__(self, database: SQLiteDatabase) -> None:
        super().__init__(database)

    def create_tables(self) -> None:
        """Make the tables where they are missing."""
        with self._database.transaction() as connection:
            for statement in TABLES:
                connection.execute(statement)

    def _run(self, connection: Connection, statement: str, *parameters: object) -> Cursor:
        return connection.execute(statement.replace("%s", "?"), parameters)

    def _run_each(
        self, connection: Connection, statement: str, parameters: Sequence[tuple[object, ...]]
    ) -> int:
        if not parameters:
            return 0
        changed: int = connection.executemany(statement.replace("%s", "?"), parameters).rowcount
        return changed

    def _stream(
        self, connection: Connection, statement: str, *parameters: object
    ) -> Iterator[StoredRow]:
        yield from self._run(connection, statement, *parameters)

    def _among(self, column: str, values: Iterable[str]) -> tuple[str, object]:
        listed = "(SELECT value FROM json_each(%s))"
        return f"{column} IN {listed}", json.dumps(list(values))

    def _lock_generations(self, connection: Connection) -> None:
        """Do nothing: a transaction holds the write lock of the whole file already."""

    def _commit_without_waiting(self, connection: Connection) -> None:
        """Do nothing: the file is the ledger's as well."""

    def _find(
        self, connection: Connection, generation: int, keys: Iterable[Key]
    ) -> Iterator[StoredRow]:
        for key in keys:
            yield from connection.execute(_FIND, (generation, *key))

    def _put(self, connection: Connection, generation: int, rows: Sequence[StoredRow]) -> None:
        connection.executemany(_PUT, [(generation, *row) for row in rows])
