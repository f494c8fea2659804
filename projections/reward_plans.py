"""Reward plans (奖励方案): what bringing a customer earns. They are data.

`infra/rules/data/rewards.toml` holds the ones in use, each with its versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from domain.referral import Via  # noqa: TC001 - the reader of the file needs the types
from domain.reward import Milestone, RewardBasis, RewardPayee, roles_via
from domain.values import ONE, PERCENT, minor_digits, money
from projections.allowed import (
    AmountIfAny,
    CurrencyCode,
    DaysIfAny,
    NameInOne,
    RateIfAny,
    Version,
    require,
    require_rising,
    require_some,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.values import Minor, Ppm


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The rate of what lies above an amount (minor units), up to where the next band begins.

    The first band lies above 0. Its rate, or that of any but one, may be 0: nothing below a
    threshold, nothing beyond a cap.
    """

    above: AmountIfAny
    rate_ppm: RateIfAny


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardPlan:
    """One version of a plan, in force between two dates in order, both included.

    A fixed reward (`basis` is `referral`) has an `amount` above 0 and no bands. A measured one has
    bands, the first `above` 0 and each above the one before, some `rate_ppm` above 0, and no
    amount; by a `loan` it is at the milestone `first_draw`. `base_currency` is that of the draws
    or deposits, where the reward is in another one of as many decimals: points. The first draw for
    a fixed reward is one in any currency where it is left out. `payees` and `via` have at least
    one each, and some payee is among those whom the ways let earn: who brings as `partner` is a
    `partner` or `counterparty_staff`, as `employee` an `employee`, in any other way a `customer`;
    an `employee` may have told of or seen any prospect.
    """

    id: NameInOne
    version: Version
    in_force_from: date
    in_force_to: date | None = None
    milestone: Milestone
    basis: RewardBasis
    currency: CurrencyCode
    base_currency: CurrencyCode | None = None
    amount: AmountIfAny = 0
    bands: tuple[Band, ...] = ()
    bands_are: Literal["marginal", "slab"] = "marginal"
    payees: tuple[RewardPayee, ...]
    via: tuple[Via, ...]
    claim_days: DaysIfAny
    claw_back_days: DaysIfAny

    def __post_init__(self) -> None:
        require_some("payees", self.payees)
        require_some("via", self.via)
        paid = {"employee", *(role for via in self.via for role in roles_via(via))}
        none = f"none of {', '.join(self.payees)} earns by via {', '.join(self.via)}"
        able = " or ".join(sorted(paid))
        require(not paid.isdisjoint(self.payees), f"payees: {none}; name {able}")
        ended, began = self.in_force_to, self.in_force_from
        require(
            ended is None or ended >= began,
            f"in_force_to: {ended} is before in_force_from {began}",
        )
        if self.basis == "referral":
            require(self.amount > 0, f"amount: {self.amount} is not above 0, for a fixed reward")
            require(not self.bands, "bands: a fixed reward has an amount and no bands")
        else:
            self._check_measured()

    def _check_measured(self) -> None:
        require(not self.amount, f"amount: {self.amount} is not 0: a measured reward has bands")
        require_some("bands", self.bands)
        at_draw = self.basis != "loan" or self.milestone == "first_draw"
        require(at_draw, f"milestone: {self.milestone!r} is not 'first_draw', for basis 'loan'")
        first = self.bands[0].above
        require(first == 0, f"bands: the first one lies above {first}: write above = 0")
        require_rising("bands: above", [band.above for band in self.bands])
        pays = any(band.rate_ppm for band in self.bands)
        require(pays, "bands: every rate_ppm is 0; some lies above 0")
        same = minor_digits(self.currency) == minor_digits(self.measured_in)
        other = f"{self.base_currency!r} has not as many decimals as currency {self.currency!r}"
        require(same, f"base_currency: {other}")

    @property
    def measured_in(self) -> str:
        """The currency of the draws or deposits that the plan measures."""
        return self.base_currency or self.currency

    @property
    def draws_in(self) -> str | None:
        """The currency of the draws that the plan looks at, None where it is any."""
        return self.base_currency if self.basis == "referral" else self.measured_in

    def in_force(self, on: date) -> bool:
        """Tell whether this version counts for a milestone of a day."""
        return self.in_force_from <= on <= (self.in_force_to or date.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardPlans:
    """All plans, the versions of one in order.

    Each has a greater number than the one before, and begins once that has ended.
    """

    plans: tuple[RewardPlan, ...]

    def __post_init__(self) -> None:
        latest: dict[str, RewardPlan] = {}
        for plan in self.plans:
            before = latest.get(plan.id)
            if before is not None:
                ended = before.in_force_to or date.max
                newer = plan.version > before.version and plan.in_force_from > ended
                told = f"{plan.id!r} version {plan.version} from {plan.in_force_from}"
                last = f"version {before.version} to {ended}"
                how = "it begins once the last ended, with a greater number"
                require(newer, f"plans: {told} follows {last}; {how}")
            latest[plan.id] = plan

    def in_force(self, on: date) -> Iterator[RewardPlan]:
        """Yield the version of each plan that counts on a day."""
        return (plan for plan in self.plans if plan.in_force(on))

    def version(self, id_: str, version: int) -> RewardPlan | None:
        """Return a version of a plan, None where it was taken out of the file."""
        return next((p for p in self.plans if (p.id, p.version) == (id_, version)), None)


class Earned(NamedTuple):
    """The reward of all payees together, and how it came about."""

    whole: Minor
    formula: str


def earned(plan: RewardPlan, base: Minor) -> Earned:
    """Return what a plan gives for a base (minor units): one division, rounded half up."""
    if plan.basis == "referral":
        return Earned(plan.amount, f"fixed: {money(plan.amount, plan.currency)}")
    parts = list(_parts(plan, base))
    total = sum(amount * rate for amount, rate in parts)
    whole = (2 * total + ONE) // (2 * ONE)
    steps = [f"{money(amount, plan.measured_in)} × {percent(rate)}" for amount, rate in parts]
    return Earned(whole, f"{plan.bands_are}: {' + '.join(steps)} = {money(whole, plan.currency)}")


def _parts(plan: RewardPlan, base: Minor) -> Iterator[tuple[Minor, Ppm]]:
    """Yield the amounts of the base and their rates."""
    reached = [band for band in plan.bands if band.above < base] or [plan.bands[0]]
    if plan.bands_are == "slab":
        yield base, reached[-1].rate_ppm
        return
    for band, above in zip(reached, [*(b.above for b in reached[1:]), base], strict=True):
        yield above - band.above, band.rate_ppm


def percent(rate: Ppm) -> str:
    """Return a ratio as people write it: `0.4%`."""
    return f"{(Decimal(rate) / PERCENT).normalize():f}%"
