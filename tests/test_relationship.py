from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.errors import (
    CustomerForgottenError,
    DatesOutOfOrderError,
    HandoverDecidedError,
    HandoverToOwnerError,
    KeyConflictError,
    MergeTargetError,
    RelationshipEndedError,
    ReservedIdError,
    UnknownCustomerError,
    UnknownHandoverError,
)
from domain.ownership_rules import (
    AcceptHandover,
    AssignManager,
    DeclineHandover,
    ProposeHandover,
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
    RelationshipForgotten,
    RelationshipMerged,
    RelationshipOpened,
    TierAssigned,
)
from domain.relationship_rules import (
    AssignTier,
    ChangeProfile,
    CloseRelationship,
    ForgetRelationship,
    GiveConsent,
    MergeRelationship,
    OpenRelationship,
    RelationshipCommand,
    WithdrawConsent,
)
from tests.spec import given, on, opened

if TYPE_CHECKING:
    from domain.catalogue import Event

TODAY = on("1994-06-01")
ada = RelationshipOpened(
    customer_id="C1",
    name="Ada",
    kind="person",
    segment="retail",
    branch="D1",
    manager="RM-1",
    opened_on=on("1993-01-03"),
    phone="555",
)
open_ada = OpenRelationship(
    customer_id="C1",
    name="Ada",
    kind="person",
    segment="retail",
    branch="D1",
    manager="RM-1",
    opened_on=on("1993-01-03"),
    phone="555",
    today=TODAY,
)
rows_nine = ManagerAssigned(
    customer_id="C1", manager="RM-9", role="owner", assigned_on=TODAY, told_by="row"
)
gold = TierAssigned(customer_id="C1", tier="gold", assigned_on=on("1994-01-01"))
proposed = HandoverProposed(
    customer_id="C1",
    handover_id="H1",
    from_manager="RM-1",
    to_manager="RM-2",
    proposed_on=on("1994-02-01"),
)
accepted = HandoverAccepted(
    customer_id="C1", handover_id="H1", to_manager="RM-2", accepted_on=on("1994-02-03")
)
declined = HandoverDeclined(
    customer_id="C1", handover_id="H1", declined_on=on("1994-02-03"), reason="full"
)
accept = AcceptHandover(customer_id="C1", handover_id="H1", accepted_on=on("1994-02-03"))
decline = DeclineHandover(
    customer_id="C1", handover_id="H1", declined_on=on("1994-02-03"), reason="full"
)
consented = ConsentGiven(customer_id="C1", purpose="marketing", given_on=on("1994-01-01"))
consent = GiveConsent(customer_id="C1", purpose="marketing", given_on=on("1994-01-01"))
withdraw = WithdrawConsent(customer_id="C1", purpose="marketing", withdrawn_on=on("1994-03-01"))
withdrawn = ConsentWithdrawn(customer_id="C1", purpose="marketing", withdrawn_on=on("1994-03-01"))
closed = RelationshipClosed(customer_id="C1", closed_on=on("1995-01-01"), reason="moved")
close = CloseRelationship(customer_id="C1", closed_on=on("1995-01-01"), reason="moved")
merged = RelationshipMerged(customer_id="C1", into_customer_id="C2", merged_on=on("1994-05-01"))
merge = MergeRelationship(customer_id="C1", into_customer_id="C2", merged_on=on("1994-05-01"))
forgotten = RelationshipForgotten(customer_id="C1", forgotten_on=on("1996-01-01"), reason="asked")
forget = ForgetRelationship(customer_id="C1", forgotten_on=on("1996-01-01"), reason="asked")


def test_a_new_customer_is_opened() -> None:
    given().when(open_ada).then(ada)


def test_the_ledgers_own_key_is_no_customer() -> None:
    command = replace(open_ada, customer_id="ledger")
    given().when(command).then_refused(ReservedIdError, "customer_id")


def test_a_row_that_says_what_is_known_changes_nothing() -> None:
    given(ada).when(open_ada).then_nothing()


def test_a_row_with_another_profile_changes_the_profile_from_today() -> None:
    changed = ProfileChanged(
        customer_id="C1", changed_on=TODAY, name="Ada", segment="private", branch="D1", phone="555"
    )
    given(ada).when(replace(open_ada, segment="private")).then(changed)
    given(ada, changed).when(replace(open_ada, segment="private")).then_nothing()


def test_a_row_with_another_manager_assigns_the_manager_from_today() -> None:
    given(ada).when(replace(open_ada, manager="RM-9")).then(rows_nine)


def test_a_row_that_names_the_manager_of_the_row_before_leaves_the_owner_of_today() -> None:
    changed = ProfileChanged(
        customer_id="C1", changed_on=TODAY, name="Ada", segment="private", branch="D1", phone="555"
    )
    told_since = replace(rows_nine, manager="RM-3", told_by="command")
    left = ManagerReleased(
        customer_id="C1", manager="RM-1", role="owner", released_on=TODAY, reason="left"
    )
    row = replace(open_ada, segment="private")
    for history in ((ada, proposed, accepted), (ada, told_since), (ada, left)):
        given(*history).when(row).then(changed)
    given(ada, rows_nine, told_since).when(replace(row, manager="RM-9")).then(changed)
    given(ada, rows_nine, told_since).when(row).then(changed, replace(rows_nine, manager="RM-1"))


def test_a_row_that_names_another_manager_is_recorded_though_they_own_by_now() -> None:
    named = replace(rows_nine, manager="RM-2")
    given(ada, proposed, accepted).when(replace(open_ada, manager="RM-2")).then(named)
    third = replace(accepted, handover_id="H2", to_manager="RM-3")
    ledger = given(ada, proposed, accepted, named, third)
    ledger.when(replace(open_ada, manager="RM-2", phone="556")).then(
        ProfileChanged(
            customer_id="C1",
            changed_on=TODAY,
            name="Ada",
            segment="retail",
            branch="D1",
            phone="556",
        )
    )


def test_an_assignment_that_an_early_version_kept_counts_as_a_rows() -> None:
    early = replace(rows_nine, told_by=None)
    given(ada, early).when(replace(open_ada, manager="RM-9")).then_nothing()


def test_a_row_without_the_phone_takes_the_phone_away_and_can_assign_a_manager_too() -> None:
    given(ada).when(replace(open_ada, phone=None, manager="RM-9")).then(
        ProfileChanged(
            customer_id="C1", changed_on=TODAY, name="Ada", segment="retail", branch="D1"
        ),
        rows_nine,
    )


def test_the_kind_of_a_customer_never_changes() -> None:
    command = replace(open_ada, kind="enterprise")
    given(ada).when(command).then_refused(KeyConflictError, "kind")


def test_the_first_day_of_a_relationship_never_changes() -> None:
    command = replace(open_ada, opened_on=on("1993-01-04"))
    given(ada).when(command).then_refused(KeyConflictError, "opened_on")


def test_a_profile_is_changed_whole_from_today() -> None:
    command = ChangeProfile(
        customer_id="C1", name="Ada L.", segment="retail", branch="D1", today=TODAY
    )
    given(ada).when(command).then(
        ProfileChanged(
            customer_id="C1", changed_on=TODAY, name="Ada L.", segment="retail", branch="D1"
        )
    )


def test_the_same_profile_is_no_change() -> None:
    command = ChangeProfile(
        customer_id="C1", name="Ada", segment="retail", branch="D1", phone="555", today=TODAY
    )
    given(ada).when(command).then_nothing()


def owns(*history: Event, manager: str, day: str) -> None:
    """Expect that a handover to the manager is refused: they own the relationship by then."""
    propose = ProposeHandover(
        customer_id="C1", handover_id="H9", to_manager=manager, proposed_on=on(day)
    )
    given(*history).when(propose).then_refused(HandoverToOwnerError, "to_manager")


def test_the_owner_of_a_day_is_the_one_assigned_latest_up_to_it() -> None:
    later = ManagerAssigned(
        customer_id="C1", manager="RM-3", role="owner", assigned_on=on("1994-05-01")
    )
    told_late = replace(later, manager="RM-2", assigned_on=on("1994-04-01"))
    for manager, day in (("RM-1", "1994-03-31"), ("RM-2", "1994-04-30"), ("RM-3", "1994-06-01")):
        owns(ada, later, told_late, manager=manager, day=day)


def test_a_second_manager_maintains_jointly_once() -> None:
    joint = ManagerAssigned(customer_id="C1", manager="RM-2", role="joint", assigned_on=TODAY)
    command = AssignManager(customer_id="C1", manager="RM-2", role="joint", assigned_on=TODAY)
    given(ada).when(command).then(joint)
    given(ada, joint).when(command).then_nothing()


def test_a_handover_is_proposed_in_the_owners_name() -> None:
    command = ProposeHandover(
        customer_id="C1", handover_id="H1", to_manager="RM-2", proposed_on=on("1994-02-01")
    )
    given(ada).when(command).then(proposed)
    given(ada, proposed).when(command).then_refused(KeyConflictError, "handover_id")
    given(ada).when(replace(command, to_manager="RM-1")).then_refused(
        HandoverToOwnerError, "to_manager"
    )


def test_an_accepted_handover_makes_a_new_owner() -> None:
    given(ada, proposed).when(accept).then(accepted)
    owns(ada, proposed, accepted, manager="RM-2", day="1994-02-03")


def test_a_declined_handover_leaves_the_owner() -> None:
    given(ada, proposed).when(decline).then(declined)
    owns(ada, proposed, declined, manager="RM-1", day="1994-02-03")


@pytest.mark.parametrize("command", [accept, decline])
def test_a_handover_that_was_not_proposed_has_no_answer(command: RelationshipCommand) -> None:
    given(ada).when(command).then_refused(UnknownHandoverError, "handover_id")


@pytest.mark.parametrize("answer", [accepted, declined])
@pytest.mark.parametrize("command", [accept, decline])
def test_a_handover_is_answered_once(
    command: RelationshipCommand, answer: HandoverAccepted | HandoverDeclined
) -> None:
    given(ada, proposed, answer).when(command).then_refused(HandoverDecidedError, "handover_id")


def test_a_handover_is_not_answered_before_it_was_proposed() -> None:
    given(ada, proposed).when(replace(accept, accepted_on=on("1994-01-31"))).then_refused(
        DatesOutOfOrderError, "accepted_on"
    )
    given(ada, proposed).when(replace(decline, declined_on=on("1994-01-31"))).then_refused(
        DatesOutOfOrderError, "declined_on"
    )


def test_a_tier_is_assigned_until_its_review() -> None:
    command = AssignTier(customer_id="C1", tier="gold", assigned_on=on("1994-01-01"))
    given(ada).when(command).then(gold)
    given(ada, gold).when(command).then_nothing()
    given(ada, gold).when(replace(command, review_on=TODAY)).then(replace(gold, review_on=TODAY))
    given(ada).when(replace(command, review_on=on("1993-12-31"))).then_refused(
        DatesOutOfOrderError, "review_on"
    )


def test_the_same_tier_is_assigned_anew_on_another_day_or_after_another_one() -> None:
    command = AssignTier(customer_id="C1", tier="gold", assigned_on=on("1994-01-01"))
    given(ada, gold).when(replace(command, assigned_on=TODAY)).then(
        replace(gold, assigned_on=TODAY)
    )
    given(ada, gold, replace(gold, tier="silver")).when(command).then(gold)


def test_consent_is_given_and_withdrawn_for_one_purpose() -> None:
    given(ada).when(consent).then(consented)
    given(ada, consented).when(consent).then_nothing()
    given(ada, consented).when(withdraw).then(withdrawn)
    given(ada, consented, withdrawn).when(withdraw).then_nothing()
    again = replace(consent, given_on=TODAY)
    given(ada, consented, withdrawn).when(again).then(replace(consented, given_on=TODAY))
    other = replace(consent, purpose="profiling")
    given(ada, consented).when(other).then(replace(consented, purpose="profiling"))


def test_a_consent_that_holds_already_is_recorded_for_another_day() -> None:
    """Of a day between the two, a withdrawal may yet be told."""
    later = replace(consent, given_on=on("1994-02-01"))
    given(ada, consented).when(later).then(replace(consented, given_on=on("1994-02-01")))
    before = replace(withdraw, withdrawn_on=on("1994-02-01"))
    given(ada, consented, withdrawn).when(before).then(
        replace(withdrawn, withdrawn_on=on("1994-02-01"))
    )


def test_a_withdrawal_is_recorded_though_no_consent_is_known() -> None:
    given(ada).when(withdraw).then(withdrawn)


def test_a_relationship_is_merged_into_one_that_lives_on() -> None:
    given(ada, opened("C2")).when(merge).then(merged)
    given(ada, opened("C2"), merged).when(merge).then_nothing()
    given(ada, opened("C2"), closed).when(merge).then(merged)


def test_a_relationship_is_merged_once() -> None:
    ledger = given(ada, opened("C2"), opened("C3"), merged)
    command = replace(merge, into_customer_id="C3")
    ledger.when(command).then_refused(RelationshipEndedError, "customer_id")


def test_a_relationship_is_merged_into_another_known_one_that_was_not_merged() -> None:
    given(ada).when(merge).then_refused(UnknownCustomerError, "into_customer_id")
    given(ada).when(replace(merge, into_customer_id="C1")).then_refused(
        MergeTargetError, "into_customer_id"
    )
    back = replace(merge, customer_id="C2", into_customer_id="C1")
    given(ada, opened("C2"), merged).when(back).then_refused(MergeTargetError, "into_customer_id")
    early = replace(merge, merged_on=on("1990-01-01"))
    given(ada, opened("C2")).when(early).then_refused(DatesOutOfOrderError, "merged_on")


def test_a_relationship_is_closed_once() -> None:
    given(ada).when(close).then(closed)
    given(ada, closed).when(close).then_nothing()
    given(ada, closed).when(replace(close, closed_on=TODAY)).then_refused(
        RelationshipEndedError, "customer_id"
    )
    given(ada, opened("C2"), merged).when(close).then_refused(
        RelationshipEndedError, "customer_id"
    )
    given(ada).when(replace(close, closed_on=on("1990-01-01"))).then_refused(
        DatesOutOfOrderError, "closed_on"
    )


@pytest.mark.parametrize("ending", [closed, merged])
def test_what_is_told_about_an_ended_relationship_is_recorded_under_its_own_id(
    ending: RelationshipClosed | RelationshipMerged,
) -> None:
    given(ada, opened("C2"), ending).when(consent).then(consented)


def test_a_customer_is_forgotten_once() -> None:
    given(ada).when(forget).then(forgotten)
    given(ada, forgotten).when(forget).then_nothing()
    given().when(forget).then_refused(UnknownCustomerError, "customer_id")


@pytest.mark.parametrize("command", [open_ada, consent, close, accept])
def test_nothing_is_recorded_about_a_forgotten_customer(command: RelationshipCommand) -> None:
    given(ada, proposed, forgotten).when(command).then_refused(
        CustomerForgottenError, "customer_id"
    )


def test_nobody_is_merged_into_a_forgotten_customer() -> None:
    back = replace(merge, customer_id="C2", into_customer_id="C1")
    given(ada, opened("C2"), forgotten).when(back).then_refused(
        CustomerForgottenError, "into_customer_id"
    )


@pytest.mark.parametrize(
    "command",
    [
        ChangeProfile(customer_id="C1", name="Ada", segment="r", branch="D1", today=TODAY),
        AssignManager(customer_id="C1", manager="RM-2", role="owner", assigned_on=TODAY),
        ProposeHandover(customer_id="C1", handover_id="H", to_manager="R", proposed_on=TODAY),
        accept,
        decline,
        AssignTier(customer_id="C1", tier="gold", assigned_on=TODAY),
        consent,
        withdraw,
        merge,
        close,
    ],
    ids=lambda command: type(command).__name__,
)
def test_an_unknown_customer_is_refused(command: RelationshipCommand) -> None:
    given(opened("C2")).when(command).then_refused(UnknownCustomerError, "customer_id")
