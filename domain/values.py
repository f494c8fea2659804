"""The small words every family shares: ids, dates, instants, money, ratios, personal values.

* a **business date** is a `datetime.date`; an **instant** an integer of microseconds since
  1970 UTC;
* an **amount** is an integer of minor units of the currency beside it;
* a **ratio** is an integer of parts per million: 1 % is 10,000 ppm, one basis point is 100 ppm;
* a **personal** value is plain text inside a decision and `Sealed` wherever it was stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Instant: TypeAlias = int
Minor: TypeAlias = int
Ppm: TypeAlias = int

ONE: Ppm = 1_000_000
PERCENT: Ppm = 10_000
BASIS_POINT: Ppm = 100


@dataclass(frozen=True, slots=True)
class Sealed:
    """A personal value as stored: nonce (12 bytes), ciphertext, tag (16 bytes)."""

    box: bytes


Personal: TypeAlias = str | Sealed

# The number of decimals of a currency (ISO 4217) where it is not two.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
MINOR_DIGITS = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def minor_digits(currency: str) -> int:
    """Return how many decimals an amount of the currency has (ISO 4217)."""
    return MINOR_DIGITS.get(currency, 2)


def money(amount: Minor, currency: str) -> str:
    """Return an amount as people write it: `-1234.50 CNY`."""
    digits = minor_digits(currency)
    whole, part = divmod(abs(amount), 10**digits)
    sign, decimals = "-" if amount < 0 else "", f".{part:0{digits}}" if digits else ""
    return f"{sign}{whole}{decimals} {currency}"


def share(amount: Minor, ratio: Ppm) -> Minor:
    """Return the ratio of an amount (not negative), rounded half up to a minor unit."""
    return (2 * amount * ratio + ONE) // (2 * ONE)


def counted_in(unit: Ppm, ratio: Ppm) -> str:
    """Return how many of a unit (percents, basis points) a ratio is, as a plain exact decimal."""
    return f"{Decimal(ratio) / unit:f}"


def apportion(whole: int, weights: Sequence[int]) -> list[int]:
    """Return parts of a whole (not negative) by weights, which together are exactly the whole.

    Largest remainders get what rounding down leaves; of equal ones the earlier. The weights are
    not negative, and one of them is above 0.
    """
    total = sum(weights)
    parts = [whole * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda n: -(whole * weights[n] % total))
    for n in order[: whole - sum(parts)]:
        parts[n] += 1
    return parts


CustomerKind: TypeAlias = Literal["person", "enterprise"]
