"""Deposit compliance, day by day, as the design's section 7 puts it: slow, plain, dictionaries.

A model for the tests: it shares nothing with the code but the types of the facts.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from projections.facts import Account, BalanceMonth, Commitment, Loan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.commitment import Terms
    from projections.facts import Key, Row

DAY = dt.timedelta(days=1)


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def percentage(amount: int, ppm: int) -> int:
    return half_up(Fraction(amount * ppm, 1_000_000))


def period(kind: str, day: dt.date) -> tuple[int, int]:
    months = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}[kind]
    return day.year, (day.month - 1) // months


@dataclass
class Window:
    days: list[dt.date]
    metric: str
    kind: str
    carries_from: Window | None  # of its metric and kind, the last before it in its longer period


class Reference:
    """What the rows say of one commitment as of a date."""

    def __init__(
        self, rows: Iterable[tuple[Key, Row]], commitment_id: str, as_of: dt.date
    ) -> None:
        self.as_of = as_of
        self.accounts: dict[str, tuple[str, Account]] = {}
        self.observed: dict[tuple[str, dt.date], int] = {}
        self.loans: dict[str, tuple[str, Loan]] = {}
        for (customer_id, _, id_), row in rows:
            match row:
                case Account():
                    self.accounts[id_] = (customer_id, row)
                case BalanceMonth():
                    account_id, month = id_.split("/")
                    for index, balance in enumerate(row.days):
                        if balance is not None:
                            day = dt.date.fromisoformat(f"{month}-{index + 1:02}")
                            if day <= as_of:
                                self.observed[account_id, day] = balance
                case Loan():
                    self.loans[id_] = (customer_id, row)
                case Commitment() if id_ == commitment_id:
                    self.customer_id, self.commitment = customer_id, row
                case _:
                    pass

    # Terms and windows.

    def terms_on(self, day: dt.date) -> Terms:
        agreed, *amendments = self.commitment.terms
        in_force = [
            (told.effective_on, told.told_on, index)
            for index, told in enumerate(amendments)
            if told.told_on <= self.as_of and told.effective_on <= day
        ]
        return amendments[max(in_force)[2]].terms if in_force else agreed.terms

    def is_in_force(self, day: dt.date) -> bool:
        released = self.commitment.released_on
        if released is not None and released <= self.as_of and day >= released:
            return False
        terms = self.terms_on(day)
        return terms.starts_on <= day <= terms.ends_on

    def windows(self) -> list[Window]:
        if self.commitment.agreed_on > self.as_of:
            return []
        every = [told.terms for told in self.commitment.terms]
        day, last = min(t.starts_on for t in every), max(t.ends_on for t in every)
        found: list[Window] = []
        while day <= last:
            if self.is_in_force(day):
                terms = self.terms_on(day)
                before = found[-1] if found else None
                if before is not None and (
                    before.days[-1] != day - DAY
                    or (before.metric, before.kind) != (terms.metric, terms.window)
                ):
                    before = None
                if before is not None and (
                    terms.window == "term"
                    or period(terms.window, day) == period(terms.window, before.days[0])
                ):
                    before.days.append(day)
                else:
                    alike = [
                        one
                        for one in found
                        if (one.metric, one.kind) == (terms.metric, terms.window)
                        and self.same_longer(terms.window, one.days[0], day)
                    ]
                    carries_from = alike[-1] if alike else None
                    found.append(Window([day], terms.metric, terms.window, carries_from))
            day += DAY
        return found

    @staticmethod
    def same_longer(kind: str, one: dt.date, other: dt.date) -> bool:
        longer = {"month": "quarter", "quarter": "half_year", "half_year": "year"}.get(kind)
        return longer is not None and period(longer, one) == period(longer, other)

    # What counts on a day.

    def counted_accounts(self, terms: Terms) -> set[str]:
        if terms.accounts:
            return {named.account_id for named in terms.accounts} & set(self.accounts)
        return {
            account_id
            for account_id, (owner, account) in self.accounts.items()
            if owner == self.customer_id and account.currency == terms.currency
        }

    def counts(self, terms: Terms, account_id: str, day: dt.date) -> bool:
        if day < self.accounts[account_id][1].opened_on:
            return False
        return not terms.accounts or any(
            named.account_id == account_id
            and (named.counted_from is None or named.counted_from <= day)
            and (named.counted_to is None or day <= named.counted_to)
            for named in terms.accounts
        )

    def uncapped(self, terms: Terms, day: dt.date) -> tuple[int | None, bool]:
        """Return the sum of the day, None if unknown, and whether it is carried."""
        total, carried = 0, False
        for account_id in self.counted_accounts(terms):
            if not self.counts(terms, account_id, day):
                continue
            for age in range(terms.missing_days + 1):
                balance = self.observed.get((account_id, day - age * DAY))
                if balance is not None:
                    total += max(0, balance)
                    carried = carried or age > 0
                    break
            else:
                return None, False
        return total, carried

    def capped(self, balance: int, day: dt.date) -> int:
        terms = self.terms_on(day)
        if terms.cap_ppm is None:
            return balance
        return min(balance, percentage(self.required(day), terms.cap_ppm))

    # What is required on a day.

    def required(self, day: dt.date) -> int:
        terms = self.terms_on(day)
        known = min(day, self.as_of)
        if terms.requirement_kind == "amount":
            required = terms.requirement_value
        else:
            base = sum(self.debt(loan, known, terms.requirement_kind) for loan in self.tied())
            required = percentage(max(0, base), terms.requirement_value)
        if terms.seasonal_profile:
            required = percentage(required, terms.seasonal_profile[day.month - 1])
        return required

    def tied(self) -> list[Loan]:
        loan_id = self.commitment.loan_id
        if loan_id is not None:
            return [loan for id_, (_, loan) in self.loans.items() if id_ == loan_id]
        currency = self.commitment.terms[0].terms.currency
        return [
            loan
            for owner, loan in self.loans.values()
            if owner == self.customer_id and loan.currency == currency
        ]

    @staticmethod
    def debt(loan: Loan, day: dt.date, kind: str) -> int:
        def stands(on: dt.date, reversed_on: dt.date | None) -> bool:
            return on <= day and not (reversed_on is not None and reversed_on <= day)

        debt = sum(draw.amount for draw in loan.draws if stands(draw.on, draw.reversed_on))
        if kind == "percent_of_outstanding":
            debt -= sum(p.principal for p in loan.repayments if stands(p.on, p.reversed_on))
        return debt

    # The test.

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        left: dict[dt.date, int] = {}  # of each window's surplus, by its first day
        for window in self.windows():
            netting = self.terms_on(window.days[-1]).netting
            surplus = 0
            if window.carries_from and netting == "carry_surplus" and window.metric == "average":
                surplus = left[window.carries_from.days[0]]
            row = self.test(window, surplus)
            found.append(row)
            spare = row["balance_days"] + surplus - row["required_days"]
            left[window.days[0]] = max(0, spare) if row["unknown_days"] == 0 else 0
        return [row for row in found if row["window_start"] <= self.as_of]

    def test(self, window: Window, surplus: int) -> dict[str, Any]:
        first, last = window.days[0], window.days[-1]
        terms = self.terms_on(last)
        so_far = [day for day in window.days if day <= self.as_of]
        sums = {day: self.uncapped(self.terms_on(day), day) for day in so_far}
        b = {day: self.capped(total, day) for day, (total, _) in sums.items() if total is not None}
        r = {day: self.required(day) for day in window.days}
        running = self.as_of < last
        is_unknown = len(b) < len(so_far) or (
            not running and window.metric == "ending" and sums[last][1]
        )
        row: dict[str, Any] = {
            "metric": window.metric,
            "window_start": first,
            "window_end": last,
            "days": len(so_far),
            "carried_days": sum(carried for _, carried in sums.values()),
            "unknown_days": len(so_far) - len(b),
            "balance_days": sum(b.values()),
            "required_days": sum(r.values()),
            "shortfall": None,
            "needed_run_rate": None,
            "cured_on": None,
        }
        if running and window.metric == "average":
            missing = row["required_days"] - row["balance_days"] - surplus
            ahead = (last - self.as_of).days
            row["needed_run_rate"] = max(0, math.ceil(Fraction(missing, ahead)))
        cured_on = None
        if not running and not is_unknown:
            row["shortfall"] = self.missing(window.metric, b, r, surplus)
            if row["shortfall"] > 0:
                cured_on = self.cured_on(terms, last, row["shortfall"])
        row["status"] = self.status(window, row, is_unknown, cured_on, sums, b, r, surplus)
        if row["status"] == "cured":
            row["cured_on"] = cured_on
        return row

    @staticmethod
    def missing(metric: str, b: dict[dt.date, int], r: dict[dt.date, int], surplus: int) -> int:
        if metric == "average":
            return max(0, sum(r.values()) - sum(b.values()) - surplus)
        if metric == "minimum":
            return max(0, *(r[day] - b[day] for day in r))
        last = max(r)
        return max(0, r[last] - b[last])

    def cured_on(self, terms: Terms, last: dt.date, shortfall: int) -> dt.date | None:
        due = self.required(last)
        total = 0
        for number in range(1, terms.cure_days + 1):
            day = last + (terms.grace_days + number) * DAY
            if day > self.as_of:
                break
            balance, carried = self.uncapped(terms, day)
            if balance is None:
                continue
            if terms.metric == "average":
                total += balance - due
                if total >= shortfall:
                    return day
            elif not carried and balance >= due:
                return day
        return None

    def status(  # noqa: PLR0911, PLR0913, PLR0917, C901  # the design's list, line by line
        self,
        window: Window,
        row: dict[str, Any],
        is_unknown: bool,  # noqa: FBT001  # private to this model
        cured_on: dt.date | None,
        sums: dict[dt.date, tuple[int | None, bool]],
        b: dict[dt.date, int],
        r: dict[dt.date, int],
        surplus: int,
    ) -> str:
        first, last = window.days[0], window.days[-1]
        terms = self.terms_on(last)
        for waiver in self.commitment.waivers:
            if waiver.told_on <= self.as_of and waiver.windows_from <= first <= waiver.windows_to:
                return "waived"
        if self.as_of < first:
            return "not_due"
        if self.as_of < last:
            if is_unknown:
                return "unknown"
            held, _ = sums[self.as_of]
            assert held is not None
            flat = {day: b[day] if day in b else self.capped(held, day) for day in r}
            if self.missing(window.metric, flat, r, surplus) > 0:
                return "at_risk"
            counted = self.counted_accounts(terms)
            if not any(account_id in counted for account_id, _ in self.observed):
                return "at_risk"
            return "on_track"
        if row["shortfall"] == 0:
            return "met"
        grace_end = last + terms.grace_days * DAY
        if terms.grace_days > 0 and self.as_of <= grace_end:
            return "in_grace"
        if is_unknown:
            return "unknown"
        if cured_on is not None:
            return "cured"
        if terms.cure_days > 0 and self.as_of <= grace_end + terms.cure_days * DAY:
            return "in_cure"
        return "breached"
