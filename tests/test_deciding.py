from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

from domain.account import RecordBalance
from domain.deciding import COMMANDS, Command, content, is_personal, natural_key, streams
from domain.errors import REFUSALS
from domain.finding import RaiseFound
from tests.spec import on
from tests.test_commitment import agree, stricter
from tests.test_relationship import open_ada

balance = RecordBalance(
    account_id="A1", business_date=on("1993-01-03"), ledger_balance=8, currency="CZK"
)


def test_every_command_has_one_public_name() -> None:
    assert {*COMMANDS.values(), RaiseFound} == set(get_args(Command))
    assert len({*COMMANDS.values()}) == len(COMMANDS)


def test_every_refusal_has_a_code_of_its_own_and_says_what_to_do() -> None:
    codes = [error.code for error in REFUSALS]
    assert len(set(codes)) == len(codes)
    for error in REFUSALS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)
        assert error.rule
        assert error.remedy
        assert error.__doc__


def test_the_day_of_telling_is_no_content() -> None:
    assert content(open_ada) == content(replace(open_ada, today=on("1999-01-01")))
    assert content(open_ada) != content(replace(open_ada, phone=None))


def test_content_is_plain_and_leaves_out_what_is_not_there() -> None:
    assert content(balance) == (
        "record-balance",
        ("account_id", "A1"),
        ("business_date", "1993-01-03"),
        ("ledger_balance", 8),
        ("currency", "CZK"),
    )


def test_content_reaches_into_the_terms() -> None:
    assert content(agree) != content(replace(agree, terms=stricter))


def test_a_balance_claims_its_account_and_day() -> None:
    assert natural_key(balance) == "balance:A1:1993-01-03"
    assert streams(balance) == ("account-A1",)


def test_only_rows_with_personal_fields_are_hashed_under_a_key() -> None:
    personal = {name for name, cls in COMMANDS.items() if is_personal(cls)}
    assert personal == {
        "open-relationship",
        "change-profile",
        "record-contact",
        "record-complaint",
        "describe-prospect",
    }
