"""Judgement kept (判断留痕): cross-checks, equity checks, and what was there before a first draw.

The checklist is derived: a step was done if a fact shows it, whatever a form says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

from domain.checks import spelled
from projections.allowed import DaysIfAny  # noqa: TC001 - the reader of the file needs the type
from projections.book import first_drawn_on
from projections.deposit_compliance import loans_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from domain.values import Minor
    from projections.book import Book
    from projections.facts import Contact, CrossCheck, EquityCheck

Step: TypeAlias = Literal[
    "account_opened",
    "visited",
    "visited_by_two",
    "cross_checked",
    "equity_checked",
    "return_agreed",
]
Check = TypeVar("Check", "CrossCheck", "EquityCheck")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementRules:
    """The steps asked for, in order, and how old in days a visit or a check may be.

    Without any steps nothing is asked for, and no loan has a checklist.
    """

    steps: tuple[Step, ...]
    within_days: DaysIfAny


class ChecklistRow(NamedTuple):
    """One step before one loan's first draw; the columns of the `checklist` export.

    `done_on` is a day up to the first draw that shows it, None where nothing does.
    """

    customer_id: str
    loan_id: str
    first_drawn_on: date | None
    step: Step
    done_on: date | None


def checklist_rows(book: Book, as_of: date, rules: JudgementRules) -> Iterator[ChecklistRow]:
    """Yield the steps of each loan approved by the date, by customer and loan in code point order.

    Of a loan without a draw, as of the date.
    """
    for customer_id in sorted(book.loans_of):
        yield from checklist(book, customer_id, as_of, rules)


def checklist(
    book: Book, customer_id: str, as_of: date, rules: JudgementRules
) -> Iterator[ChecklistRow]:
    """Yield the steps of each of a customer's loans approved by the date."""
    for loan_id in sorted(book.loans_of.get(customer_id, ())):
        loan = book.loans[loan_id][1]
        if loan.approved_on <= as_of:
            drawn_on = first_drawn_on(loan, as_of)
            case = _Case(book, customer_id, loan_id, drawn_on or as_of, rules)
            for step in rules.steps:
                done_on = max(_SHOWN_ON[step](case), default=None)
                yield ChecklistRow(customer_id, loan_id, drawn_on, step, done_on)


class _Case(NamedTuple):
    """One loan; `until` is the last day that counts."""

    book: Book
    customer_id: str
    loan_id: str
    until: date
    rules: JudgementRules

    def recent(self, days: Iterable[date]) -> Iterator[date]:
        """Yield the days that count."""
        since = self.until - timedelta(self.rules.within_days)
        return (day for day in days if since <= day <= self.until)

    def visits(self) -> list[Contact]:
        contacts = self.book.contacts_of.get(self.customer_id, ())
        return [each for each in contacts if each.channel == "visit"]


def _account_opened(case: _Case) -> Iterator[date]:
    currency = case.book.loans[case.loan_id][1].currency
    for account_id in case.book.accounts_in(case.customer_id, currency):
        if (opened_on := case.book.accounts[account_id][1].opened_on) <= case.until:
            yield opened_on


def _visited(case: _Case) -> Iterator[date]:
    return case.recent(visit.happened_on for visit in case.visits())


def _visited_by_two(case: _Case) -> Iterator[date]:
    """Yield the day by which two different people, however spelled, had been there (双人调查)."""
    first: dict[str, date] = {}
    for visit in case.visits():
        who = spelled(visit.by)
        for on in case.recent([visit.happened_on]):
            first[who] = min(on, first.get(who, on))
    return iter(sorted(first.values())[1:2])


def _cross_checked(case: _Case) -> Iterator[date]:
    checks = case.book.cross_checks_of.get(case.customer_id, {})
    return case.recent(check.checked_on for check in checks.values())


def _equity_checked(case: _Case) -> Iterator[date]:
    checks = case.book.equity_checks_of.get(case.customer_id, {})
    return case.recent(check.checked_on for check in checks.values())


def _return_agreed(case: _Case) -> Iterator[date]:
    """Yield when a deposit was agreed on for this loan, or for all loans in its currency."""
    for commitment_id in case.book.commitments_of.get(case.customer_id, ()):
        commitment = case.book.commitments[commitment_id][1]
        if commitment.agreed_on <= case.until and case.loan_id in loans_of(
            case.book, case.customer_id, commitment
        ):
            yield commitment.agreed_on


_SHOWN_ON: Mapping[Step, Callable[[_Case], Iterator[date]]] = {
    "account_opened": _account_opened,
    "visited": _visited,
    "visited_by_two": _visited_by_two,
    "cross_checked": _cross_checked,
    "equity_checked": _equity_checked,
    "return_agreed": _return_agreed,
}


def gap(check: EquityCheck) -> Minor:
    """Return what is missing of the equity expected: hidden debt; below 0: more than expected."""
    return check.expected - check.equity_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was judged of one customer up to a date, by day; and each loan's checklist."""

    cross_checks: Mapping[str, CrossCheck]
    equity_checks: Mapping[str, EquityCheck]
    checklist: tuple[ChecklistRow, ...]


def judgement(
    book: Book, customer_id: str, as_of: date, rules: JudgementRules
) -> Judgement | None:
    """Return what was judged, None where the relationship was not opened by the date."""
    customer = book.customers.get(customer_id)
    if customer is None or customer.opened_on > as_of:
        return None
    return Judgement(
        cross_checks=_by_day(book.cross_checks_of.get(customer_id, {}), as_of),
        equity_checks=_by_day(book.equity_checks_of.get(customer_id, {}), as_of),
        checklist=tuple(checklist(book, customer_id, as_of, rules)),
    )


def _by_day(checks: Mapping[str, Check], as_of: date) -> Mapping[str, Check]:
    found = [(id_, check) for id_, check in checks.items() if check.checked_on <= as_of]
    return dict(sorted(found, key=lambda each: (each[1].checked_on, each[0])))
