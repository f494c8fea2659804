"""One event, at most one row: what each event does to the facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from domain.account import AccountOpened, BalanceCorrected, BalanceObserved
from domain.catalogue import EVENT_TYPES, Event
from domain.commitment import (
    CommitmentAgreed,
    CommitmentAmended,
    CommitmentReleased,
    CommitmentWaived,
    Terms,
    TermsFrom,
)
from domain.contact import (
    ContactCorrected,
    ContactRecorded,
    CrossCheckRecorded,
    EquityChecked,
    FollowUpPromised,
)
from domain.dealing import GiftGiven, PaymentMade, ProductSold, SettlementSeen
from domain.finding import (
    FindingAssigned,
    FindingJustified,
    FindingRaised,
    FindingRemediated,
    FindingReported,
)
from domain.guarantee import GuaranteeGiven, GuaranteeReleased
from domain.hold import HoldPlaced, HoldReleased
from domain.loan import (
    DrawReversed,
    LoanApproved,
    LoanDrawn,
    LoanRenewed,
    LoanRepaid,
    LoanSettled,
    RateChanged,
    RepaymentReversed,
)
from domain.ownership import Assignment
from domain.partner import PartnerAdmissionChecked, PartnerAgreed, PartnerEnded
from domain.referral import (
    ReferralContacted,
    ReferralConverted,
    ReferralDeclined,
    ReferralIntroduced,
    ReferralLapsed,
    ReferralQualified,
)
from domain.relationship import (
    ConsentGiven,
    ConsentWithdrawn,
    HandoverAccepted,
    HandoverDeclined,
    HandoverProposed,
    ManagerAssigned,
    ManagerReleased,
    ProfileChanged,
    RelationshipClosed,
    RelationshipOpened,
    TierAssigned,
)
from domain.reported import CommitmentTested, ConsequenceApplied
from domain.reward import RewardAccrued, RewardApproved, RewardClawedBack, RewardPaid
from domain.telling import told
from infra.views.row_codec import pack_row, unpack_row
from projections import facts
from projections.folding import FOLDED, UNFOLDED, CannotApplyError, fold, key_of
from tests.deliveries import recorded

if TYPE_CHECKING:
    from projections.facts import Key, Row

D1, D2, D3 = date(1994, 3, 1), date(1994, 3, 31), date(1994, 4, 2)
TERMS = Terms(
    starts_on=D1,
    ends_on=D3,
    metric="average",
    window="month",
    requirement_kind="amount",
    requirement_value=100,
    currency="CZK",
    cure_days=3,
    consequence_kind="none",
    consequence_value=0,
)
OPENED = RelationshipOpened(
    customer_id="C",
    name="Ada",
    kind="person",
    segment="retail",
    branch="D1",
    manager="RM-1",
    opened_on=D1,
)
APPROVED = LoanApproved(
    customer_id="C",
    loan_id="L",
    approved_on=D1,
    principal=500,
    currency="CZK",
    term_months=12,
    annual_rate="0.05",
    repayment="bullet",
    purpose="stock",
)
DRAWN = LoanDrawn(
    customer_id="C", loan_id="L", draw_id="D", drawn_on=D1, amount=300, currency="CZK"
)
REPAID = LoanRepaid(
    customer_id="C",
    loan_id="L",
    repayment_id="P",
    paid_on=D2,
    principal=100,
    interest=7,
    currency="CZK",
)
GIVEN = GuaranteeGiven(
    customer_id="C",
    guarantee_id="G",
    loan_id="L",
    guarantor_id="E",
    amount=200,
    currency="CZK",
    given_on=D1,
)
CONTACT = ContactRecorded(
    customer_id="C",
    contact_id="K",
    happened_at=1,
    happened_on=D1,
    channel="visit",
    direction="outbound",
    purpose="review",
    outcome="fine",
    duration_seconds=60,
    by="RM-1",
    follow_up_on=D3,
    note="private",
)
CORRECTED = ContactCorrected(
    customer_id="C",
    contact_id="K",
    happened_at=2,
    happened_on=D2,
    channel="phone",
    direction="inbound",
    purpose="review",
    outcome="fine",
    duration_seconds=60,
    by="RM-2",
)
PARTNER_CHECKED = PartnerAdmissionChecked(
    customer_id="C",
    admission_check_id="X1",
    subject="own_debts",
    result="passed",
    figure=55,
    evidence="balance sheet 1993",
    checked_on=D1,
    by="RM-1",
)
PARTNER_AGREED = PartnerAgreed(
    customer_id="C",
    agreement_id="A1",
    agreed_on=D1,
    starts_on=D1,
    ends_on=D3,
    approved_by="HEAD-1",
)
AGREED = CommitmentAgreed(
    customer_id="C", commitment_id="K", loan_id="L", agreed_on=D1, terms=TERMS
)
TESTED = CommitmentTested(
    customer_id="C",
    commitment_id="K",
    window_start=D1,
    window_end=D2,
    tested_on=D2,
    metric="average",
    days=2,
    carried_days=0,
    unknown_days=0,
    balance_days=150,
    required_days=200,
    surplus=0,
    shortfall=50,
    outcome="breached",
    cured_on=None,
    rules_version=1,
    inputs_count=5,
    inputs_sha256="aa",
    through=9,
    restates=None,
    causes=(),
    causes_count=0,
)
APPLIED = ConsequenceApplied(
    customer_id="C",
    commitment_id="K",
    window_start=D1,
    window_end=D2,
    applied_on=D2,
    kind="deficiency_fee_bp",
    basis="shortfall_balance_days",
    base=50,
    rate=5000,
    divisor=360_000_000,
    amount=7,
    currency="CZK",
    test_id="T",
)
INTRODUCED = ReferralIntroduced(
    customer_id="C",
    referral_id="R",
    referrer_id="B",
    introduced_on=D1,
    via="customer",
    by="RM-1",
    branch="D1",
)
GIFT = GiftGiven(
    customer_id="C",
    gift_id="I",
    given_on=D1,
    basis="deposits",
    amount=5,
    currency="CZK",
    by="RM-1",
)
PAYMENT = PaymentMade(
    customer_id="C",
    payment_id="Y",
    paid_on=D1,
    payee_role="intermediary",
    booked="yes",
    amount=5,
    currency="CZK",
    by="RM-1",
)
SALE = ProductSold(
    customer_id="C",
    sale_id="S",
    sold_on=D1,
    product="fund",
    monthly_payment=5,
    currency="CZK",
    loan_id="L",
    by="RM-1",
)
HELD = HoldPlaced(
    customer_id="C",
    hold_id="H",
    account_id="A",
    placed_on=D1,
    amount=5,
    currency="CZK",
    basis="pledge",
    loan_id=None,
    contract_id="P-1",
)
RAISED = FindingRaised(
    customer_id="C",
    finding_id="N",
    raised_on=D2,
    offended_on=D1,
    pack="cn",
    rule="CN-07",
    rule_version=1,
    in_force_from=D1,
    in_force_to=None,
    severity="high",
    facts=("gift:I",),
    events=("E",),
    detail="0.05 CZK given",
)
OBSERVED = BalanceObserved(
    customer_id="C", account_id="A", business_date=D2, ledger_balance=-5, currency="CZK"
)
CROSS_CHECKED = CrossCheckRecorded(
    customer_id="C",
    cross_check_id="X",
    checked_on=D2,
    inference="sells 2 million a year",
    items=("power bill", "tax return"),
    by="RM-1",
)
SETTLED = SettlementSeen(
    customer_id="C",
    settlement_id="S",
    seen_on=D2,
    from_on=D1,
    to_on=D2,
    currency="CZK",
    total=5,
    through_us=2,
    by="RM-1",
)
EQUITY_CHECKED = EquityChecked(
    customer_id="C",
    equity_check_id="E",
    checked_on=D2,
    since=D1,
    currency="CZK",
    opening_equity=1_000,
    profit=200,
    drawings=50,
    injections=0,
    revaluation=-10,
    depreciation=40,
    equity_now=900,
    by="RM-1",
)


ACCRUED = RewardAccrued(
    customer_id="C",
    reward_id="W",
    referral_id="R",
    plan="friend",
    plan_version=1,
    milestone="converted",
    reached_on=D1,
    accrued_on=D2,
    payee_id="C0",
    payee_role="customer",
    basis="referral",
    whole=100,
    share_ppm=500_000,
    amount=50,
    currency="CZK",
    formula="fixed",
    by="RM-1",
)


def after(*events: Event) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for event in events:
        told = recorded(event)
        key = key_of(told)
        if key is not None:
            rows[key] = fold(rows.get(key), told)
    return rows


def row_after(*events: Event) -> Row:
    [row] = after(*events).values()
    return row


def test_each_type_of_event_is_folded_or_listed_as_touching_no_view() -> None:
    catalogue = {event_type.cls for event_type in EVENT_TYPES}
    assert catalogue == FOLDED | UNFOLDED
    assert not FOLDED & UNFOLDED


def test_the_kinds_folded_are_those_of_the_facts() -> None:
    rows = after(
        OPENED,
        CONTACT,
        FollowUpPromised(
            customer_id="C",
            follow_up_id="F",
            promised_on=D1,
            follow_up_on=D2,
            purpose="x",
            by="RM-1",
        ),
        SETTLED,
        CROSS_CHECKED,
        EQUITY_CHECKED,
        ConsentGiven(customer_id="C", purpose="marketing", given_on=D1),
        AccountOpened(
            customer_id="C", account_id="A", kind="current", currency="CZK", opened_on=D1
        ),
        OBSERVED,
        APPROVED,
        GIVEN,
        AGREED,
        TESTED,
        INTRODUCED,
        GIFT,
        PAYMENT,
        SALE,
        HELD,
        RAISED,
        PARTNER_AGREED,
        ACCRUED,
    )
    assert {kind for _, kind, _ in rows} == set(facts.KINDS)
    assert {customer_id for customer_id, _, _ in rows} == {"C"}
    assert all(isinstance(row, facts.KINDS[kind]) for (_, kind, _), row in rows.items())


def test_what_is_on_record_only_has_no_key() -> None:
    qualified = ReferralQualified(customer_id="C", referral_id="R", qualified_on=D1, by="RM-1")
    assert key_of(recorded(qualified)) is None


def test_a_guarantee_lies_under_the_borrower_and_the_last_release_told_counts() -> None:
    released = GuaranteeReleased(
        customer_id="C",
        guarantee_id="G",
        loan_id="L",
        guarantor_id="E",
        amount=200,
        currency="CZK",
        released_on=D3,
    )
    earlier = replace(released, released_on=D2)
    rows = after(GIVEN, released, earlier)
    assert rows == {
        ("C", "guarantee", "G"): facts.Guarantee(
            loan_id="L",
            guarantor_id="E",
            amount=200,
            currency="CZK",
            given_on=D1,
            released_on=D2,
        )
    }
    with pytest.raises(CannotApplyError):
        after(released)


def test_a_profile_holds_from_the_day_the_ledger_was_told() -> None:
    changed = ProfileChanged(
        customer_id="C", changed_on=D3, name="Ada", segment="key", branch="D2"
    )
    row = row_after(OPENED, changed)
    assert row == facts.Customer(
        kind="person",
        opened_on=D1,
        profiles=(facts.Profile(D1, "retail", "D1"), facts.Profile(D3, "key", "D2")),
        assignments=(Assignment(D1, "RM-1", "owner"),),
    )


def test_an_accepted_handover_makes_a_new_owner() -> None:
    joint = ManagerAssigned(customer_id="C", manager="RM-2", role="joint", assigned_on=D2)
    accepted = HandoverAccepted(
        customer_id="C", handover_id="H", to_manager="RM-3", accepted_on=D3
    )
    row = row_after(OPENED, joint, accepted)
    assert isinstance(row, facts.Customer)
    assert row.assignments[1:] == (
        Assignment(D2, "RM-2", "joint"),
        Assignment(D3, "RM-3", "owner"),
    )


def test_a_relationship_has_tiers_and_an_end() -> None:
    tier = TierAssigned(customer_id="C", tier="gold", assigned_on=D2)
    row = row_after(OPENED, tier, RelationshipClosed(customer_id="C", closed_on=D3, reason="x"))
    assert isinstance(row, facts.Customer)
    assert (row.tiers, row.closed_on) == ((facts.TierFrom(D2, "gold"),), D3)


def test_a_consent_keeps_each_word_that_was_told_of_it() -> None:
    given = ConsentGiven(customer_id="C", purpose="marketing", given_on=D3)
    withdrawn = ConsentWithdrawn(customer_id="C", purpose="marketing", withdrawn_on=D2)
    told = (facts.Consented(D2, given=False), facts.Consented(D3, given=True))
    assert row_after(withdrawn) == facts.Consent(told[:1])
    assert row_after(withdrawn, given) == facts.Consent(told)
    assert row_after(given, withdrawn) == facts.Consent(told[::-1])


def test_a_reward_is_what_was_accrued_how_far_it_came_and_each_claw_back() -> None:
    approved = RewardApproved(customer_id="C", reward_id="W", approved_on=D2, approved_by="HEAD")
    part = told(RewardClawedBack, ACCRUED, clawed_back_on=D2, reason="draw_reversed", amount=20)
    paid = told(RewardPaid, ACCRUED, paid_on=D3, booked="yes", amount=30)
    row = row_after(ACCRUED, part, approved, paid, replace(part, clawed_back_on=D3, amount=50))
    assert row == told(
        facts.Reward,
        ACCRUED,
        approved_on=D2,
        approved_by="HEAD",
        paid_on=D3,
        paid=30,
        booked="yes",
        claw_backs=(
            facts.ClawedBack(D2, 20, "draw_reversed"),
            facts.ClawedBack(D3, 50, "draw_reversed"),
        ),
    )
    assert row_after(ACCRUED) == told(facts.Reward, ACCRUED)


def test_a_corrected_contact_replaces_what_was_told() -> None:
    assert row_after(CONTACT, CORRECTED) == facts.Contact(
        happened_on=D2,
        happened_at=2,
        channel="phone",
        direction="inbound",
        by="RM-2",
        follow_up_on=None,
        purpose="review",
        outcome="fine",
    )


def test_a_contact_keeps_the_minute_of_its_own_day() -> None:
    half_past_six_utc = 765_181_800_000_000
    for offset, expected in ((0, 390), (480, 870), (-480, 1350), (None, None)):
        told = replace(CONTACT, happened_at=half_past_six_utc, utc_offset_minutes=offset)
        row = row_after(told)
        assert isinstance(row, facts.Contact)
        assert row.local_minute == expected


def test_what_was_checked_of_a_customer_is_kept() -> None:
    assert row_after(CROSS_CHECKED) == facts.CrossCheck(
        checked_on=D2,
        inference="sells 2 million a year",
        items=("power bill", "tax return"),
        by="RM-1",
    )
    assert row_after(EQUITY_CHECKED) == facts.EquityCheck(
        checked_on=D2,
        since=D1,
        currency="CZK",
        opening_equity=1_000,
        profit=200,
        drawings=50,
        injections=0,
        revaluation=-10,
        depreciation=40,
        expected=1_100,
        equity_now=900,
        by="RM-1",
    )


def test_a_handover_is_kept_with_its_answer() -> None:
    first = HandoverProposed(
        customer_id="C",
        handover_id="H1",
        from_manager="RM-1",
        to_manager="RM-2",
        proposed_on=D1,
    )
    second = replace(first, handover_id="H2", to_manager="RM-3")
    declined = HandoverDeclined(customer_id="C", handover_id="H1", declined_on=D2, reason="x")
    accepted = HandoverAccepted(
        customer_id="C", handover_id="H2", to_manager="RM-3", accepted_on=D3
    )
    row = row_after(OPENED, first, second, declined, accepted)
    assert isinstance(row, facts.Customer)
    assert [(h.handover_id, h.declined_on, h.accepted_on) for h in row.handovers] == [
        ("H1", D2, None),
        ("H2", None, D3),
    ]
    assert row.assignments[1:] == (Assignment(D3, "RM-3", "owner"),)


def test_a_release_is_an_entry_of_its_own() -> None:
    left = ManagerReleased(
        customer_id="C", manager="RM-1", role="owner", released_on=D2, reason="x"
    )
    row = row_after(OPENED, left)
    assert isinstance(row, facts.Customer)
    assert row.assignments[1:] == (Assignment(D2, "RM-1", "owner", released=True),)


def test_the_balances_of_an_account_are_one_row_a_month() -> None:
    corrected = BalanceCorrected(
        customer_id="C", account_id="A", business_date=D2, ledger_balance=9, currency="CZK"
    )
    april = replace(OBSERVED, business_date=D3, ledger_balance=0)
    rows = after(OBSERVED, april, corrected)
    assert rows == {
        ("C", "balances", "A/1994-03"): facts.BalanceMonth((*[None] * 30, 9)),
        ("C", "balances", "A/1994-04"): facts.BalanceMonth((None, 0, *[None] * 29)),
    }


def test_a_reversal_marks_its_draw_or_repayment_and_no_other() -> None:
    row = row_after(
        APPROVED,
        replace(DRAWN, draw_id="E"),
        DRAWN,
        REPAID,
        replace(REPAID, repayment_id="Q"),
        DrawReversed(
            customer_id="C",
            loan_id="L",
            draw_id="D",
            reversed_on=D3,
            amount=300,
            currency="CZK",
        ),
        RepaymentReversed(
            customer_id="C",
            loan_id="L",
            repayment_id="P",
            reversed_on=D3,
            principal=100,
            interest=7,
            currency="CZK",
        ),
        LoanSettled(customer_id="C", loan_id="L", settled_on=D3),
    )
    assert row == facts.Loan(
        approved_on=D1,
        principal=500,
        currency="CZK",
        draws=(facts.Draw("E", D1, 300), facts.Draw("D", D1, 300, D3)),
        repayments=(facts.Paid("P", D2, 100, 7, D3), facts.Paid("Q", D2, 100, 7)),
        settled_on=D3,
        rates=(facts.RateFrom(D1, "0.05"),),
        maturities=(facts.MaturesFrom(D1, date(1995, 3, 1)),),
    )


def test_a_loan_keeps_its_rates_with_their_reasons_and_when_it_is_due() -> None:
    row = row_after(
        APPROVED,
        RateChanged(
            customer_id="C", loan_id="L", changed_on=D3, annual_rate="0.06", reason="deposit"
        ),
        LoanRenewed(
            customer_id="C", loan_id="L", renewed_on=D2, term_months=6, annual_rate="0.04"
        ),
    )
    assert isinstance(row, facts.Loan)
    assert row.rates == (
        facts.RateFrom(D1, "0.05"),
        facts.RateFrom(D3, "0.06", "deposit"),
        facts.RateFrom(D2, "0.04"),
    )
    assert row.maturities == (
        facts.MaturesFrom(D1, date(1995, 3, 1)),
        facts.MaturesFrom(D2, date(1994, 9, 30)),
    )


def test_a_partner_keeps_checks_and_agreements_and_the_last_end_told() -> None:
    second = replace(PARTNER_AGREED, agreement_id="A2", starts_on=D3)
    ended = PartnerEnded(
        customer_id="C", agreement_id="A2", ended_on=D3, reason="sold", by="HEAD-1"
    )
    row = row_after(PARTNER_CHECKED, PARTNER_AGREED, second, ended)
    first = facts.Agreement(
        agreement_id="A1", agreed_on=D1, starts_on=D1, ends_on=D3, approved_by="HEAD-1"
    )
    assert row == facts.Partner(
        checks=(facts.AdmissionCheck(D1, "own_debts", "passed", 55),),
        agreements=(first, replace(first, agreement_id="A2", starts_on=D3, ended_on=D3)),
    )
    assert row_after(PARTNER_AGREED) == facts.Partner(agreements=(first,))


def test_a_hold_is_placed_and_released() -> None:
    row = row_after(
        HELD, HoldReleased(customer_id="C", hold_id="H", account_id="A", released_on=D3)
    )
    assert row == facts.Hold(
        account_id="A",
        placed_on=D1,
        amount=5,
        currency="CZK",
        basis="pledge",
        loan_id=None,
        contract_id="P-1",
        released_on=D3,
    )


def test_a_finding_keeps_its_dispositions_in_ledger_order() -> None:
    row = row_after(
        RAISED,
        FindingAssigned(
            customer_id="C", finding_id="N", assigned_on=D2, assigned_to="CO-1", by="HEAD"
        ),
        FindingJustified(
            customer_id="C",
            finding_id="N",
            justified_on=D3,
            reason="x",
            justified_by="CO-1",
            approved_by="HEAD",
        ),
        FindingRemediated(
            customer_id="C", finding_id="N", remediated_on=D3, measure="x", by="CO-1"
        ),
        FindingReported(
            customer_id="C", finding_id="N", reported_on=D3, reported_to="NFRA", by="CO-2"
        ),
    )
    assert isinstance(row, facts.Finding)
    assert (row.rule, row.facts, row.detail) == ("CN-07", ("gift:I",), "0.05 CZK given")
    assert row.dispositions == (
        facts.Disposed(D2, "assigned", "CO-1"),
        facts.Disposed(D3, "justified", "CO-1"),
        facts.Disposed(D3, "remediated", "CO-1"),
        facts.Disposed(D3, "reported", "CO-2"),
    )


def test_a_window_keeps_all_its_reports_and_what_was_applied_last() -> None:
    again = replace(TESTED, balance_days=180, shortfall=20, through=90, tested_on=D3)
    row = row_after(TESTED, APPLIED, again)
    assert isinstance(row, facts.Tested)
    first, second = row.reports
    assert (first.shortfall, first.through, first.applied) == (50, TESTED.through, 7)
    assert (second.shortfall, second.through, second.applied) == (20, 90, 7)
    assert row_after(TESTED, APPLIED, replace(APPLIED, amount=0)) == facts.Tested(
        (replace(first, applied=0),)
    )


def test_a_commitment_keeps_its_terms_and_waivers_in_ledger_order() -> None:
    other = replace(TERMS, requirement_value=50)
    row = row_after(
        AGREED,
        CommitmentAmended(
            customer_id="C",
            commitment_id="K",
            amended_on=D2,
            effective_on=D1,
            terms=other,
            reason="x",
        ),
        CommitmentWaived(
            customer_id="C",
            commitment_id="K",
            waiver_id="W",
            waived_on=D2,
            windows_from=D1,
            windows_to=D2,
            requested_by="x",
            approved_by="y",
            reason="z",
        ),
        CommitmentReleased(customer_id="C", commitment_id="K", released_on=D3, reason="x"),
    )
    assert row == facts.Commitment(
        loan_id="L",
        agreed_on=D1,
        terms=(TermsFrom(D1, D1, TERMS), TermsFrom(D2, D1, other, "x")),
        waivers=(facts.Waiver(D2, D1, D2, "W", "x", "y", "z"),),
        released_on=D3,
    )


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (ReferralConverted(customer_id="C", referral_id="R", converted_on=D2), (D2, None)),
        (
            ReferralDeclined(customer_id="C", referral_id="R", declined_on=D2, reason="x"),
            (None, D2),
        ),
        (ReferralLapsed(customer_id="C", referral_id="R", lapsed_on=D2), (None, D2)),
    ],
)
def test_a_referral_is_converted_or_ends(
    outcome: Event, expected: tuple[date | None, date | None]
) -> None:
    row = row_after(INTRODUCED, outcome)
    assert isinstance(row, facts.Referral)
    assert (row.converted_on, row.ended_on) == expected


def test_a_referral_knows_when_the_prospect_was_first_spoken_to() -> None:
    contacted = ReferralContacted(customer_id="C", referral_id="R", contacted_on=D2, by="RM-1")
    row = row_after(INTRODUCED, contacted)
    assert isinstance(row, facts.Referral)
    assert row.contacted_on == D2


def test_a_profile_told_before_the_opening_day_holds_from_then() -> None:
    told = ProfileChanged(
        customer_id="C",
        changed_on=OPENED.opened_on - timedelta(days=1),
        name="A",
        segment="new",
        branch="B",
    )
    row = row_after(OPENED, told)
    assert isinstance(row, facts.Customer)
    assert row.profiles[-1] == facts.Profile(OPENED.opened_on, "new", "B")


def test_the_last_outcome_told_of_a_referral_counts() -> None:
    declined = ReferralDeclined(customer_id="C", referral_id="R", declined_on=D2, reason="x")
    converted = ReferralConverted(customer_id="C", referral_id="R", converted_on=D3)
    late = row_after(INTRODUCED, declined, converted)
    assert isinstance(late, facts.Referral)
    assert (late.converted_on, late.ended_on) == (D3, None)
    taken_back = row_after(INTRODUCED, converted, declined)
    assert isinstance(taken_back, facts.Referral)
    assert (taken_back.converted_on, taken_back.ended_on) == (None, D2)


@pytest.mark.parametrize(
    "event",
    [
        DRAWN,
        CORRECTED,
        BalanceCorrected(
            customer_id="C", account_id="A", business_date=D2, ledger_balance=9, currency="CZK"
        ),
    ],
)
def test_a_change_of_what_is_missing_cannot_be_applied(event: Event) -> None:
    with pytest.raises(CannotApplyError, match="its row is missing"):
        after(event)


def test_a_reversal_of_an_unknown_draw_cannot_be_applied() -> None:
    reversal = DrawReversed(
        customer_id="C", loan_id="L", draw_id="X", reversed_on=D3, amount=1, currency="CZK"
    )
    with pytest.raises(CannotApplyError, match="draw X is not there"):
        after(APPROVED, DRAWN, reversal)


def test_what_is_there_cannot_be_made_again() -> None:
    with pytest.raises(CannotApplyError, match="is there already"):
        after(APPROVED, APPROVED)


def test_a_row_is_the_same_after_being_stored() -> None:
    rows = after(OPENED, CONTACT, OBSERVED, APPROVED, DRAWN, REPAID, AGREED, INTRODUCED)
    for (_, kind, _), row in rows.items():
        packed = pack_row(kind, row)
        assert unpack_row(kind, packed) == row
        assert pack_row(kind, unpack_row(kind, packed)) == packed


def test_no_row_holds_a_personal_value() -> None:
    rows = after(OPENED, CONTACT)
    assert all(bytes(28) not in pack_row(key[1], row) for key, row in rows.items())
