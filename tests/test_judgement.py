"""Judgement kept: the equity's gap, and what was there before a first draw."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from infra.rules.reading import DATA, RulesError, judgement_rules, read_rules
from projections.book import Book
from projections.facts import CrossCheck, Draw, EquityCheck
from projections.judgement import JudgementRules, checklist_rows, gap, judgement
from tests.books import CURRENCY, account, contact, customer, day, loan
from tests.compliance_book import HUNDRED, agreed

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from projections.facts import Key, Row

RULES = judgement_rules()
CROSS_CHECK = CrossCheck(
    checked_on=day(5), inference="sells 2 million a year", items=("bill", "tax"), by="RM-1"
)
EQUITY_CHECK = EquityCheck(
    checked_on=day(5),
    since=day(0),
    currency=CURRENCY,
    opening_equity=1_000,
    profit=200,
    drawings=100,
    injections=0,
    revaluation=0,
    depreciation=50,
    expected=1_050,
    equity_now=800,
    by="RM-1",
)
DRAWN = loan(Draw("D1", day(10), 500), Draw("D2", day(30), 500))


def has(kind: str, id_: str, row: Row) -> tuple[Key, Row]:
    return ("C1", kind, id_), row


def shown(step: str, as_of: date, *told: tuple[Key, Row], lent: Row = DRAWN) -> date | None:
    """Return the day that shows a step of L1, opened on day 0."""
    book = Book.from_rows([has("customer", "", customer()), has("loan", "L1", lent), *told])
    [done_on] = [row.done_on for row in checklist_rows(book, as_of, RULES) if row.step == step]
    return done_on


def test_the_gap_is_what_is_missing_of_the_equity_expected() -> None:
    assert gap(EQUITY_CHECK) == 250
    assert gap(replace(EQUITY_CHECK, equity_now=1_060)) == -10


def test_a_step_counts_up_to_the_first_draw_and_not_after_it() -> None:
    for n, expected in ((9, day(9)), (10, day(10)), (11, None)):
        assert shown("visited", day(40), has("contact", "V1", contact(day(n)))) == expected
        check = has("cross_check", "X1", replace(CROSS_CHECK, checked_on=day(n)))
        assert shown("cross_checked", day(40), check) == expected
        equity = has("equity_check", "E1", replace(EQUITY_CHECK, checked_on=day(n)))
        assert shown("equity_checked", day(40), equity) == expected
        opened = has("account", "A1", account(day(n)))
        assert shown("account_opened", day(40), opened) == expected


def test_an_old_visit_says_nothing_any_more() -> None:
    drawn_on = day(10) + timedelta(RULES.within_days)
    lent = loan(Draw("D1", drawn_on, 500))
    for n, expected in ((9, None), (10, day(10))):
        told = has("contact", "V1", contact(day(n)))
        assert shown("visited", drawn_on, told, lent=lent) == expected


def test_a_call_is_no_visit() -> None:
    call = replace(contact(day(5)), channel="phone")
    assert shown("visited", day(40), has("contact", "V1", call)) is None


def test_two_different_people_visit() -> None:
    one, other = contact(day(5)), replace(contact(day(7)), by="RM-2")
    again = contact(day(6))
    assert (
        shown("visited_by_two", day(40), has("contact", "1", one), has("contact", "2", again))
        is None
    )
    told = [has("contact", str(n), each) for n, each in enumerate((other, again, one))]
    assert shown("visited_by_two", day(40), *told) == day(7)


def test_one_person_in_two_spellings_does_not_visit_by_two() -> None:
    for spelled, expected in (("rm-1 ", None), ("ＲＭ-1", None), ("RM-11", day(7))):
        told = [has("contact", "1", contact(day(5)))]
        told += [has("contact", "2", replace(contact(day(7)), by=spelled))]
        assert shown("visited_by_two", day(40), *told) == expected


def test_the_return_is_agreed_on_for_this_loan_or_for_all() -> None:
    early = replace(agreed(HUNDRED), agreed_on=day(4))
    for loan_id, expected in ((None, day(4)), ("L1", day(4)), ("L2", None)):
        told = has("commitment", "K1", replace(early, loan_id=loan_id))
        assert shown("return_agreed", day(40), told) == expected
    euro = agreed(replace(HUNDRED, currency="EUR"))
    told = has("commitment", "K1", replace(euro, agreed_on=day(4)))
    assert shown("return_agreed", day(40), told) is None
    late = replace(early, agreed_on=day(11))
    assert shown("return_agreed", day(40), has("commitment", "K1", late)) is None


def test_an_account_in_another_currency_is_not_this_loans() -> None:
    euro = has("account", "A1", account(day(1), "EUR"))
    assert shown("account_opened", day(40), euro) is None


def test_a_loan_without_a_draw_is_checked_as_of_the_date() -> None:
    told = has("contact", "V1", contact(day(20)))
    assert shown("visited", day(19), told, lent=loan()) is None
    assert shown("visited", day(20), told, lent=loan()) == day(20)
    taken_back = loan(Draw("D1", day(10), 500, day(15)))
    assert shown("visited", day(20), told, lent=taken_back) == day(20)
    assert shown("visited", day(14), told, lent=taken_back) is None


def test_the_checklist_asks_for_the_steps_of_the_rules_in_their_order() -> None:
    rules = JudgementRules(steps=("cross_checked", "visited"), within_days=10)
    lent = [has("loan", "L2", DRAWN), has("loan", "L1", loan())]
    book = Book.from_rows([has("customer", "", customer()), *lent])
    rows = list(checklist_rows(book, day(40), rules))
    assert [row[1:4] for row in rows] == [
        ("L1", None, "cross_checked"),
        ("L1", None, "visited"),
        ("L2", day(10), "cross_checked"),
        ("L2", day(10), "visited"),
    ]


def test_a_loan_not_yet_approved_has_no_checklist() -> None:
    book = Book.from_rows([has("loan", "L1", replace(loan(), approved_on=day(3)))])
    assert list(checklist_rows(book, day(2), RULES)) == []


def test_what_was_judged_is_told_by_day_up_to_the_date() -> None:
    book = Book.from_rows(
        [
            has("customer", "", customer(day(1))),
            has("cross_check", "X1", replace(CROSS_CHECK, checked_on=day(9))),
            has("cross_check", "X2", CROSS_CHECK),
            has("equity_check", "E1", EQUITY_CHECK),
        ]
    )
    assert judgement(book, "C1", day(0), RULES) is None
    assert judgement(book, "C2", day(9), RULES) is None
    found = judgement(book, "C1", day(9), RULES)
    assert found is not None
    assert list(found.cross_checks) == ["X2", "X1"]
    earlier = judgement(book, "C1", day(8), RULES)
    assert earlier is not None
    assert (list(earlier.cross_checks), list(earlier.equity_checks)) == (["X2"], ["E1"])


def test_a_step_is_asked_for_once(tmp_path: Path) -> None:
    text = (DATA / "judgement.toml").read_text("utf-8")
    path = tmp_path / "judgement.toml"
    path.write_text(text.replace('"visited",', '"visited", "visited",'), "utf-8")
    with pytest.raises(RulesError, match="twice"):
        read_rules(path, JudgementRules)
