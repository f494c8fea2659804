"""One attempt at a batch: fetch, decide one command after the other, append what came of it.

Nothing of it is kept when the append conflicts; the next attempt sees the ledger afresh.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from consumers.event_store import Append, Claim, ConflictError, NewRecord
from domain.catalogue import BY_CLASS, occurred_on, stream_of
from domain.contact import RecordComplaint, RecordContact
from domain.deciding import (
    COMMANDS,
    Command,
    content,
    decide,
    is_personal,
    streams,
)
from domain.errors import CustomerForgottenError, KeyConflictError, RefusedError
from domain.prospect_rules import DescribeProspect
from domain.referral import ReferralIntroduced
from domain.relationship_rules import (
    ChangeProfile,
    ForgetRelationship,
    OpenRelationship,
    RelationshipCommand,
)
from infra.closes import open_day
from infra.codec import pack_data
from infra.customer_key import KeyDestroyedError
from infra.malformed import EventTooLargeError
from infra.packing import pack
from infra.world import LedgerWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumers.event_store import EventStore, Held
    from domain.account import Account
    from domain.catalogue import Event
    from infra.customer_key import CustomerKey
    from infra.keyring import Keyring

APPEND_BYTES_MAX = 16 * 1024 * 1024  # packed data of one append, but for its last command
DATA_BYTES_MAX = 57_000  # packed data of one event: leaves room for its envelope

# Tuples: to look for one among the members of a union takes three times as long.
PERSONAL = (OpenRelationship, ChangeProfile, RecordContact, RecordComplaint, DescribeProspect)
DATED = (OpenRelationship, ChangeProfile)
assert set(PERSONAL) == {c for c in COMMANDS.values() if is_personal(c)}


class Told(NamedTuple):
    """A command, and who told it by which way.

    `retold_after` marks a source that may have been told before, from this position on: what
    one of its later rows has recorded since is not undone by an earlier one.
    """

    command: Command
    actor: str
    source: str
    correlation_id: str
    command_id: str | None = None
    retold_after: int | None = None


Keyed: TypeAlias = tuple[Told, str | None]  # with its natural key


@dataclass(frozen=True, slots=True)
class Recorded:
    """The command was recorded; the position is that of its last event."""

    position: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The command changed nothing: it was recorded at the position, or holds since then."""

    position: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was recorded and nothing claimed."""

    error: RefusedError


Outcome: TypeAlias = Recorded | Unchanged | Refused


@dataclass(frozen=True, slots=True)
class Tools:
    """What every attempt of a ledger works with. `accounts` are those seen before."""

    store: EventStore
    keyring: Keyring
    new_id: Callable[[], str]
    business_date: date | None  # given by hand, else None
    accounts: dict[str, Account]
    on_append: Callable[[float], None] = lambda _seconds: None  # told how long each took


class Attempt:
    """What was seen for a batch, and what will be appended. Good for one `run`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._world = LedgerWorld(tools.store, tools.keyring, tools.accounts)
        self._records: list[NewRecord] = []
        self._claims: list[Claim] = []
        self._latest = ""  # business date of the batch so far
        self._latest_stored: str | None = None  # once asked for
        self._open_day: date | None = None  # likewise
        self._bytes = 0

    def run(self, batch: Sequence[Keyed]) -> list[Outcome]:
        """Return the outcomes of the batch, or of as much of it as one append takes.

        Raises `ConflictError` (nothing recorded), `StoreUnavailableError` (perhaps recorded).
        """
        self._prefetch(batch)
        outcomes: list[Outcome] = []
        for told, key in batch:
            outcomes.append(self._outcome(told, key))
            if self._bytes > APPEND_BYTES_MAX:
                break
        self._check_refusals(batch, outcomes)
        if not self._records:
            return outcomes
        append = Append(records=self._records, reads=self._world.reads, claims=self._claims)
        started = perf_counter()
        positions = self._tools.store.append(append)
        self._tools.on_append(perf_counter() - started)
        return [_placed(outcome, positions) for outcome in outcomes]

    def _check_refusals(self, batch: Sequence[Keyed], outcomes: Sequence[Outcome]) -> None:
        """Decide again where a command refused here was recorded by somebody else meanwhile.

        Its claims were read before the state that refuses it. Raises `ConflictError`.
        """
        refused = [
            key
            for (told, natural), outcome in zip(batch, outcomes, strict=False)
            if isinstance(outcome, Refused)
            for key in (natural, _command_key(told))
            if key is not None and self._world.claim(key) is None
        ]
        if refused and (meanwhile := self._tools.store.held(refused)):
            message = f"{min(meanwhile)} was claimed while it was decided"
            raise ConflictError(message)

    def _prefetch(self, keyed: Sequence[Keyed]) -> None:
        """Fetch in bulk what the decisions are sure to ask for one by one."""
        world = self._world
        hints = [streams(told.command) for told, _ in keyed]
        hinted = dict.fromkeys([stream for hint in hints for stream in hint])
        world.fetch(
            [key for _, key in keyed if key is not None]
            + [key for told, _ in keyed if (key := _command_key(told)) is not None]
            + [claim for stream in hinted for claim in world.guards(stream)]
        )
        self._tools.keyring.keys_for(
            told.command.customer_id
            for told, _ in keyed
            if isinstance(told.command, PERSONAL)
            and (
                isinstance(told.command, OpenRelationship)
                or world.standing(told.command.customer_id) == "known"
            )
        )
        unseen = {stream for stream in hinted if world.is_unseen(stream)}
        if unseen:
            world.load(
                stream
                for (told, key), hint in zip(keyed, hints, strict=True)
                for stream in hint
                if stream in unseen
                and (isinstance(told.command, RelationshipCommand) or not _is_relationship(stream))
                and self._first_result(told, key) is None
            )
        world.fetch_owners(hinted)

    def _outcome(self, told: Told, key: str | None) -> Outcome:
        try:
            if told.command_id is not None:
                self._check_command_id(told)
            first = self._first_result(told, key)
            if first is not None:
                return Unchanged(first.position)
            command = told.command
            if isinstance(command, DATED):
                command = replace(command, today=self._today())
            if isinstance(command, DescribeProspect):
                command = self._hashed(command)
            self._world.begin()
            events = decide(command, self._world)
            if not events:
                return Unchanged(self._since(command, key))
            self._take(told, key, events)
            return Recorded(-len(self._records))
        except RefusedError as error:
            return Refused(error)
        except KeyDestroyedError as error:  # since the batch was fetched
            return Refused(CustomerForgottenError("customer_id", error.customer_id))

    def _first_result(self, told: Told, key: str | None) -> Held | None:
        """Return what the command gave when it was told before, None for another or the first."""
        for claimed in (key, _command_key(told)):
            held = None if claimed is None else self._world.claim(claimed)
            if held is not None and (
                held.content == self._comparable(told.command) or self._retold(told, held)
            ):
                return held
        return None

    def _check_command_id(self, told: Told) -> None:
        """Refuse an id that was given to another command. Nothing compares with the forgotten."""
        key = _command_key(told)
        held = None if key is None else self._world.claim(key)
        if held is not None:
            comparable = self._comparable(told.command)
            if comparable is not None and comparable != held.content:
                raise KeyConflictError("command_id", told.command_id)

    def _retold(self, told: Told, held: Held) -> bool:
        """Return whether a later row of the same source, told before, stands there by now."""
        if told.retold_after is None or held.position <= told.retold_after:
            return False
        [record] = self._tools.store.read(held.position - 1, 1)
        source, _, number = told.source.rpartition(":")
        recorded_source, _, recorded_number = record.source.rpartition(":")
        return source == recorded_source and int(number) <= int(recorded_number)

    def _comparable(self, command: Command) -> bytes | None:
        """Return the content hash, None where the customer has no key or none any more."""
        if not isinstance(command, PERSONAL):
            return self._content_hash(command)
        keys = self._tools.keyring.keys_for([command.customer_id], create=False)
        key = keys.get(command.customer_id)
        return None if key is None or key.destroyed else key.content_hash(_packed(command))

    def _content_hash(self, command: Command) -> bytes:
        if isinstance(command, PERSONAL):
            return self._key_of(command.customer_id).content_hash(_packed(command))
        return sha256(_packed(command)).digest()

    def _hashed(self, command: DescribeProspect) -> DescribeProspect:
        """Return the command with what the prospect can be recognised by."""
        keyring, name, phone = self._tools.keyring, command.name, command.phone
        return replace(
            command,
            name_hash=None if name is None else keyring.hashed("name", name),
            phone_hash=None if phone is None else keyring.hashed("phone", phone),
        )

    def _key_of(self, customer_id: str) -> CustomerKey:
        return self._tools.keyring.keys_for([customer_id])[customer_id]

    def _take(self, told: Told, key: str | None, events: Sequence[Event]) -> None:
        """Put the events and claims of a decision into the append, all or none."""
        packed = [self._sealed(event) for event in events]
        content_hash = self._content_hash(told.command)
        for event, (event_id, data) in zip(events, packed, strict=True):
            self._records.append(self._record(told, event, event_id, data))
            self._bytes += len(data)
            if isinstance(event, ReferralIntroduced) and key != _referral_key(event):
                self._claim(_referral_key(event), content_hash)
        for claimed in (key, _command_key(told)):
            if claimed is not None:
                self._claim(claimed, content_hash)
        if isinstance(told.command, ForgetRelationship):
            self._claim(_forgotten_key(told.command), content_hash)

    def _sealed(self, event: Event) -> tuple[str, bytes]:
        event_id = self._tools.new_id()

        def seal(field: str, plaintext: str) -> bytes:
            return self._key_of(event.customer_id).seal(event_id, field, plaintext)

        data = pack_data(event, seal)
        if len(data) > DATA_BYTES_MAX:
            raise EventTooLargeError("event_bytes", len(data), f"at most {DATA_BYTES_MAX:,}")
        return event_id, data

    def _record(self, told: Told, event: Event, event_id: str, data: bytes) -> NewRecord:
        event_type, stream = BY_CLASS[type(event)], stream_of(event)
        day = occurred_on(event).isoformat()
        self._latest = max(self._latest, day)
        instant = event_type.occurred_at
        self._world.accept(event, stream)
        return NewRecord(
            id=event_id,
            type=event_type.name,
            version=event_type.version,
            stream=stream,
            expected_version=None,  # the read set has it, where the stream was loaded
            customer_id=event.customer_id,
            occurred_on=day,
            occurred_at=None if instant is None else getattr(event, instant),
            actor=told.actor,
            source=told.source,
            correlation_id=told.correlation_id,
            causation_id=None,
            data=data,
        )

    def _claim(self, key: str, content_hash: bytes) -> None:
        replaces = self._world.hold(key, content_hash)
        self._claims.append(Claim(key, content_hash, len(self._records) - 1, replaces))

    def _today(self) -> date:
        """Return the business date on which the command is told, the batch so far counted."""
        if self._tools.business_date is not None:
            return self._tools.business_date
        if self._latest_stored is None:
            self._open_day = open_day(self._tools.store)
            self._latest_stored = self._tools.store.latest_occurred_on() or ""
        if self._open_day is not None:
            return self._open_day
        latest = max(self._latest_stored, self._latest)
        return date.fromisoformat(latest) if latest else date.min

    def _since(self, command: Command, key: str | None) -> int:
        """Return the position from which on what the command wants has held."""
        if isinstance(command, ForgetRelationship):
            key = _forgotten_key(command)
        held = None if key is None else self._world.claim(key)
        return self._world.latest_looked_at() if held is None else held.position


def _is_relationship(stream: str) -> bool:
    """Other families ask for a customer's standing alone, which claims tell."""
    return stream.startswith("relationship-")


def _packed(command: Command) -> bytes:
    return pack(content(command))


def _command_key(told: Told) -> str | None:
    return None if told.command_id is None else f"command:{told.command_id}"


def _forgotten_key(command: ForgetRelationship) -> str:
    return f"forgotten:{command.customer_id}"


def _referral_key(event: ReferralIntroduced) -> str:
    return f"referral:{event.referral_id}"


def _placed(outcome: Outcome, positions: range) -> Outcome:
    """Replace a place in the batch, below 0, by its position."""
    if isinstance(outcome, Refused) or outcome.position >= 0:
        return outcome
    return type(outcome)(positions[-outcome.position - 1])
