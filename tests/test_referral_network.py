from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from projections.book import Book
from projections.facts import Draw
from projections.network_node import nodes
from projections.referral_forest import forest, live_referral
from projections.referral_network import Network, NetworkRow
from tests.berka import berka, day_of, needs_berka
from tests.books import CURRENCY, account, as_ofs, balances, books, customer, day, loan, referral

if TYPE_CHECKING:
    from datetime import date

    from projections.facts import Key, Referral, Row

Facts = list[tuple["Key", "Row"]]


def opened(*people: str) -> Facts:
    return [((who, "customer", ""), customer()) for who in people]


def brought(prospect: str, row: Referral, id_: str = "") -> tuple[Key, Row]:
    return (prospect, "referral", id_ or f"R-{row.referrer_id}-{prospect}"), row


def network(facts: Facts, as_of: date) -> Network:
    return Network(nodes(Book.from_rows(facts), as_of, CURRENCY))


def rows(facts: Facts, as_of: date) -> dict[str, NetworkRow]:
    return {row.customer_id: row for row in network(facts, as_of).rows()}


def test_someone_without_a_referrer_is_their_own_root() -> None:
    row = rows(opened("C1"), day(0))["C1"]
    expected = ("C1", None, "C1", 0, 0, 0, 0, 0, 0, None, None, None)
    assert row == expected


def test_a_relationship_has_a_row_from_the_day_it_opened() -> None:
    facts = [*opened("C1"), (("C2", "customer", ""), customer(day(3)))]
    assert rows(facts, day(2)).keys() == {"C1"}
    assert rows(facts, day(3)).keys() == {"C1", "C2"}


def test_a_prospect_has_a_row_while_in_the_forest_though_no_customer() -> None:
    facts = [*opened("C1"), brought("P", referral("C1", day(2), ended_on=day(5)))]
    assert [set(rows(facts, day(n))) for n in (1, 2, 4, 5)] == [
        {"C1"},
        {"C1", "P"},
        {"C1", "P"},
        {"C1"},
    ]


def test_a_referrer_not_opened_yet_has_a_place_in_the_tree_but_no_row() -> None:
    facts = [(("C1", "customer", ""), customer(day(9))), brought("P", referral("C1", day(2)))]
    found = rows(facts, day(2))
    assert found.keys() == {"P"}
    assert (found["P"].root_id, found["P"].depth) == ("C1", 1)


def test_a_referral_converts_by_the_first_account_ever_opened_since_the_introduction() -> None:
    facts = [
        *opened("C1", "P", "Q"),
        brought("P", referral("C1", day(2))),
        (("P", "account", "A1"), account(day(7))),
        (("P", "account", "A2"), account(day(4))),
        brought("Q", referral("C1", day(2))),
        (("Q", "account", "A3"), account(day(1))),
        (("Q", "account", "A4"), account(day(4))),
    ]
    assert rows(facts, day(3))["P"].converted_on is None
    found = rows(facts, day(9))
    assert (found["P"].converted_on, found["P"].days_to_convert) == (day(4), 2)
    assert found["Q"].converted_on is None  # a customer before anyone introduced them


def test_a_referral_converts_by_the_first_loan_drawn_or_its_own_event_the_earliest_counts() -> (
    None
):
    drew = (("P", "loan", "L"), loan(Draw("D1", day(6), 5), Draw("D2", day(5), 5, day(5))))
    own = referral("C1", day(2), converted_on=day(8))
    assert rows([brought("P", own), drew], day(9))["P"].converted_on == day(5)
    assert rows([brought("P", own)], day(9))["P"].converted_on == day(8)
    assert rows([brought("P", own)], day(7))["P"].converted_on is None


def test_a_referral_may_convert_on_the_day_of_its_introduction() -> None:
    facts = [brought("P", referral("C1", day(2))), (("P", "account", "A1"), account(day(2)))]
    assert rows(facts, day(2))["P"].days_to_convert == 0


def test_what_was_declined_first_converts_nothing_any_more() -> None:
    account_after = (("P", "account", "A1"), account(day(5)))
    assert (
        rows([brought("P", referral("C1", day(2), ended_on=day(4))), account_after], day(9)) == {}
    )


def test_what_converted_first_stays_in_the_forest_though_declined_later() -> None:
    account_then = (("P", "account", "A1"), account(day(5)))
    for ended_on in (day(5), day(6)):
        row = brought("P", referral("C1", day(2), ended_on=ended_on))
        assert rows([row, account_then], day(9))["P"].converted_on == day(5)


def test_a_prospect_is_free_again_after_a_lapse() -> None:
    facts = [
        brought("P", referral("C1", day(2), ended_on=day(4))),
        brought("P", referral("C2", day(4))),
    ]
    found = [rows(facts, day(n))["P"] for n in (3, 4)]
    assert [row.referrer_id for row in found] == ["C1", "C2"]
    assert found[1].introduced_on == day(4)


def test_of_two_live_referrals_the_earliest_introduced_stands() -> None:
    facts = [brought("P", referral("C2", day(3))), brought("P", referral("C1", day(2)))]
    for order in (facts, facts[::-1]):
        assert rows(order, day(9))["P"].referrer_id == "C1"


def test_which_of_one_day_stands_is_not_told_by_an_end_dated_later() -> None:
    ended = referral("C2", day(3), ended_on=day(7))
    facts = [brought("P", ended), brought("P", referral("C1", day(3)))]
    for order in (facts, facts[::-1]):
        assert rows(order, day(6))["P"].referrer_id == "C1"
        assert rows(order, day(7)) == {}


def test_the_referral_that_closes_a_circle_stays_out() -> None:
    facts = [
        brought("A", referral("B", day(3))),
        brought("B", referral("C", day(2))),
        brought("C", referral("A", day(1))),
        brought("D", referral("D", day(1))),
    ]
    found = rows(facts, day(9))
    assert found.keys() == {"B", "C"}
    assert found["B"].root_id == "A"
    assert rows([*facts, *opened("A")], day(9))["A"].descendants == 2


def test_a_subtree_counts_all_below_without_the_node_itself() -> None:
    facts = [
        *opened("C1"),
        brought("C2", referral("C1", day(1))),
        brought("C3", referral("C2", day(2), converted_on=day(3))),
        brought("C4", referral("C1", day(2))),
        (("C1", "loan", "L0"), loan(Draw("D0", day(1), 7000))),
        (("C2", "loan", "L1"), loan(Draw("D1", day(0), 100))),
        (("C3", "loan", "L2"), loan(Draw("D2", day(1), 20), Draw("D3", day(2), 500, day(4)))),
        (("C3", "account", "A1"), account()),
        (("C3", "account", "A2"), account()),
        (("C3", "account", "A3"), account(currency="EUR")),
        *balances("C3", "A1", {day(1): 30, day(30): 90}),
        *balances("C3", "A2", {day(1): -10}),
        *balances("C3", "A3", {day(1): 5000}),
    ]
    top = rows(facts, day(9))["C1"]
    assert (top.children, top.descendants, top.converted_descendants) == (2, 3, 1)
    assert (top.subtree_drawn, top.subtree_deposits) == (120, 30)
    assert rows(facts, day(3))["C1"].subtree_drawn == 620
    leaf = rows(facts, day(9))["C3"]
    assert (leaf.depth, leaf.root_id, leaf.subtree_drawn) == (2, "C1", 0)


def test_rows_are_in_code_point_order() -> None:
    assert list(rows(opened("b", "É", "B", "a"), day(0))) == ["B", "a", "b", "É"]


# The same by brute force: live through every day, then walk the parents of every node.


def lived(book: Book, prospect: str, as_of: date) -> tuple[str, date | None] | None:
    """Return the referral that is live on a day and its conversion, by going through the days."""
    mine = [(id_, book.referrals[id_][1]) for id_ in book.referrals_of_prospect[prospect]]
    mine.sort(key=lambda item: (ended_by(as_of, item[1]), item[0]))
    accounts = [book.accounts[id_][1].opened_on for id_ in book.accounts_of.get(prospect, ())]
    draws = [d.on for id_ in book.loans_of.get(prospect, ()) for d in book.loans[id_][1].draws]
    live: tuple[str, date | None] | None = None
    on = min(row.introduced_on for _, row in mine)
    while on <= as_of:
        signs = {min(accounts, default=None), min(draws, default=None)}
        starting = [id_ for id_, row in mine if row.introduced_on == on]
        for id_ in [live[0] if live else "", *starting]:
            if not id_ or (live and id_ != live[0]):
                continue
            row = book.referrals[id_][1]
            converted_on = live[1] if live else None
            if converted_on is None and on in signs | {row.converted_on}:
                converted_on = on
            gone = converted_on is None and row.ended_on == on
            live = None if gone else (id_, converted_on)
        on += timedelta(days=1)
    return live


def ended_by(as_of: date, row: Referral) -> date:
    return row.ended_on if row.ended_on and row.ended_on <= as_of else day(999)


def parents_by_brute_force(book: Book, as_of: date) -> dict[str, str]:
    live = {who: lived(book, who, as_of) for who in book.referrals_of_prospect}
    edges = [(who, book.referrals[found[0]][1], found[0]) for who, found in live.items() if found]
    edges.sort(key=lambda e: (e[1].introduced_on, ended_by(as_of, e[1]), e[2]))
    parents: dict[str, str] = {}
    for prospect, row, _ in edges:
        if prospect not in path(parents, row.referrer_id):
            parents[prospect] = row.referrer_id
    return parents


def path(parents: dict[str, str], node: str) -> list[str]:
    way = [node]
    while way[-1] in parents:
        way.append(parents[way[-1]])
    return way


def agree_with_brute_force(book: Book, as_of: date) -> None:
    parents = parents_by_brute_force(book, as_of)
    members = {who for who, row in book.customers.items() if row.opened_on <= as_of} | set(parents)
    below: dict[str, set[str]] = {who: set() for who in members | set(parents.values())}
    for who in parents:
        for above in path(parents, who)[1:]:
            below[above].add(who)
    conversions = {who: lived(book, who, as_of) for who in parents}
    converted = {who for who, found in conversions.items() if found and found[1]}
    network = Network(nodes(book, as_of, CURRENCY))
    found = list(network.rows(all_referrers=True))
    assert [row.customer_id for row in found] == sorted(below)
    assert list(network.rows()) == [row for row in found if row.customer_id in members]
    for row in found:
        assert row == network.row(row.customer_id) == network.tree(row.customer_id)[0]
        way = path(parents, row.customer_id)
        here = below[row.customer_id]
        assert row.referrer_id == parents.get(row.customer_id)
        assert (row.root_id, row.depth) == (way[-1], len(way) - 1)
        assert row.children == list(parents.values()).count(row.customer_id)
        assert row.descendants == len(here)
        assert row.converted_descendants == len(here & converted)
        assert row.subtree_drawn == sum(drawn_by(book, who, as_of) for who in here)
        assert row.subtree_deposits == sum(held_by(book, who, as_of) for who in here)
        conversion = conversions.get(row.customer_id)
        assert row.converted_on == (conversion[1] if conversion else None)


def drawn_by(book: Book, who: str, as_of: date) -> int:
    return sum(
        draw.amount
        for id_ in book.loans_of.get(who, ())
        if book.loans[id_][1].currency == CURRENCY
        for draw in book.loans[id_][1].draws
        if draw.on <= as_of and (draw.reversed_on is None or draw.reversed_on > as_of)
    )


def held_by(book: Book, who: str, as_of: date) -> int:
    mine = [
        id_ for id_ in book.accounts_of.get(who, ()) if book.accounts[id_][1].currency == "CZK"
    ]
    return sum(book.deposit(id_, as_of) for id_ in mine)


@given(books, as_ofs)
def test_the_network_is_what_living_through_the_days_gives(book: Book, as_of: date) -> None:
    agree_with_brute_force(book, as_of)


@given(books, as_ofs)
def test_the_live_referral_of_one_is_that_of_the_forest(book: Book, as_of: date) -> None:
    edges = forest(book, as_of)
    for who in book.referrals_of_prospect:
        assert live_referral(book, who, as_of) == edges.get(who)


@needs_berka
@pytest.mark.slow
def test_the_network_of_a_real_bank_is_what_brute_force_gives() -> None:
    for as_of in ("1993-12-31", "1994-03-10", "1994-03-31"):
        agree_with_brute_force(berka(), day_of(as_of))


def test_a_chain_of_many_is_no_deeper_than_memory_allows() -> None:
    chain = [brought(f"P{n:05}", referral(f"P{n - 1:05}", day(0))) for n in range(1, 20_000)]
    found = rows(chain, day(0))
    assert found["P19999"].depth == 19_999
    assert found["P00001"].descendants == 19_998
    assert len(network(chain, day(0)).tree("P00001")) == 19_999


# Questions asked of the rows.


def family() -> Facts:
    return [
        *opened("C1", "C2"),
        brought("C4", referral("C1", day(1), converted_on=day(3))),
        brought("C3", referral("C1", day(2), converted_on=day(3))),
        brought("C5", referral("C4", day(4))),
        brought("C6", referral("C2", day(1), converted_on=day(3))),
        brought("C7", referral("C2", day(1), converted_on=day(40))),
    ]


def test_a_tree_shows_each_before_its_own_and_the_earliest_introduced_first() -> None:
    found = network(family(), day(9))
    assert [row.customer_id for row in found.tree("C1")] == ["C1", "C4", "C5", "C3"]
    assert found.tree("nobody") == []
