from __future__ import annotations

from dataclasses import replace

import pytest

from domain.account import (
    AccountCommand,
    AccountOpened,
    BalanceCorrected,
    BalanceObserved,
    OpenAccount,
    RecordBalance,
)
from domain.errors import (
    AnotherCurrencyError,
    CustomerForgottenError,
    KeyConflictError,
    MalformedCurrencyError,
    NegativeError,
    TooLargeError,
    UnknownAccountError,
    UnknownCustomerError,
)
from domain.relationship import RelationshipForgotten
from tests.spec import given, on, opened

DAY = on("1993-01-03")
ada = opened("C1")
account = AccountOpened(
    customer_id="C1", account_id="A1", kind="current", currency="CZK", opened_on=DAY
)
open_account = OpenAccount(
    customer_id="C1", account_id="A1", kind="current", currency="CZK", opened_on=DAY
)
observed = BalanceObserved(
    customer_id="C1", account_id="A1", business_date=DAY, ledger_balance=80_000, currency="CZK"
)
corrected = BalanceCorrected(
    customer_id="C1", account_id="A1", business_date=DAY, ledger_balance=90_000, currency="CZK"
)
record = RecordBalance(account_id="A1", business_date=DAY, ledger_balance=80_000, currency="CZK")
forgotten = RelationshipForgotten(customer_id="C1", forgotten_on=DAY, reason="asked")


def test_an_account_is_opened() -> None:
    given(ada).when(open_account).then(account)


def test_an_account_is_opened_for_a_known_customer() -> None:
    given().when(open_account).then_refused(UnknownCustomerError, "customer_id")


def test_an_account_told_otherwise_is_a_conflict() -> None:
    command = replace(open_account, kind="savings")
    given(ada, account).when(command).then_refused(KeyConflictError, "account_id")


@pytest.mark.parametrize("currency", ["", "CZ", "czk", "CZKK", "CZK ", "CZK\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    command = replace(open_account, currency=currency)
    given(ada).when(command).then_refused(MalformedCurrencyError, "currency")


def test_a_balance_is_observed() -> None:
    given(ada, account).when(record).then(observed)


def test_a_balance_told_otherwise_is_a_correction() -> None:
    command = replace(record, ledger_balance=90_000)
    given(ada, account, observed).when(command).then(corrected)
    given(ada, account, observed, corrected).when(record).then(
        replace(corrected, ledger_balance=80_000)
    )


def test_another_days_balance_is_observed() -> None:
    command = replace(record, business_date=on("1993-01-04"))
    given(ada, account, observed).when(command).then(
        replace(observed, business_date=on("1993-01-04"))
    )


def test_an_overdrawn_balance_is_recorded() -> None:
    command = replace(record, ledger_balance=-500)
    given(ada, account).when(command).then(replace(observed, ledger_balance=-500))


def test_a_balance_before_the_account_was_opened_is_recorded() -> None:
    early = on("1992-12-31")
    command = replace(record, business_date=early)
    given(ada, account).when(command).then(replace(observed, business_date=early))


def test_what_is_held_is_recorded_and_not_negative() -> None:
    given(ada, account).when(replace(record, held=100)).then(replace(observed, held=100))
    refused = given(ada, account).when(replace(record, held=-150))
    assert refused.then_refused(NegativeError, "held").value == "-1.50 CZK"


@pytest.mark.parametrize("sign", [1, -1])
def test_a_balance_too_large_to_be_added_up_is_refused(sign: int) -> None:
    limit = replace(record, ledger_balance=sign * 10**15)
    given(ada, account).when(limit).then(replace(observed, ledger_balance=sign * 10**15))
    beyond = replace(record, ledger_balance=sign * (10**15 + 1))
    given(ada, account).when(beyond).then_refused(TooLargeError, "ledger_balance")


def test_a_balance_is_of_a_known_account_in_its_currency() -> None:
    given(ada).when(record).then_refused(UnknownAccountError, "account_id")
    command = replace(record, currency="EUR")
    given(ada, account).when(command).then_refused(AnotherCurrencyError, "currency")


def test_a_balance_needs_no_stream_but_the_accounts() -> None:
    given(ada, account, observed).when(record).then_looks_at("account-A1")


@pytest.mark.parametrize("command", [replace(open_account, account_id="A2"), record])
def test_nothing_is_recorded_about_a_forgotten_customer(command: AccountCommand) -> None:
    given(ada, account, forgotten).when(command).then_refused(
        CustomerForgottenError, "customer_id"
    )
