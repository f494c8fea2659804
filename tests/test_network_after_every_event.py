"""Right after every event, late or corrected, the subtree figures are those of plain loops.

The reference knows events alone, no facts and no folds: it lives through the days for each
prospect, and walks up from each node.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from domain.account import AccountOpened, BalanceCorrected, BalanceObserved
from domain.loan import DrawReversed, LoanApproved, LoanDrawn
from domain.referral import (
    ReferralConverted,
    ReferralDeclined,
    ReferralIntroduced,
    ReferralLapsed,
)
from projections.book import Book
from projections.folding import fold, key_of
from projections.referral_network import network_rows
from tests.books import CURRENCY, day
from tests.deliveries import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from domain.catalogue import Event
    from projections.facts import Key, Row

AS_OF = day(20)
PEOPLE = ["A", "B", "C", "D", "E"]
Figures: TypeAlias = tuple[str | None, int, int, int, int, int]
people = st.sampled_from(PEOPLE)
days = st.integers(0, 24).map(day)  # some after the date that is asked for
amounts = st.integers(1, 99)


@st.composite
def _referral(draw: st.DrawFn, number: int) -> list[Event]:
    prospect, id_, introduced_on = draw(people), f"R{number}", draw(days)
    later = st.integers(0, 12).map(lambda wait: introduced_on + timedelta(days=wait))
    told: list[Event] = [
        ReferralIntroduced(
            customer_id=prospect,
            referral_id=id_,
            referrer_id=draw(people),
            introduced_on=introduced_on,
            via="customer",
            by="RM-1",
            branch="B1",
        )
    ]
    for outcome in draw(st.lists(st.sampled_from("cdl"), max_size=2)):
        match outcome:
            case "c":
                told.append(
                    ReferralConverted(
                        customer_id=prospect, referral_id=id_, converted_on=draw(later)
                    )
                )
            case "d":
                told.append(
                    ReferralDeclined(
                        customer_id=prospect, referral_id=id_, declined_on=draw(later), reason=""
                    )
                )
            case _:
                told.append(
                    ReferralLapsed(customer_id=prospect, referral_id=id_, lapsed_on=draw(later))
                )
    return told


@st.composite
def _account(draw: st.DrawFn, number: int) -> list[Event]:
    who, id_, on = draw(people), f"X{number}", draw(days)
    told: list[Event] = [
        AccountOpened(
            customer_id=who,
            account_id=id_,
            kind="current",
            currency=CURRENCY,
            opened_on=draw(days),
        )
    ]
    balances: list[Event] = [
        cls(
            customer_id=who,
            account_id=id_,
            business_date=on,
            ledger_balance=draw(st.integers(-9, 99)),
            currency=CURRENCY,
            held=None,
        )
        for cls in (BalanceObserved, BalanceCorrected)
    ]
    return told + balances


@st.composite
def _loan(draw: st.DrawFn, number: int) -> list[Event]:
    who, id_, amount = draw(people), f"L{number}", draw(amounts)
    return [
        LoanApproved(
            customer_id=who,
            loan_id=id_,
            approved_on=day(0),
            principal=99,
            currency=CURRENCY,
            term_months=12,
            annual_rate="0.05",
            repayment="bullet",
            purpose="stock",
        ),
        LoanDrawn(
            customer_id=who,
            loan_id=id_,
            draw_id=f"D{number}",
            drawn_on=draw(days),
            amount=amount,
            currency=CURRENCY,
        ),
        DrawReversed(
            customer_id=who,
            loan_id=id_,
            draw_id=f"D{number}",
            reversed_on=draw(days),
            amount=amount,
            currency=CURRENCY,
        ),
    ]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Return several stories, each in its own order, told one through the other."""
    made = [draw(_referral(n)) for n in range(draw(st.integers(1, 5)))]
    made += [draw(kind(n)) for n in range(2) for kind in (_account, _loan)]
    turns = draw(st.permutations([n for n, story in enumerate(made) for _ in story]))
    left = [iter(story) for story in made]
    return [next(left[n]) for n in turns]


# The reference.


def reference(events: Sequence[Event], as_of: date) -> dict[str, Figures]:
    """Return referrer, children, descendants, converted, drawn, deposits of each prospect …"""
    parents, converted = _forest(events, as_of)
    own_draws, own_deposits = _drawn(events, as_of), _deposits(events, as_of)
    below = defaultdict[str, set[str]](set)
    for node in parents:
        for above in _way_up(parents, node):
            below[above].add(node)
    return {
        node: (
            parents[node],
            list(parents.values()).count(node),
            len(below[node]),
            len(below[node] & converted),
            sum(own_draws[each] for each in below[node]),
            sum(own_deposits[each] for each in below[node]),
        )
        for node in parents
    }


def _way_up(parents: dict[str, str], node: str) -> Iterator[str]:
    while node in parents:
        node = parents[node]
        yield node


def _forest(events: Sequence[Event], as_of: date) -> tuple[dict[str, str], set[str]]:
    told = {e.referral_id: e for e in events if isinstance(e, ReferralIntroduced)}
    won, ended = _outcomes(events)
    over = {id_: on for id_, on in ended.items() if on <= as_of}
    order = {id_: (e.introduced_on, over.get(id_, day(999)), id_) for id_, e in told.items()}
    firsts = _first_business(events)
    live: dict[str, tuple[str, bool]] = {}
    for on in (day(n) for n in range((as_of - day(0)).days + 1)):
        for id_ in sorted(told, key=lambda id_: order[id_]):
            prospect = told[id_].customer_id
            stands, became = live.get(prospect, ("", False))
            if stands != id_ and (stands or told[id_].introduced_on != on):
                continue
            became = became or on in firsts[prospect] or on == won.get(id_)
            if became or on != ended.get(id_):
                live[prospect] = (id_, became)
            else:
                live.pop(prospect, None)
    parents: dict[str, str] = {}
    for prospect, (id_, _) in sorted(live.items(), key=lambda item: order[item[1][0]]):
        above = told[id_].referrer_id
        if prospect not in {above, *_way_up(parents, above)}:
            parents[prospect] = above
    return parents, {who for who in parents if live[who][1]}


def _outcomes(events: Sequence[Event]) -> tuple[dict[str, date], dict[str, date]]:
    """Return when each referral converted, and when it ended, by the outcome last told."""
    won, ended = dict[str, "date"](), dict[str, "date"]()
    for event in events:
        match event:
            case ReferralConverted(referral_id=id_, converted_on=on):
                won[id_] = on
                ended.pop(id_, None)
            case ReferralDeclined(referral_id=id_, declined_on=on):
                ended[id_] = on
                won.pop(id_, None)
            case ReferralLapsed(referral_id=id_, lapsed_on=on):
                ended[id_] = on
                won.pop(id_, None)
            case _:
                pass
    return won, ended


def _first_business(events: Sequence[Event]) -> dict[str, set[date]]:
    opened, drawn = defaultdict[str, list["date"]](list), defaultdict[str, list["date"]](list)
    for event in events:
        if isinstance(event, AccountOpened):
            opened[event.customer_id].append(event.opened_on)
        if isinstance(event, LoanDrawn):
            drawn[event.customer_id].append(event.drawn_on)
    found = defaultdict[str, set["date"]](set)
    for firsts in (opened, drawn):
        for who, on in firsts.items():
            found[who].add(min(on))
    return found


def _drawn(events: Sequence[Event], as_of: date) -> Counter[str]:
    found = Counter[str]()
    for event in events:
        if isinstance(event, LoanDrawn) and event.drawn_on <= as_of:
            reversals = [
                e.reversed_on
                for e in events
                if isinstance(e, DrawReversed) and e.draw_id == event.draw_id
            ]
            if not any(on <= as_of for on in reversals):
                found[event.customer_id] += event.amount
    return found


def _deposits(events: Sequence[Event], as_of: date) -> Counter[str]:
    found = Counter[str]()
    for event in events:
        if isinstance(event, AccountOpened) and event.opened_on <= as_of:
            told = [
                e
                for e in events
                if isinstance(e, BalanceObserved | BalanceCorrected)
                and e.account_id == event.account_id
                and e.business_date <= as_of
            ]
            if told:
                found[event.customer_id] += max(0, told[-1].ledger_balance)
    return found


@given(histories())
def test_subtree_figures_are_right_after_every_late_or_corrected_event(
    history: Sequence[Event],
) -> None:
    facts: dict[Key, Row] = {}
    for count, event in enumerate(history, 1):
        told = recorded(event)
        key = key_of(told)
        assert key is not None
        facts[key] = fold(facts.get(key), told)
        rows = network_rows(Book.from_rows(facts.items()), AS_OF, CURRENCY)
        found = {
            row.customer_id: (
                row.referrer_id,
                row.children,
                row.descendants,
                row.converted_descendants,
                row.subtree_drawn,
                row.subtree_deposits,
            )
            for row in rows
        }
        assert found == reference(history[:count], AS_OF)
