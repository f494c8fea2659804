"""Every command, and the one function that decides it.

The shell's part: look up the natural key; where it holds the same content, return the first
result; else call `decide` and append what it returns together with what the world showed it.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from functools import reduce
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from domain import (
    account,
    commitment,
    contact,
    dealing,
    finding,
    guarantee,
    hold,
    loan,
    loan_rules,
    ownership_rules,
    partner,
    prospect_rules,
    referral,
    referral_rules,
    relationship,
    relationship_rules,
    reward,
)
from domain.errors import KeyConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.catalogue import Event
    from domain.world import World

Command: TypeAlias = (
    relationship_rules.RelationshipCommand
    | ownership_rules.OwnershipCommand
    | contact.ContactCommand
    | loan_rules.LoanCommand
    | guarantee.GuaranteeCommand
    | account.AccountCommand
    | hold.HoldCommand
    | dealing.DealingCommand
    | finding.FindingCommand
    | commitment.CommitmentCommand
    | referral_rules.ReferralCommand
    | partner.PartnerCommand
    | reward.RewardCommand
    | prospect_rules.DescribeProspect
)
State: TypeAlias = (
    relationship.Relationship
    | contact.Contact
    | loan.Loan
    | guarantee.Guarantee
    | account.Account
    | hold.Hold
    | finding.Finding
    | commitment.Commitment
    | referral.Prospect
    | partner.Partner
    | reward.Rewards
)

COMMANDS: dict[str, type[Command]] = {
    "open-relationship": relationship_rules.OpenRelationship,
    "change-profile": relationship_rules.ChangeProfile,
    "assign-manager": ownership_rules.AssignManager,
    "release-manager": ownership_rules.ReleaseManager,
    "propose-handover": ownership_rules.ProposeHandover,
    "accept-handover": ownership_rules.AcceptHandover,
    "decline-handover": ownership_rules.DeclineHandover,
    "assign-tier": relationship_rules.AssignTier,
    "give-consent": relationship_rules.GiveConsent,
    "withdraw-consent": relationship_rules.WithdrawConsent,
    "merge-relationship": relationship_rules.MergeRelationship,
    "close-relationship": relationship_rules.CloseRelationship,
    "forget-relationship": relationship_rules.ForgetRelationship,
    "check-partner-admission": partner.CheckPartnerAdmission,
    "agree-partner": partner.AgreePartner,
    "end-partner": partner.EndPartner,
    "record-contact": contact.RecordContact,
    "promise-follow-up": contact.PromiseFollowUp,
    "record-cross-check": contact.RecordCrossCheck,
    "record-equity-check": contact.RecordEquityCheck,
    "record-complaint": contact.RecordComplaint,
    "record-gift": dealing.RecordGift,
    "record-payment": dealing.RecordPayment,
    "record-product-sale": dealing.RecordProductSale,
    "record-settlement": dealing.RecordSettlement,
    "approve-loan": loan_rules.ApproveLoan,
    "draw-loan": loan_rules.DrawLoan,
    "reverse-draw": loan_rules.ReverseDraw,
    "repay-loan": loan_rules.RepayLoan,
    "reverse-repayment": loan_rules.ReverseRepayment,
    "change-rate": loan_rules.ChangeRate,
    "settle-loan": loan_rules.SettleLoan,
    "renew-loan": loan_rules.RenewLoan,
    "give-guarantee": guarantee.GiveGuarantee,
    "release-guarantee": guarantee.ReleaseGuarantee,
    "open-account": account.OpenAccount,
    "record-balance": account.RecordBalance,
    "place-hold": hold.PlaceHold,
    "release-hold": hold.ReleaseHold,
    "agree-commitment": commitment.AgreeCommitment,
    "amend-commitment": commitment.AmendCommitment,
    "waive-commitment": commitment.WaiveCommitment,
    "release-commitment": commitment.ReleaseCommitment,
    "introduce-referral": referral_rules.IntroduceReferral,
    "assign-referral": referral_rules.AssignReferral,
    "contact-referral": referral_rules.ContactReferral,
    "qualify-referral": referral_rules.QualifyReferral,
    "convert-referral": referral_rules.ConvertReferral,
    "decline-referral": referral_rules.DeclineReferral,
    "lapse-referral": referral_rules.LapseReferral,
    "lapse-overdue-referral": referral_rules.LapseOverdueReferral,
    "describe-prospect": prospect_rules.DescribeProspect,
    "accrue-reward": reward.AccrueReward,
    "approve-reward": reward.ApproveReward,
    "pay-reward": reward.PayReward,
    "claw-back-reward": reward.ClawBackReward,
    "raise-finding": finding.RaiseFinding,
    "assign-finding": finding.AssignFinding,
    "justify-finding": finding.JustifyFinding,
    "remediate-finding": finding.RemediateFinding,
    "report-finding": finding.ReportFinding,
}
NAMES: dict[type[Command], str] = {cls: name for name, cls in COMMANDS.items()}
NAMES[finding.RaiseFound] = NAMES[finding.RaiseFinding]  # as judging tells it

_DECIDED_BY: dict[type[Command], Callable[[Any, World], tuple[Event, ...]]] = {
    cls: rules.decide
    for rules, commands in (
        (relationship_rules, relationship_rules.RelationshipCommand),
        (ownership_rules, ownership_rules.OwnershipCommand),
        (contact, contact.ContactCommand),
        (loan_rules, loan_rules.LoanCommand),
        (guarantee, guarantee.GuaranteeCommand),
        (account, account.AccountCommand),
        (hold, hold.HoldCommand),
        (dealing, dealing.DealingCommand),
        (finding, finding.FindingCommand),
        (commitment, commitment.CommitmentCommand),
        (referral_rules, referral_rules.ReferralCommand),
        (partner, partner.PartnerCommand),
        (reward, reward.RewardCommand),
        (prospect_rules, prospect_rules.DescribeProspect),
    )
    for cls in get_args(commands) or (commands,)
}

# The commands that bring something with an id of its own into the ledger: the claim's kind, and
# the fields that complete its key.
_NATURAL_KEYS: dict[type[Command], tuple[str, ...]] = {
    relationship_rules.OpenRelationship: ("relationship", "customer_id"),
    ownership_rules.ProposeHandover: ("handover", "handover_id"),
    partner.CheckPartnerAdmission: ("admission-check", "admission_check_id"),
    partner.AgreePartner: ("agreement", "agreement_id"),
    contact.RecordContact: ("contact", "contact_id"),
    contact.PromiseFollowUp: ("follow-up", "follow_up_id"),
    contact.RecordCrossCheck: ("cross-check", "cross_check_id"),
    contact.RecordEquityCheck: ("equity-check", "equity_check_id"),
    contact.RecordComplaint: ("complaint", "complaint_id"),
    dealing.RecordGift: ("gift", "gift_id"),
    dealing.RecordPayment: ("payment", "payment_id"),
    dealing.RecordProductSale: ("sale", "sale_id"),
    dealing.RecordSettlement: ("settlement", "settlement_id"),
    loan_rules.ApproveLoan: ("loan", "loan_id"),
    loan_rules.DrawLoan: ("draw", "draw_id"),
    loan_rules.RepayLoan: ("repayment", "repayment_id"),
    guarantee.GiveGuarantee: ("guarantee", "guarantee_id"),
    account.OpenAccount: ("account", "account_id"),
    account.RecordBalance: ("balance", "account_id", "business_date"),
    hold.PlaceHold: ("hold", "hold_id"),
    commitment.AgreeCommitment: ("commitment", "commitment_id"),
    commitment.WaiveCommitment: ("waiver", "waiver_id"),
    referral_rules.IntroduceReferral: ("referral", "referral_id"),
    reward.AccrueReward: ("reward", "reward_id"),
    reward.ApproveReward: ("reward-approved", "reward_id"),
    reward.PayReward: ("reward-paid", "reward_id"),
    reward.ClawBackReward: ("reward-clawed-back", "reward_id", "amount"),
    finding.RaiseFinding: ("finding", "finding_id"),
    finding.RaiseFound: ("finding", "finding_id"),
}

# Told again with other content, these are corrections; every other one is a conflict.
_CORRECTABLE = (
    relationship_rules.OpenRelationship,
    contact.RecordContact,
    account.RecordBalance,
    guarantee.GiveGuarantee,
    referral_rules.IntroduceReferral,
    reward.AccrueReward,
    reward.ClawBackReward,
    finding.RaiseFinding,
)

# The categories of streams that a decision looks at, by the field that completes their names.
_STREAMS = {
    "customer_id": ("relationship",),
    "into_customer_id": ("relationship",),
    "contact_id": ("contact",),
    "account_id": ("account",),
    "loan_id": ("loan",),
    "guarantee_id": ("guarantee",),
    "guarantor_id": ("relationship", "prospect"),
    "hold_id": ("hold",),
    "commitment_id": ("commitment",),
    "finding_id": ("finding",),
    "prospect_id": ("relationship", "prospect"),
    "referrer_id": ("relationship", "prospect"),
}

_PLAIN = frozenset({str, int})  # types of fields that are compared as they are
_COMPARED: dict[type, tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]] = {
    cls: (names, attrgetter(*names))
    for cls in (*NAMES, commitment.Terms, commitment.CountedAccount)
    if (names := tuple(f.name for f in fields(cls) if f.name != "today"))
}
assert all(len(names) > 1 for names, _ in _COMPARED.values()), "one name gives no tuple"

_LOOKED_AT: dict[type[Command], tuple[tuple[str, str], ...]] = {
    cls: tuple((f.name, category) for f in fields(cls) for category in _STREAMS.get(f.name, ()))
    for cls in NAMES
}

_EVOLVE: dict[str, Callable[[Any, Any], State | None]] = {
    "relationship": relationship.evolve,
    "contact": contact.evolve,
    "loan": loan.evolve,
    "guarantee": guarantee.evolve,
    "account": account.evolve,
    "hold": hold.evolve,
    "finding": finding.evolve,
    "commitment": commitment.evolve,
    "prospect": referral.evolve,
    "partner": partner.evolve,
    "rewards": reward.evolve,
}


def decide(command: Command, world: World) -> tuple[Event, ...]:
    """Return the events the command causes, none where nothing happened.

    Called only where the natural key is free or holds other content. Raises `RefusedError`.
    """
    key = None if isinstance(command, _CORRECTABLE) else natural_key(command)
    if key is not None and world.claimed(key):
        field = _NATURAL_KEYS[type(command)][1]
        raise KeyConflictError(field, getattr(command, field))
    return _DECIDED_BY[type(command)](command, world)


def natural_key(command: Command) -> str | None:
    """Return the claim a command makes beside its command id, such as `draw:L05314-1`."""
    parts = _NATURAL_KEYS.get(type(command))
    if parts is None:
        return None
    kind, *names = parts
    return ":".join([kind, *[str(getattr(command, name)) for name in names]])


def streams(command: Command) -> tuple[str, ...]:
    """Return streams the decision will probably look at: a hint for loading them in bulk."""
    return tuple(
        [
            f"{category}-{value}"
            for name, category in _LOOKED_AT[type(command)]
            if (value := getattr(command, name)) is not None
        ]
    )


def is_personal(command: type[Command]) -> bool:
    """Return whether content of this kind is hashed under the customer's key."""
    return any(f.metadata.get("personal") for f in fields(command))


def content(command: Command) -> tuple[Any, ...]:
    """Return what a re-told row is compared by: its name and fields, save `today` and None.

    Only None, strings, integers and tuples, dates as ISO strings, so that it packs as it is. A
    later optional field changes no hash.
    """
    return (NAMES[type(command)], *_told(command))


def _told(value: Any) -> Any:  # noqa: ANN401 - any field of any command
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is date:
        return value.isoformat()
    if kind is tuple:
        return tuple([_told(item) for item in value])
    names, values_of = _COMPARED[kind]
    return tuple(
        [
            (name, v if type(v) in _PLAIN else _told(v))
            for name, v in zip(names, values_of(value), strict=True)
            if v is not None
        ]
    )


def evolve_stream(
    stream: str, events: Iterable[Event], state: State | None = None
) -> State | None:
    """Return the state of a stream after more events, starting from its state before them."""
    return reduce(_EVOLVE[stream.partition("-")[0]], events, state)
