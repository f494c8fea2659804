"""Deposit commitments (存款承诺) in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.text import Text

from infra.rendering.figures import NOTHING, money, pairs, table, told
from infra.rendering.terms import amendments_view, terms_lines
from projections.deposit_compliance import begun, currency_of
from projections.terms_in_force import amendments, released_by, terms_in_force

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from rich.console import RenderableType
    from rich.table import Table

    from domain.compliance import Status, WindowResult
    from projections.book import Book
    from projections.facts import Waiver

STYLES: dict[Status, str] = {
    "waived": "dim",
    "not_due": "dim",
    "unknown": "magenta",
    "at_risk": "bold yellow",
    "on_track": "green",
    "met": "green",
    "in_grace": "yellow",
    "in_cure": "yellow",
    "cured": "cyan",
    "breached": "bold red",
}


def commitment_view(book: Book, commitment_id: str, as_of: date) -> RenderableType:
    """Return a commitment's terms on a date and its windows begun by then. It is in the book."""
    customer_id, commitment = book.commitments[commitment_id]
    currency = currency_of(commitment)
    held = terms_in_force(commitment, as_of)
    terms = terms_lines(commitment, held, released_by(commitment, as_of))
    card = pairs((("customer", customer_id), ("loan", told(commitment.loan_id)), *terms))
    names = ("window", "status", "held", "shortfall", "a day", "cured")  # a day: run-rate
    windows = table("Windows", names, right=frozenset({"shortfall", "a day"}))
    for result in begun(book, commitment_id, as_of):
        windows.add_row(
            f"{result.window_start} {result.window_end}",
            status_text(result.status),
            held_bar(result),
            _amount(result.shortfall, currency),
            _amount(result.needed_run_rate, currency),
            told(result.cured_on),
        )
    parts: list[RenderableType] = [
        Text(f"Commitment {commitment_id} as of {as_of}", style="bold"),
        card,
    ]
    if amended := list(amendments(commitment, as_of)):
        parts += ["", amendments_view(amended)]
    parts.append(windows)
    if waivers := [one for one in commitment.waivers if one.told_on <= as_of]:
        parts += ["", _waivers_view(waivers)]
    return Group(*parts)


def _waivers_view(waivers: Iterable[Waiver]) -> Table:
    """Return who forgave which windows, the ones that begin within the dates, and why."""
    names = ("waiver", "told", "windows begun", "asked by", "approved by", "reason")
    made = table("Waivers", names)
    for one in waivers:
        made.add_row(
            Text(one.waiver_id),
            str(one.told_on),
            f"{one.windows_from} {one.windows_to}",
            Text(one.requested_by),
            Text(one.approved_by),
            Text(one.reason),
        )
    return made


def commitments_view(book: Book, commitment_ids: Iterable[str], as_of: date) -> RenderableType:
    """Return a line for each commitment: its window begun last, as of the date."""
    names = ("commitment", "window", "status", "held", "shortfall")
    made = table(f"Commitments as of {as_of}", names, right=frozenset({"shortfall"}))
    for commitment_id in commitment_ids:
        *_, last = (None, *begun(book, commitment_id, as_of))
        if last is None:
            made.add_row(Text(commitment_id), NOTHING, status_text("not_due"))
            continue
        currency = currency_of(book.commitments[commitment_id][1])
        made.add_row(
            Text(commitment_id),
            f"{last.window_start} {last.window_end}",
            status_text(last.status),
            held_bar(last),
            _amount(last.shortfall, currency),
        )
    return made


def status_text(status: Status) -> Text:
    """Return a status as words, coloured."""
    return Text(status.replace("_", " "), style=STYLES[status])


def held_bar(result: WindowResult) -> RenderableType:
    """Return a bar of the balance-days so far against those required of an average's window."""
    if result.metric != "average" or result.required_days == 0:
        return NOTHING
    return ProgressBar(
        total=result.required_days,
        completed=min(result.balance_days, result.required_days),
        complete_style=STYLES[result.status],
        finished_style=STYLES[result.status],
    )


def _amount(amount: int | None, currency: str) -> str:
    return NOTHING if amount is None else money(amount, currency)
