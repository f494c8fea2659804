"""What the routes answer from, and what it still waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.event_store import StoreError, StoreUnavailableError
from consumers.views import NoViewError
from infra.http.problems import NotReadyError
from infra.outages import Waiting
from projections.projection import PROJECTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Stop

    from infra.composition import Parts
    from infra.ledger import Ledger
    from projections.projection import Projection

WATCH_SECONDS = 1.0  # between two looks at the database
SERVED_LAG_EVENTS_MAX = 10_000  # further behind, `/readyz` says so


class Served(Waiting):
    """What the routes answer from, once the ledger is open. Until then they say 503."""

    def __init__(self) -> None:
        super().__init__()
        self._open: tuple[Parts, Ledger] | None = None

    def open(self, parts: Parts, ledger: Ledger) -> None:
        """Answer from these from now on."""
        self._open = parts, ledger
        self.is_ready()

    def watch(self, stop: Stop) -> None:
        """Look at the database until told to stop; tell when it is lost and when it is back.

        An idle connection that a restart has broken is found here, and not by a query.
        """
        while not stop.wait(WATCH_SECONDS):
            try:
                self.parts.store.position()
            except StoreError as error:
                if not stop.is_set():
                    self.lost(error)
            else:
                self.is_ready()

    def lost(self, error: StoreError) -> None:
        """Tell that the database is lost, unless it was told already."""
        if not super().waits_for():
            self.outage(error, WATCH_SECONDS)

    @property
    def parts(self) -> Parts:
        """The ledger's adapters. Raises `NotReadyError`."""
        return self._opened()[0]

    @property
    def ledger(self) -> Ledger:
        """The write side. Raises `NotReadyError`."""
        return self._opened()[1]

    def waits_for(self) -> Sequence[str]:
        """Return what keeps the answers back: the ledger, its database, or views far behind."""
        return super().waits_for() or _late(self.parts)

    def _opened(self) -> tuple[Parts, Ledger]:
        if self._open is None:
            message = f"not ready, waiting for {'; '.join(super().waits_for())}"
            raise NotReadyError(message)
        return self._open


def _late(parts: Parts) -> Sequence[str]:
    try:
        position = parts.store.position()
        behind = {p.name: position - through(parts, p) for p in PROJECTIONS}
    except StoreUnavailableError as error:
        return [f"the database: {error}"]
    late = {name: lag for name, lag in behind.items() if lag > SERVED_LAG_EVENTS_MAX}
    return [f"view {name}: {lag} events behind" for name, lag in late.items()]


def through(parts: Parts, projection: Projection) -> int:
    """Return the position up to which the live view holds all events, 0 where there is none."""
    try:
        lanes = parts.views.lanes(parts.views.live(projection.name)).values()
    except NoViewError:
        return 0
    return min((lane.progress.through for lane in lanes), default=0)
