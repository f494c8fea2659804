"""What counts, what is required, and what a window's status is, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.commitment import CountedAccount
from projections.facts import (
    Draw,
    Paid,
)
from tests.compliance_book import (
    HUNDRED,
    LONG_AGO,
    agreed,
    book,
    first_row,
    loan,
    march,
    status_of,
)

if TYPE_CHECKING:
    from domain.commitment import Metric
    from tests.compliance_book import Told


def test_the_worked_example_is_cured_on_the_second_cure_day() -> None:
    found = book(HUNDRED, {"A1": (120, 120, 50, 90, 110, 110)})
    asked = [first_row(found, march(day)) for day in (4, 5, 6, 30)]
    assert [row.status for row in asked] == ["in_cure", "in_cure", "cured", "cured"]
    assert [row.cured_on for row in asked] == [None, None, march(6), march(6)]
    assert {(row.balance_days, row.required_days, row.shortfall) for row in asked} == {
        (380, 400, 20)
    }


def test_what_is_still_missing_after_the_cure_days_is_a_breach() -> None:
    found = book(HUNDRED, {"A1": (120, 120, 50, 90, 110, 105, 104, 200)})
    assert [status_of(found, march(day)) for day in (7, 8)] == ["in_cure", "breached"]


def test_a_cure_day_below_the_requirement_takes_from_the_sum() -> None:
    found = book(HUNDRED, {"A1": (120, 120, 50, 90, 115, 90, 110)})
    assert status_of(found, march(7)) == "in_cure"


def test_an_unknown_cure_day_adds_nothing() -> None:
    terms = replace(HUNDRED, missing_days=0)
    found = book(terms, {"A1": (120, 120, 50, 90, 110, None, 110)})
    assert first_row(found, march(7)).cured_on == march(7)


def test_the_cap_does_not_hold_on_cure_days() -> None:
    found = book(replace(HUNDRED, cap_ppm=1_000_000), {"A1": (120, 120, 50, 90, 160)})
    assert first_row(found, march(4)).shortfall == 60
    assert first_row(found, march(5)).cured_on == march(5)


@pytest.mark.parametrize("metric", ["minimum", "ending"])
def test_a_minimum_and_an_ending_are_cured_by_an_observed_day(metric: Metric) -> None:
    terms = replace(HUNDRED, metric=metric)
    found = book(terms, {"A1": (120, 120, 50, 90, 99, 100)})
    other = {"A2": (0, 0, 0, 0, 0, None, 0)}
    carried = book(terms, {"A1": (120, 120, 50, 90, 99, 100, 100), **other})
    assert first_row(found, march(7)).cured_on == march(6)
    assert first_row(carried, march(7)).cured_on == march(7)


def test_the_shortfall_of_a_minimum_is_its_largest_gap_and_of_an_ending_its_last() -> None:
    held = {"A1": (120, 120, 50, 90)}
    assert first_row(book(replace(HUNDRED, metric="minimum"), held), march(4)).shortfall == 50
    assert first_row(book(replace(HUNDRED, metric="ending"), held), march(4)).shortfall == 10


def test_cure_days_follow_the_grace_days_and_the_last_day_is_a_day_of_grace() -> None:
    terms = replace(HUNDRED, grace_days=2)
    found = book(terms, {"A1": (120, 120, 50, 90, 200, 200, 105, 105, 105)})
    expected = ["on_track", "at_risk", *["in_grace"] * 3, *["in_cure"] * 3, "breached"]
    assert [status_of(found, march(day)) for day in range(2, 11)] == expected
    assert first_row(found, march(5)).shortfall == 20


def test_the_last_day_is_a_breach_without_grace_and_cure() -> None:
    found = book(replace(HUNDRED, cure_days=0), {"A1": (0, 0, 0, 0)})
    assert status_of(found, march(4)) == "breached"


def test_grace_comes_before_unknown_and_unknown_before_cure() -> None:
    held: dict[str, Told] = {"A1": (120, None, 50, 90)}
    terms = replace(HUNDRED, missing_days=0)
    assert status_of(book(terms, held), march(4)) == "unknown"
    with_grace = book(replace(terms, grace_days=1), held)
    asked = [first_row(with_grace, march(day)) for day in (3, 4, 5, 6)]
    assert [row.status for row in asked] == ["unknown", "in_grace", "in_grace", "unknown"]
    assert {row.shortfall for row in asked} == {None}


def test_the_shortfall_is_empty_while_the_window_runs_and_0_when_met() -> None:
    found = book(HUNDRED, {"A1": (120, 120, 120, 90)})
    assert first_row(found, march(3)).shortfall is None
    assert first_row(found, march(4))[-4:] == (0, None, "met", None)


def test_a_negative_balance_counts_0_account_by_account() -> None:
    found = book(HUNDRED, {"A1": (-500, -500, 0, 1), "A2": (100, 100, 100, 100)})
    assert first_row(found, march(4)).balance_days == 401


def test_an_account_counts_0_and_known_before_it_was_opened() -> None:
    held: dict[str, Told] = {"A1": (None, None, 50, 60)}
    row = first_row(book(HUNDRED, held, opened_on={"A1": march(3)}), march(4))
    assert (row.balance_days, row.unknown_days) == (110, 0)


def test_a_listed_account_counts_0_and_known_outside_its_dates_on_cure_days_too() -> None:
    listed = (
        CountedAccount(account_id="A1"),
        CountedAccount(account_id="B1", counted_from=march(2), counted_to=march(4)),
    )
    held: dict[str, Told] = {
        "A1": (50, 50, 50, 50, 119, 120),
        "A2": (900,) * 6,
        "B1": (None, 40, 50, 60, 900, None),
    }
    row = first_row(book(replace(HUNDRED, accounts=listed, missing_days=0), held), march(6))
    assert (row.balance_days, row.unknown_days, row.shortfall) == (350, 0, 50)
    assert row.status == "in_cure"


def test_an_account_listed_twice_counts_once_on_each_day() -> None:
    listed = (
        CountedAccount(account_id="A1", counted_to=march(3)),
        CountedAccount(account_id="A1", counted_from=march(2)),
    )
    found = book(replace(HUNDRED, accounts=listed), {"A1": (1, 10, 100, 1000)})
    assert first_row(found, march(4)).balance_days == 1111


def test_a_day_is_carried_once_however_many_accounts_were() -> None:
    found = book(HUNDRED, {"A1": (50, None, None, 50), "A2": (30, None, 30, 30)})
    row = first_row(found, march(4))
    assert (row.carried_days, row.unknown_days, row.balance_days) == (2, 0, 320)


def test_a_balance_is_carried_no_further_than_the_missing_days() -> None:
    held: dict[str, Told] = {"A1": (50, None, None, None), "A2": (30, 30, 30, 30)}
    row = first_row(book(replace(HUNDRED, missing_days=2), held), march(4))
    assert (row.carried_days, row.unknown_days, row.balance_days) == (2, 1, 240)
    row = first_row(book(replace(HUNDRED, missing_days=0), held), march(4))
    assert (row.carried_days, row.unknown_days, row.balance_days) == (0, 3, 80)


def test_a_balance_is_carried_into_the_window() -> None:
    terms = replace(HUNDRED, starts_on=march(3))
    row = first_row(book(terms, {"A1": (70, 80, None, 90)}), march(4))
    assert (row.carried_days, row.balance_days) == (1, 170)


def test_no_account_to_count_is_0_known_and_at_risk_even_where_nothing_is_required() -> None:
    row = first_row(book(HUNDRED), march(2))
    assert (row.balance_days, row.unknown_days, row.status) == (0, 0, "at_risk")
    nothing = replace(HUNDRED, requirement_value=0)
    assert status_of(book(nothing), march(2)) == "at_risk"
    assert status_of(book(nothing, {"A1": (0, 0)}), march(2)) == "on_track"
    assert status_of(book(nothing), march(4)) == "met"


def test_each_day_counts_at_most_the_cap() -> None:
    found = book(replace(HUNDRED, cap_ppm=1_205_000), {"A1": (500, 121, 120, 50)})
    assert first_row(found, march(4)).balance_days == 121 + 121 + 120 + 50


def test_the_uncapped_total_is_held_flat_and_capped_as_each_coming_day_is() -> None:
    profile = (1_000_000,) * 3 + (5_000_000,) + (1_000_000,) * 8
    terms = replace(
        HUNDRED, ends_on=march(32), window="term", seasonal_profile=profile, cap_ppm=1_000_000
    )
    assert status_of(book(terms, {"A1": (500,) * 5}), march(5)) == "on_track"
    assert status_of(book(terms, {"A1": (500,) * 4 + (499,)}), march(5)) == "at_risk"


def test_a_minimum_once_missed_is_at_risk() -> None:
    found = book(replace(HUNDRED, metric="minimum"), {"A1": (99, 500)})
    assert status_of(found, march(2)) == "at_risk"


def test_an_ending_is_judged_on_an_observed_last_day_only() -> None:
    terms = replace(HUNDRED, metric="ending")
    row = first_row(book(terms, {"A1": (100, 100, 100)}), march(4))
    assert (row.status, row.carried_days, row.unknown_days) == ("unknown", 1, 0)
    assert row.shortfall is None
    assert status_of(book(terms, {"A1": (0, 0, 0, 100)}), march(4)) == "met"
    assert status_of(book(terms, {"A1": (100, 100, 100)}), march(3)) == "on_track"


def test_each_percentage_rounds_half_up_before_the_next_is_taken() -> None:
    terms = replace(
        HUNDRED,
        requirement_kind="percent_of_drawn",
        requirement_value=100_000,
        seasonal_profile=(500_000,) * 12,
        cap_ppm=500_000,
    )
    drawn = {"L1": loan(Draw("D1", march(1), 25))}
    row = first_row(book(terms, {"A1": (9,) * 4}, drawn), march(4))
    assert (row.required_days, row.balance_days) == (8, 4)  # 2.5 → 3, 1.5 → 2, 1 → 1


def test_draws_count_from_their_day_until_reversed_and_those_to_come_are_not_known() -> None:
    terms = replace(HUNDRED, requirement_kind="percent_of_drawn", requirement_value=1_000_000)
    early = Draw("D3", march(3), 7, reversed_on=march(1))
    drawn = {"L1": loan(Draw("D1", march(1), 10, march(3)), Draw("D2", march(2), 1), early)}
    found = book(agreed(terms, loan_id="L1"), {"A1": (9,) * 4}, drawn)
    assert [first_row(found, march(day)).required_days for day in (1, 2, 3)] == [40, 43, 23]


def test_what_is_outstanding_is_at_least_0_and_a_bounced_repayment_stands_no_more() -> None:
    terms = replace(
        HUNDRED, requirement_kind="percent_of_outstanding", requirement_value=1_000_000
    )
    paid = (
        Paid("P1", march(2), 4, 0),
        Paid("P2", march(3), 100, 0, reversed_on=march(4)),
        Paid("P3", march(3), 5, 0, reversed_on=march(1)),
    )
    found = book(terms, {"A1": (9,) * 4}, {"L1": loan(Draw("D", march(1), 10), paid=paid)})
    assert first_row(found, march(4)).required_days == 10 + 6 + 0 + 6


def test_a_percentage_without_a_loan_is_of_all_the_customers_loans() -> None:
    terms = replace(HUNDRED, requirement_kind="percent_of_drawn", requirement_value=500_000)
    drawn = {"L1": loan(Draw("D1", LONG_AGO, 10)), "L2": loan(Draw("D2", LONG_AGO, 100))}
    assert first_row(book(terms, {}, drawn), march(4)).required_days == 4 * 55
    of_one = agreed(terms, loan_id="L2")
    assert first_row(book(of_one, {}, drawn), march(4)).required_days == 4 * 50
