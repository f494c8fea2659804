"""A store that is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumers.event_store import StoreUnavailableError

if TYPE_CHECKING:
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
