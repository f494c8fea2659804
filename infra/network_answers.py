"""The networks out of their views, without a book of all that is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consumers.cycles import search_for_cycles_of_new_objects
from infra.answers import chosen, currency_of
from infra.views.row_codec import reader_of, unpack_row
from projections.book import Book
from projections.guarantee_network import circle_rows
from projections.network_node import AS_IT_IS, READ, node_of, own_facts, rows_of
from projections.projection import GUARANTEES, NETWORK
from projections.referral_network import Network

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date

    from domain.values import Instant
    from infra.answers import Answers
    from projections.facts import Key, Row
    from projections.guarantee_network import CircleRow
    from projections.network_node import Node, OwnFacts
    from projections.referral_network import NetworkRow

SEARCH_AFTER_OBJECTS = 50_000  # of a network: its nodes stay, and none is in a cycle


class _InCurrency(NamedTuple):
    """Of an `Account` or a `Loan`."""

    currency: str


_READERS = {kind: reader_of(kind, cls) for kind, cls in READ.items()}
_CURRENCY_READERS = {kind: reader_of(kind, _InCurrency) for kind in ("account", "loan")}


def facts_of(
    answers: Answers,
    known_at: Instant | None = None,
    customer_ids: Collection[str] | None = None,
) -> Iterator[OwnFacts]:
    """Yield what the network asks of each customer, by id; read to the end, or close it."""
    if known_at is not None:
        return own_facts(rows_of(answers.book(NETWORK, known_at, customer_ids)), AS_IT_IS)
    stored = answers.parts.views.stored(NETWORK.name, customer_ids=customer_ids)
    return own_facts(stored, _READERS)


def network_of(
    answers: Answers, as_of: date, currency: str | None, known_at: Instant | None = None
) -> tuple[Network, str]:
    """Return the network of a date and the currency of its amounts.

    Raises `CurrencyNeededError`, `CurrencyUnknownError`.
    """
    there: set[str] = set()

    def nodes() -> Iterator[Node]:
        for facts in facts_of(answers, known_at):
            there.update(facts.currencies())
            yield node_of(facts, as_of, currency or min(there, default=""))

    network = Network(nodes())
    return network, chosen(sorted(there), currency)


def network_rows_of(
    answers: Answers, as_of: date, currency: str | None, known_at: Instant | None = None
) -> Iterator[NetworkRow]:
    """Return the rows of the `network` export, for a command that does nothing else.

    Raises `CurrencyNeededError`, `CurrencyUnknownError`.
    """
    with search_for_cycles_of_new_objects(SEARCH_AFTER_OBJECTS):
        return network_of(answers, as_of, currency, known_at)[0].rows()


def circle_rows_of(
    answers: Answers, as_of: date, currency: str | None, known_at: Instant | None = None
) -> Iterator[CircleRow]:
    """Return the rows of the `circles` export."""
    book, told = _guarantees(answers, currency, known_at)
    return circle_rows(book, as_of, told)


def _guarantees(
    answers: Answers, currency: str | None, known_at: Instant | None = None
) -> tuple[Book, str]:
    """Return a book of guarantees alone, which circles and groups are made of; the currency."""
    if known_at is not None:
        book = answers.book(GUARANTEES, known_at)
        return book, currency_of(book, currency)
    there: set[str] = set()

    def rows() -> Iterator[tuple[Key, Row]]:
        for customer_id, kind, id_, value in answers.parts.views.stored(GUARANTEES.name):
            if kind in _CURRENCY_READERS:
                there.add(_CURRENCY_READERS[kind](value).currency)
            elif kind == "guarantee":
                yield (customer_id, kind, id_), unpack_row(kind, value)

    book = Book.from_rows(rows())
    return book, chosen(sorted(there), currency)
