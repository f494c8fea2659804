"""Who stands for whom on a day: circles, groups, exposure, joint liability."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from projections.book import Book
from projections.guarantee_network import (
    CircleRow,
    ExposureRow,
    GroupRow,
    circle_rows,
    circles,
    exposure_rows,
    group_rows,
    joint_liability_groups,
)
from tests.books import (
    CURRENCY,
    PEOPLE,
    account,
    balances,
    customer,
    day,
    guarantee,
)

if TYPE_CHECKING:
    from datetime import date

    from projections.facts import Guarantee, Key, Row


def stands(borrower: str, told: Guarantee, guarantee_id: str = "") -> tuple[Key, Row]:
    """Return a guarantee under its borrower."""
    return (borrower, "guarantee", guarantee_id or f"{told.guarantor_id}-for-{borrower}"), told


def chain(*who: str) -> list[tuple[Key, Row]]:
    """Each stands for the next."""
    return [stands(b, guarantee(a)) for a, b in pairwise(who)]


def circles_of(*facts: tuple[Key, Row], as_of: date | None = None) -> list[CircleRow]:
    return list(circle_rows(Book.from_rows(facts), as_of or day(9), CURRENCY))


def test_two_who_stand_for_each_other_are_a_circle_and_a_chain_is_none() -> None:
    assert circles_of(*chain("A", "B", "C")) == []
    assert circles_of(*chain("B", "A", "B")) == [CircleRow("A", 2, "A B", 2, 200)]


def test_a_circle_is_named_by_its_smallest_member_by_code_point() -> None:
    facts = chain("z", "é", "Z", "a", "z")
    assert circles_of(*facts) == [CircleRow("Z", 4, "Z a z é", 4, 400)]


def test_circles_that_share_a_member_are_one_and_others_come_in_order() -> None:
    facts = [*chain("C", "D", "C", "E", "C"), *chain("B", "A", "B"), *chain("E", "B")]
    assert circles_of(*facts) == [
        CircleRow("A", 2, "A B", 2, 200),
        CircleRow("C", 3, "C D E", 4, 400),
    ]


def test_parallel_guarantees_count_each_and_those_to_outsiders_do_not() -> None:
    facts = [
        *chain("A", "B", "A"),
        stands("B", guarantee("A", 7), "again"),
        stands("B", guarantee("X", 9)),
        stands("Y", guarantee("A", 9)),
    ]
    assert circles_of(*facts) == [CircleRow("A", 2, "A B", 3, 207)]


def test_amounts_are_of_one_currency_and_counts_of_all() -> None:
    facts = [
        stands("B", guarantee("A", 7)),
        stands("A", guarantee("B", 9, currency="EUR")),
    ]
    assert circles_of(*facts) == [CircleRow("A", 2, "A B", 2, 7)]


def test_a_circle_holds_from_the_last_guarantee_until_the_day_before_a_release() -> None:
    facts = [
        stands("B", guarantee("A", 7, day(1), day(5))),
        stands("A", guarantee("B", 9, day(3))),
    ]
    assert [len(circles_of(*facts, as_of=day(n))) for n in range(7)] == [0, 0, 0, 1, 1, 0, 0]


def test_a_group_is_all_whom_guarantees_link() -> None:
    facts = [*chain("C", "B", "A"), *chain("C", "D"), *chain("X", "Y")]
    found = list(group_rows(Book.from_rows(facts), day(9), CURRENCY))
    assert found == [GroupRow("A", 4, "A B C D", 3, 300), GroupRow("X", 2, "X Y", 1, 100)]


def test_exposure_is_set_against_the_deposits_of_the_day() -> None:
    facts: list[tuple[Key, Row]] = [
        (("A", "customer", ""), customer()),
        (("A", "account", "A1"), account()),
        *balances("A", "A1", {day(1): 60, day(8): 500}),
        stands("B", guarantee("A", 70), "G1"),
        stands("B", guarantee("A", 30, currency="EUR"), "G2"),
        stands("A", guarantee("P", 40), "G3"),
    ]
    assert list(exposure_rows(Book.from_rows(facts), day(7), CURRENCY)) == [
        ExposureRow("A", 2, 70, 1, 40, 60, 10),
        ExposureRow("B", 0, 0, 2, 70, 0, 0),
        ExposureRow("P", 1, 40, 0, 0, 0, 40),
    ]
    later = next(exposure_rows(Book.from_rows(facts), day(8), CURRENCY))
    assert (later.capacity, later.excess) == (500, 0)


def test_who_all_stand_for_each_other_are_a_joint_liability_group() -> None:
    three = [pair for a, b in combinations("ABC", 2) for pair in chain(a, b, a)]
    more = [*chain("C", "D", "C"), *chain("A", "E")]
    assert joint_liability_groups(Book.from_rows(three[1:]), day(9)) == []
    assert joint_liability_groups(Book.from_rows(three + more), day(9)) == [("A", "B", "C")]
    four = [*three, *more, *chain("A", "D", "A"), *chain("B", "D", "B")]
    assert joint_liability_groups(Book.from_rows(four), day(9)) == [("A", "B", "C", "D")]


def test_a_circle_tells_its_guarantees_and_its_members_exposure() -> None:
    facts = [*chain("B", "A", "B"), stands("X", guarantee("A", 7)), *chain("D", "C", "D")]
    [found, other] = circles(Book.from_rows(facts), day(9), CURRENCY)
    assert [edge.guarantee_id for edge in found.edges] == ["A-for-B", "B-for-A"]
    assert [(party.customer_id, party.given) for party in found.parties] == [
        ("A", 107),
        ("B", 100),
    ]
    assert other.row.circle_id == "C"


# The same by plain loops, and by another library.


@st.composite
def _edges(draw: st.DrawFn) -> tuple[Key, Row]:
    borrower, guarantor = draw(st.permutations(PEOPLE))[:2]
    given_on = day(draw(st.integers(0, 9)))
    released_on = draw(st.none() | st.integers(0, 9).map(lambda n: given_on + timedelta(days=n)))
    currency = draw(st.sampled_from([CURRENCY, "EUR"]))
    amount = draw(st.integers(1, 99))
    told = guarantee(guarantor, amount, given_on, released_on, currency=currency)
    return (borrower, "guarantee", ""), told


def _numbered(edges: list[tuple[Key, Row]]) -> Book:
    return Book.from_rows(((b, k, f"G{n}"), row) for n, ((b, k, _), row) in enumerate(edges))


books = st.lists(_edges(), max_size=24).map(_numbered)
as_ofs = st.integers(0, 18).map(day)


def edges_on(book: Book, as_of: date) -> list[tuple[str, str, Guarantee]]:
    return [
        (told.guarantor_id, borrower, told)
        for borrower, told in book.guarantees.values()
        if told.given_on <= as_of and not (told.released_on and told.released_on <= as_of)
    ]


def reached(start: str, steps: set[tuple[str, str]]) -> set[str]:
    """Return whom the steps lead to, by asking again until nobody is new."""
    found = {start}
    while new := {b for a, b in steps if a in found} - found:
        found |= new
    return found


def by_loops(book: Book, as_of: date, *, both_ways: bool) -> list[tuple[str, int, str, int, int]]:
    edges = edges_on(book, as_of)
    steps = {(a, b) for a, b, _ in edges}
    if both_ways:
        steps |= {(b, a) for a, b in steps}
    reach = {who: reached(who, steps) for who in PEOPLE}
    found = {frozenset(b for b in reach[a] if a in reach[b]) for a in PEOPLE}
    rows = []
    for members in sorted(map(sorted, found)):
        inside = [told for a, b, told in edges if a in members and b in members]
        amount = sum(told.amount for told in inside if told.currency == CURRENCY)
        if len(members) > 1:
            rows.append((members[0], len(members), " ".join(members), len(inside), amount))
    return rows


@given(books, as_ofs)
def test_circles_and_groups_are_what_plain_loops_give(book: Book, as_of: date) -> None:
    assert list(circle_rows(book, as_of, CURRENCY)) == by_loops(book, as_of, both_ways=False)
    assert list(group_rows(book, as_of, CURRENCY)) == by_loops(book, as_of, both_ways=True)


@given(books, as_ofs)
def test_circles_groups_and_cliques_are_those_of_networkx(book: Book, as_of: date) -> None:
    graph = nx.MultiDiGraph((a, b) for a, b, _ in edges_on(book, as_of))
    strong = {frozenset(each) for each in nx.strongly_connected_components(graph)}
    weak = {frozenset(each) for each in nx.weakly_connected_components(graph)}
    found = [row.members.split() for row in circle_rows(book, as_of, CURRENCY)]
    assert set(map(frozenset, found)) == {each for each in strong if len(each) > 1}
    assert {frozenset(row.members.split()) for row in group_rows(book, as_of, CURRENCY)} == weak
    mutual = nx.DiGraph(graph).to_undirected(reciprocal=True)
    cliques = (tuple(sorted(each)) for each in nx.find_cliques(mutual))
    assert joint_liability_groups(book, as_of) == sorted(c for c in cliques if len(c) > 2)


@given(books, as_ofs)
def test_what_was_given_was_received(book: Book, as_of: date) -> None:
    rows = list(exposure_rows(book, as_of, CURRENCY))
    edges = edges_on(book, as_of)
    assert sum(row.guarantees_given for row in rows) == len(edges)
    assert sum(row.guarantees_received for row in rows) == len(edges)
    given_by = Counter[str]()
    for guarantor, _, told in edges:
        given_by[guarantor] += told.amount if told.currency == CURRENCY else 0
    assert {row.customer_id: row.given for row in rows if row.guarantees_given} == given_by
    assert sum(row.received for row in rows) == sum(given_by.values())
