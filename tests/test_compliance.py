"""The rules of deposit compliance, one by one. Amounts in minor units, March 2024 unless told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeAlias

import pytest

from domain.commitment import CountedAccount, Terms
from projections.book import Book
from projections.deposit_compliance import (
    ComplianceRow,
    compliance_rows,
    days_of_window,
    statuses,
)
from projections.facts import (
    Account,
    BalanceMonth,
    Commitment,
    Draw,
    Loan,
    Paid,
    TermsFrom,
    Waiver,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.commitment import Metric, WindowKind
    from projections.facts import Key, Row

Told: TypeAlias = "tuple[int | None, ...]"

LONG_AGO = date(2024, 1, 1)


def march(day: int) -> date:
    """Return a day of March, the 32nd being 1 April."""
    return date(2024, 3, 1) + timedelta(day - 1)


HUNDRED = Terms(
    starts_on=march(1),
    ends_on=march(4),
    metric="average",
    window="month",
    requirement_kind="amount",
    requirement_value=100,
    currency="CZK",
    cure_days=3,
    consequence_kind="none",
    consequence_value=0,
)
LONGER = replace(HUNDRED, ends_on=march(31), cure_days=0)


def agreed(terms: Terms, *amendments: TermsFrom, loan_id: str | None = None) -> Commitment:
    return Commitment(
        loan_id=loan_id,
        agreed_on=LONG_AGO,
        terms=(TermsFrom(LONG_AGO, terms.starts_on, terms), *amendments),
    )


def book(
    commitment: Terms | Commitment,
    balances: Mapping[str, Told] | None = None,
    loans: Mapping[str, Loan] | None = None,
    opened_on: Mapping[str, date] | None = None,
) -> Book:
    """Assemble a book; balances begin on 1 March, accounts named B… are a related party's."""
    if isinstance(commitment, Terms):
        commitment = agreed(commitment)
    rows: list[tuple[Key, Row]] = [(("C1", "commitment", "K1"), commitment)]
    for account_id, told in (balances or {}).items():
        owner = "C2" if account_id.startswith("B") else "C1"
        opened = (opened_on or {}).get(account_id, LONG_AGO)
        account = Account(kind="current", currency="CZK", opened_on=opened)
        rows.append(((owner, "account", account_id), account))
        for month, first in (("2024-03", 0), ("2024-04", 31), ("2024-05", 61)):
            days = told[first : first + (30 if month == "2024-04" else 31)]
            if days:
                days += (None,) * (31 - len(days))
                rows.append(((owner, "balances", f"{account_id}/{month}"), BalanceMonth(days)))
    rows += [(("C1", "loan", loan_id), loan) for loan_id, loan in (loans or {}).items()]
    return Book.from_rows(rows)


def loan(*draws: Draw, paid: tuple[Paid, ...] = ()) -> Loan:
    return Loan(approved_on=LONG_AGO, principal=1000, currency="CZK", draws=draws, repayments=paid)


def first_row(found: Book, as_of: date) -> ComplianceRow:
    return next(compliance_rows(found, as_of, "CZK"))


def status_of(found: Book, as_of: date) -> str:
    return first_row(found, as_of).status


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
    drawn = {"L1": loan(Draw("D1", march(1), 10, march(3)), Draw("D2", march(2), 1))}
    found = book(agreed(terms, loan_id="L1"), {"A1": (9,) * 4}, drawn)
    assert [first_row(found, march(day)).required_days for day in (1, 2, 3)] == [40, 43, 23]


def test_what_is_outstanding_is_at_least_0_and_a_bounced_repayment_stands_no_more() -> None:
    terms = replace(
        HUNDRED, requirement_kind="percent_of_outstanding", requirement_value=1_000_000
    )
    paid = (Paid("P1", march(2), 4, 0), Paid("P2", march(3), 100, 0, march(4)))
    found = book(terms, {"A1": (9,) * 4}, {"L1": loan(Draw("D", march(1), 10), paid=paid)})
    assert first_row(found, march(4)).required_days == 10 + 6 + 0 + 6


def test_a_percentage_without_a_loan_is_of_all_the_customers_loans() -> None:
    terms = replace(HUNDRED, requirement_kind="percent_of_drawn", requirement_value=500_000)
    drawn = {"L1": loan(Draw("D1", LONG_AGO, 10)), "L2": loan(Draw("D2", LONG_AGO, 100))}
    assert first_row(book(terms, {}, drawn), march(4)).required_days == 4 * 55
    of_one = agreed(terms, loan_id="L2")
    assert first_row(book(of_one, {}, drawn), march(4)).required_days == 4 * 50


def test_calendar_windows_are_clipped_to_the_commitments_dates() -> None:
    starts: dict[WindowKind, list[tuple[int, int]]] = {
        "month": [(1, 15), (1, 31), (2, 1), (2, 29), (3, 1), (3, 31)],
        "quarter": [(1, 15), (3, 31), (4, 1), (6, 30), (7, 1), (9, 10)],
        "half_year": [(1, 15), (6, 30), (7, 1), (9, 10)],
        "year": [(1, 15), (9, 10)],
        "term": [(1, 15), (9, 10)],
    }
    for kind, ends in starts.items():
        terms = replace(
            HUNDRED, window=kind, starts_on=date(2024, 1, 15), ends_on=date(2024, 9, 10)
        )
        rows = compliance_rows(book(terms), date(2024, 12, 31), "CZK")
        told = [day for row in rows for day in (row.window_start, row.window_end)]
        assert [(day.month, day.day) for day in told][:6] == ends


def test_a_window_not_begun_and_a_commitment_agreed_later_have_no_row() -> None:
    found = book(HUNDRED)
    assert not list(compliance_rows(found, march(0), "CZK"))
    later = book(replace(agreed(HUNDRED), agreed_on=march(3)))
    assert not list(compliance_rows(later, march(2), "CZK"))
    assert first_row(later, march(3)).days == 3


def test_the_run_rate_is_rounded_up_at_least_0_and_of_a_running_average_only() -> None:
    found = book(HUNDRED, {"A1": (120, 115, 400, 0)})
    assert [first_row(found, march(day)).needed_run_rate for day in (1, 2, 3, 4)] == [
        94,  # 280 / 3
        83,  # 165 / 2
        0,
        None,
    ]
    minimum = book(replace(HUNDRED, metric="minimum"), {"A1": (120,)})
    assert first_row(minimum, march(1)).needed_run_rate is None


def test_a_surplus_counts_in_the_next_window_of_the_same_longer_period_only() -> None:
    told: Told = (150, *(100,) * 30, 90, *(100,) * 29, 90, *(100,) * 30)
    of_march = replace(LONGER, ends_on=date(2024, 5, 31), netting="carry_surplus")
    of_april = replace(of_march, starts_on=date(2024, 4, 1))
    less = replace(of_april, requirement_value=99)
    asked = {
        name: list(compliance_rows(book(terms, {"A1": told}), date(2024, 5, 31), "CZK"))
        for name, terms in (("march", of_march), ("april", of_april), ("less", less))
    }
    assert [row.shortfall for row in asked["march"]] == [0, 10, 10]
    assert [row.shortfall for row in asked["april"]] == [10, 10]
    assert [row.balance_days - row.required_days for row in asked["less"]] == [20, 21]


@pytest.mark.parametrize(
    ("window", "second", "status"),
    [
        ("month", date(2024, 6, 1), "met"),
        ("month", date(2024, 7, 1), "breached"),
        ("quarter", date(2024, 4, 1), "met"),
        ("quarter", date(2024, 7, 1), "breached"),
        ("half_year", date(2024, 7, 1), "met"),
        ("half_year", date(2025, 1, 1), "breached"),
        ("year", date(2025, 1, 1), "breached"),
    ],
)
def test_a_surplus_is_netted_within_the_longer_period(
    window: WindowKind, second: date, status: str
) -> None:
    first = second - timedelta(1)
    terms = replace(
        LONGER, starts_on=first, ends_on=second, window=window, netting="carry_surplus"
    )
    months: dict[str, Told] = {
        first.isoformat()[:7]: ((None,) * (first.day - 1) + (101,) + (None,) * 31)[:31],
        second.isoformat()[:7]: (99, *(None,) * 30),
    }
    account = Account(kind="current", currency="CZK", opened_on=LONG_AGO)
    rows: list[tuple[Key, Row]] = [
        (("C1", "commitment", "K1"), agreed(terms)),
        (("C1", "account", "A1"), account),
        *((("C1", "balances", f"A1/{name}"), BalanceMonth(told)) for name, told in months.items()),
    ]
    found = list(compliance_rows(Book.from_rows(rows), second, "CZK"))
    assert [row.status for row in found] == ["met", status]


def quarters(told: Told, as_of: date) -> ComplianceRow:
    """Return May's row of a monthly average of 100 over April and May, told from 1 April."""
    terms = replace(
        LONGER,
        starts_on=date(2024, 4, 1),
        ends_on=date(2024, 5, 31),
        netting="carry_surplus",
        missing_days=0,
    )
    found = book(terms, {"A1": (None,) * 31 + told})
    return list(compliance_rows(found, as_of, "CZK"))[1]


def test_a_carried_surplus_counts_in_test_shortfall_and_run_rate_but_not_in_the_column() -> None:
    richer = (160,) + (100,) * 29
    may = quarters((*richer, *(98,) * 31), date(2024, 5, 31))
    assert (may.status, may.balance_days, may.shortfall) == ("breached", 98 * 31, 2)
    may = quarters((*richer, 70, *(99,) * 30), date(2024, 5, 31))
    assert (may.status, may.shortfall) == ("met", 0)
    may = quarters((*richer, *(98,) * 30), date(2024, 5, 30))
    assert (may.status, may.needed_run_rate) == ("at_risk", 100)
    may = quarters((*richer, 70, *(99,) * 29), date(2024, 5, 30))
    assert (may.status, may.needed_run_rate) == ("on_track", 99)


def test_a_window_with_an_unknown_day_carries_no_surplus() -> None:
    may = quarters(((500,) * 29 + (None,)) + (99,) * 31, date(2024, 5, 31))
    assert (may.status, may.shortfall) == ("breached", 31)


def test_an_amendment_changes_the_requirement_from_its_day_once_it_is_told() -> None:
    doubled = TermsFrom(march(4), march(3), replace(HUNDRED, requirement_value=200))
    found = book(agreed(HUNDRED, doubled))
    assert [first_row(found, march(day)).required_days for day in (3, 4)] == [400, 600]


def test_an_amendment_of_the_metric_or_the_kind_of_window_begins_another_window() -> None:
    minimum = TermsFrom(march(5), march(11), replace(LONGER, metric="minimum"))
    rows = list(compliance_rows(book(agreed(LONGER, minimum)), march(31), "CZK"))
    assert [(row.metric, row.window_start, row.window_end) for row in rows] == [
        ("average", march(1), march(10)),
        ("minimum", march(11), march(31)),
    ]


def test_an_amended_end_makes_the_running_window_longer() -> None:
    longer = TermsFrom(march(4), march(4), replace(HUNDRED, ends_on=march(9)))
    found = book(agreed(HUNDRED, longer))
    assert [first_row(found, march(day)).window_end for day in (3, 4)] == [march(4), march(9)]


def test_a_waiver_covers_the_windows_that_begin_within_it_once_it_is_told() -> None:
    waiver = Waiver(march(4), march(1), march(1))
    found = book(replace(agreed(HUNDRED), waivers=(waiver,)), {"A1": (0, 0, 0, 0, 900)})
    assert [status_of(found, march(day)) for day in (3, 4)] == ["at_risk", "waived"]
    assert first_row(found, march(5)).cured_on is None
    elsewhere = replace(agreed(HUNDRED), waivers=(Waiver(march(1), march(2), march(9)),))
    assert status_of(book(elsewhere), march(3)) == "at_risk"


def test_a_released_commitment_is_in_force_until_the_day_before() -> None:
    found = book(replace(agreed(HUNDRED), released_on=march(3)), {"A1": (100, 100, 0)})
    before, after = first_row(found, march(2)), first_row(found, march(3))
    assert (before.window_end, before.status) == (march(4), "on_track")
    assert (after.window_end, after.status, after.required_days) == (march(2), "met", 200)


def test_rows_come_in_order_of_id_by_code_point_and_of_one_currency() -> None:
    terms = {"K10": HUNDRED, "K9": HUNDRED, "k1": HUNDRED, "K1": replace(HUNDRED, currency="EUR")}
    rows = [(("C1", "commitment", id_), agreed(each)) for id_, each in terms.items()]
    found = compliance_rows(Book.from_rows(rows), march(1), "CZK")
    assert [row.commitment_id for row in found] == ["K10", "K9", "k1"]


def test_the_statuses_of_a_commitment_are_those_of_its_windows_begun() -> None:
    found = book(replace(LONGER, ends_on=date(2024, 5, 31)), {"A1": (100,) * 31})
    assert statuses(found, "K1", march(34)) == {"met", "on_track"}
    assert statuses(found, "K1", date(2024, 5, 31)) == {"met", "unknown"}


def test_each_day_of_a_window_can_be_explained() -> None:
    terms = replace(HUNDRED, cap_ppm=1_000_000, missing_days=1)
    found = book(terms, {"A1": (120, None, None)})
    assert list(days_of_window(found, "K1", march(3), march(1))) == [
        (march(1), 100, False, 100),
        (march(2), 100, True, 100),
        (march(3), None, False, 100),
    ]
    assert not list(days_of_window(found, "K1", march(3), march(2)))
