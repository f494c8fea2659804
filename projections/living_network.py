"""The referral network of a date that moves on, kept right one customer at a time."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from projections.network_node import node_of
from projections.referral_network import Network

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from projections.network_node import Node, OwnFacts


class LivingNetwork:
    """The network, the currencies it holds, and who is to be looked at again on which day.

    Amounts are in the currency told, else in the first one there is.
    """

    def __init__(self, facts: Iterable[OwnFacts], as_of: date, currency: str | None) -> None:
        self.as_of = as_of
        self.currency = currency or ""
        self.currencies: set[str] = set()
        self._again: list[tuple[date, str]] = []
        self.network = Network(map(self._node, facts))

    def put(self, facts: OwnFacts) -> None:
        """Take in all facts of a customer, some of which are new."""
        self.network.put(self._node(facts))

    def move(self, as_of: date) -> set[str]:
        """Go to a later date; return whose facts change something by then: put them."""
        assert as_of >= self.as_of, "what was true on earlier days is not kept"
        self.as_of = as_of
        again = set()
        while self._again and self._again[0][0] <= as_of:
            again.add(heappop(self._again)[1])
        return again

    def _node(self, facts: OwnFacts) -> Node:
        self.currencies |= facts.currencies()
        self.currency = self.currency or min(self.currencies, default="")
        if on := facts.next_change(self.as_of):
            heappush(self._again, (on, facts.customer_id))
        return node_of(facts, self.as_of, self.currency)
