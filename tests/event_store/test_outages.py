"""A database that is locked, restarts, or loses a connection after COMMIT."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import infra.databases
from consumers.event_store import Append, Claim, ConflictError, StoreUnavailableError
from infra.event_store.ledger import initialise, open_store
from tests.event_store.records import record

if TYPE_CHECKING:
    from pathlib import Path

    from consumers.event_store import EventStore
    from tests.servers.postgresql import PostgresqlServer

COMMANDS = 300
RETRY_SECONDS = 0.05
WARM_UP = 10  # appends, more than there are connections


def _append_once(store: EventStore, command: str) -> None:
    """Append as a command handler does: after an outage it looks whether it was recorded."""
    while True:
        try:
            if not store.held([command]):
                store.append(Append(records=[record(command)], claims=[Claim(command, b"", 0)]))
        except StoreUnavailableError:
            time.sleep(RETRY_SECONDS)
        else:
            return


def test_a_text_that_is_none_is_no_outage(tmp_path: Path) -> None:
    database = infra.databases.SQLiteDatabase(tmp_path / "ledger.db", create=True)
    with (
        pytest.raises(sqlite3.OperationalError, match="UTF-8"),
        database.connection() as connection,
    ):
        connection.execute("SELECT CAST(x'ff' AS TEXT)").fetchall()
    database.close()


@pytest.mark.cluster
@pytest.mark.slow
def test_restarts_of_postgresql_lose_and_double_nothing(
    postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    initialise(postgresql_url)
    commands = [f"command:{n}" for n in range(COMMANDS)]
    with closing(open_store(postgresql_url)) as store:

        def write(share: list[str]) -> None:
            for command in share:
                _append_once(store, command)

        writers = [threading.Thread(target=write, args=(commands[n::4],)) for n in range(4)]
        for writer in writers:
            writer.start()
        for _ in range(2):
            time.sleep(0.1)
            postgresql_server.restart()
        for writer in writers:
            writer.join()
        recorded = store.read(0, 10 * COMMANDS)
    assert [r.position for r in recorded] == list(range(1, COMMANDS + 1))
    assert sorted(r.stream for r in recorded) == sorted(commands)


class ReplyLosingProxy:
    """Passes bytes to a server; once armed, it drops the connection instead of a reply."""

    def __init__(self, port: int) -> None:
        self.armed = False
        self._server_port = port
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port: int = self._sockets[0].getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._sockets[0].accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets += [client, server]
                for pump, ends in ((self._ask, (client, server)), (self._reply, (server, client))):
                    self._threads.append(threading.Thread(target=pump, args=ends))
                    self._threads[-1].start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)

    def _reply(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (data := server.recv(65_536)) and not self.armed:
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


@pytest.mark.cluster
def test_a_connection_lost_after_commit_is_told_by_the_claims(postgresql_url: str) -> None:
    initialise(postgresql_url)
    host, _, rest = postgresql_url.rpartition(":")
    port, _, database = rest.partition("/")
    with closing(ReplyLosingProxy(int(port))) as proxy:
        url = f"{host}:{proxy.port}/{database}"
        with closing(open_store(url)) as store:
            for n in range(WARM_UP):  # each connection prepares the statement: one reply later
                claim = Claim(f"warm-up:{n}", b"hash", 0)
                store.append(Append(records=[record()], claims=[claim]))
            claimed = Append(records=[record()], claims=[Claim("command:1", b"hash", 0)])
            proxy.armed = True
            with pytest.raises(StoreUnavailableError):
                store.append(claimed)
            proxy.armed = False
            assert _when_available(store, "command:1") == WARM_UP + 1
            with pytest.raises(ConflictError):
                store.append(claimed)
            assert store.position() == WARM_UP + 1


def _when_available(store: EventStore, key: str) -> int:
    while True:
        try:
            return store.held([key])[key].position
        except StoreUnavailableError:
            time.sleep(RETRY_SECONDS)


@pytest.mark.cluster
def test_a_postgresql_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infra.databases, "POOL_TIMEOUT_SECONDS", 0.3)
    with pytest.raises(StoreUnavailableError):
        open_store("postgresql://postgres@127.0.0.1:1/ledger")


def test_a_locked_sqlite_file_is_unavailable_and_then_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infra.databases, "BUSY_TIMEOUT_SECONDS", 0.05)
    url = f"sqlite:{tmp_path / 'ledger.db'}"
    initialise(url)
    with closing(open_store(url)) as store, closing(open_store(url)) as other:
        with other.database.transaction():
            with pytest.raises(StoreUnavailableError):
                store.append(Append(records=[record()]))
            assert store.read(0, 1) == []
        assert store.append(Append(records=[record()])) == range(1, 2)


def test_a_failed_transaction_leaves_its_connection_usable(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'ledger.db'}"
    initialise(url)
    with closing(open_store(url)) as store:
        with contextlib.suppress(ZeroDivisionError), store.database.transaction() as connection:
            connection.execute("DELETE FROM counter")
            _ = 1 // 0
        assert store.append(Append(records=[record()])) == range(1, 2)
