"""Python's search for cycles, kept off what lives anyway."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def search_for_cycles_of_new_objects() -> Iterator[None]:
    """Search for cycles among the objects made within the block alone.

    A program's modules are some 100,000 objects. Long work on small ones has Python go through
    all of them again and again, which was a seventh of an ingest and a quarter of a rebuild. What
    is made within the block is searched as often as ever, so memory does not grow.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
