from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from domain.errors import (
    CustomerForgottenError,
    DatesOutOfOrderError,
    FindingIdReservedError,
    JustifiedAloneError,
    KeyConflictError,
    NotPositiveError,
    UnknownCustomerError,
    UnknownFindingError,
)
from domain.finding import (
    AssignFinding,
    DisposeCommand,
    Disposition,
    FindingAssigned,
    FindingJustified,
    FindingRaised,
    FindingRemediated,
    FindingReported,
    JustifyFinding,
    RaiseFinding,
    RaiseFound,
    RemediateFinding,
    ReportFinding,
    finding_id,
)
from domain.referral import ReferralIntroduced
from domain.relationship import RelationshipForgotten
from tests.spec import given, on, opened

if TYPE_CHECKING:
    from datetime import date

OFFENDED, RAISED, LATER = on("2024-03-21"), on("2024-03-31"), on("2024-04-02")
ada = opened("C1")
forgotten = RelationshipForgotten(customer_id="C1", forgotten_on=LATER, reason="asked")
raise_it = RaiseFinding(
    finding_id="F1",
    customer_id="C1",
    raised_on=RAISED,
    offended_on=OFFENDED,
    pack="cn",
    rule="CN-01",
    rule_version=2,
    in_force_from=on("2020-06-01"),
    severity="high",
    facts=("draw:D1",),
    events=("E1",),
    detail="400.00 CNY more",
)
raised = FindingRaised(
    customer_id="C1",
    finding_id="F1",
    raised_on=RAISED,
    offended_on=OFFENDED,
    pack="cn",
    rule="CN-01",
    rule_version=2,
    in_force_from=on("2020-06-01"),
    in_force_to=None,
    severity="high",
    facts=("draw:D1",),
    events=("E1",),
    detail="400.00 CNY more",
)
assign = AssignFinding(finding_id="F1", assigned_on=LATER, assigned_to="CO-1", by="HEAD")
assigned = FindingAssigned(
    customer_id="C1", finding_id="F1", assigned_on=LATER, assigned_to="CO-1", by="HEAD"
)
justify = JustifyFinding(
    finding_id="F1",
    justified_on=LATER,
    reason="own funds",
    justified_by="CO-1",
    approved_by="HEAD",
)
justified = FindingJustified(
    customer_id="C1",
    finding_id="F1",
    justified_on=LATER,
    reason="own funds",
    justified_by="CO-1",
    approved_by="HEAD",
)
remediate = RemediateFinding(finding_id="F1", remediated_on=LATER, measure="set free", by="CO-1")
remediated = FindingRemediated(
    customer_id="C1", finding_id="F1", remediated_on=LATER, measure="set free", by="CO-1"
)
report = ReportFinding(finding_id="F1", reported_on=LATER, reported_to="NFRA", by="CO-1")
reported = FindingReported(
    customer_id="C1", finding_id="F1", reported_on=LATER, reported_to="NFRA", by="CO-1"
)
EACH: list[tuple[DisposeCommand, Disposition, str]] = [
    (assign, assigned, "assigned_on"),
    (justify, justified, "justified_on"),
    (remediate, remediated, "remediated_on"),
    (report, reported, "reported_on"),
]


def dated(command: DisposeCommand, field: str, day: date) -> DisposeCommand:
    changed: DisposeCommand = replace(command, **{field: day})  # type: ignore[arg-type]  # its own date
    return changed


def test_a_finding_is_raised() -> None:
    given(ada).when(raise_it).then(raised)


def test_a_finding_is_raised_once_and_its_id_stands_for_no_other() -> None:
    given(ada, raised).when(raise_it).then_nothing()
    for other in (
        replace(raise_it, customer_id="C2"),
        replace(raise_it, detail="more"),
        replace(raise_it, raised_on=LATER),
        replace(raise_it, events=()),
    ):
        given(ada, opened("C2"), raised).when(other).then_refused(KeyConflictError, "finding_id")


def test_the_id_of_what_a_pack_finds_is_given_by_judging_alone() -> None:
    id_ = finding_id("cn", "CN-01", 2, "C1", ["draw:D1"])
    by_hand = replace(raise_it, finding_id=id_)
    judged = RaiseFound(**{each.name: getattr(by_hand, each.name) for each in fields(by_hand)})
    given(ada).when(judged).then(replace(raised, finding_id=id_))
    for told in (by_hand, replace(by_hand, severity="review"), replace(by_hand, rule="CN-02")):
        given(ada).when(told).then_refused(FindingIdReservedError, "finding_id")
    given(ada).when(replace(by_hand, finding_id=f"{{{id_.upper()}}}")).then_refused(
        FindingIdReservedError, "finding_id"
    )
    of_another_form = "6f0a4f0e-7c1e-4a55-9d0c-0d3a0f6b8e21"  # a UUID of version 4
    given(ada).when(replace(raise_it, finding_id=of_another_form)).then(
        replace(raised, finding_id=of_another_form)
    )


def test_a_finding_may_be_of_a_prospect_or_of_the_whole_bank_and_of_nobody_else() -> None:
    brought = ReferralIntroduced(
        customer_id="C1",
        referral_id="R1",
        referrer_id="C2",
        introduced_on=OFFENDED,
        via="customer",
        by="RM-1",
        branch="B1",
    )
    given(opened("C2"), brought).when(raise_it).then(raised)
    given().when(replace(raise_it, customer_id="ledger")).then(
        replace(raised, customer_id="ledger")
    )
    given(opened("C2")).when(raise_it).then_refused(UnknownCustomerError, "customer_id")


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (replace(raise_it, in_force_from=on("2024-03-22")), "offended_on"),
        (replace(raise_it, in_force_to=on("2024-03-20")), "in_force_to"),
        (replace(raise_it, in_force_to=on("2020-05-31")), "in_force_to"),
    ],
)
def test_the_law_that_judged_was_in_force_on_the_day_of_the_offence(
    command: RaiseFinding, field: str
) -> None:
    given(ada).when(command).then_refused(DatesOutOfOrderError, field)


def test_the_first_and_the_last_day_of_a_law_are_its_own() -> None:
    day = replace(raise_it, in_force_from=OFFENDED, in_force_to=OFFENDED)
    given(ada).when(day).then(replace(raised, in_force_from=OFFENDED, in_force_to=OFFENDED))


def test_versions_of_a_rule_are_numbered_from_1() -> None:
    given(ada).when(replace(raise_it, rule_version=0)).then_refused(
        NotPositiveError, "rule_version"
    )


def test_nothing_is_raised_of_the_forgotten() -> None:
    given(ada, forgotten).when(raise_it).then_refused(CustomerForgottenError, "customer_id")


def test_a_finding_is_raised_on_the_day_of_the_offence_or_later() -> None:
    early = replace(raise_it, raised_on=on("2024-03-20"))
    given(ada).when(early).then_refused(DatesOutOfOrderError, "raised_on")
    same = replace(raise_it, raised_on=OFFENDED)
    given(ada).when(same).then(replace(raised, raised_on=OFFENDED))


@pytest.mark.parametrize(("command", "event", "field"), EACH)
def test_what_becomes_of_a_finding_is_recorded(
    command: DisposeCommand, event: Disposition, field: str
) -> None:
    given(ada, raised).when(command).then(event)
    given(ada, raised, event).when(command).then_nothing()
    given(ada).when(command).then_refused(UnknownFindingError, "finding_id")
    given(ada, raised).when(dated(command, field, OFFENDED)).then_refused(
        DatesOutOfOrderError, field
    )
    given(ada, raised, forgotten).when(command).then_refused(CustomerForgottenError, "customer_id")


def test_nobody_approves_their_own_justification() -> None:
    for spelled in ("CO-1", "co-1", " CO-1"):
        alone = replace(justify, approved_by=spelled)
        given(ada, raised).when(alone).then_refused(JustifiedAloneError, "approved_by")


def test_who_has_to_deal_with_a_finding_does_not_approve_its_justification() -> None:
    by_another = replace(justify, justified_by="RM-1", approved_by="CO-1")
    given(ada, raised, assigned).when(by_another).then_refused(JustifiedAloneError, "approved_by")
    given(ada, raised).when(by_another).then(
        replace(justified, justified_by="RM-1", approved_by="CO-1")
    )


def test_who_has_to_deal_with_a_finding_on_a_day_goes_by_the_days_of_assignments() -> None:
    day = on("2024-04-05")
    told_late = replace(assigned, assigned_on=on("2024-04-01"), assigned_to="CO-2")
    on_the_5th = replace(justify, justified_on=day, justified_by="RM-1", approved_by="CO-1")
    ledger = given(ada, raised, assigned, told_late)
    ledger.when(on_the_5th).then_refused(JustifiedAloneError, "approved_by")
    agreed = replace(justified, justified_on=day, justified_by="RM-1", approved_by="CO-2")
    ledger.when(replace(on_the_5th, approved_by="CO-2")).then(agreed)
    before = on("2024-03-31")
    ledger.when(replace(on_the_5th, justified_on=before)).then(
        replace(agreed, justified_on=before, approved_by="CO-1")
    )
    same_day = replace(assigned, assigned_to="CO-3")
    given(ada, raised, assigned, same_day).when(on_the_5th).then(
        replace(agreed, approved_by="CO-1")
    )


def test_a_disposition_can_follow_another() -> None:
    given(ada, raised, assigned, justified).when(report).then(reported)
    given(ada, raised, justified, reported).when(justify).then(justified)
