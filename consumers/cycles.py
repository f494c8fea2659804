"""Python's search for cycles, kept off what lives anyway."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SEARCH_AFTER_OBJECTS = 50_000  # new ones; a batch makes about as many, and leaves no cycle


@contextmanager
def search_for_cycles_of_new_objects() -> Iterator[None]:
    """Search for cycles among the objects made within the block alone, and less often.

    A program's modules are some 100,000 objects. Long work on small ones has Python go through
    all of them again and again, and through each batch several times: a sixth of an ingest and a
    quarter of a rebuild. For commands that do one long work: the setting is the process's.
    """
    young, *older = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(SEARCH_AFTER_OBJECTS, *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
        gc.unfreeze()
