"""What the plans give: bands, milestones, deadlines, payees, and what is taken back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.telling import told
from projections.book import Book
from projections.facts import ClawedBack, Draw, Referral, Reward
from projections.referral_attribution import AttributionRules, Split
from projections.reward_plans import Band, RewardPlan, RewardPlans, earned
from projections.rewards import Earned, claw_backs, due, reward_id, reward_rows
from tests.books import account, balances, contact, customer, day, loan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from domain.reward import AccrueReward, ClawBackReward
    from projections.facts import Key, Row

DRAWN_ON = day(8)
FIXED = RewardPlan(
    id="fixed",
    version=1,
    in_force_from=day(0),
    milestone="converted",
    basis="referral",
    currency="PTS",
    amount=10_001,
    payees=("customer", "employee"),
    via=("customer",),
    claim_days=10,
    claw_back_days=20,
)
DRAWN = replace(
    FIXED,
    id="drawn",
    milestone="first_draw",
    basis="loan",
    currency="CZK",
    amount=0,
    bands=(Band(above=0, rate_ppm=10_000), Band(above=50_000, rate_ppm=4_000)),
)
RULES = AttributionRules(
    version=1,
    in_force_from=day(0),
    touch="last",
    look_back_days=100,
    claim_days=100,
    branch_conflict="touch",
    split=Split(referrer=50, teller=50),
)
REFERRAL = Referral(referrer_id="X", introduced_on=day(1), via="customer", branch="B1", by="RM-1")


def book(
    *draws: Draw,
    referral: Referral = REFERRAL,
    rewards: tuple[Reward, ...] = (),
    closed_on: date | None = None,
    own_ids: Iterable[tuple[Key, Row]] = (),
) -> Book:
    """Return facts of P, brought by X on day 1 and come with an account on day 5."""
    rows: list[tuple[Key, Row]] = [
        (("P", "referral", "R1"), referral),
        (("P", "customer", ""), replace(customer(day(5)), closed_on=closed_on)),
        (("P", "account", "A"), account(day(5))),
        (("P", "loan", "L"), loan(*draws)),
        *balances("P", "A", {day(5): 70_000}),
        *((("P", "reward", f"W{n}"), each) for n, each in enumerate(rewards)),
        *own_ids,
    ]
    return Book.from_rows(rows)


def given_by(plan: RewardPlan, facts: Book, as_of: date) -> list[AccrueReward]:
    return list(due(facts, as_of, RewardPlans(plans=(plan,)), (RULES,), "RM-7"))


def taken_by(plan: RewardPlan, facts: Book, as_of: date) -> list[ClawBackReward]:
    return list(claw_backs(facts, as_of, RewardPlans(plans=(plan,)), (RULES,), "RM-7"))


def had(plan: RewardPlan, amount: int, reached_on: date = DRAWN_ON) -> Reward:
    return Reward(
        referral_id="R1",
        plan=plan.id,
        plan_version=plan.version,
        milestone=plan.milestone,
        reached_on=reached_on,
        accrued_on=reached_on,
        payee_id="X",
        payee_role="customer",
        basis=plan.basis,
        whole=2 * amount,
        share_ppm=500_000,
        amount=amount,
        currency=plan.currency,
        formula="",
        by="RM-1",
    )


# Formulas.


@pytest.mark.parametrize(
    ("base", "whole"), [(0, 0), (49, 0), (50, 1), (50_000, 500), (50_001, 500), (70_000, 580)]
)
def test_marginal_bands_take_each_part_at_its_own_rate(base: int, whole: int) -> None:
    assert earned(DRAWN, base).whole == whole


@pytest.mark.parametrize(("base", "whole"), [(50_000, 500), (50_001, 200), (70_000, 280)])
def test_a_slab_takes_all_at_the_rate_of_the_band_it_reaches(base: int, whole: int) -> None:
    assert earned(replace(DRAWN, bands_are="slab"), base).whole == whole


def test_the_formula_says_how_it_came_about() -> None:
    assert earned(FIXED, 0).formula == "fixed: 100.01 PTS"
    assert earned(DRAWN, 70_000).formula == (
        "marginal: 500.00 CZK × 1% + 200.00 CZK × 0.4% = 5.80 CZK"
    )
    slab = earned(replace(DRAWN, bands_are="slab", currency="PTS", base_currency="CZK"), 70_000)
    assert slab.formula == "slab: 700.00 CZK × 0.4% = 2.80 PTS"


# What is due.


def test_a_fixed_reward_is_shared_to_the_last_point() -> None:
    [referrer, teller] = given_by(FIXED, book(), day(6))
    assert (referrer.payee_id, referrer.amount, referrer.whole) == ("X", 5_001, 10_001)
    assert (teller.payee_id, teller.payee_role, teller.amount) == ("RM-1", "employee", 5_000)
    assert (referrer.reached_on, referrer.accrued_on, referrer.by) == (day(5), day(6), "RM-7")


def test_a_draw_is_measured_on_the_day_of_the_first_one_that_stands() -> None:
    draws = (
        Draw("D1", day(7), 10_000, reversed_on=day(8)),
        Draw("D2", day(8), 60_000),
        Draw("D3", day(8), 10_000),
        Draw("D4", day(9), 10_000),
    )
    [referrer, _] = given_by(DRAWN, book(*draws), day(10))
    assert (referrer.reached_on, referrer.whole, referrer.amount) == (day(8), 580, 290)
    assert given_by(DRAWN, book(), day(10)) == []


def test_a_draw_before_the_conversion_is_no_milestone() -> None:
    late = replace(REFERRAL, introduced_on=day(4))
    assert given_by(DRAWN, book(Draw("D1", day(3), 10_000), referral=late), day(10)) == []


def test_deposits_are_measured_on_the_day_of_the_milestone() -> None:
    plan = replace(DRAWN, basis="deposits", milestone="converted")
    assert [each.whole for each in given_by(plan, book(), day(6))] == [580, 580]


def test_after_the_claim_days_nothing_is_due() -> None:
    assert len(given_by(FIXED, book(), day(15))) == 2
    assert given_by(FIXED, book(), day(16)) == []


def test_only_the_version_in_force_on_the_milestone_gives() -> None:
    assert given_by(replace(FIXED, in_force_from=day(6)), book(), day(7)) == []
    assert given_by(replace(FIXED, in_force_to=day(4)), book(), day(7)) == []
    assert given_by(replace(FIXED, in_force_to=day(5)), book(), day(7)) != []


def test_nothing_is_due_for_who_left_within_the_claw_back_days_or_before_the_milestone() -> None:
    for closed_on in (day(4), day(6), day(9)):
        assert given_by(FIXED, book(closed_on=closed_on), day(9)) == []
    assert len(given_by(FIXED, book(closed_on=day(9)), day(8))) == 2
    short = replace(FIXED, claw_back_days=3)
    assert len(given_by(short, book(closed_on=day(9)), day(10))) == 2


def test_the_bank_keeps_what_falls_to_others_than_the_payees() -> None:
    [only] = given_by(replace(FIXED, payees=("customer",)), book(), day(6))
    assert (only.payee_id, only.amount) == ("X", 5_001)


def test_other_ways_of_being_brought_are_not_rewarded() -> None:
    assert given_by(replace(FIXED, via=("partner",)), book(), day(6)) == []


def test_nothing_is_due_or_taken_of_the_forgotten() -> None:
    gone = replace(customer(day(5)), closed_on=day(6), forgotten_on=day(9))
    rows: list[tuple[Key, Row]] = [
        (("P", "referral", "R1"), REFERRAL),
        (("P", "account", "A"), account(day(5))),
    ]
    payee = Book.from_rows([*rows, (("X", "customer", ""), gone)])
    assert [each.payee_id for each in given_by(FIXED, payee, day(6))] == ["RM-1"]
    prospect = [*rows, (("P", "customer", ""), gone)]
    assert given_by(FIXED, Book.from_rows(prospect), day(6)) == []
    accrued = (("P", "reward", "W1"), had(FIXED, 5_000, day(5)))
    assert taken_by(FIXED, Book.from_rows([*prospect, accrued]), day(10)) == []


def not_yet(**rewards: Reward) -> list[str]:
    """Return whom the fixed plan gives something, given rewards by id."""
    rows: list[tuple[Key, Row]] = [
        (("P", "referral", "R1"), REFERRAL),
        (("P", "account", "A"), account(day(5))),
        *((("P", "reward", id_), each) for id_, each in rewards.items()),
    ]
    return [each.payee_id for each in given_by(FIXED, Book.from_rows(rows), day(6))]


def test_what_was_accrued_is_due_again_only_where_facts_took_all_of_it_back() -> None:
    own = had(FIXED, 5_001)
    denied = replace(own, claw_backs=(ClawedBack(day(6), 5_001, "fraud"),))
    id_ = reward_id(Earned("fixed", "P", "X", "R1"))
    assert not_yet(**{id_: own}) == not_yet(**{id_: denied}) == ["RM-1"]
    gone = replace(own, claw_backs=(ClawedBack(day(6), 5_001, "not_converted"),))
    assert not_yet(**{id_: gone}) == ["X", "RM-1"]
    some = ClawedBack(day(6), 4_000, "fraud")
    rest = ClawedBack(day(7), 5_001, "draw_reversed")
    assert not_yet(**{id_: replace(own, claw_backs=(some, rest))}) == ["RM-1"]
    again = reward_id(Earned("fixed", "P", "X", "R1"), 1)
    assert not_yet(**{id_: gone, again: own}) == ["RM-1"]
    assert not_yet(**{id_: gone, again: denied}) == ["RM-1"]
    assert not_yet(**{id_: gone, again: gone}) == ["X", "RM-1"]


def test_a_reward_told_by_hand_is_not_due_unless_all_of_it_was_taken_back() -> None:
    own = had(FIXED, 5_001)
    part = replace(own, claw_backs=(ClawedBack(day(6), 5_000, "not_owed"),))
    assert not_yet(W1=own) == not_yet(W1=part) == ["RM-1"]
    gone = replace(own, claw_backs=(*part.claw_backs, ClawedBack(day(7), 5_001, "not_owed")))
    other = replace(own, plan="other")
    assert not_yet(W1=gone) == not_yet(W1=other) == ["X", "RM-1"]


def test_a_payee_can_earn_under_another_referral_what_was_taken_back_under_the_first() -> None:
    gone = replace(had(FIXED, 5_001), claw_backs=(ClawedBack(day(6), 5_001, "fraud"),))
    under_another = reward_id(Earned("fixed", "P", "X", "R0"))
    assert not_yet(**{under_another: replace(gone, referral_id="R0")}) == ["X", "RM-1"]


# Whatever days it is run on.

LAST = 40
LONG = {
    plan.id: replace(plan, claim_days=10 * LAST, claw_back_days=10 * LAST)
    for plan in (FIXED, DRAWN)
}


class Drawn(NamedTuple):
    """A draw: the day, after how many days it is reversed if ever, and the amount."""

    on: int
    reversed_after: int | None
    amount: int

    def by(self, id_: str, today: int) -> Draw:
        gone = self.reversed_after is not None and self.on + self.reversed_after <= today
        reversed_on = day(self.on + (self.reversed_after or 0)) if gone else None
        return Draw(id_, day(self.on), self.amount, reversed_on=reversed_on)


class Outcome(NamedTuple):
    """An outcome of the referral, told on a day of one before; the last one told counts."""

    told_on: int
    on: int
    declined: bool


class Story(NamedTuple):
    """What becomes of P, who is brought on day 1 and comes with an account on day 5."""

    plan: RewardPlan
    draws: Sequence[Drawn]
    outcomes: Sequence[Outcome]

    def known(self, today: int, rewards: Mapping[str, Reward]) -> Book:
        draws = (
            each.by(f"D{number}", today)
            for number, each in enumerate(self.draws)
            if each.on <= today
        )
        referral = REFERRAL
        for outcome in sorted(each for each in self.outcomes if each.told_on <= today):
            on = day(outcome.on)
            ended_on, converted_on = (on, None) if outcome.declined else (None, on)
            referral = replace(referral, ended_on=ended_on, converted_on=converted_on)
        own_ids = ((("P", "reward", id_), each) for id_, each in rewards.items())
        return book(*draws, referral=referral, own_ids=own_ids)


stories = st.builds(
    Story,
    plan=st.sampled_from(list(LONG.values())),
    draws=st.lists(
        st.builds(
            Drawn,
            on=st.integers(6, LAST),
            reversed_after=st.none() | st.integers(1, 9),
            amount=st.sampled_from([10_000, 33_333, 60_000]),
        ),
        max_size=5,
    ),
    outcomes=st.lists(
        st.builds(Outcome, st.integers(10, LAST), st.integers(1, 9), st.booleans()), max_size=4
    ),
)


def kept_after(story: Story, runs: Iterable[int]) -> Counter[str]:
    """Take back and accrue on each of some days, by what is known on it; return who keeps what."""
    rewards: dict[str, Reward] = {}
    for today in runs:
        for each in taken_by(story.plan, story.known(today, rewards), day(today)):
            before = rewards[each.reward_id]
            taken = ClawedBack(day(today), each.amount, each.reason)
            rewards[each.reward_id] = replace(before, claw_backs=(*before.claw_backs, taken))
        for command in given_by(story.plan, story.known(today, rewards), day(today)):
            assert command.reward_id not in rewards
            rewards[command.reward_id] = told(Reward, command)
        assert given_by(story.plan, story.known(today, rewards), day(today)) == []
        assert taken_by(story.plan, story.known(today, rewards), day(today)) == []
        live = [of.payee_id for of in rewards.values() if of.taken_back < of.amount]
        assert len(live) == len({*live})
    left: Counter[str] = Counter()
    for reward in rewards.values():
        left[reward.payee_id] += reward.amount - reward.taken_back
    return left


@given(stories, st.sets(st.integers(6, LAST + 10)))
def test_who_keeps_what_does_not_depend_on_the_days_of_the_runs(
    story: Story, days: set[int]
) -> None:
    end = LAST + 11
    assert kept_after(story, [*sorted(days), end]) == kept_after(story, [end])


def test_a_draw_reversed_after_the_claw_back_days_leaves_what_was_accrued_and_earns_no_more() -> (
    None
):
    plan = replace(DRAWN, claim_days=100)
    story = Story(plan, [Drawn(on=8, reversed_after=21, amount=60_000)], ())
    assert kept_after(story, [28, 51]).total() == 540
    assert kept_after(story, [29, 51]).total() == 0


# What is taken back.


def test_what_stands_is_not_taken_back() -> None:
    facts = book(Draw("D1", day(8), 70_000), rewards=(had(DRAWN, 290), had(FIXED, 5_000, day(5))))
    assert taken_by(DRAWN, facts, day(20)) == []
    assert taken_by(FIXED, facts, day(20)) == []


def test_a_reversed_draw_takes_back_what_it_earned() -> None:
    draws = (Draw("D1", day(8), 50_000), Draw("D2", day(8), 20_000, reversed_on=day(28)))
    reward = had(DRAWN, 290)
    [part] = taken_by(DRAWN, book(*draws, rewards=(reward,)), day(28))
    assert (part.amount, part.reason, part.clawed_back_on) == (40, "draw_reversed", day(28))
    assert taken_by(DRAWN, book(*draws, rewards=(reward,)), day(27)) == []
    gone = replace(draws[0], reversed_on=day(20))
    [whole] = taken_by(DRAWN, book(gone, rewards=(reward,)), day(28))
    assert whole.amount == 290


THREE = replace(RULES, split=Split(referrer=34, teller=33, contact=33))


def test_what_a_reversal_leaves_is_shared_as_the_whole_was_and_comes_to_exactly_that() -> None:
    bands = (Band(above=0, rate_ppm=3_333), Band(above=6_000, rate_ppm=3_430))
    plans = RewardPlans(plans=(replace(DRAWN, bands=bands),))
    seen = (("P", "contact", "T1"), replace(contact(day(3)), by="RM-2"))
    rows: list[tuple[Key, Row]] = [
        seen,
        (("P", "referral", "R1"), REFERRAL),
        (("P", "account", "A"), account(day(5))),
    ]
    stood = loan(Draw("D1", day(8), 6_000), Draw("D2", day(8), 100_000))
    drawn_then = Book.from_rows([*rows, (("P", "loan", "L"), stood)])
    accrued = list(due(drawn_then, day(9), plans, (THREE,), "RM-7"))
    assert [each.amount for each in accrued] == [123, 120, 120]
    undone = loan(stood.draws[0], replace(stood.draws[1], reversed_on=day(10)))
    rewards = [(("P", "reward", each.reward_id), told(Reward, each)) for each in accrued]
    facts = Book.from_rows([*rows, *rewards, (("P", "loan", "L"), undone)])
    taken = {
        each.reward_id: each.amount for each in claw_backs(facts, day(10), plans, (THREE,), "RM-7")
    }
    assert [each.amount - taken[each.reward_id] for each in accrued] == [7, 7, 6]


def test_a_share_that_late_facts_changed_is_rounded_by_itself() -> None:
    draws = (Draw("D1", day(8), 50_000), Draw("D2", day(8), 20_000, reversed_on=day(28)))
    by_hand = replace(had(DRAWN, 190), share_ppm=331_000, whole=580)
    [taken] = taken_by(DRAWN, book(*draws, rewards=(by_hand,)), day(28))
    assert taken.amount == 190 - 166


def test_a_second_reversal_adds_to_what_the_first_took_back() -> None:
    draws = (
        Draw("D1", day(8), 50_000, reversed_on=day(20)),
        Draw("D2", day(8), 20_000, reversed_on=day(10)),
    )
    first = replace(had(DRAWN, 290), claw_backs=(ClawedBack(day(10), 40, "draw_reversed"),))
    facts = book(*draws, rewards=(first,))
    assert taken_by(DRAWN, facts, day(19)) == []
    [whole] = taken_by(DRAWN, facts, day(20))
    assert (whole.amount, whole.reason) == (290, "draw_reversed")
    told = replace(first, claw_backs=(*first.claw_backs, ClawedBack(day(20), 290, "fraud")))
    assert taken_by(DRAWN, book(*draws, rewards=(told,)), day(28)) == []


def test_a_slab_that_gives_more_for_less_gives_nothing_back() -> None:
    slab = replace(DRAWN, bands_are="slab")
    draws = (
        Draw("D1", day(8), 50_000),
        Draw("D2", day(8), 10_000, reversed_on=day(10)),
        Draw("D3", day(8), 10_000, reversed_on=day(12)),
    )
    facts = book(*draws, rewards=(had(slab, 140),))
    assert [t.amount for t in taken_by(slab, facts, day(10))] == [20]
    assert [t.amount for t in taken_by(slab, facts, day(12))] == [20]


def test_a_draw_reversed_on_the_day_of_the_accrual_is_taken_back() -> None:
    draw = Draw("D1", day(8), 70_000, reversed_on=day(9))
    reward = replace(had(DRAWN, 290), accrued_on=day(9))
    [whole] = taken_by(DRAWN, book(draw, rewards=(reward,)), day(9))
    assert whole.amount == 290


def test_a_reversal_after_the_claw_back_days_takes_nothing() -> None:
    late = Draw("D1", day(8), 70_000, reversed_on=day(29))
    assert taken_by(DRAWN, book(late, rewards=(had(DRAWN, 290),)), day(40)) == []


def test_a_fixed_reward_for_the_first_draw_goes_with_the_last_draw_of_that_day() -> None:
    plan = replace(FIXED, milestone="first_draw", base_currency="CZK")
    two = (Draw("D1", day(8), 50_000), Draw("D2", day(8), 20_000, reversed_on=day(9)))
    assert taken_by(plan, book(*two, rewards=(had(plan, 5_000),)), day(20)) == []
    none = replace(two[0], reversed_on=day(10))
    [whole] = taken_by(plan, book(none, two[1], rewards=(had(plan, 5_000),)), day(20))
    assert (whole.amount, whole.reason) == (5_000, "draw_reversed")


def test_the_first_draw_for_a_fixed_reward_is_in_any_currency_but_where_one_is_named() -> None:
    points = replace(FIXED, milestone="first_draw")
    facts = book(Draw("D1", day(8), 50_000))
    assert [each.whole for each in given_by(points, facts, day(9))] == [10_001, 10_001]
    assert given_by(replace(points, base_currency="EUR"), facts, day(9)) == []
    gone = book(Draw("D1", day(8), 50_000, reversed_on=day(9)), rewards=(had(points, 5_000),))
    assert [each.amount for each in taken_by(points, gone, day(9))] == [5_000]


def test_a_customer_who_leaves_within_the_days_takes_the_reward_along() -> None:
    reward = had(FIXED, 5_000, day(5))
    [taken] = taken_by(FIXED, book(rewards=(reward,), closed_on=day(25)), day(25))
    assert (taken.amount, taken.reason) == (5_000, "customer_left")
    assert taken_by(FIXED, book(rewards=(reward,), closed_on=day(26)), day(30)) == []


def test_a_conversion_that_does_not_stand_takes_the_reward_along() -> None:
    declined = replace(REFERRAL, ended_on=day(3))
    facts = book(referral=declined, rewards=(had(FIXED, 5_000, day(5)),))
    assert [each.reason for each in taken_by(FIXED, facts, day(10))] == ["not_converted"]


OWN = reward_id(Earned("fixed", "P", "X", "R1"))


def late(*rows: tuple[Key, Row], id_: str = OWN) -> list[tuple[int, str]]:
    """Return what is taken of a reward of the referrer, given facts told after it."""
    reward = had(FIXED, 5_001, day(5))
    story: list[tuple[Key, Row]] = [
        (("P", "referral", "R1"), REFERRAL),
        (("P", "account", "A"), account(day(5))),
        (("P", "reward", id_), reward),
    ]
    facts = Book.from_rows([*story, *rows])
    return [(each.amount, each.reason) for each in taken_by(FIXED, facts, day(40))]


def test_what_late_facts_give_somebody_else_is_taken_back_whole() -> None:
    assert late() == []
    other = (("P", "referral", "R2"), replace(REFERRAL, introduced_on=day(3), referrer_id="Y"))
    declined = (("P", "referral", "R1"), replace(REFERRAL, ended_on=day(2)))
    assert late(other) == late(declined, other) == [(5_001, "not_owed")]


def test_what_is_owed_under_another_referral_is_taken_back_whole() -> None:
    again = (("P", "referral", "R2"), replace(REFERRAL, introduced_on=day(3)))
    assert late(again) == [(5_001, "not_owed")]


def test_what_becomes_of_the_referrals_after_the_accrual_takes_nothing_back() -> None:
    later = (("P", "referral", "R2"), replace(REFERRAL, introduced_on=day(6), referrer_id="Y"))
    assert late(later) == []


def test_what_was_told_by_hand_is_not_taken_back_for_it_was_not_owed() -> None:
    other = (("P", "referral", "R2"), replace(REFERRAL, introduced_on=day(3), referrer_id="Y"))
    assert late(other, id_="W1") == []


def test_what_was_taken_back_whole_is_not_taken_again_nor_by_a_plan_that_is_gone() -> None:
    reward = had(FIXED, 5_000, day(5))
    taken = replace(reward, claw_backs=(ClawedBack(day(6), 5_000, "fraud"),))
    assert taken_by(FIXED, book(rewards=(taken,), closed_on=day(10)), day(25)) == []
    facts = book(rewards=(reward,), closed_on=day(10))
    assert taken_by(replace(FIXED, version=2), facts, day(25)) == []


# The export, and plans that are none.


def test_a_row_knows_nothing_dated_later() -> None:
    approved = replace(had(FIXED, 5_000), approved_on=day(9), approved_by="HEAD")
    paid = replace(approved, paid_on=day(10), paid=4_997, booked="yes")
    told = (ClawedBack(day(8), 3, "fraud"), ClawedBack(day(11), 5_000, "customer_left"))
    facts = book(rewards=(replace(paid, claw_backs=told),))
    rows = [row for n in range(7, 12) for row in reward_rows(facts, day(n))]
    assert [row.status for row in rows] == ["accrued", "approved", "paid", "clawed_back"]
    assert [row.clawed_back for row in rows] == [3, 3, 3, 5_000]
    assert [row.clawed_back_on for row in rows] == [day(8), day(8), day(8), day(11)]
    assert [row.claw_back_reason for row in rows] == [*["fraud"] * 3, "customer_left"]
    assert [row.paid_on for row in rows] == [None, None, day(10), day(10)]
    assert [row.paid for row in rows] == [0, 0, 4_997, 4_997]
    assert rows[0].amount == 5_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": 0}, "amount: 0 is not above 0"),
        ({"bands": (Band(above=0, rate_ppm=1),)}, "no bands"),
        ({"payees": ()}, r"payees: \[\] is empty"),
        ({"via": ()}, r"via: \[\] is empty"),
        ({"in_force_to": day(-1)}, "in_force_to: 2023-12-09 is before in_force_from 2023-12-10"),
        ({"basis": "deposits"}, "amount: 10001 is not 0"),
        ({"basis": "deposits", "amount": 0}, r"bands: \[\] is empty"),
        (
            {"basis": "loan", "amount": 0, "bands": (Band(above=0, rate_ppm=1),)},
            "milestone: 'converted' is not 'first_draw'",
        ),
    ],
)
def test_a_plan_that_gives_nothing_clear_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(FIXED, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bands": (Band(above=1, rate_ppm=1),)}, "write above = 0"),
        (
            {"bands": (Band(above=0, rate_ppm=1), Band(above=0, rate_ppm=2))},
            "bands: above 0 follows 0; they rise",
        ),
        (
            {"bands": (Band(above=0, rate_ppm=0), Band(above=9, rate_ppm=0))},
            "bands: every rate_ppm is 0",
        ),
        (
            {"base_currency": "JPY"},
            "base_currency: 'JPY' has not as many decimals as currency 'CZK'",
        ),
    ],
)
def test_bands_that_do_not_rise_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DRAWN, **change)


def test_a_band_without_a_rate_is_a_threshold_or_a_cap() -> None:
    rates = ((0, 0), (10_000, 10_000), (60_000, 0))
    plan = replace(DRAWN, bands=tuple(Band(above=a, rate_ppm=rate) for a, rate in rates))
    assert [earned(plan, base).whole for base in (10_000, 60_000, 90_000)] == [0, 500, 500]


def test_versions_of_a_plan_do_not_overlap() -> None:
    ended = replace(FIXED, in_force_to=day(9))
    with pytest.raises(ValueError, match="begins once the last ended"):
        RewardPlans(plans=(ended, replace(FIXED, version=2, in_force_from=day(9))))
    two = RewardPlans(plans=(ended, replace(FIXED, version=2, in_force_from=day(10))))
    assert two.version("fixed", 2) == two.plans[1]
    assert two.version("fixed", 3) is None
