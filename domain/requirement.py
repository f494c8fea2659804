"""What a deposit commitment requires on each day: r(d), in minor units.

Every percentage rounds half up to a minor unit before the next is taken: first that of the
draws, then the month's seasonal one. Days are proleptic Gregorian ordinals.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from domain.values import share
from domain.windows import period_last

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.commitment import Terms
    from domain.values import Minor


class Flow(NamedTuple):
    """A day's change of what a loan has drawn and of what principal is repaid."""

    on: date
    drawn: Minor
    repaid: Minor


class Run(NamedTuple):
    """Days, both ends included, on which the same amount is required."""

    first: int
    last: int
    required: Minor


class Debt(NamedTuple):
    """Draws and principal repaid, each in sum, from each day of change on."""

    days: list[int]
    drawn: list[Minor]
    repaid: list[Minor]

    @classmethod
    def of(cls, flows: Iterable[Flow], as_of: date) -> Debt:
        """Sum up the flows known on a date; on coming days the debt stays as it is."""
        debt = cls([0], [0], [0])
        for flow in sorted(flow for flow in flows if flow.on <= as_of):
            debt.days.append(flow.on.toordinal())
            debt.drawn.append(debt.drawn[-1] + flow.drawn)
            debt.repaid.append(debt.repaid[-1] + flow.repaid)
        return debt

    def base(self, terms: Terms, day: int) -> Minor:
        """Return what the requirement is a percentage of."""
        if terms.requirement_kind == "percent_of_drawn":
            return self.drawn[bisect_right(self.days, day) - 1]
        return self.outstanding(day)

    def outstanding(self, day: int) -> Minor:
        """Return what is drawn and not repaid at the end of a day, at least 0."""
        at = bisect_right(self.days, day) - 1
        return max(0, self.drawn[at] - self.repaid[at])

    def changes(self, first: int, last: int) -> list[int]:
        """Return the days of change after first, up to last."""
        return self.days[bisect_right(self.days, first) : bisect_left(self.days, last + 1)]


def requirement(terms: Terms, debt: Debt, first: int, last: int) -> list[Run]:
    """Return the runs of equal requirement from first to last, in order."""
    starts = [first]
    if terms.requirement_kind != "amount":
        starts += debt.changes(first, last)
    if terms.seasonal_profile:
        starts += _months_begun(first, last)
    if len(starts) == 1:
        return [Run(first, last, _required(terms, debt, first))]
    return [
        Run(start, after - 1, _required(terms, debt, start))
        for start, after in pairwise(sorted({*starts, last + 1}))
    ]


def _months_begun(first: int, last: int) -> Iterator[int]:
    month = period_last("month", first) + 1
    while month <= last:
        yield month
        month = period_last("month", month) + 1


def _required(terms: Terms, debt: Debt, day: int) -> Minor:
    required = terms.requirement_value
    if terms.requirement_kind != "amount":
        required = share(debt.base(terms, day), required)
    if terms.seasonal_profile:
        required = share(required, terms.seasonal_profile[date.fromordinal(day).month - 1])
    return required
