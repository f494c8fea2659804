"""What one default pulls after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from projections.book import Book, outstanding
from projections.facts import Draw
from projections.guarantee_network import capacity, edges_of
from projections.loss_walk import Call, Default, LossWalk, loss_walk
from tests.books import (
    CURRENCY,
    PEOPLE,
    account,
    as_ofs,
    balances,
    books,
    day,
    guarantee,
    loan,
)

if TYPE_CHECKING:
    from datetime import date

    from projections.facts import Guarantee, Key, Row


def party(who: str, owes: int = 0, has: int = 0) -> list[tuple[Key, Row]]:
    """Return somebody with a loan `L-<who>` and an account."""
    return [
        ((who, "loan", f"L-{who}"), loan(Draw("D", day(0), owes))),
        ((who, "account", f"A-{who}"), account()),
        *balances(who, f"A-{who}", {day(0): has}),
    ]


def over(borrower: str, told: Guarantee, guarantee_id: str) -> tuple[Key, Row]:
    return (borrower, "guarantee", guarantee_id), told


def walked(facts: list[tuple[Key, Row]], first: str, as_of: date | None = None) -> LossWalk:
    return loss_walk(Book.from_rows(facts), first, as_of or day(5), CURRENCY)


def test_a_default_is_called_on_its_guarantor_who_pays_out_of_deposits() -> None:
    facts = [*party("A", owes=100), *party("B", has=500)]
    facts.append(over("A", guarantee("B", 80, loan_id="L-A"), "G1"))
    walk = walked(facts, "A")
    assert walk.defaults == (Default(0, "A", 100),)
    assert walk.calls == (Call(0, "A", "L-A", "G1", "B", 80, 80),)
    assert (walk.owed, walk.paid, walk.lost) == (100, 80, 20)


def test_who_cannot_pay_in_full_defaults_in_the_next_wave_and_nobody_twice() -> None:
    facts = [*party("A", owes=100), *party("B", owes=70, has=30), *party("C", has=10)]
    facts += [
        over("A", guarantee("B", 90, loan_id="L-A"), "G1"),
        over("B", guarantee("A", 40, loan_id="L-B"), "G2"),
        over("B", guarantee("C", 20, loan_id="L-B"), "G3"),
    ]
    walk = walked(facts, "A")
    assert walk.defaults == (Default(0, "A", 100), Default(1, "B", 70), Default(2, "C", 0))
    assert walk.calls == (
        Call(0, "A", "L-A", "G1", "B", 90, 30),
        Call(1, "B", "L-B", "G2", "A", 40, 0),
        Call(1, "B", "L-B", "G3", "C", 20, 10),
    )
    assert (walk.owed, walk.paid, walk.lost) == (170, 40, 130)


def test_the_first_to_default_pays_nothing_whatever_they_hold() -> None:
    facts = [*party("A", owes=100, has=999), *party("B", owes=10)]
    facts += [
        over("A", guarantee("B", 50, loan_id="L-A"), "G1"),
        over("B", guarantee("A", 50, loan_id="L-B"), "G2"),
    ]
    assert walked(facts, "A").paid == 0


def test_guarantees_worth_more_than_is_owed_are_called_in_proportion() -> None:
    facts = [*party("A", owes=100), *party("B", has=999), *party("C", has=999)]
    facts += [
        over("A", guarantee("B", 100, loan_id="L-A"), "G1"),
        over("A", guarantee("C", 200, loan_id="L-A"), "G2"),
    ]
    assert [(call.called, call.paid) for call in walked(facts, "A").calls] == [(33, 33), (67, 67)]


def test_a_guarantor_of_two_who_fail_together_pays_each_until_nothing_is_left() -> None:
    facts = [
        row
        for who, owes, has in (("A", 90, 0), ("B", 90, 0), ("C", 90, 0), ("D", 0, 100))
        for row in party(who, owes, has)
    ]
    facts += [
        over("A", guarantee("B", 45, loan_id="L-A"), "G1"),
        over("A", guarantee("C", 45, loan_id="L-A"), "G2"),
        over("B", guarantee("D", 90, loan_id="L-B"), "G3"),
        over("C", guarantee("D", 90, loan_id="L-C"), "G4"),
    ]
    walk = walked(facts, "A")
    assert [(call.called, call.paid) for call in walk.calls if call.wave] == [(90, 90), (90, 10)]
    assert [default.customer_id for default in walk.defaults] == ["A", "B", "C", "D"]


def test_only_guarantees_in_force_and_debts_of_the_day_count() -> None:
    facts = [*party("A", owes=100), *party("B", has=500)]
    facts.append(over("A", guarantee("B", 80, day(2), day(4), loan_id="L-A"), "G1"))
    assert [walked(facts, "A", day(n)).paid for n in (1, 2, 3, 4)] == [0, 80, 80, 0]
    assert walked(facts, "A", day(-1)).owed == 0


@given(books, as_ofs, st.sampled_from(PEOPLE))
def test_no_unit_is_called_or_paid_that_is_not_owed_or_held(
    book: Book, as_of: date, first: str
) -> None:
    walk = loss_walk(book, first, as_of, CURRENCY)
    failed = [default.customer_id for default in walk.defaults]
    assert failed[0] == first
    assert len(set(failed)) == len(failed)
    short = {call.guarantor_id for call in walk.calls if call.paid < call.called}
    assert set(failed) == short | {first}
    for who in PEOPLE:
        paid = sum(call.paid for call in walk.calls if call.guarantor_id == who)
        means = 0 if who == first else capacity(book, who, as_of, CURRENCY)
        assert paid <= means
        assert who not in failed or who == first or paid == means
    edges = edges_of(book, as_of)
    for loan_id, (borrower, told) in book.loans.items():
        if borrower in failed and told.currency == CURRENCY:
            worth = sum(e.guarantee.amount for e in edges if e.guarantee.loan_id == loan_id)
            called = sum(call.called for call in walk.calls if call.loan_id == loan_id)
            assert called == min(worth, max(0, outstanding(told, as_of)))
    amounts = {edge.guarantee_id: edge.guarantee.amount for edge in edges}
    assert all(call.called <= amounts[call.guarantee_id] for call in walk.calls)
