"""LEDGER-05: a reward told otherwise than the plans give it; never one that follows from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.telling import told
from projections.book import Book
from projections.facts import ClawedBack, Draw, Referral, Reward
from projections.policy.rewards import CHECKS, AsPlanned
from projections.referral_attribution import AttributionRules, AttributionRulesFile, Split
from projections.reward_plans import Band, RewardPlan, RewardPlans
from projections.rewards import due
from tests.books import account, customer, day, facts_of_people, known_by, loan, referral

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from projections.facts import Key, Row
    from projections.policy.rules import Offence

Rows = list[tuple["Key", "Row"]]

FRIEND = RewardPlan(
    id="friend",
    version=1,
    in_force_from=day(0),
    milestone="converted",
    basis="referral",
    currency="CZK",
    amount=10_000,
    payees=("customer", "employee"),
    via=("customer",),
    claim_days=10,
    claw_back_days=20,
)
DRAWN = replace(
    FRIEND,
    id="drawn",
    milestone="first_draw",
    basis="loan",
    amount=0,
    bands=(Band(above=0, rate_ppm=10_000),),
)
RULES = AttributionRules(
    version=1,
    in_force_from=day(0),
    touch="last",
    look_back_days=100,
    claim_days=30,
    branch_conflict="customer",
    split=Split(referrer=70, teller=30),
)
BROUGHT = Referral(referrer_id="X", introduced_on=day(1), via="customer", branch="B1", by="RM-1")
STORY: Rows = [
    (("P", "referral", "R1"), BROUGHT),
    (("P", "customer", ""), customer(day(5))),
    (("P", "account", "A"), account(day(5))),
    (("P", "loan", "L"), loan(Draw("D1", day(8), 40_000), Draw("D2", day(8), 10_000))),
]
ACCRUED_ON = day(9)


def planned(*plans: RewardPlan, rules: AttributionRules = RULES) -> AsPlanned:
    return AsPlanned(
        plans=RewardPlans(plans=plans), attribution=AttributionRulesFile(versions=(rules,))
    )


def accrued(rows: Rows, by: AsPlanned, as_of: date = ACCRUED_ON) -> Rows:
    """Return the rewards that `guanxi reward accrue` accrues as of a date."""
    book = Book.from_rows(rows)
    commands = due(book, as_of, by.plans, by.attribution.versions, "RM-7")
    prospects = {id_: prospect_id for id_, (prospect_id, _) in book.referrals.items()}
    return [
        ((prospects[each.referral_id], "reward", each.reward_id), told(Reward, each))
        for each in commands
    ]


def judged(rows: Iterable[tuple[Key, Row]], by: AsPlanned, as_of: date) -> list[Offence]:
    return list(CHECKS["reward_outside_plan"].offences(Book.from_rows(rows), by, as_of))


def of_x(plan: RewardPlan, /, **change: Any) -> tuple[Key, Reward]:  # noqa: ANN401 - fields
    """Return the referrer's reward by a plan, told by hand with a change."""
    found = [row for _, row in accrued(STORY, planned(plan)) if isinstance(row, Reward)]
    [own] = [row for row in found if row.payee_id == "X"]
    return ("P", "reward", "W1"), replace(own, **change)


def detail(reward: tuple[Key, Reward], by: AsPlanned, rows: Rows = STORY) -> str:
    """Return the words of the one offence that a reward is."""
    [offence] = judged([*rows, reward], by, day(40))
    assert offence.customer_id == "P"
    assert offence.on == reward[1].accrued_on
    assert offence.facts == ("reward:W1", f"referral:{reward[1].referral_id}")
    return offence.detail.partition(": ")[2]


@pytest.mark.parametrize("plan", [FRIEND, DRAWN])
def test_what_the_plan_gives_is_no_offence(plan: RewardPlan) -> None:
    rewards = accrued(STORY, planned(plan))
    assert len(rewards) == 2
    assert judged([*STORY, *rewards], planned(plan), day(40)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"whole": 20_000}, "whole 100.00 CZK expected, 200.00 CZK told"),
        ({"share_ppm": 1_000_000}, "share 70% expected, 100% told"),
        ({"amount": 7_001}, "amount 70.00 CZK expected, 70.01 CZK told"),
        ({"basis": "loan"}, "basis referral expected, loan told"),
        ({"referral_id": "R9"}, "referral R1 expected, R9 told"),
        ({"milestone": "first_draw"}, "milestone converted expected, first_draw told"),
        ({"payee_role": "employee"}, "role customer expected, employee told"),
        ({"reached_on": day(8)}, "reached on 2023-12-15 expected, 2023-12-18 told"),
        (
            {"currency": "PTS"},
            (
                "whole 100.00 CZK expected, 100.00 PTS told; "
                "amount 70.00 CZK expected, 70.00 PTS told"
            ),
        ),
        ({"plan": "by hand"}, "the rules have no such version of the plan"),
        ({"plan_version": 2}, "the rules have no such version of the plan"),
        ({"payee_id": "Y"}, "nothing of it is owed to Y, but to X, RM-1"),
        ({"accrued_on": day(16)}, "claimed more than 10 days after 2023-12-15"),
        ({"accrued_on": day(4)}, "the milestone converted was not reached"),
    ],
)
def test_what_differs_is_told_with_what_was_expected(change: dict[str, Any], words: str) -> None:
    assert detail(of_x(FRIEND, **change), planned(FRIEND)) == words


def test_the_offence_names_payee_plan_and_amount() -> None:
    [offence] = judged([*STORY, of_x(FRIEND, amount=7_001)], planned(FRIEND), day(40))
    assert offence.detail.startswith("70.01 CZK for X by friend version 1: amount")


def test_a_version_that_was_not_in_force_on_the_day_gives_nothing() -> None:
    words = "the version was not in force on 2023-12-15, the day of converted"
    reward = of_x(FRIEND)
    assert detail(reward, planned(replace(FRIEND, in_force_from=day(6)))) == words
    assert detail(reward, planned(replace(FRIEND, in_force_to=day(4)))) == words


def test_a_milestone_that_was_not_reached_gives_nothing() -> None:
    undrawn = [row for row in STORY if row[0][1] != "loan"]
    words = "the milestone first_draw was not reached"
    assert detail(of_x(DRAWN), planned(DRAWN), undrawn) == words
    other_currency = replace(DRAWN, base_currency="EUR")
    assert detail(of_x(DRAWN), planned(other_currency)) == words


def test_a_way_or_a_role_that_is_not_rewarded_gives_nothing() -> None:
    via = planned(replace(FRIEND, via=("partner",)))
    assert detail(of_x(FRIEND), via) == "who is brought via customer is not rewarded"
    employees = planned(replace(FRIEND, payees=("employee",)))
    assert detail(of_x(FRIEND), employees) == "the plan does not pay customer"
    nobody = planned(replace(FRIEND, payees=("partner",), via=("customer", "partner")))
    words = "nothing of it is owed to Y, but to nobody whom the plan pays"
    assert detail(of_x(FRIEND, payee_id="Y"), nobody) == words


def test_what_is_owed_to_nobody_gives_nothing() -> None:
    rules = replace(RULES, look_back_days=3)
    words = "the conversion of 2023-12-15 is owed to nobody: brought more than 3 days before it"
    assert detail(of_x(FRIEND), planned(FRIEND, rules=rules)) == words


def test_a_customer_who_had_left_by_the_accrual_earns_nothing() -> None:
    left = changed(customer=replace(customer(day(5)), closed_on=day(9)))
    words = "the relationship was closed on 2023-12-19"
    assert detail(of_x(FRIEND), planned(FRIEND), left) == words


def test_a_reward_is_not_known_before_it_was_accrued() -> None:
    rows = [*STORY, of_x(FRIEND, amount=1)]
    assert judged(rows, planned(FRIEND), day(8)) == []
    assert len(judged(rows, planned(FRIEND), day(9))) == 1


# What follows from the plans is no offence, whatever happens on later days.


def changed(**rows: Row) -> Rows:
    """Return the story with other rows instead of those of their kinds."""
    return [(key, rows.get(key[1], row)) for key, row in STORY]


GONE = replace(customer(day(5)), closed_on=day(20), forgotten_on=day(20))


@pytest.mark.parametrize("plan", [FRIEND, DRAWN])
@pytest.mark.parametrize(
    "later",
    [
        changed(loan=loan(Draw("D1", day(8), 40_000, day(10)), Draw("D2", day(8), 10_000))),
        changed(loan=loan(*(Draw(f"D{n}", day(8), 5 * n, day(10)) for n in (8_000, 2_000)))),
        [*STORY, (("P", "loan", "L2"), loan(Draw("D3", day(10), 500)))],
        [*STORY, (("P", "referral", "R2"), replace(BROUGHT, introduced_on=day(10)))],
        changed(referral=replace(BROUGHT, ended_on=day(10))),
        [*STORY, (("X", "referral", "R3"), referral("P", day(10)))],
        [*STORY, (("X", "customer", ""), GONE)],
        changed(customer=replace(customer(day(5)), closed_on=day(10))),
    ],
)
def test_facts_of_later_days_make_no_offence_of_what_was_accrued(
    plan: RewardPlan, later: Rows
) -> None:
    by = planned(plan)
    rewards = accrued(STORY, by)
    assert len(rewards) == 2
    assert judged([*later, *rewards], by, day(40)) == []


def test_what_became_of_a_reward_makes_no_offence_of_it() -> None:
    came = {"approved_on": day(10), "paid_on": day(11), "paid": 6_000, "booked": "yes"}
    settled = of_x(FRIEND, claw_backs=(ClawedBack(day(10), 1_000, "fraud"),), **came)
    assert judged([*STORY, settled], planned(FRIEND), day(40)) == []


def test_a_referral_told_late_that_takes_the_conversion_makes_one_of_who_was_wrong() -> None:
    by = planned(FRIEND)
    late = (("P", "referral", "R2"), replace(BROUGHT, introduced_on=day(3), referrer_id="Y"))
    offences = judged([*STORY, late, *accrued(STORY, by)], by, day(40))
    assert [each.detail.partition(": ")[2] for each in offences] == [
        "nothing of it is owed to X, but to Y, RM-1",
        "referral R2 expected, R1 told",
    ]
    first = planned(FRIEND, rules=replace(RULES, touch="first"))
    assert judged([*STORY, late, *accrued(STORY, first)], first, day(40)) == []


ANY = replace(FRIEND, in_force_from=day(-99), via=("customer", "guarantor"), claim_days=90)
PLANS = st.sampled_from(
    [
        ANY,
        replace(ANY, milestone="first_draw"),
        replace(DRAWN, in_force_from=day(-99), via=ANY.via, claim_days=90),
        replace(
            DRAWN,
            in_force_from=day(-99),
            milestone="converted",
            basis="deposits",
            via=ANY.via,
            claim_days=90,
        ),
    ]
)
ANY_RULES = st.builds(
    replace,
    st.just(replace(RULES, claim_days=90)),
    touch=st.sampled_from(["first", "last"]),
    branch_conflict=st.sampled_from(["touch", "customer"]),
)


@given(facts_of_people(), st.integers(15, 35).map(day), PLANS, ANY_RULES)
def test_what_is_accrued_is_no_offence_once_later_days_are_known(
    rows: Rows, accrued_on: date, plan: RewardPlan, rules: AttributionRules
) -> None:
    by = planned(plan, rules=rules)
    rewards = accrued(known_by(rows, accrued_on), by, accrued_on)
    assert judged([*rows, *rewards], by, day(99)) == []
