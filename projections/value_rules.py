"""The rules of customer value (客户价值): figures that a bank sets.

They are data: `infra/rules/data/value.toml` holds the ones in use.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the reader of the file needs the types
from dataclasses import dataclass
from typing import Literal, TypeAlias

Potential: TypeAlias = Literal["none", "low", "medium", "high"]
ALL_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """The days counted, what a deposit earns a year, and the share of what was brought."""

    days: int
    year_days: int
    deposit_margin_bp: int
    brought_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The best customers, as a percentage of all."""

    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A tier, and down to which percentage of the ranking it reaches."""

    name: str
    top_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The ladder, the best tier first; how long a tier holds, and when it is looked at again."""

    valid_days: int
    review_days: int
    ladder: tuple[Rung, ...]

    def __post_init__(self) -> None:
        percents = [rung.top_percent for rung in self.ladder]
        if not percents or percents != sorted(set(percents)) or percents[-1] != ALL_PERCENT:
            message = "the ladder's top_percent rises from tier to tier, to 100"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Potentials:
    """The deposit potential of a segment, and which potentials lift a customer by one tier."""

    otherwise: Potential
    lifts: tuple[Potential, ...]
    by_segment: Mapping[str, Potential]


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """When a month is busy and when idle, against the ADB of its twelve months."""

    busy_percent: int
    idle_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """When an ADB is falling or rising, against that of as many days before."""

    days: int
    falling_percent: int
    rising_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRules:
    """All of them."""

    contribution: Contribution
    top: Top
    tier: Tiers
    potential: Potentials
    season: Season
    drift: Drift
