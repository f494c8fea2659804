"""The referral network out of its view, without a book: read a customer at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.answers import chosen
from infra.views.row_codec import reader_of
from projections.network_node import AS_IT_IS, READ, node_of, own_facts, rows_of
from projections.projection import NETWORK
from projections.referral_network import Network

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date

    from domain.values import Instant
    from infra.answers import Answers
    from projections.network_node import Node, OwnFacts

_READERS = {kind: reader_of(kind, cls) for kind, cls in READ.items()}


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
