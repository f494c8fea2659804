"""What a test rests on can be hashed again by who reads `docs/close.md` and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.commitment import Terms
from domain.compliance import tests as assessed
from domain.inputs import inputs_of
from domain.reported import CommitmentTested
from projections.deposit_compliance import deposits_of
from projections.facts import Waiver
from tests.closing_ledger import K1, amending, balances, close, identities, new_bank, settings_of
from tests.compliance_book import HUNDRED, agreed, book, march
from tests.write_side import ACCOUNT, DRAW, LOAN, RELATIONSHIP, REPAYMENT, told

if TYPE_CHECKING:
    from infra.ledger import Told
    from projections.facts import Commitment

PAGE = (Path(__file__).parent.parent / "docs" / "close.md").read_text("utf-8")
[SECTION] = re.findall(r"## The inputs of a test\n(.*?)\n## ", PAGE, re.DOTALL)
EXAMPLE = re.findall(r"^    (.+)$", SECTION.partition("An example.")[2], re.MULTILINE)
FACTS = 20  # of the example: ten balances, and ten lines more
DAYS = {  # the balances of the example, in minor units
    "A1": {"02-28": 190, "02-29": 190, "03-01": 170, "03-03": 150, "03-04": 150, "03-05": 0}
    | {"03-06": 168, "03-07": 170, "03-08": 999},
    "A2": {"03-03": 5, "03-05": 5},
}
K2 = K1 | {
    "commitment_id": "K2",
    "loan_id": "L1",
    "starts_on": "2024-02-28",
    "requirement_kind": "percent_of_outstanding",
    "requirement_value": "20",
    "cure_days": "2",
    "grace_days": "1",
    "missing_days": "2",
    "netting": "carry_surplus",
    "consequence_kind": "rate_surcharge_bp",
    "consequence_value": "50",
}
AMENDED = {
    "accounts": "A1 A2@2024-03-03/2024-03-31",
    "seasonal_profile": "100 100 90 100 100 100 100 100 100 100 100 100",
    "cap_percent": "150",
}


def commands() -> list[Told]:
    """The facts of the example, as the ledger is told them."""
    amended = amending(K2)
    days = {"amended_on": "2024-03-02", "effective_on": "2024-03-03", "reason": "second account"}
    wrong = {"draw_id": "W2", "drawn_on": "2024-01-05", "amount": "50.00"}
    taken_back = {"draw_id": "W2", "reversed_on": "2024-01-08"}
    return [
        told("open-relationship", RELATIONSHIP | {"customer_id": "C2"}),
        told("open-account", ACCOUNT | {"customer_id": "C2", "account_id": "A2"}),
        told("approve-loan", LOAN),
        told("draw-loan", DRAW),
        told("draw-loan", DRAW | wrong),
        told("reverse-draw", taken_back),
        told("repay-loan", REPAYMENT | {"paid_on": "2024-02-05"}),
        told("agree-commitment", K2),
        told("amend-commitment", amended | AMENDED | days),
        *(
            one
            for account_id, held in DAYS.items()
            for day, amount in held.items()
            for one in balances(
                f"{amount}.00", account_id=account_id, first=date.fromisoformat(f"2024-{day}")
            )
        ),
    ]


def by_the_page() -> list[str]:
    """The lines of the example, by the rules of the page from the facts it tells."""
    first, last, cured = date(2024, 3, 1), date(2024, 3, 4), date(2024, 3, 7)
    before: dict[str, Any] = {
        "starts_on": "2024-02-28",
        "ends_on": last,
        "metric": "average",
        "window": "month",
        "requirement_kind": "percent_of_outstanding",
        "requirement_value": 200_000,
        "currency": "CNY",
        "cure_days": 2,
        "consequence_kind": "rate_surcharge_bp",
        "consequence_value": 5_000,
        "accounts": [],
        "seasonal_profile": [],
        "cap_ppm": None,
        "grace_days": 1,
        "netting": "carry_surplus",
        "missing_days": 2,
    }
    after = before | {
        "accounts": ["A1@/", "A2@2024-03-03/2024-03-31"],
        "seasonal_profile": [1_000_000, 1_000_000, 900_000, *[1_000_000] * 9],
        "cap_ppm": 1_500_000,
    }
    lines = [f"window {first} {last}", "surplus 2000"]
    for day, terms in (("2024-03-01", before), ("2024-03-03", after)):
        told_as = " ".join(f"{name}={text(value)}" for name, value in terms.items())
        lines.append(f"terms from {day} {told_as}")
    for account_id, held in DAYS.items():
        lines.append(f"account {account_id} opened 2024-01-02")
        days = [first + timedelta(day) for day in range(-2, (cured - first).days + 1)]
        while f"{days[0]:%m-%d}" not in held:
            del days[0]
        amounts = (held.get(f"{day:%m-%d}") for day in days)
        seen = " ".join("-" if amount is None else f"{amount * 100}" for amount in amounts)
        lines.append(f"balances {account_id} {days[0]} {seen}")
    for day, drawn, repaid in (
        ("01-04", 100_000, 0),
        ("01-05", 5_000, 0),
        ("01-08", -5_000, 0),
        ("02-05", 0, 10_000),
    ):
        lines.append(f"debt 2024-{day} drawn {drawn} repaid {repaid}")
    return sorted(lines)


def text(value: object) -> str:
    if isinstance(value, list):
        return "[" + ",".join(map(str, value)) + "]"
    return "" if value is None else str(value)


def hashed(lines: list[str]) -> str:
    return sha256("\n".join(sorted(lines)).encode()).hexdigest()


def test_the_example_of_the_page_follows_from_its_rules() -> None:
    assert by_the_page() == EXAMPLE
    assert f"these {len(EXAMPLE)} lines, which tell {FACTS} facts" in SECTION
    assert f"the SHA-256 `{hashed(EXAMPLE)}`" in SECTION


def test_a_close_rests_on_the_lines_of_the_page(tmp_path: Path) -> None:
    with new_bank(settings_of(tmp_path), *commands()) as parts:
        close(parts, date(2024, 3, 8), carry=True)
        [tested] = [
            event
            for _, event in identities(parts)
            if isinstance(event, CommitmentTested)
            and (event.commitment_id, event.window_start) == ("K2", date(2024, 3, 1))
        ]
    assert (tested.outcome, tested.shortfall, tested.surplus) == ("cured", 1_400, 2_000)
    assert tested.cured_on == date(2024, 3, 7)
    assert (tested.inputs_count, tested.inputs_sha256) == (FACTS, hashed(EXAMPLE))


def test_the_page_names_the_fields_of_the_terms_in_their_order() -> None:
    [names] = re.findall(r"in this order: `([^`]+)`", SECTION)
    assert names.split() == [field.name for field in fields(Terms)]


def test_the_line_of_terms_names_each_of_their_fields() -> None:
    [line] = [each for each in rests_on(agreed(HUNDRED), 31) if each.startswith("terms")]
    assert re.findall(r"(\w+)=", line) == [field.name for field in fields(Terms)]


def rests_on(commitment: Commitment, day: int, *held: int) -> list[str]:
    """The lines of the first window's test as of a day of March, balances from the 1st on."""
    found = book(commitment, {"A1": held})
    deposits = list(deposits_of(found, "C1", commitment, march(day)))
    return inputs_of(next(assessed(commitment, deposits, (), march(day))), deposits, ()).lines


def observed(lines: list[str]) -> int:
    """How many days of March are told of A1, from the first on."""
    [line] = [line for line in lines if line.startswith(f"balances A1 {march(1)} ")]
    return line.count(" 90")


def test_the_balances_begin_with_the_first_observed_and_none_is_no_line() -> None:
    graceful = agreed(replace(HUNDRED, grace_days=5, cure_days=0))
    found = book(graceful, {"A1": (None, 90, None), "A2": (None,) * 4})
    deposits = list(deposits_of(found, "C1", graceful, march(4)))
    [test] = assessed(graceful, deposits, (), march(4))
    inputs = inputs_of(test, deposits, ())
    told_of = [line for line in inputs.lines if line.startswith("balances")]
    assert told_of == [f"balances A1 {march(2)} 90 - -"]
    assert inputs.facts == len(inputs.lines)


def test_the_days_of_a_balance_reach_as_far_as_the_page_says() -> None:
    graceful = agreed(replace(HUNDRED, grace_days=2, cure_days=0))
    for day, last in ((4, 4), (6, 4), (7, 6), (20, 6)):  # in grace, then breached
        assert observed(rests_on(graceful, day, *[90] * 20)) == last
    for day, last in ((4, 4), (6, 6), (20, 7)):  # in cure, then breached
        assert observed(rests_on(agreed(HUNDRED), day, *[90] * 20)) == last


def test_a_waived_window_says_so_in_a_bare_word() -> None:
    forgiven = replace(agreed(HUNDRED), waivers=(Waiver(march(1), march(1), march(1)),))
    plain, waived = rests_on(agreed(HUNDRED), 4, 0), rests_on(forgiven, 4, 0)
    assert sorted([*plain, "waived"]) == waived
