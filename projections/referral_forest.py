"""The referral forest (转介绍): which referrals stand on a business date, and which converted.

At any date the live referrals form a forest. The deciders see to it; a fact told late can still
make two referrals of one prospect overlap, or close a circle. Then the one introduced earliest
stands (of the same day, the one that ended earliest by the date, then the smallest id).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from projections.book import Book
    from projections.facts import Referral


class Introduction(NamedTuple):
    """Of a `Referral`, what is asked about the forest."""

    referrer_id: str
    introduced_on: date
    via: str
    converted_on: date | None
    ended_on: date | None
    contacted_on: date | None


class Standing(NamedTuple):
    """A referral that stood against its prospect's others by a date.

    By the same date, when it converted, and when it was declined or lapsed.
    """

    referral_id: str
    referral: Referral | Introduction
    converted_on: date | None
    ended_on: date | None

    @property
    def precedence(self) -> tuple[date, bool, date, str]:
        """Of two that cannot both be in the forest, the smaller is."""
        return _precedence(self.referral_id, self.referral.introduced_on, self.ended_on)

    def lives(self, as_of: date) -> bool:
        """Tell whether it is in the forest: converted, or neither declined nor lapsed yet."""
        ended_on = self.ended_on
        return self.converted_on is not None or ended_on is None or ended_on > as_of


def standing(book: Book, prospect_id: str, as_of: date) -> list[Standing]:
    """Return the prospect's referrals up to a date, save those introduced while another lived.

    Only the last of them can be live.
    """
    return _stood(*_told(book, prospect_id), as_of)


def live(
    referrals: Sequence[tuple[str, Referral | Introduction]], firsts: Sequence[date], as_of: date
) -> Standing | None:
    """Return a prospect's live referral, of all theirs by id.

    `firsts` are the days on which their first account was opened and their first loan drawn.
    """
    if len(referrals) == 1:  # as nearly everywhere: there is nothing to stand against
        [(referral_id, referral)] = referrals
        if referral.introduced_on > as_of:
            return None
        last = _standing(referral_id, referral, firsts, as_of)
    elif stood := _stood(referrals, firsts, as_of):
        last = stood[-1]
    else:
        return None
    return last if last.lives(as_of) else None


def _standing(
    referral_id: str, referral: Referral | Introduction, firsts: Sequence[date], as_of: date
) -> Standing:
    ended_on = referral.ended_on
    if ended_on is not None and ended_on > as_of:
        ended_on = None  # not known yet
    converted_on = _converted_on(referral, firsts, as_of)
    return Standing(referral_id, referral, converted_on, ended_on)


def _stood(
    referrals: Sequence[tuple[str, Referral | Introduction]],
    firsts: Sequence[date],
    as_of: date,
    overlaps: list[tuple[Standing, Standing]] | None = None,
) -> list[Standing]:
    """Return which referrals stood, and add the others to `overlaps`, each with what lived."""
    if len(referrals) > 1:
        referrals = sorted(referrals, key=partial(_place, as_of))
    stood: list[Standing] = []
    for referral_id, referral in referrals:
        if referral.introduced_on > as_of:
            break
        this = _standing(referral_id, referral, firsts, as_of)
        if not stood or not stood[-1].lives(referral.introduced_on):
            stood.append(this)
        elif overlaps is not None:
            overlaps.append((this, stood[-1]))
    return stood


def _told(book: Book, prospect_id: str) -> tuple[list[tuple[str, Referral]], list[date]]:
    ids = book.referrals_of_prospect.get(prospect_id, ())
    return [(id_, book.referrals[id_][1]) for id_ in ids], _firsts(book, prospect_id)


def _live(book: Book, prospect_id: str, as_of: date) -> Standing | None:
    return live(*_told(book, prospect_id), as_of)


def _place(as_of: date, told: tuple[str, Referral | Introduction]) -> tuple[date, bool, date, str]:
    referral_id, referral = told
    ended_on = referral.ended_on
    known = ended_on if ended_on is not None and ended_on <= as_of else None
    return _precedence(referral_id, referral.introduced_on, known)


def _precedence(
    referral_id: str, introduced_on: date, ended_on: date | None
) -> tuple[date, bool, date, str]:
    """Order referrals: the smallest stands."""
    return introduced_on, ended_on is None, ended_on or introduced_on, referral_id


def _firsts(book: Book, customer_id: str) -> list[date]:
    """Return when the customer's first account ever was opened and first loan ever drawn.

    A draw that was reversed later was a draw.
    """
    accounts = book.accounts_of.get(customer_id, ())
    opened = [book.accounts[account_id][1].opened_on for account_id in accounts]
    loans = book.loans_of.get(customer_id, ())
    draws = [draw.on for loan_id in loans for draw in book.loans[loan_id][1].draws]
    return [min(days) for days in (opened, draws) if days]


def _converted_on(
    referral: Referral | Introduction, firsts: Sequence[date], as_of: date
) -> date | None:
    """Return the earliest conversion up to a date, unless the referral had ended before it."""
    earliest = referral.converted_on
    for first in firsts:
        if first >= referral.introduced_on and (earliest is None or first < earliest):
            earliest = first
    if earliest is None or earliest > as_of:
        return None
    if referral.ended_on is not None and referral.ended_on < earliest:
        return None
    return earliest


def forest(book: Book, as_of: date) -> dict[str, Standing]:
    """Return the live referral of each prospect in the forest; of a circle all but the latest."""
    found = ((id_, _live(book, id_, as_of)) for id_ in book.referrals_of_prospect)
    edges = {prospect_id: stood for prospect_id, stood in found if stood}
    cut_circles(edges)
    return edges


def cut_circles(edges: dict[str, Standing]) -> None:
    """Take the latest referral out of each circle of the prospects' live ones."""
    for latest, *_ in tuple(_circles(edges)):
        del edges[latest]


def _circles(edges: Mapping[str, Standing]) -> Iterator[list[str]]:
    """Yield the prospects of each circle: that of the latest referral, and up from there."""
    passed: dict[str, str] = {}  # each node once, by the walk that came through it first
    for start in edges:
        node = start
        while node in edges and node not in passed:
            passed[node] = start
            node = edges[node].referral.referrer_id
        if node in edges and passed[node] == start:
            yield _circle(edges, node)


def _circle(edges: Mapping[str, Standing], node: str) -> list[str]:
    circle = [node]
    while (above := edges[circle[-1]].referral.referrer_id) != node:
        circle.append(above)
    latest = circle.index(max(circle, key=lambda id_: edges[id_].precedence))
    return circle[latest:] + circle[:latest]


class LeftOut(NamedTuple):
    """A referral that is left out of the forest though it lived, and what it is left out for.

    That is one of the same prospect which lived when it was introduced, or, of a `circle`, those
    above it.
    """

    prospect_id: str
    referral: Standing
    others: tuple[Standing, ...]
    circle: bool


def left_out(book: Book, as_of: date) -> Iterator[LeftOut]:
    """Yield the referrals introduced up to a date that the forest of the date leaves out."""
    for prospect_id, ids in book.referrals_of_prospect.items():
        overlaps: list[tuple[Standing, Standing]] = []
        if len(ids) > 1:
            _stood(*_told(book, prospect_id), as_of, overlaps)
        for this, other in overlaps:
            if this.lives(this.referral.introduced_on):
                yield LeftOut(prospect_id, this, (other,), circle=False)
    bringing = (id_ for id_ in book.referrals_of_prospect if id_ in book.referrals_by_referrer)
    found = ((id_, _live(book, id_, as_of)) for id_ in bringing)
    edges = {prospect_id: stood for prospect_id, stood in found if stood}
    for prospect_id, *above in _circles(edges):
        others = tuple(edges[id_] for id_ in above)
        yield LeftOut(prospect_id, edges[prospect_id], others, circle=True)


def live_referral(book: Book, prospect_id: str, as_of: date) -> Standing | None:
    """Return what `forest` holds for one prospect, by walking up instead of building it."""
    own = latest = above = _live(book, prospect_id, as_of)
    passed = set()
    while above and above.referral.referrer_id not in passed:
        referrer_id = above.referral.referrer_id
        if referrer_id == prospect_id:  # a circle: its latest referral stays out
            return None if latest is own else own
        passed.add(referrer_id)
        above = _live(book, referrer_id, as_of)
        if above and latest and above.precedence > latest.precedence:
            latest = above
    return own
