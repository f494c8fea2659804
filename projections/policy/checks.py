"""Every check that a rule of a pack may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.policy import (
    commitments,
    dealings,
    deposits,
    loans,
    month_end,
    partners,
    referrals,
    rewards,
)

if TYPE_CHECKING:
    from projections.policy.rules import Check

CHECKS: dict[str, Check[Any]] = {
    **loans.CHECKS,
    **commitments.CHECKS,
    **deposits.CHECKS,
    **month_end.CHECKS,
    **dealings.CHECKS,
    **partners.CHECKS,
    **referrals.CHECKS,
    **rewards.CHECKS,
}
