"""Rules on commitments: what offends, what is exempt, and what lies outside the dates."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from domain.commitment import CommitmentAmended, CommitmentReleased, CountedAccount
from domain.hold import HoldReleased
from tests.policy_cases import (
    AVERAGE,
    approved,
    committed,
    drawn,
    facts_and_day,
    found,
    held,
    on,
    opened,
    raised,
)

if TYPE_CHECKING:
    from domain.catalogue import Event
    from domain.commitment import Terms

cn = partial(facts_and_day, pack="cn")
cn02 = partial(found, pack="cn", rule="CN-02")

# CN-02: a commitment tied to the loan.

BEFORE_THE_DRAW = (approved("2021-03-01"), committed("2021-03-02", AVERAGE), drawn("2021-03-03"))
ALL_ACCOUNTS = replace(AVERAGE, accounts=())


def test_a_commitment_before_the_draw_of_its_loan_is_a_tie_on_the_day_of_the_draw() -> None:
    [finding] = cn02(*BEFORE_THE_DRAW)
    assert finding.facts == ("commitment:K1", "loan:L1", "draw:D1")
    assert finding.offended_on == on("2021-03-03")
    assert finding.detail == "agreed on 2021-03-02; the loan was drawn on 2021-03-03"
    assert cn02(*BEFORE_THE_DRAW, as_of="2021-03-02") == []


def test_a_draw_told_late_makes_no_other_finding_of_the_same_tie_while_it_is_one() -> None:
    earlier, later = drawn("2021-03-02", draw_id="D0"), drawn("2021-03-05", draw_id="D2")
    [first] = cn02(*BEFORE_THE_DRAW)
    known = raised(first, "2021-03-04")
    assert cn02(*BEFORE_THE_DRAW, known, earlier) == [first]
    pledged = (opened("2016-01-01"), held("2021-03-01"))
    let_go = HoldReleased(
        customer_id="C1", hold_id="H1", account_id="A1", released_on=on("2021-03-04")
    )
    [again] = cn02(*BEFORE_THE_DRAW, known, *pledged, let_go, later)
    assert again.facts == ("commitment:K1", "loan:L1", "draw:D2")
    assert again.finding_id != first.finding_id


@pytest.mark.parametrize("agreed_on", ["2021-03-01", "2021-03-02"])
def test_a_commitment_before_or_with_the_approval_is_a_tie_on_the_day_of_the_approval(
    agreed_on: str,
) -> None:
    [finding] = cn02(approved("2021-03-02"), committed(agreed_on, AVERAGE), drawn("2021-03-04"))
    assert finding.facts == ("commitment:K1", "loan:L1")
    assert finding.offended_on == on("2021-03-02")


def test_a_commitment_is_no_tie_after_the_draw_or_without_a_loan() -> None:
    loan = (approved("2021-03-01"), drawn("2021-03-02"))
    assert cn02(*loan, committed("2021-03-03", AVERAGE)) == []
    assert cn02(*loan, committed("2021-03-01", AVERAGE, None)) == []


@pytest.mark.parametrize(
    ("agreed", "approval", "draws", "expected"),
    [
        ("2012-01-10", "2012-01-15", ["2012-01-19"], []),
        ("2012-01-10", "2012-01-15", ["2012-01-25"], [(1, "2012-01-25")]),
        ("2012-01-10", "2012-01-20", [], [(1, "2012-01-20")]),
        ("2012-02-12", "2012-02-10", ["2012-02-11", "2012-02-13"], [(1, "2012-02-13")]),
        ("2020-05-01", "2020-04-01", ["2020-06-01"], [(2, "2020-06-01")]),
        ("2020-05-01", "2020-05-02", ["2020-06-02"], [(1, "2020-05-02"), (2, "2020-06-02")]),
        ("2021-01-02", "2021-01-01", ["2021-01-03", "2021-01-04"], [(2, "2021-01-03")]),
    ],
)
def test_the_first_day_that_completes_a_tie_under_a_law_is_judged_by_it(
    agreed: str, approval: str, draws: list[str], expected: list[tuple[int, str]]
) -> None:
    made = [drawn(day, draw_id=f"D{day}") for day in reversed(draws)]
    findings = cn02(approved(approval), committed(agreed, AVERAGE), *made)
    assert [(each.rule_version, str(each.offended_on)) for each in findings] == expected


def released(day: str) -> CommitmentReleased:
    return CommitmentReleased(
        customer_id="C1", commitment_id="K1", released_on=on(day), reason="paid back"
    )


def test_a_commitment_that_is_over_ties_no_later_draw() -> None:
    story = (approved("2015-01-01"), committed("2015-01-02", AVERAGE), drawn("2015-03-01"))
    assert cn02(*story, released("2015-03-01")) == []
    assert cn02(*story, released("2015-03-02")) != []
    ended = committed("2015-01-02", replace(AVERAGE, ends_on=on("2015-02-28")))
    assert cn02(story[0], ended, story[2]) == []


@pytest.mark.parametrize("kind", ["percent_of_drawn", "percent_of_outstanding"])
def test_a_share_promised_without_a_loan_is_tied_to_each_loan_in_the_currency(kind: str) -> None:
    share = replace(AVERAGE, requirement_kind=kind)  # type: ignore[arg-type]  # one of them
    agreed = committed("2021-03-01", share, None)
    loans = (approved("2021-03-02"), approved("2021-03-03", "L2"))
    abroad = approved("2021-03-02", "L3", currency="USD")
    findings = cn02(agreed, *loans, abroad)
    assert [each.facts for each in findings] == [
        ("commitment:K1", "loan:L1"),
        ("commitment:K1", "loan:L2"),
    ]


@pytest.mark.parametrize("terms", [AVERAGE, ALL_ACCOUNTS], ids=["listed", "all"])
def test_a_commitment_on_pledged_accounts_is_exempt_since_june_2020(terms: Terms) -> None:
    loans = (approved("2021-03-01"), approved("2021-03-01", "L2"))
    story = (opened("2016-01-01"), *loans, committed("2021-03-02", terms), drawn("2021-03-03"))
    assert cn02(*story, held("2021-03-03")) == []
    assert cn02(*story, held("2021-03-03", "margin")) == []
    assert cn02(*story, held("2021-03-03", loan_id="L1")) == []
    assert cn02(*story, held("2021-03-03", loan_id="L2")) != []
    assert cn02(*story, held("2021-03-04")) != []
    assert cn02(*story, held("2021-03-03", contract_id=None)) != []
    assert cn02(*story, held("2021-03-03", "court")) != []


def test_every_account_that_counts_on_the_day_has_to_be_pledged() -> None:
    story = (opened("2016-01-01"), *BEFORE_THE_DRAW[::2], held("2021-03-03"))
    other = opened("2021-03-03", account_id="A2")
    assert cn02(*story, other, committed("2021-03-02", ALL_ACCOUNTS)) != []
    opened_later = opened("2021-03-04", account_id="A2")
    assert cn02(*story, opened_later, committed("2021-03-02", ALL_ACCOUNTS)) == []
    assert cn02(*story[1:], committed("2021-03-02", ALL_ACCOUNTS)) != []  # there is none
    both = (CountedAccount(account_id="A1"), CountedAccount(account_id="A2"))
    assert cn02(*story, other, committed("2021-03-02", replace(AVERAGE, accounts=both))) != []
    later = (both[0], replace(both[1], counted_from=on("2021-03-04")))
    assert cn02(*story, other, committed("2021-03-02", replace(AVERAGE, accounts=later))) == []


@pytest.mark.parametrize(
    ("terms", "required"),
    [
        (AVERAGE, 100),
        (replace(AVERAGE, requirement_kind="percent_of_drawn", requirement_value=200_000), 20_000),
        (replace(AVERAGE, seasonal_profile=(*[10**6] * 2, 2 * 10**6, *[10**6] * 9)), 200),
        (
            replace(
                AVERAGE,
                starts_on=on("2021-04-01"),
                seasonal_profile=(*[10**6] * 3, 3 * 10**6, *[10**6] * 8),
            ),
            300,
        ),
    ],
    ids=["amount", "share", "seasonal", "seasonal and to come"],
)
def test_the_pledges_are_together_at_least_what_is_required_on_the_day_or_the_first(
    terms: Terms, required: int
) -> None:
    both = (CountedAccount(account_id="A1"), CountedAccount(account_id="A2"))
    loan = (approved("2021-03-01"), drawn("2021-03-03"))
    accounts = (opened("2016-01-01"), opened("2016-01-01", account_id="A2"))
    story = (*loan, *accounts, committed("2021-03-02", replace(terms, accounts=both)))
    one = held("2021-03-03", amount=required - 1)
    for rest, exempt in ((1, True), (0, False)):
        other = held("2021-03-03", "margin", hold_id="H2", amount=rest)
        assert (cn02(*story, one, replace(other, account_id="A2")) == []) is exempt
    short = held("2021-03-03", hold_id="H2", amount=1)
    assert cn02(*story, replace(one, amount=required - 2), replace(short, account_id="A2")) != []


def test_a_later_pledge_does_not_undo_the_tie_of_an_earlier_draw() -> None:
    story = (opened("2016-01-01"), *BEFORE_THE_DRAW, held("2021-03-05"))
    [finding] = cn02(*story, drawn("2021-03-06", draw_id="D2"))
    assert finding.facts[2] == "draw:D1"
    let_go = HoldReleased(
        customer_id="C1", hold_id="H1", account_id="A1", released_on=on("2021-03-04")
    )
    pledged = (opened("2016-01-01"), *BEFORE_THE_DRAW, held("2021-03-02"), let_go)
    assert cn02(*pledged) == []
    [finding] = cn02(*pledged, drawn("2021-03-06", draw_id="D2"))
    assert finding.facts[2] == "draw:D2"


def test_for_the_approval_it_is_time_to_pledge_until_the_first_draw() -> None:
    story: tuple[Event, ...] = (
        opened("2016-01-01"),
        committed("2021-03-01", AVERAGE),
        approved("2021-03-02"),
        held("2021-03-20"),
    )
    assert cn02(*story, as_of="2021-03-19") != []
    assert cn02(*story, as_of="2021-03-20") == []
    assert cn02(*story, drawn("2021-03-20")) == []
    [finding] = cn02(*story, drawn("2021-03-19"))
    assert finding.facts == ("commitment:K1", "loan:L1")


@pytest.mark.parametrize(
    ("day", "version"), [("2012-01-19", None), ("2020-05-31", 1), ("2020-06-01", None)]
)
def test_the_law_of_the_day_judges_a_pledged_commitment(day: str, version: int | None) -> None:
    story = (opened("2012-01-01"), approved(day), committed(day, AVERAGE), held(day))
    versions = [each.rule_version for each in cn02(*story)]
    assert versions == ([] if version is None else [version])


# CN-08: a target of one day.


def test_a_commitment_tested_on_the_last_day_alone_is_a_month_end_target() -> None:
    ending = replace(AVERAGE, metric="ending")
    assert cn(committed("2021-01-01", ending, None), rule="CN-08") == [
        ("commitment:K1", "2021-01-01")
    ]
    assert cn(committed("2021-01-01", AVERAGE, None), rule="CN-08") == []
    term = replace(ending, window="term")
    assert cn(committed("2021-01-01", term, None), rule="CN-08") == []
    assert cn(committed("2014-09-10", ending, None), rule="CN-08") == []


def amended(day: str) -> CommitmentAmended:
    return CommitmentAmended(
        customer_id="C1",
        commitment_id="K1",
        amended_on=on(day),
        effective_on=on(day),
        terms=replace(AVERAGE, metric="ending"),
        reason="head office",
    )


def test_an_amendment_to_a_month_end_target_offends_on_its_day() -> None:
    story = (committed("2021-01-01", AVERAGE, None), amended("2021-05-01"))
    assert cn(*story, rule="CN-08") == [("commitment:K1", "2021-05-01")]
    assert cn(*story, rule="CN-08", as_of="2021-04-30") == []


def test_of_a_month_end_target_told_again_the_first_telling_under_the_law_offends() -> None:
    target = replace(AVERAGE, metric="ending")
    before_the_law = committed("2013-01-01", target, None)
    again = (amended("2015-01-01"), amended("2016-01-01"))
    assert cn(before_the_law, *again, rule="CN-08") == [("commitment:K1", "2015-01-01")]
    assert cn(committed("2014-09-11", target, None), *again, rule="CN-08") == [
        ("commitment:K1", "2014-09-11")
    ]
