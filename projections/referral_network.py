"""The referral network: who brought whom, and what lies below each node on a business date.

Amounts are minor units of the one currency asked for; conversions count whatever the currency.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from projections.book import drawn
from projections.referral_forest import forest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from projections.book import Book
    from projections.referral_forest import Standing


class NetworkRow(NamedTuple):
    """One node of the forest; the fields are the columns of the `network` export.

    Subtree figures leave the node itself out.
    """

    customer_id: str
    referrer_id: str | None
    root_id: str
    depth: int
    children: int
    descendants: int
    converted_descendants: int
    subtree_drawn: int
    subtree_deposits: int
    introduced_on: date | None
    converted_on: date | None
    days_to_convert: int | None


def network_rows(book: Book, as_of: date, currency: str) -> Iterator[NetworkRow]:
    """Yield a row for every relationship opened by the date and every prospect in the forest.

    By customer id in code point order. A referrer who is neither yet has no row, but its place
    in the tree. Linear in the size of the book, but for sorting.
    """
    edges = forest(book, as_of)
    members = {id_ for id_, customer in book.customers.items() if customer.opened_on <= as_of}
    members.update(edges)
    referrers = {stand.referral.referrer_id for stand in edges.values()}
    shape = _shape(edges, sorted(members | referrers))
    below = _below(shape, edges, _draws(book, as_of, currency), _deposits(book, as_of, currency))
    for place, id_ in enumerate(shape.ids):
        if id_ in members:
            yield _row(shape, place, below, edges.get(id_))


@dataclass(frozen=True, slots=True)
class _Shape:
    """The forest as arrays over the nodes in id order; parent -1 for a root."""

    ids: list[str]
    parents: list[int]
    children: list[int]
    leaves_first: list[int]
    roots: list[int]
    depths: list[int]


def _shape(edges: dict[str, Standing], ids: list[str]) -> _Shape:
    place = {id_: index for index, id_ in enumerate(ids)}
    parents = [place[edges[id_].referral.referrer_id] if id_ in edges else -1 for id_ in ids]
    children = [0] * len(ids)
    for parent in parents:
        if parent >= 0:
            children[parent] += 1
    waiting = children.copy()
    leaves_first = [index for index, count in enumerate(waiting) if count == 0]
    for index in leaves_first:  # grows while it is walked
        parent = parents[index]
        if parent >= 0:
            waiting[parent] -= 1
            if waiting[parent] == 0:
                leaves_first.append(parent)
    roots = list(range(len(ids)))
    depths = [0] * len(ids)
    for index in reversed(leaves_first):
        parent = parents[index]
        if parent >= 0:
            roots[index] = roots[parent]
            depths[index] = depths[parent] + 1
    return _Shape(ids, parents, children, leaves_first, roots, depths)


class _Below(NamedTuple):
    """What lies below each node, as arrays over the nodes."""

    descendants: list[int]
    converted: list[int]
    drawn: list[int]
    deposits: list[int]


def _draws(book: Book, as_of: date, currency: str) -> Counter[str]:
    """Return what each customer has drawn."""
    found: Counter[str] = Counter()
    for customer_id, loan in book.loans.values():
        if loan.currency == currency:
            found[customer_id] += drawn(loan, as_of)
    return found


def _deposits(book: Book, as_of: date, currency: str) -> Counter[str]:
    """Return what each customer holds in deposits."""
    found: Counter[str] = Counter()
    for account_id, (customer_id, account) in book.accounts.items():
        if account.currency == currency:
            found[customer_id] += book.deposit(account_id, as_of)
    return found


def _below(
    shape: _Shape, edges: dict[str, Standing], own_draws: Counter[str], own_deposits: Counter[str]
) -> _Below:
    below = _Below(*([0] * len(shape.ids) for _ in _Below._fields))
    descendants, converted, draws, deposits = below
    for index in shape.leaves_first:
        parent = shape.parents[index]
        if parent < 0:
            continue
        id_ = shape.ids[index]
        descendants[parent] += descendants[index] + 1
        converted[parent] += converted[index] + (edges[id_].converted_on is not None)
        draws[parent] += draws[index] + own_draws.get(id_, 0)
        deposits[parent] += deposits[index] + own_deposits.get(id_, 0)
    return below


def _row(shape: _Shape, place: int, below: _Below, stand: Standing | None) -> NetworkRow:
    introduced_on = stand.referral.introduced_on if stand else None
    converted_on = stand.converted_on if stand else None
    days = (converted_on - introduced_on).days if converted_on and introduced_on else None
    return NetworkRow(
        customer_id=shape.ids[place],
        referrer_id=stand.referral.referrer_id if stand else None,
        root_id=shape.ids[shape.roots[place]],
        depth=shape.depths[place],
        children=shape.children[place],
        descendants=below.descendants[place],
        converted_descendants=below.converted[place],
        subtree_drawn=below.drawn[place],
        subtree_deposits=below.deposits[place],
        introduced_on=introduced_on,
        converted_on=converted_on,
        days_to_convert=days,
    )


def tree(rows: Iterable[NetworkRow], customer_id: str) -> list[NetworkRow]:
    """Return a node's row and all below it, each before its own children, earliest first.

    Empty where the node has no row.
    """
    start: list[NetworkRow] = []
    below: dict[str, list[NetworkRow]] = {}
    for row in rows:
        if row.customer_id == customer_id:
            start.append(row)
        if row.referrer_id is not None:
            below.setdefault(row.referrer_id, []).append(row)
    found = []
    while start:
        row = start.pop()
        found.append(row)
        children = below.get(row.customer_id, [])
        start += sorted(
            children, key=lambda child: (child.introduced_on, child.customer_id), reverse=True
        )
    return found
