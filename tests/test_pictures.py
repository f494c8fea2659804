"""Pictures in the terminal, as they stand in 80 columns without colour."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.commitment import TermsFrom
from infra.rendering.balances import balances_view
from infra.rendering.headroom import headroom_view
from projections.explained_window import explained_days
from projections.headroom import MonthHeadroom, headroom
from tests.compliance_book import HUNDRED, LONGER, agreed, book, march
from tests.test_rendering import printed

if TYPE_CHECKING:
    from domain.commitment import Metric, Terms

MONTH = replace(LONGER, requirement_value=100_00, missing_days=1)
UPS_AND_DOWNS = (120_00, None, 95_00, 100_00, None, None, 200_00, 12_50, -5_00, 150_00)

GOLDEN = """\
Counted each day, 2024-03-01 to 2024-03-10, CZK
200.00 │      █
175.00 │      █
150.00 │      █  █
125.00 │▆▆    █  █
100.00 │━━╌━━?━╌╌━
 75.00 │█████ █  █
 50.00 │█████ █  █
 25.00 │█████ █▄ █
  0.00 └ c  c?
━ required and held, ╌ less held; under it: ? unknown, c carried, + cure day
"""


def picture(terms: Terms, *balances: int | None, on: int) -> str:
    found = book(terms, {"A1": balances})
    days = list(explained_days(found, "K1", march(on), march(1)))
    return printed(balances_view(days, "CZK"), 80)


def strip(terms: Terms, *balances: int | None, on: int) -> str:
    found = book(terms, {"A1": balances})
    return printed(headroom_view({"K1": headroom(found, "K1", march(on))}), 80).splitlines()[3]


def test_a_window_shows_each_day_against_its_requirement() -> None:
    shown = picture(MONTH, *UPS_AND_DOWNS, on=10).splitlines()
    assert [line.rstrip() for line in shown] == GOLDEN.splitlines()


def test_the_line_tells_a_day_held_from_one_that_a_single_unit_was_missing_on() -> None:
    [line] = [
        line for line in picture(MONTH, 99_99, 100_00, 100_01, on=3).splitlines() if "━" in line
    ][:1]
    assert line.split("│")[1] == "╌━━"


def test_the_scale_of_small_amounts_says_nothing_twice() -> None:
    lines = picture(replace(MONTH, requirement_value=3), 2, 3, on=2).splitlines()[1:-1]
    scale = [line.split("│")[0].split("└")[0].strip() for line in lines]
    assert [told for told in scale if told] == ["0.03", "0.02", "0.01", "0.00"]


def test_cure_days_follow_and_are_marked() -> None:
    title, *_, marks, _ = picture(HUNDRED, 90, 90, 90, 90, 95, 96, on=6).splitlines()
    assert marks == "0.00 └    ++"
    assert title == "Counted each day, 2024-03-01 to 2024-03-04; cure to 2024-03-06, CZK"


def test_a_long_window_shows_the_worst_of_several_days_in_80_columns() -> None:
    year = replace(MONTH, window="term", ends_on=march(92))
    balances = [100_00] * 92
    balances[6], balances[41] = 99_99, 0
    lines = picture(year, *balances, on=92).splitlines()
    assert lines[0].startswith("Counted, the worst of each 2 days")
    [line] = [line for line in lines if "╌" in line][:1]
    columns = line.split("│")[1]
    assert [place for place, sign in enumerate(columns) if sign == "╌"] == [3, 20]
    assert all(len(line) <= 80 for line in lines)


def test_a_window_of_no_day_so_far_has_no_picture() -> None:
    assert not printed(balances_view([], "CZK")).strip()


def test_colours_of_pictures_only_repeat_what_signs_say() -> None:
    found = book(MONTH, {"A1": UPS_AND_DOWNS})
    days = list(explained_days(found, "K1", march(10), march(1)))
    months = {"K1": list(headroom(found, "K1", march(10)))}
    for view in (balances_view(days, "CZK"), headroom_view(months)):
        assert "\x1b" in printed(view, colour=True)
        assert "\x1b" not in printed(view)


@pytest.mark.parametrize(
    ("held", "sign"),
    [
        (150, "+++"),
        (149, "++"),
        (110, "++"),
        (109, "+"),
        (100, "+"),
        (99, "-"),
        (91, "-"),
        (90, "--"),
        (51, "--"),
        (50, "---"),
        (-10, "---"),
    ],
)
def test_a_cell_tells_how_far_a_month_was_held_above_or_below(held: int, sign: str) -> None:
    assert strip(HUNDRED, *[held] * 4, on=4).split() == ["K1", "2024", sign]


def test_a_month_with_an_unknown_day_or_without_a_requirement_says_so() -> None:
    unknown = replace(HUNDRED, missing_days=0)
    assert strip(unknown, 100, None, 100, 100, on=4).split()[-1] == "?"
    months = [MonthHeadroom(march(1), 0, 0, 0)]
    assert printed(headroom_view({"K1": months})).splitlines()[3].split()[-1] == "."


def test_months_stand_below_their_names_a_year_a_row() -> None:
    def month(year: int, month: int) -> MonthHeadroom:
        return MonthHeadroom(march(1).replace(year=year, month=month), 100, 100, 0)

    months = [month(2023, 12), month(2024, 1), month(2024, 3)]
    _, head, _, *rows, _ = printed(headroom_view({"K1": months}), 80).splitlines()
    assert [row.split() for row in rows] == [["K1", "2023", "+"], ["K1", "2024", "+", "+"]]
    assert rows[0].index("+") == head.index("Dec") + 2
    assert rows[1].rindex("+") == head.index("Mar") + 2


def test_headroom_counts_the_days_so_far_of_each_calendar_month() -> None:
    quarter = replace(LONGER, window="quarter", ends_on=march(45))
    found = book(quarter, {"A1": (110,) * 40})
    assert list(headroom(found, "K1", march(40))) == [
        MonthHeadroom(march(1), 31 * 110, 31 * 100, 0),
        MonthHeadroom(march(32), 9 * 110, 9 * 100, 0),
    ]
    assert list(headroom(found, "K1", march(0))) == []


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("average", (250, 300, 0)), ("minimum", (40, 100, 0)), ("ending", (110, 100, 0))],
)
def test_headroom_looks_at_the_days_that_decide_by_the_metric(
    metric: Metric, expected: tuple[int, ...]
) -> None:
    found = book(replace(HUNDRED, metric=metric), {"A1": (100, 40, 110)})
    assert list(headroom(found, "K1", march(3))) == [MonthHeadroom(march(1), *expected)]
    carried = book(replace(HUNDRED, metric=metric), {"A1": (100, 40, 110, None)})
    [month] = headroom(carried, "K1", march(4))
    assert month.unknown_days == (metric == "ending")
    unknown = book(replace(HUNDRED, metric=metric, missing_days=0), {"A1": (100, None, 110)})
    [month] = headroom(unknown, "K1", march(3))
    assert month.unknown_days == (metric != "ending")


def test_headroom_counts_the_surplus_that_was_carried_into_the_month() -> None:
    netted = replace(LONGER, starts_on=march(32), ends_on=march(92), netting="carry_surplus")
    found = book(netted, {"A1": (*[None] * 31, *[110] * 30, *[95] * 31)})
    assert list(headroom(found, "K1", march(92))) == [
        MonthHeadroom(march(32), 30 * 110, 30 * 100, 0),
        MonthHeadroom(march(62), 31 * 95, 31 * 100, 0, surplus=300),
    ]
    assert strip(netted, *[None] * 31, *[110] * 30, *[95] * 31, on=92).split()[2:] == ["++", "+"]
    quarterly = replace(netted, window="quarter", starts_on=march(1))
    found = book(quarterly, {"A1": (110,) * 92})
    assert [month.surplus for month in headroom(found, "K1", march(92))] == [0, 310, 0]


def test_a_surplus_that_arose_in_a_month_is_not_counted_twice_in_it() -> None:
    """A gap parts March into two windows: the second has what the first had to spare."""
    netted = replace(LONGER, ends_on=march(10), netting="carry_surplus")
    later = replace(netted, starts_on=march(21), ends_on=march(31))
    parted = agreed(netted, TermsFrom(march(1), march(11), later))
    found = book(parted, {"A1": (*[110] * 10, *[0] * 10, *[100] * 11)})
    assert list(headroom(found, "K1", march(31))) == [MonthHeadroom(march(1), 2_200, 2_100, 0)]
