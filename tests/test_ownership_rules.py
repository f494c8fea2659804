from __future__ import annotations

from dataclasses import replace

from domain.errors import NobodyOwnsError, NotItsManagerError
from domain.ownership_rules import AssignManager, ProposeHandover, ReleaseManager
from domain.relationship import (
    ManagerAssigned,
    ManagerReleased,
    RelationshipClosed,
    RelationshipMerged,
)
from tests.spec import given, on, opened

ada = opened("C1", "1993-01-03")
owner = ada.manager
joint = ManagerAssigned(
    customer_id="C1", manager="RM-2", role="joint", assigned_on=on("1994-01-01")
)
leave = ReleaseManager(
    customer_id="C1", manager="RM-2", role="joint", released_on=on("1994-03-01"), reason="moved"
)
left = ManagerReleased(
    customer_id="C1", manager="RM-2", role="joint", released_on=on("1994-03-01"), reason="moved"
)
orphan = replace(leave, manager=owner, role="owner")
orphaned = replace(left, manager=owner, role="owner")


def test_joint_maintenance_ends_and_may_begin_again() -> None:
    again = AssignManager(
        customer_id="C1", manager="RM-2", role="joint", assigned_on=on("1994-04-01")
    )
    given(ada, joint).when(leave).then(left)
    given(ada, joint, left).when(again).then(replace(joint, assigned_on=on("1994-04-01")))


def test_an_owner_who_leaves_leaves_the_relationship_to_nobody() -> None:
    given(ada).when(orphan).then(orphaned)
    propose = ProposeHandover(
        customer_id="C1", handover_id="H1", to_manager="RM-3", proposed_on=on("1994-03-01")
    )
    given(ada, orphaned).when(propose).then_refused(NobodyOwnsError, "proposed_on")


def test_only_who_has_the_role_that_day_is_released_from_it() -> None:
    for command in (
        replace(leave, released_on=on("1993-12-31")),
        replace(leave, manager="RM-3"),
        replace(leave, role="owner"),
        replace(orphan, role="joint"),
    ):
        given(ada, joint).when(command).then_refused(NotItsManagerError, "manager")
    given(ada, joint, left).when(leave).then_refused(NotItsManagerError, "manager")


def test_nobody_has_a_relationship_from_the_day_of_its_end_on() -> None:
    closed = RelationshipClosed(customer_id="C1", closed_on=on("1994-03-01"), reason="left")
    merged = RelationshipMerged(
        customer_id="C1", into_customer_id="C2", merged_on=on("1994-03-01")
    )
    propose = ProposeHandover(
        customer_id="C1", handover_id="H1", to_manager="RM-3", proposed_on=on("1994-03-01")
    )
    for ending in (closed, merged):
        over = given(ada, joint, opened("C2"), ending)
        over.when(propose).then_refused(NobodyOwnsError, "proposed_on")
        for release, released in ((leave, left), (orphan, orphaned)):
            over.when(release).then_refused(NotItsManagerError, "manager")
            before = on("1994-02-28")
            over.when(replace(release, released_on=before)).then(
                replace(released, released_on=before)
            )


def test_an_owner_can_be_assigned_where_nobody_owned() -> None:
    assign = AssignManager(
        customer_id="C1", manager=owner, role="owner", assigned_on=on("1994-03-05")
    )
    assigned = ManagerAssigned(
        customer_id="C1", manager=owner, role="owner", assigned_on=on("1994-03-05")
    )
    given(ada, orphaned).when(assign).then(assigned)
