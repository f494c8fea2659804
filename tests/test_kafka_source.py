"""The source of the cluster against a real broker: what it delivers, whatever lies in Kafka."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata
from structlog.testing import capture_logs

from consumers.merging import RecordsMissingError
from consumers.source import Progress
from consumers.topics import Horizon, KafkaUnavailableError, event_topic
from domain.catalogue import BY_CLASS
from infra.codec import canonical
from infra.kafka import source as limits
from infra.kafka.publisher import KafkaPublisher
from infra.kafka.source import KafkaSource
from infra.kafka.topics import KafkaTopics
from tests.deliveries import NOW, stored, story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.servers.kafka import KafkaServer

pytestmark = pytest.mark.cluster

PARTITIONS = 3
PATIENCE_SECONDS = 240.0
EVENTS = tuple(story(5, customers=12, steps=300))


class Wire:
    """Puts the story into the topics as a relay does, or as one that fails would."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap, self.prefix = bootstrap, prefix
        topics = KafkaTopics(bootstrap, prefix)
        topics.create(PARTITIONS)
        *events, _progress = topics.names
        self._publisher = KafkaPublisher(bootstrap, prefix, "ledger", canonical)
        self._last = {topic: [0] * PARTITIONS for topic in events}
        self._previous: dict[int, int] = {}
        self._shards: dict[int, int] = {}

    def send(self, begin: int, end: int, *, but: Sequence[int] = ()) -> None:
        """Send positions from `begin` to `end`, both included; those of `but` get lost."""
        for position in range(begin, end + 1):
            event = EVENTS[position - 1]
            topic = event_topic(self.prefix, BY_CLASS[type(event)].family)
            shard = self._publisher.partition(event.customer_id, PARTITIONS)
            previous = self._previous.setdefault(position, self._last[topic][shard])
            self._last[topic][shard] = max(position, self._last[topic][shard])
            self._shards[position] = shard
            if position not in but:
                self._publisher.send(stored(position, event), topic, shard, previous)
        self._publisher.flush(10)

    def publish(self, through: int) -> None:
        """Publish the horizon; what was sent by now must not lie above it."""
        last = {topic: tuple(positions) for topic, positions in self._last.items()}
        receipt = self._publisher.publish(Horizon(through, last, NOW))
        self._publisher.wait(receipt, 10)

    def of_shard(self, shard: int, through: int) -> list[int]:
        return [p for p, its in sorted(self._shards.items()) if its == shard and p <= through]

    def source(self, *, all_shards: bool = True) -> KafkaSource:
        return KafkaSource(self.bootstrap, self.prefix, PARTITIONS, all_shards=all_shards)

    def close(self) -> None:
        self._publisher.close(1)


class Reader:
    """Applies what sources deliver, and holds them to the order and the progress."""

    def __init__(self) -> None:
        self.progress: dict[int, Progress] = defaultdict(Progress)
        self.applied: dict[int, list[int]] = defaultdict(list)
        self.outages: list[KafkaUnavailableError] = []
        self._resumed: dict[KafkaSource, frozenset[int]] = defaultdict(frozenset)

    def step(self, source: KafkaSource, *, store: bool = True) -> int:
        """Poll once; return how many records came."""
        self._take_up(source)
        try:
            batches = source.poll(0.2)
        except KafkaUnavailableError as error:
            self.outages.append(error)
            batches = ()
        self._take_up(source)
        for batch in batches:
            if not store:
                source.resume(batch.shard, self.progress[batch.shard])
                continue
            assert batch.progress.through > self.progress[batch.shard].through
            self.progress[batch.shard] = batch.progress
            self.applied[batch.shard] += [each.position for each in batch.deliveries]
            assert self.applied[batch.shard] == sorted(set(self.applied[batch.shard]))
        return sum(len(batch.deliveries) for batch in batches)

    def read(self, through: int, *sources: KafkaSource) -> None:
        """Poll, all at once, until every shard is applied up to a position."""
        self.read_until(lambda: self.is_at(through), *sources)

    def read_until(self, condition: Callable[[], bool], *sources: KafkaSource) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        with ThreadPoolExecutor(len(sources)) as threads:
            while not condition():
                assert time.monotonic() < deadline, f"at {dict(self.progress)}"
                list(threads.map(self.step, sources))

    def is_at(self, position: int) -> bool:
        return all(self.progress[shard].through == position for shard in range(PARTITIONS))

    def _take_up(self, source: KafkaSource) -> None:
        for shard in source.assigned() - self._resumed[source]:
            source.resume(shard, self.progress[shard])
        self._resumed[source] = source.assigned()


@pytest.fixture
def wire(kafka_server: KafkaServer, kafka_topics_prefix: str) -> Iterator[Wire]:
    with closing(Wire(kafka_server.bootstrap, kafka_topics_prefix)) as made:
        yield made


def assert_whole(reader: Reader, wire: Wire, through: int) -> None:
    for shard in range(PARTITIONS):
        assert reader.applied[shard] == wire.of_shard(shard, through)


def test_a_shard_is_delivered_in_ledger_order_as_far_as_the_horizon(wire: Wire) -> None:
    wire.send(1, 200)
    wire.publish(200)
    wire.send(201, 300)
    reader = Reader()
    with closing(wire.source()) as source:
        assert source.head() == 200
        reader.read(200, source)
        assert_whole(reader, wire, 200)
        assert [reader.step(source) for _ in range(3)] == [0, 0, 0]
        wire.publish(300)
        reader.read(300, source)
        assert source.head() == 300
    assert_whole(reader, wire, 300)


def test_a_hole_is_filled_by_what_the_relay_sends_again(wire: Wire) -> None:
    wire.send(1, 100, but=range(40, 50))
    reader = Reader()
    with closing(wire.source()) as source:
        assert reader.step(source) == 0
        wire.send(31, 100)
        wire.send(20, 60)  # a zombie's
        wire.publish(100)
        reader.read(100, source)
    assert_whole(reader, wire, 100)


def test_a_record_that_is_missing_stops_the_source_until_it_is_published_again(wire: Wire) -> None:
    wire.send(1, 100, but=[60])
    wire.publish(100)
    reader = Reader()
    with closing(wire.source()) as source:
        with pytest.raises(RecordsMissingError, match="--republish") as raised:
            reader.read(100, source)
        assert raised.value.code == "records-missing"
        assert max(max(positions, default=0) for positions in reader.applied.values()) < 60 + 40
        for shard in range(PARTITIONS):
            through = reader.progress[shard].through
            assert reader.applied[shard] == wire.of_shard(shard, through)
        with pytest.raises(RecordsMissingError):  # for as long as it is so
            source.poll(0.0)
        assert source.waits_for() == (str(raised.value),)
        wire.send(1, 100)
        while source.waits_for() == (str(raised.value),):  # nor is there a relay, it may say then
            with suppress(RecordsMissingError):
                reader.step(source)
        reader.read(100, source)
    assert_whole(reader, wire, 100)


def test_a_committed_offset_that_is_ahead_of_the_view_loses_nothing(wire: Wire) -> None:
    wire.send(1, 100)
    wire.publish(100)
    with closing(group_member(wire)) as other:
        ends = other.end_offsets(event_partitions(wire))
        other.commit({tp: OffsetAndMetadata(end, "", -1) for tp, end in ends.items()})
    reader = Reader()
    with closing(wire.source(all_shards=False)) as source:
        reader.read(100, source)
    assert_whole(reader, wire, 100)


def test_a_batch_that_was_not_stored_is_delivered_again(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "VERIFY_INTERVAL_SECONDS", 1_000.0)  # which would find it too
    wire.send(1, 100)
    wire.publish(100)
    reader = Reader()
    with closing(wire.source()) as source:
        refused = 0
        while refused < 150:
            refused += reader.step(source, store=False)
        reader.read(100, source)
        wire.send(101, 200)
        wire.publish(200)
        while not reader.step(source, store=False):
            pass
        reader.read(200, source)
    assert_whole(reader, wire, 200)


def test_offsets_of_what_was_stored_are_committed(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMMIT_INTERVAL_SECONDS", 0.0)
    wire.send(1, 100)
    wire.publish(100)
    reader = Reader()
    with closing(wire.source(all_shards=False)) as source, closing(group_member(wire)) as other:
        reader.read(100, source)

        def committed() -> int:
            return sum(other.committed(tp) or 0 for tp in event_partitions(wire))

        reader.read_until(lambda: committed() == 100, source)
        wire.send(101, 200)
        wire.publish(200)
        while not reader.is_at(200):
            if reader.step(source):
                coordinator(source).maybe_leave_group()  # so that it fails to commit them
        reader.read_until(lambda: committed() == 200, source)


def test_a_rebalance_that_goes_on_between_two_polls_is_seen_to_its_end(wire: Wire) -> None:
    wire.send(1, 100)
    wire.publish(100)
    reader = Reader()
    with closing(wire.source(all_shards=False)) as source:
        reader.read(100, source)
        coordinator(source)._assignment_snapshot = {}  # noqa: SLF001  # see `coordinator`
        source.poll(0.0)  # asks to join, without a wait for the answer
        while not coordinator(source)._join_task.is_done:  # noqa: SLF001  # as above
            time.sleep(0.01)
        wire.send(101, 200)
        wire.publish(200)
        reader.read(200, source)
        assert source.assigned() == {0, 1, 2}
    assert_whole(reader, wire, 200)


def test_projectors_share_the_shards_and_take_over_from_one_that_leaves(wire: Wire) -> None:
    wire.send(1, 100)
    wire.publish(100)
    reader = Reader()
    with closing(wire.source(all_shards=False)) as first:
        reader.read(100, first)
        assert first.assigned() == {0, 1, 2}
        with closing(wire.source(all_shards=False)) as second:
            reader.read_until(lambda: bool(second.assigned()), first, second)
            reader.read_until(lambda: len(first.assigned()) < PARTITIONS, first, second)
            assert first.assigned() | second.assigned() == {0, 1, 2}
            assert not first.assigned() & second.assigned()
            wire.send(101, 200)
            wire.publish(200)
            reader.read(200, first, second)
        wire.send(201, 300)
        wire.publish(300)
        reader.read(300, first)
        assert first.assigned() == {0, 1, 2}
    assert_whole(reader, wire, 300)


def test_a_source_of_all_shards_takes_none_away(wire: Wire) -> None:
    wire.send(1, 100)
    wire.publish(100)
    reader, other = Reader(), Reader()
    with closing(wire.source(all_shards=False)) as member, closing(wire.source()) as aside:
        reader.read(100, member)
        other.read(100, aside)
        assert member.assigned() == aside.assigned() == {0, 1, 2}
    assert_whole(other, wire, 100)


def test_what_waits_for_the_horizon_is_bounded(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SHARD_RECORDS_MAX", 40)
    monkeypatch.setattr(limits, "PARTITION_FETCH_BYTES", 1)  # one batch of one partition a fetch
    monkeypatch.setattr(limits, "WAIT_SECONDS", 0.002)  # many fetches
    wire.publish(0)
    for begin in range(1, 301, 20):
        wire.send(begin, begin + 19)
    reader = Reader()
    with closing(wire.source()) as source:
        for _ in range(10):
            assert reader.step(source) == 0
        merges = source._merges.values()  # noqa: SLF001  # nobody else sees what waits
        assert 40 <= max(merge.waiting_records for merge in merges) < 40 + 20
        wire.publish(300)
        reader.read(300, source)
    assert_whole(reader, wire, 300)


def test_a_lost_broker_is_waited_for(
    wire: Wire, kafka_server: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SILENCE_SECONDS_MAX", 1.0)
    wire.send(1, 100)
    wire.publish(100)
    reader = Reader()
    with closing(wire.source(all_shards=False)) as source:
        reader.read(100, source)
        reader.read_until(lambda: bool(source.waits_for()), source)
        assert "no relay has published" in source.waits_for()[0], "the broker answers"
        assert reader.outages == []
        kafka_server.kill()
        with capture_logs() as logs:
            reader.read_until(lambda: len(reader.outages) > 2, source)
            assert source.waits_for()[0].startswith(f"Kafka at {wire.bootstrap} cannot be reached")
            kafka_server.start()
            wire.send(101, 200)
            wire.publish(200)
            reader.read(200, source)
        monkeypatch.setattr(limits, "SILENCE_SECONDS_MAX", 1_000.0)
        assert source.waits_for() == ()
    told = [(line["event"], line["code"]) for line in logs]
    assert told == [("waiting", "kafka-unavailable"), ("waiting is over", "kafka-unavailable")]
    assert_whole(reader, wire, 200)


def test_a_source_closes_while_the_broker_is_away(wire: Wire, kafka_server: KafkaServer) -> None:
    wire.send(1, 10)
    wire.publish(10)
    reader = Reader()
    with closing(wire.source(all_shards=False)) as source:
        reader.read(10, source)
        kafka_server.kill()
        began = time.monotonic()
    assert time.monotonic() - began < limits.CLOSE_TIMEOUT_SECONDS + 1
    kafka_server.start()


def test_a_source_needs_a_broker_to_start(wire: Wire, kafka_server: KafkaServer) -> None:
    kafka_server.kill()
    with pytest.raises(KafkaUnavailableError):
        wire.source()
    kafka_server.start()


def event_partitions(wire: Wire) -> list[TopicPartition]:
    *events, _progress = KafkaTopics(wire.bootstrap, wire.prefix).names
    return [TopicPartition(topic, shard) for topic in events for shard in range(PARTITIONS)]


def coordinator(source: KafkaSource) -> Any:  # noqa: ANN401  # kafka-python is not typed
    """Return kafka-python's, to bring about what else only happens now and then.

    Such as a leader that joined before it heard of the topics: its snapshot of them is empty.
    """
    return source._consumer._coordinator  # noqa: SLF001  # nobody else reaches it


def group_member(wire: Wire) -> KafkaConsumer:
    """Return a consumer that knows the group, and is given no shard."""
    return KafkaConsumer(
        bootstrap_servers=wire.bootstrap,
        group_id=f"{wire.prefix}-projectors",
        enable_auto_commit=False,
    )
