"""When a referral lapses by time: days, first contacts, conversions, and who never does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.referral_rules import LapseOverdueReferral
from projections.book import Book
from projections.facts import Referral
from projections.referral_lapse import LapseRules, overdue
from tests.books import account, customer, day

if TYPE_CHECKING:
    from datetime import date

    from projections.facts import Row

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


def test_who_did_business_with_the_bank_does_not_lapse() -> None:
    assert lapsed(BROUGHT, day(99), account=account(day(50))) == []


def test_nothing_lapses_of_the_forgotten() -> None:
    assert lapsed(BROUGHT, day(99), customer=replace(customer(), forgotten_on=day(3))) == []


def test_days_are_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LapseRules(days=0)
