"""What the two adapters of the views share: the same statements on the same tables.

Statements are written with psycopg's `%s`; SQLite's adapter turns them into `?`.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from consumers.views import (
    QUEUE_EVENTS_MAX,
    Applied,
    Change,
    Deal,
    Digest,
    DigestUnavailableError,
    Generation,
    Lane,
    LostShardError,
    Waiting,
)
from infra.views.generations import Connection, SQLGenerations
from infra.views.row_codec import digest_of, pack_row, unpack_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from consumers.views import StoredRow
    from projections.facts import Key, Row

_WAITING = "SELECT customer_id, position, shard, value, code, reason, parked_at FROM view_parked"
_ROWS = "SELECT customer_id, kind, id, value FROM view_row"
_MOVE = """UPDATE view_lane SET through = %s, last = %s, revision = revision + 1
    WHERE generation = %s AND shard = %s AND revision = %s"""
_PARK = """INSERT INTO view_parked
    (generation, customer_id, position, shard, value, code, reason, parked_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (generation, customer_id, position)
    DO UPDATE SET code = excluded.code, reason = excluded.reason"""
_UNPARK = "DELETE FROM view_parked WHERE generation = %s AND position = %s"
_DEAL = """INSERT INTO view_deal (projection, customer_id, position, deed, at, actor, why)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""


class SQLViews(SQLGenerations):
    """The views on a SQL database; see the port `consumers.views.Views`."""

    @abstractmethod
    def create_tables(self) -> None:
        """Make the tables where they are missing: for views in a database of their own."""

    @abstractmethod
    def _stream(
        self, connection: Connection, statement: str, *parameters: object
    ) -> Iterator[StoredRow]: ...

    @abstractmethod
    def _among(self, column: str, values: Iterable[str]) -> tuple[str, object]:
        """Return the condition that the column is one of the values, and its parameter."""

    @abstractmethod
    def _find(
        self, connection: Connection, generation: int, keys: Iterable[Key]
    ) -> Iterator[StoredRow]: ...

    @abstractmethod
    def _commit_without_waiting(self, connection: Connection) -> None:
        """Let this transaction's commit not wait for the disk, where that can be had."""

    @abstractmethod
    def _put(self, connection: Connection, generation: int, rows: Sequence[StoredRow]) -> None: ...

    # The rows of a generation.

    def lanes(self, generation: Generation) -> Mapping[int, Lane]:
        """Return the lane of each shard."""
        with self._database.connection() as connection:
            return self._lanes(connection, generation)

    def load(self, generation: Generation, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows that exist under the keys."""
        with self._database.connection() as connection:
            return {
                (customer_id, kind, id_): unpack_row(kind, value)
                for customer_id, kind, id_, value in self._find(
                    connection, generation.number, keys
                )
            }

    def commit(self, generation: Generation, changes: Sequence[Change]) -> Mapping[int, Lane]:
        """Store the changes whole, or raise `LostShardError`."""
        number = generation.number
        rows = [
            (*key, pack_row(key[1], row)) for change in changes for key, row in change.rows.items()
        ]
        moves = [
            (c.progress.through, _json(c.progress.last), number, c.shard, c.revision)
            for c in sorted(changes, key=lambda change: change.shard)
        ]
        with self._database.transaction() as connection:
            # Rows and progress are lost together, if at all, and are read again from the log;
            # what somebody decided about parked events is not in it.
            if not any(change.deals or change.park or change.unpark for change in changes):
                self._commit_without_waiting(connection)
            if self._run_each(connection, _MOVE, moves) != len(moves):
                message = f"{generation.projection}: another process has moved a shard on"
                raise LostShardError(message)
            self._put(connection, number, rows)
            for change in changes:
                self._commit_parked(connection, generation, change)
        return {c.shard: Lane(c.progress, c.revision + 1) for c in changes}

    def _commit_parked(
        self, connection: Connection, generation: Generation, change: Change
    ) -> None:
        number = generation.number
        park = [
            (number, w.customer_id, w.position, w.shard, w.value, w.code, w.reason, w.parked_at)
            for w in change.park
        ]
        deals = [
            (generation.projection, d.customer_id, d.position, d.deed, d.at, d.by, d.why)
            for d in change.deals
        ]
        self._run_each(connection, _UNPARK, [(number, position) for position in change.unpark])
        self._run_each(connection, _PARK, park)
        self._run_each(connection, _DEAL, deals)

    # Parked events.

    def parked(self, generation: Generation) -> Sequence[Waiting]:
        """Return the first parked event of each customer."""
        statement = f"""{_WAITING} WHERE generation = %s AND code <> ''
            ORDER BY customer_id, position"""
        with self._database.connection() as connection:
            found = self._run(connection, statement, generation.number).fetchall()
        return [Waiting(*row) for row in found]

    def queue(self, generation: Generation, customer_id: str) -> Sequence[Waiting]:
        """Return a customer's parked events, in order."""
        statement = f"""{_WAITING} WHERE generation = %s AND customer_id = %s
            ORDER BY position LIMIT {QUEUE_EVENTS_MAX}"""
        with self._database.connection() as connection:
            found = self._run(connection, statement, generation.number, customer_id).fetchall()
        return [Waiting(*row) for row in found]

    def dropped(self, projection: str) -> frozenset[int]:
        """Return the positions that were dropped."""
        statement = "SELECT position FROM view_deal WHERE projection = %s AND deed = 'dropped'"
        with self._database.connection() as connection:
            found = self._run(connection, statement, projection).fetchall()
        return frozenset(position for (position,) in found)

    def deals(self, projection: str) -> Sequence[Deal]:
        """Return what was done about parked events."""
        statement = """SELECT customer_id, position, deed, at, actor, why FROM view_deal
            WHERE projection = %s ORDER BY number"""
        with self._database.connection() as connection:
            found = self._run(connection, statement, projection).fetchall()
        return [Deal(*row) for row in found]

    # Queries.

    def rows(
        self,
        projection: str,
        kinds: Iterable[str] | None = None,
        customer_ids: Iterable[str] | None = None,
    ) -> Iterator[tuple[Key, Row]]:
        """Yield the live rows of one instant in key order."""
        for customer_id, kind, id_, value in self.stored(projection, kinds, customer_ids):
            yield (customer_id, kind, id_), unpack_row(kind, value)

    def stored(
        self,
        projection: str,
        kinds: Iterable[str] | None = None,
        customer_ids: Iterable[str] | None = None,
    ) -> Iterator[StoredRow]:
        """Yield the same with their bytes as they are, for who reads only a part of them."""
        with self._database.snapshot() as connection:
            generation = self._live(connection, projection)
            yield from self._scan(connection, generation, kinds, customer_ids)

    @contextmanager
    def applied(self, projection: str, kinds: Iterable[str] | None = None) -> Iterator[Applied]:
        """Lend the live view of one instant, all its kinds or those named."""
        parked = "SELECT DISTINCT customer_id FROM view_parked WHERE generation = %s"
        with self._database.snapshot() as connection:
            generation = self._live(connection, projection)
            waiting = self._run(connection, parked, generation.number).fetchall()
            lanes = self._lanes(connection, generation)
            yield Applied(
                generation,
                {shard: lane.progress.through for shard, lane in lanes.items()},
                frozenset(customer_id for (customer_id,) in waiting),
                self._scan(connection, generation, kinds),
            )

    def digest(self, generation: Generation) -> Digest:
        """Return the digest, or raise `DigestUnavailableError`."""
        with self._database.snapshot() as connection:
            position = self._settled_at(connection, generation)
            return Digest(position, digest_of(self._scan(connection, generation)))

    def _settled_at(self, connection: Connection, generation: Generation) -> int:
        throughs = {lane.progress.through for lane in self._lanes(connection, generation).values()}
        statement = "SELECT count(DISTINCT customer_id) FROM view_parked WHERE generation = %s"
        [parked] = self._run(connection, statement, generation.number).fetchone()
        if len(throughs) != 1 or parked:
            shards = ", ".join(map(str, sorted(throughs))) or "nowhere"
            message = (
                f"{generation.projection}: shards stand at {shards}; {parked} keys are parked"
            )
            raise DigestUnavailableError(message)
        return throughs.pop()

    def _scan(
        self,
        connection: Connection,
        generation: Generation,
        kinds: Iterable[str] | None = None,
        customer_ids: Iterable[str] | None = None,
    ) -> Iterator[StoredRow]:
        conditions = ["generation = %s"]
        parameters: list[object] = [generation.number]
        for column, values in (("customer_id", customer_ids), ("kind", kinds)):
            if values is not None:
                condition, parameter = self._among(column, values)
                conditions.append(condition)
                parameters.append(parameter)
        statement = f"{_ROWS} WHERE {' AND '.join(conditions)} ORDER BY customer_id, kind, id"
        return self._stream(connection, statement, *parameters)


def _json(last: Mapping[str, int]) -> str:
    return json.dumps(dict(last), sort_keys=True)
