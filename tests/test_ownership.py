"""Who looks after whom, what a handover hands over, and whose the sums are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from domain.ownership import Assignment
from projections.book import Book, joint_at, owner_at
from projections.facts import Draw, FollowUp, Handover, Profile
from projections.ownership import attribution_rows, handovers, ownership_rows, periods
from projections.relationship_state import relationship_rows
from tests.books import account, as_ofs, balances, books, contact, customer, day, loan
from tests.compliance_book import HUNDRED, march
from tests.compliance_book import book as compliance_book

if TYPE_CHECKING:
    from datetime import date

    from projections.facts import Customer

JOINT = Assignment(day(5), "RM-2", "joint")
JOINT_LEFT = Assignment(day(9), "RM-2", "joint", released=True)
OWNER_LEFT = Assignment(day(12), "RM-1", "owner", released=True)
TAKEN = Assignment(day(15), "RM-3", "owner")


def kept_by(*told: Assignment) -> Customer:
    """Return a customer of RM-1 from day 0, and what was told later."""
    return replace(customer(), assignments=(*customer().assignments, *told))


def told(who: Customer, as_of: date) -> list[tuple[int, int | None, str, str | None]]:
    """Return the periods by day numbers."""
    return [
        ((row.since - day(0)).days, (row.until - day(0)).days if row.until else None, *row[3:])
        for row in periods("C1", who, as_of)
    ]


def test_joint_maintenance_is_a_period_beside_the_owners_and_both_overlap() -> None:
    found = told(kept_by(JOINT, JOINT_LEFT), day(20))
    assert found == [
        (0, None, "owner", "RM-1"),
        (5, 8, "joint", "RM-2"),
        (5, 8, "overlap", "RM-1 RM-2"),
    ]
    assert told(kept_by(JOINT, JOINT_LEFT), day(6))[1:] == [
        (5, None, "joint", "RM-2"),
        (5, None, "overlap", "RM-1 RM-2"),
    ]


def test_a_period_without_an_owner_is_listed() -> None:
    assert told(kept_by(OWNER_LEFT, TAKEN), day(20)) == [
        (0, 11, "owner", "RM-1"),
        (12, 14, "unowned", None),
        (15, None, "owner", "RM-3"),
    ]
    assert told(kept_by(OWNER_LEFT), day(20))[-1] == (12, None, "unowned", None)


def test_an_owner_told_again_goes_on() -> None:
    again = Assignment(day(7), "RM-1", "owner")
    assert told(kept_by(again), day(20)) == [(0, None, "owner", "RM-1")]


def test_a_change_counts_on_its_own_day() -> None:
    assert told(kept_by(TAKEN), day(14)) == [(0, None, "owner", "RM-1")]
    assert told(kept_by(TAKEN), day(15))[-1] == (15, None, "owner", "RM-3")


def test_who_owned_twice_has_two_periods() -> None:
    back = Assignment(day(18), "RM-1", "owner")
    assert [row[0] for row in told(kept_by(TAKEN, back), day(20)) if row[3] == "RM-1"] == [0, 18]


def test_no_period_outlasts_the_relationship() -> None:
    closed = replace(kept_by(TAKEN), closed_on=day(17))
    assert told(closed, day(16))[-1] == (15, None, "owner", "RM-3")
    assert told(closed, day(20)) == [(0, 14, "owner", "RM-1"), (15, 16, "owner", "RM-3")]
    assert told(replace(customer(), closed_on=day(0)), day(20)) == []
    helped = replace(kept_by(JOINT, TAKEN), closed_on=day(12))
    assert (owner_at(helped, day(11)), joint_at(helped, day(11))) == ("RM-1", ("RM-2",))
    assert (owner_at(helped, day(12)), joint_at(helped, day(20))) == (None, ())
    rows = attribution_rows(Book.from_rows([(("C1", "customer", ""), helped)]), day(20), "CZK")
    assert [(row.name, row.customers) for row in rows if row.dimension == "manager"] == [(None, 1)]


def test_a_manager_who_helps_and_then_owns_is_no_overlap_with_themselves() -> None:
    took_over = Assignment(day(9), "RM-2", "owner")
    assert told(kept_by(JOINT, took_over), day(20)) == [
        (0, 8, "owner", "RM-1"),
        (5, 8, "joint", "RM-2"),
        (5, 8, "overlap", "RM-1 RM-2"),
        (9, None, "owner", "RM-2"),
    ]


PROPOSED = Handover(handover_id="H1", from_manager="RM-1", to_manager="RM-2", proposed_on=day(10))


@pytest.mark.parametrize(
    ("handover", "expected"),
    [
        (PROPOSED, ["proposed", "proposed"]),
        (replace(PROPOSED, accepted_on=day(12)), ["proposed", "accepted"]),
        (replace(PROPOSED, declined_on=day(12)), ["proposed", "declined"]),
    ],
)
def test_a_handover_is_proposed_and_then_accepted_or_declined(
    handover: Handover, expected: list[str]
) -> None:
    book = Book.from_rows([(("C1", "customer", ""), replace(customer(), handovers=(handover,)))])
    assert list(handovers(book, "C1", day(9))) == []
    found = [state.answer for n in (11, 12) for state in handovers(book, "C1", day(n))]
    assert found == expected


def test_a_handover_hands_over_the_promises_not_kept_when_it_was_accepted() -> None:
    accepted = replace(PROPOSED, accepted_on=day(12))
    book = Book.from_rows(
        [
            (("C1", "customer", ""), replace(customer(), handovers=(accepted,))),
            (("C1", "follow_up", "F1"), FollowUp(promised_on=day(1), follow_up_on=day(3))),
            (("C1", "follow_up", "F2"), FollowUp(promised_on=day(1), follow_up_on=day(20))),
            (("C1", "follow_up", "F3"), FollowUp(promised_on=day(13), follow_up_on=day(14))),
            (("C1", "contact", "V1"), contact(day(5))),
            (("C1", "contact", "V2"), contact(day(21))),
        ]
    )
    [open_then] = handovers(book, "C1", day(11))
    [over] = handovers(book, "C1", day(30))
    assert open_then.follow_ups == over.follow_ups == (day(20),)


def test_a_handover_hands_over_the_commitments_at_risk() -> None:
    handover = replace(PROPOSED, proposed_on=march(1), accepted_on=march(3))
    book = compliance_book(HUNDRED, {"A1": (100, 10, 10, 500)})
    book.customers["C1"] = replace(customer(), handovers=(handover,))
    found = [state.commitments for n in (1, 2, 4) for state in handovers(book, "C1", march(n))]
    assert found == [(), ("K1",), ("K1",)]


def test_an_account_stays_with_the_branch_where_it_was_opened() -> None:
    moved = replace(
        kept_by(TAKEN), profiles=(Profile(day(0), "s", "B1"), Profile(day(10), "s", "B2"))
    )
    book = Book.from_rows(
        [
            (("C1", "customer", ""), moved),
            (("C1", "account", "A1"), account(day(1))),
            (("C1", "account", "A2"), account(day(11))),
            *balances("C1", "A1", {day(12): 100}),
            *balances("C1", "A2", {day(12): 30}),
            (("C1", "loan", "L1"), loan(Draw("D1", day(11), 7))),
        ]
    )
    found = {row[:2]: row[2:] for row in attribution_rows(book, day(20), "CZK")}
    days = 9
    assert found == {
        ("branch", "B1"): (0, 0, 100, 100 * days, 7),
        ("branch", "B2"): (1, 0, 30, 30 * days, 0),
        ("manager", "RM-3"): (1, 0, 130, 130 * days, 7),
    }


def test_what_nobody_owns_stands_in_a_row_of_its_own() -> None:
    book = Book.from_rows(
        [
            (("C1", "customer", ""), kept_by(JOINT, OWNER_LEFT)),
            (("C1", "account", "A1"), account()),
            *balances("C1", "A1", {day(20): 100}),
        ]
    )
    found = [row[1:5] for row in attribution_rows(book, day(20), "CZK")]
    assert found == [("B1", 1, 0, 100), (None, 1, 0, 100), ("RM-2", 0, 1, 0)]


def test_a_branch_of_days_to_come_is_not_listed() -> None:
    moves = replace(
        customer(), profiles=(Profile(day(0), "retail", "B1"), Profile(day(25), "retail", "B2"))
    )
    later = replace(account(), opened_on=day(30))
    book = Book.from_rows([(("C1", "customer", ""), moves), (("C1", "account", "A1"), later)])
    found = [
        row.name for row in attribution_rows(book, day(20), "CZK") if row.dimension == "branch"
    ]
    assert found == ["B1"]


@given(books, as_ofs)
def test_branches_and_managers_each_add_up_to_the_total_once(book: Book, as_of: date) -> None:
    rows = list(attribution_rows(book, as_of, "CZK"))
    state = list(relationship_rows(book, as_of, "CZK"))
    for dimension in ("branch", "manager"):
        mine = [row for row in rows if row.dimension == dimension]
        assert sum(row.customers for row in mine) == len(state)
        assert sum(row.deposits for row in mine) == sum(row.deposits for row in state)
        assert sum(row.outstanding for row in mine) == sum(row.outstanding for row in state)
    days = {
        dimension: sum(row.balance_days_month for row in rows if row.dimension == dimension)
        for dimension in ("branch", "manager")
    }
    assert days["branch"] == days["manager"]


@given(books, as_ofs)
def test_on_every_day_the_periods_say_who_looks_after_whom(book: Book, as_of: date) -> None:
    rows = list(ownership_rows(book, as_of))
    assert rows == sorted(rows, key=lambda row: (row[0], row[1], row[3], row[4] or ""))
    for customer_id, who in book.customers.items():
        mine = [row for row in rows if row.customer_id == customer_id]
        for back in range((as_of - who.opened_on).days + 1):
            on = as_of - timedelta(back)
            held = [row for row in mine if row.since <= on and (row.until or as_of) >= on]
            owners = [row.manager for row in held if row.role in {"owner", "unowned"}]
            assert owners == [owner_at(who, on)]
            joint = tuple(row.manager for row in held if row.role == "joint")
            assert joint == joint_at(who, on)
