"""LEDGER-06: referrals that the forest leaves out, of which nobody was told until now."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import given

from domain.account import AccountOpened
from domain.referral import ReferralConverted, ReferralDeclined, ReferralIntroduced
from projections.book import Book
from projections.policy.loans import Nothing
from projections.policy.referrals import CHECKS, CIRCLE_FACTS_MAX
from projections.referral_forest import forest, live_referral
from tests.books import as_ofs, books, day, facts_of_people, known_by, referral
from tests.policy_cases import found, on

if TYPE_CHECKING:
    from datetime import date

    from projections.facts import Key, Row
    from projections.policy.rules import Offence

ledger = partial(found, pack="none", rule="LEDGER-06")


def brought(
    prospect_id: str, referral_id: str, day_: str, referrer_id: str = "X"
) -> ReferralIntroduced:
    return ReferralIntroduced(
        customer_id=prospect_id,
        referral_id=referral_id,
        referrer_id=referrer_id,
        introduced_on=on(day_),
        via="customer",
        by="RM-1",
        branch="B1",
    )


def declined(referral_id: str, day_: str) -> ReferralDeclined:
    return ReferralDeclined(
        customer_id="P", referral_id=referral_id, declined_on=on(day_), reason="busy"
    )


def came(day_: str) -> AccountOpened:
    return AccountOpened(
        customer_id="P", account_id="A", kind="current", currency="CNY", opened_on=on(day_)
    )


FIRST = (brought("P", "R1", "2024-01-01"), declined("R1", "2024-01-10"))
SECOND = brought("P", "R2", "2024-01-15", "Y")


def test_a_prospect_free_again_may_be_brought_by_another() -> None:
    assert ledger(*FIRST, SECOND) == []
    assert ledger(*FIRST, brought("P", "R2", "2024-01-10", "Y"), came("2024-01-20")) == []


def test_business_told_late_that_revives_a_referral_leaves_the_second_out() -> None:
    [finding] = ledger(*FIRST, SECOND, came("2024-01-08"))
    assert (finding.customer_id, finding.offended_on) == ("P", on("2024-01-15"))
    assert finding.facts == ("referral:R2", "referral:R1")
    assert finding.detail == (
        "R2, brought by Y on 2024-01-15, is left out:"
        " R1, brought by X on 2024-01-01, lived on that day"
    )


def test_an_outcome_told_late_leaves_the_second_out() -> None:
    for late in (
        declined("R1", "2024-01-20"),
        ReferralConverted(customer_id="P", referral_id="R1", converted_on=on("2024-01-09")),
    ):
        [finding] = ledger(*FIRST, SECOND, late)
        assert finding.facts == ("referral:R2", "referral:R1")
    assert ledger(*FIRST, SECOND, declined("R1", "2024-01-15")) == []


def test_each_referral_left_out_is_an_offence_of_its_own() -> None:
    third = brought("P", "R3", "2024-02-01", "Z")
    story = (*FIRST, SECOND, declined("R2", "2024-01-20"), third, came("2024-01-08"))
    assert [finding.facts for finding in ledger(*story)] == [
        ("referral:R2", "referral:R1"),
        ("referral:R3", "referral:R1"),
    ]


def test_what_is_introduced_later_is_not_known_yet() -> None:
    story = (*FIRST, SECOND, came("2024-01-08"))
    assert ledger(*story, as_of="2024-01-14") == []
    assert len(ledger(*story, as_of="2024-01-15")) == 1


def test_a_referral_that_never_lived_is_no_second_one() -> None:
    refused = (brought("P", "R2", "2024-01-05", "Y"), declined("R2", "2024-01-05"))
    assert ledger(*FIRST, *refused) == []


CIRCLE = (
    brought("A", "R1", "2024-01-01", "B"),
    brought("B", "R2", "2024-01-03", "C"),
    brought("C", "R3", "2024-01-02", "A"),
)


def test_the_latest_referral_of_a_circle_is_an_offence() -> None:
    [finding] = ledger(*CIRCLE)
    assert (finding.customer_id, finding.offended_on) == ("B", on("2024-01-03"))
    assert finding.facts == ("referral:R2", "referral:R3", "referral:R1")
    assert finding.detail == (
        "R2, brought by C on 2024-01-03, is left out: it is the latest in a circle of 3"
    )
    for order in (CIRCLE[::-1], (CIRCLE[1], CIRCLE[0], CIRCLE[2])):
        assert ledger(*order) == [finding]


def test_a_circle_that_is_open_on_the_date_is_none() -> None:
    ended = ReferralDeclined(
        customer_id="A", referral_id="R1", declined_on=on("2024-01-03"), reason="busy"
    )
    assert ledger(*CIRCLE, ended) == []
    assert ledger(*CIRCLE, as_of="2024-01-02") == []
    later = ReferralDeclined(
        customer_id="A", referral_id="R1", declined_on=on("2024-01-04"), reason="busy"
    )
    assert len(ledger(*CIRCLE, later, as_of="2024-01-03")) == 1


def test_a_referral_in_a_circle_and_a_second_one_are_told_apart() -> None:
    second = brought("B", "R9", "2024-02-01", "Z")
    assert [finding.facts[:2] for finding in ledger(*CIRCLE, second)] == [
        ("referral:R2", "referral:R3"),
        ("referral:R9", "referral:R2"),
    ]


def test_of_a_long_circle_so_many_are_named_as_an_event_holds() -> None:
    ring = [brought(f"P{n}", f"R{n:04}", "2024-01-01", f"P{(n + 1) % 500}") for n in range(500)]
    [finding] = ledger(*ring)
    assert len(finding.facts) == CIRCLE_FACTS_MAX
    assert finding.facts[:2] == ("referral:R0499", "referral:R0000")
    assert finding.detail.endswith("in a circle of 500")


# For all books: as the forest leaves out, and as days in common tell.


def judged(book: Book, as_of: date) -> list[Offence]:
    return list(CHECKS["referrals_overlap"].offences(book, Nothing(), as_of))


def lives(book: Book, prospect_id: str, as_of: date) -> list[tuple[date, date]]:
    """Return from when until the day before when each referral of a prospect lives."""
    accounts = [book.accounts[id_][1].opened_on for id_ in book.accounts_of.get(prospect_id, ())]
    loans = [book.loans[id_][1] for id_ in book.loans_of.get(prospect_id, ())]
    drawn = [draw.on for loan in loans for draw in loan.draws]
    lived = []
    for id_ in book.referrals_of_prospect[prospect_id]:
        row = book.referrals[id_][1]
        until = row.ended_on or day(999)
        signs = [min(days) for days in (accounts, drawn) if days]
        signs = [sign for sign in signs if sign >= row.introduced_on]
        signs += [row.converted_on] if row.converted_on else []
        if any(sign <= min(until, as_of) for sign in signs):
            until = day(999)
        if row.introduced_on <= as_of:
            lived.append((row.introduced_on, until))
    return lived


@given(books, as_ofs)
def test_a_prospect_has_an_offence_where_two_of_theirs_share_a_day(
    book: Book, as_of: date
) -> None:
    sharing = {
        prospect_id
        for prospect_id in book.referrals_of_prospect
        for one, two in combinations(lives(book, prospect_id, as_of), 2)
        if max(one[0], two[0]) < min(one[1], two[1])
    }
    overlaps = [each for each in judged(book, as_of) if "circle" not in each.detail]
    assert {each.customer_id for each in overlaps} == sharing
    for each in overlaps:
        of = [book.referrals[fact.removeprefix("referral:")] for fact in each.facts]
        assert [prospect_id for prospect_id, _ in of] == [each.customer_id] * 2
        assert of[1][1].introduced_on <= of[0][1].introduced_on == each.on <= as_of


@given(books, as_ofs)
def test_each_circle_is_told_once_by_the_one_whom_the_forest_leaves_out(
    book: Book, as_of: date
) -> None:
    edges = forest(book, as_of)
    circles = [each for each in judged(book, as_of) if "circle" in each.detail]
    assert len({each.customer_id for each in circles}) == len(circles)
    for each in circles:
        assert each.customer_id not in edges
        assert live_referral(book, each.customer_id, as_of) is None
        ids = [fact.removeprefix("referral:") for fact in each.facts]
        above = [book.referrals[id_] for id_ in ids]
        for (_, row), (prospect_id, _) in zip(above, [*above[1:], above[0]], strict=True):
            assert row.referrer_id == prospect_id
        assert [edges[prospect_id].referral_id for prospect_id, _ in above[1:]] == ids[1:]


@given(facts_of_people(), as_ofs)
def test_what_is_dated_later_changes_no_offence_of_a_date(
    rows: list[tuple[Key, Row]], as_of: date
) -> None:
    known = Book.from_rows(known_by(rows, as_of))
    assert judged(known, as_of) == judged(Book.from_rows(rows), as_of)


def test_an_end_dated_later_does_not_tell_which_of_one_day_is_left_out() -> None:
    rows: list[tuple[Key, Row]] = [
        (("P", "referral", "R1"), referral("X", day(1))),
        (("P", "referral", "R2"), referral("Y", day(1), ended_on=day(9))),
    ]
    offences = [judged(Book.from_rows(rows), as_of) for as_of in (day(8), day(9))]
    assert [each.facts for (each,) in offences] == [
        ("referral:R2", "referral:R1"),
        ("referral:R1", "referral:R2"),
    ]
