"""Relationship state (客户关系): what the bank knows of each customer as of a business date.

Only what is dated up to the date counts. Amounts are minor units of the one currency asked for;
counts are of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from projections.book import (
    consents_at,
    drawn,
    ended_on,
    in_force,
    joint_at,
    may_be_named,
    outstanding,
    owner_at,
    profile_at,
    tier_at,
)
from projections.deposit_compliance import statuses
from projections.findings import open_findings
from projections.referral_forest import forest, live_referral, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from projections.book import Book
    from projections.referral_forest import Standing

MONTHS_A_QUARTER = 3
BY_GUARANTEE = "guarantor"  # `via` of the referral that makes a guarantor a prospect


class RelationshipRow(NamedTuple):
    """One relationship; the fields are the columns of the `relationships` export."""

    customer_id: str
    kind: str
    segment: str
    branch: str
    manager: str | None
    opened_on: date
    contacts: int
    last_contact_on: date | None
    next_contact_on: date | None
    approved: int
    drawn: int
    outstanding: int
    deposits: int
    adb_month: int
    adb_quarter: int
    adb_year: int
    commitments: int
    commitments_at_risk: int
    commitments_breached: int
    referrer_id: str | None
    referrals_made: int
    referrals_converted: int
    guarantees_given: int
    guarantees_received: int


def relationship_rows(book: Book, as_of: date, currency: str) -> Iterator[RelationshipRow]:
    """Yield a row for each relationship opened by the date, by id in code point order."""
    edges = forest(book, as_of)
    for customer_id, customer in sorted(book.customers.items(), key=itemgetter(0)):
        if customer.opened_on <= as_of:
            yield _row(book, customer_id, as_of, currency, edges.get(customer_id))


def relationship_row(
    book: Book, customer_id: str, as_of: date, currency: str
) -> RelationshipRow | None:
    """Return one relationship's row, None where it was not opened by the date."""
    customer = book.customers.get(customer_id)
    if customer is None or customer.opened_on > as_of:
        return None
    return _row(book, customer_id, as_of, currency, live_referral(book, customer_id, as_of))


def _row(
    book: Book, customer_id: str, as_of: date, currency: str, stood: Standing | None
) -> RelationshipRow:
    customer = book.customers[customer_id]
    profile = profile_at(customer, as_of)
    contacts, last_contact_on = _contacts(book, customer_id, as_of)
    loans = book.loans_in(customer_id, currency)
    accounts = book.accounts_in(customer_id, currency)
    month, quarter, year = (
        _average(book, accounts, first, as_of) for first in _period_starts(as_of)
    )
    commitments, at_risk, breached = _commitments(book, customer_id, as_of)
    made, converted = _referrals(book, customer_id, as_of)
    return RelationshipRow(
        customer_id=customer_id,
        kind=customer.kind,
        segment=profile.segment,
        branch=profile.branch,
        manager=owner_at(customer, as_of),
        opened_on=customer.opened_on,
        contacts=contacts,
        last_contact_on=last_contact_on,
        next_contact_on=_next_contact_on(book, customer_id, last_contact_on, as_of),
        approved=sum(loan.principal for loan in loans if loan.approved_on <= as_of),
        drawn=sum(drawn(loan, as_of) for loan in loans),
        outstanding=sum(outstanding(loan, as_of) for loan in loans),
        deposits=sum(book.deposit(account_id, as_of) for account_id in accounts),
        adb_month=month,
        adb_quarter=quarter,
        adb_year=year,
        commitments=commitments,
        commitments_at_risk=at_risk,
        commitments_breached=breached,
        referrer_id=stood.referral.referrer_id if stood else None,
        referrals_made=made,
        referrals_converted=converted,
        guarantees_given=_in_force(book, book.guarantees_by_guarantor.get(customer_id, ()), as_of),
        guarantees_received=_in_force(
            book, book.guarantees_of_borrower.get(customer_id, ()), as_of
        ),
    )


def _contacts(book: Book, customer_id: str, as_of: date) -> tuple[int, date | None]:
    contacts = book.contacts_of.get(customer_id, ())
    days = [contact.happened_on for contact in contacts if contact.happened_on <= as_of]
    return len(days), max(days, default=None)


def _next_contact_on(
    book: Book, customer_id: str, last_contact_on: date | None, as_of: date
) -> date | None:
    """Return the earliest day promised, up to the date, that lies after the last contact's.

    A later contact keeps every promise for its own day or before; what is left may be overdue. A
    promise for the day of the relationship's end or later binds nobody once that has come.
    """
    over_on = ended_on(book.customers[customer_id], as_of)
    promised = [
        contact.follow_up_on
        for contact in book.contacts_of.get(customer_id, ())
        if contact.happened_on <= as_of and contact.follow_up_on is not None
    ]
    promised += [
        follow_up.follow_up_on
        for follow_up in book.follow_ups_of.get(customer_id, ())
        if follow_up.promised_on <= as_of
    ]
    if last_contact_on is not None:
        promised = [day for day in promised if day > last_contact_on]
    return min((day for day in promised if over_on is None or day < over_on), default=None)


def _period_starts(as_of: date) -> tuple[date, date, date]:
    """Return the first days of the date's month, quarter and year."""
    quarter_month = as_of.month - (as_of.month - 1) % MONTHS_A_QUARTER
    month = as_of.replace(day=1)
    return month, month.replace(month=quarter_month), month.replace(month=1)


def _average(book: Book, accounts: list[str], first: date, as_of: date) -> int:
    """Return the average daily balance (日均) over all days so far, rounded half up."""
    balance_days = sum(book.balance_days(account_id, first, as_of) for account_id in accounts)
    days = (as_of - first).days + 1
    return (2 * balance_days + days) // (2 * days)


def _commitments(book: Book, customer_id: str, as_of: date) -> tuple[int, int, int]:
    """Return how many were agreed, ended ones too, and how many have a window in trouble."""
    agreed = [
        set(statuses(book, commitment_id, as_of))
        for commitment_id in book.commitments_of.get(customer_id, ())
        if book.commitments[commitment_id][1].agreed_on <= as_of
    ]
    at_risk = sum("at_risk" in found for found in agreed)
    return len(agreed), at_risk, sum("breached" in found for found in agreed)


def _referrals(book: Book, customer_id: str, as_of: date) -> tuple[int, int]:
    """Return how many referrals were made, ended ones too, and how many of them converted."""
    made = []
    for referral_id in book.referrals_by_referrer.get(customer_id, ()):
        prospect_id, referral = book.referrals[referral_id]
        if referral.introduced_on <= as_of and referral.via != BY_GUARANTEE:
            made.append((referral_id, prospect_id))
    converted = sum(
        stood.referral_id == referral_id and stood.converted_on is not None
        for referral_id, prospect_id in made
        for stood in standing(book, prospect_id, as_of)
    )
    return len(made), converted


def _in_force(book: Book, guarantee_ids: Iterable[str], as_of: date) -> int:
    """Return how many of the guarantees are in force."""
    return sum(in_force(book.guarantees[id_][1], as_of) for id_ in guarantee_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A row and what else is told of one customer: joint managers, tier, consents, findings.

    `may_be_named` is this one's wish as a referrer, `referrer_may_be_named` that of who brought
    them, None where nobody did.
    """

    row: RelationshipRow
    joint_managers: tuple[str, ...]
    tier: str | None
    consents: tuple[str, ...]
    closed_on: date | None
    may_be_named: bool
    referrer_may_be_named: bool | None
    open_findings: tuple[str, ...] = ()


def relationship(book: Book, customer_id: str, as_of: date, currency: str) -> Relationship | None:
    """Return all that is known of one relationship, None where it was not opened by the date."""
    row = relationship_row(book, customer_id, as_of, currency)
    if row is None:
        return None
    customer = book.customers[customer_id]
    closed_on = customer.closed_on
    return Relationship(
        row=row,
        joint_managers=joint_at(customer, as_of),
        tier=tier_at(customer, as_of),
        consents=consents_at(book, customer_id, as_of),
        closed_on=closed_on if closed_on and closed_on <= as_of else None,
        may_be_named=may_be_named(book, customer_id, as_of),
        referrer_may_be_named=(
            None if row.referrer_id is None else may_be_named(book, row.referrer_id, as_of)
        ),
        open_findings=open_findings(book, customer_id, as_of),
    )
