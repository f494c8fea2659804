"""What a breached window costs: integers, one division, rounded half up at its end.

Interest is that of loans: by the day, a year of 360 days, on the window's own days.

| consequence | base | divisor |
|---|---|---|
| rate surcharge | Σ over the window's days of what is outstanding of the loan(s) | 10⁶ · 360 |
| deficiency fee | the shortfall in balance-days (`average`), else shortfall · days | 10⁶ · 360 |
| hold | the shortfall in balance-days (`average`), else the shortfall | 10⁶ · days, else 10⁶ |
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from domain.values import ONE

if TYPE_CHECKING:
    from domain.commitment import ConsequenceKind
    from domain.reported import Basis
    from domain.requirement import Debt
    from domain.values import Minor, Ppm
    from domain.windows import Window

YEAR_DAYS = 360  # 人民币存贷款计结息: a day's rate is a year's divided by 360


class Consequence(NamedTuple):
    """An amount and how it comes about: `base` × `rate` ÷ `divisor`, rounded half up."""

    kind: ConsequenceKind
    basis: Basis
    base: int
    rate: Ppm
    divisor: int

    @property
    def amount(self) -> Minor:
        """Return the amount in minor units."""
        return (2 * self.base * self.rate + self.divisor) // (2 * self.divisor)


TAKEN_BACK = Consequence("none", "shortfall", 0, 0, 1)


def consequence_of(window: Window, shortfall: int, debt: Debt) -> Consequence:
    """Return what a breach of the window costs by the terms of its last day."""
    terms = window.terms
    average, days = terms.metric == "average", window.last + 1 - window.first
    kind, rate = terms.consequence_kind, terms.consequence_value
    match kind:
        case "none":
            return TAKEN_BACK
        case "rate_surcharge_bp":
            owed = outstanding_balance_days(debt, window.first, window.last)
            return Consequence(kind, "outstanding_balance_days", owed, rate, ONE * YEAR_DAYS)
        case "deficiency_fee_bp":
            short = shortfall if average else shortfall * days
            return Consequence(kind, "shortfall_balance_days", short, rate, ONE * YEAR_DAYS)
        case "hold_percent" if average:
            return Consequence(kind, "shortfall_balance_days", shortfall, rate, ONE * days)
        case "hold_percent":
            return Consequence(kind, "shortfall", shortfall, rate, ONE)


def outstanding_balance_days(debt: Debt, first: int, last: int) -> int:
    """Return the sum over the days from first to last of what is drawn and not repaid."""
    starts = [first, *debt.changes(first, last), last + 1]
    return sum(debt.outstanding(start) * (end - start) for start, end in pairwise(starts))
