"""Which terms of a commitment are in force when, and what its amendments changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.commitment import CountedAccount, TermsFrom
from domain.values import ONE, PERCENT
from infra.commitment_documents import commitment_document
from infra.rendering import commitment_view
from projections.terms_in_force import amendments, stretches_told, terms_in_force
from tests.compliance_book import HUNDRED, LONG_AGO, agreed, book, march
from tests.test_rendering import printed

if TYPE_CHECKING:
    from projections.facts import Commitment

AGREED = replace(HUNDRED, requirement_value=100_00, ends_on=march(61), cure_days=0)
LESS = replace(AGREED, requirement_value=60_00, ends_on=march(92))
AMENDED = TermsFrom(march(10), march(15), LESS, "second draw")
K1 = agreed(AGREED, AMENDED)


def lines(commitment: Commitment, day: int) -> list[str]:
    shown = printed(commitment_view(book(commitment), "K1", march(day)), 100)
    return [" ".join(line.split()) for line in shown.splitlines()]


@pytest.mark.parametrize(
    ("day", "required"),
    [(-30, 100_00), (9, 100_00), (14, 100_00), (15, 60_00), (61, 60_00), (200, 60_00)],
)
def test_the_terms_in_force_are_those_of_the_day(day: int, required: int) -> None:
    assert terms_in_force(K1, march(day)).terms.requirement_value == required


def test_an_amendment_is_known_once_it_is_told() -> None:
    late = agreed(AGREED, TermsFrom(march(20), march(15), LESS))
    held = [terms_in_force(late, march(day)).terms for day in (19, 20)]
    assert held == [AGREED, LESS]


def test_the_later_day_of_effect_is_in_force_though_it_was_told_before() -> None:
    told_later = TermsFrom(march(12), march(13), replace(AGREED, requirement_value=30_00))
    both = agreed(AGREED, AMENDED, told_later)
    held = [terms_in_force(both, march(day)).terms.requirement_value for day in (12, 13, 14, 15)]
    assert held == [100_00, 30_00, 30_00, 60_00]


def test_after_a_release_the_terms_are_the_last_that_were_in_force() -> None:
    early = replace(K1, released_on=march(15))
    assert [terms_in_force(early, march(day)).terms for day in (12, 20)] == [AGREED, AGREED]
    later = replace(K1, released_on=march(16))
    assert terms_in_force(later, march(20)).terms == LESS


def test_each_stretch_of_days_names_the_terms_when_they_were_told_and_why() -> None:
    assert [
        (one.first, one.last, one.told.told_on, one.told.reason)
        for one in stretches_told(replace(K1, released_on=march(20)), march(25))
    ] == [
        (march(1), march(14), LONG_AGO, ""),
        (march(15), march(19), march(10), "second draw"),
    ]
    assert [one.last for one in stretches_told(K1, march(9))] == [march(61)]


def test_an_amendment_changes_what_held_on_its_day_when_it_was_told() -> None:
    again = TermsFrom(march(20), march(15), replace(LESS, requirement_value=70_00), "slip")
    before_it = TermsFrom(march(21), march(2), replace(AGREED, requirement_value=80_00), "late")
    found = list(amendments(agreed(AGREED, AMENDED, again, before_it), march(30)))
    assert [(one.before, one.told.reason) for one in found] == [
        (AGREED, "second draw"),
        (LESS, "slip"),
        (AGREED, "late"),
    ]
    assert len(list(amendments(K1, march(9)))) == 0
    told_late = replace(AMENDED, told_on=march(9), reason="told late")
    found = list(amendments(agreed(AGREED, AMENDED, told_late), march(30)))
    assert [(one.before, one.told.reason) for one in found] == [
        (AGREED, "told late"),
        (LESS, "second draw"),
    ]


def test_a_document_tells_the_terms_in_force_those_agreed_and_what_was_amended() -> None:
    def told(day: int) -> dict[str, Any]:
        return commitment_document(book(K1), "K1", march(day))

    before, after = told(14), told(15)
    assert (before["requirement_value"], before["ends_on"]) == (100_00, "2024-04-30")
    assert (after["requirement_value"], after["ends_on"]) == (60_00, "2024-05-31")
    assert after["agreed"]["requirement_value"] == 100_00
    first, second = after["terms"]
    assert (first["from"], first["to"], first["reason"]) == ("2024-03-01", "2024-03-14", None)
    assert (second["from"], second["to"], second["told_on"], second["reason"]) == (
        "2024-03-15",
        "2024-05-31",
        "2024-03-10",
        "second draw",
    )
    assert (first["requirement_value"], second["requirement_value"]) == (100_00, 60_00)
    [amendment] = after["amendments"]
    assert amendment["changes"] == [
        {"field": "ends_on", "before": "2024-04-30", "after": "2024-05-31"},
        {"field": "requirement_value", "before": 100_00, "after": 60_00},
    ]
    assert (told(9)["amendments"], len(told(9)["terms"])) == ([], 1)


def test_a_release_is_told_from_its_day_on() -> None:
    released = replace(K1, released_on=march(20))
    found = [
        commitment_document(book(released), "K1", march(day))["released_on"] for day in (19, 20)
    ]
    assert found == [None, "2024-03-20"]
    assert "released" not in " ".join(lines(released, 19))
    assert "released on 2024-03-20: in force until the day before" in lines(released, 20)


def test_a_person_reads_what_was_agreed_what_is_in_force_and_what_was_amended() -> None:
    before = lines(K1, 9)
    assert "agreed on 2024-01-01, for 2024-03-01 to 2024-04-30" in before
    assert "requires average 100.00 (amount), CZK" in before
    assert "Amendments" not in before
    after = lines(K1, 15)
    [agreed_then] = [line for line in after if line.startswith("agreed on 2024-01-01: ")]
    assert "for 2024-03-01 to 2024-04-30; requires average 100.00" in agreed_then
    assert "in force from 2024-03-15 on, told 2024-03-10, for 2024-03-01 to 2024-05-31" in after
    assert "requires average 60.00 (amount), CZK" in after
    [row] = [line for line in after if line.startswith("2024-03-10 2024-03-15")]
    assert row.endswith("for: 2024-03-01 to 2024-04-30 → 2024-03-01 to 2024-05-31 second draw")


def test_of_terms_only_what_is_not_the_default_is_shown() -> None:
    plain = " ".join(lines(agreed(AGREED), 1))
    for word in (
        "counts",
        "seasonal",
        "capped",
        "surplus",
        "missing",
        "breach",
        "grace",
        "to cure",
    ):
        assert word not in plain
    all_of_it = replace(
        AGREED,
        accounts=(
            CountedAccount(account_id="A1"),
            CountedAccount(account_id="B1", counted_from=march(2)),
        ),
        seasonal_profile=(*(ONE,) * 11, 905_000),
        cap_ppm=120 * PERCENT + 1,
        grace_days=1,
        cure_days=3,
        netting="carry_surplus",
        missing_days=0,
        consequence_kind="rate_surcharge_bp",
        consequence_value=5_050,
    )
    shown = lines(agreed(all_of_it), 1)
    for line in (
        "tested each month, 1 day of grace, 3 days to cure",
        "counts A1 B1@2024-03-02/",
        "seasonal 100 100 100 100 100 100 100 100 100 100 100 90.5 %",
        "capped each day at 120.0001 % of what it requires",
        "surplus carried over within the quarter",
        "missing a balance is carried for no day",
        "at breach rate surcharge of 50.5 basis points",
    ):
        assert line in shown
    hold = replace(AGREED, window="term", consequence_kind="hold_percent", consequence_value=ONE)
    assert {"tested over the whole term", "at breach hold of 100 %"} <= set(lines(agreed(hold), 1))
