"""Books of one commitment, K1 of C1: March 2024, 100 a day unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeAlias

from domain.commitment import Terms, TermsFrom
from projections.book import Book
from projections.deposit_compliance import (
    ComplianceRow,
    compliance_rows,
)
from projections.facts import Account, BalanceMonth, Commitment, Draw, Loan, Paid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projections.facts import Key, Row

Told: TypeAlias = "tuple[int | None, ...]"

LONG_AGO = date(2024, 1, 1)


def march(day: int) -> date:
    """Return a day of March, the 32nd being 1 April."""
    return date(2024, 3, 1) + timedelta(day - 1)


HUNDRED = Terms(
    starts_on=march(1),
    ends_on=march(4),
    metric="average",
    window="month",
    requirement_kind="amount",
    requirement_value=100,
    currency="CZK",
    cure_days=3,
    consequence_kind="none",
    consequence_value=0,
)
LONGER = replace(HUNDRED, ends_on=march(31), cure_days=0)


def agreed(terms: Terms, *amendments: TermsFrom, loan_id: str | None = None) -> Commitment:
    return Commitment(
        loan_id=loan_id,
        agreed_on=LONG_AGO,
        terms=(TermsFrom(LONG_AGO, terms.starts_on, terms), *amendments),
    )


def book(
    commitment: Terms | Commitment,
    balances: Mapping[str, Told] | None = None,
    loans: Mapping[str, Loan] | None = None,
    opened_on: Mapping[str, date] | None = None,
) -> Book:
    """Assemble a book; balances begin on 1 March, accounts named B… are a related party's."""
    if isinstance(commitment, Terms):
        commitment = agreed(commitment)
    rows: list[tuple[Key, Row]] = [(("C1", "commitment", "K1"), commitment)]
    for account_id, told in (balances or {}).items():
        owner = "C2" if account_id.startswith("B") else "C1"
        opened = (opened_on or {}).get(account_id, LONG_AGO)
        account = Account(kind="current", currency="CZK", opened_on=opened)
        rows.append(((owner, "account", account_id), account))
        for month, first in (("2024-03", 0), ("2024-04", 31), ("2024-05", 61)):
            days = told[first : first + (30 if month == "2024-04" else 31)]
            if days:
                days += (None,) * (31 - len(days))
                rows.append(((owner, "balances", f"{account_id}/{month}"), BalanceMonth(days)))
    rows += [(("C1", "loan", loan_id), loan) for loan_id, loan in (loans or {}).items()]
    return Book.from_rows(rows)


def loan(*draws: Draw, paid: tuple[Paid, ...] = ()) -> Loan:
    return Loan(approved_on=LONG_AGO, principal=1000, currency="CZK", draws=draws, repayments=paid)


def first_row(found: Book, as_of: date) -> ComplianceRow:
    return next(compliance_rows(found, as_of, "CZK"))


def status_of(found: Book, as_of: date) -> str:
    return first_row(found, as_of).status
