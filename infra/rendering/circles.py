"""The guarantee network (担保圈) in the terminal."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import NOTHING, money, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from rich.console import RenderableType
    from rich.table import Table

    from projections.guarantee_network import Circle, Edge, ExposureRow, GroupRow
    from projections.loss_walk import LossWalk

CIRCLES_MAX = 20  # each with its guarantees
ROWS_MAX = 50  # of any one table


def circles_view(
    circles: Sequence[Circle],
    groups: Sequence[GroupRow],
    joint: Sequence[tuple[str, ...]],
    as_of: date,
    currency: str,
) -> RenderableType:
    """Return the circles, each with its guarantees and members, and then the groups."""
    title = f"Guarantee circles as of {as_of}, {currency}: {len(circles)}"
    parts: list[RenderableType] = [Text(title, style="bold")]
    for circle in circles[:CIRCLES_MAX]:
        parts += _circle(circle, currency)
    parts += _left(len(circles) - CIRCLES_MAX, "circles")
    if groups:
        names = ("group", "size", "guarantees", "exposure")
        made = table("Groups: all whom guarantees link", names, right=frozenset(names[1:]))
        for row in islice(groups, ROWS_MAX):
            amount = money(row.exposure, currency)
            made.add_row(Text(row.group_id), str(row.size), str(row.guarantees), amount)
        parts += [made, *_left(len(groups) - ROWS_MAX, "groups")]
    for members in joint[:ROWS_MAX]:
        parts.append(Text(f"each stands for every other: {', '.join(members)}"))
    return Group(*parts, *_left(len(joint) - ROWS_MAX, "joint-liability groups"))


def _circle(circle: Circle, currency: str) -> Iterator[RenderableType]:
    row = circle.row
    exposure = money(row.exposure, currency)
    title = f"Circle {row.circle_id} of {row.size}: {row.guarantees} guarantees, {exposure}"
    yield _edges(title, circle.edges, currency)
    yield from _left(len(circle.edges) - ROWS_MAX, "guarantees")
    yield _parties(circle.parties, currency)
    yield from _left(len(circle.parties) - ROWS_MAX, "members")


def _edges(title: str, edges: Sequence[Edge], currency: str) -> Table:
    names = ("guarantor", "stands for", "up to", "loan", "since")
    made = table(title, names, right=frozenset({"up to"}))
    for edge in edges[:ROWS_MAX]:
        told = edge.guarantee
        same = told.currency == currency
        made.add_row(
            Text(edge.guarantor_id),
            Text(f"→ {edge.borrower_id}"),
            money(told.amount, currency) if same else f"in {told.currency}",
            Text(told.loan_id),
            str(told.given_on),
        )
    return made


def _parties(parties: Sequence[ExposureRow], currency: str) -> Table:
    names = ("member", "given", "received", "deposits", "beyond them")
    made = table("Given and received in all", names, right=frozenset(names[1:]))
    for party in parties[:ROWS_MAX]:
        figures = (party.given, party.received, party.capacity)
        excess = Text(money(party.excess, currency), style="bold red")
        made.add_row(
            Text(party.customer_id),
            *(money(figure, currency) for figure in figures),
            excess if party.excess else NOTHING,
        )
    return made


def loss_walk_view(walk: LossWalk, as_of: date, currency: str) -> RenderableType:
    """Return the steps of a loss walk: who defaults in which wave, and what is called."""
    first = walk.defaults[0].customer_id
    title = Text(f"If {first} defaults on {as_of}, {currency}", style="bold")
    defaults = table("Defaults", ("wave", "who", "owes"), right=frozenset({"wave", "owes"}))
    for default in walk.defaults[:ROWS_MAX]:
        owed = money(default.owed, currency)
        defaults.add_row(str(default.wave), Text(default.customer_id), owed)
    names = ("wave", "guarantor", "for", "loan", "called", "paid")
    calls = table("Calls", names, right=frozenset({"wave", "called", "paid"}))
    for call in walk.calls[:ROWS_MAX]:
        calls.add_row(
            str(call.wave),
            Text(call.guarantor_id),
            Text(call.borrower_id),
            Text(call.loan_id),
            money(call.called, currency),
            money(call.paid, currency),
        )
    amounts = (money(amount, currency) for amount in (walk.owed, walk.paid, walk.lost))
    end = Text("owed {}, paid by guarantors {}, lost {}".format(*amounts))
    more_defaults = _left(len(walk.defaults) - ROWS_MAX, "defaults")
    more_calls = _left(len(walk.calls) - ROWS_MAX, "calls")
    return Group(title, defaults, *more_defaults, calls, *more_calls, end)


def _left(count: int, of_what: str) -> list[RenderableType]:
    return [Text(f"and {count} more {of_what}", style="dim")] if count > 0 else []
