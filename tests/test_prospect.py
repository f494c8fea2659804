"""What is kept of someone who was brought, before and after they consent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import (
    CustomerForgottenError,
    NothingDescribedError,
    ProspectIsCustomerError,
    UnknownCustomerError,
    UnknownProspectError,
)
from domain.prospect import (
    ProspectConsentGiven,
    ProspectConsentWithdrawn,
    ProspectDescribed,
    ProspectForgotten,
)
from domain.prospect_rules import DescribeProspect
from domain.referral import ReferralIntroduced
from domain.relationship import RelationshipForgotten
from domain.relationship_rules import ForgetRelationship, GiveConsent, WithdrawConsent
from tests.spec import given, on, opened

brought = ReferralIntroduced(
    customer_id="P1",
    referral_id="R1",
    referrer_id="C1",
    introduced_on=on("2024-02-01"),
    via="customer",
    by="RM-1",
    branch="D1",
)
describe = DescribeProspect(
    customer_id="P1",
    described_on=on("2024-02-02"),
    by="RM-1",
    phone="13800138000",
    phone_hash="1c",
)
hashed = ProspectDescribed(
    customer_id="P1", described_on=on("2024-02-02"), by="RM-1", phone_hash="1c"
)
consent = GiveConsent(customer_id="P1", purpose="contact", given_on=on("2024-02-03"))
agreed = ProspectConsentGiven(customer_id="P1", purpose="contact", given_on=on("2024-02-03"))
withdraw = WithdrawConsent(customer_id="P1", purpose="contact", withdrawn_on=on("2024-02-05"))
withdrawn = ProspectConsentWithdrawn(
    customer_id="P1", purpose="contact", withdrawn_on=on("2024-02-05")
)
forget = ForgetRelationship(customer_id="P1", forgotten_on=on("2024-02-06"), reason="asked for")


def test_without_a_consent_a_hash_alone_is_kept() -> None:
    given(opened("C1"), brought).when(describe).then(hashed)


def test_with_a_consent_in_force_on_the_day_the_clear_text_is_kept_too() -> None:
    later = replace(describe, described_on=on("2024-02-04"))
    clear = replace(hashed, described_on=on("2024-02-04"), phone="13800138000")
    given(opened("C1"), brought, hashed, agreed).when(later).then(clear)
    given(opened("C1"), brought, agreed).when(describe).then(hashed)
    after = replace(describe, described_on=on("2024-02-05"))
    kept = replace(hashed, described_on=on("2024-02-05"))
    given(opened("C1"), brought, agreed, withdrawn).when(after).then(kept)


def test_what_is_known_of_a_prospect_is_recorded_once() -> None:
    again = replace(describe, described_on=on("2024-02-09"), by="RM-2")
    given(opened("C1"), brought, hashed).when(again).then_nothing()


def test_only_someone_who_was_brought_and_is_no_customer_is_described() -> None:
    given(opened("C1")).when(describe).then_refused(UnknownProspectError, "customer_id")
    given(opened("C1"), brought, opened("P1")).when(describe).then_refused(
        ProspectIsCustomerError, "customer_id"
    )
    nothing = replace(describe, phone=None, phone_hash=None)
    given(opened("C1"), brought).when(nothing).then_refused(NothingDescribedError, "phone")


def test_a_prospect_gives_and_withdraws_a_consent_without_a_relationship() -> None:
    given(opened("C1"), brought).when(consent).then(agreed)
    given(opened("C1"), brought, agreed).when(consent).then_nothing()
    given(opened("C1"), brought, agreed).when(withdraw).then(withdrawn)
    given(opened("C1"), brought).when(withdraw).then(withdrawn)
    given(opened("C1"), brought, withdrawn).when(withdraw).then_nothing()
    given(opened("C1")).when(consent).then_refused(UnknownCustomerError, "customer_id")


def test_a_prospect_is_forgotten_like_a_customer() -> None:
    gone = ProspectForgotten(customer_id="P1", forgotten_on=on("2024-02-06"), reason="asked for")
    given(opened("C1"), brought).when(forget).then(gone)


@pytest.mark.parametrize("command", [describe, consent, withdraw])
def test_of_the_forgotten_nothing_is_recorded(
    command: DescribeProspect | GiveConsent | WithdrawConsent,
) -> None:
    gone = RelationshipForgotten(customer_id="P1", forgotten_on=on("2024-02-06"), reason="x")
    history = (opened("C1"), brought, opened("P1"), gone)
    given(*history).when(command).then_refused(CustomerForgottenError, "customer_id")
