"""The relay: carries the ledger's records to Kafka, in order, and says how far they are there.

One relay leads, others stand by. It sends the records in position order, each to the partition
of its customer, and moves its cursor over what is acknowledged without a gap; then it publishes
that as the horizon. Killed at any point it sends again all that lies after its cursor: consumers
drop what they have. A lost broker or database is waited for.
"""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from consumers.event_store import StoreError
from consumers.relay_cursor import Cursor
from consumers.relay_start import AnotherLeadsError, RelayHaltedError, check, no_records
from consumers.topics import Horizon, KafkaError, NotDeliveredError, event_topic
from domain.catalogue import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Signal

    from consumers.event_store import EventStore, StoredRecord
    from consumers.relay_cursor import RelayCursor
    from consumers.relay_start import Canonical
    from consumers.topics import Positions, Publisher, Receipt, Topics
    from domain.values import Instant

READ_RECORDS_MAX = 1_000  # records a page: about 30 ms of sending
IN_FLIGHT_RECORDS_MAX = 20_000
IN_FLIGHT_BYTES_MAX = 32 * 1024 * 1024  # of the events' own data
CACHED_CUSTOMERS_MAX = 200_000  # whose partition is remembered
HORIZON_INTERVAL_SECONDS = 0.02  # at most one horizon in this time while events flow
HEARTBEAT_SECONDS = 1.0  # the horizon is published again when idle
ACK_WAIT_SECONDS = 0.02
STAND_BY_SECONDS = 0.5
STAND_BY_TEST_SECONDS = 5.0  # so often one that stands by asks whether its broker is there
BACK_OFF_SECONDS = (0.1, 10.0)  # the first wait and the longest
CLOSE_TIMEOUT_SECONDS = 3.0


class UnknownTypeError(RelayHaltedError):
    """The ledger holds an event of a type that this program does not know."""

    code: ClassVar[str] = "relay-unknown-type"


class RelayObserver(Protocol):
    """Is told what the relay does; metrics are made of it."""

    def published(self, topic: str, records: int) -> None:
        """Kafka has acknowledged records of a topic."""
        ...

    def position(self, position: int, lag_events: int, *, heard: bool) -> None:
        """All up to the position is in Kafka, and so many records of the ledger are not.

        `heard`: Kafka has acknowledged the last horizon, so it is there though nothing flows.
        """
        ...

    def leader(self, *, leads: bool) -> None:
        """Whether this relay leads."""
        ...

    def stands_by(self) -> None:
        """Another relay leads, and this one could take over: its broker answers."""
        ...

    def fault(self, error: Exception, wait_seconds: float) -> None:
        """Broker or database is lost; the relay tries again after the wait."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayPorts:
    """What a relay works with. `publisher` makes a new one, after every failure."""

    store: EventStore
    cursor: RelayCursor
    topics: Topics
    publisher: Callable[[], Publisher]
    canonical: Canonical
    observer: RelayObserver
    clock: Callable[[], Instant]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A relay of one ledger to the topics with one prefix.

    `partitions` is the number the ledger was made with; `name` is shown as the leader's.
    """

    ports: RelayPorts
    prefix: str
    partitions: int
    name: str

    def run(self, stop: Signal, *, republish: bool = False) -> None:
        """Lead when possible, until stopped.

        `republish` sends everything again from position 1, once. Raises `RelayHaltedError` where
        store and topics contradict each other or somebody else leads while this one would
        republish, `NotInitialisedError`.
        """
        back_off = _BackOff()
        while not stop.is_set():
            try:
                cursor = self._stand_by(stop, back_off, republish=republish)
                if cursor is not None:
                    term = self._start(cursor, republish=republish)
                    republish = False
                    back_off.reset()
                    self._lead(term, stop)
            except (StoreError, KafkaError) as error:
                if not error.retriable:
                    raise
                wait = back_off.next_seconds()
                self.ports.observer.fault(error, wait)
                stop.wait(wait)
            finally:
                self.ports.cursor.resign()

    def _stand_by(self, stop: Signal, back_off: _BackOff, *, republish: bool) -> Cursor | None:
        test_at = 0.0
        while not stop.is_set():
            cursor = self.ports.cursor.lead(self.name)
            if cursor is not None:
                return cursor
            if republish:
                message = (
                    f"relay {self.ports.cursor.status().leader} leads; nothing was published "
                    "again. Stop every relay first, then guanxi relay --republish"
                )
                raise AnotherLeadsError(message)
            if time.monotonic() >= test_at:
                self.ports.topics.partitions()
                test_at = time.monotonic() + STAND_BY_TEST_SECONDS
                back_off.reset()
            self.ports.observer.stands_by()
            stop.wait(STAND_BY_SECONDS)
        return None

    def _start(self, cursor: Cursor, *, republish: bool) -> _Term:
        ports = self.ports
        if not cursor.last:
            cursor = Cursor(0, no_records(self.prefix, self.partitions))
        cursor = check(cursor, ports.topics, ports.store, ports.canonical, republish=republish)
        ports.cursor.store(cursor)
        return _Term(ports, self.prefix, cursor)

    def _lead(self, term: _Term, stop: Signal) -> None:
        self.ports.observer.leader(leads=True)
        try:
            while not stop.is_set():
                if term.step() and not stop.is_set():
                    term.idle()
            term.settle()
        finally:
            self.ports.observer.leader(leads=False)
            term.close()


class _BackOff:
    """The waits between attempts: longer each time, until what was away is back."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._seconds = BACK_OFF_SECONDS[0]

    def next_seconds(self) -> float:
        seconds = self._seconds
        self._seconds = min(2 * seconds, BACK_OFF_SECONDS[1])
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, no secret


@dataclass(frozen=True, slots=True)
class _Sent:
    position: int
    topic: str
    partition: int
    data_bytes: int
    receipt: Receipt


@dataclass(slots=True)
class _Term:
    """One term of office: from a checked cursor to the first failure."""

    ports: RelayPorts
    prefix: str
    cursor: Cursor
    _publisher: Publisher = field(init=False)
    _last_sent: dict[str, list[int]] = field(init=False)
    _last_acknowledged: dict[str, list[int]] = field(init=False)
    _sent: deque[_Sent] = field(default_factory=deque)
    _sent_through: int = field(init=False)
    _sent_bytes: int = 0
    _acknowledged_through: int = field(init=False)
    _published: Counter[str] = field(default_factory=Counter)
    _horizon: Receipt | None = None
    _told_through: int = -1  # of the last horizon
    _horizon_at: float = 0.0  # seconds of the monotonic clock
    _partitions: dict[str, int] = field(default_factory=dict)  # of a customer
    _topics: dict[str, str] = field(init=False)  # of a type

    def __post_init__(self) -> None:
        self._last_sent = {topic: list(last) for topic, last in self.cursor.last.items()}
        self._last_acknowledged = {topic: list(last) for topic, last in self.cursor.last.items()}
        self._sent_through = self._acknowledged_through = self.cursor.complete_through
        self._topics = {
            name: event_topic(self.prefix, event_type.family)
            for name, event_type in BY_NAME.items()
        }
        self._publisher = self.ports.publisher()

    def step(self) -> bool:
        """Send a page, take what was acknowledged, tell how far that is.

        Return whether all that is recorded is acknowledged.
        """
        caught_up = False
        if len(self._sent) >= IN_FLIGHT_RECORDS_MAX or self._sent_bytes >= IN_FLIGHT_BYTES_MAX:
            self._publisher.wait(self._sent[0].receipt, ACK_WAIT_SECONDS)
        else:
            page = self.ports.store.read(self._sent_through, READ_RECORDS_MAX)
            for record in page:
                self._send(record)
            caught_up = len(page) < READ_RECORDS_MAX
        if caught_up and self._sent:
            self._publisher.flush(ACK_WAIT_SECONDS)
        self._collect()
        self._tell()
        return caught_up and not self._sent

    def idle(self) -> None:
        """Wait for something to send, no longer than until the next horizon is due."""
        self.ports.store.wait(self._sent_through, max(0.0, self._due_in_seconds()))

    def settle(self) -> None:
        """Take the last acknowledgements there are, and store the cursor, before the end."""
        self._publisher.flush(CLOSE_TIMEOUT_SECONDS)
        self._collect()
        self._horizon_at = 0.0
        self._tell()
        if self._horizon is not None:
            self._publisher.wait(self._horizon, CLOSE_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Give up what is in flight."""
        self._publisher.close(CLOSE_TIMEOUT_SECONDS)

    def _send(self, record: StoredRecord) -> None:
        topic = self._topics.get(record.type)
        if topic is None:
            message = (
                f"position {record.position} is a {record.type}, which this program does not "
                "know: it is older than the ledger. Start the newer one"
            )
            raise UnknownTypeError(message)
        last = self._last_sent[topic]
        customer_id = record.customer_id
        partition = self._partitions.get(customer_id)
        if partition is None:
            partition = self._publisher.partition(customer_id, len(last))
            if len(self._partitions) >= CACHED_CUSTOMERS_MAX:
                self._partitions.clear()
            self._partitions[customer_id] = partition
        receipt = self._publisher.send(record, topic, partition, last[partition])
        last[partition] = self._sent_through = record.position
        self._sent.append(_Sent(record.position, topic, partition, len(record.data), receipt))
        self._sent_bytes += len(record.data)

    def _collect(self) -> None:
        """Move over what is acknowledged without a gap. Raises `NotDeliveredError`."""
        sent = self._sent
        while sent and sent[0].receipt.is_done:
            done = sent.popleft()
            if done.receipt.failed():
                message = f"position {done.position} was not delivered to {done.topic}"
                raise NotDeliveredError(message)
            self._last_acknowledged[done.topic][done.partition] = done.position
            self._acknowledged_through = done.position
            self._sent_bytes -= done.data_bytes
            self._published[done.topic] += 1

    def _tell(self) -> None:
        """Store the cursor, and publish it as the horizon, where it is time."""
        if self._due_in_seconds() > 0:
            return
        self._horizon_at = time.monotonic()
        self.cursor = Cursor(self._acknowledged_through, _copy(self._last_acknowledged))
        self.ports.cursor.store(self.cursor)
        self._observe()
        if self._horizon is not None and not self._horizon.is_done:
            return  # one at a time: the next one says more
        if self._horizon is not None and self._horizon.failed():
            message = "a horizon was not delivered"
            raise NotDeliveredError(message)
        through, last = self.cursor.complete_through, self.cursor.last
        self._horizon = self._publisher.publish(Horizon(through, last, self.ports.clock()))
        self._told_through = through

    def _due_in_seconds(self) -> float:
        moved = self._acknowledged_through > self._told_through
        interval = HORIZON_INTERVAL_SECONDS if moved else HEARTBEAT_SECONDS
        return self._horizon_at + interval - time.monotonic()

    def _observe(self) -> None:
        observer = self.ports.observer
        for topic, records in self._published.items():
            observer.published(topic, records)
        self._published.clear()
        through = self.cursor.complete_through
        lag_events = max(0, self.ports.store.position() - through)
        heard = self._horizon is None or self._horizon.is_done
        observer.position(through, lag_events, heard=heard)


def _copy(last: Positions) -> Positions:
    return {topic: tuple(positions) for topic, positions in last.items()}
