"""Which feed files the ledger has taken, by their SHA-256, and the lines that it rejected.

A file wholly taken needs no second look but at its rejected lines. One that was begun and not
finished is gone through again; its rows are found by their claims.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from infra.databases import SQLiteDatabase

if TYPE_CHECKING:
    from collections.abc import Collection

    from infra.databases import Database

LINES_REMEMBERED_MAX = 100_000  # a file with more rejected lines is gone through again

DDL = (
    """
    CREATE TABLE IF NOT EXISTS feed_file (
        file           text   NOT NULL,
        sha256         text   NOT NULL,
        begun_after    bigint NOT NULL,  -- the ledger's position when it was first begun
        rejected_lines text,             -- a JSON array; NULL: not wholly taken yet
        PRIMARY KEY (file, sha256)
    )
    """,
)

_BEGIN = "INSERT INTO feed_file VALUES (?, ?, ?, NULL) ON CONFLICT DO NOTHING"
_FIND = "SELECT begun_after, rejected_lines FROM feed_file WHERE file = ? AND sha256 = ?"
_FINISH = "UPDATE feed_file SET rejected_lines = ? WHERE file = ? AND sha256 = ?"


class FileTaken(NamedTuple):
    """How far a file was taken: the lines still to try, None for all of them."""

    begun_after: int
    rejected_lines: frozenset[int] | None


class FilesTaken:
    """The table, in the ledger's own database. Raises `StoreUnavailableError` in an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sqlite = isinstance(database, SQLiteDatabase)

    def begin(self, file: str, sha256: str, position: int) -> FileTaken:
        """Note that a file is begun, and return what was noted the first time."""
        with self._database.transaction() as connection:
            connection.execute(self._dialect(_BEGIN), (file, sha256, position))
            row = connection.execute(self._dialect(_FIND), (file, sha256)).fetchone()
        assert row is not None, "it was put there just now, or before"
        begun_after, lines = row
        return FileTaken(begun_after, None if lines is None else frozenset(json.loads(lines)))

    def finish(self, file: str, sha256: str, rejected_lines: Collection[int]) -> None:
        """Note that the file was taken, all but these lines."""
        if len(rejected_lines) > LINES_REMEMBERED_MAX:
            return
        lines = json.dumps(sorted(rejected_lines))
        with self._database.transaction() as connection:
            connection.execute(self._dialect(_FINISH), (lines, file, sha256))

    def _dialect(self, query: str) -> str:
        return query if self._sqlite else query.replace("?", "%s")
