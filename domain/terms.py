"""What agreed terms have to be, so that each of their windows can be tested (DESIGN section 7)."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

from domain import checks
from domain.errors import (
    AccountListedTwiceError,
    AnotherCurrencyError,
    LoanOfAnotherCustomerError,
    PercentageOutOfRangeError,
    SeasonalProfileError,
    TermWithoutEffectError,
    UnknownAccountError,
    UnknownLoanError,
)
from domain.values import BASIS_POINT, ONE, PERCENT, counted_in
from domain.windows import LONGER

if TYPE_CHECKING:
    from domain.commitment import CountedAccount, Terms
    from domain.values import Ppm
    from domain.world import World

MONTHS = 12
PERCENTAGE_MAX: Ppm = 10 * ONE  # of a requirement, a month, a cap: 1,000 %
CONSEQUENCE_MAX: Ppm = ONE  # of a surcharge, a fee, a hold: 100 %


def check_terms(terms: Terms, customer_id: str, loan_id: str | None, world: World) -> None:
    """Refuse terms under which no window could be tested, and those that could change nothing.

    The loan is the customer's own.
    """
    checks.currency(terms.currency)
    checks.in_order("ends_on", terms.ends_on, "starts_on", terms.starts_on)
    _check_days(terms)
    _check_figures(terms)
    if loan_id is not None:
        _check_loan(terms, customer_id, loan_id, world)
    _check_accounts(terms, world)


def check_amended(terms: Terms, effective_on: date) -> None:
    """Refuse amended terms whose list of accounts has ended when they take effect."""
    if terms.accounts and max(_dates(each)[1] for each in terms.accounts) < effective_on:
        listed = " ".join(each.account_id for each in terms.accounts)
        detail = f"none counts from {effective_on.isoformat()} on"
        raise TermWithoutEffectError("accounts", listed, detail)


def _check_days(terms: Terms) -> None:
    checks.not_negative("missing_days", terms.missing_days)
    checks.not_negative("grace_days", terms.grace_days)
    checks.not_negative("cure_days", terms.cure_days)


def _check_figures(terms: Terms) -> None:
    if terms.requirement_kind == "amount":
        checks.positive("requirement_value", terms.requirement_value, terms.currency)
    elif terms.requirement_value == 0:
        checks.positive("requirement_value", terms.requirement_value)
    else:
        _check_percentage("requirement_value", terms.requirement_value, PERCENTAGE_MAX)
    if len(terms.seasonal_profile) not in {0, MONTHS}:
        detail = f"{len(terms.seasonal_profile)} given"
        raise SeasonalProfileError("seasonal_profile", _percents(terms.seasonal_profile), detail)
    for month in terms.seasonal_profile:
        _check_percentage("seasonal_profile", month, PERCENTAGE_MAX)
    if terms.cap_ppm is not None:
        _check_percentage("cap_percent", terms.cap_ppm, PERCENTAGE_MAX)
    unit = BASIS_POINT if terms.consequence_kind.endswith("_bp") else PERCENT
    _check_percentage("consequence_value", terms.consequence_value, CONSEQUENCE_MAX, unit)
    _check_effects(terms)


def _check_effects(terms: Terms) -> None:
    """Refuse what no window is tested by (DESIGN section 7: the surplus of an average only)."""
    if terms.consequence_kind == "none" and terms.consequence_value:
        raise TermWithoutEffectError(
            "consequence_value", _percents((terms.consequence_value,)), "consequence_kind is none"
        )
    carries = terms.metric == "average" and terms.window in LONGER
    if terms.netting == "carry_surplus" and not carries:
        detail = f"metric {terms.metric}, window {terms.window}; it carries the surplus of the "
        detail += f"average of a {', '.join(LONGER)}"
        raise TermWithoutEffectError("netting", terms.netting, detail)


def _check_percentage(field: str, ratio: Ppm, at_most: Ppm, unit: Ppm = PERCENT) -> None:
    """Refuse a ratio out of its range, in the words in which it was told."""
    if not 0 <= ratio <= at_most:
        name = "percent" if unit == PERCENT else "basis points"
        detail = f"from 0 to {counted_in(unit, at_most)} {name}"
        raise PercentageOutOfRangeError(field, counted_in(unit, ratio), detail)


def _percents(ratios: tuple[Ppm, ...]) -> str:
    return " ".join(counted_in(PERCENT, ratio) for ratio in ratios)


def _check_loan(terms: Terms, customer_id: str, loan_id: str, world: World) -> None:
    loan = world.loan(loan_id)
    if loan is None:
        raise UnknownLoanError("loan_id", loan_id)
    if loan.customer_id != customer_id:
        raise LoanOfAnotherCustomerError("loan_id", loan_id, f"it is {loan.customer_id}'s")
    checks.same_currency(terms.currency, loan.currency)


def _check_accounts(terms: Terms, world: World) -> None:
    for counted in terms.accounts:
        account = world.account(counted.account_id)
        if account is None:
            raise UnknownAccountError("accounts", counted.account_id)
        checks.not_forgotten(world, account.customer_id, "accounts")
        if account.currency != terms.currency:
            detail = f"it is {account.currency}, the commitment {terms.currency}"
            raise AnotherCurrencyError("accounts", counted.account_id, detail)
        first, last = _dates(counted)
        checks.in_order(f"accounts {counted.account_id}", last, "its first day", first)
        if last < terms.starts_on or terms.ends_on < first:
            detail = f"no day of {terms.starts_on.isoformat()} to {terms.ends_on.isoformat()}"
            raise TermWithoutEffectError("accounts", counted.account_id, detail)
    for one, other in combinations(terms.accounts, 2):
        if one.account_id == other.account_id and _overlap(one, other):
            raise AccountListedTwiceError("accounts", one.account_id)


def _dates(counted: CountedAccount) -> tuple[date, date]:
    return counted.counted_from or date.min, counted.counted_to or date.max


def _overlap(one: CountedAccount, other: CountedAccount) -> bool:
    (first, last), (other_first, other_last) = _dates(one), _dates(other)
    return max(first, other_first) <= min(last, other_last)
