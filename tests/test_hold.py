from __future__ import annotations

from dataclasses import replace

from domain.account import AccountOpened
from domain.errors import (
    AnotherCurrencyError,
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    NotPositiveError,
    UnknownAccountError,
    UnknownHoldError,
    UnknownLoanError,
)
from domain.hold import HoldPlaced, HoldReleased, PlaceHold, ReleaseHold
from domain.relationship import RelationshipForgotten
from tests.spec import given, on, opened
from tests.test_loan import approved

DAY = on("1994-03-01")
ada = opened("C1")
account = AccountOpened(
    customer_id="C1", account_id="A1", kind="term", currency="CZK", opened_on=DAY
)
forgotten = RelationshipForgotten(customer_id="C1", forgotten_on=DAY, reason="asked")
place = PlaceHold(
    hold_id="H1",
    account_id="A1",
    placed_on=DAY,
    amount=5_000,
    currency="CZK",
    basis="pledge",
    loan_id="L1",
    contract_id="P-1",
)
placed = HoldPlaced(
    customer_id="C1",
    hold_id="H1",
    account_id="A1",
    placed_on=DAY,
    amount=5_000,
    currency="CZK",
    basis="pledge",
    loan_id="L1",
    contract_id="P-1",
)
release = ReleaseHold(hold_id="H1", released_on=on("1994-04-01"))
released = HoldReleased(
    customer_id="C1", hold_id="H1", account_id="A1", released_on=on("1994-04-01")
)


def test_a_hold_is_recorded_under_the_account_s_customer() -> None:
    given(ada, approved, account).when(place).then(placed)


def test_a_hold_without_any_basis_is_recorded_all_the_same() -> None:
    bare = replace(place, basis="none", loan_id=None, contract_id=None)
    given(ada, account).when(bare).then(
        replace(placed, basis="none", loan_id=None, contract_id=None)
    )


def test_a_hold_is_on_a_known_account_in_its_currency_for_a_known_loan() -> None:
    given(ada, approved).when(place).then_refused(UnknownAccountError, "account_id")
    given(ada, account).when(place).then_refused(UnknownLoanError, "loan_id")
    told = given(ada, approved, account)
    told.when(replace(place, currency="EUR")).then_refused(AnotherCurrencyError, "currency")
    told.when(replace(place, amount=0)).then_refused(NotPositiveError, "amount")
    told.and_given(forgotten).when(place).then_refused(CustomerForgottenError, "customer_id")


def test_a_hold_is_placed_once() -> None:
    told = given(ada, approved, account, placed)
    told.when(replace(place, amount=1)).then_refused(KeyConflictError, "hold_id")


def test_a_hold_is_released_and_the_last_day_told_counts() -> None:
    told = given(ada, approved, account, placed)
    told.when(release).then(released)
    told.and_given(released).when(release).then_nothing()
    later = on("1994-05-01")
    told.and_given(released).when(replace(release, released_on=later)).then(
        replace(released, released_on=later)
    )


def test_a_release_is_of_a_known_hold_and_not_before_it() -> None:
    given(ada, account).when(release).then_refused(UnknownHoldError, "hold_id")
    told = given(ada, approved, account, placed)
    told.when(replace(release, released_on=on("1994-02-28"))).then_refused(
        DatesOutOfOrderError, "released_on"
    )
    told.and_given(forgotten).when(release).then_refused(CustomerForgottenError, "customer_id")
