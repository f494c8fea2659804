from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.contact import (
    ComplaintRecorded,
    ContactCommand,
    ContactCorrected,
    ContactRecorded,
    CrossCheckRecorded,
    EquityChecked,
    FollowUpPromised,
    PromiseFollowUp,
    RecordComplaint,
    RecordContact,
    RecordCrossCheck,
    RecordEquityCheck,
)
from domain.errors import (
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    NegativeError,
    TooFewItemsError,
    TooLargeError,
    UnknownCustomerError,
)
from domain.relationship import RelationshipForgotten
from tests.spec import given, on, opened

DAY = on("1994-03-01")
ada = opened("C1")
forgotten = RelationshipForgotten(customer_id="C1", forgotten_on=DAY, reason="asked")
visited = ContactRecorded(
    customer_id="C1",
    contact_id="V1",
    happened_at=762_519_600_000_000,
    happened_on=DAY,
    channel="visit",
    direction="outbound",
    purpose="review",
    outcome="interested",
    duration_seconds=1_800,
    by="RM-1",
    note="wants a loan",
)
record = RecordContact(
    customer_id="C1",
    contact_id="V1",
    happened_at=762_519_600_000_000,
    happened_on=DAY,
    channel="visit",
    direction="outbound",
    purpose="review",
    outcome="interested",
    duration_seconds=1_800,
    by="RM-1",
    note="wants a loan",
)
corrected = ContactCorrected(
    customer_id="C1",
    contact_id="V1",
    happened_at=762_519_600_000_000,
    happened_on=DAY,
    channel="phone",
    direction="outbound",
    purpose="review",
    outcome="interested",
    duration_seconds=1_800,
    by="RM-1",
)
promise = PromiseFollowUp(
    customer_id="C1",
    follow_up_id="F1",
    promised_on=DAY,
    follow_up_on=on("1994-03-08"),
    purpose="offer",
    by="RM-1",
)
promised = FollowUpPromised(
    customer_id="C1",
    follow_up_id="F1",
    promised_on=DAY,
    follow_up_on=on("1994-03-08"),
    purpose="offer",
    by="RM-1",
)
check = RecordCrossCheck(
    customer_id="C1",
    cross_check_id="X1",
    checked_on=DAY,
    inference="turnover of 2 million",
    items=("power bill", "tax return"),
    by="RM-1",
)
checked = CrossCheckRecorded(
    customer_id="C1",
    cross_check_id="X1",
    checked_on=DAY,
    inference="turnover of 2 million",
    items=("power bill", "tax return"),
    by="RM-1",
)
complain = RecordComplaint(
    customer_id="C1", complaint_id="P1", complained_on=DAY, subject="fee", by="RM-1", note="angry"
)
complained = ComplaintRecorded(
    customer_id="C1", complaint_id="P1", complained_on=DAY, subject="fee", by="RM-1", note="angry"
)
equity = RecordEquityCheck(
    customer_id="C1",
    equity_check_id="E1",
    checked_on=DAY,
    since=on("1993-01-01"),
    currency="CZK",
    opening_equity=1_000,
    profit=-50,
    drawings=300,
    injections=20,
    revaluation=7,
    depreciation=40,
    equity_now=600,
    by="RM-1",
)
equity_checked = EquityChecked(
    customer_id="C1",
    equity_check_id="E1",
    checked_on=DAY,
    since=on("1993-01-01"),
    currency="CZK",
    opening_equity=1_000,
    profit=-50,
    drawings=300,
    injections=20,
    revaluation=7,
    depreciation=40,
    equity_now=600,
    by="RM-1",
)
COMMANDS: list[ContactCommand] = [record, promise, check, equity, complain]


def test_a_contact_is_recorded() -> None:
    given(ada).when(record).then(visited)


def test_a_contact_told_otherwise_is_corrected_whole() -> None:
    given(ada, visited).when(replace(record, channel="phone", note=None)).then(corrected)


def test_the_same_contact_is_no_correction() -> None:
    given(ada, visited).when(record).then_nothing()


def test_a_correction_can_be_taken_back() -> None:
    back = replace(corrected, channel="visit", note="wants a loan")
    given(ada, visited, corrected).when(record).then(back)


def test_a_contact_does_not_move_to_another_customer() -> None:
    command = replace(record, customer_id="C2")
    given(ada, opened("C2"), visited).when(command).then_refused(KeyConflictError, "contact_id")


def test_a_contact_cannot_last_less_than_nothing() -> None:
    command = replace(record, duration_seconds=-1)
    given(ada).when(command).then_refused(NegativeError, "duration_seconds")
    command = replace(record, duration_seconds=2**63)
    given(ada).when(command).then_refused(TooLargeError, "duration_seconds")


def test_a_contact_before_the_relationship_began_is_recorded() -> None:
    early = on("1990-01-01")
    given(ada).when(replace(record, happened_on=early)).then(replace(visited, happened_on=early))


def test_a_contact_looks_at_its_own_stream_alone() -> None:
    given(ada).when(record).then_looks_at("contact-V1")


def test_what_is_promised_in_a_contact_lies_on_its_day_or_later() -> None:
    early, same_day = on("1994-02-28"), replace(record, follow_up_on=DAY)
    given(ada).when(same_day).then(replace(visited, follow_up_on=DAY))
    for history in ((ada,), (ada, visited)):
        refused = given(*history).when(replace(record, follow_up_on=early))
        error = refused.then_refused(DatesOutOfOrderError, "follow_up_on")
        assert "before happened_at 1994-03-01" in str(error)


def test_a_follow_up_is_promised_for_a_later_day() -> None:
    given(ada).when(promise).then(promised)
    given(ada).when(replace(promise, follow_up_on=on("1994-02-28"))).then_refused(
        DatesOutOfOrderError, "follow_up_on"
    )


def test_a_cross_check_is_recorded() -> None:
    given(ada).when(check).then(checked)


def test_a_complaint_is_recorded() -> None:
    given(ada).when(complain).then(complained)


@pytest.mark.parametrize(
    ("command", "event", "field"),
    [
        (promise, promised, "follow_up_id"),
        (equity, equity_checked, "equity_check_id"),
        (check, checked, "cross_check_id"),
        (complain, complained, "complaint_id"),
    ],
)
def test_an_id_stands_for_one_thing(
    command: ContactCommand,
    event: FollowUpPromised | CrossCheckRecorded | EquityChecked | ComplaintRecorded,
    field: str,
) -> None:
    given(ada, event).when(replace(command, by="RM-2")).then_refused(KeyConflictError, field)


def test_an_inference_stands_on_at_least_two_different_hard_items() -> None:
    for items in ((), ("bill A",), ("bill A", "bill A"), ("bill A", "BILLA")):
        given(ada).when(replace(check, items=items)).then_refused(TooFewItemsError, "items")


def test_an_equity_check_expects_what_came_and_went() -> None:
    given(ada).when(equity).then(equity_checked)
    assert equity_checked.expected == 1_000 - 50 - 300 + 20 + 7 - 40


@pytest.mark.parametrize("name", ["drawings", "injections", "depreciation"])
def test_only_equity_profit_and_revaluation_may_be_negative(name: str) -> None:
    changed: dict[str, Any] = {name: -1}
    given(ada).when(replace(equity, **changed)).then_refused(NegativeError, name)


@pytest.mark.parametrize("name", ["opening_equity", "profit", "revaluation", "equity_now"])
def test_equity_adds_up_in_64_bits(name: str) -> None:
    changed: dict[str, Any] = {name: -(10**16)}
    given(ada).when(replace(equity, **changed)).then_refused(TooLargeError, name)


def test_equity_is_not_checked_before_it_began() -> None:
    late = replace(equity, since=on("1994-03-02"))
    given(ada).when(late).then_refused(DatesOutOfOrderError, "checked_on")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_customer_is_refused(command: ContactCommand) -> None:
    given().when(command).then_refused(UnknownCustomerError, "customer_id")


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_recorded_about_a_forgotten_customer(command: ContactCommand) -> None:
    given(ada, forgotten).when(command).then_refused(CustomerForgottenError, "customer_id")
