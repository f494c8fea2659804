"""The compliance export and a close, each beside pandas that reads the same facts from CSV.

Both must find the same figures for every window, or nothing is measured.
"""

from __future__ import annotations

import csv
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING

from benchmarks import windows_in_pandas
from benchmarks.deposits import YEAR, Promised, closed, exported, recorded
from benchmarks.figures import Figure, Seconds, taken
from benchmarks.windows_in_pandas import COLUMNS
from consumers.event_store import READ_RECORDS_MAX
from infra.codec import decode_record
from infra.composition import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench
    from benchmarks.windows_in_pandas import Figures
    from infra.cli.settings import Settings

MONTH = date(2023, 3, 1), date(2023, 3, 31)
EXPORT_TIMES_MAX = 3.0
CLOSE_TIMES_MAX = 10.0


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield how many times the time of pandas an export and a close take."""
    size = bench.size
    year = Promised(bench.folder / "year", size.export_commitments, *YEAR)
    with recorded(bench, year) as settings:
        bench.say(f"compliance: export of {year.windows:,} windows")
        out = bench.folder / "compliance.csv"
        exported(settings, year, out)
        _check(list(_of_file(out)), year)
        yield taken(
            f"compliance export of {year.customers:,} commitments over a year, SQLite (pandas)",
            EXPORT_TIMES_MAX,
            size.rounds,
            lambda: exported(settings, year, out),
            lambda: _by_pandas(year),
        )
    month = Promised(bench.folder / "month", size.close_commitments, *MONTH)
    with recorded(bench, month) as settings:
        bench.say(f"compliance: close of {month.windows:,} windows")
        with _copied(settings) as copy:
            closed(copy, month)
            _check(sorted(_of_log(copy)), month)
        yield taken(
            f"close of {month.windows:,} windows, their events appended, SQLite (pandas)",
            CLOSE_TIMES_MAX,
            size.rounds,
            lambda: _closed(settings, month),
            lambda: _by_pandas(month),
        )


def _closed(settings: Settings, feed: Promised) -> Seconds:
    with _copied(settings) as copy:
        return closed(copy, feed)


@contextmanager
def _copied(settings: Settings) -> Iterator[Settings]:
    """Copy a ledger, for a day is closed but once.

    The copy is written out before, or the first checkpoint of the close would wait for it.
    """
    source = settings.keys_folder
    assert source is not None
    folder = source.parent
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.copytree(folder, copy)
    os.sync()
    try:
        yield replace(settings, ledger=f"sqlite:{copy}/ledger.db", keys=copy / "keys")
    finally:
        shutil.rmtree(copy)


def _by_pandas(feed: Promised) -> Seconds:
    begun = time.perf_counter()
    windows_in_pandas.windows(feed.folder)
    return time.perf_counter() - begun


def _check(ours: list[Figures], feed: Promised) -> None:
    theirs = list(windows_in_pandas.figures(windows_in_pandas.windows(feed.folder)))
    assert ours == theirs, next(
        pair for pair in zip(ours, theirs, strict=False) if len({*pair}) > 1
    )


def _of_file(out: Path) -> Iterator[Figures]:
    with out.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            id_, start, end, *sums, shortfall, status = (row[name] for name in COLUMNS)
            short = int(shortfall) if shortfall else None
            yield id_, start, end, *map(int, sums), short, status


def _of_log(settings: Settings) -> Iterator[Figures]:
    with opened(settings) as parts:
        after = 0
        while page := parts.store.read(after, READ_RECORDS_MAX):
            after = page[-1].position
            for record in page:
                if record.type == "commitment-tested":
                    id_, start, end, *rest = _OF_TEST(decode_record(record).event)
                    yield id_, str(start), str(end), *rest


_OF_TEST = attrgetter(*COLUMNS[:-1], "outcome")
