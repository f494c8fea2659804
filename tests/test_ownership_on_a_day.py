"""Who looks after whom on a day: decisions and views say the same, however late it was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import TYPE_CHECKING

from hypothesis import given as at_random
from hypothesis import settings
from hypothesis import strategies as st

from domain.errors import HandoverToOwnerError, NotItsManagerError
from domain.ownership import Assignment, owner_changes
from domain.ownership_rules import AssignManager, ProposeHandover, ReleaseManager
from domain.relationship import (
    Customer,
    HandoverAccepted,
    HandoverProposed,
    ManagerAssigned,
    ManagerReleased,
)
from infra.rules.reading import agenda_rules
from projections import facts
from projections.book import Book, joint_at, owner_at
from projections.contact_agenda import agenda_rows
from projections.ownership import periods
from tests.spec import MemoryWorld, given, opened
from tests.test_folding import row_after

if TYPE_CHECKING:
    from domain.relationship import RelationshipEvent

OPENED_ON = date(2024, 6, 1)
BEGAN = opened("C1", OPENED_ON.isoformat())
FIRST = BEGAN.manager
LAST_DAY = 6


def on(number: int) -> date:
    """Return the day that many days after the opening."""
    return OPENED_ON + timedelta(number)


def assigned(manager: str, number: int) -> ManagerAssigned:
    return ManagerAssigned(customer_id="C1", manager=manager, role="owner", assigned_on=on(number))


def released(manager: str, number: int) -> ManagerReleased:
    return ManagerReleased(
        customer_id="C1", manager=manager, role="owner", released_on=on(number), reason="left"
    )


def told(*events: RelationshipEvent) -> facts.Customer:
    """Return the relationship as the views know it."""
    row = row_after(BEGAN, *events)
    assert isinstance(row, facts.Customer)
    return row


def owners(*events: RelationshipEvent) -> list[tuple[int, str | None]]:
    """Return the periods of owners, and of nobody, by the number of the day they begin on."""
    found = periods("C1", told(*events), on(400))
    return [
        ((row.since - OPENED_ON).days, row.manager)
        for row in found
        if row.role in {"owner", "unowned"}
    ]


def test_a_release_ends_the_part_of_who_has_it_that_day_and_of_nobody_else() -> None:
    late = (released(FIRST, 300), assigned("RM-2", 100))
    assert owners(*late) == [(0, FIRST), (100, "RM-2")]
    given(BEGAN, late[1]).when(
        ReleaseManager(
            customer_id="C1", manager=FIRST, role="owner", released_on=on(300), reason="left"
        )
    ).then_refused(NotItsManagerError, "manager")


def test_a_release_ends_nothing_where_a_handover_was_accepted_before_it() -> None:
    accepted = HandoverAccepted(
        customer_id="C1", handover_id="H1", to_manager="RM-2", accepted_on=on(100)
    )
    assert owners(released(FIRST, 300), accepted) == [(0, FIRST), (100, "RM-2")]


def test_what_is_told_of_different_days_is_told_in_any_order() -> None:
    each: tuple[RelationshipEvent, ...] = (
        released(FIRST, 10),
        assigned("RM-2", 20),
        assigned("RM-3", 5),
        released("RM-2", 30),
    )
    found = {tuple(owners(*order)) for order in permutations(each)}
    assert found == {((0, FIRST), (5, "RM-3"), (20, "RM-2"), (30, None))}


def test_nobody_owns_since_the_first_of_two_releases() -> None:
    twice = told(released(FIRST, 30), released(FIRST, 12))
    book = Book.from_rows([(("C1", "customer", ""), twice)])
    found = [row for row in agenda_rows(book, on(60), agenda_rules()) if row.reason == "no_owner"]
    assert [row.due_on for row in found] == [on(12)]


def test_what_is_dated_before_the_opening_counts_from_the_first_day() -> None:
    early = assigned("RM-2", -31)
    assert owners(early) == [(0, "RM-2")]
    assert owners(released(FIRST, -31)) == [(0, None)]
    propose = ProposeHandover(
        customer_id="C1", handover_id="H1", to_manager="RM-2", proposed_on=on(30)
    )
    given(BEGAN, early).when(propose).then_refused(HandoverToOwnerError, "to_manager")
    back = ProposeHandover(
        customer_id="C1", handover_id="H1", to_manager=FIRST, proposed_on=on(30)
    )
    given(BEGAN, early).when(back).then(
        HandoverProposed(
            customer_id="C1",
            handover_id="H1",
            from_manager="RM-2",
            to_manager=FIRST,
            proposed_on=on(30),
        )
    )


def test_what_is_dated_before_the_opening_stands_in_the_order_of_its_days() -> None:
    taken = HandoverAccepted(
        customer_id="C1", handover_id="H1", to_manager="RM-2", accepted_on=on(-30)
    )
    changes: tuple[RelationshipEvent, ...] = (assigned("RM-2", -30), taken)
    for later in changes:
        assert owners(later, assigned("RM-3", -60)) == [(0, "RM-2")]
        assert owners(assigned("RM-3", -60), later) == [(0, "RM-2")]
    left: tuple[RelationshipEvent, ...] = (
        assigned("RM-3", -20),
        assigned("RM-2", -60),
        released("RM-2", -30),
    )
    for each in permutations(left):
        assert owners(*each) == [(0, "RM-3")]


def test_the_first_owner_told_of_a_day_before_the_opening_is_recorded() -> None:
    first, before = assigned(FIRST, -10), assigned("RM-2", -20)
    given(BEGAN).when(assigning(first)).then(first)
    given(BEGAN, first).when(assigning(first)).then_nothing()
    given(BEGAN, first).when(assigning(before)).then(before)
    assert owners(first, before) == owners(before, first) == [(0, FIRST)]


def test_an_owner_told_again_owns_since_the_first_time() -> None:
    again = [Assignment(on(n), FIRST, "owner") for n in (0, 9, 4)]
    assert owner_changes(again) == [(on(0), FIRST)]


def assigning(event: ManagerAssigned) -> AssignManager:
    """Return the command that tells it."""
    return AssignManager(
        customer_id="C1", manager=event.manager, role=event.role, assigned_on=event.assigned_on
    )


def test_an_assignment_is_recorded_though_the_manager_owns_by_what_was_told_so_far() -> None:
    again, between = assigned(FIRST, 20), assigned("RM-2", 10)
    given(BEGAN).when(assigning(again)).then(again)
    given(BEGAN, again).when(assigning(between)).then(between)
    assert owners(again, between) == owners(between, again)
    assert owners(again, between) == [(0, FIRST), (10, "RM-2"), (20, FIRST)]


def test_who_helps_is_told_again_of_a_later_day_and_helps_from_then_on() -> None:
    first, again = (replace(assigned("RM-2", n), role="joint") for n in (10, 60))
    given(BEGAN, first).when(assigning(again)).then(again)
    left = replace(released("RM-2", 30), role="joint")
    found = [joint_at(told(first, again, left), on(n)) for n in (10, 30, 60)]
    assert found == [("RM-2",), (), ("RM-2",)]


def test_an_assignment_that_was_told_last_of_its_day_is_no_news() -> None:
    other = assigned("RM-2", 5)
    given(BEGAN, other).when(assigning(assigned(FIRST, 0))).then_nothing()
    given(BEGAN, other).when(assigning(other)).then_nothing()
    third = assigned("RM-3", 5)
    given(BEGAN, other, third).when(assigning(other)).then(other)
    left = released("RM-2", 5)
    given(BEGAN, other, left).when(assigning(other)).then(other)


numbers = st.integers(-2, LAST_DAY)
managers = st.sampled_from([FIRST, "RM-2", "RM-3"])
roles = st.sampled_from(["owner", "joint"])
changes = st.one_of(
    st.builds(
        ManagerAssigned,
        customer_id=st.just("C1"),
        manager=managers,
        role=roles,
        assigned_on=numbers.map(on),
    ),
    st.builds(
        ManagerReleased,
        customer_id=st.just("C1"),
        manager=managers,
        role=roles,
        released_on=numbers.map(on),
        reason=st.just("left"),
    ),
    st.builds(
        HandoverAccepted,
        customer_id=st.just("C1"),
        handover_id=st.just("H1"),
        to_manager=managers,
        accepted_on=numbers.map(on),
    ),
)


def lived(events: list[RelationshipEvent], until: date) -> tuple[str | None, set[str]]:
    """Return the owner and the helpers of a day, lived through day by day as a person would."""
    owner: str | None = FIRST
    helpers: set[str] = set()
    in_order = sorted(events, key=day_of)
    for day in (on(number) for number in range((until - OPENED_ON).days + 1)):
        for event in in_order:
            match event:
                case ManagerAssigned(role="owner", assigned_on=its) if counts(its, day):
                    owner = event.manager
                case ManagerAssigned(assigned_on=its) if counts(its, day):
                    helpers.add(event.manager)
                case ManagerReleased(role="owner", released_on=its) if counts(its, day):
                    owner = None if owner == event.manager else owner
                case ManagerReleased(released_on=its) if counts(its, day):
                    helpers.discard(event.manager)
                case HandoverAccepted(accepted_on=its) if counts(its, day):
                    owner = event.to_manager
                case _:
                    pass
    return owner, helpers


def day_of(event: RelationshipEvent) -> date:
    match event:
        case ManagerAssigned():
            return event.assigned_on
        case ManagerReleased():
            return event.released_on
        case HandoverAccepted():
            return event.accepted_on
        case _:
            raise AssertionError(event)


def counts(its: date, day: date) -> bool:
    return max(its, OPENED_ON) == day


@settings(max_examples=200)
@at_random(st.lists(changes, max_size=6))
def test_decisions_and_views_know_the_same_managers_on_every_day(
    events: list[RelationshipEvent],
) -> None:
    customer = MemoryWorld([BEGAN, *events]).relationship("C1")
    assert isinstance(customer, Customer)
    for day in map(on, range(LAST_DAY + 1)):
        owner, helpers = lived(events, day)
        assert customer.owner_on(day) == owner_at(told(*events), day) == owner
        helping = {who for who in (FIRST, "RM-2", "RM-3") if customer.is_joint_on(who, day)}
        assert helping == helpers
        assert joint_at(told(*events), day) == tuple(sorted(helpers - {owner}))
    assert customer.owner_on(on(-9)) == customer.owner_on(OPENED_ON)
