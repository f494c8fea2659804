"""A window of a commitment explained day by day: what counted, of which accounts, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.consequence import consequence_of
from domain.windows import stretches, terms_at
from projections.deposit_compliance import assessed, counted_on, days_of_window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from domain.compliance import Test, WindowResult
    from domain.consequence import Consequence
    from domain.values import Minor
    from projections.book import Book


class AccountDay(NamedTuple):
    """What an account gave to a day: a balance and the day it was observed on, None if neither."""

    account_id: str
    observed_on: date | None
    balance: Minor | None


class ExplainedDay(NamedTuple):
    """A day as it counts; `total` is before the cap, `counted` after. None: unknown."""

    on: date
    accounts: tuple[AccountDay, ...]
    total: Minor | None
    counted: Minor | None
    required: Minor
    carried: bool
    capped: bool
    cure: bool


def window_on(book: Book, commitment_id: str, as_of: date, day: date | None) -> Test | None:
    """Return the test of the window that a day lies in, or without a day of the one begun last."""
    found = None
    for test in assessed(book, commitment_id, as_of):
        if test.result.window_start > as_of:
            break
        if day is None or test.result.window_start <= day <= test.result.window_end:
            found = test
    return found


def explained_days(
    book: Book, commitment_id: str, as_of: date, window_start: date
) -> Iterator[ExplainedDay]:
    """Yield the days so far of a window, and the cure days looked at where it was short."""
    _, commitment = book.commitments[commitment_id]
    known = stretches(commitment.terms, commitment.released_on, as_of)
    in_force = None
    for each in days_of_window(book, commitment_id, as_of, window_start):
        in_force = terms_at(known, each.on) if not each.cure else in_force
        assert in_force is not None, "a window's days come before its cure days"
        accounts = tuple(
            _account_day(book, account_id, each.on, in_force.missing_days)
            for account_id in counted_on(book, commitment_id, in_force, each.on)
        )
        capped = each.total != each.balance
        yield ExplainedDay(
            each.on,
            accounts,
            each.total,
            each.balance,
            each.required,
            each.carried,
            capped,
            each.cure,
        )


def consequences(
    book: Book, commitment_id: str, as_of: date
) -> Iterator[tuple[WindowResult, Consequence]]:
    """Yield what each breached window costs, as now known; none of a commitment without any."""
    for test in assessed(book, commitment_id, as_of):
        if test.result.status == "breached":
            assert test.result.shortfall is not None, "a breached window has a shortfall"
            cost = consequence_of(test.window, test.result.shortfall, test.evidence.debt)
            if cost.kind != "none":
                yield test.result, cost


def _account_day(book: Book, account_id: str, on: date, missing_days: int) -> AccountDay:
    last = book.last_balance(account_id, on)
    if last is None or (on - last[0]).days > missing_days:
        return AccountDay(account_id, None, None)
    return AccountDay(account_id, *last)
