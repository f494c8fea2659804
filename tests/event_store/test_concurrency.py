"""Many writers, one order: nothing skipped, nothing twice, nothing decided on stale reads."""

from __future__ import annotations

import itertools
import multiprocessing
import random
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from consumers.event_store import Append, Claim, ConflictError
from infra.event_store.ledger import open_store
from tests.event_store.records import record

if TYPE_CHECKING:
    from consumers.event_store import EventStore, StoredRecord

CONTENDED = 5  # streams, and keys
APPENDS = 20  # of each writer
RECORDS_MAX = 6  # an append
SKEW_ROUNDS = 25
KILLED_BATCH = 40


@dataclass(frozen=True)
class Written:
    """An append that was acknowledged, between two readings of the clock all processes share."""

    positions: range
    ids: tuple[str, ...]
    began: float
    ended: float
    key: str | None


def _write(url: str, seed: int) -> list[Written]:
    """Append at random; a conflict is taken as it comes, and leaves nothing behind."""
    dice = random.Random(seed)  # noqa: S311 - a seed makes the run repeatable
    written: list[Written] = []
    with closing(open_store(url)) as store:
        for _ in range(APPENDS):
            streams = [f"loan-{dice.randrange(CONTENDED)}" for _ in range(RECORDS_MAX)]
            expected = len(store.read_streams(streams[:1])[streams[0]])
            records = [record(stream) for stream in streams[1 : dice.randint(1, RECORDS_MAX)]]
            records.append(record(f"own-{seed}-{len(written)}"))
            key = f"draw:D{dice.randrange(200)}" if dice.random() < 0.5 else None
            claims = [] if key is None else [Claim(key, str(seed).encode(), len(records) - 1)]
            reads = {streams[0]: expected} if dice.random() < 0.3 else {}
            if not dice.randrange(4) and streams[0] not in {r.stream for r in records}:
                records.append(record(streams[0], expected_version=expected))
            began = time.monotonic()
            try:
                positions = store.append(Append(records=records, reads=reads, claims=claims))
            except ConflictError:
                continue
            ids = tuple(r.id for r in records)
            written.append(Written(positions, ids, began, time.monotonic(), key))
    return written


class Tail(threading.Thread):
    """Reads on and on; stops at the end of the log once it is told that the writers have."""

    def __init__(self, store: EventStore) -> None:
        super().__init__()
        self.store = store
        self.read: list[StoredRecord] = []
        self.done = threading.Event()

    def run(self) -> None:
        while True:
            last_round = self.done.is_set()
            while page := self.store.read(len(self.read), 7):
                self.read += page
            if last_round:
                return
            self.store.wait(len(self.read), timeout_seconds=0.02)


def _check(store: EventStore, tail: list[StoredRecord], written: list[Written]) -> None:
    assert written, "no append came through"
    assert [r.position for r in tail] == list(range(1, store.position() + 1))
    ids = {p: i for w in written for p, i in zip(w.positions, w.ids, strict=True)}
    assert {r.position: r.id for r in tail} == ids
    assert all(a.recorded_at < b.recorded_at for a, b in itertools.pairwise(tail))
    by_end = sorted(written, key=lambda w: w.ended)
    for w in written:  # what had ended before this one began lies before it
        for earlier in by_end:
            if earlier.ended >= w.began:
                break
            assert earlier.positions.stop <= w.positions.start
    for stream in {r.stream for r in tail}:
        versions = [r.stream_version for r in tail if r.stream == stream]
        assert versions == list(range(1, len(versions) + 1))
    keys = [w.key for w in written if w.key is not None]
    assert len(keys) == len(set(keys)) == len(store.held(keys))


@pytest.mark.slow
@pytest.mark.parametrize("writers", [4, 16])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_tailing_reader_misses_nothing_of_concurrent_threads(
    url: str, writers: int, seed: int
) -> None:
    written: list[Written] = []

    def write(writer_seed: int) -> None:
        written.extend(_write(url, writer_seed))

    threads = [threading.Thread(target=write, args=(100 * seed + n,)) for n in range(writers)]
    with closing(open_store(url)) as store:
        tail = Tail(store)
        tail.start()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tail.done.set()
        tail.join()
        _check(store, tail.read, written)


@pytest.mark.slow
def test_a_tailing_reader_misses_nothing_of_concurrent_processes(url: str) -> None:
    with (
        closing(open_store(url)) as store,
        multiprocessing.get_context("spawn").Pool(4) as pool,
    ):
        tail = Tail(store)
        tail.start()
        written = pool.starmap(_write, [(url, seed) for seed in range(8)], chunksize=1)
        tail.done.set()
        tail.join()
        _check(store, tail.read, list(itertools.chain.from_iterable(written)))


def test_of_two_that_refer_each_other_one_is_refused(url: str) -> None:
    """Write skew: each reads the other's stream, and writes its own."""
    outcomes: list[list[bool]] = [[] for _ in range(SKEW_ROUNDS)]
    together = threading.Barrier(2)

    def refer(referrer: str, prospect: str) -> None:
        with closing(open_store(url)) as store:
            for number, outcome in enumerate(outcomes):
                mine, other = f"prospect-{prospect}{number}", f"prospect-{referrer}{number}"
                reads = {stream: len(r) for stream, r in store.read_streams([mine, other]).items()}
                together.wait()
                try:
                    store.append(Append(records=[record(mine)], reads=reads))
                except ConflictError:
                    outcome.append(False)
                else:
                    outcome.append(True)
                together.wait()

    pair = [threading.Thread(target=refer, args=names) for names in (("A", "B"), ("B", "A"))]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    assert [sorted(outcome) for outcome in outcomes] == [[False, True]] * SKEW_ROUNDS


def _write_until_killed(url: str) -> None:
    with closing(open_store(url)) as store:
        for number in itertools.count():
            claims = [Claim(f"row:{time.time_ns()}-{n}", b"x", n) for n in range(KILLED_BATCH)]
            records = [record(f"loan-{number}-{n}") for n in range(KILLED_BATCH)]
            store.append(Append(records=records, claims=claims))


@pytest.mark.slow
def test_a_writer_killed_in_mid_append_leaves_nothing_half_done(url: str) -> None:
    dice = random.Random(7)  # noqa: S311 - a seed makes the run repeatable
    claimed = "SELECT count(*) FROM claim"
    with closing(open_store(url)) as store:
        for _ in range(4):
            before = store.position()
            writer = multiprocessing.get_context("spawn").Process(
                target=_write_until_killed, args=(url,)
            )
            writer.start()
            assert store.wait(before, timeout_seconds=30) > before
            time.sleep(dice.uniform(0, 0.1))
            writer.kill()
            writer.join()
            with store.database.transaction() as connection:  # waits for what was under way
                connection.execute("UPDATE counter SET position = position")
            position = store.position()
            assert position % KILLED_BATCH == 0
            assert [r.position for r in store.read(0, 10**6)] == list(range(1, position + 1))
            with store.database.connection() as connection:
                assert connection.execute(claimed).fetchall() == [(position,)]
        whole = Append(records=[record() for _ in range(KILLED_BATCH)])
        assert store.append(whole).start == position + 1
