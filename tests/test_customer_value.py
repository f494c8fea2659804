"""What a customer contributes, who the best are, and which tier fits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from infra.rules.reading import DATA, RulesError, read_rules, value_rules
from projections.book import Book
from projections.customer_value import ValueRow, top_share, value_rows
from projections.facts import Draw, Paid, Profile, Settlement, TierFrom
from projections.value_rules import ValueRules
from tests.books import (
    CURRENCY,
    START,
    account,
    as_ofs,
    balances,
    books,
    customer,
    day,
    loan,
    referral,
)

if TYPE_CHECKING:
    from pathlib import Path

    from projections.facts import Key, Row

RULES = value_rules()
Told = list[tuple["Key", "Row"]]


def values(told: Told, as_of: date) -> dict[str, ValueRow]:
    rows = value_rows(Book.from_rows(told), as_of, CURRENCY, RULES)
    return {row.customer_id: row for row in rows}


def holds(who: str, held: dict[date, int], opened_on: date = START, **changes: object) -> Told:
    """Return a customer with one account and its balances."""
    person = replace(customer(min(opened_on, START)), **changes)  # type: ignore[arg-type]  # of a customer
    return [
        ((who, "customer", ""), person),
        ((who, "account", f"{who}-A"), account(opened_on)),
        *balances(who, f"{who}-A", held),
    ]


def pays(who: str, interest: int) -> tuple[Key, Row]:
    paid = Paid(f"{who}-P", day(1), 0, interest)
    return (who, "loan", f"{who}-L"), loan(repayments=(paid,))


def test_interest_counts_for_a_year_until_it_is_reversed() -> None:
    reversed_later = Paid("P2", day(2), 0, 70, day(30))
    lent = loan(repayments=(Paid("P1", day(1), 0, 500), reversed_later))
    told: Told = [(("C1", "customer", ""), customer()), (("C1", "loan", "L1"), lent)]
    found = [values(told, day(n))["C1"].interest for n in (0, 1, 2, 30, 365, 366)]
    assert found == [0, 500, 570, 500, 500, 0]


def test_deposits_earn_their_margin_by_the_day_rounded_half_up() -> None:
    for balance, days, expected in (
        (365, 1, 0),
        (12_167, 1, 1),
        (12_166, 1, 0),
        (100_000, 365, 1_500),
    ):
        told = holds("C1", {day(0): balance})
        assert values(told, day(days - 1))["C1"].deposit_value == expected


def test_a_referrer_is_credited_with_a_share_of_what_they_brought() -> None:
    told: Told = [(("C1", "customer", ""), customer())]
    told += [(("C2", "customer", ""), customer()), pays("C2", 1_005)]
    brought = referral("C1", day(0), converted_on=day(5))
    guarantor = replace(brought, via="guarantor")
    for introduced, n, expected in ((brought, 4, 0), (brought, 5, 101), (guarantor, 5, 0)):
        row = values([*told, (("C2", "referral", "R1"), introduced)], day(n))["C1"]
        assert (row.brought, row.own, row.contribution) == (expected, 0, expected)


def test_the_ranking_is_by_contribution_and_of_equals_by_id() -> None:
    told: Told = [((who, "customer", ""), customer()) for who in ("C1", "C2", "C3", "C4")]
    told += [pays("C2", 70), pays("C3", 70), pays("C4", 60)]
    rows = values(told, day(5))
    assert [(id_, row.rank) for id_, row in rows.items()] == [
        ("C2", 1),
        ("C3", 2),
        ("C4", 3),
        ("C1", 4),
    ]
    assert [row.share_ppm for row in rows.values()] == [350_000, 350_000, 300_000, 0]
    assert [row.cumulative_share_ppm for row in rows.values()] == [
        350_000,
        700_000,
        1_000_000,
        1_000_000,
    ]


def test_the_best_fifth_and_its_share_are_told() -> None:
    told: Told = [((f"C{n}", "customer", ""), customer()) for n in range(6)]
    told += [pays("C3", 75), pays("C4", 15), pays("C5", 10)]
    found = top_share(list(values(told, day(5)).values()), RULES)
    assert (found.customers, found.of, found.share_ppm) == (2, 6, 900_000)
    none = top_share([], RULES)
    assert (none.customers, none.of, none.share_ppm) == (0, 0, 0)


def test_a_tier_fits_by_rank_and_a_high_potential_lifts_it() -> None:
    told: Told = []
    for n in range(20):
        told += [((f"C{n:02}", "customer", ""), customer()), pays(f"C{n:02}", 100 - n)]
    market = replace(customer(), profiles=(Profile(day(0), "market", "B1"),))
    told += [((f"D{n}", "customer", ""), market) for n in range(2)]
    told.append(pays("D0", 98))
    rows = values(told, day(5))
    fits = {id_: row.suggested_tier for id_, row in rows.items()}
    assert fits["C00"] == "platinum"
    assert (rows["C02"].rank, fits["C02"]) == (3, "gold")
    assert (rows["D0"].rank, rows["D0"].potential, fits["D0"]) == (4, "high", "platinum")
    assert (rows["C03"].rank, fits["C03"], fits["C19"]) == (5, "standard", "standard")
    assert fits["D1"] == "gold"


def tiered(*tiers: TierFrom) -> Told:
    return [(("C1", "customer", ""), replace(customer(), tiers=tiers))]


def test_a_tier_holds_two_years_and_is_reviewed_before() -> None:
    told = tiered(TierFrom(day(10), "gold"))
    found = [values(told, day(n))["C1"].tier_status for n in (9, 10, 99, 100, 739, 740)]
    assert found == ["none", "valid", "valid", "review_due", "review_due", "lapsed"]
    row = values(told, day(740))["C1"]
    assert (row.tier, row.tier_valid_to, row.review_on) == ("gold", day(739), day(100))


def test_a_review_on_a_day_agreed_on_goes_before_the_rules() -> None:
    told = tiered(TierFrom(day(10), "gold", day(20)))
    assert [values(told, day(n))["C1"].tier_status for n in (19, 20)] == ["valid", "review_due"]


def a_year(**by_month: int) -> dict[date, int]:
    """Return a balance on the first of each month of 2024: 100 unless told."""
    return {date(2024, n, 1): by_month.get(f"m{n}", 100) for n in range(1, 13)}


def test_busy_months_hold_little_and_idle_ones_own_funds() -> None:
    told = holds("C1", a_year(m5=10, m9=10, m12=400), date(2024, 1, 1))
    row = values(told, date(2024, 12, 31))["C1"]
    assert (row.busy_months, row.idle_months, row.own_funds) == ("5 9", "12", 400)
    lent = loan(Draw("D1", date(2024, 6, 1), 150))
    row = values([*told, (("C1", "loan", "L1"), lent)], date(2024, 12, 31))["C1"]
    assert row.own_funds == 250


def test_a_loan_repaid_beyond_its_draws_adds_nothing_to_own_funds() -> None:
    told = holds("C1", a_year(m12=400), date(2024, 1, 1))
    drawn = Draw("D1", date(2024, 1, 2), 1000)
    over = loan(drawn, repayments=(Paid("P1", date(2024, 5, 1), 1500, 0),))
    told += [(("C1", "loan", "L1"), over)]
    assert values(told, date(2024, 12, 31))["C1"].own_funds == 400
    told += [(("C1", "loan", "L2"), loan(Draw("D2", date(2024, 6, 1), 150)))]
    assert values(told, date(2024, 12, 31))["C1"].own_funds == 250


def test_only_whole_months_with_deposits_have_seasons() -> None:
    told = holds("C1", a_year(m12=400), date(2024, 1, 1))
    assert values(told, date(2024, 12, 30))["C1"].idle_months == ""
    assert values(told, date(2025, 1, 15))["C1"].idle_months == "12"
    late = holds("C1", a_year(m12=400), date(2024, 1, 2))
    assert values(late, date(2024, 12, 31))["C1"].idle_months == ""


def test_even_deposits_have_no_season() -> None:
    told = holds("C1", a_year(), date(2024, 1, 1))
    row = values(told, date(2024, 12, 31))["C1"]
    assert (row.busy_months, row.idle_months, row.own_funds) == ("", "", None)


def test_the_share_of_settlement_flows_is_that_of_the_periods_seen_in_a_year() -> None:
    def seen(name: str, to: int, total: int, ours: int, currency: str = CURRENCY) -> Told:
        row = Settlement(
            seen_on=day(to + 2),
            from_on=day(to - 5),
            to_on=day(to),
            currency=currency,
            total=total,
            through_us=ours,
        )
        return [(("C1", "settlement", name), row)]

    told = [*holds("C1", {}), *seen("F1", 10, 100, 50), *seen("F2", 20, 200, 40)]
    told += seen("F3", 20, 900, 900, "EUR")
    found = {n: values(told, day(n))["C1"].settlement_ppm for n in (11, 12, 22, 375, 385)}
    assert found == {11: None, 12: 500_000, 22: 300_000, 375: 200_000, 385: None}


@pytest.mark.parametrize(
    ("later", "expected"),
    [(81, "steady"), (80, "falling"), (119, "steady"), (120, "rising")],
)
def test_drift_is_against_the_customers_own_past(later: int, expected: str) -> None:
    told = holds("C1", {day(0): 100, day(90): later})
    assert values(told, day(179))["C1"].drift == expected
    assert values(told, day(178))["C1"].drift is None


def test_nothing_held_does_not_drift() -> None:
    assert values(holds("C1", {}), day(400))["C1"].drift is None


def test_who_has_left_is_not_ranked() -> None:
    told = holds("C1", {day(0): 100}, closed_on=day(5))
    assert list(values(told, day(4))) == ["C1"]
    assert values(told, day(5)) == {}


@given(books, as_ofs)
def test_shares_add_up_and_every_customer_is_ranked_once(book: Book, as_of: date) -> None:
    rows = list(value_rows(book, as_of, "CZK", RULES))
    assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
    assert all(row.own == row.interest + row.deposit_value for row in rows)
    assert all(row.contribution == row.own + row.brought for row in rows)
    contributions = [row.contribution for row in rows]
    assert contributions == sorted(contributions, reverse=True)
    if sum(row.own for row in rows):
        assert rows[-1].cumulative_share_ppm == 1_000_000
        assert abs(sum(row.share_ppm for row in rows) - 1_000_000) <= len(rows)


@given(books, as_ofs)
def test_the_value_of_deposits_is_that_of_their_days(book: Book, as_of: date) -> None:
    for row in value_rows(book, as_of, "CZK", RULES):
        own = book.accounts_in(row.customer_id, "CZK")
        days = range((as_of - START).days + 1)
        held = sum(book.deposit(a, as_of - timedelta(n)) for a in own for n in days)
        assert abs(row.deposit_value - held * 150 / 10_000 / 365) <= 0.5


@pytest.mark.parametrize(
    ("entry", "instead", "told"),
    [
        (
            "top_percent = 100",
            "top_percent = 90",
            "tier.ladder: the last top_percent is 90, not 100",
        ),
        ("top_percent = 20", "top_percent = 5", "tier.ladder: top_percent 5 follows 5; they rise"),
        ('otherwise = "medium"', 'otherwise = "middling"', "potential.otherwise"),
        ("brought_percent", "brought_share", "contribution.brought_share is not one of"),
    ],
)
def test_rules_of_value_are_checked(tmp_path: Path, entry: str, instead: str, told: str) -> None:
    text = (DATA / "value.toml").read_text("utf-8")
    assert entry in text
    path = tmp_path / "value.toml"
    path.write_text(text.replace(entry, instead), "utf-8")
    with pytest.raises(RulesError, match=told):
        read_rules(path, ValueRules)
