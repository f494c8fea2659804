"""What the two adapters of the views share: the same statements on the same tables.

Statements are written with psycopg's `%s`; SQLite's adapter turns them into `?`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from consumers.source import Progress
from consumers.views import (
    DELETE_ROWS_MAX,
    QUEUE_EVENTS_MAX,
    Change,
    Deal,
    Digest,
    DigestUnavailableError,
    Generation,
    Lane,
    LostShardError,
    NoViewError,
    OutdatedProgramError,
    Waiting,
)
from infra.views.row_codec import pack_row, unpack_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infra.databases import Database
    from projections.facts import Key, Row

# Both drivers' connections and cursors have the methods used here, but no type in common.
Connection: TypeAlias = Any
Cursor: TypeAlias = Any
StoredRow: TypeAlias = tuple[str, str, str, bytes]  # customer_id, kind, id, value

_GENERATIONS = "SELECT number, projection, version, live FROM view_generation"
_WAITING = "SELECT customer_id, position, shard, value, code, reason, parked_at FROM view_parked"
_ROWS = "SELECT customer_id, kind, id, value FROM view_row"
_LANES = "SELECT shard, through, last, revision FROM view_lane WHERE generation = %s"
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
_SWEEP = """DELETE FROM view_row WHERE generation = %s AND (customer_id, kind, id) IN
    (SELECT customer_id, kind, id FROM view_row WHERE generation = %s LIMIT %s)"""


class SQLViews(ABC):
    """The views on a SQL database; see the port `consumers.views.Views`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @abstractmethod
    def create_tables(self) -> None:
        """Make the tables where they are missing: for views in a database of their own."""

    @abstractmethod
    def _run(self, connection: Connection, statement: str, *parameters: object) -> Cursor: ...

    @abstractmethod
    def _run_each(
        self, connection: Connection, statement: str, parameters: Sequence[tuple[object, ...]]
    ) -> int:
        """Run a statement once for each tuple; return how many rows changed in all."""

    @abstractmethod
    def _stream(
        self, connection: Connection, statement: str, *parameters: object
    ) -> Iterator[StoredRow]: ...

    @abstractmethod
    def _among(self, column: str, values: Iterable[str]) -> tuple[str, object]:
        """Return the condition that the column is one of the values, and its parameter."""

    @abstractmethod
    def _lock_generations(self, connection: Connection) -> None: ...

    @abstractmethod
    def _find(
        self, connection: Connection, generation: int, keys: Iterable[Key]
    ) -> Iterator[StoredRow]: ...

    @abstractmethod
    def _put(self, connection: Connection, generation: int, rows: Sequence[StoredRow]) -> None: ...

    # Generations.

    def live(self, projection: str) -> Generation:
        """Return the generation that queries read."""
        with self._database.connection() as connection:
            return self._live(connection, projection)

    def adopt(self, projection: str, version: int, shards: int) -> Generation:
        """Return the generation to feed, made where none is."""
        with self._database.transaction() as connection:
            self._lock_generations(connection)
            return self._adopt(connection, projection, version, shards)

    def begin(self, projection: str, version: int, shards: int) -> Generation:
        """Return an empty generation beside the live one."""
        with self._database.transaction() as connection:
            self._lock_generations(connection)
            generation = self._adopt(connection, projection, version, shards)
            if not generation.live or self._lane_is_fresh(connection, generation):
                return generation
            for other in self._in_use(connection, projection):
                if not other.live:
                    self._retire(connection, other)
            return self._make(connection, projection, version, shards, live=False)

    def promote(self, generation: Generation) -> bool:
        """Make it live unless it stands behind; return whether it is."""
        with self._database.transaction() as connection:
            self._lock_generations(connection)
            in_use = {g.number: g for g in self._in_use(connection, generation.projection)}
            if generation.number not in in_use:
                return False
            for other in in_use.values():
                if other.number == generation.number or not other.live:
                    continue
                mine, theirs = (self._lanes(connection, g) for g in (generation, other))
                if any(mine[s].progress.through < theirs[s].progress.through for s in theirs):
                    return False
                self._retire(connection, other)
            statement = "UPDATE view_generation SET live = 1 WHERE number = %s"
            self._run(connection, statement, generation.number)
            return True

    def sweep(self) -> bool:
        """Delete a slice of what is retired; return whether there may be more."""
        with self._database.transaction() as connection:
            self._lock_generations(connection)
            statement = "SELECT number FROM view_generation WHERE retired = 1 LIMIT 1"
            found = self._run(connection, statement).fetchone()
            if found is None:
                return False
            number = found[0]
            deleted = self._run(connection, _SWEEP, number, number, DELETE_ROWS_MAX).rowcount
            if deleted < DELETE_ROWS_MAX:
                self._run(connection, "DELETE FROM view_generation WHERE number = %s", number)
            return True

    def _in_use(self, connection: Connection, projection: str) -> list[Generation]:
        statement = f"{_GENERATIONS} WHERE projection = %s AND retired = 0 ORDER BY number"
        found = self._run(connection, statement, projection).fetchall()
        return [Generation(n, name, version, bool(live)) for n, name, version, live in found]

    def _live(self, connection: Connection, projection: str) -> Generation:
        for generation in self._in_use(connection, projection):
            if generation.live:
                return generation
        message = f"the view {projection} has not been built yet"
        raise NoViewError(message)

    def _adopt(
        self, connection: Connection, projection: str, version: int, shards: int
    ) -> Generation:
        in_use = self._in_use(connection, projection)
        live = next((generation for generation in in_use if generation.live), None)
        if live and live.version == version:
            return live
        if live and live.version > version:
            message = f"{projection} is at version {live.version}, this program at {version}"
            raise OutdatedProgramError(message)
        for generation in in_use:
            if generation.version == version:
                return generation
        return self._make(connection, projection, version, shards, live=live is None)

    def _make(
        self, connection: Connection, projection: str, version: int, shards: int, *, live: bool
    ) -> Generation:
        statement = "SELECT coalesce(max(number), 0) + 1 FROM view_generation"
        [number] = self._run(connection, statement).fetchone()
        statement = """INSERT INTO view_generation (number, projection, version, live, retired)
            VALUES (%s, %s, %s, %s, 0)"""
        self._run(connection, statement, number, projection, version, int(live))
        statement = """INSERT INTO view_lane (generation, shard, through, last, revision)
            VALUES (%s, %s, 0, '{}', 0)"""
        self._run_each(connection, statement, [(number, shard) for shard in range(shards)])
        return Generation(number, projection, version, live)

    def _lane_is_fresh(self, connection: Connection, generation: Generation) -> bool:
        return all(lane.revision == 0 for lane in self._lanes(connection, generation).values())

    def _retire(self, connection: Connection, generation: Generation) -> None:
        """Without its lanes nobody can commit to it any more."""
        for table in ("view_lane", "view_parked"):
            statement = f"DELETE FROM {table} WHERE generation = %s"  # noqa: S608 - our own names
            self._run(connection, statement, generation.number)
        statement = "UPDATE view_generation SET live = 0, retired = 1 WHERE number = %s"
        self._run(connection, statement, generation.number)

    # The rows of a generation.

    def lanes(self, generation: Generation) -> Mapping[int, Lane]:
        """Return the lane of each shard."""
        with self._database.connection() as connection:
            return self._lanes(connection, generation)

    def _lanes(self, connection: Connection, generation: Generation) -> dict[int, Lane]:
        found = self._run(connection, _LANES, generation.number).fetchall()
        return {
            shard: Lane(Progress(through, json.loads(last)), revision)
            for shard, through, last, revision in found
        }

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
        with self._database.snapshot() as connection:
            generation = self._live(connection, projection)
            stored = self._scan(connection, generation, kinds, customer_ids)
            for customer_id, kind, id_, value in stored:
                yield (customer_id, kind, id_), unpack_row(kind, value)

    def digest(self, generation: Generation) -> Digest:
        """Return the digest, or raise `DigestUnavailableError`."""
        with self._database.snapshot() as connection:
            position = self._settled_at(connection, generation)
            hashed = sha256()
            for *key, value in self._scan(connection, generation):
                for part in (*(text.encode() for text in key), value):
                    hashed.update(len(part).to_bytes(4, "big") + part)
        return Digest(position, hashed.hexdigest())

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
