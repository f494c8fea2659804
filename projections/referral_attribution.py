"""To whom a conversion is owed (转介绍归属): by the rules in force on its day.

Every referral of the prospect within the look-back days is a touch, whether it lives, was
declined or lapsed; so is a contact of the bank's with them. The shares of those who touched
first, or last, come to exactly one million parts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from domain.checks import spelled
from domain.reward import roles_via
from domain.values import ONE, apportion
from projections.allowed import (
    DaysIfAny,
    Percent,
    PercentIfAny,
    Version,
    require,
)
from projections.book import later, profile_at
from projections.network_rules import ALL_PERCENT, check_order, version_on
from projections.referral_forest import live_referral

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.reward import RewardPayee
    from domain.values import Ppm
    from projections.book import Book
    from projections.facts import Referral
    from projections.referral_forest import Standing

Touched: TypeAlias = Literal["first", "last"]
Conflict: TypeAlias = Literal["touch", "customer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Percentages of who brought the prospect, who told the bank so, and who saw the prospect.

    They come to 100. Where there is no such person, the others' shares grow in proportion.
    """

    referrer: Percent
    teller: PercentIfAny = 0
    contact: PercentIfAny = 0

    def __post_init__(self) -> None:
        total = self.referrer + self.teller + self.contact
        shares = f"{self.referrer}, teller {self.teller} and contact {self.contact}"
        require(total == ALL_PERCENT, f"referrer: {shares} come to {total}, not to {ALL_PERCENT}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionRules:
    """One version: a conversion from `in_force_from` on goes by it.

    `branch_conflict` tells what counts where touches are of several branches: the `touch`
    alone, or before it that it is of the branch to which the `customer` belongs.
    """

    version: Version
    in_force_from: date
    touch: Touched
    look_back_days: DaysIfAny
    claim_days: DaysIfAny
    branch_conflict: Conflict
    split: Split


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionRulesFile:
    """All versions, in order: one at least, each with a greater number and from a later day on."""

    versions: tuple[AttributionRules, ...]

    def __post_init__(self) -> None:
        check_order(self.versions)


class Share(NamedTuple):
    """What one party has of a conversion."""

    party_id: str
    role: RewardPayee
    share_ppm: Ppm


class Attribution(NamedTuple):
    """To whom a conversion is owed, or why to nobody: then there are no shares.

    `referral_id`, `via` and `branch` are those of the touch that counts.
    """

    prospect_id: str
    rule_version: int | None = None
    converted_on: date | None = None
    referral_id: str | None = None
    via: str | None = None
    branch: str | None = None
    shares: tuple[Share, ...] = ()
    nobody: str = ""


def attribution(
    book: Book, prospect_id: str, as_of: date, versions: Sequence[AttributionRules]
) -> Attribution:
    """Return to whom a prospect's conversion is owed if it is claimed on a date."""
    return owed(book, prospect_id, live_referral(book, prospect_id, as_of), as_of, versions)


def owed(
    book: Book,
    prospect_id: str,
    stood: Standing | None,
    as_of: date,
    versions: Sequence[AttributionRules],
) -> Attribution:
    """Return the same, given the prospect's place in the forest of the date."""
    converted_on = stood.converted_on if stood else None
    if converted_on is None:
        return Attribution(prospect_id, nobody="not converted")
    rules = version_on(versions, converted_on)
    found = Attribution(prospect_id, rules.version, converted_on)
    if as_of > later(converted_on, rules.claim_days):
        return found._replace(nobody=f"claimed more than {rules.claim_days} days after it")
    counted = _counted(book, prospect_id, converted_on, rules, as_of)
    if counted is None:
        return found._replace(nobody=f"brought more than {rules.look_back_days} days before it")
    referral_id, referral = counted
    return found._replace(
        referral_id=referral_id,
        via=referral.via,
        branch=referral.branch,
        shares=_shares(book, prospect_id, referral, converted_on, rules),
    )


def _since(converted_on: date, rules: AttributionRules) -> date:
    days = min(rules.look_back_days, (converted_on - date.min).days)
    return converted_on - timedelta(days)


def _counted(
    book: Book, prospect_id: str, converted_on: date, rules: AttributionRules, as_of: date
) -> tuple[str, Referral] | None:
    """Return the referral that counts, of one day the one with the smaller id."""
    since = _since(converted_on, rules)
    touches = [
        (id_, book.referrals[id_][1])
        for id_ in sorted(book.referrals_of_prospect[prospect_id])
        if since <= book.referrals[id_][1].introduced_on <= converted_on
    ]
    customer = book.customers.get(prospect_id)
    if rules.branch_conflict == "customer" and customer and customer.opened_on <= as_of:
        branch = profile_at(customer, converted_on).branch
        touches = [each for each in touches if each[1].branch == branch] or touches
    pick = min if rules.touch == "first" else max  # both return the first of equals
    return pick(touches, key=lambda each: each[1].introduced_on, default=None)


def _shares(
    book: Book, prospect_id: str, referral: Referral, converted_on: date, rules: AttributionRules
) -> tuple[Share, ...]:
    """Return the shares by party; who is several of them, however spelled, has one share.

    A prospect who told the bank of their own referral is no teller, nor who of the bank saw them.
    """
    teller = None if _is_same(referral.by, prospect_id) else referral.by
    told: tuple[tuple[str | None, RewardPayee, int], ...] = (
        (referral.referrer_id, role_of(book, referral), rules.split.referrer),
        (teller, "employee", rules.split.teller),
        (_seen_by(book, prospect_id, converted_on, rules), "employee", rules.split.contact),
    )
    percents: Counter[str] = Counter()
    parties: dict[str, tuple[str, RewardPayee]] = {}
    for party_id, role, percent in told:
        if party_id and percent:
            percents[spelled(party_id)] += percent
            parties.setdefault(spelled(party_id), (party_id, role))
    ppm = apportion(ONE, list(percents.values()))
    return tuple(Share(*each, share) for each, share in zip(parties.values(), ppm, strict=True))


def _is_same(one: str, other: str) -> bool:
    return spelled(one) == spelled(other)


def role_of(book: Book, referral: Referral) -> RewardPayee:
    """Return what a referrer is to the bank."""
    referrer, roles = book.customers.get(referral.referrer_id), roles_via(referral.via)
    return roles[-1] if referrer and referrer.kind == "person" else roles[0]


def _seen_by(
    book: Book, prospect_id: str, converted_on: date, rules: AttributionRules
) -> str | None:
    """Return who of the bank saw the prospect first, or last, in the look-back days."""
    since = _since(converted_on, rules)
    contacts = book.contacts_of.get(prospect_id, ())
    seen = sorted(
        (contact.happened_on, contact.happened_at, contact.by)
        for contact in contacts
        if since <= contact.happened_on <= converted_on and not _is_same(contact.by, prospect_id)
    )
    return seen[0 if rules.touch == "first" else -1][2] if seen else None
