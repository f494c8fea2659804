"""Relays, the broker and the database are killed in the middle: nothing is lost or told early."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from consumers.event_store import StoreUnavailableError
from infra.databases import open_database
from infra.kafka.topics import KafkaTopics
from infra.relay_cursor import open_cursor
from tests.relaying.auditor import assert_complete, assert_horizons, audit, stamp_arrivals
from tests.relaying.ledger import append, make_ledger
from tests.relaying.process import spawn

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.servers.kafka import KafkaServer
    from tests.servers.postgresql import PostgresqlServer

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PARTITIONS = 4
PATIENCE_SECONDS = 120.0
SEED = 20_240_229


class Chaos:
    """A ledger that is written to all the time, and relays in processes of their own."""

    def __init__(self, url: str, bootstrap: str, prefix: str) -> None:
        self.url, self.bootstrap, self.prefix = url, bootstrap, prefix
        self.store = make_ledger(url, prefix, PARTITIONS)
        self.chance = random.Random(SEED)  # noqa: S311  # reproducible
        self.relays: list[subprocess.Popen[bytes]] = []
        self._stop = threading.Event()
        KafkaTopics(bootstrap, prefix).create(PARTITIONS)
        stamp_arrivals(bootstrap, prefix)

    def spawn(self) -> subprocess.Popen[bytes]:
        relay = spawn(self.url, self.bootstrap, f"relay {len(self.relays)}")
        self.relays.append(relay)
        return relay

    @contextmanager
    def writing(self) -> Iterator[None]:
        thread = threading.Thread(target=self._write)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _write(self) -> None:
        chance = random.Random(SEED)  # noqa: S311  # reproducible
        while not self._stop.is_set():
            try:
                append(self.store, chance.choice((1, 1, 3, 40, 400)))
            except StoreUnavailableError:
                time.sleep(0.1)  # written or not: the ledger knows
            time.sleep(chance.uniform(0.0, 0.1))

    def position(self) -> int:
        """How far the relay's cursor is."""
        with open_database(self.url) as database:
            return open_cursor(database).status().position

    def wait_for(self, position: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.position() < position:
            assert time.monotonic() < deadline, f"at {self.position()} of {position}"
            assert any(relay.poll() is None for relay in self.relays), "a relay has exited"
            time.sleep(0.1)

    def moves(self) -> None:
        """Wait until the relay has gone on from where it is."""
        self.wait_for(self.position() + 1)

    def verify(self) -> None:
        """All lies in the topics, and no horizon was published early."""
        self.wait_for(self.store.position())
        self.end()
        found = audit(self.bootstrap, self.prefix, PARTITIONS)
        assert_complete(found, self.store)
        assert_horizons(found)

    def end(self) -> None:
        for relay in self.relays:
            relay.kill()
            relay.wait()


@pytest.fixture
def chaos(
    postgresql_url: str, kafka_server: KafkaServer, kafka_topics_prefix: str
) -> Iterator[Chaos]:
    chaos = Chaos(postgresql_url, kafka_server.bootstrap, kafka_topics_prefix)
    yield chaos
    chaos.end()
    chaos.store.close()


@pytest.mark.timeout(600)
def test_a_relay_killed_at_random_moments_loses_nothing(chaos: Chaos) -> None:
    with chaos.writing():
        for turn in range(8):
            relay = chaos.spawn()
            if turn % 2:
                chaos.moves()
            time.sleep(chaos.chance.uniform(0.0, 1.5))
            relay.kill()
            relay.wait()
        chaos.spawn()
        chaos.moves()
    chaos.verify()


@pytest.mark.timeout(600)
def test_two_relays_outlive_the_broker_the_database_and_each_other(
    chaos: Chaos, kafka_server: KafkaServer, postgresql_server: PostgresqlServer
) -> None:
    with chaos.writing():
        first, second = chaos.spawn(), chaos.spawn()
        chaos.moves()
        kafka_server.kill()
        time.sleep(chaos.chance.uniform(0.5, 2.0))
        kafka_server.start()
        chaos.moves()
        postgresql_server.restart()
        chaos.moves()
        assert first.poll() is second.poll() is None, "a relay does not exit for an outage"
        kafka_server.kill()
        postgresql_server.restart()
        kafka_server.start()
        chaos.moves()
        first.kill()
        chaos.moves()
    chaos.verify()


@pytest.mark.timeout(600)
def test_a_replaced_relay_that_wakes_up_moves_nothing(chaos: Chaos) -> None:
    with chaos.writing():
        sleeper = chaos.spawn()
        chaos.moves()
        os.kill(sleeper.pid, signal.SIGSTOP)
        chaos.spawn()
        with psycopg.connect(chaos.url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                " and database = (select oid from pg_database where datname = current_database())"
            )
        chaos.moves()
        os.kill(sleeper.pid, signal.SIGCONT)
        before = chaos.position()
        time.sleep(1)
        assert chaos.position() >= before
        chaos.moves()
    chaos.verify()
