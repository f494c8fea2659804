"""The rules of the referral network's figures, each version from its first day on.

They are data: `infra/rules/data/network.toml` holds the ones in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the reader of the file needs the types
from typing import TYPE_CHECKING, Protocol, TypeVar

from domain.referral import Via  # noqa: TC001 - the same
from projections.allowed import (
    Count,
    Days,
    PercentIfAny,
    require_rising,
    require_some,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """How fast a conversion is forgotten, and what of it a step up the tree is worth."""

    half_life_days: Days
    depth_percent: PercentIfAny


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """How many referrals within how many days make a burst; `exempt` ways do not count."""

    days: Days
    referrals_min: Count
    exempt: tuple[Via, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionLeader:
    """How many of the people brought have to bring somebody themselves."""

    referring_children_min: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRules:
    """One version."""

    version: Count
    in_force_from: date
    influence: Influence
    burst: Burst
    opinion_leader: OpinionLeader


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRulesFile:
    """All versions, in order: one at least, each with a greater number and from a later day on."""

    versions: tuple[NetworkRules, ...]

    def __post_init__(self) -> None:
        check_order(self.versions)


class Version(Protocol):
    """A version of some rules."""

    @property
    def version(self) -> int:
        """Its number."""
        ...

    @property
    def in_force_from(self) -> date:
        """Its first day."""
        ...


AnyVersion = TypeVar("AnyVersion", bound=Version)


def version_on(versions: Sequence[AnyVersion], on: date) -> AnyVersion:
    """Return the version that began last by a day; before all of them the first."""
    return next((v for v in reversed(versions) if v.in_force_from <= on), versions[0])


def check_order(versions: Sequence[Version]) -> None:
    """Refuse rules without a version, or with versions out of order. Raises `ValueError`."""
    require_some("versions", versions)
    require_rising("versions: version", [each.version for each in versions])
    require_rising("versions: in_force_from", [each.in_force_from for each in versions])
