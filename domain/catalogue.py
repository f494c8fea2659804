"""The event catalogue: one table from which stored names, topics, schemas and docs come.

A new event: a class in its family's module, and a line here. A changed one: a new version
here, an upcaster in `infra/codec.py`, a stored sample of the old bytes in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import (
    account,
    close,
    commitment,
    contact,
    dealing,
    finding,
    guarantee,
    hold,
    loan,
    partner,
    prospect,
    referral,
    relationship,
    reported,
    reward,
)

if TYPE_CHECKING:
    from datetime import date

Family: TypeAlias = Literal["relationship", "contact", "loan", "deposit", "referral", "finding"]
FAMILIES: tuple[Family, ...] = (
    "relationship",
    "contact",
    "loan",
    "deposit",
    "referral",
    "finding",
)

Event: TypeAlias = (
    relationship.RelationshipEvent
    | contact.ContactEvent
    | loan.LoanEvent
    | guarantee.GuaranteeEvent
    | account.AccountEvent
    | hold.HoldEvent
    | commitment.CommitmentEvent
    | reported.ReportEvent
    | referral.ReferralEvent
    | partner.PartnerEvent
    | reward.RewardEvent
    | prospect.ProspectEvent
    | dealing.DealingEvent
    | finding.FindingEvent
    | close.CloseEvent
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """What is fixed about one type of event.

    `stream` is the category and the field whose value completes the stream's name
    (`loan`, `loan_id` → `loan-L05314`); `occurred_on` and `occurred_at` name the fields that
    give the business date and the instant.
    """

    name: str
    version: int
    family: Family
    cls: type[Event]
    stream: tuple[str, str]
    occurred_on: str
    occurred_at: str | None = None

    @property
    def personal(self) -> frozenset[str]:
        """The fields that are stored encrypted under the customer's key."""
        return frozenset(f.name for f in fields(self.cls) if f.metadata.get("personal"))


def _type(  # noqa: PLR0913, PLR0917 - a line of the table a call
    name: str,
    family: Family,
    cls: type[Event],
    stream: tuple[str, str],
    occurred_on: str,
    occurred_at: str | None = None,
    version: int = 1,
) -> EventType:
    return EventType(
        name=name,
        version=version,
        family=family,
        cls=cls,
        stream=stream,
        occurred_on=occurred_on,
        occurred_at=occurred_at,
    )


_RELATIONSHIP = ("relationship", "customer_id")
_CONTACT = ("contact", "contact_id")
_LOAN = ("loan", "loan_id")
_GUARANTEE = ("guarantee", "guarantee_id")
_BALANCES = ("balances", "account_id")
_HOLD = ("hold", "hold_id")
_COMMITMENT = ("commitment", "commitment_id")
_COMPLIANCE = ("compliance", "commitment_id")
_PROSPECT = ("prospect", "customer_id")
_REWARDS = ("rewards", "customer_id")
_PARTNER = ("partner", "customer_id")
_FINDING = ("finding", "finding_id")
_CLOSE = ("close", "business_date")

EVENT_TYPES: tuple[EventType, ...] = (
    _type(
        "relationship-opened",
        "relationship",
        relationship.RelationshipOpened,
        _RELATIONSHIP,
        "opened_on",
    ),
    _type(
        "profile-changed", "relationship", relationship.ProfileChanged, _RELATIONSHIP, "changed_on"
    ),
    _type(
        "manager-assigned",
        "relationship",
        relationship.ManagerAssigned,
        _RELATIONSHIP,
        "assigned_on",
        version=2,
    ),
    _type(
        "manager-released",
        "relationship",
        relationship.ManagerReleased,
        _RELATIONSHIP,
        "released_on",
    ),
    _type(
        "handover-proposed",
        "relationship",
        relationship.HandoverProposed,
        _RELATIONSHIP,
        "proposed_on",
    ),
    _type(
        "handover-accepted",
        "relationship",
        relationship.HandoverAccepted,
        _RELATIONSHIP,
        "accepted_on",
    ),
    _type(
        "handover-declined",
        "relationship",
        relationship.HandoverDeclined,
        _RELATIONSHIP,
        "declined_on",
    ),
    _type(
        "tier-assigned", "relationship", relationship.TierAssigned, _RELATIONSHIP, "assigned_on"
    ),
    _type("consent-given", "relationship", relationship.ConsentGiven, _RELATIONSHIP, "given_on"),
    _type(
        "consent-withdrawn",
        "relationship",
        relationship.ConsentWithdrawn,
        _RELATIONSHIP,
        "withdrawn_on",
    ),
    _type(
        "relationship-merged",
        "relationship",
        relationship.RelationshipMerged,
        _RELATIONSHIP,
        "merged_on",
    ),
    _type(
        "relationship-closed",
        "relationship",
        relationship.RelationshipClosed,
        _RELATIONSHIP,
        "closed_on",
    ),
    _type(
        "relationship-forgotten",
        "relationship",
        relationship.RelationshipForgotten,
        _RELATIONSHIP,
        "forgotten_on",
    ),
    _type(
        "partner-admission-checked",
        "relationship",
        partner.PartnerAdmissionChecked,
        _PARTNER,
        "checked_on",
    ),
    _type("partner-agreed", "relationship", partner.PartnerAgreed, _PARTNER, "agreed_on"),
    _type("partner-ended", "relationship", partner.PartnerEnded, _PARTNER, "ended_on"),
    _type(
        "contact-recorded",
        "contact",
        contact.ContactRecorded,
        _CONTACT,
        "happened_on",
        "happened_at",
        version=2,
    ),
    _type(
        "contact-corrected",
        "contact",
        contact.ContactCorrected,
        _CONTACT,
        "happened_on",
        "happened_at",
        version=2,
    ),
    _type(
        "follow-up-promised",
        "contact",
        contact.FollowUpPromised,
        ("follow-up", "follow_up_id"),
        "promised_on",
    ),
    _type(
        "cross-check-recorded",
        "contact",
        contact.CrossCheckRecorded,
        ("cross-check", "cross_check_id"),
        "checked_on",
    ),
    _type(
        "equity-checked",
        "contact",
        contact.EquityChecked,
        ("equity-check", "equity_check_id"),
        "checked_on",
    ),
    _type(
        "complaint-recorded",
        "contact",
        contact.ComplaintRecorded,
        ("complaint", "complaint_id"),
        "complained_on",
    ),
    _type("gift-given", "contact", dealing.GiftGiven, ("gift", "gift_id"), "given_on"),
    _type("payment-made", "contact", dealing.PaymentMade, ("payment", "payment_id"), "paid_on"),
    _type("product-sold", "contact", dealing.ProductSold, ("sale", "sale_id"), "sold_on"),
    _type(
        "settlement-seen",
        "contact",
        dealing.SettlementSeen,
        ("settlement", "settlement_id"),
        "seen_on",
    ),
    _type("loan-approved", "loan", loan.LoanApproved, _LOAN, "approved_on"),
    _type("loan-drawn", "loan", loan.LoanDrawn, _LOAN, "drawn_on"),
    _type("draw-reversed", "loan", loan.DrawReversed, _LOAN, "reversed_on"),
    _type("loan-repaid", "loan", loan.LoanRepaid, _LOAN, "paid_on"),
    _type("repayment-reversed", "loan", loan.RepaymentReversed, _LOAN, "reversed_on"),
    _type("rate-changed", "loan", loan.RateChanged, _LOAN, "changed_on"),
    _type("loan-settled", "loan", loan.LoanSettled, _LOAN, "settled_on"),
    _type("loan-renewed", "loan", loan.LoanRenewed, _LOAN, "renewed_on"),
    _type("guarantee-given", "loan", guarantee.GuaranteeGiven, _GUARANTEE, "given_on"),
    _type("guarantee-released", "loan", guarantee.GuaranteeReleased, _GUARANTEE, "released_on"),
    _type(
        "account-opened", "deposit", account.AccountOpened, ("account", "account_id"), "opened_on"
    ),
    _type("balance-observed", "deposit", account.BalanceObserved, _BALANCES, "business_date"),
    _type("balance-corrected", "deposit", account.BalanceCorrected, _BALANCES, "business_date"),
    _type("hold-placed", "deposit", hold.HoldPlaced, _HOLD, "placed_on"),
    _type("hold-released", "deposit", hold.HoldReleased, _HOLD, "released_on"),
    _type("commitment-agreed", "deposit", commitment.CommitmentAgreed, _COMMITMENT, "agreed_on"),
    _type(
        "commitment-amended", "deposit", commitment.CommitmentAmended, _COMMITMENT, "amended_on"
    ),
    _type("commitment-waived", "deposit", commitment.CommitmentWaived, _COMMITMENT, "waived_on"),
    _type(
        "commitment-released",
        "deposit",
        commitment.CommitmentReleased,
        _COMMITMENT,
        "released_on",
    ),
    _type("commitment-tested", "deposit", reported.CommitmentTested, _COMPLIANCE, "tested_on"),
    _type(
        "commitment-breached", "deposit", reported.CommitmentBreached, _COMPLIANCE, "breached_on"
    ),
    _type("commitment-cured", "deposit", reported.CommitmentCured, _COMPLIANCE, "found_on"),
    _type(
        "consequence-applied", "deposit", reported.ConsequenceApplied, _COMPLIANCE, "applied_on"
    ),
    _type(
        "referral-introduced", "referral", referral.ReferralIntroduced, _PROSPECT, "introduced_on"
    ),
    _type("referral-assigned", "referral", referral.ReferralAssigned, _PROSPECT, "assigned_on"),
    _type("referral-contacted", "referral", referral.ReferralContacted, _PROSPECT, "contacted_on"),
    _type("referral-qualified", "referral", referral.ReferralQualified, _PROSPECT, "qualified_on"),
    _type("referral-converted", "referral", referral.ReferralConverted, _PROSPECT, "converted_on"),
    _type("referral-declined", "referral", referral.ReferralDeclined, _PROSPECT, "declined_on"),
    _type("referral-lapsed", "referral", referral.ReferralLapsed, _PROSPECT, "lapsed_on"),
    _type("prospect-described", "referral", prospect.ProspectDescribed, _PROSPECT, "described_on"),
    _type(
        "prospect-consent-given", "referral", prospect.ProspectConsentGiven, _PROSPECT, "given_on"
    ),
    _type(
        "prospect-consent-withdrawn",
        "referral",
        prospect.ProspectConsentWithdrawn,
        _PROSPECT,
        "withdrawn_on",
    ),
    _type("prospect-forgotten", "referral", prospect.ProspectForgotten, _PROSPECT, "forgotten_on"),
    _type("reward-accrued", "referral", reward.RewardAccrued, _REWARDS, "accrued_on"),
    _type("reward-approved", "referral", reward.RewardApproved, _REWARDS, "approved_on"),
    _type("reward-paid", "referral", reward.RewardPaid, _REWARDS, "paid_on"),
    _type("reward-clawed-back", "referral", reward.RewardClawedBack, _REWARDS, "clawed_back_on"),
    _type("finding-raised", "finding", finding.FindingRaised, _FINDING, "raised_on"),
    _type("finding-assigned", "finding", finding.FindingAssigned, _FINDING, "assigned_on"),
    _type("finding-justified", "finding", finding.FindingJustified, _FINDING, "justified_on"),
    _type("finding-remediated", "finding", finding.FindingRemediated, _FINDING, "remediated_on"),
    _type("finding-reported", "finding", finding.FindingReported, _FINDING, "reported_on"),
    _type("close-started", "finding", close.CloseStarted, _CLOSE, "business_date", version=2),
    _type("business-date-closed", "finding", close.BusinessDateClosed, _CLOSE, "business_date"),
)

BY_NAME = {event_type.name: event_type for event_type in EVENT_TYPES}
BY_CLASS: dict[type[Event], EventType] = {event_type.cls: event_type for event_type in EVENT_TYPES}


def stream_of(event: Event) -> str:
    """Return the stream an event belongs to, such as `loan-L05314`. Never spans customers."""
    category, id_field = BY_CLASS[type(event)].stream
    return f"{category}-{getattr(event, id_field)}"


def occurred_on(event: Event) -> date:
    """Return the business date on which the event took place."""
    on: date = getattr(event, BY_CLASS[type(event)].occurred_on)
    return on
