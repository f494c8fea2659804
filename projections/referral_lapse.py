"""Which referrals have lapsed by time: nothing came of them in the days that the rule gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.referral import Via  # noqa: TC001 - the reader of the file needs the type
from domain.referral_rules import LapseOverdueReferral
from projections.allowed import Days  # noqa: TC001 - the same
from projections.book import is_forgotten, later
from projections.referral_forest import standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from projections.book import Book
    from projections.facts import Referral


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseRules:
    """The days from introduction or first contact on, and the ways that never lapse."""

    days: Days
    exempt: tuple[Via, ...] = ()

    def time_out_on(self, referral: Referral) -> date:
        """Return the day on which a referral's time runs out; a contact after it is too late."""
        on, contacted_on = later(referral.introduced_on, self.days), referral.contacted_on
        return later(contacted_on, self.days) if contacted_on and contacted_on <= on else on


def overdue(book: Book, as_of: date, rules: LapseRules) -> Iterator[LapseOverdueReferral]:
    """Yield the referrals of which nothing had come by the day on which their time ran out.

    What happened after that day changes nothing: every date from it on finds the same. Where an
    outcome was told, whatever its day, only `moved` has something to say.
    """
    for prospect_id, referral_id, on in _timed_out(book, as_of, rules):
        if book.referrals[referral_id][1].ended_on is None and any(
            stood.referral_id == referral_id and stood.converted_on is None
            for stood in standing(book, prospect_id, on)
        ):
            yield LapseOverdueReferral(referral_id=referral_id, lapsed_on=on)


def moved(book: Book, as_of: date, rules: LapseRules) -> Iterator[LapseOverdueReferral]:
    """Yield the referrals that ended on another day than the one that their contact gives.

    Only those are to be told of which the ledger knows that a rule ended them: facts do not.
    """
    for _, referral_id, on in _timed_out(book, as_of, rules):
        referral = book.referrals[referral_id][1]
        if referral.contacted_on is not None and referral.ended_on not in {None, on}:
            yield LapseOverdueReferral(
                referral_id=referral_id, lapsed_on=on, instead_of=referral.ended_on
            )


def _timed_out(book: Book, as_of: date, rules: LapseRules) -> Iterator[tuple[str, str, date]]:
    """Yield the prospect, the referral and the day, where no conversion was told."""
    for prospect_id, ids in sorted(book.referrals_of_prospect.items()):
        if is_forgotten(book, prospect_id):
            continue
        for referral_id in ids:
            referral = book.referrals[referral_id][1]
            on = rules.time_out_on(referral)
            if on <= as_of and referral.via not in rules.exempt and referral.converted_on is None:
                yield prospect_id, referral_id, on
