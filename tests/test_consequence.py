"""What a breached window costs, each amount worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.consequence import Consequence, consequence_of
from domain.requirement import Debt, Flow
from domain.windows import Stretch, Window
from tests.compliance_book import HUNDRED, march

if TYPE_CHECKING:
    from domain.commitment import ConsequenceKind, Metric

OWED = [Flow(march(1), 1_000_000, 0), Flow(march(3), 0, 400_000)]  # of 1 to 4 March


def cost(kind: ConsequenceKind, rate: int, shortfall: int, metric: Metric) -> Consequence:
    terms = replace(HUNDRED, metric=metric, consequence_kind=kind, consequence_value=rate)
    first, last = march(1).toordinal(), march(4).toordinal()
    window = Window(first, last, [Stretch(first, last, terms)], terms, follows=False)
    return consequence_of(window, shortfall, Debt.of(OWED, march(4)))


def test_a_surcharge_is_the_days_interest_on_what_is_outstanding() -> None:
    found = cost("rate_surcharge_bp", 5_000, 20, "average")  # 50 basis points
    assert found.base == 2 * 1_000_000 + 2 * 600_000
    assert (found.basis, found.divisor) == ("outstanding_balance_days", 360_000_000)
    assert found.amount == 44  # 3,200,000 · 0.5 % / 360 = 44.44


@pytest.mark.parametrize(
    ("metric", "shortfall", "base", "amount"),
    [
        ("average", 720_000, 720_000, 20),  # 720,000 · 1 % / 360 = 20
        ("average", 738_000, 738_000, 21),  # 20.5: half up
        ("average", 737_999, 737_999, 20),
        ("minimum", 180_000, 720_000, 20),  # for each of the four days
        ("ending", 180_000, 720_000, 20),
    ],
)
def test_a_deficiency_fee_is_the_days_interest_on_the_shortfall(
    metric: Metric, shortfall: int, base: int, amount: int
) -> None:
    found = cost("deficiency_fee_bp", 10_000, shortfall, metric)
    assert (found.base, found.amount) == (base, amount)


@pytest.mark.parametrize(
    ("metric", "shortfall", "amount"),
    [
        ("average", 400, 50),  # 100 a day of four; half of it
        ("average", 403, 50),  # 50.375
        ("average", 404, 51),  # 50.5: half up
        ("minimum", 100, 50),
        ("ending", 101, 51),
    ],
)
def test_a_hold_is_a_share_of_what_was_short_a_day(
    metric: Metric, shortfall: int, amount: int
) -> None:
    assert cost("hold_percent", 500_000, shortfall, metric).amount == amount


def test_no_consequence_costs_nothing() -> None:
    assert cost("none", 500_000, 20, "average").amount == 0


def test_a_repayment_of_more_than_was_drawn_leaves_nothing_outstanding() -> None:
    flows = [Flow(march(1), 100, 0), Flow(march(2), 0, 300)]
    assert Debt.of(flows, march(4)).outstanding(march(3).toordinal()) == 0
