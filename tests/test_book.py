from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import pytest

from domain.ownership import Assignment
from projections.book import (
    Book,
    consents_at,
    currencies,
    drawn,
    joint_at,
    may_be_named,
    outstanding,
    owner_at,
    profile_at,
    tier_at,
)
from projections.facts import Consent, Consented, Draw, Paid, Profile, TierFrom
from tests.books import START, account, balances, customer, day, loan


def book_of(observed: dict[date, int], opened_on: date = START) -> Book:
    rows = balances("C1", "A1", observed)
    return Book.from_rows([(("C1", "account", "A1"), account(opened_on)), *rows])


def test_the_last_balance_is_taken_however_old() -> None:
    book = book_of({day(0): 500})
    assert book.last_balance("A1", day(900)) == (day(0), 500)
    assert book.deposit("A1", day(900)) == 500


def test_the_last_balance_is_not_one_of_a_later_day() -> None:
    book = book_of({day(3): 500, day(5): 700, day(40): 900})
    assert book.last_balance("A1", day(4)) == (day(3), 500)
    assert book.last_balance("A1", day(39)) == (day(5), 700)
    assert book.last_balance("A1", day(2)) is None


def test_months_are_in_calendar_order_whatever_the_order_of_the_rows() -> None:
    rows = balances("C1", "A1", {day(0): 1, day(40): 2, day(80): 3})
    book = Book.from_rows([(("C1", "account", "A1"), account()), *reversed(rows)])
    assert book.last_balance("A1", day(79)) == (day(40), 2)


def test_an_account_without_balances_holds_nothing() -> None:
    assert book_of({}).deposit("A1", day(5)) == 0
    assert book_of({}).balance_days("A1", day(0), day(5)) == 0


def test_a_negative_balance_counts_nothing() -> None:
    book = book_of({day(0): 100, day(2): -50})
    assert book.deposit("A1", day(2)) == 0
    assert book.balance_days("A1", day(0), day(9)) == 200


def test_an_account_holds_nothing_before_it_was_opened() -> None:
    book = book_of({day(0): 100}, opened_on=day(4))
    assert book.deposit("A1", day(3)) == 0
    assert book.deposit("A1", day(4)) == 100
    assert book.balance_days("A1", day(0), day(5)) == 200
    assert book.balance_days("A1", day(0), day(3)) == 0


def test_balance_days_carry_a_balance_through_months_without_one() -> None:
    book = book_of({day(0): 100, day(70): 40})
    assert book.balance_days("A1", day(0), day(70)) == 70 * 100 + 40
    assert book.balance_days("A1", day(30), day(70)) == 40 * 100 + 40


def test_a_reversed_draw_counts_until_the_day_before() -> None:
    taken = loan(Draw("D1", day(1), 300), Draw("D2", day(2), 500, day(6)))
    assert [drawn(taken, day(n)) for n in (0, 1, 2, 5, 6)] == [0, 300, 800, 800, 300]


def test_outstanding_is_less_principal_without_interest_and_may_be_negative() -> None:
    paid = (Paid("P1", day(3), 400, 25), Paid("P2", day(4), 50, 0, day(7)))
    taken = loan(Draw("D1", day(1), 300), repayments=paid)
    assert [outstanding(taken, day(n)) for n in (1, 3, 4, 7)] == [300, -100, -150, -100]


def test_a_profile_holds_from_its_day_and_the_last_recorded_of_a_day_counts() -> None:
    changed = replace(
        customer(),
        profiles=(
            Profile(day(0), "retail", "B1"),
            Profile(day(9), "late", "B9"),
            Profile(day(5), "first", "B5"),
            Profile(day(5), "second", "B6"),
        ),
    )
    segments = [profile_at(changed, day(n)).segment for n in (-1, 4, 5, 8, 9)]
    assert segments == ["retail", "retail", "second", "second", "late"]


def test_a_joint_manager_does_not_own_the_relationship() -> None:
    shared = replace(
        customer(),
        assignments=(
            Assignment(day(0), "RM-1", "owner"),
            Assignment(day(3), "RM-2", "joint"),
            Assignment(day(6), "RM-2", "owner"),
        ),
    )
    assert [owner_at(shared, day(n)) for n in (0, 3, 6)] == ["RM-1", "RM-1", "RM-2"]
    assert [joint_at(shared, day(n)) for n in (0, 3, 6)] == [(), ("RM-2",), ()]


def test_a_tier_holds_from_its_day() -> None:
    tiered = replace(customer(), tiers=(TierFrom(day(2), "gold"), TierFrom(day(4), "silver")))
    assert [tier_at(tiered, day(n)) for n in (1, 2, 4)] == [None, "gold", "silver"]


GIVEN_AND_WITHDRAWN = (
    Consented(day(1), given=True),
    Consented(day(3), given=False),
    Consented(day(5), given=True),
)


@pytest.mark.parametrize("told", list(permutations(GIVEN_AND_WITHDRAWN)))
def test_a_consent_holds_until_the_day_before_its_withdrawal_however_late_it_is_told(
    told: tuple[Consented, ...],
) -> None:
    book = Book.from_rows([(("C1", "consent", "being-named"), Consent(told))])
    held = [bool(consents_at(book, "C1", day(n))) for n in range(7)]
    assert held == [False, True, True, False, False, True, True]
    assert [may_be_named(book, "C1", day(n)) for n in range(7)] == [True, *held[1:]]


def test_of_one_day_the_last_word_on_a_consent_counts() -> None:
    told = Consented(day(1), given=False), Consented(day(1), given=True)
    for words, held in ((told, ("marketing",)), (told[::-1], ())):
        book = Book.from_rows([(("C1", "consent", "marketing"), Consent(words))])
        assert consents_at(book, "C1", day(1)) == held


def test_the_currencies_are_those_of_accounts_and_loans() -> None:
    book = Book.from_rows(
        [
            (("C1", "account", "A1"), account(currency="EUR")),
            (("C1", "loan", "L1"), loan(currency="CZK")),
            (("C2", "account", "A2"), account(currency="EUR")),
        ]
    )
    assert currencies(book) == ["CZK", "EUR"]
    assert book.accounts_in("C1", "CZK") == []
    assert len(book.loans_in("C1", "CZK")) == 1


def test_the_last_month_of_the_calendar_has_balance_days_too() -> None:
    book = book_of({day(0): 7})
    assert book.balance_days("A1", date(9999, 11, 30), date.max) == 32 * 7


def test_a_year_of_balance_days_is_what_adding_the_days_up_gives() -> None:
    observed = {day(7 * week): 1000 - 37 * week for week in range(40)}
    book = book_of(observed)
    each_day = (day(0) + timedelta(days=n) for n in range(280))
    assert book.balance_days("A1", day(0), day(279)) == sum(
        book.deposit("A1", on) for on in each_day
    )
