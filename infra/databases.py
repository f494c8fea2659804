"""The two databases: connections, transactions, and their outages as `StoreUnavailableError`.

Both offer the same three context managers: `connection()` commits each statement by itself,
`transaction()` commits at its end or rolls back at an exception, `snapshot()` reads one state.
A database may be shared between threads; a connection belongs to the thread that took it, until
the block ends. Blocks of one thread do not nest on one connection: pass the connection on.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

import psycopg
from psycopg import IsolationLevel
from psycopg_pool import ConnectionPool, PoolTimeout

from consumers.event_store import StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

SQLITE_SCHEME = "sqlite:"
POSTGRESQL_SCHEMES = ("postgresql://", "postgres://")

BUSY_TIMEOUT_SECONDS = 10.0  # how long a SQLite writer waits for another process
WAL_PAGES = 4_000  # 16 MB between checkpoints
IDLE_CONNECTIONS_MAX = 16  # SQLite connections kept open

POOL_CONNECTIONS_MAX = 20
POOL_TIMEOUT_SECONDS = 5.0  # how long to wait for a PostgreSQL connection
RECONNECT_TIMEOUT_SECONDS = 4.0  # then the next caller tries afresh, without a long back-off
REASON_TIMEOUT_SECONDS = 2

# What PostgreSQL says where waiting does not help. Its words are all there is: a connection that
# fails has no SQLSTATE. Said in another language (`lc_messages`), it is waited for.
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist')
_NO_LOGIN = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|is not permitted to log in"
    r'|role "[^"]*" does not exist|permission denied for database'
)

_OUTAGES = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
)


class DatabaseMissingError(StoreError):
    """The server has no database of that name: make one, and the ledger in it."""

    code = "database-missing"


class LoginRefusedError(StoreError):
    """The server does not let this user in: its name, its password or its rights are wrong."""

    code = "login-refused"


class SQLiteDatabase:
    """One SQLite file in WAL mode, every commit on disk, usable by several processes at once.

    Raises `StoreUnavailableError` where the file cannot be opened or stays locked.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._guard = threading.Lock()
        self._writer = threading.Lock()  # threads queue here; SQLite's busy handler only polls

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection on which every statement is its own transaction."""
        with _sqlite_outages():
            connection = self._take()
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.rollback()
                self._give_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that holds the write lock; commit at the end of the block."""
        with self._writer, self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection whose reads all see the same state."""
        with self.connection() as connection:
            connection.execute("BEGIN")
            yield connection

    def close(self) -> None:
        """Close the idle connections now, and those on loan when they come back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self) -> sqlite3.Connection:
        with self._guard:
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(
            self._uri,
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,  # lent to one thread at a time
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if not self._closed and len(self._idle) < IDLE_CONNECTIONS_MAX:
                self._idle.append(connection)
                return
        connection.close()


class PostgreSQLDatabase:
    """One PostgreSQL database behind a pool of connections, opened at the first use.

    Raises `StoreUnavailableError` where it cannot be reached, or a connection is lost: what
    was under way then may have been committed. Raises `DatabaseMissingError` and
    `LoginRefusedError` where waiting would not help.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool = ConnectionPool(
            url,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=POOL_CONNECTIONS_MAX,
            open=False,
            timeout=POOL_TIMEOUT_SECONDS,
            reconnect_timeout=RECONNECT_TIMEOUT_SECONDS,
        )

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """Lend a connection on which every statement is its own transaction."""
        try:
            if self._pool.closed:  # it would try for long what this is told at once
                psycopg.connect(self.url, connect_timeout=REASON_TIMEOUT_SECONDS).close()
            self._pool.open()
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if not self._pool.closed:
                self._pool.check()  # a restart breaks the idle connections too
            raise failure_of(self._reason(error)) from error

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """Lend a connection in a transaction (READ COMMITTED); commit at the end of the block."""
        with self.connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[psycopg.Connection]:
        """Lend a connection whose reads all see the same state."""
        with self.connection() as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            try:
                with connection.transaction():
                    yield connection
            finally:
                if not connection.closed:
                    connection.isolation_level = None
                    connection.read_only = None

    def _reason(self, error: psycopg.Error) -> psycopg.Error:
        """Return why; where the pool only waited, what a connection is told."""
        if isinstance(error, PoolTimeout):
            try:
                psycopg.connect(self.url, connect_timeout=REASON_TIMEOUT_SECONDS).close()
            except psycopg.OperationalError as refused:
                return refused
        return error

    def close(self) -> None:
        """Close the connections; those on loan close when they come back."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def failure_of(error: psycopg.Error) -> StoreError:
    """Return PostgreSQL's error as the one of our port: an outage, or what must be mended."""
    words = " ".join(str(error).split()) or type(error).__name__
    if _NO_DATABASE.search(words):
        message = f"PostgreSQL: {words}. Make it (createdb), and the ledger in it: guanxi init"
        return DatabaseMissingError(message)
    if _NO_LOGIN.search(words):
        message = f"PostgreSQL: {words}. Mend user and password of --ledger, or the user's rights"
        return LoginRefusedError(message)
    return StoreUnavailableError(f"PostgreSQL: {words}")


def connection_broke(error: StoreUnavailableError) -> bool:
    """Return whether PostgreSQL's connection was lost in use: the pool makes a fresh one."""
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and not isinstance(cause, PoolTimeout)


Database: TypeAlias = SQLiteDatabase | PostgreSQLDatabase


def open_database(url: str, *, create: bool = False) -> Database:
    """Return the database of a URL: `sqlite:PATH`, or `postgresql://…`.

    `create` makes a missing SQLite file at the first connection. Raises `ValueError` for
    another scheme.
    """
    if url.startswith(SQLITE_SCHEME):
        return SQLiteDatabase(Path(url.removeprefix(SQLITE_SCHEME)), create=create)
    if url.startswith(POSTGRESQL_SCHEMES):
        return PostgreSQLDatabase(url)
    message = f"{url!r} is neither sqlite:PATH nor a postgresql:// URL"
    raise ValueError(message)


@contextmanager
def _sqlite_outages() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0)  # none where a text is not UTF-8
        if code & 0xFF in _OUTAGES:  # the low byte: without the extended code
            message = f"SQLite: {error}"
            raise StoreUnavailableError(message) from error
        raise
