"""Checks on partners: an agreement without the admission that comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.partner import AdmissionSubject  # noqa: TC001 - packs are read by these
from projections.allowed import CountIfAny, MonthsIfAny, PercentOver  # noqa: TC001 - the same
from projections.partner_rules import Required
from projections.partners import lacking
from projections.policy.rules import Check, Offence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from projections.book import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Subjects that must have passed in the `months` before, and what their figures may be.

    The day of so many months ago is included; in a shorter month it is the last.
    Debts in percent of the assets, guarantees in percent of the own funds, breaches in number.
    """

    subjects: tuple[AdmissionSubject, ...]
    months: MonthsIfAny
    own_debts_max: PercentOver
    guarantees_given_max: PercentOver
    breaches_max: CountIfAny

    def required(self) -> tuple[Required, ...]:
        """Return the same as rules of admission."""
        most: dict[AdmissionSubject, int] = {
            "own_debts": self.own_debts_max,
            "guarantees_given": self.guarantees_given_max,
            "breaches": self.breaches_max,
        }
        return tuple(
            Required(subject=subject, valid_months=self.months, at_most=most.get(subject))
            for subject in self.subjects
        )


def _without_admission(book: Book, told: Admission, as_of: date) -> Iterator[Offence]:
    required = told.required()
    for partner_id, partner in book.partners.items():
        for agreement in partner.agreements:
            on = agreement.agreed_on
            lacks = lacking(partner.checks, on, required)
            if on <= as_of and lacks:
                detail = f"agreed on {on} without a sound check of {', '.join(lacks)}"
                yield Offence(partner_id, on, (f"agreement:{agreement.agreement_id}",), detail)


CHECKS: dict[str, Check[Any]] = {
    "partner_without_admission": Check(Admission, _without_admission),
}
