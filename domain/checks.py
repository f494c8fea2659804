"""What a value has to be before any decision rests on it. Each check names the field it refuses.

The edge has parsed already: ids are printable strings of up to 64 characters without spaces,
amounts are minor units, enumerations are of their list. What is left is what has a meaning.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from domain.errors import (
    AnotherCurrencyError,
    CustomerForgottenError,
    DatesOutOfOrderError,
    MalformedCurrencyError,
    MalformedRateError,
    NegativeError,
    NotPositiveError,
    ReservedIdError,
    TooLargeError,
    UnknownCustomerError,
)
from domain.values import money

if TYPE_CHECKING:
    from datetime import date

    from domain.errors import RefusedError
    from domain.world import World

# 2**63 leaves room for 9,000 such amounts: a year of days over twenty-five accounts.
AMOUNT_MAX = 10**15  # minor units; also the bound of every other number
LEDGER = "ledger"
_CURRENCY = re.compile(r"[A-Z]{3}")
# Drawn as nothing: Default_Ignorable_Code_Point of Unicode, and the braille pattern of no dots.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_RATE = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{0,11}[1-9])?")


def folded(text: str) -> str:
    """Return a text without what the eye does not tell apart: case, width, how many blanks.

    Unicode's compatibility form (NFKC), case folded, without what is drawn as nothing.
    """
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold())
    plain = unicodedata.normalize("NFKC", seen)
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())


def spelled(text: str) -> str:
    """Return what people and items are told apart by, however spelled: folded, without blanks."""
    return folded(text).replace(" ", "")


def somebody_else(error: type[RefusedError], field: str, value: str, *others: str | None) -> None:
    """Refuse a person who is one of the others, however spelled (four eyes)."""
    if spelled(value) in {spelled(other) for other in others if other is not None}:
        raise error(field, value)


def not_reserved(field: str, customer_id: str) -> None:
    """Refuse the partition key of the ledger's own events (DESIGN section 4)."""
    if customer_id == LEDGER:
        raise ReservedIdError(field, customer_id)


def known_customer(world: World, customer_id: str, field: str = "customer_id") -> None:
    """Refuse a customer who is unknown or forgotten."""
    match world.standing(customer_id):
        case "unknown":
            raise UnknownCustomerError(field, customer_id)
        case "forgotten":
            raise CustomerForgottenError(field, customer_id)
        case "known":
            return


def not_forgotten(
    world: World, customer_id: str, field: str = "customer_id", value: str | None = None
) -> None:
    """Refuse a forgotten customer; an unknown one may be a prospect.

    `value` is that of the field, where it is the id of something about the customer.
    """
    if world.standing(customer_id) == "forgotten":
        raise CustomerForgottenError(field, customer_id if value is None else value)


def positive(field: str, value: int, currency: str | None = None) -> None:
    """Refuse 0 and less, and what is too large to be added up; an amount has a currency."""
    if value <= 0:
        raise NotPositiveError(field, _told(value, currency))
    bounded(field, value, currency)


def not_negative(field: str, value: int, currency: str | None = None) -> None:
    """Refuse less than 0, and what is too large to be added up; an amount has a currency."""
    if value < 0:
        raise NegativeError(field, _told(value, currency))
    bounded(field, value, currency)


def bounded(field: str, value: int, currency: str | None = None) -> None:
    """Refuse what is too large, on either side of 0, to be added up."""
    if abs(value) > AMOUNT_MAX:
        raise TooLargeError(
            field, _told(value, currency), f"at most {_told(AMOUNT_MAX, currency)}"
        )


def _told(value: int, currency: str | None) -> int | str:
    """Return a number as people know it."""
    return value if currency is None else money(value, currency)


def in_order(field: str, value: date, earlier_field: str, earlier: date) -> None:
    """Refuse a date before the one it cannot precede; the same day is in order."""
    if value < earlier:
        detail = f"before {earlier_field} {earlier.isoformat()}"
        raise DatesOutOfOrderError(field, value.isoformat(), detail)


def currency(value: str) -> None:
    """Refuse what is not spelled as a currency."""
    if not _CURRENCY.fullmatch(value):
        raise MalformedCurrencyError("currency", value)


def same_currency(value: str, held_in: str) -> None:
    """Refuse an amount in another currency than that of its account or loan."""
    if value != held_in:
        raise AnotherCurrencyError("currency", value, f"it is {held_in}")


def rate(value: str) -> None:
    """Refuse what is not a rate in its one spelling."""
    if not _RATE.fullmatch(value):
        raise MalformedRateError("annual_rate", value)
