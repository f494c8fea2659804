"""The views in PostgreSQL. Keys collate by code point, as everywhere else."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from consumers.views import READ_ROWS_MAX
from infra.views.sql import SQLViews

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from consumers.views import StoredRow
    from infra.databases import PostgreSQLDatabase
    from infra.views.generations import Connection, Cursor
    from projections.facts import Key

TABLES = (
    """CREATE TABLE IF NOT EXISTS view_generation (
    number integer PRIMARY KEY,
    projection text NOT NULL,
    version integer NOT NULL,
    live integer NOT NULL,
    retired integer NOT NULL
)""",
    """CREATE TABLE IF NOT EXISTS view_lane (
    generation integer NOT NULL,
    shard integer NOT NULL,
    through bigint NOT NULL,
    last text NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (generation, shard)
) WITH (fillfactor = 10)""",
    """CREATE TABLE IF NOT EXISTS view_row (
    generation integer NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (generation, customer_id, kind, id)
) WITH (fillfactor = 70)""",
    """CREATE TABLE IF NOT EXISTS view_parked (
    generation integer NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    shard integer NOT NULL,
    value bytea NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    parked_at bigint NOT NULL,
    PRIMARY KEY (generation, customer_id, position)
)""",
    """CREATE TABLE IF NOT EXISTS view_deal (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection text NOT NULL,
    customer_id text NOT NULL,
    position bigint NOT NULL,
    deed text NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    why text NOT NULL
)""",
)
_FIND = """SELECT r.customer_id, r.kind, r.id, r.value
    FROM unnest(%b::text[], %b::text[], %b::text[]) AS k (customer_id, kind, id)
    JOIN view_row r ON r.generation = %b
        AND r.customer_id = k.customer_id AND r.kind = k.kind AND r.id = k.id"""
_PUT = """INSERT INTO view_row (generation, customer_id, kind, id, value)
    SELECT %b, * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[])
    ON CONFLICT (generation, customer_id, kind, id) DO UPDATE SET value = excluded.value"""


class PostgreSQLViews(SQLViews):
    """The views in a PostgreSQL database."""

    def __init__(self, database: PostgreSQLDatabase) -> None:
        super().__init__(database)

    def create_tables(self) -> None:
        """Make the tables where they are missing."""
        with self._database.transaction() as connection:
            for statement in TABLES:
                connection.execute(statement)

    def _run(self, connection: Connection, statement: str, *parameters: object) -> Cursor:
        return connection.execute(statement, parameters)

    def _run_each(
        self, connection: Connection, statement: str, parameters: Sequence[tuple[object, ...]]
    ) -> int:
        if not parameters:
            return 0
        with connection.cursor() as cursor:
            cursor.executemany(statement, parameters)
            changed: int = cursor.rowcount
        return changed

    def _stream(
        self, connection: Connection, statement: str, *parameters: object
    ) -> Iterator[StoredRow]:
        with connection.cursor(f"view_{uuid.uuid4().hex}", binary=True) as cursor:
            cursor.itersize = READ_ROWS_MAX
            cursor.execute(statement, parameters)
            yield from cursor

    def _among(self, column: str, values: Iterable[str]) -> tuple[str, object]:
        return f"{column} = ANY(%s)", list(values)

    def _lock_generations(self, connection: Connection) -> None:
        connection.execute("LOCK TABLE view_generation IN EXCLUSIVE MODE")

    def _commit_without_waiting(self, connection: Connection) -> None:
        connection.execute("SET LOCAL synchronous_commit = off")

    def _find(
        self, connection: Connection, generation: int, keys: Iterable[Key]
    ) -> Iterator[StoredRow]:
        columns = [list(column) for column in zip(*keys, strict=True)]
        if columns:
            with connection.cursor(binary=True) as cursor:
                yield from cursor.execute(_FIND, (*columns, generation)).fetchall()

    def _put(self, connection: Connection, generation: int, rows: Sequence[StoredRow]) -> None:
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            connection.execute(_PUT, (generation, *columns))
