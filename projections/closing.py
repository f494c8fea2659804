"""What a close reads off a book: the cases that are due, and the balances that are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from domain.account import AccountOpened, BalanceCorrected, BalanceObserved
from domain.case import Case, Change
from domain.close import is_due, told_on
from domain.commitment import (
    CommitmentAgreed,
    CommitmentAmended,
    CommitmentReleased,
    CommitmentWaived,
)
from domain.loan import DrawReversed, LoanDrawn, LoanRepaid, RepaymentReversed
from projections.book import is_forgotten
from projections.deposit_compliance import (
    counted_accounts,
    counted_on,
    deposits_of,
    flows_of,
    listed_accounts,
    loans_of,
    terms_on,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from domain.case import Touched
    from domain.record import Recorded
    from projections.book import Book

Balance: TypeAlias = BalanceObserved | BalanceCorrected
_OF_LOANS = (LoanDrawn, DrawReversed, LoanRepaid, RepaymentReversed)
_OF_COMMITMENTS = (CommitmentAgreed, CommitmentAmended, CommitmentWaived, CommitmentReleased)


def bears_on_the_past(recorded: Recorded, on: date) -> bool:
    """Tell whether an event may change a test of a window that ended before a day."""
    if isinstance(recorded.event, Balance):
        return recorded.event.business_date < on
    return isinstance(recorded.event, (AccountOpened, *_OF_LOANS, *_OF_COMMITMENTS))


def cases(
    book: Book,
    on: date,
    since: Mapping[str, Sequence[Recorded]],
    doubtful: Collection[str] = frozenset(),
) -> Iterator[Case]:
    """Yield the commitments that the close of a day has to look at, by id.

    `since` holds, by customer, the events since the last close that bear on the past. `doubtful`
    are customers of whom events were set aside once: they may have been folded since, unseen.
    """
    for commitment_id in sorted(book.commitments):
        customer_id, commitment = book.commitments[commitment_id]
        changes = _changes(book, commitment_id, since) if since else ()
        reported = book.tested.get(commitment_id, {})
        doubted = bool(reported and doubtful) and _rests_on(book, commitment_id, doubtful)
        if changes or doubted or is_due(commitment, reported, on):
            yield Case(
                customer_id,
                commitment_id,
                commitment,
                list(deposits_of(book, customer_id, commitment, on)),
                list(flows_of(book, customer_id, commitment)),
                {start: tested.reports[-1] for start, tested in reported.items()},
                changes,
                doubted,
            )


def is_whole(book: Book, commitment_id: str, parked: Collection[str]) -> bool:
    """Tell whether all that a commitment rests on was applied, none of it set aside."""
    if not parked:
        return True
    listed = listed_accounts(book.commitments[commitment_id][1])
    return listed <= book.accounts.keys() and not _rests_on(book, commitment_id, parked)


def _rests_on(book: Book, commitment_id: str, customers: Collection[str]) -> bool:
    return not _owners(book, commitment_id).isdisjoint(customers)


def _owners(book: Book, commitment_id: str) -> set[str]:
    """Return who has a commitment, or an account that it may count."""
    customer_id, commitment = book.commitments[commitment_id]
    accounts = counted_accounts(book, customer_id, commitment)
    return {book.accounts[account_id][0] for account_id in accounts} | {customer_id}


def told_since(case: Case, on: date) -> bool:
    """Tell whether something about a commitment began to be known after a window's last report."""
    if not case.reports:
        return False
    told = [day for day in told_on(case.agreed) if day is not None and day <= on]
    return any(last.tested_on < day for last in case.reports.values() for day in told)


def with_told(book: Book, case: Case, told: Iterable[Recorded]) -> Case:
    """Return the case with what these events changed among its changes."""
    changes = _changed(book, case.commitment_id, told)
    return replace(case, changes=sorted({*case.changes, *changes}))


def streams_of(book: Book, commitment_id: str) -> list[str]:
    """Return the streams of the accounts and loans that a commitment may count."""
    customer_id, commitment = book.commitments[commitment_id]
    accounts = sorted(counted_accounts(book, customer_id, commitment))
    loans = sorted(loans_of(book, customer_id, commitment))
    of_accounts = (f"{kind}-{each}" for each in accounts for kind in ("account", "balances"))
    return [*of_accounts, *(f"loan-{each}" for each in loans)]


def unobserved(
    book: Book, on: date, parked: Collection[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Yield commitment and account where one that counts on a day has no balance of the day.

    None of a forgotten customer's, of whom nothing is reported, nor of an account of somebody
    forgotten or set aside: there comes none, or it waits.
    """
    month, day = on.isoformat()[:7], on.day - 1
    for commitment_id in sorted(book.commitments):
        terms = terms_on(book, commitment_id, on)
        if terms is None or is_forgotten(book, book.commitments[commitment_id][0]):
            continue
        for account_id in counted_on(book, commitment_id, terms, on):
            owner, months = book.accounts[account_id][0], book.balances.get(account_id, {})
            days = months.get(month)
            missing = days is None or days[day] is None
            if missing and owner not in parked and not is_forgotten(book, owner):
                yield commitment_id, account_id


def _changes(
    book: Book, commitment_id: str, since: Mapping[str, Sequence[Recorded]]
) -> Sequence[Change]:
    told = chain.from_iterable(since[who] for who in _owners(book, commitment_id) & since.keys())
    return sorted(_changed(book, commitment_id, told))


def _changed(book: Book, commitment_id: str, told: Iterable[Recorded]) -> Iterator[Change]:
    """Yield what events changed of that on which a commitment's tests rest."""
    customer_id, commitment = book.commitments[commitment_id]
    accounts = counted_accounts(book, customer_id, commitment)
    loans = loans_of(book, customer_id, commitment)
    for recorded in told:
        event, change = recorded.event, None
        if isinstance(event, AccountOpened) and event.account_id in accounts:
            change = _change(recorded, "account")._replace(account_id=event.account_id)
        elif isinstance(event, Balance) and event.account_id in accounts:
            change = _change(recorded, "balance")._replace(account_id=event.account_id)
        elif isinstance(event, _OF_LOANS) and event.loan_id in loans:
            change = _change(recorded, "debt")
        elif isinstance(event, _OF_COMMITMENTS) and event.commitment_id == commitment_id:
            change = _of_commitment(recorded)
        if change is not None:
            yield change


def _of_commitment(recorded: Recorded) -> Change | None:
    match recorded.event:
        case CommitmentWaived(windows_from=first, windows_to=last):
            return _change(recorded, "waiver")._replace(span=(first, last))
        case CommitmentAmended(effective_on=first) | CommitmentReleased(released_on=first):
            return _change(recorded, "terms")._replace(span=(first, date.max))
        case CommitmentAgreed():
            return _change(recorded, "terms")
        case _:
            return None


def _change(recorded: Recorded, of: Touched) -> Change:
    return Change(recorded.position, recorded.id, recorded.occurred_on, of)
