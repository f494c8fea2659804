"""Checks on deposits: funded by a loan, pledged for another one, held without a basis."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.account import AccountKind  # noqa: TC001 - packs are read by these types
from domain.hold import HoldBasis  # noqa: TC001 - the same
from domain.values import money
from projections.allowed import DaysIfAny, PercentOver  # noqa: TC001 - the same
from projections.book import later
from projections.deposit_compliance import (
    counted_accounts,
    counted_on,
    currency_of,
    terms_on,
)
from projections.policy.loans import draws_made
from projections.policy.rules import Check, Offence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.book import Book
    from projections.facts import Draw, Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterDraw:
    """A deposit of at least `percent` of a draw, within `days` after it, and funded by it.

    On an account of `placed_kinds` the first end-of-day rise is a deposit; on one of
    `kept_kinds`, into which draws are paid, what stays there through all the days. A related
    party's account is looked at while a commitment of the borrower counts it. Left out is what
    holds of an `exempt` basis, each with its contract and not for another loan, cover whole on the
    last of the days, or before it on the day asked for.
    """

    days: DaysIfAny
    percent: PercentOver
    placed_kinds: tuple[AccountKind, ...]
    kept_kinds: tuple[AccountKind, ...] = ()
    exempt: tuple[HoldBasis, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """As `deposit_after_draw`, the deposit then pledged for another loan.

    On the day of the pledge the draw's share lies still, or again, on the account.
    """

    days: DaysIfAny
    percent: PercentOver
    placed_kinds: tuple[AccountKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBases:
    """The bases on which a deposit may be held, and which of them need a contract or order."""

    lawful: tuple[HoldBasis, ...]
    with_contract: tuple[HoldBasis, ...]


class _Case(NamedTuple):
    """A draw, and an account in its currency that it may have funded."""

    customer_id: str
    loan_id: str
    draw: Draw
    account_id: str


def _after_draw(book: Book, told: AfterDraw, as_of: date) -> Iterator[Offence]:
    for case in _cases(book, as_of):
        draw, account = case.draw, book.accounts[case.account_id][1]
        between = f"account:{case.account_id}", f"draw:{draw.draw_id}"
        last, placed = later(draw.on, told.days), account.kind in told.placed_kinds
        if placed:
            deposits = _placed(book, case, told, as_of)
        elif account.kind in told.kept_kinds and last <= as_of:
            deposits = _kept(book, case, told)
        else:
            continue
        for on in deposits:
            risen, counted = _rise(book, case, on), _counted(book, case, on)
            held = secured(book, case.account_id, case.loan_id, min(last, as_of), told.exempt)
            if counted is None or held >= risen:
                continue
            balance = (_balance(book, case, on),)
            facts, seen_by = ((*balance, *between), ()) if placed else (between, balance)
            yield Offence(
                case.customer_id,
                on,
                facts,
                f"{money(risen, account.currency)} more on the account {(on - draw.on).days} days"
                f" after a draw of {money(draw.amount, account.currency)}",
                once=between,
                context=(*seen_by, *counted),
            )


def _round_trip(book: Book, told: RoundTrip, as_of: date) -> Iterator[Offence]:
    pledges = _pledges(book, as_of)
    for case in _cases(book, as_of):
        account_id, draw_id = case.account_id, case.draw.draw_id
        if book.accounts[account_id][1].kind not in told.placed_kinds:
            continue
        for hold_id, hold in pledges.get(account_id, ()):
            pledged = _rise(book, case, hold.placed_on)
            if hold.loan_id == case.loan_id or not _is_share(pledged, case.draw, told):
                continue
            for on in _placed(book, case, told, hold.placed_on):
                counted = _counted(book, case, on)
                if counted is None:
                    continue
                yield Offence(
                    case.customer_id,
                    hold.placed_on,
                    (f"hold:{hold_id}", f"draw:{draw_id}", f"loan:{hold.loan_id}"),
                    f"account {account_id} was funded on {on} by draw {draw_id}"
                    f" and pledged for loan {hold.loan_id}",
                    once=(hold_id, draw_id),
                    context=(_balance(book, case, on), *counted),
                )


def _pledges(book: Book, as_of: date) -> Mapping[str, Sequence[tuple[str, Hold]]]:
    found = defaultdict(list)
    for hold_id, (_, hold) in book.holds.items():
        if hold.basis == "pledge" and hold.loan_id and hold.placed_on <= as_of:
            found[hold.account_id].append((hold_id, hold))
    return found


def _cases(book: Book, as_of: date) -> Iterator[_Case]:
    """Yield each draw with each account of the borrower, and of related parties.

    Those are parties whose accounts a commitment of the borrower counts on some day.
    """
    for loan_id, (customer_id, loan) in book.loans.items():
        accounts = {*book.accounts_in(customer_id, loan.currency)}
        for commitment_id in book.commitments_of.get(customer_id, ()):
            commitment = book.commitments[commitment_id][1]
            if currency_of(commitment) == loan.currency:
                accounts |= counted_accounts(book, customer_id, commitment)
        for draw in draws_made(loan, as_of):
            for account_id in sorted(accounts):
                yield _Case(customer_id, loan_id, draw, account_id)


def _counted(book: Book, case: _Case, on: date) -> tuple[str, ...] | None:
    """Return the commitment by which a related party's account counts on a day, None without one.

    As a fact, of several the one agreed first; there is none where the account is the borrower's
    own.
    """
    if book.accounts[case.account_id][0] == case.customer_id:
        return ()
    own = book.commitments_of.get(case.customer_id, ())
    for commitment_id in sorted(own, key=lambda id_: (book.commitments[id_][1].agreed_on, id_)):
        terms = terms_on(book, commitment_id, on)
        if terms and case.account_id in counted_on(book, commitment_id, terms, on):
            return (f"commitment:{commitment_id}",)
    return None


def _balance(book: Book, case: _Case, on: date) -> str:
    """Return the fact of the balance that a day has: it may have been observed before."""
    last = book.last_balance(case.account_id, on)
    assert last is not None, "a deposit that rose was observed"
    return f"balance:{case.account_id}:{last[0]}"


def _rise(book: Book, case: _Case, on: date) -> int:
    """Return by how much the account's balance lies above that of the day before the draw."""
    before = case.draw.on - timedelta(days=1)
    return book.deposit(case.account_id, on) - book.deposit(case.account_id, before)


def _placed(book: Book, case: _Case, told: AfterDraw | RoundTrip, as_of: date) -> Iterator[date]:
    """Yield each day that brought the draw's share onto the account, beyond what lay there."""
    risen = 0
    for on in _days(case.draw, told):
        if on > as_of:
            return
        now = _rise(book, case, on)
        if _is_share(now - risen, case.draw, told):
            yield on
            risen = now
        risen = max(0, min(risen, now))  # what was taken out again may be brought again


def _kept(book: Book, case: _Case, told: AfterDraw) -> Iterator[date]:
    """Yield the last day, where the draw's share lay on the account until then."""
    risen = min(_rise(book, case, on) for on in _days(case.draw, told))
    if _is_share(risen, case.draw, told):
        yield later(case.draw.on, told.days)


def _days(draw: Draw, told: AfterDraw | RoundTrip) -> Iterator[date]:
    last = later(draw.on, told.days).toordinal()
    return map(date.fromordinal, range(draw.on.toordinal(), last + 1))


def _is_share(risen: int, draw: Draw, told: AfterDraw | RoundTrip) -> bool:
    return risen > 0 and 100 * risen >= told.percent * draw.amount


def secured(
    book: Book, account_id: str, loan_id: str, by: date, bases: tuple[HoldBasis, ...]
) -> int:
    """Return the sum held on an account by a day on one of the bases, under a contract.

    What is held for another loan is left out.
    """
    return sum(
        hold.amount
        for hold in book.holds_on.get(account_id, ())
        if hold.basis in bases
        and hold.contract_id is not None
        and hold.loan_id in {None, loan_id}
        and hold.placed_on <= by
        and (hold.released_on is None or hold.released_on > by)
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
