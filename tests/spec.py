"""given(history).when(command).then(events): tests that read as the rule book."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pytest

from domain.account import Account, AccountOpened
from domain.catalogue import stream_of
from domain.commitment import Commitment
from domain.contact import Contact
from domain.deciding import Command, decide, evolve_stream
from domain.errors import RefusedError
from domain.finding import Finding
from domain.guarantee import Guarantee
from domain.hold import Hold
from domain.loan import Loan, LoanDrawn
from domain.partner import Partner
from domain.referral import Prospect
from domain.relationship import Customer, Forgotten, RelationshipOpened
from domain.reward import Rewards

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.catalogue import Event
    from domain.deciding import State
    from domain.relationship import Relationship
    from domain.world import Standing

# What an event's natural key is made of, told apart from the code under test.
CLAIMS = {
    "RelationshipOpened": ("relationship", "customer_id"),
    "HandoverProposed": ("handover", "handover_id"),
    "ContactRecorded": ("contact", "contact_id"),
    "FollowUpPromised": ("follow-up", "follow_up_id"),
    "CrossCheckRecorded": ("cross-check", "cross_check_id"),
    "EquityChecked": ("equity-check", "equity_check_id"),
    "ComplaintRecorded": ("complaint", "complaint_id"),
    "LoanApproved": ("loan", "loan_id"),
    "LoanDrawn": ("draw", "draw_id"),
    "LoanRepaid": ("repayment", "repayment_id"),
    "GuaranteeGiven": ("guarantee", "guarantee_id"),
    "GiftGiven": ("gift", "gift_id"),
    "PaymentMade": ("payment", "payment_id"),
    "ProductSold": ("sale", "sale_id"),
    "SettlementSeen": ("settlement", "settlement_id"),
    "HoldPlaced": ("hold", "hold_id"),
    "FindingRaised": ("finding", "finding_id"),
    "AccountOpened": ("account", "account_id"),
    "BalanceObserved": ("balance", "account_id", "business_date"),
    "CommitmentAgreed": ("commitment", "commitment_id"),
    "CommitmentWaived": ("waiver", "waiver_id"),
    "PartnerAdmissionChecked": ("admission-check", "admission_check_id"),
    "PartnerAgreed": ("agreement", "agreement_id"),
    "ReferralIntroduced": ("referral", "referral_id"),
    "RewardAccrued": ("reward", "reward_id"),
    "RewardApproved": ("reward-approved", "reward_id"),
    "RewardPaid": ("reward-paid", "reward_id"),
    "RewardClawedBack": ("reward-clawed-back", "reward_id", "amount"),
}


def on(text: str) -> date:
    return date.fromisoformat(text)


class MemoryWorld:
    """A ledger in memory: `domain.world.World` over the events it was told."""

    def __init__(self, history: Iterable[Event] = ()) -> None:
        self.states: dict[str, State | None] = {}
        self.holders: dict[str, str] = {}
        self.firsts: defaultdict[str, dict[type, date]] = defaultdict(dict)
        self.looked_at: set[str] = set()
        self.record(*history)

    def record(self, *events: Event) -> None:
        for event in events:
            stream = stream_of(event)
            category, _, subject = stream.partition("-")
            if category in {
                "relationship",
                "contact",
                "loan",
                "guarantee",
                "hold",
                "finding",
                "account",
                "commitment",
                "partner",
                "prospect",
                "rewards",
            }:
                self.states[stream] = evolve_stream(stream, [event], self.states.get(stream))
            kind, *names = CLAIMS.get(type(event).__name__, ("",))
            if kind:
                key = ":".join([kind, *(str(getattr(event, name)) for name in names)])
                self.holders.setdefault(key, subject)
            if isinstance(event, AccountOpened):
                self._first(event.customer_id, AccountOpened, event.opened_on)
            if isinstance(event, LoanDrawn):
                self._first(event.customer_id, LoanDrawn, event.drawn_on)

    def _first(self, customer_id: str, kind: type, day: date) -> None:
        known = self.firsts[customer_id].get(kind, day)
        self.firsts[customer_id][kind] = min(known, day)

    def _state(self, stream: str) -> State | None:
        self.looked_at.add(stream)
        return self.states.get(stream)

    def standing(self, customer_id: str) -> Standing:
        match self.states.get(f"relationship-{customer_id}"):
            case Customer():
                return "known"
            case Forgotten():
                return "forgotten"
            case _:
                return "unknown"

    def relationship(self, customer_id: str) -> Relationship | None:
        state = self._state(f"relationship-{customer_id}")
        assert state is None or isinstance(state, Customer | Forgotten)
        return state

    def contact(self, contact_id: str) -> Contact | None:
        state = self._state(f"contact-{contact_id}")
        assert state is None or isinstance(state, Contact)
        return state

    def loan(self, loan_id: str) -> Loan | None:
        state = self._state(f"loan-{loan_id}")
        assert state is None or isinstance(state, Loan)
        return state

    def deposit_hold(self, hold_id: str) -> Hold | None:
        state = self._state(f"hold-{hold_id}")
        assert state is None or isinstance(state, Hold)
        return state

    def finding(self, finding_id: str) -> Finding | None:
        state = self._state(f"finding-{finding_id}")
        assert state is None or isinstance(state, Finding)
        return state

    def guarantee(self, guarantee_id: str) -> Guarantee | None:
        state = self._state(f"guarantee-{guarantee_id}")
        assert state is None or isinstance(state, Guarantee)
        return state

    def account(self, account_id: str) -> Account | None:
        state = self._state(f"account-{account_id}")
        assert state is None or isinstance(state, Account)
        return state

    def commitment(self, commitment_id: str) -> Commitment | None:
        state = self._state(f"commitment-{commitment_id}")
        assert state is None or isinstance(state, Commitment)
        return state

    def partner(self, customer_id: str) -> Partner | None:
        state = self._state(f"partner-{customer_id}")
        assert state is None or isinstance(state, Partner)
        return state

    def prospect(self, customer_id: str) -> Prospect | None:
        state = self._state(f"prospect-{customer_id}")
        assert state is None or isinstance(state, Prospect)
        return state

    def rewards(self, customer_id: str) -> Rewards | None:
        state = self._state(f"rewards-{customer_id}")
        assert state is None or isinstance(state, Rewards)
        return state

    def claimed(self, key: str) -> bool:
        return key in self.holders

    def loan_of_draw(self, draw_id: str) -> str | None:
        return self.holders.get(f"draw:{draw_id}")

    def loan_of_repayment(self, repayment_id: str) -> str | None:
        return self.holders.get(f"repayment:{repayment_id}")

    def prospect_of_referral(self, referral_id: str) -> str | None:
        return self.holders.get(f"referral:{referral_id}")

    def prospect_of_reward(self, reward_id: str) -> str | None:
        return self.holders.get(f"reward:{reward_id}")

    def first_business(self, customer_id: str) -> tuple[date, ...]:
        return tuple(self.firsts[customer_id].values())


@dataclass(frozen=True)
class When:
    history: tuple[Event, ...]
    command: Command

    def _decide(self) -> tuple[Event, ...]:
        return decide(self.command, MemoryWorld(self.history))

    def then(self, *expected: Event) -> None:
        assert self._decide() == expected

    def then_nothing(self) -> None:
        self.then()

    def then_refused(self, error: type[RefusedError], field: str) -> RefusedError:
        """Expect exactly this rule, about this field, in a message that says what to do."""
        with pytest.raises(RefusedError) as refused:
            self._decide()
        assert type(refused.value) is error
        assert refused.value.field == field
        assert str(refused.value).startswith(field)
        assert error.remedy in str(refused.value)
        return refused.value

    def then_looks_at(self, *streams: str) -> None:
        world = MemoryWorld(self.history)
        decide(self.command, world)
        assert world.looked_at == set(streams)


@dataclass(frozen=True)
class Given:
    history: tuple[Event, ...]

    def when(self, command: Command) -> When:
        return When(self.history, command)

    def and_given(self, *more: Event) -> Given:
        return Given((*self.history, *more))


def given(*history: Event) -> Given:
    return Given(history)


def opened(customer_id: str, day: str = "1993-01-03") -> RelationshipOpened:
    """A customer, where the test is about something else."""
    return RelationshipOpened(
        customer_id=customer_id,
        name=f"Client {customer_id}",
        kind="person",
        segment="retail",
        branch="D64",
        manager="RM-64",
        opened_on=on(day),
    )
