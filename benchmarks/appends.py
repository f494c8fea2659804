"""Appends to PostgreSQL: single events of several writers, and 1,000 events a call.

Beside the writers a reader follows the log all the time, and must have seen every event.
"""

from __future__ import annotations

import multiprocessing
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import library
from benchmarks.figures import Figure, Rate, compared
from benchmarks.material import balances
from consumers.event_store import READ_RECORDS_MAX, Append
from infra.event_store.ledger import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Barrier, Event

    from benchmarks.bench import Bench
    from consumers.event_store import NewRecord

WRITERS = 4
BULK = 1_000
TAIL_PAUSE_SECONDS = 0.005
START_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class _Side:
    """A store that is measured: what it appends, the append, and the positions after one."""

    batch: Callable[[Iterable[NewRecord]], Any]
    append: Callable[[Any], object]
    tail: Callable[[int], Sequence[int]]


_spawning = multiprocessing.get_context("spawn")


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield the figures of appends."""
    rounds = bench.size.rounds
    for durable, target in ((False, 3.0), (True, None)):
        server = "PostgreSQL with fsync" if durable else "PostgreSQL"
        bench.say(f"appends of single events, {WRITERS} writers, {server}")
        yield compared(
            f"append of single events, {WRITERS} writers, {server}, nothing skipped",
            target,
            rounds,
            lambda: _single(bench, "ours", durable=durable),  # noqa: B023  # called at once
            lambda: _single(bench, "library", durable=durable),  # noqa: B023  # as above
        )
    bench.say(f"appends of {BULK:,} events, PostgreSQL")
    yield compared(
        f"append of {BULK:,} events a call, PostgreSQL",
        1.5,
        rounds,
        lambda: _bulk(bench, "ours"),
        lambda: _bulk(bench, "library"),
    )


def _single(bench: Bench, which: str, *, durable: bool) -> Rate:
    seconds = bench.size.append_seconds
    with _database(bench, which, durable=durable) as url:
        begin, end = _spawning.Barrier(WRITERS + 1), _spawning.Event()
        appended, seen = _spawning.SimpleQueue(), _spawning.SimpleQueue()
        writers = [
            _spawning.Process(target=_write, args=(which, url, f"W{n}", seconds, begin, appended))
            for n in range(WRITERS)
        ]
        reader = _spawning.Process(target=_follow, args=(which, url, begin, end, seen))
        for process in (*writers, reader):
            process.start()
        for process in writers:
            process.join()
        end.set()
        reader.join()
        assert all(process.exitcode == 0 for process in (*writers, reader)), "one has failed"
        events: int = sum(appended.get() for _ in writers)
        followed: int = seen.get()
        assert followed == events, f"{followed} of {events} events were seen"
    return (events - WRITERS) / seconds


def _write(
    which: str,
    url: str,
    name: str,
    seconds: float,
    begin: Barrier,
    appended: SimpleQueue[int],
) -> None:
    with _SIDES[which](url) as side:
        side.append(side.batch(balances(name, 0, 1)))  # connected, prepared
        begin.wait(START_TIMEOUT_SECONDS)
        events, deadline = 1, time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            side.append(side.batch(balances(name, events, 1)))
            events += 1
    appended.put(events)


def _follow(which: str, url: str, begin: Barrier, end: Event, seen: SimpleQueue[int]) -> None:
    """Read on from the last position seen, as every follower of a log does; tell how many."""
    with _SIDES[which](url) as side:
        last = events = 0
        begin.wait(START_TIMEOUT_SECONDS)
        while True:
            over = end.is_set()
            positions = side.tail(last)
            if positions:
                last, events = positions[-1], events + len(positions)
            elif over:
                break
            else:
                time.sleep(TAIL_PAUSE_SECONDS)
    seen.put(events)


def _bulk(bench: Bench, which: str) -> Rate:
    events = bench.size.bulk_events
    with _database(bench, which, durable=False) as url, _SIDES[which](url) as side:
        first, *batches = [
            side.batch(balances("W0", first, BULK)) for first in range(0, events + BULK, BULK)
        ]
        side.append(first)
        begun = time.perf_counter()
        for batch in batches:
            side.append(batch)
        return events / (time.perf_counter() - begun)


@contextmanager
def _database(bench: Bench, which: str, *, durable: bool) -> Iterator[str]:
    """Yield the URL of a ledger, or of an empty database for the library."""
    if which == "library":
        server = bench.durable if durable else bench.postgresql
        with server.fresh_database() as url:
            library.make_tables(library.postgresql_environment(url))
            yield url
    else:
        with bench.postgresql_ledger(durable=durable) as settings:
            yield settings.ledger


@contextmanager
def _ours(url: str) -> Iterator[_Side]:
    store = open_store(url)
    try:
        yield _Side(
            lambda records: Append(records=[*records]),
            store.append,
            lambda last: [r.position for r in store.read(last, READ_RECORDS_MAX)],
        )
    finally:
        store.close()


@contextmanager
def _library(url: str) -> Iterator[_Side]:
    with library.recorder(library.postgresql_environment(url)) as recorder:
        yield _Side(
            library.stored_events,
            recorder.insert_events,
            lambda last: [n.id for n in recorder.select_notifications(last + 1, READ_RECORDS_MAX)],
        )


_SIDES = {"ours": _ours, "library": _library}
