"""A commitment's terms over time: on which days which hold, and what each amendment changed.

As of a date means as the rest of compliance does: what is told later is not known.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from domain.windows import stretches, told_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.commitment import Terms, TermsFrom
    from projections.facts import Commitment


class TermsStretch(NamedTuple):
    """Days, both ends included, on which the same terms are in force."""

    first: date
    last: date
    told: TermsFrom


class Amendment(NamedTuple):
    """An amendment, and the terms known when it was told that held on its day of effect."""

    told: TermsFrom
    before: Terms


def released_by(commitment: Commitment, as_of: date) -> date | None:
    """Return the day of release, None where there is none by the date."""
    released = commitment.released_on
    return released if released is not None and released <= as_of else None


def terms_in_force(commitment: Commitment, as_of: date) -> TermsFrom:
    """Return the terms in force on a date, those agreed until an amendment takes effect.

    After the end, or a release, they are the last that were.
    """
    released = released_by(commitment, as_of)
    day = released - timedelta(days=1) if released else as_of
    return _latest(told_by(commitment.terms, as_of), day)


def stretches_told(commitment: Commitment, as_of: date) -> Iterator[TermsStretch]:
    """Yield a commitment's days, past and to come, in order, by the terms in force on them."""
    known = told_by(commitment.terms, as_of)
    for stretch in stretches(commitment.terms, commitment.released_on, as_of):
        first, last = date.fromordinal(stretch.first), date.fromordinal(stretch.last)
        yield TermsStretch(first, last, _latest(known, first))


def amendments(commitment: Commitment, as_of: date) -> Iterator[Amendment]:
    """Yield the amendments told by a date, in the order in which the books know of them."""
    agreed, *amended = commitment.terms
    known = [agreed, *sorted(amended, key=lambda one: one.told_on)]
    for place, told in enumerate(known):
        if place and told.told_on <= as_of:
            before = told_by(known[:place], as_of)
            yield Amendment(told, _latest(before, told.effective_on).terms)


def _latest(known: Sequence[TermsFrom], day: date) -> TermsFrom:
    """Return the terms with the latest day of effect up to a day, else those agreed."""
    agreed, *amended = known
    begun = [one for one in amended if one.effective_on <= day]
    return begun[-1] if begun else agreed
