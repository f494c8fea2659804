"""What somebody brought beside what their default would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from infra.rules.reading import network_rules
from projections.book import Book
from projections.contagion import ContagionRow, contagion_rows, riskiest
from projections.facts import Draw
from projections.guarantee_network import circle_rows, exposure_rows, group_rows
from projections.leaders import leader_rows
from projections.loss_walk import loss_walk
from projections.referral_network import network_rows
from tests.books import (
    CURRENCY,
    account,
    as_ofs,
    balances,
    books,
    customer,
    day,
    guarantee,
    loan,
    referral,
)
from tests.test_referral_network import Facts, brought, opened

if TYPE_CHECKING:
    from datetime import date

RULES = network_rules(day(0))


def rows(book: Book, as_of: date) -> dict[str, ContagionRow]:
    return {row.customer_id: row for row in contagion_rows(book, as_of, CURRENCY, RULES)}


def circle_of_a_referrer() -> Facts:
    """A brought B, and both stand for each other; C only brought D; E is nobody's."""
    return [
        *opened("A", "B", "C", "E"),
        brought("B", referral("A", day(0), converted_on=day(1))),
        brought("D", referral("C", day(0))),
        (("A", "loan", "L1"), loan(Draw("D1", day(1), 500))),
        (("B", "loan", "L2"), loan(Draw("D2", day(1), 300))),
        (("A", "guarantee", "G1"), guarantee("B", 400)),
        (("B", "guarantee", "G2"), guarantee("A", 300, loan_id="L2")),
        (("B", "account", "X"), account()),
        *balances("B", "X", {day(1): 50}),
    ]


def test_the_same_person_shows_what_they_brought_and_what_their_default_costs() -> None:
    found = rows(Book.from_rows(circle_of_a_referrer()), day(1))
    assert found.keys() == {"A", "B", "C"}
    assert found["A"] == ContagionRow(
        customer_id="A",
        descendants=1,
        converted_descendants=1,
        subtree_drawn=300,
        subtree_deposits=50,
        influence_ppb=996_156_587,  # converted a day ago, by an account
        given=300,
        received=400,
        capacity=0,
        excess=300,
        circle_id="A",
        circle_size=2,
        group_id="A",
        group_size=2,
        defaults=2,
        owed=800,
        lost=750,
    )


def test_who_stands_for_others_before_being_a_customer_has_what_they_brought() -> None:
    facts = [
        *opened("B"),
        (("Q", "customer", ""), customer(day(9))),
        (("B", "guarantee", "G1"), guarantee("Q", 5)),
        brought("P", referral("Q", day(0), converted_on=day(1))),
        brought("N", referral("X", day(0), converted_on=day(1))),
    ]
    found = rows(Book.from_rows(facts), day(1))
    assert {id_: row.descendants for id_, row in found.items()} == {"B": 0, "Q": 1, "X": 1}
    assert found["Q"].influence_ppb == found["X"].influence_ppb == 1_000_000_000
    assert (found["Q"].given, found["X"].capacity) == (5, None)


def test_who_is_in_no_guarantee_has_no_walk() -> None:
    row = rows(Book.from_rows(circle_of_a_referrer()), day(1))["C"]
    assert (row.descendants, row.group_id, row.group_size) == (1, None, 0)
    assert (row.capacity, row.defaults, row.owed, row.lost) == (None, None, None, None)


def test_the_riskiest_cost_the_most_and_who_costs_nothing_is_left_out() -> None:
    found = rows(Book.from_rows(circle_of_a_referrer()), day(1)).values()
    worst = [(row.customer_id, row.lost) for row in riskiest(found, 9)]
    assert worst == [("B", 800), ("A", 750)]
    assert len(riskiest(found, 1)) == 1


@given(books, as_ofs)
def test_each_side_is_what_its_own_view_says(book: Book, as_of: date) -> None:
    found = rows(book, as_of)
    network = list(network_rows(book, as_of, CURRENCY, all_referrers=True))
    leaders = {row.customer_id: row for row in leader_rows(book, network, as_of, RULES)}
    parties = {row.customer_id: row for row in exposure_rows(book, as_of, CURRENCY)}
    assert list(found) == sorted(leaders.keys() | parties.keys())
    for id_, row in found.items():
        if id_ in leaders:
            leader = leaders[id_]
            assert (row.influence_ppb, row.subtree_drawn) == (
                leader.influence_ppb,
                leader.subtree_drawn,
            )
        walk = loss_walk(book, id_, as_of, CURRENCY)
        if id_ in parties:
            assert (row.defaults, row.owed, row.lost) == (
                len(walk.defaults),
                walk.owed,
                walk.lost,
            )
        for size, name, components in (
            (row.circle_size, row.circle_id, circle_rows(book, as_of, CURRENCY)),
            (row.group_size, row.group_id, group_rows(book, as_of, CURRENCY)),
        ):
            mine = [c for c in components if id_ in c.members.split(" ")]
            assert (name, size) == ((mine[0][0], mine[0].size) if mine else (None, 0))
