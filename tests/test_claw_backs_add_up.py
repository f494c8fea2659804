"""Whenever claw-backs run, and however often they are cut off, the same is taken back in the end.

Histories at random: draws of one day, reversed one after the other, and late facts that make
somebody else the payee, told to the ledger day by day, by a decider and folds as they are used.
What is taken in the end, and accrued after it, is compared with what one run at the end makes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from domain.account import AccountOpened
from domain.contact import ContactRecorded
from domain.deciding import decide
from domain.errors import RefusedError
from domain.loan import DrawReversed, LoanApproved, LoanDrawn
from domain.referral import ReferralDeclined, ReferralIntroduced
from domain.relationship import RelationshipClosed
from domain.reward import (
    ApproveReward,
    ClawBackReward,
    PayReward,
    RewardAccrued,
    RewardClawedBack,
    RewardPaid,
)
from domain.telling import told
from projections.referral_attribution import AttributionRules, Split
from projections.reward_plans import Band, RewardPlan, RewardPlans, earned
from projections.rewards import claw_backs, due
from tests.books import day
from tests.policy_cases import book_of
from tests.spec import MemoryWorld, opened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.catalogue import Event
    from domain.deciding import Command

LAST, UNTIL = 18, 16  # the last day on which a reversal takes anything back
RULES = AttributionRules(
    version=1,
    in_force_from=day(0),
    touch="last",
    look_back_days=100,
    claim_days=100,
    branch_conflict="touch",
    split=Split(referrer=34, teller=33, contact=33),
)
PLAN = RewardPlan(
    id="drawn",
    version=1,
    in_force_from=day(0),
    milestone="first_draw",
    basis="loan",
    currency="CZK",
    bands=(Band(above=0, rate_ppm=100_000), Band(above=500, rate_ppm=40_000)),
    payees=("customer", "employee"),
    via=("customer",),
    claim_days=30,
    claw_back_days=8,
)
FIXED = replace(PLAN, basis="referral", bands=(), amount=101)
BEFORE: tuple[Event, ...] = (
    opened("X", "2023-12-10"),
    ReferralIntroduced(
        customer_id="P",
        referral_id="R1",
        referrer_id="X",
        introduced_on=day(1),
        via="customer",
        by="RM-1",
        branch="B1",
    ),
    ContactRecorded(
        customer_id="P",
        contact_id="T1",
        happened_at=0,
        happened_on=day(2),
        channel="visit",
        direction="outbound",
        by="RM-2",
        purpose="first",
        outcome="welcome",
        duration_seconds=600,
    ),
    opened("P", "2023-12-12"),
    AccountOpened(
        customer_id="P", account_id="A", kind="current", currency="CZK", opened_on=day(2)
    ),
    LoanApproved(
        customer_id="P",
        loan_id="L",
        approved_on=day(2),
        principal=10_000,
        currency="CZK",
        term_months=12,
        annual_rate="4",
        repayment="bullet",
        purpose="stock",
    ),
)


BROUGHT_LATER = ReferralIntroduced(
    customer_id="P",
    referral_id="R2",
    referrer_id="Y",
    introduced_on=day(2),
    via="customer",
    by="RM-1",
    branch="B1",
)
DECLINED = ReferralDeclined(
    customer_id="P", referral_id="R1", declined_on=day(1), reason="no interest"
)


@dataclass(frozen=True)
class Story:
    """Draws of day 8 and when each is reversed, when rewards accrue, and what else happens.

    The events told `late` on a day make another referral the one that counts.
    """

    plan: RewardPlan
    draws: list[tuple[int, int]]
    accrued_on: int
    paid: dict[int, int]  # day: which of the rewards is approved and paid
    closed_on: int | None
    late: tuple[int | None, tuple[Event, ...]]

    def drawn(self) -> list[LoanDrawn]:
        return [
            LoanDrawn(
                customer_id="P",
                loan_id="L",
                draw_id=f"D{number}",
                drawn_on=day(8),
                amount=amount,
                currency="CZK",
            )
            for number, (amount, _) in enumerate(self.draws)
        ]

    def whole(self, on: int) -> int:
        """Return the reward of what stands on a day."""
        stands = sum(amount for amount, reversed_on in self.draws if reversed_on > on)
        return earned(self.plan, stands).whole

    def undone(self, on: int) -> list[Event]:
        """Return the draws reversed on a day, the customer's leave, and what was told late."""
        events: list[Event] = [
            told(DrawReversed, drawn, reversed_on=day(on))
            for drawn, (_, reversed_on) in zip(self.drawn(), self.draws, strict=True)
            if reversed_on == on
        ]
        if on == self.closed_on:
            events.append(RelationshipClosed(customer_id="P", closed_on=day(on), reason="moved"))
        told_on, late = self.late
        return [*events, *late] if on == told_on else events


_days = st.integers(8, LAST)
_runs = st.lists(st.tuples(_days, st.integers(1, 2)), min_size=2, max_size=8)
stories = st.builds(
    Story,
    plan=st.sampled_from([PLAN, replace(PLAN, bands_are="slab"), FIXED]),
    draws=st.lists(st.tuples(st.integers(1, 600), st.integers(8, 24)), min_size=3, max_size=6),
    accrued_on=st.sampled_from([8, 8, 9, 12]),
    paid=st.dictionaries(_days, st.integers(0, 1), max_size=3),
    closed_on=st.sampled_from([None, None, None, 14, 17]),
    late=st.tuples(
        st.none() | _days,
        st.sampled_from([(BROUGHT_LATER,), (DECLINED, BROUGHT_LATER), (DECLINED,)]),
    ),
)


class Bank:
    """A ledger in memory, told a story day by day."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.events: list[Event] = [*BEFORE]
        self.world = MemoryWorld(BEFORE)

    def live(self, runs: Iterable[tuple[int, int]]) -> None:
        """Live through all days; claw-backs run on some, cut off after so many commands."""
        self._record(*self.story.drawn())
        for on in range(8, LAST + 1):
            if on == self.story.accrued_on:
                self._accrue(on)
            self._record(*self.story.undone(on))
            for _, cut_off in (each for each in runs if each[0] == on):
                self._tell(self._to_take(on)[:cut_off])
            if on in self.story.paid:
                self._pay(self.story.paid[on], on)
        self._tell(self._to_take(LAST))
        self._accrue(LAST)
        assert self._to_take(LAST) == []

    def _accrue(self, on: int) -> None:
        plans = RewardPlans(plans=(self.story.plan,))
        self._tell(due(book_of(*self.events), day(on), plans, (RULES,), "RM-7"))

    def _to_take(self, on: int) -> list[ClawBackReward]:
        plans = RewardPlans(plans=(self.story.plan,))
        return list(claw_backs(book_of(*self.events), day(on), plans, (RULES,), "RM-7"))

    def _pay(self, number: int, on: int) -> None:
        for id_ in [e.reward_id for e in self.events if isinstance(e, RewardAccrued)][number:][:1]:
            approve = ApproveReward(reward_id=id_, approved_on=day(on), approved_by="HEAD")
            pay = PayReward(reward_id=id_, paid_on=day(on), booked="yes", by="CASH-1")
            try:
                self._tell([approve, pay])
            except RefusedError:  # nothing is left of it, or it was paid before
                continue

    def _tell(self, commands: Iterable[Command]) -> None:
        for command in commands:
            self._record(*decide(command, self.world))

    def _record(self, *events: Event) -> None:
        self.events += events
        self.world.record(*events)

    def of(self, kind: type[RewardAccrued | RewardClawedBack | RewardPaid]) -> Counter[str]:
        """Return the last amount told of each reward."""
        return Counter({e.reward_id: e.amount for e in self.events if isinstance(e, kind)})


@given(stories, _runs)
def test_whenever_claw_backs_run_as_much_is_taken_as_by_one_run_at_the_end(
    story: Story, runs: list[tuple[int, int]]
) -> None:
    often, once = Bank(story), Bank(story)
    often.live(runs)
    once.live([])
    assert often.of(RewardClawedBack) == once.of(RewardClawedBack)
    assert often.of(RewardAccrued) == once.of(RewardAccrued)


@given(stories, _runs)
def test_payees_keep_what_was_accrued_less_what_was_taken_and_no_more_than_the_whole(
    story: Story, runs: list[tuple[int, int]]
) -> None:
    bank = Bank(story)
    bank.live(runs)
    state = bank.world.rewards("P")
    rewards = state.rewards if state else {}
    taken, paid = bank.of(RewardClawedBack), bank.of(RewardPaid)
    for id_, reward in rewards.items():
        assert reward.kept == reward.accrued.amount - taken[id_] >= 0
        assert paid[id_] <= reward.accrued.amount
    kept = sum(reward.kept for reward in rewards.values())
    assert kept <= max(story.whole(UNTIL), story.whole(LAST))  # the last day is an accrual's
    payments = [e.reward_id for e in bank.events if isinstance(e, RewardPaid)]
    assert len(payments) == len(set(payments))
