from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from domain.commitment import Terms, TermsFrom
from domain.ownership import Assignment
from projections.book import Book
from projections.deposit_compliance import compliance_rows
from projections.facts import (
    Commitment,
    Consent,
    Consented,
    Draw,
    FollowUp,
    Paid,
    Profile,
    TierFrom,
)
from projections.referral_network import network_rows
from projections.relationship_state import (
    RelationshipRow,
    relationship,
    relationship_row,
    relationship_rows,
)
from tests.berka import berka, day_of, needs_berka
from tests.books import (
    CURRENCY,
    account,
    as_ofs,
    balances,
    books,
    contact,
    customer,
    day,
    guarantee,
    loan,
    referral,
)

if TYPE_CHECKING:
    from projections.facts import Key, Row


def has(kind: str, id_: str, row: Row) -> tuple[Key, Row]:
    return ("C1", kind, id_), row


def c1(as_of: date, *facts: tuple[Key, Row]) -> RelationshipRow:
    """Return the row of C1, opened on day 0."""
    book = Book.from_rows([has("customer", "", customer()), *facts])
    row = relationship_row(book, "C1", as_of, CURRENCY)
    assert row is not None
    return row


def test_each_relationship_opened_by_the_date_has_a_row_in_code_point_order() -> None:
    people = [(("b", day(0)), ("B", day(2)), ("a", day(1)))]
    rows: list[tuple[Key, Row]] = [
        ((who, "customer", ""), customer(on)) for group in people for who, on in group
    ]
    book = Book.from_rows(rows)
    for n, expected in ((0, ["b"]), (1, ["a", "b"]), (2, ["B", "a", "b"])):
        found = relationship_rows(book, day(n), CURRENCY)
        assert [row.customer_id for row in found] == expected
    assert relationship_row(book, "a", day(0), CURRENCY) is None
    assert relationship_row(book, "nobody", day(9), CURRENCY) is None


def test_a_closed_relationship_keeps_its_row() -> None:
    closed = replace(customer(), closed_on=day(3))
    book = Book.from_rows([(("C1", "customer", ""), closed)])
    assert len(list(relationship_rows(book, day(9), CURRENCY))) == 1


def test_branch_segment_and_manager_are_those_of_the_date() -> None:
    moved = replace(
        customer(),
        profiles=(Profile(day(0), "retail", "B1"), Profile(day(5), "private", "B2")),
        assignments=(Assignment(day(0), "RM-1", "owner"), Assignment(day(7), "RM-2", "owner")),
    )
    book = Book.from_rows([(("C1", "customer", ""), moved)])
    found = [next(relationship_rows(book, day(n), CURRENCY)) for n in (4, 5, 7)]
    assert [(row.segment, row.branch, row.manager) for row in found] == [
        ("retail", "B1", "RM-1"),
        ("private", "B2", "RM-1"),
        ("private", "B2", "RM-2"),
    ]


def test_contacts_up_to_the_date_are_counted_and_the_last_is_shown() -> None:
    told = [has("contact", str(n), contact(day(n))) for n in (8, 2, 5)]
    found = [c1(day(n), *told) for n in (1, 2, 7, 8)]
    assert [(row.contacts, row.last_contact_on) for row in found] == [
        (0, None),
        (1, day(2)),
        (2, day(5)),
        (3, day(8)),
    ]


def test_the_next_contact_is_the_earliest_follow_up_after_the_last_contact() -> None:
    told = [
        has("contact", "1", contact(day(1), day(30))),
        has("contact", "2", contact(day(5), day(20))),
        has("follow_up", "3", FollowUp(promised_on=day(3), follow_up_on=day(4))),
        has("follow_up", "4", FollowUp(promised_on=day(7), follow_up_on=day(15))),
    ]
    found = [c1(day(n), *told).next_contact_on for n in (0, 1, 3, 5, 7)]
    assert found == [None, day(30), day(4), day(20), day(15)]


def test_a_next_contact_stays_when_it_is_overdue() -> None:
    assert c1(day(90), has("contact", "1", contact(day(1), day(4)))).next_contact_on == day(4)


def test_a_contact_keeps_what_was_promised_for_its_own_day() -> None:
    told = [has("contact", "1", contact(day(1), day(4))), has("contact", "2", contact(day(4)))]
    assert [c1(day(n), *told).next_contact_on for n in (3, 4)] == [day(4), None]


def test_a_promise_outside_a_contact_counts_though_there_was_none() -> None:
    promise = has("follow_up", "1", FollowUp(promised_on=day(3), follow_up_on=day(9)))
    assert [c1(day(n), promise).next_contact_on for n in (2, 3)] == [None, day(9)]


def test_an_ended_relationship_has_no_promise_of_its_last_day_or_later() -> None:
    closed = replace(customer(), closed_on=day(5))
    for due, expected in ((4, day(4)), (5, None), (9, None)):
        told = has("follow_up", "1", FollowUp(promised_on=day(3), follow_up_on=day(due)))
        book = Book.from_rows([(("C1", "customer", ""), closed), told])
        before, after = (relationship_row(book, "C1", day(n), CURRENCY) for n in (4, 5))
        assert before is not None
        assert after is not None
        assert (before.next_contact_on, after.next_contact_on) == (day(due), expected)


def test_loans_are_approved_drawn_and_outstanding_up_to_the_date() -> None:
    one = loan(
        Draw("D1", day(2), 70_000),
        Draw("D2", day(3), 5_000, day(5)),
        repayments=(Paid("P1", day(4), 80_000, 100),),
    )
    other = loan(Draw("D3", day(2), 9), currency="EUR")
    later = replace(loan(), approved_on=day(4))
    told = [has("loan", "L1", one), has("loan", "L2", other), has("loan", "L3", later)]
    found = [c1(day(n), *told) for n in (1, 3, 4, 5)]
    assert [(row.approved, row.drawn, row.outstanding) for row in found] == [
        (100_000, 0, 0),
        (100_000, 75_000, 75_000),
        (200_000, 75_000, -5_000),
        (200_000, 70_000, -10_000),
    ]


def test_deposits_are_the_last_balances_however_old_account_by_account() -> None:
    told = [
        has("account", "A1", account()),
        has("account", "A2", account()),
        has("account", "A3", account()),
        has("account", "A4", account(currency="EUR")),
        *balances("C1", "A1", {day(1): 500}),
        *balances("C1", "A2", {day(2): -300}),
        *balances("C1", "A4", {day(1): 77}),
    ]
    assert [c1(day(n), *told).deposits for n in (0, 2, 400)] == [0, 500, 500]


def test_an_average_to_date_divides_by_all_days_of_the_period_so_far() -> None:
    told = [has("account", "A1", account()), *balances("C1", "A1", {date(2024, 2, 28): 300})]
    row = c1(date(2024, 2, 29), *told)
    assert row.adb_month == round(600 / 29)
    assert row.adb_quarter == row.adb_year == round(600 / 60)
    row = c1(date(2024, 4, 2), *told)
    assert (row.adb_month, row.adb_quarter) == (300, 300)
    assert row.adb_year == round(300 * 35 / 93)


def test_each_average_rounds_half_up() -> None:
    told = [has("account", "A1", account()), *balances("C1", "A1", {date(2024, 1, 2): 5})]
    assert c1(date(2024, 1, 2), *told).adb_month == 3
    told = [has("account", "A1", account()), *balances("C1", "A1", {date(2024, 1, 4): 1})]
    assert c1(date(2024, 1, 4), *told).adb_month == 0


def commitment(agreed_on: date, ends_on: date, amount: int) -> Commitment:
    terms = Terms(
        starts_on=agreed_on,
        ends_on=ends_on,
        metric="ending",
        window="month",
        requirement_kind="amount",
        requirement_value=amount,
        currency="EUR",
        cure_days=0,
        consequence_kind="none",
        consequence_value=0,
        missing_days=40,
    )
    told = (TermsFrom(agreed_on, agreed_on, terms),)
    return Commitment(loan_id=None, agreed_on=agreed_on, terms=told)


def test_commitments_count_ended_ones_and_each_once_in_any_currency() -> None:
    observed = {date(2024, month, 28): 50 for month in range(1, 6)}
    ends = {date(2024, 1, 31): 50, date(2024, 2, 29): 50, date(2024, 3, 31): 50}
    told = [
        has("account", "A1", account(currency="EUR")),
        *balances("C1", "A1", observed | ends),
        has("commitment", "K1", commitment(date(2024, 1, 1), date(2024, 3, 31), 900)),
        has("commitment", "K2", commitment(date(2024, 1, 1), date(2024, 2, 29), 40)),
        has("commitment", "K3", commitment(date(2024, 5, 1), date(2024, 5, 31), 900)),
    ]
    row = c1(date(2024, 3, 15), *told)
    assert (row.commitments, row.commitments_at_risk, row.commitments_breached) == (2, 1, 1)
    row = c1(date(2024, 5, 15), *told)
    assert (row.commitments, row.commitments_at_risk, row.commitments_breached) == (3, 1, 1)


def test_referrals_made_count_ended_ones_and_no_guarantor_of_ones_own() -> None:
    told = [
        (("P1", "referral", "R1"), referral("C1", day(1), ended_on=day(2))),
        (("P2", "referral", "R2"), referral("C1", day(2), converted_on=day(5))),
        (("P3", "referral", "R3"), referral("C1", day(2), via="guarantor", converted_on=day(3))),
        (("P4", "referral", "R4"), referral("C9", day(1), converted_on=day(6))),
        (("P4", "referral", "R5"), referral("C1", day(3), converted_on=day(6))),
    ]
    found = [c1(day(n), *told) for n in (0, 2, 5, 9)]
    assert [(row.referrals_made, row.referrals_converted) for row in found] == [
        (0, 0),
        (2, 0),
        (3, 1),
        (3, 1),
    ]


def test_guarantees_given_and_received_are_those_in_force_in_any_currency() -> None:
    told: list[tuple[Key, Row]] = [
        has("guarantee", "G1", guarantee("C2", 5, day(1), day(4))),
        has("guarantee", "G2", guarantee("C3", 5, day(2), currency="EUR")),
        (("C2", "guarantee", "G3"), guarantee("C1", 5, day(3))),
        (("C2", "guarantee", "G4"), guarantee("C1", 5, day(3), day(3))),
    ]
    found = [c1(day(n), *told) for n in range(6)]
    assert [row.guarantees_received for row in found] == [0, 1, 2, 2, 1, 1]
    assert [row.guarantees_given for row in found] == [0, 0, 0, 1, 1, 1]


def test_the_referrer_is_that_of_the_date() -> None:
    told = [
        has("referral", "R1", referral("C2", day(1), ended_on=day(3))),
        has("referral", "R2", referral("C3", day(5))),
    ]
    assert [c1(day(n), *told).referrer_id for n in (0, 1, 3, 5)] == [None, "C2", None, "C3"]


def test_a_relationship_tells_who_helps_the_tier_and_the_consents() -> None:
    known = replace(
        customer(),
        assignments=(Assignment(day(0), "RM-1", "owner"), Assignment(day(1), "RM-2", "joint")),
        tiers=(TierFrom(day(1), "gold"),),
        closed_on=day(8),
    )
    consent = Consent((Consented(day(2), given=True),))
    book = Book.from_rows(
        [(("C1", "customer", ""), known), (("C1", "consent", "marketing"), consent)]
    )
    found = relationship(book, "C1", day(7), CURRENCY)
    assert found is not None
    assert (found.joint_managers, found.tier, found.consents) == (
        ("RM-2",),
        "gold",
        ("marketing",),
    )
    assert found.closed_on is None
    assert relationship(book, "nobody", day(7), CURRENCY) is None


def test_a_referrer_who_asked_not_to_be_named_is_marked_until_they_agree_again() -> None:
    wish = Consent((Consented(day(2), given=False), Consented(day(5), given=True)))
    book = Book.from_rows(
        [
            (("C1", "customer", ""), customer()),
            (("C2", "customer", ""), customer()),
            (("C2", "consent", "being-named"), wish),
            has("referral", "R1", referral("C2", day(1))),
        ]
    )
    for n, named in ((1, True), (2, False), (4, False), (5, True)):
        brought = relationship(book, "C1", day(n), CURRENCY)
        referrer = relationship(book, "C2", day(n), CURRENCY)
        assert brought is not None
        assert referrer is not None
        assert (brought.may_be_named, brought.referrer_may_be_named) == (True, named)
        assert (referrer.may_be_named, referrer.referrer_may_be_named) == (named, None)


# The same by plain loops over dates.


def held_on(book: Book, account_id: str, on: date) -> int:
    """Go back day by day to the last observed balance."""
    opened_on = book.accounts[account_id][1].opened_on
    if on < opened_on:
        return 0
    months = book.balances.get(account_id, {"9999-12": ()})
    while f"{on:%Y-%m}" >= min(months):
        days = months.get(f"{on:%Y-%m}")
        balance = days[on.day - 1] if days else None
        if balance is not None:
            return max(balance, 0)
        on -= timedelta(days=1)
    return 0


def average_by_loop(book: Book, who: str, first: date, as_of: date) -> int:
    mine = [
        id_ for id_ in book.accounts_of.get(who, ()) if book.accounts[id_][1].currency == "CZK"
    ]
    days = [first + timedelta(days=n) for n in range((as_of - first).days + 1)]
    total = sum(held_on(book, id_, on) for id_ in mine for on in days)
    return floor(Fraction(total, len(days)) + Fraction(1, 2))


def agree_with_loops(book: Book, row: RelationshipRow, as_of: date) -> None:
    who = row.customer_id
    quarter = date(as_of.year, {1: 1, 2: 4, 3: 7, 4: 10}[-(-as_of.month // 3)], 1)
    assert row.adb_month == average_by_loop(book, who, as_of.replace(day=1), as_of)
    assert row.adb_quarter == average_by_loop(book, who, quarter, as_of)
    assert row.adb_year == average_by_loop(book, who, date(as_of.year, 1, 1), as_of)
    assert row.deposits == average_by_loop(book, who, as_of, as_of)
    contacts = [c for c in book.contacts_of.get(who, ()) if c.happened_on <= as_of]
    assert row.contacts == len(contacts)
    last = max((c.happened_on for c in contacts), default=date.min)
    assert (row.last_contact_on or date.min) == last
    promises = [c.follow_up_on for c in contacts if c.follow_up_on]
    promises += [f.follow_up_on for f in book.follow_ups_of.get(who, ()) if f.promised_on <= as_of]
    ahead = (last + timedelta(days=n) for n in range(1, 2 if last == date.min else 99))
    standing = [
        (borrower, told.guarantor_id)
        for borrower, told in book.guarantees.values()
        if told.given_on <= as_of < (told.released_on or date.max)
    ]
    assert row.guarantees_given == sum(guarantor == who for _, guarantor in standing)
    assert row.guarantees_received == sum(borrower == who for borrower, _ in standing)
    expected = next((on for on in ahead if on in promises), None)
    assert row.next_contact_on == (min(promises, default=None) if last == date.min else expected)


@given(books, as_ofs)
def test_the_figures_are_what_plain_loops_give(book: Book, as_of: date) -> None:
    for row in relationship_rows(book, as_of, CURRENCY):
        agree_with_loops(book, row, as_of)
        assert relationship_row(book, row.customer_id, as_of, CURRENCY) == row


@given(books, as_ofs)
def test_the_referrer_is_the_networks(book: Book, as_of: date) -> None:
    network = {row.customer_id: row for row in network_rows(book, as_of, CURRENCY)}
    for row in relationship_rows(book, as_of, CURRENCY):
        assert row.referrer_id == network[row.customer_id].referrer_id


@needs_berka
@pytest.mark.slow
def test_the_figures_of_a_real_bank_are_what_plain_loops_give() -> None:
    as_of = date(1994, 2, 14)
    for row in list(relationship_rows(berka(), as_of, CURRENCY))[::25]:
        agree_with_loops(berka(), row, as_of)


@needs_berka
@pytest.mark.slow
def test_a_real_relationship_adds_up_by_hand() -> None:
    row = relationship_row(berka(), "C02166", date(1994, 3, 31), CURRENCY)
    assert row is not None
    # 11, 5, 9 and 1 days of March; five at the end, of which the 31st is carried.
    held = 11 * 79_943_80 + 5 * 71_910_60 + 9 * 47_410_60 + 39_310_60 + 5 * 80_029_60
    assert (held, row.adb_month) == (2_105_088_80, 67_906_09)
    assert row.deposits == 80_029_60
    assert (row.approved, row.drawn, row.outstanding) == (9_639_600, 9_639_600, 9_639_600)


@needs_berka
@pytest.mark.slow
@pytest.mark.parametrize("as_of", ["1993-09-30", "1994-03-31"])
def test_troubled_commitments_of_a_real_bank_are_those_of_the_compliance_view(as_of: str) -> None:
    windows = list(compliance_rows(berka(), day_of(as_of), CURRENCY))
    rows = list(relationship_rows(berka(), day_of(as_of), CURRENCY))
    for status in ("at_risk", "breached"):
        troubled = {row.commitment_id for row in windows if row.status == status}
        assert sum(getattr(row, f"commitments_{status}") for row in rows) == len(troubled)
