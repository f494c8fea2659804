"""How many rows of feeds a ledger has taken and rejected, read from its database."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from infra.databases import SQLiteDatabase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.databases import Database

# The source of an event is `feed:<kind>:<start of the file's SHA-256>:<record number>`.
_SQLITE = """
SELECT substr(source, 6, instr(substr(source, 6), ':') - 1), count(DISTINCT source)
FROM event WHERE position > ? AND position <= ? AND source LIKE 'feed:%' GROUP BY 1
"""
_POSTGRESQL = """
SELECT split_part(source, ':', 2), count(DISTINCT source)
FROM event WHERE position > %s AND position <= %s AND source LIKE 'feed:%%' GROUP BY 1
"""
_REJECTED = "SELECT file, sha256, rejected_lines FROM feed_file WHERE rejected_lines IS NOT NULL"


class RowsCounted:
    """Rows by kind of file and outcome, counted on from where the last count ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recorded: Counter[str] = Counter()
        self._rejected: Counter[tuple[str, str]] = Counter()  # of each file, the most there were
        self._position = 0

    def through(self, position: int) -> Mapping[tuple[str, str], int]:
        """Return the counts up to a position. Raises `StoreUnavailableError`.

        A rejected row that is taken later counts as both: counters do not fall.
        """
        is_sqlite = isinstance(self._database, SQLiteDatabase)
        query = _SQLITE if is_sqlite else _POSTGRESQL
        connection: Any  # the two drivers have no type in common
        with self._database.connection() as connection:
            recorded = connection.execute(query, (self._position, position)).fetchall()
            rejected = connection.execute(_REJECTED).fetchall()
        self._recorded.update(dict(recorded))
        self._position = max(self._position, position)
        for file, sha256, lines in rejected:
            key = file.partition(".")[0], sha256
            self._rejected[key] = max(self._rejected[key], len(json.loads(lines)))
        counts = Counter({(kind, "recorded"): rows for kind, rows in self._recorded.items()})
        for (kind, _), rows in self._rejected.items():
            counts[kind, "rejected"] += rows
        return counts
