"""Dealings beside loans and deposits: gifts, payments, products sold, where business is settled.

They are recorded as they happened, lawful or not; it is for a finding to flag them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import checks
from domain.errors import PartOverWholeError
from domain.loan_rules import known_loan
from domain.telling import told
from domain.values import Minor, money

if TYPE_CHECKING:
    from domain.world import World

GiftBasis: TypeAlias = Literal["courtesy", "deposits", "loan", "referral", "other"]
PayeeRole: TypeAlias = Literal["counterparty", "counterparty_staff", "intermediary", "other"]
Booked: TypeAlias = Literal["yes", "no"]
Product: TypeAlias = Literal[
    "deposit",
    "loan",
    "discount",
    "trust",
    "insurance",
    "fund",
    "subordinated_debt",
    "underwriting",
    "exclusivity",
    "other",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftGiven:
    """The bank gave the customer something of value; `basis` says what it was measured by."""

    customer_id: str
    gift_id: str
    given_on: date
    basis: GiftBasis
    amount: Minor
    currency: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMade:
    """The bank paid a third party over the customer's business; `booked`: openly, in the books."""

    customer_id: str
    payment_id: str
    paid_on: date
    payee_role: PayeeRole
    booked: Booked
    amount: Minor
    currency: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSold:
    """The customer took a product; `loan_id` names the loan that it was a condition of."""

    customer_id: str
    sale_id: str
    sold_on: date
    product: Product
    monthly_payment: Minor
    currency: str
    loan_id: str | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementSeen:
    """How much of what the customer settles in a period goes through the bank (主要流水归行).

    `total` is what the statements of all banks show, `through_us` our part; both days included.
    """

    customer_id: str
    settlement_id: str
    seen_on: date
    from_on: date
    to_on: date
    currency: str
    total: Minor
    through_us: Minor
    by: str


DealingEvent: TypeAlias = GiftGiven | PaymentMade | ProductSold | SettlementSeen

# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordGift:
    """Record that the customer was given something of value."""

    gift_id: str
    customer_id: str
    given_on: date
    basis: GiftBasis
    amount: Minor
    currency: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment:
    """Record that a third party was paid over the customer's business."""

    payment_id: str
    customer_id: str
    paid_on: date
    payee_role: PayeeRole
    booked: Booked
    amount: Minor
    currency: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProductSale:
    """Record that the customer took a product, perhaps as a condition of a loan."""

    sale_id: str
    customer_id: str
    sold_on: date
    product: Product
    monthly_payment: Minor
    currency: str
    loan_id: str | None = None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettlement:
    """Record how much of a period's flows, by the statements seen, goes through the bank."""

    settlement_id: str
    customer_id: str
    seen_on: date
    from_on: date
    to_on: date
    currency: str
    total: Minor
    through_us: Minor
    by: str


DealingCommand: TypeAlias = RecordGift | RecordPayment | RecordProductSale | RecordSettlement


def decide(command: DealingCommand, world: World) -> tuple[DealingEvent, ...]:
    """Return the event a dealing causes, or raise the rule it breaks: only what has no meaning."""
    checks.known_customer(world, command.customer_id)
    checks.currency(command.currency)
    match command:
        case RecordGift():
            checks.positive("amount", command.amount, command.currency)
            return (told(GiftGiven, command),)
        case RecordPayment():
            checks.positive("amount", command.amount, command.currency)
            return (told(PaymentMade, command),)
        case RecordProductSale():
            checks.not_negative("monthly_payment", command.monthly_payment, command.currency)
            if command.loan_id is not None:
                known_loan(command.loan_id, world)
            return (told(ProductSold, command),)
        case RecordSettlement():
            checks.in_order("to_on", command.to_on, "from_on", command.from_on)
            checks.in_order("seen_on", command.seen_on, "to_on", command.to_on)
            checks.positive("total", command.total, command.currency)
            checks.not_negative("through_us", command.through_us, command.currency)
            if command.through_us > command.total:
                part, whole = (
                    money(each, command.currency) for each in (command.through_us, command.total)
                )
                raise PartOverWholeError("through_us", part, f"total is {whole}")
            return (told(SettlementSeen, command),)
