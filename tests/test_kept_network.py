"""What a process keeps of the network is what a pass of its own over the view would find."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consumers.event_store import Append, NewRecord
from consumers.source import Progress
from consumers.views import Change, Waiting
from infra import kept_network
from infra.answers import Answers, CurrencyNeededError, CurrencyUnknownError
from infra.cli.settings import Settings
from infra.composition import make_ledger, opened
from infra.kept_network import KeptNetwork
from infra.network_answers import network_of
from projections.projection import NETWORK
from tests.books import CURRENCY, account, balances, customer, day, referral

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from infra.composition import Parts
    from projections.facts import Key, Row
    from projections.referral_network import NetworkRow

Fact = tuple["Key", "Row"]
AS_OF = day(9)
CONVERTED = (("P", "referral", "R-P"), referral("C1", day(1), converted_on=day(2)))
ENDED = (("P", "referral", "R-P"), referral("C1", day(1), ended_on=day(2)))


class Bank:
    """A ledger and the view of its network, which the test writes as a projector would."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.views = parts, parts.views
        self.generation = self.views.adopt(NETWORK.name, NETWORK.version, 1)
        self.kept = KeptNetwork()

    def told(self, *facts: Fact) -> None:
        """Have the ledger tell of each fact's customer, and the view hold them."""
        for (customer_id, _, _), _row in facts:
            self.parts.store.append(Append(records=[record(customer_id)]))
        self.put(*facts)

    def put(self, *facts: Fact, park: Sequence[Waiting] = (), unpark: Sequence[int] = ()) -> None:
        """Have the view hold the facts, and everything up to the ledger's end."""
        self.views.commit(
            self.generation,
            [
                Change(
                    shard=0,
                    revision=self.views.lanes(self.generation)[0].revision,
                    progress=Progress(self.parts.store.position()),
                    rows=dict(facts),
                    park=park,
                    unpark=unpark,
                )
            ],
        )

    def asked(self, as_of: date = AS_OF, currency: str | None = CURRENCY) -> list[NetworkRow]:
        with self.kept.caught_up(Answers(self.parts), as_of, currency) as (network, told):
            assert told == currency or currency is None
            return list(network.rows())

    def afresh(self, as_of: date = AS_OF, currency: str | None = CURRENCY) -> list[NetworkRow]:
        return list(network_of(Answers(self.parts), as_of, currency)[0].rows())


def record(customer_id: str) -> NewRecord:
    return NewRecord(
        id=str(uuid.uuid4()),
        type="referral-converted",
        version=1,
        stream=f"prospect-{customer_id}",
        expected_version=None,
        customer_id=customer_id,
        occurred_on=day(0).isoformat(),
        occurred_at=None,
        actor="t",
        source="t",
        correlation_id="t",
        causation_id=None,
        data=b"\x80",
    )


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    """P was brought by C1, who holds 5 in an account."""
    settings = Settings(ledger=f"sqlite:{tmp_path / 'ledger.db'}", keys=tmp_path / "keys")
    make_ledger(settings, partitions=1, topic_prefix="guanxi")
    with opened(settings) as parts:
        bank = Bank(parts)
        bank.told(
            (("C1", "customer", ""), customer()),
            (("C1", "account", "A1"), account()),
            *balances("C1", "A1", {day(0): 5}),
            (("P", "referral", "R-P"), referral("C1", day(1))),
        )
        yield bank


def test_what_the_ledger_told_of_since_is_seen_and_nothing_else_is_read(bank: Bank) -> None:
    before = bank.asked()
    bank.put(CONVERTED)
    assert bank.asked() == before  # the ledger told of nobody
    bank.told((("C2", "customer", ""), customer()))
    assert [row.customer_id for row in bank.asked()] == ["C1", "C2", "P"]
    bank.told(CONVERTED)
    assert bank.asked() == bank.afresh()
    assert bank.asked()[0].converted_descendants == 1


def test_who_was_parked_is_looked_at_again_when_let_go_though_nothing_was_told(bank: Bank) -> None:
    bank.put(park=[Waiting("P", 4, 0, b"bytes", "x", "why", 1)])
    assert bank.asked()[0].converted_descendants == 0
    bank.put(CONVERTED, unpark=[4])
    assert bank.asked()[0].converted_descendants == 1


def test_who_is_parked_is_looked_at_at_each_question(bank: Bank) -> None:
    bank.asked()
    bank.put(CONVERTED, park=[Waiting("P", 4, 0, b"bytes", "x", "why", 1)])
    assert bank.asked()[0].converted_descendants == 1


def test_a_view_that_was_built_anew_is_read_afresh(bank: Bank) -> None:
    bank.asked()
    bank.generation = bank.views.begin(NETWORK.name, NETWORK.version, 1)
    bank.put((("C9", "customer", ""), customer()))
    assert bank.views.promote(bank.generation)
    bank.generation = replace(bank.generation, live=True)
    assert [row.customer_id for row in bank.asked()] == ["C9"]


def test_a_question_about_an_earlier_day_is_answered_for_that_day(bank: Bank) -> None:
    bank.told(ENDED)
    for as_of in (day(9), day(1), day(0), day(2)):
        assert bank.asked(as_of) == bank.afresh(as_of)
    assert [len(bank.asked(day(n))) for n in (1, 2)] == [2, 1]


def test_too_far_behind_the_view_is_read_afresh(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_network, "FOLLOWED_EVENTS_MAX", 2)
    bank.asked()
    bank.put(CONVERTED)
    bank.told(*((("C2", "customer", ""), customer()) for _ in range(3)))
    assert bank.asked() == bank.afresh()


def test_of_several_currencies_each_is_answered_and_one_must_be_named(bank: Bank) -> None:
    bank.told(
        (("P", "account", "A2"), account(currency="EUR")),
        *balances("P", "A2", {day(0): 7}),
        (("P", "account", "A3"), account()),
        *balances("P", "A3", {day(0): 8}),
    )
    for currency, deposits in ((CURRENCY, 8), ("EUR", 7), (CURRENCY, 8)):
        assert bank.asked(currency=currency) == bank.afresh(currency=currency)
        assert bank.asked(currency=currency)[0].subtree_deposits == deposits
    with pytest.raises(CurrencyNeededError):
        bank.asked(currency=None)
    with pytest.raises(CurrencyUnknownError):
        bank.asked(currency="GBP")
    assert bank.asked(currency="EUR")[0].subtree_deposits == 7


def test_a_second_currency_told_of_later_must_be_chosen_from(bank: Bank) -> None:
    assert bank.asked(currency=None) == bank.afresh()
    bank.told((("P", "account", "A2"), account(currency="EUR")))
    with pytest.raises(CurrencyNeededError):
        bank.asked(currency=None)
