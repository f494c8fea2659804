"""The rules of partners' admission, each version from its first day on.

They are data: `infra/rules/data/partner.toml` holds the ones in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the reader of the file needs the types

from domain.partner import AdmissionSubject  # noqa: TC001 - the same
from projections.allowed import Count, Months, require, require_once
from projections.network_rules import check_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """A check that has to have passed, how long it is good for, and the bounds of its figure.

    The day of so many months ago is included; in a shorter month it is the last. No other check
    of a version has its subject, and `at_least` is not above `at_most`.
    """

    subject: AdmissionSubject
    valid_months: Months
    at_most: int | None = None
    at_least: int | None = None

    def __post_init__(self) -> None:
        low, high = self.at_least, self.at_most
        if low is not None and high is not None:
            require(low <= high, f"at_least: {low} is above at_most {high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRules:
    """One version."""

    version: Count
    in_force_from: date
    admission: tuple[Required, ...]

    def __post_init__(self) -> None:
        require_once("admission", [required.subject for required in self.admission])


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRulesFile:
    """All versions, in order: one at least, each with a greater number and from a later day on."""

    versions: tuple[PartnerRules, ...]

    def __post_init__(self) -> None:
        check_order(self.versions)
