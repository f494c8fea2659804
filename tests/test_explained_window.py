"""A window explained day by day says what counted, of which account, seen when."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.commitment import CountedAccount
from domain.reported import CommitmentTested
from infra.audit import utc_text
from infra.composition import opened
from infra.rendering.window import days_view
from infra.reported_documents import explained_document
from projections.explained_window import (
    AccountDay,
    consequences,
    explained_days,
    window_on,
)
from tests.closing_ledger import (
    K1,
    SHORT,
    balances,
    close,
    identities,
    new_bank,
    settings_of,
    tell,
)
from tests.closing_ledger import march as bank_day
from tests.compliance_book import HUNDRED, book, march
from tests.surfaces.cli import guanxi
from tests.test_rendering import printed
from tests.write_side import told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from domain.commitment import Metric, Terms

LISTED = replace(
    HUNDRED,
    missing_days=1,
    cap_ppm=1_500_000,
    accounts=(
        CountedAccount(account_id="A1"),
        CountedAccount(account_id="B1", counted_from=march(2), counted_to=march(3)),
    ),
)


def test_each_day_names_the_accounts_that_counted_and_when_they_were_seen() -> None:
    found = book(LISTED, {"A1": (90, None, None, 80), "B1": (500, -20, 100, 500)})
    days = list(explained_days(found, "K1", march(4), march(1)))
    assert [day.accounts for day in days] == [
        (AccountDay("A1", march(1), 90),),
        (AccountDay("A1", march(1), 90), AccountDay("B1", march(2), -20)),
        (AccountDay("A1", None, None), AccountDay("B1", march(3), 100)),
        (AccountDay("A1", march(4), 80),),
    ]
    assert [(day.total, day.counted, day.carried, day.capped) for day in days] == [
        (90, 90, False, False),
        (90, 90, True, False),
        (None, None, False, False),
        (80, 80, False, False),
    ]


def test_a_day_above_the_cap_says_so() -> None:
    found = book(LISTED, {"A1": (151, 150, 90, 80), "B1": (0, 0, 0, 0)})
    days = list(explained_days(found, "K1", march(4), march(1)))
    assert [(day.total, day.counted, day.capped) for day in days][:2] == [
        (151, 150, True),
        (150, 150, False),
    ]


def test_cure_days_are_explained_under_the_terms_of_the_last_day() -> None:
    found = book(replace(LISTED, cure_days=2), {"A1": (90, 90, 90, 90, 95, 96), "B1": (0, 0, 0)})
    days = list(explained_days(found, "K1", march(6), march(1)))
    assert [(day.on, day.counted, day.cure) for day in days if day.cure] == [
        (march(5), 95, True),
        (march(6), 96, True),
    ]


def test_a_window_is_found_by_any_of_its_days() -> None:
    found = book(replace(HUNDRED, ends_on=march(61)), {"A1": (100,) * 60})
    april = window_on(found, "K1", march(40), march(61))
    assert april is not None
    assert april.result.window_start == march(32)
    last = window_on(found, "K1", march(40), None)
    assert last is not None
    assert last.result == april.result
    assert window_on(found, "K1", march(20), march(40)) is None


def test_a_breach_shows_its_cost_as_now_known() -> None:
    hold = replace(HUNDRED, consequence_kind="hold_percent", consequence_value=500_000)
    found = book(hold, {"A1": (100, 100, 100, 60)})
    [(window, cost)] = consequences(found, "K1", march(20))
    assert (window.shortfall, cost.amount) == (40, 5)
    assert list(consequences(found, "K1", march(4))) == []


NETTED = replace(
    HUNDRED,
    requirement_value=100_00,
    starts_on=march(32),
    ends_on=march(92),
    netting="carry_surplus",
)
SPARED = (*[None] * 31, *[120_00] * 30, *[90_00] * 31)


def window_lines(terms: Terms, balances: Sequence[int | None], day: int) -> list[str]:
    """The table of the window begun last by a day, as a person reads it."""
    found = book(terms, {"A1": tuple(balances)})
    test = window_on(found, "K1", march(day), None)
    assert test is not None
    days = explained_days(found, "K1", march(day), test.result.window_start)
    shown = printed(days_view(test, days, "CZK"), 100).splitlines()
    return [" ".join(line.split()) for line in shown]


def test_the_surplus_carried_in_explains_a_window_that_is_met_below_its_requirement() -> None:
    shown = window_lines(NETTED, SPARED, 92)
    assert shown[-1] == "carried in from before: 600.00"
    assert shown[3] == "2024-05-01 to 2024-05-31 A1 90.00 90.00 100.00 below"
    met = window_on(book(NETTED, {"A1": SPARED}), "K1", march(92), None)
    assert met is not None
    assert (met.result.status, met.result.shortfall) == ("met", 0)
    assert explained_document(met, [], {})["surplus"] == 600_00
    assert "carried in" not in window_lines(NETTED, SPARED, 40)[-1]


def test_an_account_observed_each_day_stands_beside_a_carried_one_without_a_day() -> None:
    terms = replace(HUNDRED, ends_on=march(31), missing_days=31)
    found = book(terms, {"A1": (90_00,) * 5, "A2": (50_00,)})
    days = explained_days(found, "K1", march(5), march(1))
    test = window_on(found, "K1", march(5), None)
    assert test is not None
    shown = [" ".join(each.split()) for each in printed(days_view(test, days, "CZK")).splitlines()]
    assert shown[3:6] == [
        "2024-03-01 A1 140.00 140.00 1.00",
        "A2",
        "2024-03-02 to 2024-03-05 A1 140.00 140.00 1.00 carried",
    ]
    assert shown[6] == "A2 of 2024-03-01"


@pytest.mark.parametrize(
    ("metric", "marks"),
    [
        ("average", ["100.00", "below"]),
        ("minimum", ["100.00", "short"]),
        ("ending", ["100.00", "below", "short"]),
    ],
)
def test_only_a_day_that_decides_alone_is_short(metric: Metric, marks: list[str]) -> None:
    terms = replace(NETTED, metric=metric, starts_on=march(1), ends_on=march(3), netting="none")
    rows = window_lines(terms, (100_00, 90_00, 90_00), 3)[3:]
    assert [row.split()[-1] for row in rows] == marks


@pytest.mark.parametrize(
    ("metric", "last"),
    [
        ("average", "below, carried, capped"),
        ("minimum", "short, carried, capped"),
        ("ending", "unknown, carried, capped"),
    ],
)
def test_a_day_that_is_carried_or_capped_says_what_it_decides_too(
    metric: Metric, last: str
) -> None:
    terms = replace(NETTED, metric=metric, starts_on=march(1), ends_on=march(3), netting="none")
    rows = window_lines(replace(terms, cap_ppm=500_000), (100_00, 90_00, None), 3)
    assert rows[-1].endswith(f"50.00 100.00 {last}")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The ledger of a bank with a breach that a late correction undid."""
    with new_bank(settings_of(tmp_path), *balances(*SHORT)) as parts:
        close(parts, bank_day(8))
        tell(parts, *balances("70.00", first=bank_day(3)))
        close(parts, bank_day(9))
    return tmp_path


def shown(folder: Path, *words: str) -> Any:  # noqa: ANN401 - any JSON document
    ledger = settings_of(folder).ledger
    answer = guanxi("show", "compliance", "K1", *words, "--ledger", ledger, "--json")
    assert answer.status == 0, answer.err
    return answer.document()


def test_what_was_reported_stands_beside_what_is_known(closed: Path) -> None:
    known = shown(closed)
    assert "reported" not in known
    assert [window["status"] for window in known["windows"]] == ["met"]
    first, second = shown(closed, "--as-reported")["reported"]
    assert (first["outcome"], first["tested_on"], first["applied"]) == (
        "breached",
        "2024-03-08",
        250,
    )
    assert (second["outcome"], second["applied"]) == ("met", 0)
    with opened(settings_of(closed)) as parts:
        tests = [
            (id_, event) for id_, event in identities(parts) if isinstance(event, CommitmentTested)
        ]
    assert [first["test_id"], second["test_id"]] == [id_ for id_, _ in tests]
    assert len(shown(closed, "--as-reported", "--as-of", "2024-03-08")["reported"]) == 1


def test_a_report_tells_which_test_it_restates_why_and_what_it_rests_on(closed: Path) -> None:
    first, second = shown(closed, "--as-reported")["reported"]
    assert (first["restates"], first["causes"], first["causes_count"]) == (None, [], 0)
    assert (second["restates"], second["causes_count"]) == (first["test_id"], 1)
    [cause] = second["causes"]
    with opened(settings_of(closed)) as parts:
        [correction] = parts.store.read(cause["position"] - 1, 1)
        _, tested = [e for e in identities(parts) if isinstance(e[1], CommitmentTested)]
    assert (correction.id, correction.type) == (cause["event_id"], "balance-corrected")
    for name in ("through", "rules_version", "inputs_count", "inputs_sha256", "surplus"):
        assert second[name] == getattr(tested[1], name)
    ledger = settings_of(closed).ledger
    text = guanxi("show", "compliance", "K1", "--as-reported", "--ledger", ledger).out
    words = " ".join(text.split())
    assert f"test {second['test_id']} of 2024-03-01, 2024-03-09" in words
    assert f"restates {first['test_id']}" in words
    assert f"causes position {correction.position}, {correction.id}" in words
    assert f"up to position {second['through']}, rules version 1" in words
    assert f"{second['inputs_count']}, SHA-256" in words


def test_a_report_tells_what_it_applied_and_what_stands_after_it(tmp_path: Path) -> None:
    with new_bank(settings_of(tmp_path), *balances(*SHORT)) as parts:
        close(parts, bank_day(7), bank_day(8))
        for day, amount in ((9, "70.00"), (10, "75.00")):
            tell(parts, *balances(amount, first=bank_day(3)))
            close(parts, bank_day(day))
    told = shown(tmp_path, "--as-reported")["reported"]
    assert [(each["outcome"], each["applied"], each["standing"]) for each in told] == [
        ("in_cure", None, None),
        ("breached", 250, 250),
        ("met", 0, 0),
        ("met", None, 0),
    ]


def test_a_report_stands_beside_the_window_of_the_same_days_only(closed: Path) -> None:
    """K1 is told late to run to the end of March, so the window that was reported is void."""
    longer = {name: value for name, value in K1.items() if name not in {"customer_id", "loan_id"}}
    del longer["agreed_on"]
    days = {"amended_on": "2024-03-10", "effective_on": "2024-03-01", "reason": "second draw"}
    with opened(settings_of(closed)) as parts:
        amendment = told("amend-commitment", longer | {"ends_on": "2024-03-31"} | days)
        tell(parts, amendment, *balances("100.00", first=bank_day(10)))
        close(parts, bank_day(10), carry=True)
    ledger = settings_of(closed).ledger
    text = guanxi("show", "compliance", "K1", "--as-reported", "--ledger", ledger).out
    rows = [line.split() for line in text.splitlines() if line.startswith("2024-03-01 2024-03-")]
    assert [row[1] for row in rows] == ["2024-03-31", *["2024-03-04"] * 3]
    assert [row[3:4] + row[-1:] for row in rows[1:]] == [
        ["breached", "–"],
        ["met", "–"],
        ["void", "–"],
    ]


def test_each_balance_is_shown_with_the_event_that_gave_it(closed: Path) -> None:
    days = shown(closed)["explained"]["days"]
    with opened(settings_of(closed)) as parts:
        for day in days:
            [account] = day["accounts"]
            [record] = parts.store.read(account["position"] - 1, 1)
            kind = "balance-corrected" if day["on"] == "2024-03-03" else "balance-observed"
            assert (record.type, record.occurred_on) == (kind, day["on"])


def test_as_known_before_a_correction_a_balance_is_shown_with_the_event_it_had_then(
    closed: Path,
) -> None:
    """The 3rd of March was corrected twice, with an instant after each telling."""
    with opened(settings_of(closed)) as parts:
        tell(parts, *balances("71.00", first=bank_day(3)))
        third = [
            record
            for record in parts.store.read_streams(["balances-A1"])["balances-A1"]
            if record.occurred_on == "2024-03-03"
        ]
    told = []
    for record in third:
        moment = utc_text(record.recorded_at)
        days = shown(closed, "--as-of", "2024-03-08", "--known-at", moment)["explained"]["days"]
        [account] = days[2]["accounts"]
        told.append((account["balance"], account["position"]))
    positions = [record.position for record in third]
    assert told == list(zip([5_000, 7_000, 7_100], positions, strict=True))
    [before, *_] = shown(closed, "--known-at", moment)["explained"]["days"]
    assert before["accounts"][0]["position"] < positions[0]


def test_a_day_in_no_window_is_a_wrong_call(closed: Path) -> None:
    ledger = settings_of(closed).ledger
    answer = guanxi(
        "show", "compliance", "K1", "--window", "2023-01-01", "--ledger", ledger, "--json"
    )
    assert answer.status != 0
    assert json.loads(answer.out)["error"]["code"] == "bad-call"


def test_a_person_reads_days_costs_and_reports(closed: Path) -> None:
    ledger = settings_of(closed).ledger
    text = guanxi("show", "compliance", "K1", "--as-reported", "--ledger", ledger).out
    assert "2024-03-01 to 2024-03-02" in text  # alike, so one line
    assert "As reported" in text
    assert "breached" in text


def test_close_answers_with_what_each_day_reported(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    with new_bank(settings, *balances(*SHORT)):
        pass
    words = ("close", "2024-03-07", "--through", "2024-03-08", "--ledger", settings.ledger)
    days = guanxi(*words, "--json").document()["closed"]
    assert [(day["business_date"], day["tested"], day["breached"]) for day in days] == [
        ("2024-03-07", 1, 0),
        ("2024-03-08", 1, 1),
    ]
    assert guanxi(*words, "--json").document() == {"closed": []}
    assert "closed already" in guanxi(*words).out
    refused = guanxi("close", "2024-03-06", "--ledger", settings.ledger, "--json")
    assert (refused.status, refused.document()["error"]["code"]) == (1, "close-out-of-order")
