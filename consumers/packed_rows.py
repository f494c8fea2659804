"""Rows of one kind, kept packed in groups and read when a group is looked at.

A bank's daily balances, and what was reported of each window, are most of its book. Packed they
take a tenth of the memory, and who asks for a few accounts reads theirs alone.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from sys import intern
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from projections.book import Book
from projections.facts import Tested

if TYPE_CHECKING:
    from consumers.views import StoredRow
    from projections.book import Days
    from projections.facts import Key, Row

GROUPS_OPEN_MAX = 1_024  # groups that stay read

Name = TypeVar("Name")
Fact = TypeVar("Fact")


class RowCodec(NamedTuple):
    """The port of the rows' bytes. `days` reads of a month of balances those alone."""

    pack: Callable[[str, Row], bytes]
    unpack: Callable[[str, bytes], Row]
    days: Callable[[bytes], Days]


class PackedRows(Mapping[str, Mapping[Name, Fact]], Generic[Name, Fact]):
    """The rows of a kind whose ids are `<group>/<name>`: by group, and in it by name, in order.

    `name` reads the name of a row, `fact` its bytes.
    """

    def __init__(self, name: Callable[[str], Name], fact: Callable[[bytes], Fact]) -> None:
        self._name, self._fact = name, fact
        self._groups: dict[str, tuple[str, bytes]] = {}  # the customer, and the rows packed
        self._open = lru_cache(GROUPS_OPEN_MAX)(self._opened)

    def take(self, customer_id: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Add rows of a customer in order of their ids; none of their groups is there yet."""
        for group, some in groupby(rows, key=_group_of):
            packed = marshal.dumps({id_[len(group) + 1 :]: value for id_, value in some})
            self._groups[group] = customer_id, packed

    def find(self, id_: str) -> bytes | None:
        """Return the bytes of a row, None where there is none."""
        group, _, name = id_.rpartition("/")
        return self._unpacked(group).get(name)

    def put(self, customer_id: str, id_: str, value: bytes) -> None:
        """Put in a row, instead of what is there under its id."""
        group, _, name = id_.rpartition("/")
        self._repack(group, customer_id, {**self._unpacked(group), name: value})

    def drop(self, ids: Iterable[str]) -> None:
        """Take out rows that are there."""
        for id_ in ids:
            group, _, name = id_.rpartition("/")
            left = self._unpacked(group)
            del left[name]
            self._repack(group, self._groups[group][0], left)

    def drop_customers(self, customers: set[str]) -> None:
        """Take out all the rows of some customers."""
        self._groups = {g: held for g, held in self._groups.items() if held[0] not in customers}
        self._open.cache_clear()

    def __getitem__(self, group: str) -> Mapping[Name, Fact]:
        return self._open(group)

    def get(self, group: str, default: Any = None) -> Any:  # noqa: ANN401 - as a Mapping's
        """Return a group; that of the base class raises and catches where there is none."""
        return self._open(group) if group in self._groups else default

    def __contains__(self, group: object) -> bool:
        return group in self._groups

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def _opened(self, group: str) -> Mapping[Name, Fact]:
        _, packed = self._groups[group]
        name, fact = self._name, self._fact
        return {name(text): fact(value) for text, value in _loaded(packed).items()}

    def _unpacked(self, group: str) -> dict[str, bytes]:
        return _loaded(self._groups[group][1]) if group in self._groups else {}

    def _repack(self, group: str, customer_id: str, rows: dict[str, bytes]) -> None:
        if rows:
            self._groups[group] = customer_id, marshal.dumps(dict(sorted(rows.items())))
        else:
            del self._groups[group]
        self._open.cache_clear()


class PackedBook:
    """The facts of a book, balances and reports packed, the others as they are."""

    def __init__(self, codec: RowCodec) -> None:
        self._codec = codec
        self._rows: dict[Key, Row] = {}
        self._balances: PackedRows[str, Days] = PackedRows(str, codec.days)
        self._tested: PackedRows[date, Tested] = PackedRows(date.fromisoformat, self._report)
        self._packed: dict[str, PackedRows[Any, Any]] = {
            "balances": self._balances,
            "tested": self._tested,
        }
        self._book: Book | None = None

    @property
    def book(self) -> Book:
        """The facts; a balance or report put in later is in it too, others are in the next."""
        if self._book is None:
            facts = self._rows.items()
            self._book = Book.from_rows(facts, balances=self._balances, tested=self._tested)
        return self._book

    def take(self, rows: Iterable[StoredRow]) -> None:
        """Add rows in key order; none of a customer's rows of a kind is there yet."""
        unpack = self._codec.unpack
        for (customer_id, kind), some in groupby(rows, key=itemgetter(0, 1)):
            customer_id, kind = intern(customer_id), intern(kind)  # noqa: PLW2901 - one of each
            if kind in self._packed:
                self._packed[kind].take(customer_id, map(itemgetter(2, 3), some))
            else:
                for _, _, id_, value in some:
                    self._rows[customer_id, kind, id_] = unpack(kind, value)
        self._book = None

    def find(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows that are there under the keys."""
        found: dict[Key, Row] = {}
        for key in keys:
            _, kind, id_ = key
            if kind not in self._packed:
                if key in self._rows:
                    found[key] = self._rows[key]
            elif (value := self._packed[kind].find(id_)) is not None:
                found[key] = self._codec.unpack(kind, value)
        return found

    def put(self, rows: Mapping[Key, Row]) -> None:
        """Put in rows, instead of what is there under their keys."""
        for key, row in rows.items():
            customer_id, kind, id_ = key
            if kind in self._packed:
                self._packed[kind].put(customer_id, id_, self._codec.pack(kind, row))
            else:
                self._rows[key] = row
                self._book = None

    def drop(self, keys: Iterable[Key]) -> None:
        """Take out rows that are there."""
        for key in keys:
            _, kind, id_ = key
            if kind in self._packed:
                self._packed[kind].drop([id_])
            else:
                del self._rows[key]
                self._book = None

    def drop_customers(self, customers: set[str]) -> None:
        """Take out all that is there of some customers."""
        for packed in self._packed.values():
            packed.drop_customers(customers)
        self._rows = {key: row for key, row in self._rows.items() if key[0] not in customers}
        self._book = None

    def customers(self) -> set[str]:
        """Return whose rows are there."""
        return {customer_id for customer_id, _, _ in self._rows}

    def _report(self, value: bytes) -> Tested:
        row = self._codec.unpack("tested", value)
        assert isinstance(row, Tested)
        return row


def _group_of(row: tuple[str, bytes]) -> str:
    return row[0].rpartition("/")[0]


def _loaded(packed: bytes) -> dict[str, bytes]:
    rows: dict[str, bytes] = marshal.loads(packed)  # noqa: S302 - packed by this process
    return rows
