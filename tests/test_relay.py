"""The relay against a Kafka in memory that does its worst, driven by a seed."""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from consumers import relay as relay_module
from consumers.relay import Relay, RelayPorts, UnknownTypeError
from consumers.relay_start import (
    AnotherLeadsError,
    NothingToRepublishError,
    RestoredStoreError,
    TopicsChangedError,
)
from infra.clock import wall_clock
from infra.codec import canonical
from infra.databases import open_database
from infra.relay_cursor import open_cursor
from tests.relaying.ledger import SilentObserver, append, make_ledger
from tests.relaying.memory_kafka import Entry, KilledError, MemoryKafka, MemoryPublisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infra.event_store.ledger import LedgerStore

PREFIX = "test"
PARTITIONS = 3


class StopWhen(SilentObserver):
    """Stops the relay once it has carried everything there is."""

    def __init__(self, stop: threading.Event, target: int) -> None:
        super().__init__()
        self._stop = stop
        self._target = target

    def position(self, position: int, lag_events: int, *, heard: bool) -> None:
        super().position(position, lag_events, heard=heard)
        if position >= self._target:
            self._stop.set()


class World:
    """A ledger in SQLite and its topics in memory."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:{path / 'ledger.db'}"
        self.store: LedgerStore = make_ledger(self.url, PREFIX, PARTITIONS)
        self.kafka = MemoryKafka(PREFIX, PARTITIONS)
        self.chance = random.Random(1)  # noqa: S311  # reproducible
        self.fault_rate = 0.0

    @contextmanager
    def relay(self, stop: threading.Event) -> Iterator[Relay]:
        with open_database(self.url) as database:
            ports = RelayPorts(
                store=self.store,
                cursor=open_cursor(database),
                topics=self.kafka,
                publisher=lambda: MemoryPublisher(self.kafka, self.chance, self.fault_rate),  # type: ignore[arg-type, return-value]  # its receipts are its own
                canonical=canonical,
                observer=StopWhen(stop, self.store.position()),
                clock=wall_clock,
            )
            yield Relay(ports=ports, prefix=PREFIX, partitions=PARTITIONS, name="test")

    def run(self, *, republish: bool = False) -> None:
        """Run a relay until all is carried, or it is killed."""
        stop = threading.Event()
        with self.relay(stop) as relay:
            relay.run(stop, republish=republish)

    def assert_complete(self) -> None:
        entries = [e for where in self.kafka.logs for e in self.kafka.applied(where)]
        entries.sort(key=lambda entry: entry.position)
        records = self.store.read(0, 10_000)
        assert [entry.value for entry in entries] == [canonical(record) for record in records]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(relay_module, "BACK_OFF_SECONDS", (0.001, 0.002))
    monkeypatch.setattr(relay_module, "HORIZON_INTERVAL_SECONDS", 0.001)
    world = World(tmp_path)
    yield world
    world.store.close()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_nothing_is_lost_or_told_early(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "READ_RECORDS_MAX", 7)
    monkeypatch.setattr(relay_module, "IN_FLIGHT_RECORDS_MAX", 20)
    world.chance, world.fault_rate = random.Random(seed), 0.03  # noqa: S311  # reproducible
    kills = rounds = 0
    while rounds < 4 or not kills:  # how much is drawn, and so what happens, depends on timing
        rounds += 1
        append(world.store, 40, seed)
        while True:
            try:
                world.run()
                break
            except KilledError:
                kills += 1
    world.assert_complete()
    world.fault_rate = 0.0  # one that was stopped while Kafka was away told the rest no more
    world.run()
    assert world.kafka.horizons[-1].complete_through == world.store.position()


def test_an_empty_ledger_has_a_horizon(world: World) -> None:
    world.run()
    assert world.kafka.horizons[-1].complete_through == 0


def test_what_is_in_flight_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "READ_RECORDS_MAX", 5)
    monkeypatch.setattr(relay_module, "IN_FLIGHT_BYTES_MAX", 1)
    append(world.store, 60)
    world.run()
    world.assert_complete()


def test_a_record_that_the_ledger_does_not_know_halts_the_relay(world: World) -> None:
    append(world.store, 5)
    world.run()
    where = next(where for where, log in world.kafka.logs.items() if not log)
    world.kafka.logs[where].append(Entry(6, 0, b""))
    with pytest.raises(RestoredStoreError, match="restored from an older copy"):
        world.run()


def test_a_record_with_other_bytes_halts_the_relay(world: World) -> None:
    append(world.store, 5)
    world.run()
    log = next(log for log in world.kafka.logs.values() if log)
    log[-1] = Entry(log[-1].position, log[-1].previous, b"other")
    with pytest.raises(RestoredStoreError, match="differently"):
        world.run()


def test_an_emptied_topic_needs_republish(world: World) -> None:
    append(world.store, 20)
    world.run()
    next(log for log in world.kafka.logs.values() if log).clear()
    with pytest.raises(TopicsChangedError, match="--republish"):
        world.run()
    world.run(republish=True)
    world.assert_complete()


def test_a_topic_that_lost_its_last_record_needs_republish(world: World) -> None:
    append(world.store, 40)
    world.run()
    max(world.kafka.logs.values(), key=len).pop()
    with pytest.raises(TopicsChangedError, match="has lost records"):
        world.run()


def test_topics_that_hold_everything_are_not_published_again(world: World) -> None:
    append(world.store, 40)
    world.run()
    before = {where: list(log) for where, log in world.kafka.logs.items()}
    with pytest.raises(NothingToRepublishError, match="up to position 40"):
        world.run(republish=True)
    assert world.kafka.logs == before
    append(world.store, 10)
    with pytest.raises(NothingToRepublishError, match="guanxi relay goes on"):
        world.run(republish=True)
    world.run()
    world.assert_complete()


def test_topics_that_lost_their_first_records_are_published_again(world: World) -> None:
    append(world.store, 40)
    world.run()
    del max(world.kafka.logs.values(), key=len)[0]
    world.run(republish=True)
    world.assert_complete()


def test_an_interrupted_republish_is_finished_by_any_relay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "READ_RECORDS_MAX", 7)
    monkeypatch.setattr(relay_module, "IN_FLIGHT_RECORDS_MAX", 20)
    append(world.store, 150)
    world.run()
    again = refused = 0
    for seed in range(12):
        next(log for log in world.kafka.logs.values() if log).clear()
        world.chance, world.fault_rate = random.Random(seed), 0.01  # noqa: S311  # reproducible
        with suppress(KilledError):
            world.run(republish=True)
        world.fault_rate = 0.0
        try:
            world.run(republish=True)
            again += 1  # it had not got anywhere
        except NothingToRepublishError:
            world.run()
            refused += 1
        world.assert_complete()
    assert again
    assert refused


def test_a_relay_that_stands_by_tells_that_it_could_not_take_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "STAND_BY_TEST_SECONDS", 0.01)
    monkeypatch.setattr(relay_module, "STAND_BY_SECONDS", 0.01)
    stop = threading.Event()
    with open_database(world.url) as database, world.relay(stop) as relay:
        leading = open_cursor(database)
        assert leading.lead("another") is not None
        observer = relay.ports.observer
        assert isinstance(observer, StopWhen)
        thread = threading.Thread(target=relay.run, args=(stop,))
        thread.start()
        wait_until(lambda: observer.stood_by > 2)
        assert observer.faults == []
        world.kafka.away = True
        wait_until(lambda: len(observer.faults) > 2)
        stood_by = observer.stood_by
        wait_until(lambda: len(observer.faults) > 4)
        assert observer.stood_by == stood_by, "it is not ready while its broker is away"
        world.kafka.away = False
        wait_until(lambda: observer.stood_by > stood_by)
        stop.set()
        thread.join()
        leading.resign()


def test_a_relay_that_stands_by_waits_shortly_again_after_an_outage_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "BACK_OFF_SECONDS", (0.001, 0.1))
    monkeypatch.setattr(relay_module, "STAND_BY_TEST_SECONDS", 0.01)
    monkeypatch.setattr(relay_module, "STAND_BY_SECONDS", 0.01)
    stop = threading.Event()
    with open_database(world.url) as database, world.relay(stop) as relay:
        leading = open_cursor(database)
        assert leading.lead("another") is not None
        observer = relay.ports.observer
        assert isinstance(observer, StopWhen)
        thread = threading.Thread(target=relay.run, args=(stop,))
        thread.start()
        for _ in range(2):
            observer.waits_seconds.clear()
            world.kafka.away = True
            wait_until(lambda: max(observer.waits_seconds, default=0.0) > 0.02)
            assert observer.waits_seconds[0] <= 0.001
            observer.stood_by, world.kafka.away = 0, False
            wait_until(lambda: observer.stood_by > 0)
        stop.set()
        thread.join()
        leading.resign()


def test_a_republish_beside_a_relay_that_leads_is_refused_at_once(world: World) -> None:
    with open_database(world.url) as database:
        leading = open_cursor(database)
        assert leading.lead("bank-1:77") is not None
        with pytest.raises(AnotherLeadsError, match="relay bank-1:77 leads"):
            world.run(republish=True)
        leading.resign()


def test_another_number_of_partitions_needs_republish(world: World) -> None:
    append(world.store, 20)
    world.run()
    world.kafka.create(PARTITIONS + 1)
    with pytest.raises(TopicsChangedError, match="--republish"):
        world.run()
    world.run(republish=True)
    world.assert_complete()
    world.run()


def test_the_first_relay_wants_the_partitions_that_the_ledger_was_made_with(world: World) -> None:
    world.kafka.create(PARTITIONS + 1)
    with pytest.raises(TopicsChangedError, match="--republish"):
        world.run()


def test_a_type_that_the_program_does_not_know_halts_the_relay(world: World) -> None:
    append(world.store, 1)
    with open_database(world.url) as database, database.transaction() as connection:
        connection.execute("update event set type = 'comet-seen'")
    with pytest.raises(UnknownTypeError, match="older than the ledger"):
        world.run()
