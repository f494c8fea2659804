"""The referral network: who brought whom, and what lies below each node on a business date.

Amounts are minor units of the one currency asked for; conversions count whatever the currency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projections.network_node import nodes
from projections.referral_forest import cut_circles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from projections.book import Book
    from projections.network_node import Node
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


def network_rows(
    book: Book, as_of: date, currency: str, *, all_referrers: bool = False
) -> Iterator[NetworkRow]:
    """Yield the rows of the network of a book, as `Network.rows` does."""
    yield from Network(nodes(book, as_of, currency)).rows(all_referrers=all_referrers)


class _Sums(NamedTuple):
    """What lies below each place: how many, how many of them converted, and their amounts."""

    descendants: list[int]
    converted: list[int]
    drawn: list[int]
    deposits: list[int]


class Network:
    """The forest of a date with its sums: each node a place in lists, parent -1 for a root.

    Everything is worked out once, from the leaves up. After that a change of one customer costs
    as many steps as there are nodes above. Only where referrals close a circle, and a referral
    changes, everything is worked out again.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        counts = [node for node in nodes if node.is_opened or node.stand]
        self._nodes: list[Node | None] = [*counts]  # None: a referrer of whom nothing counts yet
        self._ids = [node.customer_id for node in counts]
        self._places = {id_: place for place, id_ in enumerate(self._ids)}
        self._brought: dict[int, set[int]] | None = None
        self._settle()

    def put(self, node: Node) -> None:
        """Replace what a customer is; the sums of all above follow."""
        place = self._place_of(node.customer_id)
        stand, stood = node.stand, _stand(self._nodes[place])
        whole = self._whole(place)
        self._nodes[place] = node
        before = self._parents[place]
        parent = self._place_of(stand.referral.referrer_id) if stand else -1
        moves = parent != before or _precedence(stand) != _precedence(stood)
        if moves and (self._has_circle or place in self._way_up(parent)):
            self._settle()
            return
        self._count(place, before, -1, whole)
        self._parents[place] = parent
        self._count(place, parent, 1, self._whole(place))

    def row(self, customer_id: str) -> NetworkRow | None:
        """Return the row of a node of the forest, None where the customer is none."""
        place = self._places.get(customer_id)
        if place is None or not (self._has_row(place) or self._children[place]):
            return None
        way = [*self._way_up(place)]
        return self._row(place, way[-1], len(way) - 1)

    def rows(self, *, all_referrers: bool = False) -> Iterator[NetworkRow]:
        """Yield a row for every relationship opened by the date and every prospect in the forest.

        By customer id in code point order. A referrer who is neither yet has a place in the tree,
        and a row where `all_referrers` are asked for.
        """
        roots, depths = [*range(len(self._ids))], [0] * len(self._ids)
        for place in reversed(self._leaves_first()):
            parent = self._parents[place]
            if parent >= 0:
                roots[place] = roots[parent]
                depths[place] = depths[parent] + 1
        for place in sorted(range(len(self._ids)), key=self._ids.__getitem__):
            if self._has_row(place) or (all_referrers and self._children[place]):
                yield self._row(place, roots[place], depths[place])

    def tree(self, customer_id: str) -> list[NetworkRow]:
        """Return a node's row and all below it, each before its own children, earliest first.

        Empty where the customer is no node of the forest.
        """
        top = self.row(customer_id)
        if top is None:
            return []
        brought, root = self._brought_by(), self._places[top.root_id]
        waiting, found = [(self._places[customer_id], top.depth)], []
        while waiting:
            place, depth = waiting.pop()
            found.append(self._row(place, root, depth))
            below = sorted(brought.get(place, ()), key=self._age, reverse=True)
            waiting += ((child, depth + 1) for child in below)
        return found

    def _age(self, place: int) -> tuple[date, str]:
        stand = _stand(self._nodes[place])
        assert stand, "who has a parent has a referral"
        return stand.referral.introduced_on, self._ids[place]

    def _brought_by(self) -> dict[int, set[int]]:
        """Return the children of each place; made when first asked for, and kept right then."""
        if self._brought is None:
            self._brought = {}
            for place, parent in enumerate(self._parents):
                if parent >= 0:
                    self._brought.setdefault(parent, set()).add(place)
        return self._brought

    def _place_of(self, customer_id: str) -> int:
        """Return a customer's place; who is new becomes a root and leaf of whom nothing counts."""
        place = self._places.get(customer_id)
        if place is None:
            place = self._places[customer_id] = len(self._ids)
            self._ids.append(customer_id)
            self._nodes.append(None)
            self._parents.append(-1)
            for figures in (self._children, *self._below):
                figures.append(0)
        return place

    def _settle(self) -> None:
        """Work out the parents, and the sums from the leaves up."""
        self._clear()
        for place, node in enumerate(self._nodes):  # grows by referrers while it is walked
            if node and node.stand:
                self._parents[place] = self._place_of(node.stand.referral.referrer_id)
        order = self._leaves_first()
        self._has_circle = len(order) < len(self._ids)
        if self._has_circle:
            self._cut_circles({*range(len(self._ids))}.difference(order))
            order = self._leaves_first()
        descendants, converted, drawn, deposits = self._below
        for place in order:
            parent = self._parents[place]
            if parent >= 0:
                whole = self._whole(place)
                self._children[parent] += 1
                descendants[parent] += whole[0]
                converted[parent] += whole[1]
                drawn[parent] += whole[2]
                deposits[parent] += whole[3]

    def _clear(self) -> None:
        count = len(self._ids)
        self._parents, self._children = [-1] * count, [0] * count
        self._below = _Sums(*([0] * count for _ in _Sums._fields))
        self._brought = None

    def _leaves_first(self) -> list[int]:
        """Return the places, each after all below it, without those in a circle."""
        waiting = [0] * len(self._ids)
        for parent in self._parents:
            if parent >= 0:
                waiting[parent] += 1
        found = [place for place, count in enumerate(waiting) if count == 0]
        for place in found:  # grows while it is walked
            parent = self._parents[place]
            if parent >= 0:
                waiting[parent] -= 1
                if waiting[parent] == 0:
                    found.append(parent)
        return found

    def _cut_circles(self, places: set[int]) -> None:
        """Make a root of whoever's referral is the latest of a circle, given all in circles."""
        told = ((self._ids[place], _stand(self._nodes[place])) for place in places)
        edges = {id_: stand for id_, stand in told if stand}
        left = dict(edges)
        cut_circles(left)
        for id_ in edges.keys() - left.keys():
            self._parents[self._places[id_]] = -1

    def _way_up(self, place: int) -> Iterator[int]:
        """Yield a place and those above it, up to the root."""
        while place >= 0:
            yield place
            place = self._parents[place]

    def _whole(self, place: int) -> tuple[int, int, int, int]:
        """Return the sums of a node and all below it."""
        descendants, converted, drawn, deposits = self._below
        node = self._nodes[place]
        if node is None:
            return descendants[place], converted[place], drawn[place], deposits[place]
        return (
            descendants[place] + 1,
            converted[place] + (node.stand is not None and node.stand.converted_on is not None),
            drawn[place] + node.drawn,
            deposits[place] + node.deposits,
        )

    def _count(self, place: int, parent: int, sign: int, whole: tuple[int, ...]) -> None:
        """Count a node and all below it in, or with sign -1 out, at all above its parent."""
        if parent < 0:
            return
        self._children[parent] += sign
        if self._brought is not None:
            beside = self._brought.setdefault(parent, set())
            (beside.add if sign > 0 else beside.discard)(place)
        for above in self._way_up(parent):
            for figures, figure in zip(self._below, whole, strict=True):
                figures[above] += sign * figure

    def _has_row(self, place: int) -> bool:
        node = self._nodes[place]
        return self._parents[place] >= 0 or (node is not None and node.is_opened)

    def _row(self, place: int, root: int, depth: int) -> NetworkRow:
        parent = self._parents[place]
        stand = _stand(self._nodes[place]) if parent >= 0 else None
        introduced_on = stand.referral.introduced_on if stand else None
        converted_on = stand.converted_on if stand else None
        return NetworkRow(
            self._ids[place],
            self._ids[parent] if parent >= 0 else None,
            self._ids[root],
            depth,
            self._children[place],
            self._below.descendants[place],
            self._below.converted[place],
            self._below.drawn[place],
            self._below.deposits[place],
            introduced_on,
            converted_on,
            (converted_on - introduced_on).days if converted_on and introduced_on else None,
        )


def _stand(node: Node | None) -> Standing | None:
    return node.stand if node else None


def _precedence(stand: Standing | None) -> tuple[object, ...] | None:
    return stand.precedence if stand else None
