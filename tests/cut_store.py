"""Stores that are cut off, or overtaken by something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumers.event_store import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumers.event_store import Append, EventStore
    from infra.event_store.sqlite import SQLiteEventStore


class Cut:
    """A store whose appends fail from the nth on, some of them after they took place."""

    def __init__(self, store: SQLiteEventStore, appends: int) -> None:
        self._store, self._left = store, appends

    def append(self, batch: Any) -> range:  # noqa: ANN401 - passed on
        self._left -= 1
        if self._left == -1:
            if len(batch.records) % 2:
                self._store.append(batch)
            message = "gone"
            raise StoreUnavailableError(message)
        return self._store.append(batch)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - passed on
        return getattr(self._store, name)


class Overtaken:
    """A store before whose nth append something else takes place."""

    def __init__(self, store: EventStore, appends: int, meanwhile: Callable[[], object]) -> None:
        self._store, self._left, self._meanwhile = store, appends, meanwhile

    def append(self, batch: Append) -> range:
        self._left -= 1
        if self._left == 0:
            self._meanwhile()
        return self._store.append(batch)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - passed on
        return getattr(self._store, name)
