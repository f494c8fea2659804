"""What can be asked of a referral, and what is allowed.

A step or an outcome told anew replaces the one told before; what would make a second live
referrer or a cycle is refused (`domain/referral_forest.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the edge reads the field types at run time
from functools import reduce
from typing import TYPE_CHECKING, TypeAlias

from domain import checks
from domain.errors import (
    KeyConflictError,
    OutcomeIncompleteError,
    SelfReferralError,
    UnknownReferralError,
)
from domain.referral import (
    NOBODY,
    Outcome,
    Prospect,
    Referral,
    ReferralAssigned,
    ReferralContacted,
    ReferralConverted,
    ReferralDeclined,
    ReferralEvent,
    ReferralIntroduced,
    ReferralLapsed,
    ReferralOutcome,
    ReferralQualified,
    ReferralStep,
    Via,
    evolve,
)
from domain.referral_forest import check_place, outcome_on
from domain.telling import told

if TYPE_CHECKING:
    from domain.world import World

# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class IntroduceReferral:
    """Record that someone brought a prospect; told again with an outcome, record that."""

    referral_id: str
    referrer_id: str
    prospect_id: str
    introduced_on: date
    via: Via
    by: str
    branch: str
    outcome: Outcome | None = None
    outcome_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignReferral:
    """Tell a relationship manager to see the prospect."""

    referral_id: str
    manager: str
    assigned_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactReferral:
    """Record that the prospect was spoken to for the first time."""

    referral_id: str
    contacted_on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifyReferral:
    """Record that the prospect fits and wants something."""

    referral_id: str
    qualified_on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertReferral:
    """Record that the prospect became a customer through this referral."""

    referral_id: str
    converted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineReferral:
    """Record that the prospect said no."""

    referral_id: str
    declined_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseReferral:
    """Record that nothing came of it in time."""

    referral_id: str
    lapsed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseOverdueReferral:
    """Record that a referral's time ran out, unless an outcome was told meanwhile.

    `instead_of` moves a lapse by time from that day: the first contact was told anew.
    """

    referral_id: str
    lapsed_on: date
    instead_of: date | None = None


ReferralCommand: TypeAlias = (
    IntroduceReferral
    | AssignReferral
    | ContactReferral
    | QualifyReferral
    | ConvertReferral
    | DeclineReferral
    | LapseReferral
    | LapseOverdueReferral
)


def decide(  # noqa: PLR0911 - one a case
    command: ReferralCommand, world: World
) -> tuple[ReferralEvent, ...]:
    """Return the events a command about referrals causes, or raise the rule it breaks."""
    if isinstance(command, IntroduceReferral):
        return _introduce(command, world)
    prospect_id = world.prospect_of_referral(command.referral_id)
    if prospect_id is None:
        raise UnknownReferralError("referral_id", command.referral_id)
    prospect = world.prospect(prospect_id) or NOBODY
    checks.not_forgotten(world, prospect_id, "prospect_id")
    match command:
        case AssignReferral():
            step = told(ReferralAssigned, command, customer_id=prospect_id)
            return _step(step, "assigned_on", step.assigned_on, prospect)
        case ContactReferral():
            spoken = told(ReferralContacted, command, customer_id=prospect_id)
            return _step(spoken, "contacted_on", spoken.contacted_on, prospect)
        case QualifyReferral():
            fits = told(ReferralQualified, command, customer_id=prospect_id)
            return _step(fits, "qualified_on", fits.qualified_on, prospect)
        case ConvertReferral():
            came = told(ReferralConverted, command, customer_id=prospect_id)
            return _conclude(came, "converted_on", prospect, world)
        case DeclineReferral():
            refused = told(ReferralDeclined, command, customer_id=prospect_id)
            return _conclude(refused, "declined_on", prospect, world)
        case LapseOverdueReferral() if _is_answered(command, prospect):
            return ()
        case LapseReferral() | LapseOverdueReferral():
            lapsed = told(ReferralLapsed, command, customer_id=prospect_id)
            return _conclude(lapsed, "lapsed_on", prospect, world)


def _introduce(command: IntroduceReferral, world: World) -> tuple[ReferralEvent, ...]:
    checks.not_reserved("prospect_id", command.prospect_id)
    if command.prospect_id == command.referrer_id:
        raise SelfReferralError("prospect_id", command.prospect_id)
    outcome = _outcome(command)
    checks.known_customer(world, command.referrer_id, "referrer_id")
    checks.not_forgotten(world, command.prospect_id, "prospect_id")
    introduced = told(ReferralIntroduced, command, customer_id=command.prospect_id)
    recorded_for = world.prospect_of_referral(command.referral_id)
    if recorded_for not in {None, command.prospect_id}:
        raise KeyConflictError("referral_id", command.referral_id, f"it brought {recorded_for}")
    prospect = world.prospect(command.prospect_id) or NOBODY
    if command.referral_id in prospect.referrals:
        return _retell(introduced, outcome, prospect, world)
    events = (introduced,) if outcome is None else (introduced, outcome)
    check_place(command.referral_id, None, reduce(evolve, events, prospect), world)
    return events


def _outcome(command: IntroduceReferral) -> ReferralOutcome | None:
    on = command.outcome_on
    if command.outcome is None and on is None:
        return None
    if command.outcome is None or on is None:
        missing, given = ("outcome", on) if on else ("outcome_on", command.outcome)
        raise OutcomeIncompleteError(missing, None, f"with {given}")
    checks.in_order("outcome_on", on, "introduced_on", command.introduced_on)
    prospect_id = command.prospect_id
    match command.outcome:
        case "converted":
            return told(ReferralConverted, command, customer_id=prospect_id, converted_on=on)
        case "declined":
            return told(
                ReferralDeclined, command, customer_id=prospect_id, declined_on=on, reason=""
            )
        case "lapsed":
            return told(ReferralLapsed, command, customer_id=prospect_id, lapsed_on=on)


def _retell(
    introduced: ReferralIntroduced,
    outcome: ReferralOutcome | None,
    prospect: Prospect,
    world: World,
) -> tuple[ReferralEvent, ...]:
    referral = prospect.referrals[introduced.referral_id]
    if referral.introduced != introduced:
        raise KeyConflictError("referral_id", introduced.referral_id)
    if outcome is not None:
        return _conclude(outcome, "outcome_on", prospect, world)
    if referral.outcome is not None:
        detail = "an outcome is not taken back"
        raise KeyConflictError("referral_id", introduced.referral_id, detail)
    return ()


def _step(
    step: ReferralStep, field: str, on: date, prospect: Prospect
) -> tuple[ReferralEvent, ...]:
    referral = prospect.referrals[step.referral_id]
    checks.in_order(field, on, "introduced_on", referral.introduced.introduced_on)
    return () if referral.steps.get(type(step)) == step else (step,)


def _conclude(
    outcome: ReferralOutcome, field: str, prospect: Prospect, world: World
) -> tuple[ReferralEvent, ...]:
    referral = prospect.referrals[outcome.referral_id]
    checks.in_order(field, outcome_on(outcome), "introduced_on", referral.introduced.introduced_on)
    if _same_outcome(referral, outcome):
        return ()
    check_place(outcome.referral_id, prospect, evolve(prospect, outcome), world)
    return (outcome,)


def _is_answered(command: LapseOverdueReferral, prospect: Prospect) -> bool:
    """Return whether another outcome is known than the lapse that is moved, if one is."""
    known = prospect.referrals[command.referral_id].outcome
    if known is None or command.instead_of is None:
        return known is not None
    return not isinstance(known, ReferralLapsed) or known.lapsed_on != command.instead_of


def _same_outcome(referral: Referral, outcome: ReferralOutcome) -> bool:
    """Return whether it is the outcome known; a row has no reason to tell."""
    known = referral.outcome
    return type(known) is type(outcome) and outcome_on(known) == outcome_on(outcome)
