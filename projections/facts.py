"""The facts of a view: typed rows, keyed by customer, kind and id.

A view is a choice of fact kinds. A fold turns one event into new versions of a few rows, all of
the event's own customer, so no row depends on two partition keys. What joins customers, and
everything that depends on a date, is worked out from the rows when somebody asks.

Money is in minor units, ratios in ppm. Rows hold no plaintext of a personal field.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the view codec reads the field types at run time
from typing import Literal, TypeAlias

from domain.commitment import Metric, TermsFrom  # noqa: TC001 - read at run time
from domain.finding import Severity  # noqa: TC001 - read at run time
from domain.ownership import Assignment  # noqa: TC001 - read at run time
from domain.partner import AdmissionResult, AdmissionSubject  # noqa: TC001 - read at run time
from domain.reported import Outcome  # noqa: TC001 - read at run time

FindingStatus: TypeAlias = Literal["open", "assigned", "justified", "remediated", "reported"]
Key: TypeAlias = tuple[str, str, str]  # customer_id, kind, id


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the customer belongs, from a business date on."""

    since: date
    segment: str
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A change of owner as proposed, and how it was answered; both None while it is open."""

    handover_id: str
    from_manager: str
    to_manager: str
    proposed_on: date
    accepted_on: date | None = None
    declined_on: date | None = None


@dataclass(frozen=True, slots=True)
class TierFrom:
    """The customer's tier, from a business date on."""

    since: date
    tier: str
    review_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """kind `customer`, id empty: a relationship, each history in ledger order."""

    kind: str
    opened_on: date
    profiles: tuple[Profile, ...]
    assignments: tuple[Assignment, ...]
    tiers: tuple[TierFrom, ...] = ()
    handovers: tuple[Handover, ...] = ()
    closed_on: date | None = None
    merged_on: date | None = None
    forgotten_on: date | None = None


@dataclass(frozen=True, slots=True)
class Consented:
    """Whether the customer agrees, from a business date on."""

    since: date
    given: bool


@dataclass(frozen=True, slots=True)
class Consent:
    """kind `consent`, id the purpose: each time it was given or withdrawn, in ledger order."""

    told: tuple[Consented, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """kind `contact`, id the contact's: a dealing, as last corrected.

    `local_minute` counts from midnight in the offset it was written in, None if that is not known.
    """

    happened_on: date
    happened_at: int
    local_minute: int | None = None
    channel: str
    direction: str
    by: str
    follow_up_on: date | None
    purpose: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """kind `follow_up`, id the follow-up's: a promise made outside a contact."""

    promised_on: date
    follow_up_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """kind `cross_check`, id the check's: an inference and the hard items behind it."""

    checked_on: date
    inference: str
    items: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityCheck:
    """kind `equity_check`, id the check's: what should be there, and what is (权益检验)."""

    checked_on: date
    since: date
    currency: str
    opening_equity: int
    profit: int
    drawings: int
    injections: int
    revaluation: int
    depreciation: int
    expected: int
    equity_now: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """kind `account`, id the account's."""

    kind: str
    currency: str
    opened_on: date


@dataclass(frozen=True, slots=True)
class BalanceMonth:
    """kind `balances`, id `<account>/<YYYY-MM>`: 31 end-of-day balances, None if not observed."""

    days: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw; from `reversed_on` on it counts no more."""

    draw_id: str
    on: date
    amount: int
    reversed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """One repayment; from `reversed_on` on it counts no more."""

    repayment_id: str
    on: date
    principal: int
    interest: int
    reversed_on: date | None = None


@dataclass(frozen=True, slots=True)
class RateFrom:
    """The annual rate in force from a day on, a plain decimal, and why it changed."""

    since: date
    annual_rate: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MaturesFrom:
    """The day on which a loan is due in full, as agreed from a day on."""

    since: date
    matures_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """kind `loan`, id the loan's: a facility with draws, repayments and rates in ledger order."""

    approved_on: date
    principal: int
    currency: str
    draws: tuple[Draw, ...] = ()
    repayments: tuple[Paid, ...] = ()
    settled_on: date | None = None
    rates: tuple[RateFrom, ...] = ()
    maturities: tuple[MaturesFrom, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """kind `guarantee`, id the guarantee's, under the borrower.

    It is in force until the day before `released_on`.
    """

    loan_id: str
    guarantor_id: str
    amount: int
    currency: str
    given_on: date
    released_on: date | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """Windows that begin within the dates are waived, from `told_on` on."""

    told_on: date
    windows_from: date
    windows_to: date
    waiver_id: str = ""
    requested_by: str = ""
    approved_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """kind `commitment`, id the commitment's: terms and waivers in ledger order."""

    loan_id: str | None
    agreed_on: date
    terms: tuple[TermsFrom, ...]
    waivers: tuple[Waiver, ...] = ()
    released_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a close reported of a window; `applied` is the amount of its consequence, if any."""

    tested_on: date
    through: int
    window_end: date
    metric: Metric
    carried_days: int
    unknown_days: int
    balance_days: int
    required_days: int
    surplus: int
    shortfall: int | None
    outcome: Outcome
    cured_on: date | None
    inputs_sha256: str
    applied: int | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """kind `tested`, id `<commitment>/<start of the window>`: its reports, in ledger order."""

    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """kind `referral`, id the referral's, under the prospect; `ended_on`: declined or lapsed."""

    referrer_id: str
    introduced_on: date
    via: str
    branch: str
    converted_on: date | None = None
    ended_on: date | None = None
    contacted_on: date | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class AdmissionCheck:
    """One admission check of a partner; `figure` is held against a threshold of the rules."""

    on: date
    subject: AdmissionSubject
    result: AdmissionResult
    figure: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement with a partner, in force to `ends_on`, or until the day before `ended_on`."""

    agreement_id: str
    agreed_on: date
    starts_on: date
    ends_on: date
    approved_by: str
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Partner:
    """kind `partner`, id empty: a partner's admission checks and agreements, in ledger order."""

    checks: tuple[AdmissionCheck, ...] = ()
    agreements: tuple[Agreement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """kind `hold`, id the hold's, under the account's customer: until the day before release."""

    account_id: str
    placed_on: date
    amount: int
    currency: str
    basis: str
    loan_id: str | None
    contract_id: str | None
    released_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """kind `settlement`, id its own: a period's flows, and how much of them went through us."""

    seen_on: date
    from_on: date
    to_on: date
    currency: str
    total: int
    through_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """kind `gift`, id the gift's."""

    given_on: date
    basis: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """kind `payment`, id the payment's, under the customer whose business it was about."""

    paid_on: date
    payee_role: str
    booked: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """kind `sale`, id the sale's: a product taken, perhaps as the condition of a loan."""

    sold_on: date
    product: str
    monthly_payment: int
    currency: str
    loan_id: str | None


@dataclass(frozen=True, slots=True)
class ClawedBack:
    """From a business date on, all that was taken back of a reward, and why."""

    since: date
    total: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """kind `reward`, id the reward's, under the prospect: for bringing them, as far as it came.

    The claw-backs are in ledger order, each with the total by then; `paid` is what was paid.
    """

    referral_id: str
    plan: str
    plan_version: int
    milestone: str
    reached_on: date
    accrued_on: date
    payee_id: str
    payee_role: str
    basis: str
    whole: int
    share_ppm: int
    amount: int
    currency: str
    formula: str
    by: str
    approved_on: date | None = None
    approved_by: str | None = None
    paid_on: date | None = None
    paid: int = 0
    booked: str | None = None
    claw_backs: tuple[ClawedBack, ...] = ()

    @property
    def taken_back(self) -> int:
        """All that was taken back so far, whatever the date."""
        return self.claw_backs[-1].total if self.claw_backs else 0


@dataclass(frozen=True, slots=True)
class Disposed:
    """From a business date on, a finding's status, and who answers for it."""

    since: date
    status: FindingStatus
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """kind `finding`, id the finding's: what was raised, and its dispositions in ledger order."""

    raised_on: date
    offended_on: date
    pack: str
    rule: str
    rule_version: int
    severity: Severity
    facts: tuple[str, ...]
    detail: str
    dispositions: tuple[Disposed, ...] = ()


Row: TypeAlias = (
    Customer
    | Consent
    | Contact
    | FollowUp
    | CrossCheck
    | EquityCheck
    | Account
    | BalanceMonth
    | Loan
    | Guarantee
    | Commitment
    | Tested
    | Referral
    | Partner
    | Hold
    | Gift
    | Settlement
    | Payment
    | Sale
    | Reward
    | Finding
)

KINDS: dict[str, type[Row]] = {
    "customer": Customer,
    "consent": Consent,
    "contact": Contact,
    "follow_up": FollowUp,
    "cross_check": CrossCheck,
    "equity_check": EquityCheck,
    "account": Account,
    "balances": BalanceMonth,
    "loan": Loan,
    "guarantee": Guarantee,
    "commitment": Commitment,
    "tested": Tested,
    "referral": Referral,
    "partner": Partner,
    "hold": Hold,
    "gift": Gift,
    "settlement": Settlement,
    "payment": Payment,
    "sale": Sale,
    "reward": Reward,
    "finding": Finding,
}
