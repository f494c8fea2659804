"""Small books: facts by hand for examples, and as Hypothesis makes them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from domain.ownership import Assignment
from projections.book import Book
from projections.facts import (
    Account,
    BalanceMonth,
    Contact,
    Customer,
    Draw,
    FollowUp,
    Guarantee,
    Loan,
    Paid,
    Profile,
    Referral,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projections.facts import Key, Row

START = date(2023, 12, 10)
CURRENCY = "CZK"


def day(offset: int) -> date:
    """Return the day that many days after 10 December 2023."""
    return START + timedelta(days=offset)


def customer(opened_on: date = START) -> Customer:
    return Customer(
        kind="person",
        opened_on=opened_on,
        profiles=(Profile(opened_on, "retail", "B1"),),
        assignments=(Assignment(opened_on, "RM-1", "owner"),),
    )


def contact(happened_on: date, follow_up_on: date | None = None) -> Contact:
    return Contact(
        happened_on=happened_on,
        happened_at=0,
        channel="visit",
        direction="outbound",
        by="RM-1",
        follow_up_on=follow_up_on,
    )


def account(opened_on: date = START, currency: str = CURRENCY) -> Account:
    return Account(kind="current", currency=currency, opened_on=opened_on)


def balances(
    customer_id: str, account_id: str, observed: Mapping[date, int]
) -> list[tuple[Key, Row]]:
    months: dict[str, list[int | None]] = defaultdict(lambda: [None] * 31)
    for on, balance in observed.items():
        months[f"{on:%Y-%m}"][on.day - 1] = balance
    return [
        ((customer_id, "balances", f"{account_id}/{month}"), BalanceMonth(tuple(days)))
        for month, days in months.items()
    ]


def loan(*draws: Draw, repayments: tuple[Paid, ...] = (), currency: str = CURRENCY) -> Loan:
    return Loan(
        approved_on=START,
        principal=100_000,
        currency=currency,
        draws=draws,
        repayments=repayments,
    )


def guarantee(
    guarantor_id: str,
    amount: int = 100,
    given_on: date = START,
    released_on: date | None = None,
    *,
    loan_id: str = "L1",
    currency: str = CURRENCY,
) -> Guarantee:
    return Guarantee(
        loan_id=loan_id,
        guarantor_id=guarantor_id,
        amount=amount,
        currency=currency,
        given_on=given_on,
        released_on=released_on,
    )


def referral(
    referrer_id: str,
    introduced_on: date,
    *,
    converted_on: date | None = None,
    ended_on: date | None = None,
    via: str = "customer",
) -> Referral:
    return Referral(
        referrer_id=referrer_id,
        introduced_on=introduced_on,
        via=via,
        branch="B1",
        converted_on=converted_on,
        ended_on=ended_on,
    )


# Books at random: eight people, forty days around the end of a year, two currencies.

PEOPLE = [f"C{number}" for number in range(8)]
_days = st.integers(0, 40).map(day)
_maybe_days = st.none() | _days
_currencies = st.sampled_from(["CZK", "CZK", "EUR"])


def _later(on: date) -> st.SearchStrategy[date | None]:
    return st.none() | st.integers(0, 20).map(lambda days: on + timedelta(days=days))


def _assignments(on: date) -> st.SearchStrategy[Assignment]:
    managers, roles = st.sampled_from(["RM", "RM0"]), st.sampled_from(["owner", "joint"])
    return st.builds(Assignment, st.just(on), managers, roles, released=st.booleans())


@st.composite
def _customers(draw: st.DrawFn) -> Customer:
    opened_on = draw(_days)
    later = draw(st.lists(_days, max_size=3))
    return Customer(
        kind="person",
        opened_on=opened_on,
        profiles=(
            Profile(opened_on, "s", "b"),
            *(Profile(on, f"s{i}", f"b{i}") for i, on in enumerate(later)),
        ),
        assignments=(
            Assignment(opened_on, "RM", "owner"),
            *(draw(_assignments(on)) for on in later),
        ),
    )


@st.composite
def _loans(draw: st.DrawFn) -> Loan:
    draws = []
    for number, on in enumerate(draw(st.lists(_days, max_size=2))):
        draws.append(Draw(f"D{number}", on, draw(st.integers(1, 999)), draw(_later(on))))
    paid = []
    for number, on in enumerate(draw(st.lists(_days, max_size=2))):
        paid.append(Paid(f"P{number}", on, draw(st.integers(0, 999)), 5, draw(_later(on))))
    return Loan(
        approved_on=draw(_days),
        principal=draw(st.integers(1, 9999)),
        currency=draw(_currencies),
        draws=tuple(draws),
        repayments=tuple(paid),
    )


@st.composite
def _guarantees(draw: st.DrawFn, borrower: str, loan_id: str, currency: str) -> Guarantee:
    given_on = draw(_days)
    return guarantee(
        draw(st.sampled_from([who for who in PEOPLE if who != borrower])),
        draw(st.integers(1, 999)),
        given_on,
        draw(_later(given_on)),
        loan_id=loan_id,
        currency=currency,
    )


@st.composite
def _referrals(draw: st.DrawFn) -> Referral:
    introduced_on = draw(_days)
    return referral(
        draw(st.sampled_from(PEOPLE)),
        introduced_on,
        converted_on=draw(_later(introduced_on)),
        ended_on=draw(_later(introduced_on)),
        via=draw(st.sampled_from(["customer", "customer", "guarantor"])),
    )


_contacts = st.builds(contact, _days, _maybe_days)
_follow_ups = st.builds(FollowUp, promised_on=_days, follow_up_on=_days)
_balances = st.dictionaries(_days, st.integers(-300, 900), max_size=8)


@st.composite
def facts_of_people(draw: st.DrawFn) -> list[tuple[Key, Row]]:
    """Make the facts of a few people, referrals that overlap and close circles among them."""
    rows: list[tuple[Key, Row]] = []
    for who in PEOPLE:
        if draw(st.booleans()):
            rows.append(((who, "customer", ""), draw(_customers())))
            rows += _each(who, "contact", draw(st.lists(_contacts, max_size=3)))
            rows += _each(who, "follow_up", draw(st.lists(_follow_ups, max_size=2)))
            loans = _each(who, "loan", draw(st.lists(_loans(), max_size=2)))
            rows += loans
            for (_, _, loan_id), own in loans:
                assert isinstance(own, Loan)
                over = _guarantees(who, loan_id, own.currency)
                found = _each(who, "guarantee", draw(st.lists(over, max_size=3)))
                rows += [((b, kind, f"{loan_id}-{id_}"), row) for (b, kind, id_), row in found]
            for number in range(draw(st.integers(0, 2))):
                id_ = f"{who}-account-{number}"
                rows.append(((who, "account", id_), account(draw(_days), draw(_currencies))))
                rows += balances(who, id_, draw(_balances))
        rows += _each(who, "referral", draw(st.lists(_referrals(), max_size=2)))
    return draw(st.permutations(rows))


def _each(who: str, kind: str, rows: list[Row]) -> list[tuple[Key, Row]]:
    return [((who, kind, f"{who}-{kind}-{number}"), row) for number, row in enumerate(rows)]


def known_by(rows: list[tuple[Key, Row]], as_of: date) -> list[tuple[Key, Row]]:
    """Return the facts of people without all of their business that is dated later."""
    found: list[tuple[Key, Row]] = []
    for key, row in rows:
        match row:
            case Customer():
                if row.opened_on <= as_of:
                    profiles = tuple(each for each in row.profiles if each.since <= as_of)
                    found.append((key, replace(row, profiles=profiles)))
            case Account():
                if row.opened_on <= as_of:
                    found.append((key, row))
            case Loan():
                draws = (draw for draw in row.draws if draw.on <= as_of)
                stood = (replace(d, reversed_on=_known(d.reversed_on, as_of)) for d in draws)
                found.append((key, replace(row, draws=tuple(stood))))
            case Referral():
                if row.introduced_on <= as_of:
                    ended_on = _known(row.ended_on, as_of)
                    converted_on = _known(row.converted_on, as_of)
                    known = replace(row, ended_on=ended_on, converted_on=converted_on)
                    found.append((key, known))
            case _:
                found.append((key, row))
    return found


def _known(on: date | None, as_of: date) -> date | None:
    return on if on is not None and on <= as_of else None


books = facts_of_people().map(Book.from_rows)
as_ofs = st.integers(-5, 60).map(day)
