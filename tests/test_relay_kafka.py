"""The relay between a real PostgreSQL and a real broker: started, contradicted, stopped."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from consumers.relay_start import (
    NothingToRepublishError,
    RestoredStoreError,
    TopicsChangedError,
    TopicsMissingError,
)
from consumers.topics import event_topics
from infra.databases import open_database
from infra.kafka.progress import ProgressReader
from infra.kafka.topics import KafkaTopics
from infra.relay_cursor import open_cursor
from tests.relaying.auditor import assert_complete, assert_horizons, audit, stamp_arrivals
from tests.relaying.ledger import SilentObserver, append, make_ledger, make_relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.relay import Relay
    from infra.event_store.ledger import LedgerStore
    from tests.servers.kafka import KafkaServer

pytestmark = pytest.mark.cluster

PARTITIONS = 3
PATIENCE_SECONDS = 60.0


class World:
    """A ledger in PostgreSQL, its topics, and relays in threads."""

    def __init__(self, url: str, bootstrap: str, prefix: str) -> None:
        self.url, self.bootstrap, self.prefix = url, bootstrap, prefix
        self.store: LedgerStore = make_ledger(url, prefix, PARTITIONS)
        self.topics = KafkaTopics(bootstrap, prefix)
        self.topics.create(PARTITIONS)
        self.observer = SilentObserver()

    def relay(self) -> Relay:
        return make_relay(self.url, self.bootstrap, "test", self.observer)

    @contextmanager
    def relaying(self, *, republish: bool = False) -> Iterator[None]:
        """Run a relay in a thread until the block ends; what it raises is raised here."""
        stop, raised = threading.Event(), list[BaseException]()

        def run() -> None:
            try:
                relay.run(stop, republish=republish)
            except BaseException as error:  # noqa: BLE001  # raised again below
                raised.append(error)

        relay = self.relay()
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE_SECONDS)
            close(relay)
        assert not thread.is_alive()
        if raised:
            raise raised[0]

    def catch_up(self, *, republish: bool = False) -> None:
        """Run a relay until all is in Kafka."""
        self.observer.reached = -1
        with self.relaying(republish=republish):
            self.wait_for(self.store.position())

    def wait_for(self, position: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.observer.reached < position:
            assert time.monotonic() < deadline, f"at {self.observer.reached} of {position}"
            time.sleep(0.01)

    def run_once(self, *, republish: bool = False) -> None:
        """Run a relay that is expected to halt at its start."""
        relay = self.relay()
        try:
            relay.run(threading.Event(), republish=republish)
        finally:
            close(relay)

    def delete_topics(self, *names: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for done in admin.delete_topics(list(names), operation_timeout=30).values():
            done.result(30)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.topics.partitions().keys() & set(names):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def close(relay: Relay) -> None:
    store = relay.ports.store
    store.close()  # type: ignore[attr-defined]  # adapters close
    relay.ports.cursor._database.close()  # type: ignore[attr-defined]  # noqa: SLF001  # opened for it alone


@pytest.fixture
def world(
    postgresql_url: str, kafka_server: KafkaServer, kafka_topics_prefix: str
) -> Iterator[World]:
    world = World(postgresql_url, kafka_server.bootstrap, kafka_topics_prefix)
    yield world
    world.store.close()


def test_everything_recorded_lies_in_the_topics_and_the_horizon_says_so(world: World) -> None:
    stamp_arrivals(world.bootstrap, world.prefix)
    append(world.store, 500)
    with world.relaying():
        world.wait_for(500)
        for _ in range(20):
            world.wait_for(append(world.store, 7))
    found = audit(world.bootstrap, world.prefix, PARTITIONS)
    assert_complete(found, world.store)
    assert_horizons(found)
    assert world.observer.faults == []
    assert found.dropped == found.left_aside == 0
    assert found.horizons[-1][1]["complete_through"] == world.store.position()
    assert sum(world.observer.records.values()) == world.store.position()


def test_a_relay_goes_on_where_the_last_one_stopped(world: World) -> None:
    append(world.store, 100)
    world.catch_up()
    append(world.store, 100)
    world.catch_up()
    with pytest.raises(NothingToRepublishError, match="up to position 200"):
        world.run_once(republish=True)
    found = audit(world.bootstrap, world.prefix, PARTITIONS)
    assert_complete(found, world.store)
    assert found.dropped == 0


def test_the_horizon_is_published_again_every_second_when_nothing_happens(world: World) -> None:
    reader = ProgressReader(world.bootstrap, world.prefix)
    with world.relaying():
        published = set[int]()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            horizon = reader.highest(0.1)
            if horizon is not None:
                published.add(horizon.recorded_at)
    reader.close()
    assert len(published) >= 3


def test_the_leader_is_named_while_it_leads(world: World) -> None:
    with open_database(world.url) as database:
        cursor = open_cursor(database)
        append(world.store, 10)
        with world.relaying():
            world.wait_for(10)
            assert cursor.status().leader == "test"
        assert cursor.status().leader is None
        assert cursor.status().position == 10


def test_a_restored_store_halts_the_relay(world: World) -> None:
    append(world.store, 100)
    world.catch_up()
    with open_database(world.url) as database, database.transaction() as connection:
        connection.execute("delete from event where position > 90")
        connection.execute("update counter set position = 90")
    with pytest.raises(RestoredStoreError, match="restored from an older copy"):
        world.run_once()
    append(world.store, 10, seed=1)
    with pytest.raises(RestoredStoreError, match="tells differently"):
        world.run_once(republish=True)


def test_missing_topics_are_named(world: World) -> None:
    world.delete_topics(event_topics(world.prefix)[0])
    with pytest.raises(TopicsMissingError, match="guanxi topics --create"):
        world.run_once()


def test_a_topic_made_anew_is_refused_without_republish(world: World) -> None:
    append(world.store, 100)
    world.catch_up()
    world.delete_topics(event_topics(world.prefix)[3])
    assert world.topics.create(PARTITIONS) == (event_topics(world.prefix)[3],)
    with pytest.raises(TopicsChangedError, match="--republish"):
        world.run_once()
    world.catch_up(republish=True)
    append(world.store, 100)
    world.catch_up()
    found = audit(world.bootstrap, world.prefix, PARTITIONS)
    assert_complete(found, world.store)
    assert 0 < found.dropped < 100


def test_another_number_of_partitions_is_refused_without_republish(world: World) -> None:
    append(world.store, 100)
    world.catch_up()
    admin = AdminClient({"bootstrap.servers": world.bootstrap})
    grown = [NewPartitions(topic, PARTITIONS + 1) for topic in event_topics(world.prefix)]
    for done in admin.create_partitions(grown).values():
        done.result(30)
    with pytest.raises(TopicsChangedError, match="not those"):
        world.run_once()
    with pytest.raises(TopicsChangedError, match="would lie in two"):
        world.run_once(republish=True)
    world.delete_topics(*event_topics(world.prefix))
    world.topics.create(PARTITIONS + 1)
    with pytest.raises(TopicsChangedError, match="--republish"):
        world.run_once()
    world.catch_up(republish=True)
    assert_complete(audit(world.bootstrap, world.prefix, PARTITIONS + 1), world.store)


def test_a_lost_broker_is_waited_for(world: World, kafka_server: KafkaServer) -> None:
    append(world.store, 10)
    with world.relaying():
        world.wait_for(10)
        kafka_server.kill()
        last = append(world.store, 10)
        time.sleep(2)
        assert world.observer.reached == 10
        kafka_server.start()
        world.wait_for(last)
    assert_complete(audit(world.bootstrap, world.prefix, PARTITIONS), world.store)


def test_a_relay_started_without_a_broker_waits_for_it(
    world: World, kafka_server: KafkaServer
) -> None:
    append(world.store, 10)
    kafka_server.kill()
    with world.relaying():
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not world.observer.faults:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        kafka_server.start()
        world.wait_for(10)
