"""From the facts that a finding names to the events that told them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.account import AccountOpened, BalanceCorrected, BalanceObserved
from domain.catalogue import BY_CLASS
from domain.commitment import CommitmentAgreed, CommitmentAmended, CommitmentWaived
from domain.contact import ContactCorrected, ContactRecorded
from domain.dealing import GiftGiven, PaymentMade, ProductSold
from domain.hold import HoldPlaced
from domain.loan import LoanApproved, LoanDrawn, LoanRenewed, RateChanged
from domain.partner import PartnerAgreed
from domain.referral import ReferralContacted, ReferralIntroduced
from domain.reward import RewardAccrued, RewardPaid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from domain.catalogue import Event
    from domain.record import Recorded
    from projections.book import Book
    from projections.policy.rules import Finding

ISO_DATE = len("YYYY-MM-DD")

# The facts of each type of event: the kind, and the fields that complete the key.
_FACTS: Mapping[type[Event], tuple[str, ...]] = {
    AccountOpened: ("account", "account_id"),
    BalanceObserved: ("balance", "account_id", "business_date"),
    BalanceCorrected: ("balance", "account_id", "business_date"),
    CommitmentAgreed: ("commitment", "commitment_id"),
    CommitmentAmended: ("commitment", "commitment_id"),
    CommitmentWaived: ("waiver", "waiver_id"),
    ContactRecorded: ("contact", "contact_id"),
    ContactCorrected: ("contact", "contact_id"),
    GiftGiven: ("gift", "gift_id"),
    PaymentMade: ("payment", "payment_id"),
    ProductSold: ("sale", "sale_id"),
    HoldPlaced: ("hold", "hold_id"),
    LoanApproved: ("loan", "loan_id"),
    LoanDrawn: ("draw", "draw_id"),
    RateChanged: ("rate", "loan_id", "changed_on"),
    LoanRenewed: ("rate", "loan_id", "renewed_on"),
    PartnerAgreed: ("agreement", "agreement_id"),
    ReferralIntroduced: ("referral", "referral_id"),
    ReferralContacted: ("referral-contacted", "referral_id"),
    RewardAccrued: ("reward", "reward_id"),
    RewardPaid: ("reward-paid", "reward_id"),
}


# And the end of a month, which no event tells.
FACT_KINDS = frozenset({kind for kind, *_ in _FACTS.values()} | {"month-end"})


def fact_of(event: Event) -> str | None:
    """Return the key of the fact that an event tells, such as `draw:D05314-1`."""
    if type(event) not in _FACTS:
        return None
    kind, *names = _FACTS[type(event)]
    return ":".join((kind, *(str(getattr(event, name)) for name in names)))


def tellers(facts: Iterable[str]) -> frozenset[tuple[str, str | None]]:
    """Return which records may tell any of the facts: by type, and by date or on any (None).

    A fact that its date completes, such as a day's balance, is told on that date alone.
    """
    told = {(fact.partition(":")[0], fact[-ISO_DATE:]) for fact in facts}
    found: set[tuple[str, str | None]] = set()
    for cls, (kind, *names) in _FACTS.items():
        event_type = BY_CLASS[cls]
        dated = names[-1] == event_type.occurred_on
        found |= {(event_type.name, end if dated else None) for of, end in told if of == kind}
    return frozenset(found)


def told_by(facts: Iterable[str], records: Iterable[Recorded]) -> Mapping[str, str]:
    """Return the id of the event that last told each fact, of records in ledger order.

    A fact without an event, such as the end of a month, is not in it.
    """
    wanted = set(facts)
    found = {}
    for record in records:
        fact = fact_of(record.event)
        if fact in wanted and fact is not None:
            found[fact] = record.id
    return found


def customers_of(book: Book, finding: Finding) -> set[str]:
    """Return whose events told a finding's facts: its customer, and related parties."""
    owners: Mapping[str, Mapping[str, tuple[str, object]]] = {
        "account": book.accounts,
        "hold": book.holds,
        "loan": book.loans,
        "commitment": book.commitments,
        "referral": book.referrals,
    }
    found = {finding.customer_id}
    for fact in finding.facts:
        kind, _, id_ = fact.partition(":")
        if kind in owners and id_ in owners[kind]:
            found.add(owners[kind][id_][0])
    return found


def events_of(finding: Finding, told: Mapping[str, str]) -> Sequence[str]:
    """Return the ids of the events behind a finding, in the order of its facts."""
    return tuple(told[fact] for fact in finding.facts if fact in told)
