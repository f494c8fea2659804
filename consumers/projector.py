"""The projector: records of its shards, folded into the generations it feeds.

Rows, progress and parked events of a generation change in one transaction a batch, by
compare-and-set of the lane's revision. Whatever goes wrong, nothing in memory counts any more:
the projector reads where it stands from the views, and goes on from there. So redelivery,
rebalances and a kill at any moment change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Protocol

from consumers.applying import apply, keys_of, read
from consumers.build import Build
from consumers.codec import UnreadableEventError
from consumers.event_store import StoreUnavailableError
from consumers.merging import RecordsMissingError
from consumers.parking import Parking, set_aside
from consumers.topics import KafkaUnavailableError
from consumers.views import Change, LostShardError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event as Stop

    from consumers.applying import Outcome, Reading
    from consumers.codec import Decode
    from consumers.source import ShardBatch, Source
    from consumers.views import Feed, Lane, Views
    from domain.values import Instant

POLL_TIMEOUT_SECONDS = 1.0
BACK_OFF_FIRST_SECONDS = 0.1
BACK_OFF_MAX_SECONDS = 5.0
STANDING_INTERVAL_SECONDS = 1.0  # where it stands is told so often at most


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a projection is, over the shards of this projector.

    `lag_events` counts those that the source knows to be complete and are not applied yet.
    """

    projection: str
    version: int
    position: int
    lag_events: int
    parked_keys: int


class Observer(Protocol):
    """Is told what the projector did, for metrics and logs."""

    def applied(self, projection: str, events: int, seconds: float) -> None:
        """Tell that a batch was folded and committed."""
        ...

    def skipped(self, projection: str, events: int) -> None:
        """Tell that events were left out because somebody dropped them."""
        ...

    def stands(self, standings: Sequence[Standing]) -> None:
        """Tell how far each projection is, once a second, whatever the source does.

        None where no shard is assigned. May raise `StoreUnavailableError`.
        """
        ...

    def fault(self, error: Exception) -> None:
        """Tell of an outage, missing records or a lost shard: the projector tries again."""
        ...


class Unobserved:
    """The observer of nobody."""

    def applied(self, projection: str, events: int, seconds: float) -> None:
        """Say nothing."""

    def skipped(self, projection: str, events: int) -> None:
        """Say nothing."""

    def stands(self, standings: Sequence[Standing]) -> None:
        """Say nothing."""

    def fault(self, error: Exception) -> None:
        """Say nothing."""


class Projector:
    """Feeds generations from a source. One thread's; `run` ends when `stop` is set."""

    def __init__(
        self,
        source: Source,
        views: Views,
        decode: Decode,
        feeds: Callable[[], Sequence[Feed]],
        now: Callable[[], Instant],
        observer: Observer | None = None,
    ) -> None:
        self._source = source
        self._views = views
        self._decode = decode
        self._feeds = feeds
        self._now = now
        self._observer = observer or Unobserved()
        self._builds: list[Build] | None = None
        self._resumed: frozenset[int] = frozenset()
        self._sweeping = True
        self._parking = Parking(views, decode, now)
        self._back_off_seconds = BACK_OFF_FIRST_SECONDS
        self._tell_at = 0.0  # seconds of the monotonic clock

    def run(self, stop: Stop) -> None:
        """Follow the source until told to stop. Outages are waited for with back-off.

        So are missing records: nothing is applied until they are published again.
        """
        while not stop.is_set():
            try:
                self.step_or_wait(stop)
            except RecordsMissingError as error:
                self._wait(error, stop)

    def step_or_wait(self, stop: Stop) -> None:
        """Apply what the source has ready; wait a little where database or broker are away.

        Raises `RecordsMissingError`.
        """
        try:
            self.step(POLL_TIMEOUT_SECONDS)
            self._back_off_seconds = BACK_OFF_FIRST_SECONDS
        except (StoreUnavailableError, KafkaUnavailableError) as error:
            self._wait(error, stop)

    def _wait(self, error: Exception, stop: Stop) -> None:
        self._observer.fault(error)
        stop.wait(self._back_off_seconds)
        self._back_off_seconds = min(2 * self._back_off_seconds, BACK_OFF_MAX_SECONDS)

    def catch_up(self, through: int | None = None) -> None:
        """Apply all there is now, or up to a position. Raises the errors of `step`."""
        target = self._source.head() if through is None else through
        self.step(0.0)  # where all is applied already, there is nothing to wait for
        while not self.stands_at(target):
            self.step(POLL_TIMEOUT_SECONDS)

    def stands_at(self, position: int) -> bool:
        """Return whether all shards of the ledger are here and applied up to a position."""
        everything = frozenset(range(self._source.shards))
        return (
            self._builds is not None
            and self._resumed == everything
            and all(build.through(everything) >= position for build in self._builds)
        )

    def step(self, timeout_seconds: float) -> None:
        """Apply what the source has ready.

        Raises `StoreUnavailableError`, `KafkaUnavailableError`, `RecordsMissingError`; call it
        again then.
        """
        try:
            builds = self._builds if self._builds is not None else self._start()
            self._resume(builds)
            self._tell_standing(builds)
            head = self._source.head()
            batches = self._source.poll(timeout_seconds)
            self._resume(builds)
            self._apply(builds, [b for b in batches if b.shard in self._resumed])
            self._tell_standing(builds)
            self._take_over(builds, head)
            if self._sweeping and not batches:
                self._sweeping = self._views.sweep()
            del batches  # kafka-python may keep this frame until cycles are collected
        except LostShardError as error:
            self._builds = None
            self._observer.fault(error)
        except StoreUnavailableError:
            self._builds = None
            raise

    def _start(self) -> list[Build]:
        """Find out what to feed; where it stands is read as shards arrive."""
        self._resumed = frozenset()
        self._builds = [Build(feed) for feed in self._feeds()]
        for build in self._builds:
            self._retry_what_can_be_read_now(build.feed)
        return self._builds

    def _retry_what_can_be_read_now(self, feed: Feed) -> None:
        for waiting in self._views.parked(feed.generation):
            if waiting.code == UnreadableEventError.code and self._can_read(waiting.value):
                why = "the program can read it now"
                self._parking.retry(feed, waiting.customer_id, "projector", why)

    def _can_read(self, value: bytes) -> bool:
        try:
            self._decode(value)
        except UnreadableEventError:
            return False
        return True

    def _resume(self, builds: list[Build]) -> None:
        """Take newly assigned shards up where the slowest generation stands.

        Others may have moved them on, and parked events of them, while they were theirs.
        """
        assigned = self._source.assigned()
        arrived = assigned - self._resumed
        if arrived:
            for build in builds:
                build.read(self._views)
            for shard in sorted(arrived):
                progress = (build.lanes[shard].progress for build in builds)
                self._source.resume(shard, min(progress, key=attrgetter("through")))
            self._tell_at = 0.0
        self._resumed = assigned

    def _apply(self, builds: list[Build], batches: Sequence[ShardBatch]) -> None:
        readings = {b.shard: read(b.deliveries, self._decode) for b in batches}
        for build in builds:
            self._apply_to(build, batches, readings)

    def _apply_to(
        self,
        build: Build,
        batches: Sequence[ShardBatch],
        readings: Mapping[int, list[Reading]],
    ) -> None:
        started = perf_counter()
        kinds = build.feed.projection.kinds
        new = {b.shard: build.new(b.shard, readings[b.shard]) for b in batches}
        keys = {key for each in new.values() for key in keys_of(each, kinds)}
        rows = build.load(self._views, keys)
        changes, outcomes = [], []
        for batch in batches:
            lane = build.lanes[batch.shard]
            if batch.progress.through > lane.progress.through:
                outcome = apply(new[batch.shard], rows, kinds, build.parked, build.dropped)
                changes.append(self._change(batch, lane, outcome))
                outcomes.append(outcome)
        if not changes:
            return
        build.lanes.update(self._views.commit(build.feed.generation, changes))
        build.rows = rows
        for outcome in outcomes:
            build.parked.update(delivery.customer_id for delivery, _ in outcome.set_aside)
        self._tell_applied(build, outcomes, perf_counter() - started)

    def _change(self, batch: ShardBatch, lane: Lane, outcome: Outcome) -> Change:
        park, deals = set_aside(outcome, batch.shard, self._now())
        return Change(
            shard=batch.shard,
            revision=lane.revision,
            progress=batch.progress,
            rows=outcome.rows,
            park=park,
            deals=deals,
        )

    def _tell_applied(self, build: Build, outcomes: Sequence[Outcome], seconds: float) -> None:
        name = build.feed.projection.name
        self._observer.applied(name, sum(outcome.applied for outcome in outcomes), seconds)
        if skipped := sum(outcome.skipped for outcome in outcomes):
            self._observer.skipped(name, skipped)

    def _tell_standing(self, builds: list[Build]) -> None:
        if monotonic() < self._tell_at:
            return
        self._tell_at = monotonic() + STANDING_INTERVAL_SECONDS
        self._observer.stands([self._standing(build) for build in builds if self._resumed])

    def _standing(self, build: Build) -> Standing:
        projection, position = build.feed.projection, build.through(self._resumed)
        lag_events = max(0, self._source.head() - position)
        return Standing(
            projection.name, projection.version, position, lag_events, len(build.parked)
        )

    def _take_over(self, builds: list[Build], head: int) -> None:
        """Let a generation built beside the live one take over once it has caught up."""
        for generation in (build.feed.generation for build in builds if build.is_beside):
            lanes = self._views.lanes(generation).values()
            caught_up = lanes and all(lane.progress.through >= head for lane in lanes)
            if caught_up and self._views.promote(generation):
                self._builds = None  # find out afresh what to feed
                self._sweeping = True
