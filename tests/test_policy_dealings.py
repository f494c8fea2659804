"""Rules on dealings: what offends, what is exempt, and what lies outside the dates."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from domain.commitment import CommitmentWaived
from domain.dealing import (
    Booked,
    GiftBasis,
    GiftGiven,
    PayeeRole,
    PaymentMade,
    Product,
)
from domain.loan import RateChanged
from domain.reward import RewardAccrued, RewardBasis, RewardPaid, RewardPayee
from domain.telling import told
from tests.policy_cases import (
    AVERAGE,
    approved,
    committed,
    contact,
    customer,
    drawn,
    found,
    on,
    sale,
)

cn = partial(found, pack="cn")
us = partial(found, pack="us")
kr = partial(found, pack="kr")

# CN-05: a threat to withdraw credit.


def test_a_contact_coded_as_a_threat_offends() -> None:
    [finding] = cn(contact("2021-01-01", outcome="断贷威胁"), rule="CN-05")
    assert finding.facts == ("contact:T1",)
    assert cn(contact("2021-01-01", "Credit-Withdrawal-Threat"), rule="CN-05") != []


def test_another_contact_is_no_threat_and_none_was_barred_before_the_notice() -> None:
    assert cn(contact("2021-01-01"), rule="CN-05") == []
    assert cn(contact("2020-05-31", outcome="断贷威胁"), rule="CN-05") == []
    assert cn(contact("2021-01-01", outcome="断贷威胁"), rule="CN-05", as_of="2020-12-31") == []


def waived(day: str, reason: str) -> CommitmentWaived:
    return CommitmentWaived(
        customer_id="C1",
        commitment_id="K1",
        waiver_id="V1",
        waived_on=on(day),
        windows_from=on(day),
        windows_to=on(day),
        requested_by="RM-1",
        approved_by="HEAD-1",
        reason=reason,
    )


def test_a_waiver_against_a_threat_offends() -> None:
    agreed = committed("2019-01-01", AVERAGE)
    [finding] = cn(agreed, waived("2020-06-01", "credit-withdrawal-threat"), rule="CN-05")
    assert finding.facts == ("waiver:V1", "commitment:K1")
    assert cn(agreed, waived("2020-06-01", "flood"), rule="CN-05") == []
    assert cn(agreed, waived("2020-05-31", "credit-withdrawal-threat"), rule="CN-05") == []


def test_a_rate_changed_under_a_threat_offends() -> None:
    raised = RateChanged(
        customer_id="C1",
        loan_id="L1",
        changed_on=on("2020-06-01"),
        annual_rate="5.00",
        reason="断贷威胁",
    )
    loan = approved("2019-01-01")
    market = replace(raised, reason="market")
    assert cn(loan, raised, market, rule="CN-05") == []
    assert cn(loan, market, raised, rule="CN-05") != []
    [finding] = cn(loan, raised, rule="CN-05")
    assert finding.facts == ("rate:L1:2020-06-01", "loan:L1")
    before = replace(raised, changed_on=on("2020-05-31"))
    assert cn(loan, before, rule="CN-05") == []


# CN-06: a payment to a counterparty's staff.


def payment(day: str, role: PayeeRole, booked: Booked = "yes") -> PaymentMade:
    return PaymentMade(
        customer_id="C1",
        payment_id="P1",
        paid_on=on(day),
        payee_role=role,
        booked=booked,
        amount=15_000,
        currency="CNY",
        by="RM-1",
    )


@pytest.mark.parametrize(
    ("role", "booked", "offends"),
    [
        ("counterparty_staff", "yes", True),
        ("counterparty_staff", "no", True),
        ("intermediary", "no", True),
        ("intermediary", "yes", False),
        ("counterparty", "no", True),
        ("counterparty", "yes", False),
        ("other", "no", False),
    ],
)
def test_staff_are_not_paid_and_others_only_in_the_books(
    role: PayeeRole, booked: Booked, *, offends: bool
) -> None:
    assert bool(cn(payment("2026-01-01", role, booked), rule="CN-06")) is offends


@pytest.mark.parametrize(
    ("day", "judged"),
    [
        ("2019-04-22", []),
        ("2019-04-23", [(1, "medium")]),
        ("2025-10-14", [(1, "medium")]),
        ("2025-10-15", [(2, "high")]),
    ],
)
def test_a_payment_is_judged_by_the_law_of_its_own_day(
    day: str, judged: list[tuple[int, str]]
) -> None:
    findings = cn(payment(day, "counterparty_staff"), rule="CN-06")
    assert [(each.rule_version, each.severity) for each in findings] == judged


# A reward is judged as a payment and as a gift: by the role of its payee, and by its basis.


def reward(
    role: RewardPayee = "customer", basis: RewardBasis = "loan", day: str = "2026-01-01"
) -> RewardAccrued:
    return RewardAccrued(
        customer_id="C1",
        reward_id="W1",
        referral_id="R1",
        plan="friend",
        plan_version=1,
        milestone="converted",
        reached_on=on(day),
        accrued_on=on(day),
        payee_id="C2",
        payee_role=role,
        basis=basis,
        whole=10_000,
        share_ppm=1_000_000,
        amount=10_000,
        currency="CNY",
        formula="fixed",
        by="RM-1",
    )


def reward_paid(accrued: RewardAccrued, booked: Booked = "yes") -> RewardPaid:
    return told(RewardPaid, accrued, paid_on=accrued.accrued_on, booked=booked)


@pytest.mark.parametrize(
    ("role", "booked", "offends"),
    [
        ("counterparty_staff", "yes", True),
        ("partner", "no", True),
        ("partner", "yes", False),
        ("customer", "no", False),
        ("employee", "no", False),
    ],
)
def test_a_reward_paid_to_staff_offends_and_to_a_partner_outside_the_books(
    role: RewardPayee, booked: Booked, *, offends: bool
) -> None:
    accrued = reward(role)
    assert cn(accrued, rule="CN-06") == []
    findings = cn(accrued, reward_paid(accrued, booked), rule="CN-06")
    assert [each.facts for each in findings] == ([("reward-paid:W1",)] if offends else [])


def test_a_reward_is_judged_from_the_day_it_was_paid() -> None:
    accrued = reward("counterparty_staff")
    paid = reward_paid(accrued)
    assert cn(accrued, paid, rule="CN-06", as_of="2025-12-31") == []
    barred = reward("counterparty_staff", day="2019-04-22")
    assert cn(barred, reward_paid(barred), rule="CN-06") == []


def test_a_reward_measured_by_deposits_offends_once_it_is_accrued() -> None:
    [finding] = cn(reward(basis="deposits"), rule="CN-07")
    assert (finding.facts, finding.customer_id) == (("reward:W1",), "C1")
    assert cn(reward(basis="deposits"), rule="CN-07", as_of="2025-12-31") == []
    for basis in ("loan", "referral"):
        assert cn(reward(basis=basis), rule="CN-07") == []


# CN-07: a gift valued by deposits.


def gift(day: str, basis: GiftBasis) -> GiftGiven:
    return GiftGiven(
        customer_id="C1",
        gift_id="G1",
        given_on=on(day),
        basis=basis,
        amount=20_000,
        currency="CNY",
        by="RM-1",
    )


def test_a_gift_measured_by_deposits_offends_and_a_courtesy_does_not() -> None:
    [finding] = cn(gift("2021-01-01", "deposits"), rule="CN-07")
    assert finding.detail == "200.00 CNY given, measured by deposits"
    assert cn(gift("2021-01-01", "courtesy"), rule="CN-07") == []
    assert cn(gift("2014-09-10", "deposits"), rule="CN-07") == []


# Products beside a loan: CN-12, US-01, US-02, KR-01, KR-02.


def test_insurance_as_a_condition_of_a_loan_offends_in_china() -> None:
    [finding] = cn(sale("2021-01-01", "insurance"), rule="CN-12")
    assert finding.facts == ("sale:S1", "loan:L1")
    assert cn(sale("2021-01-01", "insurance", loan_id=None), rule="CN-12") == []
    assert cn(sale("2012-01-19", "insurance"), rule="CN-12") == []


@pytest.mark.parametrize(
    ("product", "rule"),
    [
        ("insurance", "US-01"),
        ("underwriting", "US-01"),
        ("exclusivity", "US-02"),
        ("deposit", None),
        ("loan", None),
        ("discount", None),
        ("trust", None),
    ],
)
def test_the_us_bar_ties_but_not_to_traditional_bank_products(
    product: Product, rule: str | None
) -> None:
    for each in ("US-01", "US-02"):
        findings = us(sale("2021-01-01", product), rule=each)
        assert bool(findings) is (each == rule)


def test_a_deposit_commitment_for_a_loan_is_no_offence_in_the_us() -> None:
    story = (approved("2021-03-01"), committed("2021-03-02", AVERAGE), drawn("2021-03-03"))
    assert us(*story, rule="US-01") == []
    assert cn(*story, rule="CN-02") != []


def test_a_tie_before_the_act_was_no_offence_in_the_us() -> None:
    assert us(sale("1970-12-30", "insurance"), rule="US-01") == []
    assert us(sale("2021-01-01", "insurance", loan_id=None), rule="US-01") == []


SME = customer("sme")
KRW_LOAN = (approved("2021-01-01", currency="KRW"), drawn("2021-03-31", currency="KRW"))


sold = partial(sale, monthly=1_001, loan_id=None, currency="KRW")


@pytest.mark.parametrize(
    ("day", "deemed_on"),
    [
        ("2021-02-27", None),
        ("2021-02-28", "2021-03-31"),  # the last day of a shorter month
        ("2021-03-31", "2021-03-31"),
        ("2021-04-30", "2021-04-30"),
        ("2021-05-01", None),
    ],
)
def test_a_deposit_within_a_month_of_the_draw_is_deemed_a_tie(
    day: str, deemed_on: str | None
) -> None:
    findings = kr(SME, *KRW_LOAN, sold(day), rule="KR-01")
    assert [str(each.offended_on) for each in findings] == ([deemed_on] if deemed_on else [])


def test_one_percent_of_the_loan_a_month_is_allowed_for_a_deposit() -> None:
    story = (SME, *KRW_LOAN)  # of 100,000 won
    assert kr(*story, sold("2021-03-31", monthly=1_000), rule="KR-01") == []
    assert kr(*story, sold("2021-03-31", monthly=1_001), rule="KR-01") != []


@pytest.mark.parametrize("product", ["insurance", "fund", "subordinated_debt"])
@pytest.mark.parametrize(("monthly", "currency"), [(0, "KRW"), (1, "KRW"), (5_000, "USD")])
def test_insurance_and_the_like_are_deemed_a_tie_at_any_payment_in_any_currency(
    product: Product, monthly: int, currency: str
) -> None:
    beside = sold("2021-03-31", product, monthly=monthly, currency=currency)
    [finding] = kr(SME, *KRW_LOAN, beside, rule="KR-02")
    assert finding.facts == ("sale:S1", "draw:D1")
    deposit = sold("2021-03-31", monthly=5_000, currency="USD")
    assert kr(SME, *KRW_LOAN, deposit, rule="KR-01") == []


@pytest.mark.parametrize("segment", ["corporate", "retail"])
def test_only_the_weak_are_protected_by_the_deemed_tie(segment: str) -> None:
    assert kr(customer(segment), *KRW_LOAN, sold("2021-03-31"), rule="KR-01") == []
    assert kr(customer("low-credit"), *KRW_LOAN, sold("2021-03-31"), rule="KR-01") != []


def test_a_deemed_tie_before_the_act_was_no_offence() -> None:
    loan = (approved("2010-01-01", currency="KRW"), drawn("2010-11-01", currency="KRW"))
    assert kr(SME, *loan, sold("2010-11-17"), rule="KR-01") == []
    assert kr(SME, *loan, sold("2010-11-18"), rule="KR-01") != []
