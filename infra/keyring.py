"""The customers' keys, wrapped by the master key, in the ledger's own database.

Forgetting a customer destroys the key and leaves a tombstone, a row without a key. The reserved
customer `ledger` has a key too: that it opens shows that the master key is this ledger's.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
import unicodedata
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.customer_key import KEY_BYTES, CustomerKey, seal, unseal
from infra.databases import SQLiteDatabase
from infra.key_folder import KeysMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from infra.databases import Database, PostgreSQLDatabase

PersonalKind: TypeAlias = Literal["name", "phone"]

LEDGER = "ledger"  # no customer: reserved
CACHED_KEYS_MAX = 100_000  # about 1 KB each
CACHED_SECONDS_MAX = 60.0  # so long may another process go on reading after a forgetting

SQLITE_DDL = """
CREATE TABLE IF NOT EXISTS customer_key (
    customer_id TEXT PRIMARY KEY,
    wrapped     BLOB  -- NULL: the customer was forgotten
) WITHOUT ROWID
"""
POSTGRESQL_DDL = """
CREATE TABLE IF NOT EXISTS customer_key (
    customer_id text COLLATE "C" PRIMARY KEY,
    wrapped     bytea  -- NULL: the customer was forgotten
)
"""


class CustomerKeyTable(Protocol):
    """Where the wrapped keys are kept. Raises `StoreUnavailableError` in an outage."""

    def read(self, customer_ids: Sequence[str]) -> Mapping[str, bytes | None]:
        """Return the rows there are; None for a destroyed key."""
        ...

    def add(self, wrapped: Mapping[str, bytes]) -> None:
        """Add rows; one that is there stays as it is."""
        ...

    def destroy(self, customer_id: str) -> None:
        """Leave a row without a key, whether there was one or not."""
        ...


class Keyring:
    """Makes, finds and destroys customers' keys. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        master: bytes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = _table_of(database)
        self._master = AESGCM(master)
        self._clock = clock
        self._guard = threading.Lock()
        self._cache: dict[str, CustomerKey] = {}
        self._cached_since = clock()

    def install(self) -> None:
        """Bind the ledger to the master key, once. Raises `KeysMismatchError`."""
        self.keys_for([LEDGER])

    def verify(self) -> None:
        """Raise `KeysMismatchError` where the master key is not this ledger's."""
        if not self.keys_for([LEDGER], create=False):
            msg = "the ledger was not bound to a master key: run `guanxi init`"
            raise KeysMismatchError(msg)

    def keys_for(
        self, customer_ids: Iterable[str], *, create: bool = True
    ) -> Mapping[str, CustomerKey]:
        """Return the customers' keys, new ones where there were none and `create` is set.

        Without `create` a customer who has none is left out. One who was forgotten has a key
        whose every use raises `KeyDestroyedError`. Raises `KeysMismatchError`.
        """
        wanted = dict.fromkeys(customer_ids)
        cache = self._fresh_cache()
        missing = sorted(customer_id for customer_id in wanted if customer_id not in cache)
        found = self._read(missing)
        new = [customer_id for customer_id in missing if customer_id not in found]
        if create and new:
            self._table.add({customer_id: self._new(customer_id) for customer_id in new})
            found |= self._read(new)  # another process may have been first
        cache.update(found)
        return {customer_id: cache[customer_id] for customer_id in wanted if customer_id in cache}

    def hashed(self, kind: PersonalKind, value: str) -> str:
        """Return the keyed hash, in hex, by which a value is the same for all of a ledger.

        HMAC-SHA-256 under a key of the ledger's own, of the value as `normal` writes it.
        """
        key = self.keys_for([LEDGER])[LEDGER]
        return key.content_hash(f"{kind}\0{normal(kind, value)}".encode()).hex()

    def forget(self, customer_id: str) -> None:
        """Destroy the customer's key for ever; twice is once."""
        self._table.destroy(customer_id)
        with self._guard:
            self._cache = {}

    def _fresh_cache(self) -> dict[str, CustomerKey]:
        now = self._clock()
        with self._guard:
            stale = now - self._cached_since >= CACHED_SECONDS_MAX
            if stale or len(self._cache) > CACHED_KEYS_MAX:
                self._cache, self._cached_since = {}, now
            return self._cache

    def _new(self, customer_id: str) -> bytes:
        return seal(self._master, os.urandom(KEY_BYTES), _place(customer_id))

    def _read(self, customer_ids: Sequence[str]) -> dict[str, CustomerKey]:
        if not customer_ids:
            return {}
        rows = self._table.read(customer_ids)
        return {each: CustomerKey(each, self._unwrap(each, box)) for each, box in rows.items()}

    def _unwrap(self, customer_id: str, wrapped: bytes | None) -> bytes | None:
        if wrapped is None:
            return None
        try:
            return unseal(self._master, wrapped, _place(customer_id))
        except InvalidTag as error:
            msg = "the master key is not the one this ledger was made with: name its own folder"
            raise KeysMismatchError(msg) from error


def normal(kind: PersonalKind, value: str) -> str:
    """Return a value as it is compared: a phone's digits, a name folded to one case and space.

    A leading `+` or `00` of a phone is left out: `+86 138 0013 8000` is `008613800138000`.
    """
    if kind == "phone":
        digits = "".join(re.findall(r"\d", unicodedata.normalize("NFKC", value)))
        return digits.removeprefix("00")
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _place(customer_id: str) -> bytes:
    return f"customer-key\0{customer_id}".encode()


class SQLiteCustomerKeys:
    """The table in SQLite."""

    def __init__(self, database: SQLiteDatabase) -> None:
        self._database = database

    def read(self, customer_ids: Sequence[str]) -> Mapping[str, bytes | None]:
        """Return the rows there are; None for a destroyed key."""
        query = (
            "SELECT customer_id, wrapped FROM customer_key"
            " WHERE customer_id IN (SELECT value FROM json_each(?))"
        )
        with self._database.connection() as connection:
            return dict(connection.execute(query, (json.dumps(customer_ids),)).fetchall())

    def add(self, wrapped: Mapping[str, bytes]) -> None:
        """Add rows; one that is there stays as it is."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO customer_key VALUES (?, ?) ON CONFLICT DO NOTHING", wrapped.items()
            )

    def destroy(self, customer_id: str) -> None:
        """Leave a row without a key, and zeros where the key stood in the file."""
        with self._database.connection() as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(
                "INSERT INTO customer_key VALUES (?, NULL)"
                " ON CONFLICT (customer_id) DO UPDATE SET wrapped = NULL",
                (customer_id,),
            )
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class PostgreSQLCustomerKeys:
    """The table in PostgreSQL."""

    def __init__(self, database: PostgreSQLDatabase) -> None:
        self._database = database

    def read(self, customer_ids: Sequence[str]) -> Mapping[str, bytes | None]:
        """Return the rows there are; None for a destroyed key."""
        query = "SELECT customer_id, wrapped FROM customer_key WHERE customer_id = ANY(%s)"
        with self._database.connection() as connection:
            return dict(connection.execute(query, (list(customer_ids),)).fetchall())

    def add(self, wrapped: Mapping[str, bytes]) -> None:
        """Add rows; one that is there stays as it is."""
        with self._database.connection() as connection:
            connection.execute(
                "INSERT INTO customer_key SELECT * FROM unnest(%s::text[], %s::bytea[])"
                " ON CONFLICT DO NOTHING",
                (list(wrapped), list(wrapped.values())),
            )

    def destroy(self, customer_id: str) -> None:
        """Leave a row without a key; vacuum and the write-ahead log's recycling do the rest."""
        with self._database.connection() as connection:
            connection.execute(
                "INSERT INTO customer_key VALUES (%s, NULL)"
                " ON CONFLICT (customer_id) DO UPDATE SET wrapped = NULL",
                (customer_id,),
            )


def _table_of(database: Database) -> CustomerKeyTable:
    if isinstance(database, SQLiteDatabase):
        return SQLiteCustomerKeys(database)
    return PostgreSQLCustomerKeys(database)
