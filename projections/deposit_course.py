"""The course of a customer's deposits: seasons (季节性) and drift (流失), told by balance-days.

Comparisons are of integers: no average is rounded before it is compared.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from projections.book import outstanding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.values import Minor
    from projections.book import Book
    from projections.value_rules import Drift, Season

Course: TypeAlias = Literal["falling", "steady", "rising"]

MONTHS_A_YEAR = 12
_ONE_DAY = timedelta(days=1)


class Month(NamedTuple):
    """A whole calendar month: the sum of its days' deposits, and what was owed on its last day.

    A loan of which more was repaid than drawn is owed nothing, and lessens no other debt.
    """

    first: date
    days: int
    balance_days: int
    owed: Minor


class Seasons(NamedTuple):
    """The busy and idle months of the last twelve whole ones, January 1; and own funds.

    Own funds (自有资金) are the ADB of the idle months less what was owed then, at least 0,
    rounded half up; None where no month is idle.
    """

    busy: tuple[int, ...]
    idle: tuple[int, ...]
    own_funds: Minor | None


class DepositCourse:
    """The deposits of a customer in one currency, up to a date."""

    def __init__(self, book: Book, customer_id: str, currency: str, as_of: date) -> None:
        self._book = book
        self._accounts = book.accounts_in(customer_id, currency)
        self._loans = book.loans_in(customer_id, currency)
        self._as_of = as_of
        opened = (book.accounts[account_id][1].opened_on for account_id in self._accounts)
        self.began_on = min((on for on in opened if on <= as_of), default=None)

    def of_days(self, days: int) -> int:
        """Return the balance-days of so many days up to the date."""
        return self._sum(self._as_of - timedelta(days - 1), self._as_of)

    def drift(self, rule: Drift) -> Course | None:
        """Return how the ADB goes, None where there were no deposits in both stretches."""
        recent_from = self._as_of - timedelta(rule.days - 1)
        before_from = recent_from - timedelta(rule.days)
        if self.began_on is None or self.began_on > before_from:
            return None
        recent = 100 * self._sum(recent_from, self._as_of)
        before = self._sum(before_from, recent_from - _ONE_DAY)
        if before == recent == 0:
            return None
        if recent <= (100 - rule.falling_percent) * before:
            return "falling"
        return "rising" if recent >= (100 + rule.rising_percent) * before else "steady"

    def months(self) -> list[Month]:
        """Return the last twelve whole months, none where deposits began after their first day."""
        months = list(_whole_months(self._as_of))
        if self.began_on is None or self.began_on > months[0][0]:
            return []
        return [
            Month(
                first,
                (last - first).days + 1,
                self._sum(first, last),
                sum(max(0, outstanding(loan, last)) for loan in self._loans),
            )
            for first, last in months
        ]

    def seasons(self, rule: Season) -> Seasons | None:
        """Return the busy and the idle months, None where there are not twelve with deposits."""
        months = self.months()
        total, days = sum(m.balance_days for m in months), sum(m.days for m in months)
        if total == 0:
            return None
        share = [(m, 100 * m.balance_days * days, total * m.days) for m in months]
        busy = [m for m, own, all_ in share if own <= rule.busy_percent * all_]
        idle = [m for m, own, all_ in share if own >= rule.idle_percent * all_]
        return Seasons(_numbers(busy), _numbers(idle), _own_funds(idle))

    def _sum(self, first: date, last: date) -> int:
        return sum(self._book.balance_days(account, first, last) for account in self._accounts)


def _whole_months(as_of: date) -> Iterator[tuple[date, date]]:
    """Yield the first and last days of the last twelve months ended by the date."""
    _, length = monthrange(as_of.year, as_of.month)
    last = as_of if as_of.day == length else as_of.replace(day=1) - _ONE_DAY
    found: list[tuple[date, date]] = []
    while len(found) < MONTHS_A_YEAR:
        found.append((last.replace(day=1), last))
        last = last.replace(day=1) - _ONE_DAY
    return reversed(found)


def _numbers(months: Iterable[Month]) -> tuple[int, ...]:
    return tuple(sorted(month.first.month for month in months))


def _own_funds(idle: Sequence[Month]) -> Minor | None:
    days = sum(month.days for month in idle)
    if not days:
        return None
    own = sum(month.balance_days - month.owed * month.days for month in idle)
    return max(0, (2 * own + days) // (2 * days))
