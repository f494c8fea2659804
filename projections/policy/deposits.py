"""Checks on deposits: funded by a loan, pledged for another one, held without a basis."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from domain.account import AccountKind  # noqa: TC001 - packs are read by these types
from domain.hold import HoldBasis  # noqa: TC001 - the same
from projections.policy.loans import draws_made
from projections.policy.rules import Check, Offence, money

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from projections.book import Book
    from projections.facts import Draw, Hold

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterDraw:
    """A deposit of at least `percent` of a draw, within `days` after it, and funded by it.

    On an account of `placed_kinds` the first end-of-day rise is a deposit; on one of
    `kept_kinds`, into which draws are paid, what stays there through all the days. Accounts
    under a hold of an `exempt` basis, with its contract, are left out.
    """

    days: int
    percent: int
    placed_kinds: tuple[AccountKind, ...]
    kept_kinds: tuple[AccountKind, ...] = ()
    exempt: tuple[HoldBasis, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """As `deposit_after_draw`, the deposit then pledged for another loan."""

    days: int
    percent: int
    placed_kinds: tuple[AccountKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBases:
    """The bases on which a deposit may be held, and which of them need a contract or order."""

    lawful: tuple[HoldBasis, ...]
    with_contract: tuple[HoldBasis, ...]


def _after_draw(book: Book, told: AfterDraw, as_of: date) -> Iterator[Offence]:
    for customer_id, draw, account_id in _draws_and_accounts(book, as_of):
        kind = book.accounts[account_id][1].kind
        last = draw.on + timedelta(days=told.days)
        if secured(book, account_id, min(last, as_of), told.exempt):
            continue
        if kind in told.placed_kinds:
            on = _placed(book, account_id, draw, told, as_of)
        elif kind in told.kept_kinds and last <= as_of:
            on = _kept(book, account_id, draw, told)
        else:
            continue
        if on is not None:
            yield _funded(book, customer_id, draw, account_id, on)


def _funded(book: Book, customer_id: str, draw: Draw, account_id: str, on: date) -> Offence:
    currency = book.accounts[account_id][1].currency
    risen = _rise(book, account_id, draw, on)
    return Offence(
        customer_id,
        on,
        (f"balance:{account_id}:{on}", f"account:{account_id}", f"draw:{draw.draw_id}"),
        f"{money(risen, currency)} more on the account {(on - draw.on).days} days after"
        f" a draw of {money(draw.amount, currency)}",
    )


def _round_trip(book: Book, told: RoundTrip, as_of: date) -> Iterator[Offence]:
    pledges = _pledges(book, as_of)
    for customer_id, draw, account_id in _draws_and_accounts(book, as_of):
        if book.accounts[account_id][1].kind not in told.placed_kinds:
            continue
        for hold_id, hold in pledges.get(account_id, ()):
            placed = _placed(book, account_id, draw, told, hold.placed_on)
            own = book.loans[hold.loan_id][1].draws if hold.loan_id in book.loans else ()
            if placed and draw not in own:
                yield Offence(
                    customer_id,
                    hold.placed_on,
                    (f"hold:{hold_id}", f"draw:{draw.draw_id}", f"loan:{hold.loan_id}"),
                    f"account {account_id} was funded on {placed} by draw {draw.draw_id}"
                    f" and pledged for loan {hold.loan_id}",
                )


def _pledges(book: Book, as_of: date) -> Mapping[str, Sequence[tuple[str, Hold]]]:
    found = defaultdict(list)
    for hold_id, (_, hold) in book.holds.items():
        if hold.basis == "pledge" and hold.loan_id and hold.placed_on <= as_of:
            found[hold.account_id].append((hold_id, hold))
    return found


def _draws_and_accounts(book: Book, as_of: date) -> Iterator[tuple[str, Draw, str]]:
    """Yield each draw with each account of the borrower and of related parties.

    Related parties are those whose accounts the borrower's commitments count.
    """
    for customer_id, loan in book.loans.values():
        accounts = {*book.accounts_in(customer_id, loan.currency)}
        for commitment_id in book.commitments_of.get(customer_id, ()):
            terms = [each.terms for each in book.commitments[commitment_id][1].terms]
            listed = {named.account_id for each in terms for named in each.accounts}
            accounts |= listed & book.accounts.keys()
        for draw in draws_made(loan, as_of):
            for account_id in sorted(accounts):
                yield customer_id, draw, account_id


def _rise(book: Book, account_id: str, draw: Draw, on: date) -> int:
    """Return by how much the account's balance lies above that of the day before the draw."""
    return book.deposit(account_id, on) - book.deposit(account_id, draw.on - _ONE_DAY)


def _placed(
    book: Book, account_id: str, draw: Draw, told: AfterDraw | RoundTrip, as_of: date
) -> date | None:
    """Return the first day on which the draw's share lies on the account."""
    for after in range(told.days + 1):
        on = draw.on + timedelta(days=after)
        if on > as_of:
            return None
        if 100 * _rise(book, account_id, draw, on) >= told.percent * draw.amount:
            return on
    return None


def _kept(book: Book, account_id: str, draw: Draw, told: AfterDraw) -> date | None:
    """Return the last day, where the draw's share lay on the account until then."""
    days = [draw.on + timedelta(days=after) for after in range(told.days + 1)]
    least = min(_rise(book, account_id, draw, on) for on in days)
    return days[-1] if 100 * least >= told.percent * draw.amount else None


def secured(book: Book, account_id: str, by: date, bases: tuple[HoldBasis, ...]) -> bool:
    """Tell whether a deposit is held by a day on one of the bases, under a contract."""
    return any(
        hold.basis in bases
        and hold.contract_id is not None
        and hold.placed_on <= by
        and (hold.released_on is None or hold.released_on > by)
        for hold in book.holds_on.get(account_id, ())
    )


def _unlawful_hold(book: Book, told: HoldBases, as_of: date) -> Iterator[Offence]:
    for hold_id, (customer_id, hold) in book.holds.items():
        bare = hold.basis in told.with_contract and hold.contract_id is None
        if hold.placed_on <= as_of and (hold.basis not in told.lawful or bare):
            why = "names no contract or order" if bare else "is none"
            yield Offence(
                customer_id,
                hold.placed_on,
                (f"hold:{hold_id}", f"account:{hold.account_id}"),
                f"{money(hold.amount, hold.currency)} held; its basis, {hold.basis}, {why}",
            )


CHECKS: dict[str, Check[Any]] = {
    "deposit_after_draw": Check(AfterDraw, _after_draw),
    "loan_deposit_pledge_loan": Check(RoundTrip, _round_trip),
    "hold_without_basis": Check(HoldBases, _unlawful_hold),
}
