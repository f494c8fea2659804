"""The folds: what one event does to the facts.

`key_of` says which row an event touches, at most one and always under the event's own customer;
`fold` gives the new version of that row. A view keeps the kinds it names; the fold of a kind is
the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias

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
from domain.telling import told
from domain.windows import months_later
from projections.facts import (
    Account,
    AdmissionCheck,
    Agreement,
    Assignment,
    BalanceMonth,
    Commitment,
    Consent,
    Consented,
    Contact,
    CrossCheck,
    Customer,
    Disposed,
    Draw,
    EquityCheck,
    Finding,
    FollowUp,
    Gift,
    Guarantee,
    Handover,
    Hold,
    Loan,
    MaturesFrom,
    Paid,
    Partner,
    Payment,
    Profile,
    RateFrom,
    Referral,
    Report,
    Reward,
    Sale,
    Settlement,
    TermsFrom,
    Tested,
    TierFrom,
    Waiver,
)

if TYPE_CHECKING:
    from datetime import date

    from domain.catalogue import Event
    from domain.record import Recorded
    from projections.facts import Key, Row

_NO_DAYS: list[int | None] = [None] * 31
_MICROSECONDS_A_MINUTE = 60_000_000
_MINUTES_A_DAY = 24 * 60


class CannotApplyError(Exception):
    """The event does not fit the facts: what it changes is missing, or what it makes is there."""

    code: ClassVar[str] = "event-inapplicable"


def key_of(recorded: Recorded) -> Key | None:
    """Return the key of the row that the event touches, None where it touches none."""
    event = recorded.event
    rule = _RULES.get(type(event))
    return (event.customer_id, rule.kind, rule.id_of(event)) if rule else None


def fold(row: Row | None, recorded: Recorded) -> Row:
    """Return the row after the event, given the row of `key_of(recorded)` before it.

    Raises `CannotApplyError`. The event must have a key.
    """
    event = recorded.event
    return _RULES[type(event)].fold(row, event)


# Making a row: it must not be there yet.


def _opened(event: relationship.RelationshipOpened) -> Customer:
    return Customer(
        kind=event.kind,
        opened_on=event.opened_on,
        profiles=(Profile(event.opened_on, event.segment, event.branch),),
        assignments=(Assignment(event.opened_on, event.manager, "owner"),),
    )


def _contact(event: contact.ContactRecorded | contact.ContactCorrected) -> Contact:
    return Contact(
        happened_on=event.happened_on,
        happened_at=event.happened_at,
        local_minute=_local_minute(event.happened_at, event.utc_offset_minutes),
        channel=event.channel,
        direction=event.direction,
        by=event.by,
        follow_up_on=event.follow_up_on,
        purpose=event.purpose,
        outcome=event.outcome,
    )


def _local_minute(happened_at: int, utc_offset_minutes: int | None) -> int | None:
    if utc_offset_minutes is None:
        return None
    return (happened_at // _MICROSECONDS_A_MINUTE + utc_offset_minutes) % _MINUTES_A_DAY


def _follow_up(event: contact.FollowUpPromised) -> FollowUp:
    return FollowUp(promised_on=event.promised_on, follow_up_on=event.follow_up_on)


def _account(event: account.AccountOpened) -> Account:
    return Account(kind=event.kind, currency=event.currency, opened_on=event.opened_on)


def _loan(event: loan.LoanApproved) -> Loan:
    return Loan(
        approved_on=event.approved_on,
        principal=event.principal,
        currency=event.currency,
        rates=(RateFrom(event.approved_on, event.annual_rate),),
        maturities=(_maturity(event.approved_on, event.term_months),),
    )


def _maturity(since: date, term_months: int) -> MaturesFrom:
    return MaturesFrom(since, months_later(since, term_months))


def _given(event: guarantee.GuaranteeGiven) -> Guarantee:
    return Guarantee(
        loan_id=event.loan_id,
        guarantor_id=event.guarantor_id,
        amount=event.amount,
        currency=event.currency,
        given_on=event.given_on,
    )


def _agreed(event: commitment.CommitmentAgreed) -> Commitment:
    return Commitment(
        loan_id=event.loan_id,
        agreed_on=event.agreed_on,
        terms=(TermsFrom(event.agreed_on, event.terms.starts_on, event.terms),),
    )


def _introduced(event: referral.ReferralIntroduced) -> Referral:
    return Referral(
        referrer_id=event.referrer_id,
        introduced_on=event.introduced_on,
        via=event.via,
        branch=event.branch,
        by=event.by,
    )


# Changing a row: it must be there.


def _profile(row: Customer, event: relationship.ProfileChanged) -> Customer:
    # Told before the opening day (a relationship opened ahead of the books), it holds from then.
    since = max(event.changed_on, row.opened_on)
    profile = Profile(since, event.segment, event.branch)
    return replace(row, profiles=(*row.profiles, profile))


def _assigned(row: Customer, event: relationship.ManagerAssigned) -> Customer:
    since = max(event.assigned_on, row.opened_on)
    assignment = Assignment(since, event.manager, event.role)
    return replace(row, assignments=(*row.assignments, assignment))


def _no_longer(row: Customer, event: relationship.ManagerReleased) -> Customer:
    released = Assignment(event.released_on, event.manager, event.role, released=True)
    return replace(row, assignments=(*row.assignments, released))


def _handover(row: Customer, event: relationship.HandoverProposed) -> Customer:
    return replace(row, handovers=(*row.handovers, told(Handover, event)))


def _handover_declined(row: Customer, event: relationship.HandoverDeclined) -> Customer:
    return _answered(row, event.handover_id, lambda h: replace(h, declined_on=event.declined_on))


def _handed_over(row: Customer, event: relationship.HandoverAccepted) -> Customer:
    assignment = Assignment(event.accepted_on, event.to_manager, "owner")
    taken = replace(row, assignments=(*row.assignments, assignment))
    return _answered(taken, event.handover_id, lambda h: replace(h, accepted_on=event.accepted_on))


def _answered(row: Customer, id_: str, answer: Callable[[Handover], Handover]) -> Customer:
    handovers = (answer(each) if each.handover_id == id_ else each for each in row.handovers)
    return replace(row, handovers=tuple(handovers))


def _tier(row: Customer, event: relationship.TierAssigned) -> Customer:
    tier = TierFrom(event.assigned_on, event.tier, event.review_on)
    return replace(row, tiers=(*row.tiers, tier))


def _closed(row: Customer, event: relationship.RelationshipClosed) -> Customer:
    return replace(row, closed_on=event.closed_on)


def _merged(row: Customer, event: relationship.RelationshipMerged) -> Customer:
    return replace(row, merged_on=event.merged_on)


def _forgotten(row: Customer, event: relationship.RelationshipForgotten) -> Customer:
    return replace(row, forgotten_on=event.forgotten_on)


def _drawn(row: Loan, event: loan.LoanDrawn) -> Loan:
    return replace(row, draws=(*row.draws, Draw(event.draw_id, event.drawn_on, event.amount)))


def _draw_reversed(row: Loan, event: loan.DrawReversed) -> Loan:
    if event.draw_id not in {draw.draw_id for draw in row.draws}:
        _cannot(event, f"draw {event.draw_id} is not there")
    draws = (
        replace(draw, reversed_on=event.reversed_on) if draw.draw_id == event.draw_id else draw
        for draw in row.draws
    )
    return replace(row, draws=tuple(draws))


def _repaid(row: Loan, event: loan.LoanRepaid) -> Loan:
    paid = Paid(event.repayment_id, event.paid_on, event.principal, event.interest)
    return replace(row, repayments=(*row.repayments, paid))


def _repayment_reversed(row: Loan, event: loan.RepaymentReversed) -> Loan:
    if event.repayment_id not in {paid.repayment_id for paid in row.repayments}:
        _cannot(event, f"repayment {event.repayment_id} is not there")
    repayments = (
        replace(paid, reversed_on=event.reversed_on)
        if paid.repayment_id == event.repayment_id
        else paid
        for paid in row.repayments
    )
    return replace(row, repayments=tuple(repayments))


def _rate_changed(row: Loan, event: loan.RateChanged) -> Loan:
    rate = RateFrom(event.changed_on, event.annual_rate, event.reason)
    return replace(row, rates=(*row.rates, rate))


def _renewed(row: Loan, event: loan.LoanRenewed) -> Loan:
    return replace(
        row,
        rates=(*row.rates, RateFrom(event.renewed_on, event.annual_rate)),
        maturities=(*row.maturities, _maturity(event.renewed_on, event.term_months)),
    )


def _settled(row: Loan, event: loan.LoanSettled) -> Loan:
    return replace(row, settled_on=event.settled_on)


def _guarantee_released(row: Guarantee, event: guarantee.GuaranteeReleased) -> Guarantee:
    return replace(row, released_on=event.released_on)


def _amended(row: Commitment, event: commitment.CommitmentAmended) -> Commitment:
    terms = TermsFrom(event.amended_on, event.effective_on, event.terms)
    return replace(row, terms=(*row.terms, terms))


def _waived(row: Commitment, event: commitment.CommitmentWaived) -> Commitment:
    waiver = Waiver(
        event.waived_on, event.windows_from, event.windows_to, event.waiver_id, event.reason
    )
    return replace(row, waivers=(*row.waivers, waiver))


def _applied(row: Tested, event: reported.ConsequenceApplied) -> Tested:
    *earlier, last = row.reports
    return Tested((*earlier, replace(last, applied=event.amount)))


def _released(row: Commitment, event: commitment.CommitmentReleased) -> Commitment:
    return replace(row, released_on=event.released_on)


def _hold_released(row: Hold, event: hold.HoldReleased) -> Hold:
    return replace(row, released_on=event.released_on)


def _disposed(row: Finding, event: finding.Disposition) -> Finding:
    match event:
        case finding.FindingAssigned():
            disposed = Disposed(event.assigned_on, "assigned", event.assigned_to)
        case finding.FindingJustified():
            disposed = Disposed(event.justified_on, "justified", event.justified_by)
        case finding.FindingRemediated():
            disposed = Disposed(event.remediated_on, "remediated", event.by)
        case finding.FindingReported():
            disposed = Disposed(event.reported_on, "reported", event.by)
    return replace(row, dispositions=(*row.dispositions, disposed))


def _reward_approved(row: Reward, event: reward.RewardApproved) -> Reward:
    return replace(row, approved_on=event.approved_on, approved_by=event.approved_by)


def _reward_paid(row: Reward, event: reward.RewardPaid) -> Reward:
    return replace(row, paid_on=event.paid_on, booked=event.booked)


def _reward_clawed_back(row: Reward, event: reward.RewardClawedBack) -> Reward:
    return replace(
        row,
        clawed_back_on=event.clawed_back_on,
        clawed_back=event.amount,
        claw_back_reason=event.reason,
    )


def _contacted(row: Referral, event: referral.ReferralContacted) -> Referral:
    return replace(row, contacted_on=event.contacted_on)


# A referral has one outcome: the last one told replaces what was told before.


def _converted(row: Referral, event: referral.ReferralConverted) -> Referral:
    return replace(row, converted_on=event.converted_on, ended_on=None)


def _declined(row: Referral, event: referral.ReferralDeclined) -> Referral:
    return replace(row, ended_on=event.declined_on, converted_on=None)


def _lapsed(row: Referral, event: referral.ReferralLapsed) -> Referral:
    return replace(row, ended_on=event.lapsed_on, converted_on=None)


# Either: the first observation of a month, or consent to a purpose, makes the row.

Balance: TypeAlias = account.BalanceObserved | account.BalanceCorrected


def _balance(row: BalanceMonth | None, event: Balance) -> BalanceMonth:
    days = list(row.days) if row else _NO_DAYS.copy()
    days[event.business_date.day - 1] = event.ledger_balance
    return BalanceMonth(tuple(days))


def _tested(row: Tested | None, event: reported.CommitmentTested) -> Tested:
    report = Report(
        tested_on=event.tested_on,
        window_end=event.window_end,
        metric=event.metric,
        days=event.days,
        carried_days=event.carried_days,
        unknown_days=event.unknown_days,
        balance_days=event.balance_days,
        required_days=event.required_days,
        shortfall=event.shortfall,
        outcome=event.outcome,
        cured_on=event.cured_on,
        inputs_sha256=event.inputs_sha256,
        restates=event.restates is not None,
        applied=row.reports[-1].applied if row else None,
    )
    return Tested((*(row.reports if row else ()), report))


def _consent_given(
    row: Consent | None, event: relationship.ConsentGiven | prospect.ProspectConsentGiven
) -> Consent:
    return Consent((*(row.spans if row else ()), Consented(event.given_on)))


def _consent_withdrawn(
    row: Consent | None, event: relationship.ConsentWithdrawn | prospect.ProspectConsentWithdrawn
) -> Consent:
    """Return the consent without its last span's rest; what was never given, without a day."""
    on = event.withdrawn_on
    *earlier, last = row.spans if row else (Consented(on),)
    return Consent((*earlier, replace(last, withdrawn_on=on)))


def _admission(row: Partner | None, event: partner.PartnerAdmissionChecked) -> Partner:
    row = row or Partner()
    check = AdmissionCheck(event.checked_on, event.subject, event.result, event.figure)
    return replace(row, checks=(*row.checks, check))


def _partner_agreed(row: Partner | None, event: partner.PartnerAgreed) -> Partner:
    row = row or Partner()
    return replace(row, agreements=(*row.agreements, told(Agreement, event, ended_on=None)))


def _partner_ended(row: Partner, event: partner.PartnerEnded) -> Partner:
    agreements = tuple(
        replace(each, ended_on=event.ended_on) if each.agreement_id == event.agreement_id else each
        for each in row.agreements
    )
    return replace(row, agreements=agreements)


Fold: TypeAlias = Callable[[Any, Any], "Row"]


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    id_of: Callable[[Any], str]
    fold: Fold


def _cannot(event: Event, why: str) -> NoReturn:
    message = f"{type(event).__name__} of {event.customer_id} cannot be applied: {why}"
    raise CannotApplyError(message)


def _makes(make: Callable[[Any], Row]) -> Fold:
    def fold(row: Row | None, event: Event) -> Row:
        if row is not None:
            _cannot(event, "its row is there already")
        return make(event)

    return fold


def _changes(change: Callable[[Any, Any], Row]) -> Fold:
    def fold(row: Row | None, event: Event) -> Row:
        if row is None:
            _cannot(event, "its row is missing")
        return change(row, event)

    return fold


def _rules(
    kind: str, id_of: Callable[[Any], str], folds: Mapping[type[Event], Fold]
) -> dict[type[Event], _Rule]:
    return {event_class: _Rule(kind, id_of, fold) for event_class, fold in folds.items()}


def _window_of(event: reported.ReportEvent) -> str:
    return f"{event.commitment_id}/{event.window_start}"


def _month_of(event: Balance) -> str:
    return f"{event.account_id}/{event.business_date.isoformat()[:7]}"


_RULES: Mapping[type[Event], _Rule] = {
    **_rules(
        "customer",
        lambda _: "",
        {
            relationship.RelationshipOpened: _makes(_opened),
            relationship.ProfileChanged: _changes(_profile),
            relationship.ManagerAssigned: _changes(_assigned),
            relationship.ManagerReleased: _changes(_no_longer),
            relationship.HandoverProposed: _changes(_handover),
            relationship.HandoverDeclined: _changes(_handover_declined),
            relationship.HandoverAccepted: _changes(_handed_over),
            relationship.TierAssigned: _changes(_tier),
            relationship.RelationshipClosed: _changes(_closed),
            relationship.RelationshipMerged: _changes(_merged),
            relationship.RelationshipForgotten: _changes(_forgotten),
        },
    ),
    **_rules(
        "consent",
        attrgetter("purpose"),
        {
            relationship.ConsentGiven: _consent_given,
            relationship.ConsentWithdrawn: _consent_withdrawn,
            prospect.ProspectConsentGiven: _consent_given,
            prospect.ProspectConsentWithdrawn: _consent_withdrawn,
        },
    ),
    **_rules(
        "contact",
        attrgetter("contact_id"),
        {
            contact.ContactRecorded: _makes(_contact),
            contact.ContactCorrected: _changes(lambda _, event: _contact(event)),
        },
    ),
    **_rules(
        "follow_up", attrgetter("follow_up_id"), {contact.FollowUpPromised: _makes(_follow_up)}
    ),
    **_rules(
        "cross_check",
        attrgetter("cross_check_id"),
        {contact.CrossCheckRecorded: _makes(lambda event: told(CrossCheck, event))},
    ),
    **_rules(
        "equity_check",
        attrgetter("equity_check_id"),
        {contact.EquityChecked: _makes(lambda event: told(EquityCheck, event))},
    ),
    **_rules("account", attrgetter("account_id"), {account.AccountOpened: _makes(_account)}),
    **_rules(
        "balances",
        _month_of,
        {account.BalanceObserved: _balance, account.BalanceCorrected: _changes(_balance)},
    ),
    **_rules(
        "loan",
        attrgetter("loan_id"),
        {
            loan.LoanApproved: _makes(_loan),
            loan.LoanDrawn: _changes(_drawn),
            loan.DrawReversed: _changes(_draw_reversed),
            loan.LoanRepaid: _changes(_repaid),
            loan.RepaymentReversed: _changes(_repayment_reversed),
            loan.RateChanged: _changes(_rate_changed),
            loan.LoanSettled: _changes(_settled),
            loan.LoanRenewed: _changes(_renewed),
        },
    ),
    **_rules(
        "guarantee",
        attrgetter("guarantee_id"),
        {
            guarantee.GuaranteeGiven: _makes(_given),
            guarantee.GuaranteeReleased: _changes(_guarantee_released),
        },
    ),
    **_rules(
        "commitment",
        attrgetter("commitment_id"),
        {
            commitment.CommitmentAgreed: _makes(_agreed),
            commitment.CommitmentAmended: _changes(_amended),
            commitment.CommitmentWaived: _changes(_waived),
            commitment.CommitmentReleased: _changes(_released),
        },
    ),
    **_rules(
        "tested",
        _window_of,
        {
            reported.CommitmentTested: _tested,
            reported.ConsequenceApplied: _changes(_applied),
        },
    ),
    **_rules(
        "referral",
        attrgetter("referral_id"),
        {
            referral.ReferralIntroduced: _makes(_introduced),
            referral.ReferralContacted: _changes(_contacted),
            referral.ReferralConverted: _changes(_converted),
            referral.ReferralDeclined: _changes(_declined),
            referral.ReferralLapsed: _changes(_lapsed),
        },
    ),
    **_rules(
        "partner",
        lambda _: "",
        {
            partner.PartnerAdmissionChecked: _admission,
            partner.PartnerAgreed: _partner_agreed,
            partner.PartnerEnded: _changes(_partner_ended),
        },
    ),
    **_rules(
        "hold",
        attrgetter("hold_id"),
        {
            hold.HoldPlaced: _makes(lambda event: told(Hold, event)),
            hold.HoldReleased: _changes(_hold_released),
        },
    ),
    **_rules(
        "gift",
        attrgetter("gift_id"),
        {dealing.GiftGiven: _makes(lambda event: told(Gift, event))},
    ),
    **_rules(
        "payment",
        attrgetter("payment_id"),
        {dealing.PaymentMade: _makes(lambda event: told(Payment, event))},
    ),
    **_rules(
        "sale",
        attrgetter("sale_id"),
        {dealing.ProductSold: _makes(lambda event: told(Sale, event))},
    ),
    **_rules(
        "settlement",
        attrgetter("settlement_id"),
        {dealing.SettlementSeen: _makes(lambda event: told(Settlement, event))},
    ),
    **_rules(
        "reward",
        attrgetter("reward_id"),
        {
            reward.RewardAccrued: _makes(lambda event: told(Reward, event)),
            reward.RewardApproved: _changes(_reward_approved),
            reward.RewardPaid: _changes(_reward_paid),
            reward.RewardClawedBack: _changes(_reward_clawed_back),
        },
    ),
    **_rules(
        "finding",
        attrgetter("finding_id"),
        {
            finding.FindingRaised: _makes(lambda event: told(Finding, event)),
            finding.FindingAssigned: _changes(_disposed),
            finding.FindingJustified: _changes(_disposed),
            finding.FindingRemediated: _changes(_disposed),
            finding.FindingReported: _changes(_disposed),
        },
    ),
}

# What is on record only: no view of today keeps anything of these.
UNFOLDED: frozenset[type[Event]] = frozenset(
    {
        contact.ComplaintRecorded,
        reported.CommitmentBreached,  # its test says so too
        reported.CommitmentCured,
        close.CloseStarted,
        close.BusinessDateClosed,
        referral.ReferralAssigned,
        referral.ReferralQualified,
        prospect.ProspectDescribed,  # the ledger's side table knows
        prospect.ProspectForgotten,
    }
)
FOLDED: frozenset[type[Event]] = frozenset(_RULES)
