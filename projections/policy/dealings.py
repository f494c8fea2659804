"""Checks on dealings: threats, payments and gifts, products sold with a loan, personal data."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from domain.checks import folded
from domain.dealing import GiftBasis, PayeeRole, Product  # noqa: TC001 - packs are read by these
from domain.referral import Via  # noqa: TC001 - the same
from domain.values import money
from domain.windows import months_later
from projections.allowed import MonthsIfAny, PercentOver  # noqa: TC001 - the same
from projections.book import consents_at, profile_at
from projections.policy.loans import changes_of, draws_made
from projections.policy.rules import Check, Offence
from projections.referral_forest import standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.book import Book
    from projections.facts import Draw, Loan, Sale

# What the payee of a reward is in the words of the rules on payments.
_REWARDED: Mapping[str, PayeeRole] = {
    "counterparty_staff": "counterparty_staff",
    "partner": "intermediary",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The codes that say credit was threatened with; notes are sealed.

    They stand as a contact's purpose or outcome, or as the reason of a waiver or a changed rate.
    """

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payees:
    """Roles that may not be paid at all, and those that may be paid only in the books."""

    roles: tuple[PayeeRole, ...]
    unbooked_roles: tuple[PayeeRole, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftBases:
    """What a gift may not be measured by."""

    bases: tuple[GiftBasis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Products that may not be the condition of a loan; `exempt` ones may."""

    products: tuple[Product, ...]
    exempt: tuple[Product, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDraw:
    """A product sold within `months` before or after a draw, ends included, is deemed tied to it.

    Where the borrower is of one of the segments, and the monthly payment is above `percent` of
    the principal of a loan in its currency. Of `percent` 0 any payment is, also none, in any
    currency.
    """

    months: MonthsIfAny
    percent: PercentOver
    products: tuple[Product, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """Consents of which one must be in force when the bank contacts a referred person.

    The first contact without one offends, under the referral that stood on its day or ended last.
    One that the person made is left out.
    A person who does business with the bank is its customer by contract; enterprises and `exempt`
    ways of being brought are left out.
    """

    purposes: tuple[str, ...]
    exempt: tuple[Via, ...] = ()


def _threat(book: Book, told: Codes, as_of: date) -> Iterator[Offence]:
    codes = {folded(code) for code in told.codes}
    for customer_id, on, facts, words in _worded(book):
        coded = {folded(word) for word in words} & codes
        if coded and on <= as_of:
            yield Offence(customer_id, on, facts, f"coded {', '.join(sorted(coded))}")


def _worded(book: Book) -> Iterator[tuple[str, date, tuple[str, ...], tuple[str, ...]]]:
    """Yield what is told in codes: whose, when, the facts and the words."""
    for contact_id, (customer_id, contact) in book.contacts.items():
        words = contact.purpose, contact.outcome
        yield customer_id, contact.happened_on, (f"contact:{contact_id}",), words
    for commitment_id, (customer_id, commitment) in book.commitments.items():
        for waiver in commitment.waivers:
            facts = f"waiver:{waiver.waiver_id}", f"commitment:{commitment_id}"
            yield customer_id, waiver.told_on, facts, (waiver.reason,)
    for loan_id, (customer_id, loan) in book.loans.items():
        for rate in changes_of(loan):
            facts = f"rate:{loan_id}:{rate.since}", f"loan:{loan_id}"
            yield customer_id, rate.since, facts, (rate.reason,)


def _payment(book: Book, told: Payees, as_of: date) -> Iterator[Offence]:
    for payment_id, (customer_id, payment) in book.payments.items():
        unbooked = payment.payee_role in told.unbooked_roles and payment.booked == "no"
        if payment.paid_on <= as_of and (payment.payee_role in told.roles or unbooked):
            yield Offence(
                customer_id,
                payment.paid_on,
                (f"payment:{payment_id}",),
                f"{money(payment.amount, payment.currency)} paid to {payment.payee_role},"
                f" in the books: {payment.booked}",
            )
    for reward_id, (customer_id, reward) in book.rewards.items():
        role = _REWARDED.get(reward.payee_role, "other")
        unbooked = role in told.unbooked_roles and reward.booked == "no"
        if reward.paid_on and reward.paid_on <= as_of and (role in told.roles or unbooked):
            yield Offence(
                customer_id,
                reward.paid_on,
                (f"reward-paid:{reward_id}",),
                f"reward of {money(reward.paid, reward.currency)} paid to {reward.payee_id},"
                f" {reward.payee_role}, in the books: {reward.booked}",
            )


def _gift(book: Book, told: GiftBases, as_of: date) -> Iterator[Offence]:
    for gift_id, (customer_id, gift) in book.gifts.items():
        if gift.given_on <= as_of and gift.basis in told.bases:
            detail = f"{money(gift.amount, gift.currency)} given, measured by {gift.basis}"
            yield Offence(customer_id, gift.given_on, (f"gift:{gift_id}",), detail)
    for reward_id, (customer_id, reward) in book.rewards.items():
        if reward.accrued_on <= as_of and reward.basis in told.bases:
            measured = f"{money(reward.amount, reward.currency)}, measured by {reward.basis}"
            detail = f"reward of {measured}, accrued for {reward.payee_id}"
            yield Offence(customer_id, reward.accrued_on, (f"reward:{reward_id}",), detail)


def _condition(book: Book, told: Conditions, as_of: date) -> Iterator[Offence]:
    barred = set(told.products) - set(told.exempt)
    for sale_id, (customer_id, sale) in book.sales.items():
        if sale.sold_on <= as_of and sale.loan_id and sale.product in barred:
            yield Offence(
                customer_id,
                sale.sold_on,
                (f"sale:{sale_id}", f"loan:{sale.loan_id}"),
                f"{sale.product} was a condition of loan {sale.loan_id}",
            )


def _near_draw(book: Book, told: NearDraw, as_of: date) -> Iterator[Offence]:
    for sale_id, (customer_id, sale) in book.sales.items():
        segment = _segment(book, customer_id, sale.sold_on)
        if sale.product not in told.products or segment not in told.segments:
            continue
        for loan in _loans_beside(book, customer_id, sale, told.percent):
            for draw in draws_made(loan, as_of):
                on = max(sale.sold_on, draw.on)  # the tie is there once there are both
                if on <= as_of and _near(sale.sold_on, draw.on, told.months):
                    yield _deemed(customer_id, on, (sale_id, sale), (draw, loan))


def _loans_beside(book: Book, customer_id: str, sale: Sale, percent: int) -> Iterator[Loan]:
    for loan_id in book.loans_of.get(customer_id, ()):
        loan = book.loans[loan_id][1]
        above = 100 * sale.monthly_payment > percent * loan.principal
        if percent == 0 or (above and loan.currency == sale.currency):
            yield loan


def _deemed(
    customer_id: str, on: date, sold: tuple[str, Sale], drawn: tuple[Draw, Loan]
) -> Offence:
    (sale_id, sale), (draw, loan) = sold, drawn
    return Offence(
        customer_id,
        on,
        (f"sale:{sale_id}", f"draw:{draw.draw_id}"),
        f"{sale.product} sold on {sale.sold_on}, drawn on {draw.on};"
        f" {money(sale.monthly_payment, sale.currency)} a month"
        f" beside a loan of {money(loan.principal, loan.currency)}",
    )


def _segment(book: Book, customer_id: str, on: date) -> str | None:
    customer = book.customers.get(customer_id)
    return profile_at(customer, on).segment if customer else None


def _near(sold_on: date, drawn_on: date, months: int) -> bool:
    return months_later(drawn_on, -months) <= sold_on <= months_later(drawn_on, months)


def _without_consent(book: Book, told: Consents, as_of: date) -> Iterator[Offence]:
    for prospect_id, touched in _touched(book).items():
        business = _first_business(book, prospect_id)
        for on, fact in sorted(touched):
            stood = standing(book, prospect_id, on)
            if on > as_of or on >= business or not stood or stood[-1].referral.via in told.exempt:
                continue
            if not set(consents_at(book, prospect_id, on)) & set(told.purposes):
                brought = stood[-1].referral.introduced_on
                detail = f"brought on {brought}, contacted on {on}, no consent"
                referral = (f"referral:{stood[-1].referral_id}",)
                yield Offence(prospect_id, on, (fact,), detail, once=referral, context=referral)


def _touched(book: Book) -> Mapping[str, Sequence[tuple[date, str]]]:
    """Return the days on which the bank contacted referred persons, and the facts that say so.

    Who is not known as an enterprise is taken for a person.
    """
    found = defaultdict(list)
    for contact_id, (customer_id, contact) in book.contacts.items():
        if customer_id in book.referrals_of_prospect and contact.direction == "outbound":
            found[customer_id].append((contact.happened_on, f"contact:{contact_id}"))
    for referral_id, (prospect_id, referral) in book.referrals.items():
        if referral.contacted_on is not None:
            fact = f"referral-contacted:{referral_id}"
            found[prospect_id].append((referral.contacted_on, fact))
    return {id_: told for id_, told in found.items() if not _is_enterprise(book, id_)}


def _is_enterprise(book: Book, customer_id: str) -> bool:
    customer = book.customers.get(customer_id)
    return customer is not None and customer.kind == "enterprise"


def _first_business(book: Book, customer_id: str) -> date:
    """Return the day of the first account or loan: from then on there is a contract."""
    opened = [book.accounts[id_][1].opened_on for id_ in book.accounts_of.get(customer_id, ())]
    approved = [book.loans[id_][1].approved_on for id_ in book.loans_of.get(customer_id, ())]
    return min([*opened, *approved], default=date.max)


CHECKS: dict[str, Check[Any]] = {
    "credit_withdrawal_threat": Check(Codes, _threat),
    "payment_to_role": Check(Payees, _payment),
    "gift_measured_by": Check(GiftBases, _gift),
    "product_as_condition": Check(Conditions, _condition),
    "product_near_draw": Check(NearDraw, _near_draw),
    "referred_without_consent": Check(Consents, _without_consent),
}
