"""The guarantee network (担保圈): who stands for whose loans on a business date.

An edge leads from the guarantor to the borrower, one for each guarantee in force. Amounts are
minor units of the one currency asked for; counts, circles and groups are of all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from domain.values import Minor  # noqa: TC001 - who describes the rows reads their types
from projections.book import in_force

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from projections.book import Book
    from projections.facts import Guarantee

JOINT_MEMBERS_MIN = 3  # two who stand for each other are a circle of two

Mode: TypeAlias = Literal["strong", "weak"]


class Edge(NamedTuple):
    """One guarantee in force."""

    guarantee_id: str
    borrower_id: str
    guarantee: Guarantee

    @property
    def guarantor_id(self) -> str:
        """Who stands for the loan."""
        return self.guarantee.guarantor_id

    def amount_in(self, currency: str) -> Minor:
        """Return the amount guaranteed, 0 where it is in another currency."""
        return self.guarantee.amount if self.guarantee.currency == currency else 0


class CircleRow(NamedTuple):
    """A circle: all stand for one another, straight or through others (`circles` export).

    Guarantees and exposure are those between its members.
    """

    circle_id: str
    size: int
    members: str
    guarantees: int
    exposure: Minor


class GroupRow(NamedTuple):
    """A group: all whom guarantees link, whatever their direction. Figures as of a circle."""

    group_id: str
    size: int
    members: str
    guarantees: int
    exposure: Minor


class ExposureRow(NamedTuple):
    """What one party has given and received, against its capacity.

    The capacity is the party's deposits, which is all the means that the ledger knows of;
    `excess` is what was given beyond them.
    """

    customer_id: str
    guarantees_given: int
    given: Minor
    guarantees_received: int
    received: Minor
    capacity: Minor
    excess: Minor


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle, the guarantees between its members, and what each member stands for in all."""

    row: CircleRow
    edges: tuple[Edge, ...]
    parties: tuple[ExposureRow, ...]


def edges_of(book: Book, as_of: date) -> list[Edge]:
    """Return the guarantees in force on a day, by id in code point order."""
    found = (Edge(id_, *book.guarantees[id_]) for id_ in sorted(book.guarantees))
    return [edge for edge in found if in_force(edge.guarantee, as_of)]


def circle_rows(book: Book, as_of: date, currency: str) -> Iterator[CircleRow]:
    """Yield the circles, by the smallest member, which names them, in code point order."""
    for row in _linked(edges_of(book, as_of), "strong", currency):
        yield CircleRow(*row)


def circles(book: Book, as_of: date, currency: str) -> Iterator[Circle]:
    """Yield the circles of `circle_rows` with what they are made of."""
    rows = list(circle_rows(book, as_of, currency))
    circle_of = {member: row.circle_id for row in rows for member in row.members.split(" ")}
    edges = defaultdict[str, list[Edge]](list)
    for edge in edges_of(book, as_of):
        circle_id = circle_of.get(edge.guarantor_id)
        if circle_id is not None and circle_id == circle_of.get(edge.borrower_id):
            edges[circle_id].append(edge)
    parties = defaultdict[str, list[ExposureRow]](list)
    for party in exposure_rows(book, as_of, currency):
        if party.customer_id in circle_of:
            parties[circle_of[party.customer_id]].append(party)
    for row in rows:
        yield Circle(row, tuple(edges[row.circle_id]), tuple(parties[row.circle_id]))


def group_rows(book: Book, as_of: date, currency: str) -> Iterator[GroupRow]:
    """Yield the groups, by the smallest member, which names them, in code point order."""
    for row in _linked(edges_of(book, as_of), "weak", currency):
        yield GroupRow(*row)


def exposure_rows(book: Book, as_of: date, currency: str) -> Iterator[ExposureRow]:
    """Yield a row for everybody who gave or received a guarantee in force, by id."""
    given, received = Counter[str](), Counter[str]()
    gave, got = Counter[str](), Counter[str]()
    for edge in edges_of(book, as_of):
        gave[edge.guarantor_id] += 1
        got[edge.borrower_id] += 1
        given[edge.guarantor_id] += edge.amount_in(currency)
        received[edge.borrower_id] += edge.amount_in(currency)
    for id_ in sorted(gave.keys() | got.keys()):
        means = capacity(book, id_, as_of, currency)
        excess = max(0, given[id_] - means)
        yield ExposureRow(id_, gave[id_], given[id_], got[id_], received[id_], means, excess)


def capacity(book: Book, customer_id: str, as_of: date, currency: str) -> Minor:
    """Return the deposits of a party on a day; 0 for a prospect."""
    accounts = book.accounts_in(customer_id, currency)
    return sum(book.deposit(account_id, as_of) for account_id in accounts)


def joint_liability_groups(book: Book, as_of: date) -> list[tuple[str, ...]]:
    """Return the largest sets of three or more in which each stands for every other (联保小组).

    A party may be in several. The sets are sorted, and so are their members.
    """
    pairs = {(edge.guarantor_id, edge.borrower_id) for edge in edges_of(book, as_of)}
    mutual = sorted((a, b) for a, b in pairs if a < b and (b, a) in pairs)
    ids = sorted({id_ for pair in mutual for id_ in pair})
    found = _graph(ids, mutual, directed=False).maximal_cliques(min=JOINT_MEMBERS_MIN)
    return sorted(tuple(ids[place] for place in sorted(clique)) for clique in found)


def _linked(
    edges: Sequence[Edge], mode: Mode, currency: str
) -> Iterator[tuple[str, int, str, int, int]]:
    """Yield each component larger than one: name, size, members, guarantees, exposure."""
    pairs = [(edge.guarantor_id, edge.borrower_id) for edge in edges]
    ids = sorted({id_ for pair in pairs for id_ in pair})
    membership = _graph(ids, pairs, directed=True).connected_components(mode=mode).membership
    component = dict(zip(ids, membership, strict=True))
    members = defaultdict[int, list[str]](list)
    for id_ in ids:
        members[component[id_]].append(id_)
    guarantees, exposure = Counter[int](), Counter[int]()
    for edge in edges:
        if component[edge.guarantor_id] == component[edge.borrower_id]:
            guarantees[component[edge.borrower_id]] += 1
            exposure[component[edge.borrower_id]] += edge.amount_in(currency)
    for number, found in members.items():
        if len(found) > 1:
            yield found[0], len(found), " ".join(found), guarantees[number], exposure[number]


def _graph(ids: Sequence[str], pairs: Sequence[tuple[str, str]], *, directed: bool) -> Any:  # noqa: ANN401 - igraph has no types
    import igraph  # noqa: PLC0415 - 0.2 s that no other command should wait for

    place = {id_: index for index, id_ in enumerate(ids)}
    edges = [(place[source], place[target]) for source, target in pairs]
    return igraph.Graph(n=len(ids), edges=edges, directed=directed)
