"""A prospect's own data: what may be kept of someone who was brought and has not agreed yet.

Until the prospect consents, a name or a phone number is kept as a keyed hash alone, enough to
recognise the same person again (PIPL articles 6 and 13). The hash is sealed too, so that
forgetting the prospect takes it away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TypeAlias

from domain.values import Personal  # noqa: TC001 - read at run time

_PERSONAL = {"personal": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectDescribed:
    """Who the prospect is: hashes of the name and the phone, in clear only with a consent."""

    customer_id: str
    described_on: date
    by: str
    name_hash: Personal | None = field(default=None, metadata=_PERSONAL)
    phone_hash: Personal | None = field(default=None, metadata=_PERSONAL)
    name: Personal | None = field(default=None, metadata=_PERSONAL)
    phone: Personal | None = field(default=None, metadata=_PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectConsentGiven:
    """The prospect agreed to one purpose of processing."""

    customer_id: str
    purpose: str
    given_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectConsentWithdrawn:
    """The prospect took a consent back, or refused one beforehand."""

    customer_id: str
    purpose: str
    withdrawn_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectForgotten:
    """The prospect's key was destroyed; nothing personal of theirs can be read again."""

    customer_id: str
    forgotten_on: date
    reason: str


ProspectEvent: TypeAlias = (
    ProspectDescribed | ProspectConsentGiven | ProspectConsentWithdrawn | ProspectForgotten
)
