"""What can be told of a prospect before there is a relationship, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date  # noqa: TC003 - the edge reads the field types at run time
from typing import TYPE_CHECKING

from domain import checks
from domain.errors import NothingDescribedError, ProspectIsCustomerError, UnknownProspectError
from domain.prospect import ProspectDescribed, ProspectEvent
from domain.telling import latest_on, told

if TYPE_CHECKING:
    from domain.referral import Prospect
    from domain.world import World

_PERSONAL = {"personal": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeProspect:
    """Record who a prospect is; without their consent as a keyed hash alone.

    `name_hash` and `phone_hash` are the shell's: it has the key.
    """

    customer_id: str
    described_on: date
    by: str
    name: str | None = field(default=None, metadata=_PERSONAL)
    phone: str | None = field(default=None, metadata=_PERSONAL)
    name_hash: str | None = None
    phone_hash: str | None = None


def decide(command: DescribeProspect, world: World) -> tuple[ProspectEvent, ...]:
    """Return the description, in clear where a consent is in force; () where it is known."""
    checks.not_reserved("customer_id", command.customer_id)
    checks.not_forgotten(world, command.customer_id)
    if world.standing(command.customer_id) == "known":
        raise ProspectIsCustomerError("customer_id", command.customer_id)
    prospect = brought(command.customer_id, world)
    if prospect is None:
        raise UnknownProspectError("customer_id", command.customer_id)
    if command.name is None and command.phone is None:
        raise NothingDescribedError("phone", None)
    described = _completed(told(ProspectDescribed, command), prospect.described)
    if not any(latest_on(command.described_on, each) for each in prospect.consents.values()):
        described = replace(described, name=None, phone=None)
    known = prospect.described
    if known and replace(known, described_on=described.described_on, by=described.by) == described:
        return ()
    return (described,)


def _completed(told_now: ProspectDescribed, known: ProspectDescribed | None) -> ProspectDescribed:
    """Return the description with what it leaves out as it was told before."""
    if known is None:
        return told_now
    names = ("name_hash", "phone_hash", "name", "phone")
    left_out = {name: getattr(known, name) for name in names if getattr(told_now, name) is None}
    return replace(told_now, **left_out)


def brought(customer_id: str, world: World) -> Prospect | None:
    """Return the prospect, None for someone whom nobody has brought."""
    prospect = world.prospect(customer_id)
    return prospect if prospect and prospect.referrals else None
