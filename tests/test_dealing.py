from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.dealing import (
    DealingCommand,
    DealingEvent,
    GiftGiven,
    PaymentMade,
    ProductSold,
    RecordGift,
    RecordPayment,
    RecordProductSale,
    RecordSettlement,
    SettlementSeen,
)
from domain.errors import (
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    MalformedCurrencyError,
    NegativeError,
    NotPositiveError,
    PartOverWholeError,
    TooLargeError,
    UnknownCustomerError,
    UnknownLoanError,
)
from domain.relationship import RelationshipForgotten
from tests.spec import given, on, opened
from tests.test_loan import approved

DAY = on("1994-03-01")
ada = opened("C1")
forgotten = RelationshipForgotten(customer_id="C1", forgotten_on=DAY, reason="asked")
gift = RecordGift(
    gift_id="G1",
    customer_id="C1",
    given_on=DAY,
    basis="deposits",
    amount=20_000,
    currency="CZK",
    by="RM-1",
)
given_away = GiftGiven(
    customer_id="C1",
    gift_id="G1",
    given_on=DAY,
    basis="deposits",
    amount=20_000,
    currency="CZK",
    by="RM-1",
)
pay = RecordPayment(
    payment_id="P1",
    customer_id="C1",
    paid_on=DAY,
    payee_role="counterparty_staff",
    booked="no",
    amount=5_000,
    currency="CZK",
    by="RM-1",
)
paid = PaymentMade(
    customer_id="C1",
    payment_id="P1",
    paid_on=DAY,
    payee_role="counterparty_staff",
    booked="no",
    amount=5_000,
    currency="CZK",
    by="RM-1",
)
sell = RecordProductSale(
    sale_id="S1",
    customer_id="C1",
    sold_on=DAY,
    product="insurance",
    monthly_payment=0,
    currency="CZK",
    loan_id="L1",
    by="RM-1",
)
sold = ProductSold(
    customer_id="C1",
    sale_id="S1",
    sold_on=DAY,
    product="insurance",
    monthly_payment=0,
    currency="CZK",
    loan_id="L1",
    by="RM-1",
)
settle = RecordSettlement(
    settlement_id="F1",
    customer_id="C1",
    seen_on=DAY,
    from_on=DAY,
    to_on=DAY,
    currency="CZK",
    total=500,
    through_us=200,
    by="RM-1",
)
settled = SettlementSeen(
    customer_id="C1",
    settlement_id="F1",
    seen_on=DAY,
    from_on=DAY,
    to_on=DAY,
    currency="CZK",
    total=500,
    through_us=200,
    by="RM-1",
)
EACH: list[tuple[DealingCommand, DealingEvent]] = [
    (gift, given_away),
    (pay, paid),
    (sell, sold),
    (settle, settled),
]
COMMANDS = [command for command, _ in EACH]


@pytest.mark.parametrize(("command", "event"), EACH)
def test_a_dealing_is_recorded_lawful_or_not(command: DealingCommand, event: DealingEvent) -> None:
    given(ada, approved).when(command).then(event)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dealing_is_with_somebody_known(command: DealingCommand) -> None:
    given().when(command).then_refused(UnknownCustomerError, "customer_id")
    given(ada, approved, forgotten).when(command).then_refused(
        CustomerForgottenError, "customer_id"
    )


@pytest.mark.parametrize(("command", "event"), EACH)
def test_a_dealing_takes_no_correction(command: DealingCommand, event: DealingEvent) -> None:
    field = {
        RecordGift: "gift_id",
        RecordPayment: "payment_id",
        RecordProductSale: "sale_id",
        RecordSettlement: "settlement_id",
    }
    given(ada, approved, event).when(replace(command, by="RM-2")).then_refused(
        KeyConflictError, field[type(command)]
    )


def test_a_gift_and_a_payment_are_worth_something() -> None:
    given(ada).when(replace(gift, amount=0)).then_refused(NotPositiveError, "amount")
    given(ada).when(replace(pay, amount=-1)).then_refused(NotPositiveError, "amount")
    given(ada, approved).when(replace(sell, monthly_payment=-1)).then_refused(
        NegativeError, "monthly_payment"
    )


def test_what_goes_through_the_bank_is_a_part_of_a_periods_flows() -> None:
    given(ada).when(replace(settle, total=0)).then_refused(NotPositiveError, "total")
    given(ada).when(replace(settle, through_us=-1)).then_refused(NegativeError, "through_us")
    refused = given(ada).when(replace(settle, through_us=501))
    error = refused.then_refused(PartOverWholeError, "through_us")
    assert "larger than the whole (total is 5.00 CZK)" in str(error)
    given(ada).when(replace(settle, total=10**16, through_us=1)).then_refused(
        TooLargeError, "total"
    )
    before = DAY - timedelta(days=1)
    given(ada).when(replace(settle, to_on=before)).then_refused(DatesOutOfOrderError, "to_on")
    given(ada).when(replace(settle, seen_on=before)).then_refused(DatesOutOfOrderError, "seen_on")


def test_a_dealing_is_in_a_currency() -> None:
    given(ada).when(replace(gift, currency="Kč")).then_refused(MalformedCurrencyError, "currency")


def test_the_loan_that_a_product_was_a_condition_of_is_known() -> None:
    given(ada).when(sell).then_refused(UnknownLoanError, "loan_id")
    given(ada).when(replace(sell, loan_id=None)).then(replace(sold, loan_id=None))
