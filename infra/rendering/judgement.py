"""What was judged of a customer (判断留痕) in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import money, pairs, table, told
from projections.judgement import gap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from rich.console import RenderableType

    from projections.facts import EquityCheck
    from projections.judgement import Judgement


def judgement_view(customer_id: str, found: Judgement, as_of: date) -> RenderableType:
    """Return the checks of a customer, and the steps before each first draw."""
    parts: list[RenderableType] = []
    checks = table("Cross-checks", ("checked", "inference", "hard items", "by"))
    for check in found.cross_checks.values():
        items = Text("\n".join(check.items))
        checks.add_row(str(check.checked_on), Text(check.inference), items, Text(check.by))
    if found.cross_checks:
        parts += [checks, ""]
    for id_, equity in found.equity_checks.items():
        title = f"Equity check {id_} of {equity.checked_on}, {equity.currency}"
        parts += [Text(title, style="bold"), pairs(tuple(_equity(equity))), ""]
    steps = table("Before the first draw", ("loan", "first draw", "step", "shown on"))
    for row in found.checklist:
        shown = Text(told(row.done_on) if row.done_on else "missing")
        shown.stylize("" if row.done_on else "bold red")
        words = row.step.replace("_", " ")
        steps.add_row(Text(row.loan_id), told(row.first_drawn_on), words, shown)
    if found.checklist:
        parts.append(steps)
    heading = Text(f"Judgement of {customer_id} as of {as_of}", style="bold")
    return Group(heading, "", *(parts or [Text("nothing was checked")]))


def _equity(check: EquityCheck) -> Iterator[tuple[str, str | Text]]:
    def amount(minor: int) -> str:
        return money(minor, check.currency)

    yield f"equity on {check.since}", amount(check.opening_equity)
    yield "+ profit", amount(check.profit)
    yield "− drawings", amount(check.drawings)
    yield "+ injections", amount(check.injections)
    yield "+ revaluation", amount(check.revaluation)
    yield "− depreciation", amount(check.depreciation)
    yield "= expected", amount(check.expected)
    yield "equity now", amount(check.equity_now)
    missing = gap(check)
    yield "gap", Text(amount(missing), style="bold red" if missing else "green")
