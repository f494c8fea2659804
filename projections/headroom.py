"""Headroom of a commitment by calendar month: what was held against what was required.

Sums of daily amounts are balance-days of the commitment's currency, as its windows count them.
"""

from __future__ import annotations

from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from domain.window_sums import counted_days
from projections.deposit_compliance import assessed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from domain.commitment import Metric
    from domain.compliance import Test
    from domain.values import Minor
    from domain.window_sums import CountedDay
    from projections.book import Book


class MonthHeadroom(NamedTuple):
    """The days so far of a month that decide, as the metric of its windows looks at them.

    Of an `average` `held` is Σb of those known and `required` Σr of all; of a `minimum` they are
    the amounts of the day that lacked most, of an `ending` those of the last day. `surplus` was
    carried into the window that begins with the first of the days, 0 where none does.
    """

    month: date
    held: int
    required: int
    unknown_days: int
    surplus: int = 0


class _Day(NamedTuple):
    """A day of a window; with the first one stands the surplus carried in."""

    metric: Metric
    counted: CountedDay
    ends: bool
    surplus: int

    @property
    def balance(self) -> Minor | None:
        """What counts, None where that is not known: the end of an `ending` has to be observed."""
        not_observed = self.metric == "ending" and self.ends and self.counted.carried
        return None if not_observed else self.counted.balance

    @property
    def spare(self) -> Minor:
        """What counts beyond what is required."""
        return (self.balance or 0) - self.counted.required


def headroom(book: Book, commitment_id: str, as_of: date) -> Iterator[MonthHeadroom]:
    """Yield the months that a commitment's windows begun by the date touch, earliest first."""
    days = chain.from_iterable(map(_days, assessed(book, commitment_id, as_of)))
    for month, own in groupby(days, key=lambda day: day.counted.on.replace(day=1)):
        first, *others = own
        decide = _deciding([first, *others])
        yield MonthHeadroom(
            month,
            sum(day.balance for day in decide if day.balance is not None),
            sum(day.counted.required for day in decide),
            sum(day.balance is None for day in decide),
            first.surplus,
        )


def _days(test: Test) -> Iterator[_Day]:
    """Yield the days so far of a window."""
    metric, end, surplus = test.result.metric, test.result.window_end, test.surplus
    for counted in counted_days(test.window, test.evidence):
        yield _Day(metric, counted, counted.on == end, surplus)
        surplus = 0


def _deciding(days: Sequence[_Day]) -> Sequence[_Day]:
    """Return the days of a month that decide; a day not known does, whatever the others are."""
    match days[-1].metric:
        case "average":
            return days
        case "ending":
            return days[-1:]
        case "minimum":
            unknown = [day for day in days if day.balance is None]
            return unknown or [min(days, key=attrgetter("spare"))]
