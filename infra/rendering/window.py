"""A window of a commitment in the terminal: day by day, and what it costs."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import NOTHING, money, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from rich.console import RenderableType

    from domain.compliance import Test, WindowResult
    from domain.consequence import Consequence
    from projections.explained_window import AccountDay, ExplainedDay


def days_view(test: Test, days: Iterable[ExplainedDay], currency: str) -> RenderableType:
    """Return a line for each run of days that count alike, by which balances, and the surplus."""
    window = test.result
    names = ("days", "observed", "total", "counts", "required", "")
    figures = frozenset({"total", "counts", "required"})
    made = table(f"Window {window.window_start} to {window.window_end}", names, right=figures)
    for (_, mark), run in groupby(days, key=lambda day: (_alike(day), _mark(day, window))):
        first, *_, last = (*(alike := list(run)), alike[-1])
        made.add_row(
            str(first.on) if first is last else f"{first.on} to {last.on}",
            Text("\n".join(_observed(account, first.on) for account in first.accounts)),
            *(_amount(each, currency) for each in (first.total, first.counted)),
            money(first.required, currency),
            Text(mark, style="yellow" if "short" in mark else ""),
        )
    if not test.surplus:
        return made
    return Group(made, f"carried in from before: {money(test.surplus, currency)}")


def _alike(day: ExplainedDay) -> tuple[object, ...]:
    balances = tuple((_observed(account, day.on), account.balance) for account in day.accounts)
    return balances, day.counted, day.required, day.carried, day.cure


def _observed(account: AccountDay, on: date) -> str:
    if account.observed_on is None:
        return f"{account.account_id}: none young enough"
    return account.account_id + (f" of {account.observed_on}" if account.observed_on < on else "")


def _mark(day: ExplainedDay, window: WindowResult) -> str:
    """Return what is to be said of a day.

    `short` is one by which alone the window is missed: any of a `minimum`, the last of an
    `ending`, which is unknown where it was carried. On other days of the window less may be held
    than is required; such a one is `below`.
    """
    ends = window.metric == "ending" and day.on == window.window_end
    unknown = day.counted is None or (ends and day.carried)
    less = not (unknown or day.cure) and (day.counted or 0) < day.required
    decides = ends or window.metric == "minimum"
    marks = {
        "unknown": unknown,
        "short": less and decides,
        "below": less and not decides,
        "carried": day.carried,
        "capped": day.capped,
        "cure day": day.cure,
    }
    return ", ".join(word for word, holds in marks.items() if holds)


def costs_view(costs: Sequence[tuple[WindowResult, Consequence]], currency: str) -> RenderableType:
    """Return what each breached window costs, with the formula."""
    names = ("window", "consequence", "amount", "half up of")
    made = table("Consequences", names, right=frozenset({"amount"}))
    for window, cost in costs:
        made.add_row(
            f"{window.window_start} {window.window_end}",
            cost.kind.replace("_", " "),
            money(cost.amount, currency),
            formula(cost),
        )
    return made


def formula(cost: Consequence) -> str:
    """Return how the amount comes about, in minor units: `1,200 (shortfall …) × 5,000 / 4`."""
    basis = cost.basis.replace("_", " ")
    return f"{cost.base:,} ({basis}) × {cost.rate:,} / {cost.divisor:,}"


def _amount(amount: int | None, currency: str) -> str:
    return NOTHING if amount is None else money(amount, currency)
