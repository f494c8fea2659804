"""The merge of a shard: against a plain model, whatever the relay sends and the polls cut."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.merging import Arrival, RecordsMissingError, ShardMerge
from consumers.source import Delivery, Progress

TOPICS = ("contact", "deposit", "loan")
START = Progress()


def chained(positions: list[int]) -> list[Arrival]:
    """Return a partition's records as a relay sends them that loses nothing."""
    before = [0, *positions]
    return [
        Arrival(position, previous, offset, f"C{position}", b"%d" % position)
        for offset, (position, previous) in enumerate(zip(positions, before, strict=False))
    ]


def lasts(partitions: dict[str, list[int]], through: int) -> dict[str, int]:
    return {
        topic: max((position for position in positions if position <= through), default=0)
        for topic, positions in partitions.items()
    }


@dataclass(frozen=True)
class Shard:
    """What lies in each partition in the end, in which order it is polled, and the horizons."""

    partitions: dict[str, list[int]]
    sent: dict[str, list[Arrival]]
    steps: list[tuple[str, int, int]]  # a topic, records polled of it, the horizon known then


@st.composite
def shards(draw: st.DrawFn) -> Shard:
    """Positions of other shards lie between; failed sends and zombies repeat and leave holes."""
    dealt = draw(st.lists(st.sampled_from([*TOPICS, "elsewhere"]), max_size=40))
    partitions = {
        topic: [p for p, owner in enumerate(dealt, 1) if owner == topic] for topic in TOPICS
    }
    sent = {}
    for topic, positions in partitions.items():
        whole = chained(positions)
        log: list[Arrival] = []
        for begin in draw(st.lists(st.integers(0, max(0, len(whole) - 1)), max_size=4)):
            run = whole[begin : begin + draw(st.integers(0, 8))]
            lost = draw(st.sets(st.integers(0, 8)))
            log += [arrival for n, arrival in enumerate(run) if n not in lost]
        sent[topic] = log + whole  # the relay that recovers sends all after its cursor
    polls = st.tuples(st.sampled_from(TOPICS), st.integers(0, 9), st.integers(0, len(dealt)))
    steps = draw(st.lists(polls, max_size=30))
    return Shard(partitions, sent, [*steps, *((topic, 1_000, len(dealt)) for topic in TOPICS)])


@given(shards())
def test_a_shard_is_released_whole_in_order_and_not_above_the_horizon(shard: Shard) -> None:
    merge = ShardMerge(TOPICS, START)
    left = {topic: list(log) for topic, log in shard.sent.items()}
    expected = sorted(position for each in shard.partitions.values() for position in each)
    released: list[int] = []
    horizon = 0
    for topic, count, known in shard.steps:
        merge.take(topic, left[topic][:count])
        del left[topic][:count]
        horizon = max(horizon, known)
        last = lasts(shard.partitions, horizon)
        release = merge.release(horizon, last)
        if release is not None:
            released += [delivery.position for delivery in release.deliveries]
            through = release.progress.through
            assert through <= horizon
            assert released == [position for position in expected if position <= through]
            assert release.progress.last == lasts(shard.partitions, through)
    assert released == expected
    assert merge.waiting_records == merge.waiting_bytes == 0
    merge.verify(lasts(shard.partitions, horizon), TOPICS)


@given(shards(), st.data())
def test_a_record_that_never_comes_stops_the_shard_before_it(
    shard: Shard, data: st.DataObject
) -> None:
    positions = sorted(position for each in shard.partitions.values() for position in each)
    if not positions:
        return
    lost = data.draw(st.sampled_from(positions))
    merge = ShardMerge(TOPICS, START)
    for topic, log in shard.sent.items():
        merge.take(topic, [arrival for arrival in log if arrival.position != lost])
    end = positions[-1]
    last = lasts(shard.partitions, end)
    release = merge.release(end, last)
    applied = [] if release is None else [delivery.position for delivery in release.deliveries]
    assert applied == [position for position in positions if position < lost][: len(applied)]
    owner = next(topic for topic in TOPICS if lost in shard.partitions[topic])
    assert list(merge.outstanding(last)) == [owner]
    merge.verify(last, [topic for topic in TOPICS if topic != owner])  # not read to its end yet
    with pytest.raises(RecordsMissingError, match=f"{owner} was read to its end"):
        merge.verify(last, TOPICS)


@given(shards(), st.data())
def test_a_merge_resumed_from_any_progress_goes_on_without_a_gap(
    shard: Shard, data: st.DataObject
) -> None:
    end = max((position for each in shard.partitions.values() for position in each), default=0)
    through = data.draw(st.integers(0, end))
    merge = ShardMerge(TOPICS, Progress(through, lasts(shard.partitions, through)))
    embedded = ShardMerge(TOPICS, Progress(through))  # progress that names no partitions
    for each in (merge, embedded):
        for topic, log in shard.sent.items():
            each.take(topic, log)
        release = each.release(end, lasts(shard.partitions, end))
        got = [] if release is None else [delivery.position for delivery in release.deliveries]
        rest = (p for positions in shard.partitions.values() for p in positions if p > through)
        assert got == sorted(rest)


def test_a_quiet_shard_moves_on_with_the_horizon() -> None:
    release = ShardMerge(TOPICS, START).release(7, dict.fromkeys(TOPICS, 0))
    assert release is not None
    assert release.deliveries == []
    assert release.progress == Progress(7, dict.fromkeys(TOPICS, 0))


def test_a_record_is_held_back_while_a_lower_one_may_come_in_another_topic() -> None:
    merge = ShardMerge(TOPICS, START)
    merge.take("loan", chained([2, 5]))
    last = {"loan": 5, "deposit": 4}
    assert merge.release(6, last) is None
    merge.take("deposit", chained([3, 4])[:1])
    release = merge.release(6, last)
    assert release is not None
    assert release.deliveries == [Delivery(2, "C2", b"2"), Delivery(3, "C3", b"3")]
    assert release.offsets == {"loan": 1, "deposit": 1}
    assert merge.ahead(last) == ["contact", "loan"]
    assert (merge.waiting_records, merge.waiting_bytes) == (1, 1)
    assert merge.outstanding(last) == {"deposit": 3}


def test_a_horizon_below_the_progress_changes_nothing() -> None:
    assert ShardMerge(TOPICS, Progress(9)).release(8, {}) is None
