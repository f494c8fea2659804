"""Rules on deposits: what offends, what is exempt, and what lies outside the dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from domain.account import AccountKind, AccountOpened
from domain.commitment import CommitmentAgreed, CommitmentReleased, CountedAccount
from domain.hold import HoldBasis, HoldReleased
from projections.policy.checks import CHECKS
from tests.policy_cases import (
    AVERAGE,
    approved,
    balance,
    book_of,
    committed,
    drawn,
    found,
    held,
    on,
    opened,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.catalogue import Event

LOAN = (approved("2021-03-01"), drawn("2021-03-10"))  # of 1,000.00
cn01 = partial(found, pack="cn", rule="CN-01")
cn04 = partial(found, pack="cn", rule="CN-04")
cn10 = partial(found, pack="cn", rule="CN-10")
cn11 = partial(found, pack="cn", rule="CN-11")

# CN-01: a loan turned into a deposit.


def test_a_fifth_of_a_draw_placed_within_seven_days_offends() -> None:
    [finding] = cn01(*LOAN, opened("2021-03-12"), balance("2021-03-17", 20_000))
    assert finding.facts == ("balance:A1:2021-03-17", "account:A1", "draw:D1")
    assert (finding.offended_on, finding.rule_version) == (on("2021-03-17"), 2)
    assert finding.detail == "200.00 CNY more on the account 7 days after a draw of 1000.00 CNY"
    assert cn01(*LOAN, opened("2021-03-12"), balance("2021-03-18", 20_000)) == []
    assert cn01(*LOAN, opened("2021-03-12"), balance("2021-03-17", 19_999)) == []


def test_only_what_came_after_the_draw_is_funded_by_it() -> None:
    before = (opened("2021-01-01"), balance("2021-03-09", 50_000))
    assert cn01(*LOAN, *before, balance("2021-03-12", 69_999)) == []
    assert cn01(*LOAN, *before, balance("2021-03-12", 70_000)) != []


@pytest.mark.parametrize("days", range(1, 8))
def test_a_draw_that_leaves_the_current_account_in_time_is_no_deposit(days: int) -> None:
    paid_out = on("2021-03-10") + timedelta(days=days)
    story = (
        opened("2021-01-01", "current"),
        balance("2021-03-10", 100_000),
        balance(str(paid_out), 19_999),
    )
    assert cn01(*LOAN, *story) == []


def test_a_share_of_the_draw_left_on_the_current_account_offends_when_the_days_are_over() -> None:
    story = (opened("2021-01-01", "current"), balance("2021-03-10", 100_000))
    left = balance("2021-03-11", 20_000)
    [finding] = cn01(*LOAN, *story, left)
    assert finding.offended_on == on("2021-03-17")
    assert cn01(*LOAN, *story, left, as_of="2021-03-16") == []


@pytest.mark.parametrize(
    ("basis", "contract_id", "offends"),
    [
        ("pledge", "P-1", False),
        ("margin", "M-1", False),
        ("pledge", None, True),
        ("court", "X-1", True),
    ],
)
def test_a_pledged_deposit_and_a_margin_are_exempt(
    basis: HoldBasis, contract_id: str | None, *, offends: bool
) -> None:
    story = (*LOAN, opened("2021-03-12"), balance("2021-03-12", 90_000))
    assert bool(cn01(*story, held("2021-03-13", basis, contract_id))) is offends


def test_a_pledge_given_too_late_or_released_at_once_exempts_nothing() -> None:
    story = (*LOAN, opened("2021-03-12"), balance("2021-03-12", 90_000))
    assert cn01(*story, held("2021-03-18")) != []
    released = HoldReleased(
        customer_id="C1", hold_id="H1", account_id="A1", released_on=on("2021-03-15")
    )
    assert cn01(*story, held("2021-03-13"), released) != []


@pytest.mark.parametrize(
    ("drawn_on", "placed_on", "version"),
    [
        ("2012-01-18", "2012-01-19", None),
        ("2012-01-18", "2012-01-20", 1),
        ("2020-05-30", "2020-05-31", 1),
        ("2020-05-30", "2020-06-01", None),
    ],
)
def test_the_day_of_the_deposit_says_which_law_judges_a_pledged_one(
    drawn_on: str, placed_on: str, version: int | None
) -> None:
    story = (
        approved("2012-01-01"),
        drawn(drawn_on),
        opened("2012-01-01"),
        balance(placed_on, 20_000),
        held(placed_on),
    )
    versions = [each.rule_version for each in cn01(*story)]
    assert versions == ([] if version is None else [version])


def test_a_pledge_exempts_what_it_covers_of_the_same_loan_alone() -> None:
    story = (*LOAN, approved("2021-03-01", "L2"), opened("2021-03-12"))
    placed = (*story, balance("2021-03-12", 90_000))
    assert cn01(*placed, held("2021-03-13", amount=89_999)) != []
    rest = held("2021-03-13", "margin", hold_id="H2", amount=1)
    assert cn01(*placed, held("2021-03-13", amount=89_999), rest) == []
    assert cn01(*placed, held("2021-03-13", loan_id="L1")) == []
    assert cn01(*placed, held("2021-03-13", loan_id="L2")) != []
    more = balance("2021-03-14", 110_000)
    [finding] = cn01(*placed, more, held("2021-03-13"))
    assert finding.facts[0] == "balance:A1:2021-03-14"


def test_a_deposit_under_the_law_is_found_whatever_was_placed_before_it() -> None:
    story = (approved("2012-01-01"), drawn("2012-01-15"), opened("2012-01-14"))
    before_the_law = (balance("2012-01-14", 0), balance("2012-01-18", 20_000))
    [finding] = cn01(*story, *before_the_law, balance("2012-01-21", 90_000))
    assert finding.facts[0] == "balance:A1:2012-01-21"
    assert cn01(*story, *before_the_law) == []  # it lay there, and was not placed again
    assert cn01(*story, *before_the_law, balance("2012-01-21", 39_999)) == []
    taken_out = (balance("2012-01-19", 0), balance("2012-01-21", 20_000))
    [again] = cn01(*story, *before_the_law, *taken_out)
    assert again.facts[0] == "balance:A1:2012-01-21"


def test_a_deposit_is_judged_by_one_version_though_it_lies_on_under_the_next() -> None:
    loan = (approved("2020-05-01"), drawn("2020-05-30"), opened("2020-05-30"))
    assert [each.rule_version for each in cn01(*loan, balance("2020-05-31", 90_000))] == [1]


def test_a_balance_that_was_carried_is_named_by_the_day_it_was_observed_on() -> None:
    story = (opened("2021-01-01", "current"), balance("2021-03-10", 90_000))
    [finding] = cn01(*LOAN, *story)
    assert finding.offended_on == on("2021-03-17")
    assert finding.facts == ("account:A1", "draw:D1", "balance:A1:2021-03-10")


def test_a_balance_told_late_raises_what_stayed_on_an_account_no_second_time() -> None:
    story = (*LOAN, opened("2021-01-01", "current"), balance("2021-03-10", 90_000))
    [before] = cn01(*story)
    [after] = cn01(*story, balance("2021-03-17", 80_000))
    assert (before.facts[-1], after.facts[-1]) == (
        "balance:A1:2021-03-10",
        "balance:A1:2021-03-17",
    )
    assert before.finding_id == after.finding_id


@pytest.mark.parametrize("check", ["deposit_after_draw", "loan_deposit_pledge_loan"])
def test_days_beyond_the_calendar_end_with_it(check: str) -> None:
    told: dict[str, Any] = {"days": 10**9, "percent": 20, "placed_kinds": ("term",)}
    parameters = CHECKS[check].parameters(**told)
    book = book_of(*PLEDGED_FOR_ANOTHER, held("2021-03-26", loan_id="L2"))
    assert [*CHECKS[check].offences(book, parameters, on("2021-04-30"))] != []


# A related party's account.

OF_C2 = AccountOpened(
    customer_id="C2", account_id="A2", kind="term", currency="CNY", opened_on=on("2021-03-01")
)
PLACED_BY_C2 = (OF_C2, replace(balance("2021-03-13", 20_000, "A2"), customer_id="C2"))


def counting(
    agreed_on: str = "2021-03-01",
    runs: tuple[str, str] = ("2021-01-01", "2021-12-31"),
    counted: tuple[str, str] = ("2016-01-01", "2026-12-31"),
) -> CommitmentAgreed:
    first, last = map(on, counted)
    account = CountedAccount(account_id="A2", counted_from=first, counted_to=last)
    starts_on, ends_on = map(on, runs)
    terms = replace(AVERAGE, accounts=(account,), starts_on=starts_on, ends_on=ends_on)
    return committed(agreed_on, terms)


def released(day: str) -> CommitmentReleased:
    return CommitmentReleased(
        customer_id="C1", commitment_id="K1", released_on=on(day), reason="paid back"
    )


def test_a_related_party_s_account_is_looked_at_where_a_commitment_counts_it() -> None:
    assert cn01(*LOAN, *PLACED_BY_C2) == []
    [finding] = cn01(*LOAN, *PLACED_BY_C2, counting())
    assert finding.customer_id == "C1"
    assert finding.facts == (
        "balance:A2:2021-03-13",
        "account:A2",
        "draw:D1",
        "commitment:K1",
    )


@pytest.mark.parametrize(
    ("story", "offends"),
    [
        ((counting(runs=("2021-01-01", "2021-03-12")),), False),
        ((counting(runs=("2021-03-14", "2021-12-31")),), False),
        ((counting(runs=("2021-03-13", "2021-03-13")),), True),
        ((counting("2021-03-14"),), False),
        ((counting("2021-03-13"),), True),
        ((counting(), released("2021-03-13")), False),
        ((counting(), released("2021-03-14")), True),
        ((counting(counted=("2021-01-01", "2021-03-12")),), False),
        ((counting(counted=("2021-03-14", "2021-12-31")),), False),
        ((counting(counted=("2021-03-13", "2021-03-13")),), True),
    ],
)
def test_a_related_party_s_account_counts_while_the_commitment_is_in_force(
    story: tuple[Event, ...], *, offends: bool
) -> None:
    assert bool(cn01(*LOAN, *PLACED_BY_C2, *story)) is offends
    pledged = replace(held("2021-03-26", loan_id="L2"), account_id="A2")
    round_trip = cn10(*LOAN, *PLACED_BY_C2, approved("2021-03-25", "L2"), *story, pledged)
    assert [each.facts for each in round_trip] == [
        ("hold:H1", "draw:D1", "loan:L2", "balance:A2:2021-03-13", "commitment:K1")
    ] * offends


def test_a_deposit_in_another_currency_than_the_draw_is_not_compared_with_it() -> None:
    account = replace(OF_C2, currency="JPY")
    terms = replace(AVERAGE, currency="JPY", accounts=(CountedAccount(account_id="A2"),))
    assert cn01(*LOAN, account, PLACED_BY_C2[1], committed("2021-03-01", terms)) == []


def test_of_commitments_that_count_an_account_the_first_agreed_is_named_and_makes_no_finding() -> (
    None
):
    pledged = replace(held("2021-03-26", loan_id="L2"), account_id="A2")
    story = (*LOAN, *PLACED_BY_C2, approved("2021-03-25", "L2"), pledged)
    k2, earlier = (replace(counting(), commitment_id=id_) for id_ in ("K2", "K0"))
    later = replace(earlier, agreed_on=on("2021-03-02"))
    for rule in (cn01, cn10):
        [first] = rule(*story, k2)
        [again] = rule(*story, k2, later)
        assert again == first
        assert first.facts[-1] == "commitment:K2"
        [other] = rule(*story, k2, earlier)
        assert other.facts == (*first.facts[:-1], "commitment:K0")
        assert other.finding_id == first.finding_id


# CN-04: a hold without a pledge.


@pytest.mark.parametrize(
    ("basis", "contract_id", "offends"),
    [
        ("none", None, True),
        ("pledge", None, True),
        ("margin", None, True),
        ("pledge", "P-1", False),
        ("margin", "M-1", False),
        ("court", None, False),
        ("aml", None, False),
    ],
)
def test_a_hold_needs_a_lawful_basis(
    basis: HoldBasis, contract_id: str | None, *, offends: bool
) -> None:
    story = (opened("2021-01-01"), held("2021-03-01", basis, contract_id))
    assert [each.facts[0] for each in cn04(*story)] == (["hold:H1"] if offends else [])


def test_a_hold_before_the_law_was_no_offence() -> None:
    assert cn04(opened("1995-01-01"), held("1995-06-30", "none")) == []
    assert cn04(opened("1995-01-01"), held("1995-07-01", "none")) != []


# CN-10: a loan, a deposit, a pledged loan.

PLEDGED_FOR_ANOTHER = (
    *LOAN,
    opened("2021-03-20"),
    balance("2021-03-20", 80_000),
    approved("2021-03-25", "L2"),
)


def test_a_deposit_funded_by_a_draw_and_pledged_for_another_loan_offends() -> None:
    [finding] = cn10(*PLEDGED_FOR_ANOTHER, held("2021-03-26", loan_id="L2"))
    assert finding.facts == ("hold:H1", "draw:D1", "loan:L2", "balance:A1:2021-03-20")
    assert finding.offended_on == on("2021-03-26")


def test_a_pledge_after_the_deposit_has_left_is_no_round_trip() -> None:
    pledge = held("2021-03-30", loan_id="L2")
    left = balance("2021-03-29", 19_999)
    assert cn10(*PLEDGED_FOR_ANOTHER, balance("2021-03-29", 20_000), pledge) != []
    assert cn10(*PLEDGED_FOR_ANOTHER, left, pledge) == []
    assert cn10(*PLEDGED_FOR_ANOTHER, left, balance("2021-03-30", 20_000), pledge) != []


def test_a_deposit_told_late_makes_no_other_finding_of_the_same_pledge() -> None:
    story = (*LOAN, opened("2021-03-12"), approved("2021-03-25", "L2"))
    placed = (balance("2021-03-20", 80_000), held("2021-03-26", loan_id="L2"))
    [first] = cn10(*story, *placed)
    [again] = cn10(*story, balance("2021-03-19", 70_000), *placed)
    assert again.facts == ("hold:H1", "draw:D1", "loan:L2", "balance:A1:2021-03-19")
    assert again.finding_id == first.finding_id


@pytest.mark.parametrize(
    ("basis", "loan_id"), [("pledge", "L1"), ("pledge", None), ("margin", "L2")]
)
def test_a_pledge_for_the_same_loan_is_no_round_trip(
    basis: HoldBasis, loan_id: str | None
) -> None:
    assert cn10(*PLEDGED_FOR_ANOTHER, held("2021-03-26", basis, loan_id=loan_id)) == []


def test_a_deposit_that_was_there_before_the_draw_is_no_round_trip() -> None:
    before = (opened("2021-03-01"), balance("2021-03-01", 80_000))
    story = (*LOAN, *before, approved("2021-03-25", "L2"))
    assert cn10(*story, held("2021-03-26", loan_id="L2")) == []


def test_a_round_trip_before_the_notice_was_no_offence() -> None:
    story = (
        approved("2011-12-01"),
        drawn("2011-12-10"),
        opened("2011-12-11"),
        balance("2011-12-11", 80_000),
        approved("2011-12-20", "L2"),
    )
    assert cn10(*story, held("2012-01-19", loan_id="L2")) == []
    assert cn10(*story, held("2012-01-20", loan_id="L2")) != []


# CN-11: deviation of the month's last day.


def month(first: str, days: int, amount: int, last: int) -> Iterator[Event]:
    start = on(first)
    for day in range(days):
        yield balance(str(start + timedelta(days=day)), last if day == days - 1 else amount)


@pytest.mark.parametrize(
    ("first", "days", "last", "version"),
    [
        ("2018-05-01", 31, 10_310, None),  # 100.10 on average: 3.0 % is 103.10
        ("2018-05-01", 31, 10_311, 1),
        ("2018-06-01", 30, 10_311, None),
        ("2018-06-01", 30, 10_420, 2),
        ("2014-08-01", 31, 99_999, None),
    ],
)
def test_the_month_s_last_day_lies_not_far_above_its_average(
    first: str, days: int, last: int, version: int | None
) -> None:
    account = opened("2014-01-01", "current")
    findings = cn11(account, *month(first, days, 10_000, last))
    assert [each.rule_version for each in findings] == ([] if version is None else [version])


def test_a_deviation_is_the_whole_bank_s_and_of_whole_months() -> None:
    account = opened("2018-01-01", "current")
    spike = tuple(month("2019-05-01", 31, 10_000, 20_000))
    [finding] = cn11(account, *spike)
    assert (finding.customer_id, finding.facts) == ("ledger", ("month-end:CNY:2019-05-31",))
    assert cn11(account, *spike, as_of="2019-05-30") == []
    assert cn11(account, *spike[1:]) == []  # the first month is not whole
    other = opened("2018-01-01", "current", "A2")
    fell = (balance("2019-05-01", 10_000, "A2"), balance("2019-05-31", -5_000, "A2"))
    assert cn11(account, *spike, other, *fell) == []


def test_an_overdraft_makes_no_month_lower() -> None:
    even = month("2019-05-01", 31, 10_000, 10_400)  # 4 % above 100.12 is 104.13
    overdrawn = (balance("2019-05-01", -5_000, "A2"), balance("2019-05-31", 0, "A2"))
    accounts = (opened("2018-01-01", "current"), opened("2018-01-01", "current", "A2"))
    assert cn11(*accounts, *even, *overdrawn) == []


@pytest.mark.parametrize("kind", ["term", "savings", "current"])
def test_every_kind_of_account_can_take_a_loan_s_money(kind: AccountKind) -> None:
    assert cn01(*LOAN, opened("2021-03-10", kind), balance("2021-03-10", 90_000)) != []
