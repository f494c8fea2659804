"""What a version of a reward plan gives for a prospect as of a day, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.values import apportion
from projections.book import later
from projections.reward_plans import earned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from domain.reward import RewardPayee
    from domain.values import Minor, Ppm
    from projections.book import Book
    from projections.facts import Draw
    from projections.referral_attribution import Attribution
    from projections.reward_plans import RewardPlan


class Part(NamedTuple):
    """What a payee gets, in the plan's currency; 0 where rounding leaves nothing."""

    payee_id: str
    role: RewardPayee
    share_ppm: Ppm
    amount: Minor


class Given(NamedTuple):
    """The reward of all together and its parts, or why there is `nothing`.

    What falls to others than the payees of the plan the bank keeps.
    """

    reached_on: date | None
    whole: Minor = 0
    formula: str = ""
    parts: tuple[Part, ...] = ()
    nothing: str = ""


def given(book: Book, plan: RewardPlan, found: Attribution, as_of: date) -> Given:
    """Return what a version of a plan gives as of a day, by the attribution of the same day."""
    reached_on = _reached_on(book, found, plan, as_of)
    if reached_on is None:
        return Given(None, nothing=f"the milestone {plan.milestone} was not reached")
    nothing = _nothing(plan, found, reached_on, as_of)
    nothing = nothing or _left_the_bank(book, plan, found.prospect_id, reached_on, as_of)
    if nothing:
        return Given(reached_on, nothing=nothing)
    whole, formula = earned(plan, _base(book, found.prospect_id, plan, reached_on, as_of))
    amounts = apportion(whole, [share.share_ppm for share in found.shares])
    parts = (Part(*share, amount) for share, amount in zip(found.shares, amounts, strict=True))
    return Given(reached_on, whole, formula, tuple(p for p in parts if p.role in plan.payees))


def _nothing(plan: RewardPlan, found: Attribution, reached_on: date, as_of: date) -> str:
    """Return why nothing is given for a milestone, empty where something is."""
    if found.nobody:
        return f"the conversion of {found.converted_on} is owed to nobody: {found.nobody}"
    if not plan.in_force(reached_on):
        return f"the version was not in force on {reached_on}, the day of {plan.milestone}"
    if found.via not in plan.via:
        return f"who is brought via {found.via} is not rewarded"
    if as_of > later(reached_on, plan.claim_days):
        return f"claimed more than {plan.claim_days} days after {reached_on}"
    return ""


def _left_the_bank(
    book: Book, plan: RewardPlan, prospect_id: str, reached_on: date, as_of: date
) -> str:
    """Return that the customer left within the claw-back days, empty where they did not.

    What is accrued after it would be clawed back.
    """
    customer = book.customers.get(prospect_id)
    closed_on = customer.closed_on if customer else None
    if closed_on and closed_on <= min(as_of, later(reached_on, plan.claw_back_days)):
        return f"the relationship was closed on {closed_on}"
    return ""


def _reached_on(book: Book, found: Attribution, plan: RewardPlan, as_of: date) -> date | None:
    if plan.milestone == "converted":
        return found.converted_on
    standing = (draw for draw in _draws(book, found.prospect_id, plan) if _stands(draw, as_of))
    first = min((draw.on for draw in standing), default=None)
    return first if first and found.converted_on and first >= found.converted_on else None


def _stands(draw: Draw, as_of: date) -> bool:
    return draw.on <= as_of and (draw.reversed_on is None or draw.reversed_on > as_of)


def _base(book: Book, prospect_id: str, plan: RewardPlan, on: date, as_of: date) -> Minor:
    """Return what was drawn on a day and stands as of another, or what was held on it."""
    if plan.basis == "deposits":
        accounts = book.accounts_in(prospect_id, plan.measured_in)
        return sum(book.deposit(account_id, on) for account_id in accounts)
    return drawn(book, prospect_id, plan, on, as_of)


def drawn(book: Book, prospect_id: str, plan: RewardPlan, on: date, as_of: date) -> Minor:
    """Return what was drawn on a day and stands as of another.

    For a fixed reward it only tells whether anything does: it may be of several currencies.
    """
    return sum(d.amount for d in draws(book, prospect_id, plan, on) if _stands(d, as_of))


def draws(book: Book, prospect_id: str, plan: RewardPlan, on: date) -> list[Draw]:
    """Return the draws of a day that a plan looks at, whether they stand or not."""
    return [draw for draw in _draws(book, prospect_id, plan) if draw.on == on]


def _draws(book: Book, prospect_id: str, plan: RewardPlan) -> Iterator[Draw]:
    for loan_id in book.loans_of.get(prospect_id, ()):
        _, loan = book.loans[loan_id]
        if plan.draws_in in {None, loan.currency}:
            yield from loan.draws
