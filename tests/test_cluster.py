"""However events reach the views, their digests are the same: over Kafka and PostgreSQL."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from threading import Event as Stop
from typing import TYPE_CHECKING

import pytest

from consumers.rebuild import rebuild
from infra.clock import wall_clock
from infra.codec import decode
from projections.projection import PROJECTIONS
from tests.berka import FEED, needs_berka
from tests.clustering.feed import berka_events
from tests.clustering.projector import source_of
from tests.clustering.world import Cluster, cluster_at, embedded_digests, wait_for
from tests.deliveries import story

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from consumers.views import Digest
    from domain.catalogue import Event
    from tests.servers.kafka import KafkaServer
    from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.cluster

FIRST_WEEKS = date(1993, 5, 15)  # 15,775 events
PIECES = 8


def feed() -> Sequence[Event]:
    """Return the first weeks of the Berka feed; where that is not beside us, as long a story."""
    return berka_events(FIRST_WEEKS) if FEED.exists() else list(story(7, 60, 12_000))


@pytest.fixture
def cluster(
    postgresql_url: str, kafka_server: KafkaServer, kafka_topics_prefix: str
) -> Iterator[Cluster]:
    with cluster_at(postgresql_url, kafka_server.bootstrap, kafka_topics_prefix) as made:
        yield made


def rebuilt_digests(cluster: Cluster) -> list[Digest]:
    """Build every view afresh from the topics alone, beside the live one."""
    for projection in PROJECTIONS:
        with closing(source_of(cluster.database, cluster.bootstrap, all_shards=True)) as source:
            rebuild(source, cluster.views, decode, projection, wall_clock, Stop())
    return cluster.digests()


def assert_same_however_read(cluster: Cluster, folder: Path) -> None:
    cluster.wait_until_all_is_applied()
    live = cluster.digests()
    assert {digest.position for digest in live} == {cluster.store.position()}
    assert live == embedded_digests(cluster, folder)
    assert live == rebuilt_digests(cluster)


def pieces(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Cut a feed, so that something can happen between, while the projectors are busy."""
    size = len(events) // PIECES + 1
    return (events[begin : begin + size] for begin in range(0, len(events), size))


def wait_until_busy(cluster: Cluster) -> None:
    """Wait until some shard has begun to apply what was recorded last, but not all have."""
    before = cluster.store.position()
    begun = max(cluster.applied())
    wait_for(lambda: begun < max(cluster.applied()) <= before, "nothing is applied")


def test_a_view_is_the_same_embedded_in_the_cluster_and_rebuilt(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.record(feed())
    cluster.spawn_relay()
    cluster.spawn_projector()
    assert_same_however_read(cluster, tmp_path)


@needs_berka
@pytest.mark.slow
def test_the_whole_feed_gives_the_same_view_embedded_in_the_cluster_and_rebuilt(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.spawn_relay()
    cluster.spawn_projector()
    cluster.record(berka_events())
    assert_same_however_read(cluster, tmp_path)


@pytest.mark.slow
def test_projectors_that_come_go_and_are_killed_change_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.spawn_relay()
    one, *rest = pieces(feed())
    first = cluster.spawn_projector()
    cluster.record(one)
    wait_until_busy(cluster)
    cluster.spawn_projector()
    third = cluster.spawn_projector()
    for number, piece in enumerate(rest):
        cluster.record(piece)
        wait_until_busy(cluster)
        if number == len(rest) // 3:
            first.kill()
        if number == 2 * len(rest) // 3:
            third.terminate()
            cluster.spawn_projector()
    assert_same_however_read(cluster, tmp_path)


@pytest.mark.slow
def test_a_broker_killed_and_a_database_restarted_change_nothing(
    cluster: Cluster,
    kafka_server: KafkaServer,
    postgresql_server: PostgresqlServer,
    tmp_path: Path,
) -> None:
    relay, projectors = (
        cluster.spawn_relay(),
        [cluster.spawn_projector(), cluster.spawn_projector()],
    )
    for number, piece in enumerate(pieces(feed())):
        cluster.record(piece)
        wait_until_busy(cluster)
        if number % 4 == 1:
            kafka_server.kill()
            kafka_server.start()
        if number % 4 == 3:
            postgresql_server.restart()
            cluster.reconnect()
    assert_same_however_read(cluster, tmp_path)
    assert [process.poll() for process in (relay, *projectors)] == [None] * 3, "one has exited"
