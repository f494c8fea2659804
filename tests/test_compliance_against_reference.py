"""Deposit compliance agrees with the day-by-day reference, whatever the terms."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from domain.commitment import CountedAccount, Terms, TermsFrom
from projections.book import Book
from projections.deposit_compliance import compliance_rows
from projections.facts import Account, BalanceMonth, Commitment, Draw, Loan, Paid, Waiver
from tests.compliance_reference import Reference

if TYPE_CHECKING:
    from domain.commitment import RequirementKind
    from projections.facts import Key, Row

    Rows = list[tuple[Key, Row]]

EPOCH = date(2023, 10, 20)
ACCOUNTS = ("A1", "A2", "A3", "A4")  # A1 and A2 are the customer's own, A4 in another currency

levels = st.sampled_from([-50, 0, 90, 100, 110, 200, 280, 300, 310, 500, 700])
percents = st.sampled_from([0, 1, 125_000, 333_333, 500_000, 1_000_000, 1_500_000])


def days(span: int) -> st.SearchStrategy[date]:
    return st.integers(0, span).map(lambda days: EPOCH + timedelta(days))


@st.composite
def counted_accounts(draw: st.DrawFn) -> CountedAccount:
    some_day = st.none() | days(400)
    return CountedAccount(
        account_id=draw(st.sampled_from(("A1", "A2", "A3", "never-opened"))),
        counted_from=draw(some_day),
        counted_to=draw(some_day),
    )


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    starts = draw(days(120))
    kind: RequirementKind = draw(
        st.sampled_from(["amount", "percent_of_drawn", "percent_of_outstanding"])
    )
    value = draw(levels.map(abs) if kind == "amount" else percents)
    return Terms(
        starts_on=starts,
        ends_on=starts + timedelta(draw(st.integers(0, 280))),
        metric=draw(st.sampled_from(["average", "average", "minimum", "ending"])),
        window=draw(st.sampled_from(["month", "month", "quarter", "half_year", "year", "term"])),
        requirement_kind=kind,
        requirement_value=value,
        currency="CZK",
        cure_days=draw(st.sampled_from([0, 1, 5, 40, 40])),
        consequence_kind="none",
        consequence_value=0,
        accounts=tuple(draw(st.just([]) | st.lists(counted_accounts(), max_size=4))),
        seasonal_profile=tuple(
            draw(st.just([]) | st.lists(percents, min_size=12, max_size=12)),
        ),
        cap_ppm=draw(st.none() | st.sampled_from([0, 900_000, 1_000_000, 1_234_567])),
        grace_days=draw(st.sampled_from([0, 0, 1, 4])),
        netting=draw(st.sampled_from(["carry_surplus", "carry_surplus", "none"])),
        missing_days=draw(st.sampled_from([0, 1, 7, 7, 400])),
    )


@st.composite
def commitments(draw: st.DrawFn) -> Commitment:
    agreed = draw(terms())
    agreed_on = draw(st.just(agreed.starts_on) | days(300))
    history = [TermsFrom(agreed_on, agreed.starts_on, agreed)]
    told_on = agreed_on
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2, 3]))):
        told_on += timedelta(draw(st.integers(0, 60)))
        history.append(TermsFrom(told_on, draw(days(400)), draw(terms())))
    waivers = st.builds(Waiver, days(400), days(400), days(400))
    return Commitment(
        loan_id=draw(st.sampled_from([None, "L1", "unknown"])),
        agreed_on=agreed_on,
        terms=tuple(history),
        waivers=tuple(draw(st.just([]) | st.lists(waivers, max_size=2))),
        released_on=draw(st.none() | st.none() | days(400)),
    )


@st.composite
def balances(draw: st.DrawFn, account_id: str, opened_on: date) -> Rows:
    """A level from about the opening on, with other levels and holes in it."""
    told: list[int | None] = [draw(levels)] * draw(st.sampled_from([0, 30, 550, 550, 550]))
    lengths = st.sampled_from([1, 2, 9, 25, 100])
    for start, length, level in draw(
        st.lists(st.tuples(st.integers(0, 400), lengths, levels | levels | st.none()), max_size=9)
    ):
        told[start : start + length] = [level] * len(told[start : start + length])
    months: dict[str, list[int | None]] = defaultdict(lambda: [None] * 31)
    first = opened_on + timedelta(draw(st.sampled_from([0, 0, 0, -3, 9])))
    for number, balance in enumerate(told):
        day = first + timedelta(number)
        months[day.isoformat()[:7]][day.day - 1] = balance
    return [
        ((owner(account_id), "balances", f"{account_id}/{month}"), BalanceMonth(tuple(held)))
        for month, held in months.items()
    ]


def owner(account_id: str) -> str:
    return "C2" if account_id == "A3" else "C1"


@st.composite
def loans(draw: st.DrawFn) -> Loan:
    over = st.none() | days(400)
    return Loan(
        approved_on=EPOCH,
        principal=1000,
        currency="CZK",
        draws=tuple(
            draw(st.lists(st.builds(Draw, st.just("D"), days(400), levels.map(abs), over)))
        ),
        repayments=tuple(
            draw(
                st.lists(
                    st.builds(Paid, st.just("P"), days(400), levels.map(abs), st.just(0), over)
                )
            )
        ),
    )


@st.composite
def ledgers(draw: st.DrawFn) -> Rows:
    rows: Rows = [(("C1", "commitment", "K1"), draw(commitments()))]
    for loan_id in draw(st.sampled_from([("L1", "L2"), ("L1",), ()])):
        rows.append((("C1", "loan", loan_id), draw(loans())))
    for account_id in draw(st.sampled_from([("A1",), ("A1",), ACCOUNTS, ("A2", "A3"), ()])):
        opened_on = draw(st.just(EPOCH) | days(300))
        currency = "EUR" if account_id == "A4" else "CZK"
        account = Account(kind="current", currency=currency, opened_on=opened_on)
        rows.append(((owner(account_id), "account", account_id), account))
        rows += draw(balances(account_id, opened_on))
    return rows


def assert_agrees(rows: Rows, as_of: date) -> None:
    ours = [row._asdict() for row in compliance_rows(Book.from_rows(rows), as_of, "CZK")]
    for row in ours:
        for name in ("commitment_id", "customer_id", "loan_id"):
            del row[name]
        event(f"{row['status']}")
    assert ours == Reference(rows, "K1", as_of).rows()


@st.composite
def questions(draw: st.DrawFn) -> tuple[Rows, list[date]]:
    """A ledger and dates to ask about: any, or a little after a month's or the terms' end."""
    rows = draw(ledgers())
    commitment = cast("Commitment", rows[0][1])
    turns = [date(2024, month, 1) - timedelta(1) for month in range(1, 13)]
    turns += [told.terms.ends_on for told in commitment.terms] * 4
    soon = st.builds(
        lambda turn, late: turn + timedelta(late), st.sampled_from(turns), st.integers(-2, 50)
    )
    return rows, draw(st.lists(soon | soon | days(450), min_size=1, max_size=5))


@given(questions())
@settings(suppress_health_check=list(HealthCheck))
def test_every_combination_of_options_agrees_with_the_design_day_by_day(
    asked: tuple[Rows, list[date]],
) -> None:
    rows, dates = asked
    for as_of in dates:
        assert_agrees(rows, as_of)


@st.composite
def short_ledgers(draw: st.DrawFn) -> Rows:
    """A few days across a month's end, balances about the requirement, grace and cure."""
    short = replace(
        draw(terms()),
        starts_on=date(2024, 1, 28),
        ends_on=date(2024, 1, 28) + timedelta(draw(st.integers(0, 8))),
        requirement_kind="amount",
        requirement_value=100,
        cure_days=draw(st.integers(0, 6)),
        grace_days=draw(st.sampled_from([0, 0, 1, 3])),
        accounts=(),
        seasonal_profile=(),
        missing_days=draw(st.integers(0, 2)),
    )
    told = (TermsFrom(EPOCH, short.starts_on, short),)
    rows: Rows = [
        (("C1", "commitment", "K1"), Commitment(loan_id=None, agreed_on=EPOCH, terms=told))
    ]
    for account_id in ("A1", "A2")[: draw(st.integers(1, 2))]:
        opened_on = draw(st.sampled_from([EPOCH, EPOCH, date(2024, 2, 3)]))
        account = Account(kind="current", currency="CZK", opened_on=opened_on)
        near = st.sampled_from([-20, 50, 90, 90, 100, 110, 120, 150, None])
        january = draw(st.tuples(*[near] * 5))
        february = draw(st.tuples(*[near] * 18))
        for month, days in (
            ("2024-01", (*(None,) * 26, *january)),
            ("2024-02", (*february, *(None,) * 13)),
        ):
            rows.append((("C1", "balances", f"{account_id}/{month}"), BalanceMonth(days)))
        rows.append((("C1", "account", account_id), account))
    return rows


@given(short_ledgers())
@settings(suppress_health_check=list(HealthCheck))
def test_each_day_of_grace_and_cure_agrees_with_the_design(rows: Rows) -> None:
    for number in range(24):
        assert_agrees(rows, date(2024, 1, 27) + timedelta(number))


@st.composite
def parted_ledgers(draw: st.DrawFn) -> Rows:
    """Netted averages whose amendments leave days of no window, or of another kind, between."""
    first = replace(
        draw(terms()),
        starts_on=EPOCH,
        ends_on=EPOCH + timedelta(draw(st.integers(1, 60))),
        metric="average",
        window=draw(st.sampled_from(["month", "quarter", "half_year"])),
        requirement_kind="amount",
        requirement_value=100,
        accounts=(),
        seasonal_profile=(),
        missing_days=7,
        netting="carry_surplus",
    )
    history = [TermsFrom(EPOCH, first.starts_on, first)]
    effective = EPOCH
    for _ in range(draw(st.integers(1, 3))):
        effective += timedelta(draw(st.integers(1, 60)))
        starts = effective + timedelta(draw(st.sampled_from([0, 1, 10, 40])))
        amended = replace(
            first,
            starts_on=starts,
            ends_on=starts + timedelta(draw(st.integers(1, 60))),
            metric=draw(st.sampled_from(["average", "average", "average", "minimum"])),
        )
        history.append(TermsFrom(EPOCH, effective, amended))
    commitment = Commitment(loan_id=None, agreed_on=EPOCH, terms=tuple(history))
    rows: Rows = [(("C1", "commitment", "K1"), commitment)]
    near = st.sampled_from([95, 98, 99, 100, 101, 105, 120])
    for number in range(12):
        first_day = date(2023 + (9 + number) // 12, (9 + number) % 12 + 1, 1)
        days = monthrange(first_day.year, first_day.month)[1]
        held = BalanceMonth((draw(near),) * days + (None,) * (31 - days))
        rows.append((("C1", "balances", f"A1/{first_day.isoformat()[:7]}"), held))
    rows.append(
        (("C1", "account", "A1"), Account(kind="current", currency="CZK", opened_on=EPOCH))
    )
    return rows


@given(parted_ledgers())
@settings(suppress_health_check=list(HealthCheck))
def test_a_surplus_passes_over_what_parts_the_windows_of_a_longer_period(rows: Rows) -> None:
    for number in range(0, 300, 13):
        assert_agrees(rows, EPOCH + timedelta(number))


@pytest.mark.slow
@given(questions())
@settings(max_examples=1500, suppress_health_check=list(HealthCheck))
def test_many_more_combinations_of_options_agree_with_the_design(
    asked: tuple[Rows, list[date]],
) -> None:
    rows, dates = asked
    for as_of in dates:
        assert_agrees(rows, as_of)
