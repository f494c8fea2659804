"""Headroom of a commitment by calendar month: what was held against what was required.

Sums of daily amounts are balance-days of the commitment's currency, as its windows count them.
"""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING, NamedTuple

from domain.compliance import tests
from domain.window_sums import counted_days
from projections.deposit_compliance import deposits_of, flows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from domain.window_sums import CountedDay
    from projections.book import Book


class MonthHeadroom(NamedTuple):
    """The days so far of a month: Σb of those known, Σr of all, and how many are unknown."""

    month: date
    balance_days: int
    required_days: int
    unknown_days: int


def headroom(book: Book, commitment_id: str, as_of: date) -> Iterator[MonthHeadroom]:
    """Yield the months that a commitment's windows begun by the date touch, earliest first."""
    customer_id, commitment = book.commitments[commitment_id]
    deposits = list(deposits_of(book, customer_id, commitment, as_of))
    flows = list(flows_of(book, customer_id, commitment))
    found = tests(commitment, deposits, flows, as_of)
    days = chain.from_iterable(counted_days(test.window, test.evidence) for test in found)
    for month, own in groupby(days, key=_month):
        counted = list(own)
        yield MonthHeadroom(
            month,
            sum(day.balance for day in counted if day.balance is not None),
            sum(day.required for day in counted),
            sum(day.balance is None for day in counted),
        )


def _month(day: CountedDay) -> date:
    return day.on.replace(day=1)
