from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from infra.customer_key import CustomerKey, KeyDestroyedError, SealBrokenError
from infra.databases import PostgreSQLDatabase, SQLiteDatabase
from infra.key_folder import (
    KeysDamagedError,
    KeysError,
    KeysMismatchError,
    KeysMissingError,
    KeysModeError,
    make_keys,
    read_keys,
)
from infra.keyring import CACHED_SECONDS_MAX, POSTGRESQL_DDL, SQLITE_DDL, Keyring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.databases import Database

MASTER = bytes(32)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.cluster)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        with SQLiteDatabase(tmp_path / "ledger.db", create=True) as sqlite:
            with sqlite.transaction() as connection:
                connection.execute(SQLITE_DDL)
            yield sqlite
    else:
        with PostgreSQLDatabase(request.getfixturevalue("postgresql_url")) as postgresql:
            with postgresql.transaction() as cursor:
                cursor.execute(POSTGRESQL_DDL)
            yield postgresql


def test_a_key_is_made_once_and_found_again(database: Database) -> None:
    box = Keyring(database, MASTER).keys_for(["C1"])["C1"].seal("e1", "name", "李雷")
    again = Keyring(database, MASTER).keys_for(["C1", "C1"])
    assert list(again) == ["C1"]
    assert again["C1"].unseal("e1", "name", box) == "李雷"


def test_a_customer_without_a_key_is_left_out_when_none_shall_be_made(database: Database) -> None:
    assert Keyring(database, MASTER).keys_for(["C1"], create=False) == {}
    assert Keyring(database, MASTER).keys_for([]) == {}


def test_the_keys_of_a_forgotten_customer_are_gone_for_ever(database: Database) -> None:
    keyring = Keyring(database, MASTER)
    box = keyring.keys_for(["C1"])["C1"].seal("e1", "name", "Ada")
    keyring.forget("C1")
    keyring.forget("C1")
    for each in (keyring, Keyring(database, MASTER)):
        key = each.keys_for(["C1"])["C1"]
        assert key.destroyed
        with pytest.raises(KeyDestroyedError, match="'C1' was forgotten"):
            key.unseal("e1", "name", box)
        with pytest.raises(KeyDestroyedError):
            key.seal("e1", "name", "Ada")
        with pytest.raises(KeyDestroyedError):
            key.content_hash(b"")


def test_a_customer_never_seen_can_be_forgotten(database: Database) -> None:
    keyring = Keyring(database, MASTER)
    keyring.forget("C1")
    assert keyring.keys_for(["C1"])["C1"].destroyed


def test_another_process_reads_on_for_a_minute_at_most(database: Database) -> None:
    now = [0.0]
    other = Keyring(database, MASTER, clock=lambda: now[0])
    assert not other.keys_for(["C1"])["C1"].destroyed
    Keyring(database, MASTER).forget("C1")
    now[0] = CACHED_SECONDS_MAX
    assert other.keys_for(["C1"])["C1"].destroyed


def test_two_makers_of_one_key_get_the_same(database: Database) -> None:
    ids = [f"C{number}" for number in range(200)]
    start = threading.Barrier(4)

    def make(order: int) -> dict[str, bytes]:
        start.wait()
        keys = Keyring(database, MASTER).keys_for(ids[::order])
        return {each: key.content_hash(b"") for each, key in keys.items()}

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(make, (1, -1, 1, -1))
    assert len(set(first.values())) == len(ids)
    assert all(other == first for other in others)


def test_a_ledger_opens_with_its_own_master_key_alone(database: Database) -> None:
    with pytest.raises(KeysMismatchError):
        Keyring(database, MASTER).verify()
    Keyring(database, MASTER).install()
    Keyring(database, MASTER).install()
    Keyring(database, MASTER).verify()
    with pytest.raises(KeysMismatchError):
        Keyring(database, os.urandom(32)).verify()
    with pytest.raises(KeysMismatchError):
        Keyring(database, os.urandom(32)).install()


def test_a_wrapped_key_serves_no_other_customer(tmp_path: Path) -> None:
    with SQLiteDatabase(tmp_path / "ledger.db", create=True) as database:
        with database.transaction() as connection:
            connection.execute(SQLITE_DDL)
        Keyring(database, MASTER).keys_for(["C1"])
        with database.transaction() as connection:
            connection.execute("INSERT INTO customer_key SELECT 'C2', wrapped FROM customer_key")
        with pytest.raises(KeysMismatchError):
            Keyring(database, MASTER).keys_for(["C2"])


def test_no_trace_of_a_destroyed_key_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with SQLiteDatabase(path, create=True) as database:
        with database.transaction() as connection:
            connection.execute(SQLITE_DDL)
        keyring = Keyring(database, MASTER)
        keyring.keys_for(f"C{number}" for number in range(300))
        with database.connection() as connection:
            query = "SELECT wrapped FROM customer_key WHERE customer_id = 'C7'"
            wrapped: bytes = connection.execute(query).fetchone()[0]
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert wrapped in path.read_bytes()
        keyring.forget("C7")
        assert all(wrapped not in each.read_bytes() for each in tmp_path.iterdir())


KEY = CustomerKey("C1", bytes(range(32)))


def test_a_sealed_value_is_nonce_ciphertext_and_tag() -> None:
    box = KEY.seal("e1", "name", "Ada", nonce=bytes)
    assert box[:12] == bytes(12)
    assert len(box) == 12 + 3 + 16
    assert KEY.seal("e1", "name", "Ada") != KEY.seal("e1", "name", "Ada")


@pytest.mark.parametrize(
    ("customer", "event_id", "field", "cut"),
    [(1, "e1", "name", 31), (0, "e2", "name", 31), (0, "e1", "phone", 31), (0, "e1", "name", 30)]
    + [(0, "e1", "name", length) for length in (0, 5, 12, 20)],
)
def test_a_sealed_value_opens_in_its_own_place_alone(
    customer: int, event_id: str, field: str, cut: int
) -> None:
    box = KEY.seal("e1", "name", "Ada")
    key = CustomerKey("C1", bytes(range(customer, 32 + customer)))
    with pytest.raises(SealBrokenError):
        key.unseal(event_id, field, box[:cut])


def test_content_hashes_agree_under_one_key_and_never_under_two() -> None:
    other = CustomerKey("C2", bytes(32))
    assert KEY.content_hash(b"row") == KEY.content_hash(b"row")
    assert KEY.content_hash(b"row") != KEY.content_hash(b"rows")
    assert KEY.content_hash(b"row") != other.content_hash(b"row")


def test_init_makes_keys_that_only_their_owner_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "ledger.keys"
    keys = make_keys(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()} == {
        "master.key": 0o600,
        "signing.key": 0o600,
    }
    assert keys.master.hex() not in repr(keys)


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    first = make_keys(tmp_path / "keys")
    for keys in (make_keys(tmp_path / "keys"), read_keys(tmp_path / "keys")):
        assert keys.master == first.master
        assert keys.signing.private_bytes_raw() == first.signing.private_bytes_raw()


@pytest.mark.parametrize(
    ("harm", "error", "code"),
    [
        ("rm -r keys", KeysMissingError, "keys-missing"),
        ("rm keys/master.key", KeysMissingError, "keys-missing"),
        ("rm keys/signing.key", KeysMissingError, "keys-missing"),
        ("chmod 750 keys", KeysModeError, "keys-mode"),
        ("chmod 644 keys/master.key", KeysModeError, "keys-mode"),
        ("chmod 604 keys/signing.key", KeysModeError, "keys-mode"),
        ("echo x >keys/master.key", KeysDamagedError, "keys-damaged"),
        (": >keys/signing.key", KeysDamagedError, "keys-damaged"),
    ],
)
def test_unusable_keys_say_what_is_wrong(
    tmp_path: Path, harm: str, error: type[KeysError], code: str
) -> None:
    make_keys(tmp_path / "keys")
    assert os.system(f"cd {tmp_path} && {harm}") == 0  # noqa: S605 - commands of this test's own
    with pytest.raises(error, match="keys") as caught:
        read_keys(tmp_path / "keys")
    assert caught.value.code == code
