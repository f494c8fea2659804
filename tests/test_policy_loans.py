"""Rules on loans: what offends, what is exempt, and what lies outside the dates."""

from __future__ import annotations

from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from domain.loan import RateChanged
from tests.policy_cases import (
    AVERAGE,
    approved,
    balance,
    committed,
    customer,
    drawn,
    facts_and_day,
    found,
    on,
    opened,
    sale,
    taken_back,
)

if TYPE_CHECKING:
    from domain.catalogue import Event


cn = partial(facts_and_day, pack="cn")
own = partial(facts_and_day, pack="none")

# The ledger's own flags, whatever the pack.


def test_a_draw_over_the_approved_sum_is_flagged() -> None:
    story = (
        approved("2024-01-02"),
        drawn("2024-01-03", 60_000),
        drawn("2024-01-09", 40_001, "D2"),
    )
    assert own(*story, rule="LEDGER-01") == [("draw:D2", "2024-01-09")]
    assert own(*story, rule="LEDGER-01", as_of="2024-01-08") == []


def test_a_draw_up_to_the_approved_sum_is_not_flagged_nor_after_a_reversal() -> None:
    first = drawn("2024-01-03", 60_000)
    back = taken_back("2024-01-05", 60_000)
    again = drawn("2024-01-09", 100_000, "D2")
    assert own(approved("2024-01-02"), first, back, again, rule="LEDGER-01") == []
    assert own(approved("2024-01-02"), first, again, rule="LEDGER-01") != []
    same_day = drawn("2024-01-05", 100_000, "D2")
    assert own(approved("2024-01-02"), first, back, same_day, rule="LEDGER-01") == []
    before_it = drawn("2024-01-04", 100_000, "D2")
    assert own(approved("2024-01-02"), first, back, before_it, rule="LEDGER-01") != []


def test_a_draw_before_the_approval_is_flagged() -> None:
    assert own(approved("2024-01-02"), drawn("2024-01-01"), rule="LEDGER-03") == [
        ("draw:D1", "2024-01-01")
    ]
    assert own(approved("2024-01-02"), drawn("2024-01-02"), rule="LEDGER-03") == []


def test_a_commitment_agreed_after_the_draw_is_flagged() -> None:
    story = (approved("2024-01-02"), drawn("2024-01-03"))
    late = committed("2024-01-04", AVERAGE)
    assert own(*story, late, rule="LEDGER-02") == [("commitment:K1", "2024-01-04")]
    assert own(*story, committed("2024-01-03", AVERAGE), rule="LEDGER-02") == []
    assert own(*story, committed("2024-01-04", AVERAGE, None), rule="LEDGER-02") == []


def test_an_earlier_draw_told_late_flags_a_commitment_no_second_time() -> None:
    story = (approved("2024-01-01"), committed("2024-01-04", AVERAGE), drawn("2024-01-03"))
    earlier = drawn("2024-01-02", draw_id="D2")
    before, after = (
        found(*told, pack="none", rule="LEDGER-02") for told in (story, (*story, earlier))
    )
    assert [each.facts[-1] for each in (*before, *after)] == ["draw:D1", "draw:D2"]
    assert {each.finding_id for each in before} == {each.finding_id for each in after}


# CN-03: a rate raised for a missed deposit.


def changed(day: str, rate: str, reason: str) -> RateChanged:
    return RateChanged(
        customer_id="C1", loan_id="L1", changed_on=on(day), annual_rate=rate, reason=reason
    )


def test_a_rate_raised_for_a_missed_deposit_offends() -> None:
    story = (approved("2021-01-01"), changed("2021-06-01", "10.35", "日均存款未达标"))
    assert cn(*story, rule="CN-03") == [("rate:L1:2021-06-01", "2021-06-01")]
    assert cn(*story, rule="CN-03", as_of="2021-05-31") == []


def test_a_lower_rate_and_another_reason_are_exempt() -> None:
    loan = approved("2021-01-01")
    assert cn(loan, changed("2021-06-01", "4.25", "Deposits held"), rule="CN-03") == []
    assert cn(loan, changed("2021-06-01", "5", "benchmark rose"), rule="CN-03") == []
    lowered = changed("2021-02-01", "3", "benchmark fell")
    back = changed("2021-06-01", "4", "DEPOSIT missed")
    assert cn(loan, lowered, back, rule="CN-03") != []


def test_a_rate_is_compared_with_that_of_the_day_before_however_late_it_is_told() -> None:
    told = (
        changed("2015-01-01", "8", "x"),
        changed("2015-06-01", "5.5", "x"),
        changed("2016-01-01", "6", "deposit"),
    )
    for changes in permutations(told):
        [finding] = found(approved("2014-01-01"), *changes, pack="cn", rule="CN-03")
        assert finding.detail == "rate raised from 5.5 to 6: deposit"
        assert finding.facts == ("rate:L1:2016-01-01", "loan:L1", "rate:L1:2015-06-01")
    for changes in permutations((told[0], told[2])):
        assert cn(approved("2014-01-01"), *changes, rule="CN-03") == []


def test_a_rate_before_it_told_late_makes_no_other_finding_of_a_raised_rate() -> None:
    story = (approved("2014-01-01"), changed("2016-01-01", "8", "deposit"))
    [first] = found(*story, pack="cn", rule="CN-03")
    [again] = found(*story, changed("2015-01-01", "6", "market"), pack="cn", rule="CN-03")
    assert first.facts == ("rate:L1:2016-01-01", "loan:L1")
    assert again.facts == (*first.facts, "rate:L1:2015-01-01")
    assert again.finding_id == first.finding_id


def test_of_one_day_the_last_told_rate_counts() -> None:
    loan = (approved("2014-01-01"), changed("2015-01-01", "3", "x"))
    wrong, right = changed("2016-01-01", "6", "deposit"), changed("2016-01-01", "2", "deposit")
    assert cn(*loan, wrong, right, rule="CN-03") == []
    assert cn(*loan, right, wrong, rule="CN-03") == [("rate:L1:2016-01-01", "2016-01-01")]
    why = changed("2016-01-01", "6", "x")
    assert cn(*loan, wrong, why, rule="CN-03") == []
    assert cn(*loan, why, wrong, rule="CN-03") == [("rate:L1:2016-01-01", "2016-01-01")]
    at_once = changed("2014-01-01", "6", "deposit")
    assert cn(approved("2014-01-01"), at_once, rule="CN-03") != []


@pytest.mark.parametrize(
    ("reason", "offends"),
    [
        ("a roadblock in the market", False),
        ("redeposited elsewhere", False),
        ("ADB-target missed", True),
        ("missed adb_3", True),
        ("ＡＤＢ missed", True),
        ("Deposits missed", True),
        ("日均adb未达标", True),
        ("客户存款不足", True),
        ("因日均未达标", True),
    ],
)
def test_a_reason_is_known_by_whole_words_where_its_script_has_them(
    reason: str, *, offends: bool
) -> None:
    story = (approved("2021-01-01"), changed("2021-06-01", "10.35", reason))
    assert bool(cn(*story, rule="CN-03")) is offends


def test_a_penal_rate_before_the_notice_was_no_offence() -> None:
    story = (approved("2011-01-01"), changed("2012-01-19", "5", "deposit missed"))
    assert cn(*story, rule="CN-03") == []


# Every rule on draws.

WHEN_DRAWN: dict[str, tuple[Event, ...]] = {
    "CN-01": (approved("2021-03-01"), opened("2021-01-01"), balance("2021-03-03", 20_000)),
    "CN-02": (approved("2021-02-01"), committed("2021-03-01", AVERAGE)),
    "KR-01": (approved("2021-03-01"), customer("sme"), sale("2021-03-10", monthly=2_000)),
    "LEDGER-01": (approved("2021-03-01", principal=50_000),),
    "LEDGER-02": (approved("2021-03-01"), committed("2021-03-09", AVERAGE)),
    "LEDGER-03": (approved("2021-03-03"),),
}


@pytest.mark.parametrize("rule", WHEN_DRAWN)
def test_a_draw_reversed_on_its_own_day_is_none_and_one_reversed_later_was_one(rule: str) -> None:
    pack = {"CN": "cn", "KR": "kr", "LEDGER": "none"}[rule.partition("-")[0]]
    story = (*WHEN_DRAWN[rule], drawn("2021-03-02"))
    offended = facts_and_day(*story, pack=pack, rule=rule)
    assert offended != []
    assert facts_and_day(*story, taken_back("2021-03-03"), pack=pack, rule=rule) == offended
    assert facts_and_day(*story, taken_back("2021-03-02"), pack=pack, rule=rule) == []
