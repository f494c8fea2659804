"""When a referral lapses by time: days, first contacts, conversions, and who never does.

Whenever it is asked, and however often: the last time asked, all of it is the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.referral_rules import LapseOverdueReferral
from projections.book import Book
from projections.facts import Draw, Referral
from projections.referral_lapse import LapseRules, moved, overdue
from tests.books import account, customer, day, loan, referral

if TYPE_CHECKING:
    from datetime import date

    from projections.facts import Key, Row

LAST = 40  # of the days in a made book
RULES = LapseRules(days=10, exempt=("guarantor",))
BROUGHT = Referral(referrer_id="X", introduced_on=day(1), via="customer", branch="B1")


def lapsed(referral: Referral, as_of: date, **more: Row) -> list[LapseOverdueReferral]:
    rows = [(("P", "referral", "R1"), referral), *((("P", k, k), row) for k, row in more.items())]
    return list(overdue(Book.from_rows(rows), as_of, RULES))


def test_a_referral_lapses_on_the_day_its_time_is_out() -> None:
    assert lapsed(BROUGHT, day(10)) == []
    due = [LapseOverdueReferral(referral_id="R1", lapsed_on=day(11))]
    assert lapsed(BROUGHT, day(11)) == due
    assert lapsed(BROUGHT, day(99)) == due


def test_a_first_contact_begins_the_days_anew() -> None:
    contacted = replace(BROUGHT, contacted_on=day(6))
    assert lapsed(contacted, day(15)) == []
    assert [each.lapsed_on for each in lapsed(contacted, day(16))] == [day(16)]
    told_later = replace(BROUGHT, contacted_on=day(12))
    assert [each.lapsed_on for each in lapsed(told_later, day(11))] == [day(11)]


@pytest.mark.parametrize(
    "other",
    [
        replace(BROUGHT, converted_on=day(5)),
        replace(BROUGHT, ended_on=day(5)),
        replace(BROUGHT, via="guarantor"),
    ],
)
def test_what_converted_or_ended_or_is_exempt_does_not_lapse(other: Referral) -> None:
    assert lapsed(other, day(99)) == []


def test_an_outcome_told_for_a_later_day_stands_on_every_day() -> None:
    assert lapsed(replace(BROUGHT, ended_on=day(40)), day(20)) == []
    assert lapsed(replace(BROUGHT, converted_on=day(40)), day(20)) == []


def test_a_contact_after_the_time_was_out_is_too_late() -> None:
    late = replace(BROUGHT, contacted_on=day(12))
    for as_of in (day(11), day(12), day(99)):
        assert [each.lapsed_on for each in lapsed(late, as_of)] == [day(11)]
    on_the_day = replace(BROUGHT, contacted_on=day(11))
    assert [each.lapsed_on for each in lapsed(on_the_day, day(99))] == [day(21)]


def test_who_did_business_with_the_bank_by_the_day_does_not_lapse() -> None:
    for row in (account(day(11)), loan(Draw("D1", day(11), 5, reversed_on=day(11)))):
        assert lapsed(BROUGHT, day(11), account=row) == []
        assert lapsed(BROUGHT, day(99), account=row) == []


def test_business_after_the_time_was_out_saves_nothing() -> None:
    due = [LapseOverdueReferral(referral_id="R1", lapsed_on=day(11))]
    for row in (account(day(12)), loan(Draw("D1", day(12), 5))):
        assert lapsed(BROUGHT, day(11), account=row) == due
        assert lapsed(BROUGHT, day(99), account=row) == due


def test_a_contact_told_after_the_lapse_moves_it_once_the_new_day_has_come() -> None:
    told = replace(BROUGHT, ended_on=day(11), contacted_on=day(6))
    book = Book.from_rows([(("P", "referral", "R1"), told)])
    assert list(moved(book, day(15), RULES)) == []
    again = LapseOverdueReferral(referral_id="R1", lapsed_on=day(16), instead_of=day(11))
    assert list(moved(book, day(16), RULES)) == [again]
    assert list(overdue(book, day(16), RULES)) == []


@pytest.mark.parametrize(
    "other",
    [
        BROUGHT,
        replace(BROUGHT, ended_on=day(11)),
        replace(BROUGHT, ended_on=day(9)),
        replace(BROUGHT, ended_on=day(16), contacted_on=day(6)),
        replace(BROUGHT, ended_on=day(9), contacted_on=day(6), via="guarantor"),
    ],
)
def test_nothing_moves_without_a_contact_that_gives_another_day(other: Referral) -> None:
    assert list(moved(Book.from_rows([(("P", "referral", "R1"), other)]), day(99), RULES)) == []


def test_nothing_lapses_of_the_forgotten() -> None:
    assert lapsed(BROUGHT, day(99), customer=replace(customer(), forgotten_on=day(3))) == []


_days = st.integers(0, LAST).map(day)


@st.composite
def stories(draw: st.DrawFn) -> dict[Key, Row]:
    """Return what is known of a few people who bring each other, and what they did.

    Of one prospect's referrals, at most one has no outcome: the deciders see to it.
    """
    people = [f"C{n}" for n in range(4)]
    facts: dict[Key, Row] = {}
    for who in people:
        if opened_on := draw(st.none() | _days):
            facts[who, "account", f"A-{who}"] = account(opened_on)
        if drawn_on := draw(st.none() | _days):
            facts[who, "loan", f"L-{who}"] = loan(Draw(f"D-{who}", drawn_on, 1))
        has_open = False
        for n in range(draw(st.integers(0, 3))):
            introduced_on = draw(_days)
            later = st.dates(introduced_on, day(LAST + 20))
            outcome = draw(st.sampled_from(["", "", "converted", "ended"]))
            outcome = outcome or ("ended" if has_open else "")
            has_open = has_open or not outcome
            made = referral(
                draw(st.sampled_from(people)),
                introduced_on,
                converted_on=draw(later) if outcome == "converted" else None,
                ended_on=draw(later) if outcome == "ended" else None,
                via=draw(st.sampled_from(["customer", "customer", "guarantor"])),
            )
            contacted_on = draw(st.none() | later)
            facts[who, "referral", f"R{n}-{who}"] = replace(made, contacted_on=contacted_on)
    return facts


def run(facts: dict[Key, Row], as_of: date) -> dict[Key, Row]:
    """Return the facts after all lapses of a date were recorded."""
    facts = dict(facts)
    for command in list(overdue(Book.from_rows(facts.items()), as_of, RULES)):
        [key] = [key for key in facts if key[2] == command.referral_id]
        row = facts[key]
        assert isinstance(row, Referral)
        facts[key] = replace(row, ended_on=command.lapsed_on)
    return facts


@given(facts=stories(), days=st.lists(_days, min_size=1))
def test_run_on_any_days_or_once_at_the_end_the_same_lapses(
    facts: dict[Key, Row], days: list[date]
) -> None:
    last = max([*days, day(LAST)])
    now_and_then = facts
    for as_of in (*days, last):
        now_and_then = run(now_and_then, as_of)
    once = run(facts, last)
    assert now_and_then == once
    assert run(once, last) == once
    due = list(overdue(Book.from_rows(facts.items()), last, RULES))
    for as_of in days:
        found = list(overdue(Book.from_rows(facts.items()), as_of, RULES))
        assert found == [each for each in due if each.lapsed_on <= as_of]
