"""The cluster source: a shard is partition p of every event topic, merged up to the horizon.

Kafka's offsets are hints only. Where a shard stands is what `resume` is told; the chain of
positions drops what was applied and finds what does not follow. So a hint that is too low costs
time, and one that is too high is found out: the partition is read again from its beginning, and
only where that is in vain are records missing.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.structs import OffsetAndMetadata

from consumers.merging import RecordsMissingError, ShardMerge
from consumers.source import ShardBatch
from consumers.topics import KafkaUnavailableError, event_topics
from infra.kafka.arrivals import as_arrivals
from infra.kafka.connection import connection, outages
from infra.kafka.progress import ProgressReader
from infra.kafka.records import read_as_arrivals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from consumers.source import Progress
    from consumers.topics import Horizon

WAIT_SECONDS = 0.05  # one wait for one of the two consumers
JOIN_SECONDS = 1.0  # one wait for the group: a join that ends between two has to be done again
SHARD_RECORDS_MAX = 10_000  # waiting in a merge; then what is ahead is paused
SHARD_BYTES_MAX = 8 * 1024 * 1024
PARTITION_FETCH_BYTES = 1024 * 1024  # more than a batch of the relay
FETCH_BYTES_MAX = 4 * 1024 * 1024  # of a broker at once: about 8,000 records
FETCH_WAIT_MS = 100  # a resumed partition waits that long at most for the fetch under way
SESSION_TIMEOUT_MS = 10_000  # a projector that was killed gives its shards up after that
HEARTBEAT_MS = 2_000
COMMIT_INTERVAL_SECONDS = 1.0
VERIFY_INTERVAL_SECONDS = 2.0
ANSWER_TIMEOUT_MS = 5_000
SILENCE_SECONDS_MAX = 5.0  # the relay publishes a horizon each second at least
CLOSE_TIMEOUT_SECONDS = 5.0


class KafkaSource:
    """Delivers the shards that the group of projectors gives to this one, or all of them.

    See the port `consumers.source.Source`. One thread's. With `all_shards` it belongs to no
    group and leaves no trace. What keeps records away is told in the log when it begins and when
    it is over, and by `waits_for`. Raises `KafkaUnavailableError` where no broker is there at the
    start.
    """

    def __init__(
        self, bootstrap: str, prefix: str, partitions: int, *, all_shards: bool = False
    ) -> None:
        self.shards = partitions
        self._bootstrap = bootstrap
        self._topics = event_topics(prefix)
        self._in_group = not all_shards
        self._rebalance = _Rebalance()
        self._merges: dict[int, ShardMerge] = {}
        self._assigned = frozenset[int]()
        self._handed_out: dict[TopicPartition, int] = {}  # offsets after what poll returned
        self._offsets: dict[TopicPartition, int] = {}  # where to read on from, at a resume
        self._commits: dict[TopicPartition, int] = {}  # of these what is still to be committed
        self._rewound: set[TopicPartition] = set()
        self._held_back: set[int] = set()  # shards of which partitions are paused
        self._horizon: Horizon | None = None
        self._last: Sequence[Mapping[str, int]] = ({},) * partitions  # of each shard
        self._commit_at = self._verify_at = time.monotonic()
        self._heard_at = self._answered_at = time.monotonic()
        self._trouble: KafkaUnavailableError | RecordsMissingError | None = None
        with contextlib.ExitStack() as undo:
            self._progress = ProgressReader(bootstrap, prefix)
            undo.callback(self._progress.close)
            self._learn(self._progress.at_end())
            self._consumer = self._connect(f"{prefix}-projectors")
            undo.pop_all()

    def assigned(self) -> frozenset[int]:
        """Return the shards assigned now."""
        return self._assigned

    def head(self) -> int:
        """Return the position of the highest horizon known."""
        return 0 if self._horizon is None else self._horizon.complete_through

    def waits_for(self) -> Sequence[str]:
        """Say in words why nothing can arrive, if so. Safe to call from any thread."""
        if self._trouble is not None:
            return (str(self._trouble),)
        silence_seconds = time.monotonic() - self._heard_at
        if silence_seconds > SILENCE_SECONDS_MAX:
            return (f"a horizon: no relay has published one for {silence_seconds:.0f} s",)
        return ()

    def resume(self, shard: int, progress: Progress) -> None:
        """Deliver the shard from here on."""
        self._merges[shard] = ShardMerge(self._topics, progress)
        for partition in self._partitions(shard):
            self._handed_out.pop(partition, None)
            self._rewound.discard(partition)
            if partition in self._offsets:
                with _perhaps_taken_away():
                    self._consumer.seek(partition, self._offsets[partition])

    def poll(self, timeout_seconds: float) -> Sequence[ShardBatch]:
        """Return what is complete, waiting up to the time given for something to be.

        Raises `KafkaUnavailableError` and `RecordsMissingError` for as long as it is so.
        """
        self._confirm()
        deadline = time.monotonic() + timeout_seconds
        while True:
            left_seconds = max(0.0, min(WAIT_SECONDS, deadline - time.monotonic()))
            with self._troubles():
                self._read(left_seconds)
                self._listen()
                self._verify()
            batches = self._release()
            try:
                if batches or time.monotonic() >= deadline:
                    return batches
            finally:
                # A wait of kafka-python that ends without records leaves a cycle behind that
                # holds the frames above it: they let go of the records themselves.
                del batches

    def close(self) -> None:
        """Give the shards back, within a bounded time."""
        closing = threading.Thread(target=self._close, daemon=True)
        closing.start()
        closing.join(CLOSE_TIMEOUT_SECONDS)

    def _close(self) -> None:
        with contextlib.suppress(KafkaUnavailableError), outages(self._bootstrap):
            self._consumer.close(autocommit=False, timeout_ms=1000 * CLOSE_TIMEOUT_SECONDS / 2)
        self._progress.close()

    def _connect(self, group: str) -> KafkaConsumer:
        with outages(self._bootstrap):
            consumer = KafkaConsumer(
                **connection(self._bootstrap),
                group_id=group if self._in_group else None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                partition_assignment_strategy=[_range_of(self.shards)],
                session_timeout_ms=SESSION_TIMEOUT_MS,
                heartbeat_interval_ms=HEARTBEAT_MS,
                # All of a fetch: what is left of one when its partition is paused gets stuck.
                max_poll_records=sys.maxsize,
                max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
                fetch_max_bytes=FETCH_BYTES_MAX,
                fetch_max_wait_ms=FETCH_WAIT_MS,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        read_as_arrivals(consumer)
        if self._in_group:
            consumer.subscribe(self._topics, listener=self._rebalance)
        else:
            self._assigned = frozenset(range(self.shards))
            consumer.assign([tp for shard in self._assigned for tp in self._partitions(shard)])
        return consumer

    def _partitions(self, shard: int) -> list[TopicPartition]:
        return [TopicPartition(topic, shard) for topic in self._topics]

    # Reading: what the caller lacks decides which of the two consumers is waited for.

    def _read(self, wait_seconds: float) -> None:
        lacks_records = not self._merges or any(
            merge.outstanding(self._last[shard]) for shard, merge in self._merges.items()
        )
        poll_seconds = wait_seconds if lacks_records else 0.0
        if self._rebalance.begun.is_set():
            poll_seconds = JOIN_SECONDS
            # What a leader hears of topics after it joined makes it join again. Half-way through
            # kafka-python takes that for done; unless asked, it never looks at the answer, sends
            # no heartbeat and fetches nothing. Where it has not forgotten, this changes nothing.
            self._consumer._coordinator.request_rejoin()  # noqa: SLF001  # no public way
        with outages(self._bootstrap):
            pages = self._consumer.poll(timeout_ms=round(1000 * poll_seconds))
        if self._rebalance.done.is_set():
            self._rebalance.done.clear()
            self._reassign()
        self._take(pages)
        del pages  # see `poll`
        self._learn(self._progress.highest(0.0 if lacks_records else wait_seconds))

    def _learn(self, horizon: Horizon | None) -> None:
        if horizon is None or horizon is self._horizon:
            return
        self._horizon, self._heard_at = horizon, time.monotonic()
        self._last = [
            {topic: positions[shard] for topic, positions in horizon.last.items()}
            for shard in range(self.shards)
        ]

    def _take(self, pages: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Give each merge its records. Those of a shard not yet resumed are read again then."""
        for partition, records in pages.items():
            self._offsets.setdefault(partition, records[0].offset)
            merge = self._merges.get(partition.partition)
            if merge is not None:
                merge.take(partition.topic, as_arrivals(records))

    def _reassign(self) -> None:
        """Take note of a rebalance. It has set each partition back to its committed offset."""
        self._rewound.clear()
        counts = Counter(partition.partition for partition in self._consumer.assignment())
        self._assigned = frozenset(
            shard for shard, count in counts.items() if count == len(self._topics)
        )
        for shard in self._merges.keys() - self._assigned:
            del self._merges[shard]
        for each in (self._handed_out, self._offsets, self._commits):
            for partition in [tp for tp in each if tp.partition not in self._assigned]:
                del each[partition]

    def _listen(self) -> None:
        """Where no horizon comes, ask the broker: where it answers, the relay is silent."""
        silent_since = max(self._heard_at, self._answered_at)
        if time.monotonic() - silent_since > SILENCE_SECONDS_MAX:
            self._progress.ask()
            self._answered_at = time.monotonic()

    @contextlib.contextmanager
    def _troubles(self) -> Iterator[None]:
        """Tell in one line when something begins to keep records away, and when it is over."""
        try:
            yield
        except (KafkaUnavailableError, RecordsMissingError) as error:
            if type(error) is not type(self._trouble):
                structlog.get_logger().warning("waiting", code=error.code, error=str(error))
            self._trouble = error
            raise
        if self._trouble is not None:
            structlog.get_logger().info("waiting is over", code=self._trouble.code)
            self._trouble = None

    # Releasing.

    def _release(self) -> list[ShardBatch]:
        batches = []
        for shard, merge in self._merges.items():
            release = merge.release(self.head(), self._last[shard])
            if release is not None:
                batches.append(ShardBatch(shard, release.deliveries, release.progress))
                for topic, offset in release.offsets.items():
                    self._handed_out[TopicPartition(topic, shard)] = offset
            self._hold_back(shard, merge)
        return batches

    def _hold_back(self, shard: int, merge: ShardMerge) -> None:
        """Pause the partitions that are ahead while the merge is full."""
        is_full = (
            merge.waiting_records >= SHARD_RECORDS_MAX or merge.waiting_bytes >= SHARD_BYTES_MAX
        )
        if not is_full and shard not in self._held_back:
            return
        ahead = merge.ahead(self._last[shard]) if is_full else ()
        with _perhaps_taken_away():
            for partition in self._partitions(shard):
                hold = self._consumer.pause if partition.topic in ahead else self._consumer.resume
                hold(partition)
        if ahead:
            self._held_back.add(shard)
        else:
            self._held_back.discard(shard)

    def _confirm(self) -> None:
        """Take what was handed out for stored: the caller polls again, and did not resume."""
        self._offsets.update(self._handed_out)
        self._commits.update(self._handed_out)
        self._handed_out.clear()
        now = time.monotonic()
        if self._in_group and self._commits and now >= self._commit_at:
            self._commit_at = now + COMMIT_INTERVAL_SECONDS
            offsets = {tp: OffsetAndMetadata(o, "", -1) for tp, o in self._commits.items()}
            self._commits.clear()
            with contextlib.suppress(KafkaUnavailableError), outages(self._bootstrap):
                self._consumer.commit_async(offsets, self._committed)

    def _committed(self, offsets: Mapping[TopicPartition, object], answer: object) -> None:
        """Commit anew where a rebalance or an outage kept it from being done."""
        if isinstance(answer, Exception):
            again = offsets.keys() & self._offsets.keys()
            self._commits.update({partition: self._offsets[partition] for partition in again})

    # Missing records.

    def _verify(self) -> None:
        """Look now and then whether a partition was read to its end and lacks records.

        The end is asked for after the horizon was read, so all that it speaks of lies before.
        While records are missing it looks each time.
        """
        if time.monotonic() < self._verify_at and not isinstance(
            self._trouble, RecordsMissingError
        ):
            return
        self._verify_at = time.monotonic() + VERIFY_INTERVAL_SECONDS
        lacking = [
            TopicPartition(topic, shard)
            for shard, merge in self._merges.items()
            for topic in merge.outstanding(self._last[shard])
        ]
        if not lacking:
            return
        read_to_end = self._read_to_end(lacking)
        for shard, merge in self._merges.items():
            topics = [tp.topic for tp in read_to_end & self._rewound if tp.partition == shard]
            merge.verify(self._last[shard], topics)
        for partition in read_to_end - self._rewound:
            structlog.get_logger().warning(
                "reading again", topic=partition.topic, partition=partition.partition
            )
            with _perhaps_taken_away():
                self._consumer.seek_to_beginning(partition)
                self._offsets.pop(partition, None)
                self._rewound.add(partition)

    def _read_to_end(self, partitions: Iterable[TopicPartition]) -> set[TopicPartition]:
        with outages(self._bootstrap), _perhaps_taken_away():
            ends = self._consumer.end_offsets(partitions, timeout_ms=ANSWER_TIMEOUT_MS)
            positions = {
                tp: self._consumer.position(tp, timeout_ms=ANSWER_TIMEOUT_MS) for tp in ends
            }
            return {tp for tp, at in positions.items() if at is not None and at >= ends[tp]}
        return set()


class _Partitions:
    """Stands for the cluster's metadata, as far as the range assignor asks for it."""

    def __init__(self, partitions: int) -> None:
        self._partitions = frozenset(range(partitions))

    def partitions_for_topic(self, topic: str) -> frozenset[int]:
        """Return the partitions of any event topic: they are fixed when a ledger is made."""
        del topic
        return self._partitions


def _range_of(partitions: int) -> type[RangePartitionAssignor]:
    """Return the range assignor for topics of a known size.

    kafka-python's own deals out nothing of a topic that the leading member has not heard of yet,
    just after a broker has come back for example, and the group may rest there.
    """

    class RangeOfKnown(RangePartitionAssignor):  # type: ignore[misc]  # it is not typed
        @classmethod
        def assign(cls, cluster: object, members: object) -> Any:  # noqa: ANN401  # as above
            del cluster
            return super().assign(_Partitions(partitions), members)

    return RangeOfKnown


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # it is not typed
    """Tells the polling thread of a rebalance. It is called on the thread that does the I/O."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.done = threading.Event()

    def on_partitions_revoked(self, revoked: object) -> None:
        """Tell that it has begun. What is stored until it is done is compared-and-set."""
        del revoked
        self.begun.set()

    def on_partitions_assigned(self, assigned: object) -> None:
        """Tell that it is done."""
        del assigned
        self.begun.clear()
        self.done.set()


def _perhaps_taken_away() -> contextlib.suppress:
    """Suppress what kafka-python raises where a rebalance has just taken a partition away."""
    return contextlib.suppress(KeyError, ValueError)
