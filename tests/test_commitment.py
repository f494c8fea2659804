from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.account import AccountOpened
from domain.commitment import (
    AgreeCommitment,
    AmendCommitment,
    CommitmentAgreed,
    CommitmentAmended,
    CommitmentCommand,
    CommitmentReleased,
    CommitmentWaived,
    CountedAccount,
    ReleaseCommitment,
    Terms,
    WaiveCommitment,
)
from domain.errors import (
    AccountListedTwiceError,
    AnotherCurrencyError,
    CommitmentEndedError,
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    LoanOfAnotherCustomerError,
    MalformedCurrencyError,
    NegativeError,
    NotPositiveError,
    PercentageOutOfRangeError,
    RefusedError,
    SeasonalProfileError,
    TermWithoutEffectError,
    TooLargeError,
    UnknownAccountError,
    UnknownCommitmentError,
    UnknownCustomerError,
    UnknownLoanError,
    WaiverByRequesterError,
    WaiverWithoutWindowError,
)
from domain.loan import LoanApproved
from domain.relationship import RelationshipForgotten
from domain.values import ONE, PERCENT
from tests.spec import given, on, opened

loan = LoanApproved(
    loan_id="L1",
    customer_id="C1",
    approved_on=on("1993-07-05"),
    principal=9_639_600,
    currency="CZK",
    term_months=12,
    annual_rate="0",
    repayment="bullet",
    purpose="stock",
)
account = AccountOpened(
    customer_id="C1",
    account_id="A1",
    kind="current",
    currency="CZK",
    opened_on=on("1993-01-03"),
)
of_a_relative = replace(account, customer_id="C2", account_id="A2")
terms = Terms(
    starts_on=on("1993-07-05"),
    ends_on=on("1994-03-31"),
    metric="average",
    window="quarter",
    requirement_kind="percent_of_drawn",
    requirement_value=20 * PERCENT,
    currency="CZK",
    cure_days=30,
    consequence_kind="rate_surcharge_bp",
    consequence_value=5_000,
)
agree = AgreeCommitment(
    commitment_id="K1",
    customer_id="C1",
    loan_id="L1",
    agreed_on=on("1993-07-05"),
    terms=terms,
)
agreed = CommitmentAgreed(
    commitment_id="K1",
    customer_id="C1",
    loan_id="L1",
    agreed_on=on("1993-07-05"),
    terms=terms,
)
stricter = replace(terms, requirement_value=30 * PERCENT)
amend = AmendCommitment(
    commitment_id="K1",
    amended_on=on("1993-12-01"),
    effective_on=on("1994-01-01"),
    terms=stricter,
    reason="second draw",
)
amended = CommitmentAmended(
    commitment_id="K1",
    customer_id="C1",
    amended_on=on("1993-12-01"),
    effective_on=on("1994-01-01"),
    terms=stricter,
    reason="second draw",
)
waive = WaiveCommitment(
    commitment_id="K1",
    waiver_id="W1",
    waived_on=on("1994-01-15"),
    windows_from=on("1993-10-01"),
    windows_to=on("1993-12-31"),
    requested_by="RM-1",
    approved_by="HQ-1",
    reason="flood",
)
waived = CommitmentWaived(
    customer_id="C1",
    commitment_id="K1",
    waiver_id="W1",
    waived_on=on("1994-01-15"),
    windows_from=on("1993-10-01"),
    windows_to=on("1993-12-31"),
    requested_by="RM-1",
    approved_by="HQ-1",
    reason="flood",
)
release = ReleaseCommitment(
    commitment_id="K1", released_on=on("1994-02-01"), reason="loan settled"
)
released = CommitmentReleased(
    commitment_id="K1", customer_id="C1", released_on=on("1994-02-01"), reason="loan settled"
)
forgotten = RelationshipForgotten(customer_id="C1", forgotten_on=on("1999-01-01"), reason="asked")
bank = given(opened("C1"), opened("C2"), loan, account, of_a_relative)
TOO_MUCH = PercentageOutOfRangeError
BAD_TERMS: list[tuple[Terms, type[RefusedError], str]] = [
    (replace(terms, currency="czk"), MalformedCurrencyError, "currency"),
    (replace(terms, currency="EUR"), AnotherCurrencyError, "currency"),
    (replace(terms, ends_on=on("1993-07-04")), DatesOutOfOrderError, "ends_on"),
    (replace(terms, cure_days=-1), NegativeError, "cure_days"),
    (replace(terms, grace_days=-1), NegativeError, "grace_days"),
    (replace(terms, missing_days=-1), NegativeError, "missing_days"),
    (replace(terms, missing_days=2**63), TooLargeError, "missing_days"),
    (replace(terms, requirement_value=-1), TOO_MUCH, "requirement_value"),
    (replace(terms, requirement_value=10 * ONE + 1), TOO_MUCH, "requirement_value"),
    (
        replace(terms, requirement_kind="amount", requirement_value=-1),
        NotPositiveError,
        "requirement_value",
    ),
    (replace(terms, requirement_value=0), NotPositiveError, "requirement_value"),
    (replace(terms, consequence_kind="none"), TermWithoutEffectError, "consequence_value"),
    (
        replace(terms, metric="ending", netting="carry_surplus"),
        TermWithoutEffectError,
        "netting",
    ),
    (replace(terms, window="year", netting="carry_surplus"), TermWithoutEffectError, "netting"),
    (replace(terms, window="term", netting="carry_surplus"), TermWithoutEffectError, "netting"),
    (
        replace(
            terms,
            accounts=(
                CountedAccount(account_id="A2"),
                CountedAccount(account_id="A1", counted_from=on("1994-04-01")),
            ),
        ),
        TermWithoutEffectError,
        "accounts",
    ),
    (
        replace(terms, accounts=(CountedAccount(account_id="A1", counted_to=on("1993-07-04")),)),
        TermWithoutEffectError,
        "accounts",
    ),
    (replace(terms, seasonal_profile=(ONE,) * 11), SeasonalProfileError, "seasonal_profile"),
    (replace(terms, seasonal_profile=(*(ONE,) * 11, -1)), TOO_MUCH, "seasonal_profile"),
    (replace(terms, cap_ppm=-1), TOO_MUCH, "cap_percent"),
    (replace(terms, consequence_value=ONE + 1), TOO_MUCH, "consequence_value"),
    (replace(terms, consequence_value=-1), TOO_MUCH, "consequence_value"),
    (
        replace(terms, accounts=(CountedAccount(account_id="A9"),)),
        UnknownAccountError,
        "accounts",
    ),
    (
        replace(
            terms,
            accounts=(
                CountedAccount(
                    account_id="A1", counted_from=on("1994-01-02"), counted_to=on("1994-01-01")
                ),
            ),
        ),
        DatesOutOfOrderError,
        "accounts A1",
    ),
    (
        replace(
            terms,
            accounts=(
                CountedAccount(account_id="A1", counted_to=on("1994-01-01")),
                CountedAccount(account_id="A2"),
                CountedAccount(account_id="A1", counted_from=on("1994-01-01")),
            ),
        ),
        AccountListedTwiceError,
        "accounts",
    ),
]


def test_a_commitment_is_agreed() -> None:
    bank.when(agree).then(agreed)


def test_a_commitment_need_not_name_a_loan() -> None:
    bank.when(replace(agree, loan_id=None)).then(replace(agreed, loan_id=None))


def test_a_commitment_agreed_after_its_window_began_is_recorded() -> None:
    late = on("1994-06-01")
    bank.when(replace(agree, agreed_on=late)).then(replace(agreed, agreed_on=late))


def test_related_parties_accounts_count_each_with_its_own_dates() -> None:
    listed = replace(
        terms,
        accounts=(
            CountedAccount(account_id="A1", counted_to=on("1993-12-31")),
            CountedAccount(account_id="A2"),
            CountedAccount(account_id="A1", counted_from=on("1994-01-01")),
        ),
    )
    bank.when(replace(agree, terms=listed)).then(replace(agreed, terms=listed))


def test_every_option_at_its_bound_is_accepted() -> None:
    bound = replace(
        terms,
        ends_on=terms.starts_on,
        requirement_value=10 * ONE,
        cap_ppm=0,
        seasonal_profile=(*(ONE,) * 11, 0),
        consequence_kind="hold_percent",
        consequence_value=ONE,
        cure_days=0,
        missing_days=0,
    )
    bank.when(replace(agree, terms=bound)).then(replace(agreed, terms=bound))


@pytest.mark.parametrize(("bad", "error", "field"), BAD_TERMS)
def test_terms_that_cannot_be_tested_are_neither_agreed_nor_amended(
    bad: Terms, error: type[RefusedError], field: str
) -> None:
    bank.when(replace(agree, terms=bad)).then_refused(error, field)
    whenever = replace(amend, effective_on=on("1993-07-01"), terms=bad)
    bank.and_given(agreed).when(whenever).then_refused(error, field)


@pytest.mark.parametrize(
    ("bad", "value", "bounds"),
    [
        ({"seasonal_profile": (*(ONE,) * 11, 10 * ONE + 1)}, "1000.0001", "0 to 1000 percent"),
        ({"cap_ppm": 10 * ONE + 1}, "1000.0001", "0 to 1000 percent"),
        ({"requirement_value": -5_000}, "-0.5", "0 to 1000 percent"),
        ({"consequence_value": ONE + 100}, "10001", "0 to 10000 basis points"),
        (
            {"consequence_kind": "hold_percent", "consequence_value": ONE + 100},
            "100.01",
            "0 to 100 percent",
        ),
    ],
)
def test_a_percentage_out_of_its_range_is_named_as_it_was_told(
    bad: dict[str, Any], value: str, bounds: str
) -> None:
    command = replace(agree, terms=replace(terms, **bad))
    refused = bank.when(command).then_refused(
        TOO_MUCH, next(reversed(bad)).replace("ppm", "percent")
    )
    assert (refused.value, refused.detail) == (value, f"from {bounds}")


def test_an_account_in_another_currency_does_not_count() -> None:
    euros = replace(account, account_id="A3", currency="EUR")
    listed = replace(
        terms, accounts=(CountedAccount(account_id="A1"), CountedAccount(account_id="A3"))
    )
    ledger = bank.and_given(euros, agreed)
    other = replace(agree, commitment_id="K2", terms=listed)
    for command in (other, replace(amend, terms=listed)):
        refused = ledger.when(command).then_refused(AnotherCurrencyError, "accounts")
        assert (refused.value, "it is EUR" in str(refused)) == ("A3", True)


def test_a_commitment_is_for_a_known_loan_of_the_customer() -> None:
    bank.when(replace(agree, loan_id="L9")).then_refused(UnknownLoanError, "loan_id")
    bank.when(replace(agree, customer_id="C2")).then_refused(LoanOfAnotherCustomerError, "loan_id")
    bank.when(replace(agree, customer_id="C9")).then_refused(UnknownCustomerError, "customer_id")


def test_a_commitment_told_otherwise_is_a_conflict() -> None:
    command = replace(agree, terms=stricter)
    bank.and_given(agreed).when(command).then_refused(KeyConflictError, "commitment_id")


def test_a_commitment_is_amended_from_a_day_on() -> None:
    bank.and_given(agreed).when(amend).then(amended)
    bank.and_given(agreed, amended).when(amend).then_nothing()


def test_an_amendment_is_recorded_though_it_changes_nothing_by_what_is_known() -> None:
    same, back = replace(amend, terms=terms), replace(amended, terms=terms)
    bank.and_given(agreed).when(same).then(back)
    bank.and_given(agreed, amended).when(same).then(back)
    bank.and_given(agreed, amended, back).when(amend).then(amended)
    for changed in ({"effective_on": on("1994-01-02")}, {"amended_on": on("1993-12-02")}):
        told = replace(amend, **changed)  # type: ignore[arg-type]  # one of its days
        bank.and_given(agreed, amended).when(told).then(replace(amended, **changed))  # type: ignore[arg-type]  # the same


def test_an_amendment_takes_effect_before_its_terms_end() -> None:
    command = replace(amend, effective_on=on("1994-04-01"))
    bank.and_given(agreed).when(command).then_refused(DatesOutOfOrderError, "effective_on")


def test_an_amendment_keeps_the_currency_that_was_agreed() -> None:
    without_a_loan = replace(agreed, loan_id=None)
    command = replace(amend, terms=replace(stricter, currency="EUR"))
    bank.and_given(without_a_loan).when(command).then_refused(AnotherCurrencyError, "currency")


def test_an_amendment_follows_the_agreement() -> None:
    command = replace(amend, amended_on=on("1993-07-04"))
    bank.and_given(agreed).when(command).then_refused(DatesOutOfOrderError, "amended_on")


def test_an_amendment_counts_an_account_from_its_day_on() -> None:
    until = {
        day: CountedAccount(account_id="A1", counted_to=on(day))
        for day in ("1993-12-31", "1994-01-01")
    }
    another = CountedAccount(account_id="A2", counted_to=on("1993-12-30"))
    ended = replace(terms, accounts=(until["1993-12-31"], another))
    refused = (
        bank.and_given(agreed)
        .when(replace(amend, terms=ended))
        .then_refused(TermWithoutEffectError, "accounts")
    )
    assert (refused.value, refused.detail) == ("A1 A2", "none counts from 1994-01-01 on")
    one_left = replace(terms, accounts=(until["1994-01-01"], another))
    bank.and_given(agreed).when(replace(amend, terms=one_left)).then(
        replace(amended, terms=one_left)
    )


def test_windows_are_waived() -> None:
    bank.and_given(agreed).when(waive).then(waived)


def test_a_waiver_follows_the_agreement() -> None:
    ledger = bank.and_given(agreed)
    early = replace(waive, waived_on=on("1993-07-04"))
    ledger.when(early).then_refused(DatesOutOfOrderError, "waived_on")
    same_day = on("1993-07-05")
    ledger.when(replace(waive, waived_on=same_day)).then(replace(waived, waived_on=same_day))


UNSEEN = [
    f"RM-{unseen}1" for unseen in "\u200b\ufe0f\u034f\u3164\u115f\uffa0\u2800\u17b4\U000e0100"
]


def test_who_asks_for_a_waiver_does_not_approve_it() -> None:
    for spelled in ("RM-1", "rm-1", " RM-1", "RM-1 ", "\uff32\uff2d-\uff11", *UNSEEN):
        command = replace(waive, approved_by=spelled)
        bank.and_given(agreed).when(command).then_refused(WaiverByRequesterError, "approved_by")
    for spelled in ("Kim Li", "KimLi", "Kim\u3000Li"):
        blanks = replace(waive, requested_by="Kim  Li", approved_by=spelled)
        bank.and_given(agreed).when(blanks).then_refused(WaiverByRequesterError, "approved_by")
    another = replace(waived, approved_by="RM-11")
    bank.and_given(agreed).when(replace(waive, approved_by="RM-11")).then(another)


@pytest.mark.parametrize(
    ("first", "last"),
    [("1993-07-06", "1993-09-30"), ("1993-10-02", "1993-10-02"), ("1994-01-02", "9999-12-31")],
)
def test_a_waiver_within_whose_dates_no_window_begins_is_refused(first: str, last: str) -> None:
    """The windows begin on 5 July, the commitment's own first day, 1 October and 1 January."""
    within = replace(waive, windows_from=on(first), windows_to=on(last))
    bank.and_given(agreed).when(within).then_refused(WaiverWithoutWindowError, "windows_from")


def test_of_amendments_from_one_day_on_the_one_amended_last_holds_whichever_is_told_last() -> None:
    monthly = replace(amended, terms=replace(terms, window="month"), amended_on=on("1993-12-02"))
    february = replace(waive, windows_from=on("1994-02-01"), windows_to=on("1994-02-01"))
    for history in ((amended, monthly), (monthly, amended)):
        bank.and_given(agreed, *history).when(february).then(
            replace(waived, windows_from=on("1994-02-01"), windows_to=on("1994-02-01"))
        )


def test_a_waiver_is_of_windows_by_the_terms_in_force() -> None:
    january = replace(waive, windows_from=on("1994-02-01"), windows_to=on("1994-02-01"))
    expected = replace(waived, windows_from=on("1994-02-01"), windows_to=on("1994-02-01"))
    monthly = replace(amended, terms=replace(terms, window="month"))
    bank.and_given(agreed).when(january).then_refused(WaiverWithoutWindowError, "windows_from")
    bank.and_given(agreed, monthly).when(january).then(expected)
    undone = replace(amended, terms=terms)
    bank.and_given(agreed, monthly, undone).when(january).then_refused(
        WaiverWithoutWindowError, "windows_from"
    )


def test_a_waiver_covers_days_of_the_commitment() -> None:
    ledger = bank.and_given(agreed)
    before = replace(waive, windows_from=on("1993-01-01"), windows_to=on("1993-07-04"))
    ledger.when(before).then_refused(WaiverWithoutWindowError, "windows_from")
    after = replace(waive, windows_from=on("1994-04-01"), windows_to=on("1994-12-31"))
    ledger.when(after).then_refused(WaiverWithoutWindowError, "windows_from")
    longer = replace(amended, terms=replace(terms, ends_on=on("1994-12-31")))
    ledger.and_given(longer).when(after).then(
        replace(waived, windows_from=after.windows_from, windows_to=after.windows_to)
    )
    turned = replace(waive, windows_to=on("1993-09-30"))
    ledger.when(turned).then_refused(DatesOutOfOrderError, "windows_to")


def test_a_waiver_told_otherwise_is_a_conflict() -> None:
    command = replace(waive, reason="drought")
    bank.and_given(agreed, waived).when(command).then_refused(KeyConflictError, "waiver_id")


def test_a_commitment_is_released() -> None:
    bank.and_given(agreed).when(release).then(released)
    early = replace(release, released_on=on("1993-07-04"))
    bank.and_given(agreed).when(early).then_refused(DatesOutOfOrderError, "released_on")


@pytest.mark.parametrize(
    ("told_on", "effective_on"), [("1993-12-01", "1994-01-01"), ("1994-01-31", "1994-01-31")]
)
def test_what_was_amended_before_the_release_is_told_after_it(
    told_on: str, effective_on: str
) -> None:
    told, effective = on(told_on), on(effective_on)
    command = replace(amend, amended_on=told, effective_on=effective)
    bank.and_given(agreed, released).when(command).then(
        replace(amended, amended_on=told, effective_on=effective)
    )


def test_a_window_that_began_before_the_release_is_waived_whenever_it_is_told() -> None:
    ledger = bank.and_given(agreed, released)
    for told_on in ("1994-01-15", "1994-02-01", "1995-01-01"):
        ledger.when(replace(waive, waived_on=on(told_on))).then(
            replace(waived, waived_on=on(told_on))
        )
    first, last = on("1994-01-01"), on("1999-12-31")  # the window that the release cuts
    ledger.when(replace(waive, windows_from=first, windows_to=last)).then(
        replace(waived, windows_from=first, windows_to=last)
    )
    none = replace(waive, windows_from=on("1994-01-02"), windows_to=on("1994-03-31"))
    ledger.when(none).then_refused(WaiverWithoutWindowError, "windows_from")


@pytest.mark.parametrize(
    "command",
    [
        replace(amend, amended_on=on("1994-02-01")),
        replace(amend, effective_on=on("1994-02-01")),
        replace(waive, windows_from=on("1994-02-01"), windows_to=on("1994-03-31")),
        release,
        replace(release, released_on=on("1994-01-01")),
        replace(release, released_on=on("1994-03-01")),
    ],
)
def test_nothing_holds_from_the_release_on(command: CommitmentCommand) -> None:
    bank.and_given(agreed, released).when(command).then_refused(
        CommitmentEndedError, "commitment_id"
    )


def test_a_window_that_would_have_begun_after_the_release_is_not_waived() -> None:
    early = replace(released, released_on=on("1993-12-31"))
    january = replace(waive, windows_from=on("1993-12-01"), windows_to=on("1994-01-31"))
    bank.and_given(agreed, early).when(january).then_refused(CommitmentEndedError, "commitment_id")


@pytest.mark.parametrize("command", [amend, waive, release])
def test_an_unknown_commitment_is_refused(command: CommitmentCommand) -> None:
    bank.when(command).then_refused(UnknownCommitmentError, "commitment_id")


@pytest.mark.parametrize("command", [replace(agree, commitment_id="K2"), amend, waive, release])
def test_nothing_is_recorded_about_a_forgotten_customer(command: CommitmentCommand) -> None:
    bank.and_given(agreed, forgotten).when(command).then_refused(
        CustomerForgottenError, "customer_id"
    )


def test_an_account_of_a_forgotten_customer_is_not_counted_anew() -> None:
    listed = replace(terms, accounts=(CountedAccount(account_id="A2"),))
    bank.and_given(replace(forgotten, customer_id="C2")).when(
        replace(agree, terms=listed)
    ).then_refused(CustomerForgottenError, "accounts")
