"""Python's search for cycles, kept off what lives anyway."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def search_for_cycles_of_new_objects(after_objects: int | None = None) -> Iterator[None]:
    """Search for cycles among the objects made within the block alone.

    A program's modules are some 100,000 objects, and long work on small ones has Python go
    through all of them again and again: a seventh of an ingest. Work that leaves no cycles can
    name after how many new objects a search is due. For commands that do one long work: the
    setting is the process's.
    """
    young, *older = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(after_objects or young, *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
        gc.unfreeze()
