"""The network that is kept equals the one worked out afresh, whatever is told and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from projections.facts import Draw
from projections.living_network import LivingNetwork
from projections.network_node import AS_IT_IS, node_of, own_facts
from projections.referral_network import Network
from tests.books import CURRENCY, account, balances, customer, day, loan, referral

if TYPE_CHECKING:
    from datetime import date

    from projections.facts import Key, Row
    from projections.network_node import OwnFacts

PEOPLE = "ABCD"
people = st.sampled_from(PEOPLE)
days = st.integers(0, 12).map(day)
later = st.none() | days
numbers = st.integers(0, 2)


class KeptRight(RuleBasedStateMachine):
    """Facts come, change and go in any order, dated before or after the day that is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[Key, Row] = {}

    @initialize()
    def begin(self) -> None:
        self.living = LivingNetwork([], day(3), CURRENCY)

    def facts(self, *customer_ids: str) -> list[OwnFacts]:
        found = ((*key, self.rows[key]) for key in sorted(self.rows))
        return list(own_facts((row for row in found if row[0] in customer_ids), AS_IT_IS))

    def tell(self, *facts: tuple[Key, Row]) -> None:
        for key, row in facts:
            self.rows[key] = row
            for own in self.facts(key[0]):
                self.living.put(own)

    @rule(who=people, on=days)
    def opens(self, who: str, on: date) -> None:
        self.tell(((who, "customer", ""), customer(on)))

    @rule(who=people, by=people, number=numbers, on=days, converted_on=later, ended_on=later)
    def is_brought(
        self,
        who: str,
        by: str,
        number: int,
        on: date,
        converted_on: date | None,
        ended_on: date | None,
    ) -> None:
        row = referral(by, on, converted_on=converted_on, ended_on=ended_on)
        self.tell(((who, "referral", f"R{number}-{who}"), row))

    @rule(who=people, by=people, number=numbers, on=st.integers(0, 3).map(day))
    def is_brought_and_stays(self, who: str, by: str, number: int, on: date) -> None:
        self.is_brought(who, by, number, on, None, None)

    @rule(who=people, number=numbers, on=days)
    def opens_an_account(self, who: str, number: int, on: date) -> None:
        self.tell(((who, "account", f"A{number}-{who}"), account(on)))

    @rule(
        who=people, number=numbers, on=st.integers(-20, 40).map(day), balance=st.integers(-5, 50)
    )
    def holds(self, who: str, number: int, on: date, balance: int) -> None:
        self.tell(*balances(who, f"A{number}-{who}", {on: balance}))

    @rule(who=people, number=numbers, on=days, amount=st.integers(1, 50), reversed_on=later)
    def draws(
        self, who: str, number: int, on: date, amount: int, reversed_on: date | None
    ) -> None:
        self.tell(((who, "loan", f"L{number}-{who}"), loan(Draw("D", on, amount, reversed_on))))

    @rule(days=st.integers(0, 3))
    def days_pass(self, days: int) -> None:
        on = self.living.as_of
        moved = day((on - day(0)).days + days)
        for own in self.facts(*self.living.move(moved)):
            self.living.put(own)

    @invariant()
    def the_figures_are_those_of_a_full_pass(self) -> None:
        everybody = self.facts(*PEOPLE)
        afresh = Network(node_of(own, self.living.as_of, CURRENCY) for own in everybody)
        kept = self.living.network
        assert list(kept.rows()) == list(afresh.rows())
        for who in PEOPLE:
            assert kept.row(who) == afresh.row(who)
            assert kept.tree(who) == afresh.tree(who)


KeptRight.TestCase.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, phases=[Phase.generate]
)
TestKeptRight = KeptRight.TestCase


def test_the_first_currency_there_is_becomes_that_of_the_amounts() -> None:
    rows = [("A", "account", "A1", account())]
    assert LivingNetwork(own_facts(rows, AS_IT_IS), day(0), None).currency == CURRENCY
    assert LivingNetwork([], day(0), None).currency == ""


def test_whoever_is_told_of_ahead_is_looked_at_again_on_the_day() -> None:
    rows = [("A", "customer", "", customer(day(5)))]
    living = LivingNetwork(own_facts(rows, AS_IT_IS), day(0), CURRENCY)
    assert [living.move(day(n)) for n in (4, 5, 6)] == [set(), {"A"}, set()]


def test_who_turns_out_to_be_brought_by_another_is_below_that_one_alone() -> None:
    rows = [("P", "referral", "R1", referral("A", day(2)))]
    living = LivingNetwork(own_facts(rows, AS_IT_IS), day(9), CURRENCY)
    people = [(who, "customer", "", customer()) for who in "AB"]
    for own in own_facts(people, AS_IT_IS):
        living.put(own)
    assert [len(living.network.tree(who)) for who in "AB"] == [2, 1]
    rows = [("P", "referral", f"R{n}", referral(by, day(n))) for n, by in ((1, "B"), (2, "A"))]
    for own in own_facts(rows, AS_IT_IS):
        living.put(own)
    assert [len(living.network.tree(who)) for who in "AB"] == [1, 2]
