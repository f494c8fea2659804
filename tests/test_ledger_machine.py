"""A random life of the ledger, checked against plain models that do not fold its events.

Referrals: the model knows what was told, and works out who stands above whom for every single
day, where the rule works with stretches of days. Money: two dictionaries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.account import BalanceCorrected, BalanceObserved, OpenAccount, RecordBalance
from domain.deciding import Command, content, decide, evolve_stream, natural_key
from domain.errors import RefusedError
from domain.loan_rules import ApproveLoan, DrawLoan, RepayLoan, ReverseDraw, ReverseRepayment
from domain.referral_rules import (
    ConvertReferral,
    DeclineReferral,
    IntroduceReferral,
    LapseReferral,
)
from tests.spec import MemoryWorld, opened

if TYPE_CHECKING:
    from domain.catalogue import Event
    from domain.referral import Outcome

FIRST = date(2024, 1, 1)
DAYS = 6
EVER_AFTER = DAYS  # the model's last day stands for all later ones
CUSTOMERS = ["C0", "C1", "C2", "C3"]
days = st.integers(0, DAYS - 1)
customers = st.sampled_from(CUSTOMERS)
prospects = st.sampled_from([*CUSTOMERS, "P"])
referral_ids = st.sampled_from([f"R{n}" for n in range(8)])
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(["converted", "declined", "lapsed"])


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


class Ledger:
    """What the shell does: the same content again is nothing, else a decision."""

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.world = MemoryWorld()
        self.contents: dict[str, object] = {}

    def append(self, *events: Event) -> None:
        self.log.extend(events)
        self.world.record(*events)

    def tell(self, command: Command) -> tuple[Event, ...] | None:
        """Return the events, or None where the command was refused."""
        key = natural_key(command)
        told = content(command)
        if key is not None and self.contents.get(key) == told:
            return ()
        try:
            events = decide(command, self.world)
        except RefusedError:
            return None
        self.append(*events)
        if key is not None:
            self.contents[key] = told
        return events

    def is_what_its_log_says(self) -> None:
        again = MemoryWorld(self.log)
        for stream, state in self.world.states.items():
            assert again.states[stream] == state
            assert evolve_stream(stream, [], state) == state


@dataclass(frozen=True)
class Told:
    """A referral as the model knows it: days are numbers."""

    referrer: str
    prospect: str
    introduced: int
    outcome: str | None = None
    outcome_day: int = 0


class ReferralMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.told: dict[str, Told] = {}
        self.rows: dict[str, Told] = {}
        self.accounts: dict[str, list[int]] = {}
        self.late_business = False

    @initialize()
    def customers_exist(self) -> None:
        self.ledger.append(*(opened(customer) for customer in CUSTOMERS))

    # The model.

    def live_days(self, told: Told) -> set[int]:
        every = set(range(told.introduced, EVER_AFTER + 1))
        if told.outcome in {None, "converted"}:
            return every
        first = min(self.accounts.get(told.prospect, []), default=None)
        if first is not None and told.introduced <= first <= told.outcome_day:
            return every
        return {number for number in every if number < told.outcome_day}

    def above(self, customer: str, number: int, without: str) -> set[str]:
        """Return everybody above a customer on one day."""
        found: set[str] = set()
        waiting = [customer]
        while waiting:
            here = waiting.pop()
            for key, told in self.told.items():
                if key != without and told.prospect == here and number in self.live_days(told):
                    if told.referrer not in found:
                        waiting.append(told.referrer)
                    found.add(told.referrer)
        return found

    def fits(self, key: str, told: Told) -> bool:
        before = self.told.get(key)
        live = self.live_days(told)
        if before is not None and live <= self.live_days(before):
            return True
        for number in live:
            for other, known in self.told.items():
                same = other != key and known.prospect == told.prospect
                if same and number in self.live_days(known):
                    return False
            if told.prospect in self.above(told.referrer, number, without=key):
                return False
        return True

    def expected(self, key: str, row: Told) -> bool:  # noqa: PLR0911 - one a rule
        """Return whether a row is taken."""
        known = self.told.get(key)
        if row.referrer == row.prospect or row.referrer not in CUSTOMERS:
            return False
        if row.outcome is not None and row.outcome_day < row.introduced:
            return False
        if known is None:
            return self.fits(key, row)
        if self.rows.get(key) == row:
            return True
        if replace(known, outcome=None, outcome_day=0) != replace(
            row, outcome=None, outcome_day=0
        ):
            return False
        if row.outcome is None:
            return known.outcome is None
        return self.fits(key, row)

    # What happens.

    @rule(
        key=referral_ids,
        referrer=prospects,
        prospect=prospects,
        introduced=days,
        outcome=st.none() | outcomes,
        outcome_day=days,
    )
    def introduce(
        self,
        key: str,
        referrer: str,
        prospect: str,
        introduced: int,
        outcome: Outcome | None,
        outcome_day: int,
    ) -> None:
        row = Told(referrer, prospect, introduced, outcome, outcome_day if outcome else 0)
        taken = self.expected(key, row)
        again = self.rows.get(key) == row
        events = self.ledger.tell(
            IntroduceReferral(
                referral_id=key,
                referrer_id=referrer,
                prospect_id=prospect,
                introduced_on=day(introduced),
                via="customer",
                by="RM-1",
                branch="D1",
                outcome=outcome,
                outcome_on=day(outcome_day) if outcome else None,
            )
        )
        assert (events is not None) == taken
        if taken and not again:
            self.told[key] = self.rows[key] = row

    @rule(key=referral_ids, outcome=outcomes, number=days)
    def conclude(self, key: str, outcome: str, number: int) -> None:
        known = self.told.get(key)
        command: Command
        match outcome:
            case "converted":
                command = ConvertReferral(referral_id=key, converted_on=day(number))
            case "declined":
                command = DeclineReferral(referral_id=key, declined_on=day(number), reason="")
            case _:
                command = LapseReferral(referral_id=key, lapsed_on=day(number))
        events = self.ledger.tell(command)
        if known is None or number < known.introduced:
            assert events is None
            return
        concluded = replace(known, outcome=outcome, outcome_day=number)
        assert (events is not None) == self.fits(key, concluded)
        if events is not None:
            self.told[key] = concluded

    @rule(customer=customers, number=days)
    def open_account(self, customer: str, number: int) -> None:
        accounts = self.accounts.setdefault(customer, [])
        command = OpenAccount(
            account_id=f"{customer}-{len(accounts)}",
            customer_id=customer,
            kind="current",
            currency="CNY",
            opened_on=day(number),
        )
        assert self.ledger.tell(command)
        accounts.append(number)
        if any(told.prospect == customer and told.outcome for told in self.told.values()):
            self.late_business = True  # may revive what had ended: recorded all the same

    @invariant()
    def a_prospect_has_one_referrer_and_nobody_stands_above_themselves(self) -> None:
        if self.late_business:
            return
        for number in range(EVER_AFTER + 1):
            live = [told for told in self.told.values() if number in self.live_days(told)]
            assert len({told.prospect for told in live}) == len(live)
            for told in live:
                assert told.prospect not in self.above(told.prospect, number, without="")

    @invariant()
    def the_states_are_what_the_log_says(self) -> None:
        self.ledger.is_what_its_log_says()


amounts = st.integers(-2, 3)
short_ids = st.sampled_from(["1", "2", "3"])


class MoneyMachine(RuleBasedStateMachine):
    """Loans L1 and L2, accounts A1 and A2, in CNY, of one customer."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.draws: dict[str, tuple[str, int, int]] = {}
        self.repayments: dict[str, tuple[str, int, int, int]] = {}
        self.reversed_draws: set[str] = set()
        self.reversed_repayments: set[str] = set()
        self.balances: dict[tuple[str, int], int] = {}

    @initialize()
    def a_customer_has_loans_and_accounts(self) -> None:
        self.ledger.append(opened("C0"))
        for number in ("1", "2"):
            self.ledger.tell(
                ApproveLoan(
                    loan_id=f"L{number}",
                    customer_id="C0",
                    approved_on=day(2),
                    principal=2,
                    currency="CNY",
                    term_months=12,
                    annual_rate="0",
                    repayment="bullet",
                    purpose="stock",
                )
            )
            self.ledger.tell(
                OpenAccount(
                    account_id=f"A{number}",
                    customer_id="C0",
                    kind="current",
                    currency="CNY",
                    opened_on=day(2),
                )
            )

    @rule(key=short_ids, loan=short_ids, number=days, amount=amounts)
    def draw(self, key: str, loan: str, number: int, amount: int) -> None:
        row = (f"L{loan}", number, amount)
        taken = self.draws.get(key, row) == row and loan != "3" and amount > 0
        events = self.ledger.tell(
            DrawLoan(
                draw_id=key,
                loan_id=f"L{loan}",
                drawn_on=day(number),
                amount=amount,
                currency="CNY",
            )
        )
        assert (events is not None) == taken
        assert bool(events) == (taken and key not in self.draws)
        if taken:
            self.draws[key] = row

    @rule(key=short_ids, number=days)
    def reverse_draw(self, key: str, number: int) -> None:
        known = self.draws.get(key)
        taken = known is not None and key not in self.reversed_draws and known[1] <= number
        events = self.ledger.tell(ReverseDraw(draw_id=key, reversed_on=day(number)))
        assert bool(events) == taken
        if taken:
            self.reversed_draws.add(key)

    @rule(key=short_ids, loan=short_ids, number=days, principal=amounts, interest=amounts)
    def repay(self, key: str, loan: str, number: int, principal: int, interest: int) -> None:
        row = (f"L{loan}", number, principal, interest)
        something = principal >= 0 and interest >= 0 and principal + interest > 0
        taken = self.repayments.get(key, row) == row and loan != "3" and something
        events = self.ledger.tell(
            RepayLoan(
                repayment_id=key,
                loan_id=f"L{loan}",
                paid_on=day(number),
                principal=principal,
                interest=interest,
                currency="CNY",
            )
        )
        assert (events is not None) == taken
        assert bool(events) == (taken and key not in self.repayments)
        if taken:
            self.repayments[key] = row

    @rule(key=short_ids, number=days)
    def reverse_repayment(self, key: str, number: int) -> None:
        known = self.repayments.get(key)
        taken = known is not None and key not in self.reversed_repayments and known[1] <= number
        events = self.ledger.tell(ReverseRepayment(repayment_id=key, reversed_on=day(number)))
        assert bool(events) == taken
        if taken:
            self.reversed_repayments.add(key)

    @rule(account=short_ids, number=days, amount=amounts, currency=st.sampled_from(["CNY", "EUR"]))
    def record_balance(self, account: str, number: int, amount: int, currency: str) -> None:
        key = (f"A{account}", number)
        events = self.ledger.tell(
            RecordBalance(
                account_id=key[0],
                business_date=day(number),
                ledger_balance=amount,
                currency=currency,
            )
        )
        if account == "3" or currency == "EUR":
            assert events is None
            return
        assert events is not None
        kind = BalanceCorrected if key in self.balances else BalanceObserved
        changed = self.balances.get(key) != amount
        assert [type(event) for event in events] == [kind] * changed
        self.balances[key] = amount

    @invariant()
    def the_states_are_what_the_log_says(self) -> None:
        self.ledger.is_what_its_log_says()


TestReferrals = ReferralMachine.TestCase
TestReferrals.settings = settings(stateful_step_count=30)
TestMoney = MoneyMachine.TestCase
TestMoney.settings = settings(stateful_step_count=30)
