"""Leaders and the figures of the network, against sums written out by hand or in plain floats."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.rules.reading import DATA, RulesError, network_rules, read_rules
from projections.book import Book
from projections.bursts import BurstRow, burst_rows
from projections.leaders import LEADER_BY, LeaderRow, best, influence, leader_rows
from projections.network_figures import FigureRow, figure_rows
from projections.network_rules import Burst, Influence, NetworkRulesFile
from projections.percentiles import nearest_rank
from projections.referral_network import network_rows
from tests.books import (
    CURRENCY,
    account,
    as_ofs,
    balances,
    books,
    customer,
    day,
    loan,
    referral,
)
from tests.test_referral_network import Facts, brought, family, opened

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

RULES = network_rules(day(0))
HALF_IN_2_DAYS = Influence(half_life_days=2, depth_percent=50)
THREE_IN_7_DAYS = Burst(days=7, referrals_min=3, exempt=("guarantor",))
ONE = 1_000_000_000


def leaders(facts: Facts, as_of: date) -> dict[str, LeaderRow]:
    book = Book.from_rows(facts)
    network = list(network_rows(book, as_of, CURRENCY, all_referrers=True))
    return {row.customer_id: row for row in leader_rows(book, network, as_of, RULES)}


def weights(facts: Facts, as_of: date, rules: Influence = HALF_IN_2_DAYS) -> dict[str, int]:
    return influence(network_rows(Book.from_rows(facts), as_of, CURRENCY), as_of, rules)


def test_a_conversion_counts_one_on_its_day_and_half_after_a_half_life() -> None:
    facts = [*opened("C1"), brought("P", referral("C1", day(0), converted_on=day(1)))]
    assert [weights(facts, day(n))["C1"] for n in (0, 1, 3, 5)] == [0, ONE, ONE // 2, ONE // 4]
    assert weights(facts, day(2))["C1"] == 707_106_781  # 1/√2


def test_each_step_up_the_tree_counts_its_share_of_the_step_below() -> None:
    facts = [
        *opened("A"),
        brought("B", referral("A", day(0), converted_on=day(1))),
        brought("C", referral("B", day(0), converted_on=day(1))),
        brought("D", referral("C", day(0), converted_on=day(1))),
    ]
    assert weights(facts, day(1)) == {"A": 1_750_000_000, "B": 1_500_000_000, "C": ONE}
    alone = Influence(half_life_days=2, depth_percent=0)
    assert weights(facts, day(1), alone) == {"A": ONE, "B": ONE, "C": ONE}


def test_influence_is_lost_with_the_conversion_that_made_it() -> None:
    facts = [*opened("C1"), brought("P", referral("C1", day(0), ended_on=day(2)))]
    assert weights(facts, day(1)) == {"C1": 0}
    assert weights(facts, day(2)) == {}


@given(books, as_ofs)
def test_influence_is_the_sum_over_all_below_to_a_billionth(book: Book, as_of: date) -> None:
    rules = Influence(half_life_days=9, depth_percent=30)
    rows = {row.customer_id: row for row in network_rows(book, as_of, CURRENCY)}
    expected: dict[str, float] = {}
    for row in rows.values():
        above, share = row.referrer_id, 1.0
        while above is not None:
            own = 0.5 ** ((as_of - row.converted_on).days / 9) if row.converted_on else 0.0
            expected[above] = expected.get(above, 0.0) + own * share
            above = rows[above].referrer_id if above in rows else None
            share *= 0.3
    found = influence(rows.values(), as_of, rules)
    assert found.keys() == expected.keys()
    for id_, weight in found.items():
        assert weight / ONE == pytest.approx(expected[id_], abs=1e-9)


def test_leaders_are_those_who_brought_most_and_no_one_who_brought_nothing() -> None:
    found = list(leaders(family(), day(9)).values())
    top = best(found, "conversions", 5)
    assert [(row.customer_id, row.converted_descendants) for row in top] == [("C1", 2), ("C2", 1)]
    assert [len(best(found, by, 1)) for by in LEADER_BY] == [1, 0, 0, 1]


def test_leaders_differ_by_what_is_counted() -> None:
    facts = [
        *opened("A", "B", "C"),
        brought("P", referral("A", day(0), converted_on=day(1))),
        brought("Q", referral("A", day(0), converted_on=day(1))),
        brought("R", referral("B", day(0), converted_on=day(900))),
        brought("S", referral("C", day(0))),
        (("R", "loan", "L"), loan()),
        (("S", "account", "X"), account(day(0))),
        *balances("S", "X", {day(5): 70}),
    ]
    found = list(leaders(facts, day(900)).values())
    first = {by: best(found, by, 1)[0].customer_id for by in ("conversions", "deposits")}
    assert first == {"conversions": "A", "deposits": "C"}
    assert [row.customer_id for row in best(found, "influence", 3)] == ["B", "A", "C"]
    assert best(found, "drawn", 3) == []


def test_who_brings_people_before_being_a_customer_is_a_leader_with_the_same_figures() -> None:
    facts = [
        (("Q", "customer", ""), customer(day(9))),
        brought("P", referral("Q", day(0), converted_on=day(1))),
        brought("N", referral("P", day(1), converted_on=day(3))),
    ]
    before, after = (leaders(facts, as_of) for as_of in (day(8), day(9)))
    assert list(before) == list(after) == ["P", "Q"]
    row = before["Q"]
    assert (row.children, row.descendants, row.converted_descendants) == (1, 2, 2)
    assert (row.days_p50, row.burst_on) == (1, None)
    assert row.influence_ppb > before["P"].influence_ppb > 0
    assert after["Q"]._replace(influence_ppb=row.influence_ppb) == row
    assert [found.customer_id for found in best(before.values(), "conversions", 1)] == ["Q"]
    roots = next(row for row in figures(facts, day(8)) if row.grouped_by == "all")
    assert (roots.converted_customers, roots.converted_referrals) == (2, 1)  # P and N, and by P


def test_an_opinion_leader_brought_people_who_bring_people() -> None:
    facts = [
        *opened("A"),
        *(brought(f"P{n}", referral("A", day(0))) for n in range(3)),
        brought("Q0", referral("P0", day(1))),
    ]
    assert (leaders(facts, day(5))["A"].opinion_leader) == "no"
    facts.append(brought("Q1", referral("P1", day(4))))
    assert leaders(facts, day(3))["A"].referring_children == 1
    row = leaders(facts, day(5))["A"]
    assert (row.referring_children, row.opinion_leader, row.children) == (2, "yes", 3)


# Days to convert.


def test_a_percentile_is_the_nearest_rank() -> None:
    assert nearest_rank([], 50) is None
    assert nearest_rank([7], 90) == 7
    assert [nearest_rank([40, 15, 50, 20, 35], p) for p in (5, 30, 40, 50, 100)] == [
        15,
        20,
        20,
        35,
        50,
    ]


@given(st.lists(st.integers(0, 99), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(
    values: list[int], percent: int
) -> None:
    enough = [
        value
        for value in values
        if Fraction(sum(other <= value for other in values), len(values)) >= Fraction(percent, 100)
    ]
    assert nearest_rank(values, percent) == min(enough)


def figures(facts: Facts, as_of: date) -> list[FigureRow]:
    book = Book.from_rows(facts)
    return list(figure_rows(book, list(network_rows(book, as_of, "")), as_of))


def test_observed_k_is_converted_referrals_per_converted_customer() -> None:
    found = figures(family(), day(9))
    by_depth = [row for row in found if row.grouped_by == "depth"]
    assert [(k.group, k.converted_customers, k.converted_referrals) for k in by_depth] == [
        ("0", 2, 3),
        ("1", 3, 0),
    ]
    assert by_depth[0].k_ppm == 1_500_000
    groups = {(row.grouped_by, row.group) for row in found}
    assert {group for by, group in groups if by == "cohort"} == {"2023-12"}
    assert {group for by, group in groups if by == "branch"} == {"", "B1"}


def test_who_has_no_relationship_yet_is_of_no_branch() -> None:
    facts = [
        *opened("A"),
        (("P", "customer", ""), customer(day(9))),
        brought("P", referral("A", day(0), converted_on=day(1))),
        brought("N", referral("A", day(0), converted_on=day(1))),
    ]
    for as_of, branches in (day(8), {"": 2, "B1": 1}), (day(9), {"": 1, "B1": 2}):
        found = [row for row in figures(facts, as_of) if row.grouped_by == "branch"]
        assert {row.group: row.converted_customers for row in found} == branches


def test_days_to_convert_are_of_those_who_were_brought() -> None:
    everyone, *_ = figures(family(), day(9))
    assert (everyone.grouped_by, everyone.group) == ("all", "")
    assert (everyone.converted_customers, everyone.brought) == (
        5,
        3,
    )  # C4 and C6 in 2 days, C3 in 1
    assert (everyone.days_p50, everyone.days_p90) == (2, 2)
    roots = next(row for row in figures(family(), day(9)) if row.grouped_by == "depth")
    assert (roots.brought, roots.days_p50, roots.days_p90) == (0, None, None)
    assert leaders(family(), day(9))["C1"].days_p50 == 1


# Bursts.


def referred(*days: int, via: str = "customer") -> Facts:
    return [
        brought(
            f"P{n}", referral("A", day(on), converted_on=day(on + 1) if n == 0 else None, via=via)
        )
        for n, on in enumerate(days)
    ]


def bursts(facts: Facts, as_of: date, rules: Burst = THREE_IN_7_DAYS) -> list[BurstRow]:
    return list(burst_rows(Book.from_rows(facts), as_of, rules))


def test_a_burst_is_many_referrals_within_a_week_both_ends_included() -> None:
    assert bursts(referred(0, 3, 7), day(50)) == []
    assert bursts(referred(0, 3, 6), day(50)) == [BurstRow("A", day(0), day(6), 3, 1)]


def test_stretches_that_overlap_are_one_burst_and_others_are_not() -> None:
    found = bursts(referred(0, 1, 2, 7, 8, 30, 31, 31), day(50))
    assert [(row.first_on, row.last_on, row.referrals) for row in found] == [
        (day(0), day(8), 5),
        (day(30), day(31), 3),
    ]


def test_windows_that_share_a_single_referral_are_one_burst() -> None:
    [found] = bursts(referred(0, 5, 6, 12, 12), day(50))
    assert (found.first_on, found.last_on, found.referrals) == (day(0), day(12), 5)


def test_a_burst_is_not_seen_before_it_happened_nor_made_of_guarantors() -> None:
    assert bursts(referred(0, 1, 2), day(1)) == []
    assert bursts(referred(0, 1, 2, via="guarantor"), day(9)) == []


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 4), st.integers(1, 9))
def test_a_referral_is_in_a_burst_where_some_window_around_it_is_full(
    days: list[int], least: int, width: int
) -> None:
    windows = [range(first, first + width) for first in range(-width, 42)]
    full = [window for window in windows if sum(on in window for on in days) >= least]
    expected = sorted(on for on in days if any(on in window for window in full))
    found = bursts(referred(*days), day(99), Burst(days=width, referrals_min=least))
    assert sum(row.referrals for row in found) == len(expected)
    for row in found:
        assert (row.first_on - day(0)).days in expected
        assert (row.last_on - day(0)).days in expected
    for before, after in pairwise(found):
        assert before.last_on <= after.first_on


# Rules.


def test_the_rules_in_force_on_the_date_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
        [[versions]]
        version = {0}
        in_force_from = {1}
        influence = {{ half_life_days = {0}, depth_percent = 50 }}
        burst = {{ days = 7, referrals_min = 5 }}
        opinion_leader = {{ referring_children_min = 2 }}
    """
    told = text.format(1, "2020-01-01") + text.format(2, "2024-01-01")
    (tmp_path / "network.toml").write_text(told, "utf-8")
    monkeypatch.setenv("GUANXI_RULES", str(tmp_path))
    first = day(22)  # 1 January 2024
    days = (first - timedelta(days=1), first, first - timedelta(days=9999))
    assert [network_rules(on).version for on in days] == [1, 2, 1]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("half_life_days = 180", "half_life_days = 0"),
        ("depth_percent = 50", "depth_percent = 101"),
        ("referrals_min = 5", "referrals_min = 0"),
        ("in_force_from = 1990-01-01", "in_force_from = 'soon'"),
        ("days = 7", "weeks = 1"),
    ],
)
def test_rules_that_make_no_sense_are_refused(was: str, becomes: str, tmp_path: Path) -> None:
    text = (DATA / "network.toml").read_text("utf-8")
    assert was in text
    (tmp_path / "network.toml").write_text(text.replace(was, becomes), "utf-8")
    with pytest.raises(RulesError):
        read_rules(tmp_path / "network.toml", NetworkRulesFile)
