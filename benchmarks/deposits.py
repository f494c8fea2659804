"""A bank of promised deposits: each customer with one account and one commitment on it.

Its windows are exported and closed as the commands do.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.ingest import ingested
from benchmarks.material import write_rows
from infra.answers import Answers
from infra.closer import Closer
from infra.composition import opened
from infra.exports import write_export
from infra.policy.packs import load_packs
from projections.deposit_compliance import ComplianceRow, compliance_rows
from projections.projection import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.bench import Bench
    from benchmarks.figures import Seconds
    from infra.cli.settings import Settings

YEAR = date(2023, 1, 1), date(2023, 12, 31)
CURRENCY = "CZK"
METRICS = ("average", "minimum", "ending")
MISSED_EVERY = 25  # days, on average, that an account has no balance
GAP_EVERY = 10  # accounts, of which one has a gap longer than may be carried over
GAP_DAYS = 12


class Promised(NamedTuple):
    """A feed: what it holds, and the day at whose close all its windows have ended.

    A balance every `every` days, the last day among them.
    """

    folder: Path
    customers: int
    first: date
    last: date
    every: int = 1

    @property
    def windows(self) -> int:
        """Monthly windows, one a commitment and month."""
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        return self.customers * (months + 1)

    def write(self) -> int:
        """Write the feed; return how many balances it holds."""
        self.folder.mkdir()
        spread = random.Random(self.customers)  # noqa: S311  # the same feed in every run
        numbers = range(1, self.customers + 1)
        write_rows(self.folder / "relationships.csv", _RELATIONSHIPS, map(self._customer, numbers))
        write_rows(self.folder / "accounts.csv", _ACCOUNTS, map(self._account, numbers))
        terms = (self._commitment(number, spread) for number in numbers)
        write_rows(self.folder / "commitments.csv", _COMMITMENTS, terms)
        return write_rows(self.folder / "balances.csv", _BALANCES, self._balances(spread))

    def _customer(self, number: int) -> Sequence[str]:
        name, branch = f"Client {number}", f"D{number % 77}"
        return f"C{number:06d}", name, "person", "retail", branch, "RM-1", str(self.first)

    def _account(self, number: int) -> Sequence[str]:
        return f"A{number:06d}", f"C{number:06d}", "current", CURRENCY, str(self.first)

    def _commitment(self, number: int, spread: random.Random) -> Sequence[str]:
        cap = "150" if number % 2 else ""
        required = f"{spread.randrange(100_000, 10_000_000) / 100:.2f}"
        dates = (str(self.first),) * 2 + (str(self.last),)
        told = (
            METRICS[number % 3],
            "month",
            "amount",
            required,
            CURRENCY,
            "0",
            "deficiency_fee_bp",
            "50",
            cap,
        )
        return f"K{number:06d}", f"C{number:06d}", *dates, *told

    def _balances(self, spread: random.Random) -> Iterator[Sequence[str]]:
        """Yield the balances in date order, some of them below zero and some missing."""
        days = (self.last - self.first).days
        for day in range(days % self.every, days + 1, self.every):
            on = self.first + timedelta(day)
            for number in range(1, self.customers + 1):
                gap = number % GAP_EVERY == 0 and 0 <= day - number % 300 < GAP_DAYS
                if self.every == 1 and (gap or not spread.randrange(MISSED_EVERY)):
                    continue
                balance = spread.randrange(-500_000, 20_000_000) / 100
                yield f"A{number:06d}", str(on), f"{balance:.2f}", CURRENCY


_RELATIONSHIPS = ("customer_id", "name", "kind", "segment", "branch", "manager", "opened_on")
_ACCOUNTS = ("account_id", "customer_id", "kind", "currency", "opened_on")
_COMMITMENTS = (
    "commitment_id",
    "customer_id",
    "agreed_on",
    "starts_on",
    "ends_on",
    "metric",
    "window",
    "requirement_kind",
    "requirement_value",
    "currency",
    "cure_days",
    "consequence_kind",
    "consequence_value",
    "cap_percent",
)
_BALANCES = ("account_id", "business_date", "ledger_balance", "currency")


@contextmanager
def recorded(bench: Bench, feed: Promised) -> Iterator[Settings]:
    """Record a feed in a ledger of its own, whose views have applied all of it."""
    bench.say(f"compliance: recording {feed.write():,} balances")
    with bench.sqlite_ledger() as settings:
        ingested(settings, feed.folder)
        with opened(settings) as parts:
            parts.catch_up()
        yield settings


def exported(settings: Settings, feed: Promised, out: Path) -> Seconds:
    """Export compliance as of a feed's last day, as `guanxi export` does; return the time."""
    begun = time.perf_counter()
    with opened(settings) as parts:
        parts.catch_up()
        book = Answers(parts).book(WINDOWS)
    written = write_export(ComplianceRow, compliance_rows(book, feed.last, CURRENCY), "csv", out)
    seconds = time.perf_counter() - begun
    assert written == feed.windows, "a window is missing"
    return seconds


def closed(settings: Settings, feed: Promised) -> Seconds:
    """Close a feed's last day, as `guanxi close --pack none` does; return the time.

    What packs find is no part of the windows; a bank's first close would raise the most.
    """
    packs = load_packs(())
    begun = time.perf_counter()
    with opened(settings) as parts:
        [close] = Closer(parts, "bench", packs).close(feed.last, feed.last, carry=True)
    seconds = time.perf_counter() - begun
    assert close.tested == feed.windows, "a window is missing"
    return seconds
