"""The merge of a shard: partition p of every event topic, in ledger order, up to the horizon.

Each partition is a chain: a record names the one before it. At or below the last one taken it is
dropped; next in the chain it is taken; any other is left aside for good, for the relay will send
what is missing, and it, again. Taken records are released by position, once nothing below them
can be outstanding in any of the partitions.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from consumers.source import Delivery, Progress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


class RecordsMissingError(Exception):
    """The horizon speaks of records that do not lie in the topics: somebody has to look.

    A projector that went on would show less than was recorded, so it stops.
    """

    code: ClassVar[str] = "records-missing"


class Arrival(NamedTuple):
    """A record as it lies in a partition, at this offset. Arrivals sort by position."""

    position: int
    previous: int
    offset: int
    customer_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Release:
    """Records in ledger order, and the progress once they are applied.

    `offsets` is where each topic's partition is to be read on from then.
    """

    deliveries: Sequence[Delivery]
    progress: Progress
    offsets: Mapping[str, int]


@dataclass(slots=True)
class _Chain:
    """What was taken of one partition; `waiting` is not released yet."""

    last: int
    released: int
    waiting: list[Arrival] = field(default_factory=list)

    def release(self, frontier: int) -> list[Arrival]:
        end = bisect_left(self.waiting, (frontier + 1,))
        run = self.waiting[:end]
        del self.waiting[:end]
        if run:
            self.released = run[-1].position
        return run


class ShardMerge:
    """Merges the partitions of one shard, from a progress on.

    `last`, in all methods, is the position of the last record of each topic's partition at or
    below the horizon.
    """

    def __init__(self, topics: Iterable[str], progress: Progress) -> None:
        self._through = progress.through
        self._chains = {
            topic: _Chain(progress.last.get(topic, 0), progress.last.get(topic, 0))
            for topic in topics
        }
        self.waiting_records = 0
        self.waiting_bytes = 0

    def take(self, topic: str, arrivals: Iterable[Arrival]) -> None:
        """Take the next records of a topic's partition, as they lie there."""
        taken = self._chains[topic]
        last, waiting = taken.last, taken.waiting
        records_before, size_bytes = len(waiting), 0
        for arrival in arrivals:
            if arrival.previous == last < arrival.position:
                waiting.append(arrival)
                last = arrival.position
                size_bytes += len(arrival.value)
        taken.last = last
        self.waiting_records += len(waiting) - records_before
        self.waiting_bytes += size_bytes

    def release(self, complete_through: int, last: Mapping[str, int]) -> Release | None:
        """Release what is complete up to the horizon, None where the shard does not move on."""
        frontier = min(self.outstanding(last).values(), default=complete_through)
        before = self._through
        if frontier <= before:
            return None
        runs = {topic: each.release(frontier) for topic, each in self._chains.items()}
        merged = sorted(chain.from_iterable(runs.values()))  # runs are sorted: this merges them
        self._through = frontier
        self.waiting_records -= len(merged)
        self.waiting_bytes -= sum(len(arrival.value) for arrival in merged)
        return Release(
            [Delivery(a.position, a.customer_id, a.value) for a in merged if a.position > before],
            Progress(frontier, {topic: each.released for topic, each in self._chains.items()}),
            {topic: run[-1].offset + 1 for topic, run in runs.items() if run},
        )

    def outstanding(self, last: Mapping[str, int]) -> Mapping[str, int]:
        """Return the topics of which records below the horizon are still to be taken.

        With each goes the position of the last record taken of it.
        """
        return {
            topic: each.last
            for topic, each in self._chains.items()
            if each.last < last.get(topic, 0)
        }

    def ahead(self, last: Mapping[str, int]) -> Sequence[str]:
        """Return the topics of which more records would only wait: they hold nothing up."""
        outstanding = self.outstanding(last)
        return [
            topic
            for topic, each in self._chains.items()
            if each.waiting or topic not in outstanding
        ]

    def verify(self, last: Mapping[str, int], read_to_end: Collection[str]) -> None:
        """Raise `RecordsMissingError` where a partition was read to its end in vain.

        `read_to_end` is the topics whose partition was read from its beginning to its end, as
        that was after the horizon became known.
        """
        for topic, taken in self.outstanding(last).items():
            if topic in read_to_end:
                message = (
                    f"{topic} was read to its end; after position {taken} nothing fits, but the "
                    f"relay has published up to {last[topic]}: it was emptied, made anew or has "
                    "lost records. Publish all again: guanxi relay --republish"
                )
                raise RecordsMissingError(message)
