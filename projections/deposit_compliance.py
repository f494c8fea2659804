"""Deposit compliance: a row for each window of each commitment, as of a date.

Amounts are minor units of the commitment's currency, sums of daily amounts balance-days.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from domain.compliance import explain, tests
from domain.counted_balances import Deposit
from domain.requirement import Flow
from domain.windows import period_last, stretches, terms_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from domain.commitment import Metric, Terms
    from domain.compliance import Status, Test, WindowResult
    from domain.values import Minor
    from domain.window_sums import CountedDay
    from projections.book import Book, Days
    from projections.facts import Commitment, Loan


class ComplianceRow(NamedTuple):
    """The columns of the export `compliance`, in order."""

    commitment_id: str
    customer_id: str
    loan_id: str | None
    metric: Metric
    window_start: date
    window_end: date
    days: int
    carried_days: int
    unknown_days: int
    balance_days: int
    required_days: int
    shortfall: int | None
    needed_run_rate: Minor | None
    status: Status
    cured_on: date | None


def compliance_rows(book: Book, as_of: date, currency: str) -> Iterator[ComplianceRow]:
    """Yield a row for each window begun by the date, of the commitments in the currency.

    In order of commitment id and start of the window, by code point.
    """
    for commitment_id in sorted(book.commitments):
        customer_id, commitment = book.commitments[commitment_id]
        if currency_of(commitment) == currency:
            for result in begun(book, commitment_id, as_of):
                yield ComplianceRow(commitment_id, customer_id, commitment.loan_id, *result)


def statuses(book: Book, commitment_id: str, as_of: date) -> frozenset[Status]:
    """Return the statuses that a commitment's windows begun by the date have."""
    return frozenset(result.status for result in begun(book, commitment_id, as_of))


def begun(book: Book, commitment_id: str, as_of: date) -> Iterator[WindowResult]:
    """Yield a commitment's windows begun by a date, earliest first."""
    for test in assessed(book, commitment_id, as_of):
        if test.result.window_start > as_of:
            return
        yield test.result


def assessed(book: Book, commitment_id: str, as_of: date) -> Iterator[Test]:
    """Yield the tests of a commitment's windows as of a date, those to come included."""
    customer_id, commitment = book.commitments[commitment_id]
    deposits = list(deposits_of(book, customer_id, commitment, as_of))
    return tests(commitment, deposits, flows_of(book, customer_id, commitment), as_of)


def days_of_window(
    book: Book, commitment_id: str, as_of: date, window_start: date
) -> Iterator[CountedDay]:
    """Yield the days so far of the window that begins on a day, each as it counts."""
    customer_id, commitment = book.commitments[commitment_id]
    deposits = list(deposits_of(book, customer_id, commitment, as_of))
    flows = flows_of(book, customer_id, commitment)
    return explain(commitment, deposits, flows, as_of, window_start)


def currency_of(commitment: Commitment) -> str:
    """Return the currency that was agreed; an amendment cannot change it."""
    return commitment.terms[0].terms.currency


def deposits_of(
    book: Book, customer_id: str, commitment: Commitment, as_of: date
) -> Iterator[Deposit]:
    """Yield each account that any of the commitment's terms may count, to the date's month."""
    own = book.accounts_in(customer_id, currency_of(commitment))
    this_month = as_of.isoformat()[:7]
    for account_id in _counted(book, own, commitment):
        balances = book.balances.get(account_id, {})
        months = [month for month in balances if month <= this_month]
        opened = book.accounts[account_id][1].opened_on.toordinal()
        yield Deposit(account_id, account_id in own, opened, *_day_by_day(balances, months))


def counted_accounts(book: Book, customer_id: str, commitment: Commitment) -> set[str]:
    """Return the accounts that any of the commitment's terms may count."""
    own = book.accounts_in(customer_id, currency_of(commitment))
    return set(_counted(book, own, commitment))


def _counted(book: Book, own: Collection[str], commitment: Commitment) -> Collection[str]:
    listed = listed_accounts(commitment)
    return (listed & book.accounts.keys()).union(own) if listed else own


def listed_accounts(commitment: Commitment) -> set[str]:
    """Return the accounts that any of the commitment's terms names."""
    return {named.account_id for told in commitment.terms for named in told.terms.accounts}


def terms_on(book: Book, commitment_id: str, on: date) -> Terms | None:
    """Return the terms in force on a day, as known on it."""
    _, commitment = book.commitments[commitment_id]
    if commitment.agreed_on > on:
        return None
    return terms_at(stretches(commitment.terms, commitment.released_on, on), on)


def counted_on(book: Book, commitment_id: str, terms: Terms, on: date) -> list[str]:
    """Return the accounts that count on a day by some terms of a commitment, sorted."""
    customer_id, _ = book.commitments[commitment_id]
    if terms.accounts:
        found = {
            one.account_id
            for one in terms.accounts
            if (one.counted_from or on) <= on <= (one.counted_to or on)
        } & book.accounts.keys()
    else:
        found = set(book.accounts_in(customer_id, terms.currency))
    return sorted(id_ for id_ in found if book.accounts[id_][1].opened_on <= on)


def flows_of(book: Book, customer_id: str, commitment: Commitment) -> Iterator[Flow]:
    """Yield the flows of `loans_of` a commitment."""
    for loan in loans_of(book, customer_id, commitment).values():
        for draw in loan.draws:
            yield Flow(draw.on, draw.amount, 0)
            if draw.reversed_on:
                yield Flow(max(draw.on, draw.reversed_on), -draw.amount, 0)
        for paid in loan.repayments:
            yield Flow(paid.on, 0, paid.principal)
            if paid.reversed_on:
                yield Flow(max(paid.on, paid.reversed_on), 0, -paid.principal)


def loans_of(book: Book, customer_id: str, commitment: Commitment) -> Mapping[str, Loan]:
    """Return the commitment's loan, or without one all the customer's in its currency, by id."""
    if commitment.loan_id is not None:
        told = book.loans.get(commitment.loan_id)
        return {commitment.loan_id: told[1]} if told else {}
    own = {id_: book.loans[id_][1] for id_ in book.loans_of.get(customer_id, ())}
    return {id_: loan for id_, loan in own.items() if loan.currency == currency_of(commitment)}


def _day_by_day(
    balances: Mapping[str, Days], months: Iterable[str]
) -> tuple[int, list[int | None]]:
    """Return the first day of the first month, and each day's balance to the last month's end."""
    found: list[int | None] = []
    first = 0
    for name in months:
        start, days = _month(name)
        first = first or start
        found += [None] * (start - first - len(found))
        found += balances[name][:days]
    return first, found


@lru_cache(maxsize=4096)
def _month(name: str) -> tuple[int, int]:
    """Return the first day of a month `YYYY-MM` and how many it has."""
    first = date.fromisoformat(f"{name}-01").toordinal()
    return first, period_last("month", first) + 1 - first
