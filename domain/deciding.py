"""Every command, and the one function that decides it.

The shell's part: look up the natural key; where it holds the same content, return the first
result; else call `decide` and append what it returns together with what the world showed it.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

from domain import account, commitment, contact, loan, referral, relationship
from domain.errors import KeyConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.catalogue import Event
    from domain.world import World

Command: TypeAlias = (
    relationship.RelationshipCommand
    | contact.ContactCommand
    | loan.LoanCommand
    | account.AccountCommand
    | commitment.CommitmentCommand
    | referral.ReferralCommand
)
State: TypeAlias = (
    relationship.Relationship
    | contact.Contact
    | loan.Loan
    | account.Account
    | commitment.Commitment
    | referral.Prospect
)

COMMANDS: dict[str, type[Command]] = {
    "open-relationship": relationship.OpenRelationship,
    "change-profile": relationship.ChangeProfile,
    "assign-manager": relationship.AssignManager,
    "propose-handover": relationship.ProposeHandover,
    "accept-handover": relationship.AcceptHandover,
    "decline-handover": relationship.DeclineHandover,
    "assign-tier": relationship.AssignTier,
    "give-consent": relationship.GiveConsent,
    "withdraw-consent": relationship.WithdrawConsent,
    "merge-relationship": relationship.MergeRelationship,
    "close-relationship": relationship.CloseRelationship,
    "forget-relationship": relationship.ForgetRelationship,
    "record-contact": contact.RecordContact,
    "promise-follow-up": contact.PromiseFollowUp,
    "record-cross-check": contact.RecordCrossCheck,
    "record-complaint": contact.RecordComplaint,
    "approve-loan": loan.ApproveLoan,
    "draw-loan": loan.DrawLoan,
    "reverse-draw": loan.ReverseDraw,
    "repay-loan": loan.RepayLoan,
    "reverse-repayment": loan.ReverseRepayment,
    "change-rate": loan.ChangeRate,
    "settle-loan": loan.SettleLoan,
    "renew-loan": loan.RenewLoan,
    "open-account": account.OpenAccount,
    "record-balance": account.RecordBalance,
    "agree-commitment": commitment.AgreeCommitment,
    "amend-commitment": commitment.AmendCommitment,
    "waive-commitment": commitment.WaiveCommitment,
    "release-commitment": commitment.ReleaseCommitment,
    "introduce-referral": referral.IntroduceReferral,
    "assign-referral": referral.AssignReferral,
    "contact-referral": referral.ContactReferral,
    "qualify-referral": referral.QualifyReferral,
    "convert-referral": referral.ConvertReferral,
    "decline-referral": referral.DeclineReferral,
    "lapse-referral": referral.LapseReferral,
}
NAMES: dict[type[Command], str] = {cls: name for name, cls in COMMANDS.items()}

# The commands that bring something with an id of its own into the ledger: the claim's kind, and
# the fields that complete its key.
_NATURAL_KEYS: dict[type[Command], tuple[str, ...]] = {
    relationship.OpenRelationship: ("relationship", "customer_id"),
    relationship.ProposeHandover: ("handover", "handover_id"),
    contact.RecordContact: ("contact", "contact_id"),
    contact.PromiseFollowUp: ("follow-up", "follow_up_id"),
    contact.RecordCrossCheck: ("cross-check", "cross_check_id"),
    contact.RecordComplaint: ("complaint", "complaint_id"),
    loan.ApproveLoan: ("loan", "loan_id"),
    loan.DrawLoan: ("draw", "draw_id"),
    loan.RepayLoan: ("repayment", "repayment_id"),
    account.OpenAccount: ("account", "account_id"),
    account.RecordBalance: ("balance", "account_id", "business_date"),
    commitment.AgreeCommitment: ("commitment", "commitment_id"),
    commitment.WaiveCommitment: ("waiver", "waiver_id"),
    referral.IntroduceReferral: ("referral", "referral_id"),
}

# Told again with other content, these are corrections; every other one is a conflict.
_CORRECTABLE = (
    relationship.OpenRelationship,
    contact.RecordContact,
    account.RecordBalance,
    referral.IntroduceReferral,
)

# The streams a decision is sure to look at, by the field that completes the stream's name.
_STREAMS = {
    "customer_id": "relationship",
    "account_id": "account",
    "loan_id": "loan",
    "commitment_id": "commitment",
    "prospect_id": "prospect",
    "referrer_id": "prospect",
}

_EVOLVE: dict[str, Callable[[Any, Any], State | None]] = {
    "relationship": relationship.evolve,
    "contact": contact.evolve,
    "loan": loan.evolve,
    "account": account.evolve,
    "commitment": commitment.evolve,
    "prospect": referral.evolve,
}


def decide(command: Command, world: World) -> tuple[Event, ...]:
    """Return the events the command causes, none where nothing happened.

    Called only where the natural key is free or holds other content. Raises `RefusedError`.
    """
    key = natural_key(command)
    if key is not None and not isinstance(command, _CORRECTABLE) and world.claimed(key):
        kind, _, value = key.partition(":")
        raise KeyConflictError(f"{kind.replace('-', '_')}_id", value)
    match command:
        case account.OpenAccount() | account.RecordBalance():
            return account.decide(command, world)
        case (
            contact.RecordContact()
            | contact.PromiseFollowUp()
            | contact.RecordCrossCheck()
            | contact.RecordComplaint()
        ):
            return contact.decide(command, world)
        case (
            commitment.AgreeCommitment()
            | commitment.AmendCommitment()
            | commitment.WaiveCommitment()
            | commitment.ReleaseCommitment()
        ):
            return commitment.decide(command, world)
        case (
            loan.ApproveLoan()
            | loan.DrawLoan()
            | loan.ReverseDraw()
            | loan.RepayLoan()
            | loan.ReverseRepayment()
            | loan.ChangeRate()
            | loan.SettleLoan()
            | loan.RenewLoan()
        ):
            return loan.decide(command, world)
        case (
            referral.IntroduceReferral()
            | referral.AssignReferral()
            | referral.ContactReferral()
            | referral.QualifyReferral()
            | referral.ConvertReferral()
            | referral.DeclineReferral()
            | referral.LapseReferral()
        ):
            return referral.decide(command, world)
        case _:
            return relationship.decide(command, world)


def natural_key(command: Command) -> str | None:
    """Return the claim a command makes beside its command id, such as `draw:L05314-1`."""
    parts = _NATURAL_KEYS.get(type(command))
    if parts is None:
        return None
    kind, *names = parts
    return ":".join((kind, *(str(getattr(command, name)) for name in names)))


def streams(command: Command) -> tuple[str, ...]:
    """Return streams the decision will probably look at: a hint for loading them in bulk."""
    return tuple(
        f"{_STREAMS[f.name]}-{value}"
        for f in fields(command)
        if f.name in _STREAMS and (value := getattr(command, f.name)) is not None
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
    match value:
        case date():
            return value.isoformat()
        case tuple():
            return tuple(_told(item) for item in value)
        case _ if is_dataclass(value):
            pairs = ((f.name, getattr(value, f.name)) for f in fields(value))
            return tuple((n, _told(v)) for n, v in pairs if n != "today" and v is not None)
        case _:
            return value


def evolve_stream(
    stream: str, events: Iterable[Event], state: State | None = None
) -> State | None:
    """Return the state of a stream after more events, starting from its state before them."""
    return reduce(_EVOLVE[stream.partition("-")[0]], events, state)
