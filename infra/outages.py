"""An outage as it is told: one line, and what `/readyz` says meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger()


def tell_outage(error: Exception, wait_seconds: float) -> None:
    """Tell in one line what is waited for."""
    code = getattr(error, "code", "")
    log.warning("waiting", code=code, error=str(error), again_in_seconds=round(wait_seconds, 1))


class Waiting:
    """What a process waits for, in words; nothing once it is ready."""

    def __init__(self, first: str = "the ledger") -> None:
        self._waits_for: Sequence[str] = (first,)
        self._lost = ""  # the code of what has failed

    def waits_for(self) -> Sequence[str]:
        """Return it. Safe to call from any thread."""
        return self._waits_for

    def outage(self, error: Exception, wait_seconds: float) -> None:
        """Wait for what has failed, and tell it in one line."""
        self._waits_for = (str(error),)
        self._lost = getattr(error, "code", "system")
        tell_outage(error, wait_seconds)

    def is_ready(self) -> None:
        """Wait for nothing any more; tell in one line that what had failed is back."""
        self.goes_on_to()

    def goes_on_to(self, *waits_for: str) -> None:
        """Wait for these alone; tell in one line that what had failed is back."""
        self._waits_for = waits_for
        if self._lost:
            log.info("waiting is over", code=self._lost)
            self._lost = ""
