"""The check on the end of a month: deposits pushed up for one day (冲时点)."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from domain.checks import LEDGER
from domain.values import money
from projections.allowed import PercentOver  # noqa: TC001 - packs are read by it
from projections.policy.rules import Check, Offence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.book import Book, Days
    from projections.facts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How many percent the month's last day may lie above the month's average (偏离度).

    The first month judged is one on whose first day, or before it, a balance in the currency was
    observed: what was held before is not known.
    """

    percent: PercentOver


def _deviation(book: Book, told: Deviation, as_of: date) -> Iterator[Offence]:
    for currency in sorted({account.currency for _, account in book.accounts.values()}):
        for first, last, balance_days, end in _months(book, currency, as_of):
            days = (last - first).days + 1
            if 100 * end * days > (100 + told.percent) * balance_days:
                average = (2 * balance_days + days) // (2 * days)
                yield Offence(
                    LEDGER,
                    last,
                    (f"month-end:{currency}:{last}",),
                    f"deposits {money(end, currency)}, average of the month"
                    f" {money(average, currency)}: more than {told.percent} % above it",
                )


def _months(book: Book, currency: str, as_of: date) -> Iterator[tuple[date, date, int, int]]:
    """Yield each whole month observed: its ends, balance-days, and its last day's deposits."""
    whole = _number(as_of) + (as_of.day == _length(_number(as_of)))
    totals: defaultdict[int, int] = defaultdict(int)
    endings: defaultdict[int, int] = defaultdict(int)
    observed = date.max
    for account_id, (_, account) in book.accounts.items():
        months = book.balances.get(account_id, {}) if account.currency == currency else {}
        if seen := list(_seen(account, months)):
            observed = min(observed, _first_day(*seen[0]))
            for number, balance_days, end in _sums(seen, whole):
                totals[number] += balance_days
                endings[number] += end
    for number in sorted(totals):
        first = date(number // 12, number % 12 + 1, 1)
        if observed <= first and totals[number] > 0:
            last = first.replace(day=_length(number))
            yield first, last, totals[number], endings[number]


def _seen(account: Account, months: Mapping[str, Days]) -> Iterator[tuple[int, Days]]:
    """Yield the months, numbered, in which a balance was seen since the account was opened."""
    opened = _number(account.opened_on)
    for month, days in months.items():
        number = 12 * int(month[:4]) + int(month[5:]) - 1
        before = account.opened_on.day - 1 if number == opened else 0
        since = (None,) * before + days[before:]
        if number >= opened and any(balance is not None for balance in since):
            yield number, since


def _sums(seen: Sequence[tuple[int, Days]], whole: int) -> Iterator[tuple[int, int, int]]:
    """Yield an account's months before a number: balance-days, and what the last day holds."""
    held, following = 0, seen[0][0]
    for number, days in (*seen, (whole, ())):
        for between in range(following, min(number, whole)):
            yield between, held * _length(between), held
        if number >= whole:
            return
        balance_days, held = _carried(days[: _length(number)], held)
        yield number, balance_days, held
        following = number + 1


def _carried(days: Days, held: int) -> tuple[int, int]:
    """Return the sum of the days and the last one; a day without a balance keeps what was held."""
    total = 0
    for balance in days:
        if balance is not None:
            held = max(0, balance)
        total += held
    return total, held


def _first_day(number: int, days: Days) -> date:
    back = next(back for back, balance in enumerate(days) if balance is not None)
    return date(number // 12, number % 12 + 1, back + 1)


def _number(day: date) -> int:
    return 12 * day.year + day.month - 1


@lru_cache(maxsize=1_200)
def _length(number: int) -> int:
    return monthrange(number // 12, number % 12 + 1)[1]


CHECKS: dict[str, Check[Any]] = {"month_end_deviation": Check(Deviation, _deviation)}
