"""The guarantee network (担保圈) as a page: who stands for whom, and for how much."""

from __future__ import annotations

from collections import defaultdict
from math import sqrt
from typing import TYPE_CHECKING

from infra.pages.layout import linked, side_by_side
from infra.pages.page import NODES_MAX, Link, Node, Page
from infra.rendering.figures import money
from projections.guarantee_network import circle_rows, edges_of, exposure_rows, group_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from domain.values import Minor
    from projections.book import Book
    from projections.guarantee_network import ExposureRow, GroupRow

UNIT_PX = 150.0
MARGIN_PX = 130.0
RADIUS_PX, RADIUS_GROWS_PX = 9.0, 16.0
WIDTH_PX, WIDTH_GROWS_PX = 1.2, 3.0
KINDS = ("In a circle", "Linked, in no circle")
FIGURES = (
    "Given",
    "Guarantees given",
    "Received",
    "Guarantees received",
    "Deposits",
    "Given beyond them",
    "Circle",
    "Group",
)


def circles_page(book: Book, as_of: date, currency: str) -> Page:
    """Return all whom guarantees in force link, group by group, the largest first.

    Groups beyond `NODES_MAX` are left out, and the page says how many parties they have.
    """
    parties = {row.customer_id: row for row in exposure_rows(book, as_of, currency)}
    groups = list(_within(group_rows(book, as_of, currency)))
    members = [group.members.split(" ") for group in groups]
    place_of = {id_: place for place, id_ in enumerate(id_ for own in members for id_ in own)}
    amounts = _between(book, as_of, currency)
    circle = _circle_of(book, as_of, currency)
    pictures = _pictures(members, amounts)
    largest = max((max(row.given, row.received) for row in parties.values()), default=0) or 1
    nodes = [
        _node(parties[id_], place, largest, currency, (circle.get(id_, ""), own[0]))
        for own, picture in zip(members, side_by_side(pictures, MARGIN_PX), strict=True)
        for id_, place in zip(own, picture, strict=True)
    ]
    left = len(parties) - len(nodes)
    return Page(
        title="Guarantee circles",
        about=f"as of {as_of}, {currency}" + (f"; {left:,} not shown" if left else ""),
        kinds=KINDS,
        gauge="Given against deposits, red beyond them",
        figures=FIGURES,
        into="Guaranteed by",
        out_of="Stands for",
        arrows=True,
        nodes=nodes,
        links=_links(amounts, place_of, currency),
    )


def _within(groups: Iterable[GroupRow]) -> Iterable[GroupRow]:
    room = NODES_MAX
    for group in sorted(groups, key=lambda group: (-group.size, group.group_id)):
        room -= group.size
        if room >= 0:
            yield group


def _between(book: Book, as_of: date, currency: str) -> Mapping[tuple[str, str], list[Minor]]:
    """Return the amounts of the guarantees of each guarantor for each borrower."""
    found = defaultdict[tuple[str, str], list["Minor"]](list)
    for edge in edges_of(book, as_of):
        found[edge.guarantor_id, edge.borrower_id].append(edge.amount_in(currency))
    return found


def _circle_of(book: Book, as_of: date, currency: str) -> Mapping[str, str]:
    return {
        member: row.circle_id
        for row in circle_rows(book, as_of, currency)
        for member in row.members.split(" ")
    }


def _pictures(
    members: Iterable[list[str]], ends: Iterable[tuple[str, str]]
) -> list[list[tuple[float, float]]]:
    own = defaultdict[str, list[tuple[str, str]]](list)
    for pair in ends:
        own[pair[0]].append(pair)
    found = []
    for ids in members:
        place = {id_: n for n, id_ in enumerate(ids)}
        pairs = [(place[a], place[b]) for id_ in ids for a, b in own[id_]]
        found.append([(x * UNIT_PX, y * UNIT_PX) for x, y in linked(len(ids), pairs)])
    return found


def _links(
    amounts: Mapping[tuple[str, str], list[Minor]], place_of: Mapping[str, int], currency: str
) -> list[Link]:
    largest = max((sum(own) for own in amounts.values()), default=0) or 1
    return [
        (
            place_of[guarantor],
            place_of[borrower],
            round(WIDTH_PX + WIDTH_GROWS_PX * sum(own) / largest, 1),
            money(sum(own), currency) + (f" in {len(own)}" if len(own) > 1 else ""),
        )
        for (guarantor, borrower), own in amounts.items()
        if guarantor in place_of
    ]


def _node(
    row: ExposureRow,
    place: tuple[float, float],
    largest: Minor,
    currency: str,
    linked_as: tuple[str, str],
) -> Node:
    (x, y), (circle, group) = place, linked_as
    radius = RADIUS_PX + RADIUS_GROWS_PX * sqrt(max(row.given, row.received) / largest)
    used = row.given / row.capacity if row.capacity > 0 else 2.0 if row.given else -1
    figures = [
        money(row.given, currency),
        str(row.guarantees_given),
        money(row.received, currency),
        str(row.guarantees_received),
        money(row.capacity, currency),
        money(row.excess, currency) if row.excess else "",
        circle,
        group,
    ]
    kind = 0 if circle else 1
    id_ = row.customer_id
    return id_, round(x, 1), round(y, 1), round(radius, 1), kind, round(used, 3), figures
