"""What the relay checks before it leads: that store and topics tell the same story."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from consumers.relay_cursor import Cursor
from consumers.topics import event_topics
from domain.catalogue import BY_NAME, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consumers.event_store import EventStore, StoredRecord
    from consumers.topics import Positions, Tail, Topics

Canonical: TypeAlias = "Callable[[StoredRecord], bytes]"


class RelayHaltedError(Exception):
    """The relay must not go on: somebody has to look."""

    code: ClassVar[str] = "relay-halted"


class TopicsMissingError(RelayHaltedError):
    """A topic of the ledger does not exist."""

    code = "topics-missing"


class TopicsChangedError(RelayHaltedError):
    """The topics are not those that the cursor speaks of: other partitions, or records gone."""

    code = "topics-changed"


class NothingToRepublishError(RelayHaltedError):
    """The topics hold all that was published: sent again, every record would lie there twice."""

    code = "nothing-to-republish"


class AnotherLeadsError(RelayHaltedError):
    """Another relay leads: `--republish` would send everything again whenever that one ends."""

    code = "another-relay-leads"


class RestoredStoreError(RelayHaltedError):
    """The topics hold records that the store does not: it was restored or forked."""

    code = "store-restored"


def no_records(prefix: str, partitions: int) -> Positions:
    """Return what `last` is before the first record."""
    return dict.fromkeys(event_topics(prefix), (0,) * partitions)


def check(
    cursor: Cursor, topics: Topics, store: EventStore, canonical: Canonical, *, republish: bool
) -> Cursor:
    """Return the cursor to go on from; with `republish` one that sends everything again.

    A `republish` that was killed has left a cursor that agrees with the topics as far as it got:
    from there any relay goes on. Raises `TopicsMissingError`, `RestoredStoreError`,
    `TopicsChangedError` (with `republish` only where it cannot help), and with `republish`
    `NothingToRepublishError`.
    """
    counts = _event_counts(topics)
    same = counts == {topic: len(positions) for topic, positions in cursor.last.items()}
    if not (same or republish):
        message = (
            f"the event topics are {counts} now, not those that the relay has published to. "
            "Restore them, or publish all again: guanxi relay --republish"
        )
        raise TopicsChangedError(message)
    nothing = Cursor(0, {topic: (0,) * count for topic, count in counts.items()})
    tails = topics.tails(cursor.last if same else nothing.last)
    if tails and not same:
        message = (
            "the event topics have another number of partitions and are not empty: the records "
            "of a customer would lie in two. Delete them, run guanxi topics --create, and then "
            "guanxi relay --republish"
        )
        raise TopicsChangedError(message)
    _compare_with_store(tails, store, canonical)
    if republish:
        if same:
            _refuse_a_second_copy(cursor, tails, store, topics.names)
        return nothing
    _compare_with_cursor(tails, cursor.last)
    return cursor


def _event_counts(topics: Topics) -> dict[str, int]:
    found = topics.partitions()
    missing = [name for name in topics.names if name not in found]
    if missing:
        message = f"no topic {', '.join(missing)}: run guanxi topics --create"
        raise TopicsMissingError(message)
    *events, _progress = topics.names
    counts = {name: found[name] for name in events}
    if len(set(counts.values())) != 1:
        message = f"the event topics must have the same number of partitions, not {counts}"
        raise TopicsChangedError(message)
    return counts


def _compare_with_store(
    tails: Mapping[tuple[str, int], Tail], store: EventStore, canonical: Canonical
) -> None:
    end = store.position()
    for (topic, partition), tail in tails.items():
        where = f"{topic} partition {partition} ends with position {tail.position}"
        if tail.position > end:
            message = f"{where}, the ledger with {end}: it was restored from an older copy"
            raise RestoredStoreError(message)
        (record,) = store.read(tail.position - 1, 1)
        if canonical(record) != tail.value:
            message = f"{where}, which the ledger tells differently: it was restored or forked"
            raise RestoredStoreError(message)


def _compare_with_cursor(tails: Mapping[tuple[str, int], Tail], last: Positions) -> None:
    for topic, positions in last.items():
        for partition, position in enumerate(positions):
            tail = tails.get((topic, partition))
            found = 0 if tail is None else tail.position
            if found < position:
                message = (
                    f"{topic} partition {partition} ends with position {found}, but {position} "
                    "was acknowledged: it was emptied, made anew or has lost records. Publish "
                    "all again: guanxi relay --republish"
                )
                raise TopicsChangedError(message)


def _refuse_a_second_copy(
    cursor: Cursor,
    tails: Mapping[tuple[str, int], Tail],
    store: EventStore,
    names: Sequence[str],
) -> None:
    """Raise `NothingToRepublishError` where no record that was acknowledged is gone.

    The ends of the topics tell of records lost at the end, their counts of others.
    """
    through = cursor.complete_through
    try:
        _compare_with_cursor(tails, cursor.last)
    except TopicsChangedError:
        return
    missing = Counter[str]()
    topic_of = dict(zip(FAMILIES, names, strict=False))  # the progress topic is left over
    for name, records in store.count_types(0, through).items():
        if name in BY_NAME:
            missing[topic_of[BY_NAME[name].family]] += records
    for (topic, _), tail in tails.items():
        missing[topic] -= tail.records
    if through and max(missing.values(), default=0) <= 0:
        message = (
            f"the topics hold all that was published, up to position {through}; sent again it "
            "would lie there twice. guanxi relay goes on from there, also where a --republish "
            "was interrupted. To publish all again nevertheless, delete the topics, run guanxi "
            "topics --create, and then guanxi relay --republish"
        )
        raise NothingToRepublishError(message)
