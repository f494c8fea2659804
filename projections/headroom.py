"""Headroom of a commitment by calendar month: what was held against what was required.

Sums of daily amounts are balance-days of the commitment's currency, as its windows count them.
"""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING, NamedTuple

from domain.window_sums import counted_days
from projections.deposit_compliance import assessed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from domain.compliance import Test
    from domain.window_sums import CountedDay
    from projections.book import Book


class MonthHeadroom(NamedTuple):
    """The days so far of a month: Σb of those known, Σr of all, and how many are unknown.

    `surplus` was carried into the window that begins with the first of them, 0 where none does.
    """

    month: date
    balance_days: int
    required_days: int
    unknown_days: int
    surplus: int = 0


def headroom(book: Book, commitment_id: str, as_of: date) -> Iterator[MonthHeadroom]:
    """Yield the months that a commitment's windows begun by the date touch, earliest first."""
    days = chain.from_iterable(map(_days, assessed(book, commitment_id, as_of)))
    for month, own in groupby(days, key=_month):
        (first, surplus), *others = own
        counted = [first, *(day for day, _ in others)]
        yield MonthHeadroom(
            month,
            sum(day.balance for day in counted if day.balance is not None),
            sum(day.required for day in counted),
            sum(day.balance is None for day in counted),
            surplus,
        )


def _days(test: Test) -> Iterator[tuple[CountedDay, int]]:
    """Yield the days so far of a window, the first with the surplus carried in, others with 0."""
    surplus = test.surplus
    for day in counted_days(test.window, test.evidence):
        yield day, surplus
        surplus = 0


def _month(day: tuple[CountedDay, int]) -> date:
    return day[0].on.replace(day=1)
