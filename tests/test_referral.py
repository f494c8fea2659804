from __future__ import annotations

from dataclasses import replace

import pytest

from domain.account import AccountOpened
from domain.errors import (
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    OutcomeIncompleteError,
    ReferralCycleError,
    ReservedIdError,
    SecondReferrerError,
    SelfReferralError,
    UnknownCustomerError,
    UnknownReferralError,
)
from domain.loan import LoanDrawn
from domain.referral import (
    Outcome,
    ReferralAssigned,
    ReferralContacted,
    ReferralConverted,
    ReferralDeclined,
    ReferralIntroduced,
    ReferralLapsed,
    ReferralOutcome,
    ReferralQualified,
    ReferralStep,
)
from domain.referral_rules import (
    AssignReferral,
    ContactReferral,
    ConvertReferral,
    DeclineReferral,
    IntroduceReferral,
    LapseOverdueReferral,
    LapseReferral,
    QualifyReferral,
    ReferralCommand,
)
from domain.relationship import RelationshipForgotten
from tests.spec import given, on, opened


def introduce(
    referral_id: str, referrer_id: str, prospect_id: str, day: str, *outcome: str
) -> IntroduceReferral:
    command = IntroduceReferral(
        referral_id=referral_id,
        referrer_id=referrer_id,
        prospect_id=prospect_id,
        introduced_on=on(day),
        via="customer",
        by="RM-1",
        branch="D1",
    )
    if not outcome:
        return command
    kind, ended = outcome
    known: dict[str, Outcome] = {
        "converted": "converted",
        "declined": "declined",
        "lapsed": "lapsed",
    }
    return replace(command, outcome=known[kind], outcome_on=on(ended))


def introduced(
    referral_id: str, referrer_id: str, prospect_id: str, day: str
) -> ReferralIntroduced:
    return ReferralIntroduced(
        customer_id=prospect_id,
        referral_id=referral_id,
        referrer_id=referrer_id,
        introduced_on=on(day),
        via="customer",
        by="RM-1",
        branch="D1",
    )


def declined(referral_id: str, prospect_id: str, day: str, reason: str = "") -> ReferralDeclined:
    return ReferralDeclined(
        customer_id=prospect_id, referral_id=referral_id, declined_on=on(day), reason=reason
    )


def account_of(customer_id: str, day: str) -> AccountOpened:
    return AccountOpened(
        customer_id=customer_id,
        account_id=f"A-{customer_id}-{day}",
        kind="current",
        currency="CNY",
        opened_on=on(day),
    )


def draw_of(customer_id: str, day: str) -> LoanDrawn:
    return LoanDrawn(
        customer_id=customer_id,
        loan_id="L1",
        draw_id=f"D-{day}",
        drawn_on=on(day),
        amount=1,
        currency="CNY",
    )


bank = given(opened("A"), opened("B"), opened("C"), opened("D"))
a_brings_p = introduced("R1", "A", "P", "2024-03-01")
converted = ReferralConverted(customer_id="P", referral_id="R1", converted_on=on("2024-05-01"))
lapsed = ReferralLapsed(customer_id="P", referral_id="R1", lapsed_on=on("2024-05-01"))
assigned = ReferralAssigned(
    customer_id="P", referral_id="R1", manager="RM-2", assigned_on=on("2024-03-02")
)
contacted = ReferralContacted(
    customer_id="P", referral_id="R1", contacted_on=on("2024-03-03"), by="RM-2"
)
qualified = ReferralQualified(
    customer_id="P", referral_id="R1", qualified_on=on("2024-03-04"), by="RM-2"
)
assign = AssignReferral(referral_id="R1", manager="RM-2", assigned_on=on("2024-03-02"))
contact = ContactReferral(referral_id="R1", contacted_on=on("2024-03-03"), by="RM-2")
qualify = QualifyReferral(referral_id="R1", qualified_on=on("2024-03-04"), by="RM-2")
convert = ConvertReferral(referral_id="R1", converted_on=on("2024-05-01"))
decline = DeclineReferral(referral_id="R1", declined_on=on("2024-05-01"), reason="rate")
lapse = LapseReferral(referral_id="R1", lapsed_on=on("2024-05-01"))
EARLY = on("2024-02-29")
STEPS: list[tuple[ReferralCommand, ReferralStep | ReferralOutcome, ReferralCommand, str]] = [
    (assign, assigned, replace(assign, assigned_on=EARLY), "assigned_on"),
    (contact, contacted, replace(contact, contacted_on=EARLY), "contacted_on"),
    (qualify, qualified, replace(qualify, qualified_on=EARLY), "qualified_on"),
    (convert, converted, replace(convert, converted_on=EARLY), "converted_on"),
    (
        decline,
        declined("R1", "P", "2024-05-01", "rate"),
        replace(decline, declined_on=EARLY),
        "declined_on",
    ),
    (lapse, lapsed, replace(lapse, lapsed_on=EARLY), "lapsed_on"),
]
forgotten_a = RelationshipForgotten(customer_id="A", forgotten_on=on("2025-01-01"), reason="asked")


def test_a_customer_brings_a_prospect_the_bank_does_not_know() -> None:
    bank.when(introduce("R1", "A", "P", "2024-03-01")).then(a_brings_p)


def test_a_customer_brings_another_customer() -> None:
    bank.when(introduce("R1", "A", "B", "2024-03-01")).then(
        introduced("R1", "A", "B", "2024-03-01")
    )


def test_a_referrer_is_a_customer() -> None:
    command = introduce("R1", "P", "A", "2024-03-01")
    bank.when(command).then_refused(UnknownCustomerError, "referrer_id")


def test_nobody_brings_themselves() -> None:
    command = introduce("R1", "A", "A", "2024-03-01")
    bank.when(command).then_refused(SelfReferralError, "prospect_id")


def test_nobody_brings_the_ledger() -> None:
    command = introduce("R1", "A", "ledger", "2024-03-01")
    bank.when(command).then_refused(ReservedIdError, "prospect_id")


def test_a_row_may_tell_the_outcome_at_once() -> None:
    first = a_brings_p
    bank.when(introduce("R1", "A", "P", "2024-03-01", "converted", "2024-05-01")).then(
        first, converted
    )
    bank.when(introduce("R1", "A", "P", "2024-03-01", "declined", "2024-05-01")).then(
        first, declined("R1", "P", "2024-05-01")
    )
    bank.when(introduce("R1", "A", "P", "2024-03-01", "lapsed", "2024-05-01")).then(first, lapsed)


def test_an_outcome_and_its_day_come_together() -> None:
    whole = introduce("R1", "A", "P", "2024-03-01", "lapsed", "2024-05-01")
    bank.when(replace(whole, outcome=None)).then_refused(OutcomeIncompleteError, "outcome")
    bank.when(replace(whole, outcome_on=None)).then_refused(OutcomeIncompleteError, "outcome_on")


def test_an_outcome_does_not_precede_the_introduction() -> None:
    command = introduce("R1", "A", "P", "2024-03-01", "lapsed", "2024-02-29")
    bank.when(command).then_refused(DatesOutOfOrderError, "outcome_on")


def test_a_row_told_again_with_an_outcome_records_the_outcome() -> None:
    ledger = bank.and_given(a_brings_p)
    ledger.when(introduce("R1", "A", "P", "2024-03-01", "lapsed", "2024-05-01")).then(lapsed)


def test_a_row_told_again_with_the_outcome_known_changes_nothing() -> None:
    ledger = bank.and_given(a_brings_p, declined("R1", "P", "2024-05-01", "rate"))
    row = introduce("R1", "A", "P", "2024-03-01", "declined", "2024-05-01")
    ledger.when(row).then_nothing()
    bank.and_given(a_brings_p).when(introduce("R1", "A", "P", "2024-03-01")).then_nothing()


def test_the_outcome_told_last_counts() -> None:
    ledger = bank.and_given(a_brings_p, declined("R1", "P", "2024-04-01"))
    row = introduce("R1", "A", "P", "2024-03-01", "converted", "2024-05-01")
    ledger.when(row).then(converted)


def test_an_outcome_is_not_taken_back() -> None:
    ledger = bank.and_given(a_brings_p, lapsed)
    row = introduce("R1", "A", "P", "2024-03-01")
    ledger.when(row).then_refused(KeyConflictError, "referral_id")


@pytest.mark.parametrize(
    "row",
    [
        introduce("R1", "B", "P", "2024-03-01"),
        introduce("R1", "A", "Q", "2024-03-01"),
        introduce("R1", "A", "P", "2024-03-02"),
        replace(introduce("R1", "A", "P", "2024-03-01"), branch="D2"),
        replace(introduce("R1", "A", "P", "2024-03-01"), via="employee"),
        introduce("R1", "B", "P", "2024-03-01", "lapsed", "2024-05-01"),
    ],
)
def test_only_the_outcome_of_a_row_may_change(row: IntroduceReferral) -> None:
    bank.and_given(a_brings_p).when(row).then_refused(KeyConflictError, "referral_id")


@pytest.mark.parametrize(("command", "event", "early", "field"), STEPS)
def test_every_step_is_recorded_once(
    command: ReferralCommand,
    event: ReferralStep | ReferralOutcome,
    early: ReferralCommand,
    field: str,
) -> None:
    bank.and_given(a_brings_p).when(command).then(event)
    bank.and_given(a_brings_p, event).when(command).then_nothing()
    bank.when(command).then_refused(UnknownReferralError, "referral_id")
    bank.and_given(a_brings_p).when(early).then_refused(DatesOutOfOrderError, field)


def test_a_step_told_anew_is_recorded() -> None:
    again = replace(assign, manager="RM-3")
    bank.and_given(a_brings_p, assigned).when(again).then(replace(assigned, manager="RM-3"))


# One live referrer.


def test_a_prospect_has_one_referrer() -> None:
    ledger = bank.and_given(a_brings_p)
    ledger.when(introduce("R2", "B", "P", "2024-06-01")).then_refused(
        SecondReferrerError, "prospect_id"
    )
    ledger.when(introduce("R2", "B", "P", "2024-01-01")).then_refused(
        SecondReferrerError, "prospect_id"
    )


def test_a_declined_prospect_is_free_from_that_day() -> None:
    ledger = bank.and_given(a_brings_p, declined("R1", "P", "2024-05-01"))
    ledger.when(introduce("R2", "B", "P", "2024-04-30")).then_refused(
        SecondReferrerError, "prospect_id"
    )
    ledger.when(introduce("R2", "B", "P", "2024-05-01")).then(
        introduced("R2", "B", "P", "2024-05-01")
    )


def test_an_earlier_referral_that_ended_in_time_is_recorded_late() -> None:
    ledger = bank.and_given(a_brings_p)
    row = introduce("R2", "B", "P", "2024-01-01", "lapsed", "2024-03-01")
    both = (
        introduced("R2", "B", "P", "2024-01-01"),
        replace(lapsed, referral_id="R2", lapsed_on=on("2024-03-01")),
    )
    ledger.when(row).then(*both)
    ledger.when(replace(row, outcome_on=on("2024-03-02"))).then_refused(
        SecondReferrerError, "prospect_id"
    )


@pytest.mark.parametrize("first", [account_of("P", "2024-05-01"), draw_of("P", "2024-03-01")])
def test_business_up_to_the_refusal_keeps_the_referral_alive(
    first: AccountOpened | LoanDrawn,
) -> None:
    ended = declined("R1", "P", "2024-05-01")
    row = introduce("R2", "B", "P", "2024-06-01")
    bank.and_given(a_brings_p, ended, first).when(row).then_refused(
        SecondReferrerError, "prospect_id"
    )


@pytest.mark.parametrize(
    "business",
    [
        (account_of("P", "2024-05-02"),),
        (account_of("P", "2024-02-29"), account_of("P", "2024-04-01")),
        (draw_of("P", "2024-02-29"), draw_of("P", "2024-04-01")),
    ],
)
def test_only_the_first_business_on_or_after_the_introduction_converts(
    business: tuple[AccountOpened | LoanDrawn, ...],
) -> None:
    ledger = bank.and_given(a_brings_p, declined("R1", "P", "2024-05-01"), *business)
    ledger.when(introduce("R2", "B", "P", "2024-06-01")).then(
        introduced("R2", "B", "P", "2024-06-01")
    )


def test_an_outcome_told_anew_does_not_revive_a_second_referrer() -> None:
    ledger = bank.and_given(
        a_brings_p, declined("R1", "P", "2024-05-01"), introduced("R2", "B", "P", "2024-06-01")
    )
    ledger.when(convert).then_refused(SecondReferrerError, "prospect_id")
    later = replace(decline, declined_on=on("2024-06-02"))
    ledger.when(later).then_refused(SecondReferrerError, "prospect_id")
    until = replace(decline, declined_on=on("2024-06-01"))
    ledger.when(until).then(declined("R1", "P", "2024-06-01", "rate"))


# No cycle, on any day.


def test_a_lapse_by_time_waits_for_no_outcome_and_undoes_none() -> None:
    overdue = LapseOverdueReferral(referral_id="R1", lapsed_on=on("2024-05-01"))
    bank.and_given(a_brings_p).when(overdue).then(lapsed)
    for outcome in (converted, lapsed, declined("R1", "P", "2024-06-01")):
        bank.and_given(a_brings_p, outcome).when(overdue).then_nothing()


def test_a_lapse_by_time_is_moved_from_the_day_that_is_known_and_from_no_other() -> None:
    moved = LapseOverdueReferral(
        referral_id="R1", lapsed_on=on("2024-07-01"), instead_of=on("2024-05-01")
    )
    later = replace(lapsed, lapsed_on=on("2024-07-01"))
    bank.and_given(a_brings_p, lapsed).when(moved).then(later)
    bank.and_given(a_brings_p).when(moved).then(later)
    other_day = replace(lapsed, lapsed_on=on("2024-04-01"))
    for outcome in (converted, declined("R1", "P", "2024-05-01"), other_day, later):
        bank.and_given(a_brings_p, outcome).when(moved).then_nothing()


def test_a_moved_lapse_does_not_take_a_prospect_from_a_second_referrer() -> None:
    moved = LapseOverdueReferral(
        referral_id="R1", lapsed_on=on("2024-07-01"), instead_of=on("2024-05-01")
    )
    b_brings_p = introduced("R2", "B", "P", "2024-06-01")
    bank.and_given(a_brings_p, lapsed, b_brings_p).when(moved).then_refused(
        SecondReferrerError, "prospect_id"
    )


def test_two_customers_do_not_bring_each_other() -> None:
    ledger = bank.and_given(introduced("R1", "A", "B", "2024-03-01"))
    ledger.when(introduce("R2", "B", "A", "2024-06-01")).then_refused(
        ReferralCycleError, "prospect_id"
    )
    ledger.when(introduce("R2", "B", "A", "2024-01-01")).then_refused(
        ReferralCycleError, "prospect_id"
    )


def test_a_long_cycle_is_refused() -> None:
    ledger = bank.and_given(
        introduced("R1", "A", "B", "2024-03-01"),
        introduced("R2", "B", "C", "2024-03-01"),
        introduced("R3", "C", "D", "2024-03-01"),
    )
    ledger.when(introduce("R4", "D", "A", "2024-06-01")).then_refused(
        ReferralCycleError, "prospect_id"
    )


def test_a_cycle_is_none_where_its_referrals_never_lived_together() -> None:
    ledger = bank.and_given(
        introduced("R1", "A", "B", "2024-01-01"),
        declined("R1", "B", "2024-02-01"),
        introduced("R2", "B", "C", "2024-01-15"),
    )
    ledger.when(introduce("R3", "C", "A", "2024-02-01")).then(
        introduced("R3", "C", "A", "2024-02-01")
    )
    ledger.when(introduce("R3", "C", "A", "2024-01-31")).then_refused(
        ReferralCycleError, "prospect_id"
    )


def test_an_outcome_told_anew_does_not_close_a_cycle() -> None:
    ledger = bank.and_given(
        introduced("R1", "A", "B", "2024-01-01"),
        declined("R1", "B", "2024-02-01"),
        introduced("R2", "B", "A", "2024-03-01"),
    )
    came = ConvertReferral(referral_id="R1", converted_on=on("2024-04-01"))
    ledger.when(came).then_refused(ReferralCycleError, "prospect_id")


def test_business_told_late_may_cross_ways_and_the_walk_still_ends() -> None:
    ledger = bank.and_given(
        introduced("R1", "A", "B", "2024-01-01"),
        declined("R1", "B", "2024-02-01"),
        introduced("R2", "B", "A", "2024-03-01"),
        account_of("B", "2024-01-15"),  # R1 lives for ever after all
    )
    ledger.when(introduce("R3", "A", "P", "2024-06-01")).then(
        introduced("R3", "A", "P", "2024-06-01")
    )


def test_a_chain_of_thousands_is_walked() -> None:
    chain = [introduced(f"R{n}", f"N{n}", f"N{n + 1}", "2024-01-01") for n in range(3_000)]
    ledger = given(opened("N3000"), *chain)
    ledger.when(introduce("R", "N3000", "N0", "2024-01-01")).then_refused(
        ReferralCycleError, "prospect_id"
    )


def test_the_decision_looks_at_the_prospect_and_the_way_up_from_the_referrer() -> None:
    ledger = bank.and_given(introduced("R1", "A", "B", "2024-01-01"), a_brings_p)
    ledger.when(introduce("R2", "B", "C", "2024-06-01")).then_looks_at(
        "prospect-A", "prospect-B", "prospect-C"
    )


# Forgotten customers.


def test_nothing_is_recorded_about_a_forgotten_referrer_or_prospect() -> None:
    ledger = bank.and_given(introduced("R1", "B", "A", "2024-01-01"), forgotten_a)
    ledger.when(introduce("R2", "A", "P", "2024-03-01")).then_refused(
        CustomerForgottenError, "referrer_id"
    )
    ledger.when(introduce("R2", "B", "A", "2024-03-01")).then_refused(
        CustomerForgottenError, "prospect_id"
    )
    ledger.when(convert).then_refused(CustomerForgottenError, "prospect_id")
