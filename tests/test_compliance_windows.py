"""How windows are cut, what passes between them, and which rows there are, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from domain.commitment import CountedAccount, TermsFrom
from domain.window_sums import CountedDay
from projections.book import Book
from projections.deposit_compliance import ComplianceRow, compliance_rows, days_of_window, statuses
from projections.facts import Account, BalanceMonth, Waiver
from tests.compliance_book import (
    HUNDRED,
    LONG_AGO,
    LONGER,
    agreed,
    book,
    first_row,
    march,
    status_of,
)

if TYPE_CHECKING:
    from domain.commitment import WindowKind
    from projections.facts import Key, Row
    from tests.compliance_book import Told


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


def test_a_surplus_is_carried_on_with_what_was_carried_in_and_only_where_agreed() -> None:
    netted = replace(
        LONGER, starts_on=date(2024, 4, 1), ends_on=date(2024, 6, 30), netting="carry_surplus"
    )
    told: Told = (*(None,) * 31, 160, *(100,) * 29, 80, *(100,) * 30)
    held = {"2024-06": (70, *(100,) * 29, None)}
    for terms, expected in (
        (netted, ["met", "met", "met"]),
        (replace(netted, netting="none"), ["met", "breached", "breached"]),
    ):
        found = book(terms, {"A1": told})
        months = {**found.balances["A1"], **held}
        rows = compliance_rows(replace(found, balances={"A1": months}), date(2024, 6, 30), "CZK")
        assert [row.status for row in rows] == expected


NETTED = replace(LONGER, netting="carry_surplus")


def test_a_surplus_reaches_the_next_window_of_its_longer_period_across_days_of_no_window() -> None:
    first = replace(NETTED, starts_on=date(2024, 4, 5), ends_on=date(2024, 4, 20))
    second = replace(first, starts_on=date(2024, 5, 1), ends_on=date(2024, 5, 31))
    amended = TermsFrom(date(2024, 4, 25), date(2024, 5, 1), second)
    held: Told = (*(None,) * 35, *(110,) * 16, *(0,) * 10, *(99,) * 31)
    rows = list(compliance_rows(book(agreed(first, amended), {"A1": held}), march(92), "CZK"))
    assert [(row.shortfall, row.status) for row in rows] == [(0, "met"), (0, "met")]
    lower = replace(first, starts_on=march(5), ends_on=march(20))  # in the quarter before
    rows = list(compliance_rows(book(agreed(lower, amended), {"A1": held}), march(92), "CZK"))
    assert [row.status for row in rows] == ["unknown", "breached"]
    earlier: Told = (*(110,) * 51, *(0,) * 10, *(99,) * 31)
    rows = list(compliance_rows(book(agreed(lower, amended), {"A1": earlier}), march(92), "CZK"))
    assert [row.status for row in rows] == ["met", "breached"]


def test_a_surplus_passes_windows_of_another_kind_that_lie_between() -> None:
    first = replace(NETTED, starts_on=date(2024, 4, 1), ends_on=date(2024, 6, 30))
    told = (
        TermsFrom(march(1), date(2024, 4, 11), replace(first, metric="minimum", netting="none")),
        TermsFrom(march(1), date(2024, 4, 21), first),
    )
    held: Told = (*(None,) * 31, *(110,) * 10, *(100,) * 10, *(95,) * 10)
    rows = compliance_rows(book(agreed(first, *told), {"A1": held}), date(2024, 4, 30), "CZK")
    assert [(row.metric, row.status, row.shortfall) for row in rows] == [
        ("average", "met", 0),
        ("minimum", "met", 0),
        ("average", "met", 0),
    ]


def test_the_two_windows_of_a_half_year_that_days_of_no_window_part_are_netted() -> None:
    half = replace(NETTED, window="half_year", ends_on=march(10))
    later = replace(half, starts_on=march(21), ends_on=march(40))
    amended = TermsFrom(march(1), march(11), later)
    held: Told = (*(110,) * 10, *(0,) * 10, *(100,) * 10)
    *_, row = compliance_rows(book(agreed(half, amended), {"A1": held}), march(30), "CZK")
    assert (row.window_start, row.status, row.needed_run_rate) == (march(21), "on_track", 90)


def test_an_amendment_changes_what_is_counted_from_its_day() -> None:
    listed = (CountedAccount(account_id="B1"),)
    held: dict[str, Told] = {"A1": (1, 1, 1, 1), "B1": (10, None, 10, None)}
    amended = TermsFrom(march(1), march(2), replace(HUNDRED, accounts=listed))
    assert first_row(book(agreed(HUNDRED, amended), held), march(4)).balance_days == 1 + 3 * 10
    stricter = TermsFrom(march(1), march(3), replace(HUNDRED, accounts=listed, missing_days=0))
    lenient = replace(HUNDRED, accounts=listed)
    row = first_row(book(agreed(lenient, stricter), held), march(4))
    assert (row.carried_days, row.unknown_days) == (1, 1)


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


def test_days_between_the_terms_belong_to_no_window() -> None:
    later = TermsFrom(march(1), march(5), replace(LONGER, starts_on=march(20)))
    rows = compliance_rows(book(agreed(LONGER, later)), march(31), "CZK")
    assert [(row.window_start, row.window_end) for row in rows] == [
        (march(1), march(4)),
        (march(20), march(31)),
    ]


def test_the_terms_of_the_last_day_say_grace_and_cure() -> None:
    graceful = replace(HUNDRED, grace_days=1, cure_days=1)
    found = book(agreed(HUNDRED, TermsFrom(march(1), march(4), graceful)), {"A1": (0,) * 7})
    asked = [status_of(found, march(day)) for day in (4, 5, 6, 7)]
    assert asked == ["in_grace", "in_grace", "in_cure", "breached"]


def test_of_two_amendments_the_later_day_of_effect_holds_though_it_was_told_before() -> None:
    def asking(amount: int, told: int, effective: int) -> TermsFrom:
        terms = replace(HUNDRED, requirement_value=amount)
        return TermsFrom(march(told), march(effective), terms)

    found = book(agreed(HUNDRED, asking(1, 1, 4), asking(10, 2, 2), asking(20, 3, 2)))
    asked = [first_row(found, march(day)).required_days for day in (1, 2, 3)]
    assert asked == [301, 100 + 10 + 10 + 1, 100 + 20 + 20 + 1]


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


def test_a_month_without_any_balance_is_unknown_and_moves_no_other() -> None:
    found = book(
        replace(LONGER, window="term", ends_on=date(2024, 5, 31)), {"A1": (1,) * 31 + (2,) * 61}
    )
    months = {name: days for name, days in found.balances["A1"].items() if name != "2024-04"}
    row = first_row(replace(found, balances={"A1": months}), date(2024, 5, 31))
    assert (row.carried_days, row.unknown_days, row.balance_days) == (7, 23, 31 + 7 + 62)


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
        CountedDay(march(1), 120, 100, carried=False, required=100),
        CountedDay(march(2), 120, 100, carried=True, required=100),
        CountedDay(march(3), None, None, carried=False, required=100),
    ]
    assert not list(days_of_window(found, "K1", march(3), march(2)))


def test_the_cure_days_of_a_short_window_follow_its_own_up_to_the_cure() -> None:
    terms = replace(HUNDRED, cap_ppm=1_000_000, cure_days=5)
    found = book(terms, {"A1": (100, 100, 100, 90, 80, None, 150, 100)})
    days = list(days_of_window(found, "K1", march(8), march(1)))  # -20 - 20 + 50 covers 10
    assert [day for day in days if day.cure] == [
        CountedDay(march(5), 80, 80, carried=False, required=100, cure=True),
        CountedDay(march(6), 80, 80, carried=True, required=100, cure=True),
        CountedDay(march(7), 150, 150, carried=False, required=100, cure=True),
    ]
    so_far = list(days_of_window(found, "K1", march(6), march(1)))
    assert len(so_far) == 4 + 2
