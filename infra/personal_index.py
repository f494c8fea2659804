"""What must be searched of personal data, kept apart from views, and emptied by forgetting.

It follows the ledger's own log, opens what is sealed, and keeps two things of a customer or a
prospect: the birthday (`MM-DD`, without the year), and keyed hashes of name and phone, by which
the same person is found again. Who has no keys has no index either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.catalogue import BY_CLASS
from domain.prospect import ProspectDescribed, ProspectForgotten
from domain.relationship import ProfileChanged, RelationshipForgotten, RelationshipOpened
from infra.codec import decode_record
from infra.databases import SQLiteDatabase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumers.event_store import StoredRecord
    from domain.catalogue import Event
    from domain.values import Sealed
    from infra.databases import Database
    from infra.event_store.ledger import LedgerStore
    from infra.keyring import Keyring, PersonalKind

BATCH_EVENTS = 10_000
MONTH_DAY = slice(5, 10)  # of YYYY-MM-DD

DDL = (
    """
    CREATE TABLE IF NOT EXISTS personal_value (
        customer_id text   NOT NULL,
        kind        text   NOT NULL,  -- birthday, name, phone
        value       text   NOT NULL,  -- MM-DD, or a keyed hash in hex
        told_at     bigint NOT NULL,  -- the position of the event that told it
        PRIMARY KEY (customer_id, kind)
    )
    """,
    "CREATE INDEX IF NOT EXISTS personal_value_found ON personal_value (kind, value)",
    "CREATE TABLE IF NOT EXISTS personal_index (position bigint PRIMARY KEY)",
    "INSERT INTO personal_index SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM personal_index)",
)

_TOLD = (RelationshipOpened, ProfileChanged, ProspectDescribed)
_FORGOTTEN = (RelationshipForgotten, ProspectForgotten)
_TYPES = frozenset(BY_CLASS[cls].name for cls in (*_TOLD, *_FORGOTTEN))
_MOVE = "UPDATE personal_index SET position = ? WHERE position = ?"
_EMPTY = "DELETE FROM personal_value WHERE customer_id = ?"
_PUT = "INSERT INTO personal_value VALUES (?, ?, ?, ?)"
_FIND = "SELECT customer_id FROM personal_value WHERE kind = ? AND value = ? ORDER BY customer_id"
_BIRTHDAYS = (
    "SELECT customer_id, value FROM personal_value WHERE kind = 'birthday' AND told_at <= ?"
)


class PersonalIndex:
    """The index, in the ledger's own database. Raises `StoreUnavailableError` in an outage."""

    def __init__(self, store: LedgerStore, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring

    def catch_up(self) -> None:
        """Take what the ledger has recorded since the last time, whoever took that."""
        while True:
            position = self._position()
            records = self._store.read(position, BATCH_EVENTS)
            if not records:
                return
            self._take(position, records)

    def found(self, kind: PersonalKind, value: str) -> Sequence[str]:
        """Return who has that name or phone, by id. Compared as `keyring.normal` writes it."""
        hashed = self._keyring.hashed(kind, value)
        with self._store.database.connection() as connection:
            query = _dialect(self._store.database, _FIND)
            rows = connection.execute(query, (kind, hashed)).fetchall()
        return sorted(customer_id for (customer_id,) in rows)

    def birthdays(self, through: int) -> Mapping[str, str]:
        """Return each customer's birthday, `MM-DD`, where it was last told up to a position."""
        with self._store.database.connection() as connection:
            rows = connection.execute(
                _dialect(self._store.database, _BIRTHDAYS), (through,)
            ).fetchall()
        return dict(rows)

    def _position(self) -> int:
        with self._store.database.connection() as connection:
            row = connection.execute("SELECT position FROM personal_index").fetchone()
        assert row is not None, "made with the table"
        position: int = row[0]
        return position

    def _take(self, position: int, records: Sequence[StoredRecord]) -> None:
        """Take a page of the log, all or nothing, unless someone else was quicker."""
        database = self._store.database
        of_interest = [record for record in records if record.type in _TYPES]
        rows = self._rows(of_interest)
        with database.transaction() as connection:
            moved = connection.execute(_dialect(database, _MOVE), (records[-1].position, position))
            if moved.rowcount != 1:
                return
            for customer_id in dict.fromkeys(record.customer_id for record in of_interest):
                connection.execute(_dialect(database, _EMPTY), (customer_id,))
            for row in rows:
                connection.execute(_dialect(database, _PUT), row)

    def _rows(self, records: Sequence[StoredRecord]) -> list[tuple[str, str, str, int]]:
        """Return what is kept after the last of these events of each customer."""
        keys = self._keyring.keys_for({record.customer_id for record in records}, create=False)
        kept: dict[str, list[tuple[str, str, str, int]]] = {}
        for record in records:
            key = keys.get(record.customer_id)
            unseal = None if key is None or key.destroyed else key.unseal
            event = decode_record(record, unseal).event
            kept[record.customer_id] = [
                (record.customer_id, kind, value, record.position)
                for kind, value in self._values(event).items()
            ]
        return [row for rows in kept.values() for row in rows]

    def _values(self, event: Event) -> Mapping[str, str]:
        """Return what an event tells, nothing of who was forgotten."""
        found: dict[str, str | Sealed | None]
        match event:
            case RelationshipOpened() | ProfileChanged():
                birth_date, name, phone = event.birth_date, event.name, event.phone
                found = {
                    "birthday": birth_date[MONTH_DAY] if isinstance(birth_date, str) else None,
                    "name": self._keyring.hashed("name", name) if isinstance(name, str) else None,
                    "phone": (
                        self._keyring.hashed("phone", phone) if isinstance(phone, str) else None
                    ),
                }
            case ProspectDescribed():
                found = {"name": event.name_hash, "phone": event.phone_hash}
            case _:
                found = {}
        return {kind: value for kind, value in found.items() if isinstance(value, str)}


def forget(database: Database, customer_id: str) -> None:
    """Empty the index of a customer or prospect."""
    with database.transaction() as connection:
        connection.execute(_dialect(database, _EMPTY), (customer_id,))


def _dialect(database: Database, query: str) -> str:
    return query if isinstance(database, SQLiteDatabase) else query.replace("?", "%s")
