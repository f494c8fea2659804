"""The generations of views in a SQL database: one live, others built beside it or swept away.

Statements are written with psycopg's `%s`; SQLite's adapter turns them into `?`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

from consumers.source import Progress
from consumers.views import (
    DELETE_ROWS_MAX,
    Generation,
    Lane,
    NoViewError,
    OutdatedProgramError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.databases import Database

# Both drivers' connections and cursors have the methods used here, but no type in common.
Connection: TypeAlias = Any
Cursor: TypeAlias = Any

_GENERATIONS = "SELECT number, projection, version, live FROM view_generation"
_LANES = "SELECT shard, through, last, revision FROM view_lane WHERE generation = %s"
# Up to the last key of a slice, not a join with it: a database that has counted nothing yet
# compares each row with each.
_SLICE_END = """SELECT customer_id, kind, id FROM view_row WHERE generation = %s
    ORDER BY customer_id, kind, id LIMIT 1 OFFSET %s"""
_SWEEP = "DELETE FROM view_row WHERE generation = %s"
_SWEEP_SLICE = f"{_SWEEP} AND (customer_id, kind, id) <= (%s, %s, %s)"


class SQLGenerations(ABC):
    """The half of the port `consumers.views.Views` that is about generations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @abstractmethod
    def _run(self, connection: Connection, statement: str, *parameters: object) -> Cursor: ...

    @abstractmethod
    def _run_each(
        self, connection: Connection, statement: str, parameters: Sequence[tuple[object, ...]]
    ) -> int:
        """Run a statement once for each tuple; return how many rows changed in all."""

    @abstractmethod
    def _lock_generations(self, connection: Connection) -> None: ...

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
            end = self._run(connection, _SLICE_END, number, DELETE_ROWS_MAX - 1).fetchone()
            if end is not None:
                self._run(connection, _SWEEP_SLICE, number, *end)
            else:
                self._run(connection, _SWEEP, number)
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

    def _lanes(self, connection: Connection, generation: Generation) -> dict[int, Lane]:
        found = self._run(connection, _LANES, generation.number).fetchall()
        return {
            shard: Lane(Progress(through, json.loads(last)), revision)
            for shard, through, last, revision in found
        }
