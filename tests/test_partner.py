from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import (
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    UnknownAgreementError,
    UnknownCustomerError,
)
from domain.partner import (
    AgreePartner,
    CheckPartnerAdmission,
    EndPartner,
    PartnerAdmissionChecked,
    PartnerAgreed,
    PartnerCommand,
    PartnerEnded,
)
from domain.relationship import RelationshipForgotten
from tests.spec import given, on, opened

firm = opened("F1")
forgotten = RelationshipForgotten(customer_id="F1", forgotten_on=on("1994-03-01"), reason="asked")
check = CheckPartnerAdmission(
    admission_check_id="X1",
    customer_id="F1",
    subject="own_debts",
    result="passed",
    figure=55,
    evidence="balance sheet 1993",
    checked_on=on("1994-03-01"),
    by="RM-1",
)
checked = PartnerAdmissionChecked(
    customer_id="F1",
    admission_check_id="X1",
    subject="own_debts",
    result="passed",
    figure=55,
    evidence="balance sheet 1993",
    checked_on=on("1994-03-01"),
    by="RM-1",
)
agree = AgreePartner(
    agreement_id="A1",
    customer_id="F1",
    agreed_on=on("1994-03-05"),
    starts_on=on("1994-04-01"),
    ends_on=on("1995-03-31"),
    approved_by="HEAD-1",
)
agreed = PartnerAgreed(
    customer_id="F1",
    agreement_id="A1",
    agreed_on=on("1994-03-05"),
    starts_on=on("1994-04-01"),
    ends_on=on("1995-03-31"),
    approved_by="HEAD-1",
)
end = EndPartner(
    agreement_id="A1", customer_id="F1", ended_on=on("1994-08-01"), reason="sold", by="HEAD-1"
)
ended = PartnerEnded(
    customer_id="F1", agreement_id="A1", ended_on=on("1994-08-01"), reason="sold", by="HEAD-1"
)


def test_a_check_is_recorded_with_what_shows_its_result() -> None:
    given(firm).when(check).then(checked)


def test_an_agreement_is_recorded_whether_or_not_the_partner_was_checked() -> None:
    given(firm).when(agree).then(agreed)
    given(firm, checked).when(agree).then(agreed)


def test_an_agreement_ends_and_the_last_end_told_counts() -> None:
    given(firm, agreed).when(end).then(ended)
    earlier = replace(end, ended_on=on("1994-07-01"))
    given(firm, agreed, ended).when(earlier).then(replace(ended, ended_on=on("1994-07-01")))


def test_an_end_told_again_changes_nothing() -> None:
    given(firm, agreed, ended).when(end).then_nothing()


@pytest.mark.parametrize("command", [check, agree, end])
def test_a_partner_is_a_relationship_of_the_bank(command: PartnerCommand) -> None:
    given().when(command).then_refused(UnknownCustomerError, "customer_id")
    given(firm, forgotten).when(command).then_refused(CustomerForgottenError, "customer_id")


def test_an_agreement_that_was_never_made_with_this_partner_does_not_end() -> None:
    given(firm, opened("F2"), replace(agreed, customer_id="F2")).when(end).then_refused(
        UnknownAgreementError, "agreement_id"
    )


def test_an_agreement_may_be_cancelled_before_it_starts_but_not_before_it_was_made() -> None:
    for day in ("1994-03-05", "1994-03-31", "1994-04-01"):
        cancel = replace(end, ended_on=on(day))
        given(firm, agreed).when(cancel).then(replace(ended, ended_on=on(day)))
    given(firm, agreed).when(replace(end, ended_on=on("1994-03-04"))).then_refused(
        DatesOutOfOrderError, "ended_on"
    )


def test_an_agreement_made_after_it_started_may_end_from_its_start_on() -> None:
    late = replace(agreed, agreed_on=on("1994-05-01"))
    from_the_start = replace(end, ended_on=on("1994-04-01"))
    given(firm, late).when(from_the_start).then(replace(ended, ended_on=on("1994-04-01")))
    given(firm, late).when(replace(end, ended_on=on("1994-03-31"))).then_refused(
        DatesOutOfOrderError, "ended_on"
    )


def test_the_dates_of_an_agreement_are_in_order() -> None:
    given(firm).when(replace(agree, ends_on=on("1994-03-31"))).then_refused(
        DatesOutOfOrderError, "ends_on"
    )
    given(firm).when(replace(agree, ends_on=on("1994-04-01"))).then(
        replace(agreed, ends_on=on("1994-04-01"))
    )


def test_a_check_or_agreement_told_otherwise_is_a_conflict() -> None:
    given(firm, checked).when(replace(check, result="failed")).then_refused(
        KeyConflictError, "admission_check_id"
    )
    given(firm, agreed).when(replace(agree, approved_by="HEAD-2")).then_refused(
        KeyConflictError, "agreement_id"
    )
