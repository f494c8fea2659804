"""What counts on each day: b(d) of a deposit commitment, before the cap, in minor units.

A day is observed, carried (a counted account's balance is one of the days before), or unknown
(a counted account has none young enough). Days are proleptic Gregorian ordinals.
"""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.commitment import Terms

OBSERVED, CARRIED, UNKNOWN = 0, 1, 2


class Deposit(NamedTuple):
    """An account that may count: its end-of-day balances from the day `first` on.

    None where no balance was observed; `own` in the commitment's customer's name and the
    commitment's currency.
    """

    account_id: str
    own: bool
    opened: int
    first: int
    balances: Sequence[int | None]

    def seen(self, first: int, last: int) -> list[int | None]:
        """Return the balances of the days from first to last, None where not observed."""
        found: list[int | None] = [None] * min(self.first - first, last - first + 1)
        found += self.balances[max(first - self.first, 0) : max(last + 1 - self.first, 0)]
        return found + [None] * (last - first + 1 - len(found))


class Counted(NamedTuple):
    """The sum and the mark of each day from `first` on; an unknown day's sum is 0."""

    first: int
    sums: Sequence[int]
    marks: bytearray


def deposits_counted(terms: Terms, deposits: Iterable[Deposit]) -> list[Deposit]:
    """Return the accounts of the terms: those listed, or without a list the customer's own."""
    listed = {account.account_id for account in terms.accounts}
    return [one for one in deposits if (one.account_id in listed if listed else one.own)]


def count(terms: Terms, deposits: Iterable[Deposit], first: int, last: int) -> Counted:
    """Return what the terms count on each day from first to last."""
    sums: list[int] = []
    marks = bytearray()
    for deposit, start, end in _counted_days(terms, deposits, first, last):
        own_sums, own_marks = _carried_forward(deposit, terms.missing_days, start, end)
        if not sums:
            if (start, end) == (first, last):
                sums, marks = own_sums, own_marks
                continue
            sums, marks = [0] * (last - first + 1), bytearray(last - first + 1)
        there = slice(start - first, end + 1 - first)
        sums[there] = map(add, sums[there], own_sums)
        marks[there] = bytes(map(max, marks[there], own_marks))
    if UNKNOWN in marks:
        sums = [0 if mark == UNKNOWN else sum_ for sum_, mark in zip(sums, marks, strict=True)]
    days = last - first + 1
    return Counted(first, sums or [0] * days, marks or bytearray(days))


def _counted_days(
    terms: Terms, deposits: Iterable[Deposit], first: int, last: int
) -> Iterator[tuple[Deposit, int, int]]:
    """Yield each account's days in [first, last], none twice though it be listed twice."""
    for deposit in deposits_counted(terms, deposits):
        start = max(first, deposit.opened)
        if not terms.accounts:
            spans = [(start, last)]
        else:
            spans = sorted(
                (
                    max(start, one.counted_from.toordinal()) if one.counted_from else start,
                    min(last, one.counted_to.toordinal()) if one.counted_to else last,
                )
                for one in terms.accounts
                if one.account_id == deposit.account_id
            )
        for span_start, end in spans:
            if max(start, span_start) <= end:
                yield deposit, max(start, span_start), end
                start = end + 1


def _carried_forward(
    deposit: Deposit, missing_days: int, first: int, last: int
) -> tuple[list[int], bytearray]:
    """Return an account's balances, at least 0, each None replaced by the last one observed."""
    lead = max(first - missing_days, min(deposit.first, first))
    days = deposit.seen(lead, last)
    marks = bytearray(len(days))
    age, before = missing_days, -1
    for index in [day for day, balance in enumerate(days) if balance is None]:
        age = age + 1 if index == before + 1 else 1
        marks[index] = CARRIED if age <= missing_days else UNKNOWN
        days[index] = days[index - 1] if index else 0
        before = index
    sums = cast("list[int]", days[first - lead :])
    if min(sums) < 0:
        sums = [sum_ if sum_ > 0 else 0 for sum_ in sums]  # noqa: FURB136 - a call takes five times as long
    return sums, marks[first - lead :]
