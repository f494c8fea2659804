"""A feed ingested whole (validated, decided, stored) beside the library's bare inserts."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks import library
from benchmarks.figures import Figure, Rate, compared
from benchmarks.material import balances, write_feed
from infra.composition import opened
from infra.feeds.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.bench import Bench
    from infra.cli.settings import Settings

INSERTED_A_CALL = 1_000


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield the figures of ingest."""
    feed = bench.folder / "feed"
    rows = write_feed(feed, bench.size.feed_accounts)
    databases = {
        "SQLite": (bench.sqlite_ledger, _sqlite),
        "PostgreSQL": (bench.postgresql_ledger, _postgresql),
    }
    for name, (ledger, environment) in databases.items():
        bench.say(f"ingest of {rows:,} rows, {name}")
        yield compared(
            f"feed ingest (validated, decided, stored), {name}",
            0.15,
            bench.size.rounds,
            lambda: _ingested(ledger, feed),  # noqa: B023  # called at once
            lambda: _inserted(bench, environment, rows),  # noqa: B023  # called at once
        )


def ingested(settings: Settings, feed: Path) -> Rate:
    """Ingest a feed; return its rows a second."""
    with opened(settings) as parts:
        begun = time.perf_counter()
        report = ingest(feed, parts.ledger(), feed.parent / "rejects.csv")
        seconds = time.perf_counter() - begun
    assert report.problem is None, report.problem
    rows = sum(file.recorded for file in report.files)
    assert rows == sum(file.rows for file in report.files), "a row was not recorded"
    return rows / seconds


def _ingested(ledger: Callable[[], AbstractContextManager[Settings]], feed: Path) -> Rate:
    with ledger() as settings:
        return ingested(settings, feed)


def _inserted(
    bench: Bench,
    environment: Callable[[Bench], AbstractContextManager[dict[str, str]]],
    events: int,
) -> Rate:
    starts = range(0, events, INSERTED_A_CALL)
    batches = [library.stored_events(balances("W0", first, INSERTED_A_CALL)) for first in starts]
    with environment(bench) as told, library.recorder(told) as recorder:
        begun = time.perf_counter()
        for batch in batches:
            recorder.insert_events(batch)
        return len(batches) * INSERTED_A_CALL / (time.perf_counter() - begun)


@contextmanager
def _sqlite(bench: Bench) -> Iterator[dict[str, str]]:
    path = bench.folder / "library.db"
    environment = library.sqlite_environment(path)
    library.make_tables(environment)
    yield environment
    for file in bench.folder.glob("library.db*"):
        file.unlink()


@contextmanager
def _postgresql(bench: Bench) -> Iterator[dict[str, str]]:
    with bench.postgresql.fresh_database() as url:
        environment = library.postgresql_environment(url)
        library.make_tables(environment)
        yield environment
