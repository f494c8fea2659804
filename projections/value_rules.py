"""The rules of customer value (客户价值): figures that a bank sets.

They are data: `infra/rules/data/value.toml` holds the ones in use.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the reader of the file needs the types
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from projections.allowed import (
    Between,
    Days,
    DaysIfAny,
    Name,
    Percent,
    PercentIfAny,
    require,
    require_once,
    require_rising,
    require_some,
)

Potential: TypeAlias = Literal["none", "low", "medium", "high"]
ALL_PERCENT = 100

BasisPoints: TypeAlias = Annotated[int, Between(0, 10_000)]
DaysOfYear: TypeAlias = Annotated[int, Between(360, 366)]
PercentOfAnother: TypeAlias = Annotated[int, Between(1, 1_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """The days counted, what a deposit earns in a year of so many days, the share of the brought.

    The margin is in basis points (hundredths of a percent).
    """

    days: Days
    year_days: DaysOfYear
    deposit_margin_bp: BasisPoints
    brought_percent: PercentIfAny


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The best customers, as a percentage of all."""

    percent: Percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A tier, and down to which percentage of the ranking it reaches."""

    name: Name
    top_percent: Percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The ladder, the best tier first: at least one, each of its own name.

    `top_percent` rises from tier to tier, to 100. A tier holds for `valid_days` from the day on
    which it was assigned, and is looked at again after `review_days` if it still holds then.
    """

    valid_days: Days
    review_days: DaysIfAny
    ladder: tuple[Rung, ...]

    def __post_init__(self) -> None:
        percents = [rung.top_percent for rung in self.ladder]
        require_some("ladder", percents)
        require_once("ladder", [rung.name for rung in self.ladder])
        require_rising("ladder: top_percent", percents)
        last = percents[-1]
        require(last == ALL_PERCENT, f"ladder: the last top_percent is {last}, not {ALL_PERCENT}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Potentials:
    """The deposit potential of a segment, and which potentials lift a customer by one tier."""

    otherwise: Potential
    lifts: tuple[Potential, ...]
    by_segment: Mapping[Name, Potential]


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A month is busy at `busy_percent` of the ADB of the twelve months or less.

    It is idle at `idle_percent` or more, which lies above the other.
    """

    busy_percent: PercentOfAnother
    idle_percent: PercentOfAnother

    def __post_init__(self) -> None:
        busy, idle = self.busy_percent, self.idle_percent
        require(busy < idle, f"busy_percent: {busy} is not below idle_percent {idle}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """By how much the ADB of the days falls or rises, against that of as many days before."""

    days: Days
    falling_percent: Percent
    rising_percent: PercentOfAnother


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRules:
    """The rules of customer value."""

    contribution: Contribution
    top: Top
    tier: Tiers
    potential: Potentials
    season: Season
    drift: Drift
