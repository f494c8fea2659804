"""What the edge accepts, and how it says no."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.account import RecordBalance
from domain.commitment import AgreeCommitment, CountedAccount, Terms
from domain.contact import RecordContact
from domain.deciding import COMMANDS as DOMAIN_COMMANDS
from domain.finding import RaiseFinding
from domain.loan_rules import ApproveLoan
from infra.columns import NOTE_CHARS_MAX, TEXT_CHARS_MAX
from infra.commands import FORMS
from infra.malformed import MALFORMED, MalformedError
from tests.write_side import (
    BALANCE,
    COMMANDS,
    COMMITMENT,
    CONTACT,
    FEED,
    LOAN,
    RELATIONSHIP,
)


def refused(name: str, columns: object) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        FORMS[name].command(columns)
    return caught.value


def balance(**changes: object) -> RecordBalance:
    command = FORMS["record-balance"].command({**BALANCE, **changes})
    assert isinstance(command, RecordBalance)
    return command


def terms(**changes: object) -> Terms:
    command = FORMS["agree-commitment"].command({**COMMITMENT, **changes})
    assert isinstance(command, AgreeCommitment)
    return command.terms


def test_every_command_has_a_form() -> None:
    assert list(FORMS) == list(DOMAIN_COMMANDS)


def test_every_form_has_a_json_schema() -> None:
    for form in FORMS.values():
        schema = form.model.model_json_schema()
        assert set(schema["properties"]) == {*form.required, *form.optional}
        json.dumps(schema)


@pytest.mark.parametrize(
    ("text", "currency", "minor_units"),
    [
        ("12.50", "CNY", 1250),
        ("12.5", "CNY", 1250),
        ("12", "CNY", 1200),
        ("-0.01", "CNY", -1),
        ("007", "JPY", 7),
        ("1.234", "KWD", 1234),
        (12, "CNY", 1200),
    ],
)
def test_an_amount_is_minor_units_of_its_currency(
    text: str, currency: str, minor_units: int
) -> None:
    assert balance(ledger_balance=text, currency=currency).ledger_balance == minor_units


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("ledger_balance", "12.505", "too-many-decimals"),
        ("ledger_balance", "12,50", "bad-amount"),
        ("ledger_balance", "1e3", "bad-amount"),
        ("ledger_balance", "+1", "bad-amount"),
        ("ledger_balance", ".5", "bad-amount"),
        ("ledger_balance", "5.", "bad-amount"),
        ("ledger_balance", "NaN", "bad-amount"),
        ("ledger_balance", "١٢", "bad-amount"),
        ("ledger_balance", " 12", "bad-amount"),
        ("ledger_balance", "9" * 40, "number-too-large"),
        ("ledger_balance", "9" * 20_000, "number-too-large"),
        ("ledger_balance", 12.5, "bad-json-value"),
        ("ledger_balance", True, "bad-json-value"),
        ("ledger_balance", 1 << 80, "number-too-large"),
        ("ledger_balance", {"a": 1}, "bad-json-value"),
        ("currency", "cny", "bad-currency"),
        ("currency", "RMBX", "bad-currency"),
        ("business_date", "2024-02-30", "bad-date"),
        ("business_date", "20240105", "bad-date"),
        ("business_date", "2024-W01-1", "bad-date"),
        ("business_date", "05/01/2024", "bad-date"),
        ("business_date", "0001-01-01", "bad-date"),
        ("business_date", "2024-01-05T00:00:00Z", "bad-date"),
        ("account_id", "A 1", "bad-id"),
        ("account_id", "A" * 65, "bad-id"),
        ("account_id", "A\x00", "bad-id"),
        ("account_id", "A\u200b", "bad-id"),
        ("account_id", "\ud800", "bad-id"),
        ("account_id", [["A"]], "bad-json-value"),
        ("account_id", ["A1"], "bad-json-value"),
        ("business_date", ["2024-01-05"], "bad-json-value"),
        ("colour", "red", "unknown-column"),
        ("account_id", "", "empty-value"),
    ],
)
def test_a_malformed_value_names_its_column(column: str, value: object, code: str) -> None:
    error = refused("record-balance", {**BALANCE, column: value})
    assert error.code == code
    assert column in str(error)
    assert str(error).endswith(".")


def test_a_missing_column_is_told_from_an_empty_one() -> None:
    columns = {name: value for name, value in BALANCE.items() if name != "currency"}
    error = refused("record-balance", columns)
    assert error.code == "missing-column"
    assert str(error) == f"{error.field} is required. Add it."
    assert refused("record-balance", {**columns, "currency": ""}).code == "empty-value"
    assert refused("record-balance", {**columns, "currency": None}).code == "empty-value"


def test_a_number_in_json_is_too_large_however_many_digits_it_has() -> None:
    for digits in (19, 40, 64):
        error = refused("record-balance", BALANCE | {"ledger_balance": 10**digits - 1})
        assert error.code == "number-too-large"


def test_a_text_of_blanks_is_an_empty_one() -> None:
    waiver = {
        "commitment_id": "K1",
        "waiver_id": "W1",
        "waived_on": "2024-03-05",
        "windows_from": "2024-03-01",
        "windows_to": "2024-03-01",
        "requested_by": "RM-1",
        "approved_by": "HQ-1",
        "reason": "flood",
    }
    FORMS["waive-commitment"].command(waiver)
    for blanks in (" ", "\u3000 ", "\u200b", "\ufe0f \u3164"):
        error = refused("waive-commitment", {**waiver, "approved_by": blanks})
        assert (error.code, error.field) == ("empty-value", "approved_by")
    assert balance(held=" ").held is None


@pytest.mark.parametrize("told", [None, [], "text", 1])
def test_what_is_no_map_of_columns_is_refused(told: object) -> None:
    assert refused("record-balance", told).code in MALFORMED


def test_an_empty_column_takes_the_default_and_an_explicit_0_is_0() -> None:
    assert terms(grace_days="", missing_days="", netting="").missing_days == 7
    assert terms(grace_days="0", missing_days="0").missing_days == 0
    assert terms(cap_percent="").cap_ppm is None
    assert terms(cap_percent="0").cap_ppm == 0
    assert balance(held="").held is None
    assert balance(held="0").held == 0


def test_percentages_and_basis_points_are_parts_per_million() -> None:
    agreed = terms(requirement_value="20.5", consequence_value="50.25", cap_percent="120.0001")
    assert agreed.requirement_value == 205_000
    assert agreed.consequence_value == 5_025
    assert agreed.cap_ppm == 1_200_001
    fee = terms(consequence_kind="hold_percent", consequence_value="5")
    assert fee.consequence_value == 50_000


def test_a_required_amount_is_minor_units_of_the_currency() -> None:
    agreed = terms(requirement_kind="amount", requirement_value="15000.25")
    assert agreed.requirement_value == 1_500_025


def test_no_consequence_has_no_value() -> None:
    assert terms(consequence_kind="none", consequence_value="").consequence_value == 0
    error = refused("agree-commitment", {**COMMITMENT, "consequence_value": ""})
    assert (error.code, error.field) == ("empty-value", "consequence_value")


def test_counted_accounts_have_dates_of_their_own() -> None:
    agreed = terms(accounts="A1 B@2@2024-01-01/ C3@/2024-06-30 D4@2024-01-01/2024-02-01")
    assert agreed.accounts == (
        CountedAccount(account_id="A1"),
        CountedAccount(account_id="B@2", counted_from=date(2024, 1, 1)),
        CountedAccount(account_id="C3", counted_to=date(2024, 6, 30)),
        CountedAccount(
            account_id="D4", counted_from=date(2024, 1, 1), counted_to=date(2024, 2, 1)
        ),
    )


def test_a_seasonal_profile_is_percentages_joined_by_spaces() -> None:
    assert terms(seasonal_profile=" ".join(["100"] * 11 + ["50.5"])).seasonal_profile == (
        *([1_000_000] * 11),
        505_000,
    )


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("accounts", "A1@2024-13-01/", "bad-date"),
        ("accounts", " ".join(f"A{n}" for n in range(201)), "bad-accounts"),
        ("seasonal_profile", "100 a", "bad-number"),
        ("seasonal_profile", "100.00001 100", "too-many-decimals"),
        ("cap_percent", "9" * 30, "number-too-large"),
        ("cap_percent", "abc", "bad-number"),
        ("requirement_value", "20.00001", "too-many-decimals"),
        ("consequence_value", "50.001", "too-many-decimals"),
        ("metric", "median", "bad-choice"),
        ("cure_days", "-1", "bad-number"),
        ("cure_days", "1.5", "bad-number"),
        ("cure_days", "99999999", "number-too-large"),
        ("cure_days", "", "empty-value"),
    ],
)
def test_malformed_terms_name_their_column(column: str, value: str, code: str) -> None:
    error = refused("agree-commitment", {**COMMITMENT, column: value})
    assert (error.code, error.field) == (code, column)


def test_a_contacts_day_is_the_date_as_written() -> None:
    contact = FORMS["record-contact"].command(CONTACT)
    assert isinstance(contact, RecordContact)
    assert contact.happened_on == date(2024, 3, 1)
    assert contact.happened_at == 1_709_307_000_000_000


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-01T10:00:00",
        "2024-03-01",
        "2024-03-01 10:00:00Z",
        "2024-03-01T25:00:00Z",
        "2024-03-01T10:00:00.1234567Z",
        "2024-03-01T10:00:00+25:00",
        "1709251200",
    ],
)
def test_an_instant_has_its_offset(value: str) -> None:
    assert refused("record-contact", {**CONTACT, "happened_at": value}).code == "bad-instant"


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("purpose", "two\nlines", "bad-text"),
        ("purpose", "NUL\x00", "bad-text"),
        ("purpose", "x" * (TEXT_CHARS_MAX + 1), "text-too-long"),
        ("note", "NUL\x00", "bad-text"),
        ("note", "\udfff", "bad-text"),
        ("note", "x" * (NOTE_CHARS_MAX + 1), "text-too-long"),
    ],
)
def test_text_holds_no_control_characters(column: str, value: str, code: str) -> None:
    assert refused("record-contact", {**CONTACT, column: value}).code == code


def test_a_note_may_have_lines_and_any_script() -> None:
    note = "第一行\n second\tline 🙂　end"
    contact = FORMS["record-contact"].command({**CONTACT, "note": note})
    assert isinstance(contact, RecordContact)
    assert contact.note == note


@pytest.mark.parametrize(
    ("text", "rate"), [("0.0000", "0"), ("4.3500", "4.35"), ("004", "4"), ("0.045", "0.045")]
)
def test_a_rate_has_one_spelling(text: str, rate: str) -> None:
    loan = FORMS["approve-loan"].command({**LOAN, "annual_rate": text})
    assert isinstance(loan, ApproveLoan)
    assert loan.annual_rate == rate


def test_a_birth_date_is_a_date() -> None:
    columns = {**RELATIONSHIP, "birth_date": "1970-02-31"}
    assert refused("open-relationship", columns).code == "bad-date"


FINDING = {
    "finding_id": "F1",
    "customer_id": "C1",
    "raised_on": "2024-03-31",
    "offended_on": "2024-03-21",
    "pack": "cn",
    "rule": "CN-01",
    "rule_version": "2",
    "in_force_from": "2020-06-01",
    "severity": "high",
    "facts": ["draw:D1", "balance:A1:2024-03-21"],
    "detail": "400.00 CNY more",
}


def test_a_finding_names_facts_by_their_keys_and_events_by_their_ids() -> None:
    id_ = "3c0964d2-3273-5075-95dc-a953d092b782"
    found = FORMS["raise-finding"].command({**FINDING, "events": [id_]})
    assert isinstance(found, RaiseFinding)
    assert (found.facts, found.events) == (tuple(FINDING["facts"]), (id_,))


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("facts", "gift:", "bad-fact"),
        ("facts", "nope:G1", "bad-fact"),
        ("facts", "hello", "bad-fact"),
        ("facts", "gift:G 1", "bad-fact"),
        ("facts", ["draw:D1", "hello"], "bad-fact"),
        ("events", "hello world", "bad-event-id"),
        ("events", "3C0964D2-3273-5075-95DC-A953D092B782", "bad-event-id"),
    ],
)
def test_what_is_no_fact_and_no_event_is_refused(column: str, value: object, code: str) -> None:
    error = refused("raise-finding", {**FINDING, column: value})
    assert (error.code, error.field) == (code, column)


def test_a_list_may_stand_for_several_values_and_for_no_single_one() -> None:
    assert terms(accounts=["A1", "A2"]).accounts == terms(accounts="A1 A2").accounts
    profile = ["100"] * 12
    assert terms(seasonal_profile=profile) == terms(seasonal_profile=" ".join(profile))
    remedied = {"finding_id": "F1", "remediated_on": "2024-01-05", "by": "CO-1"}
    assert refused("remediate-finding", {**remedied, "measure": ["set free"]}).code == (
        "bad-json-value"
    )


@given(
    st.sampled_from(sorted(FEED)),
    st.data(),
    st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text())),
)
def test_any_value_gives_a_command_or_a_refusal(
    kind: str, data: st.DataObject, value: object
) -> None:
    column = data.draw(st.sampled_from(sorted(FEED[kind])))
    told = FORMS[COMMANDS[kind]]
    error: MalformedError | None = None
    try:
        told.command({**FEED[kind], column: value})
    except MalformedError as caught:
        error = caught
    assert error is None or MALFORMED[error.code] is type(error)
    assert error is None or str(error)
