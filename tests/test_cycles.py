"""The search for cycles during long work."""

from __future__ import annotations

import gc
import weakref

import pytest

from consumers.cycles import search_for_cycles_of_new_objects


class Knot:
    """An object that holds itself."""

    def __init__(self) -> None:
        self.me = self


def test_cycles_made_within_long_work_are_still_found() -> None:
    with search_for_cycles_of_new_objects(after_objects=2_000):
        found = weakref.ref(Knot())
        kept: list[list[int]] = [[] for _ in range(1_000)]
        assert found() is not None
        kept += [[] for _ in range(2_000)]
        assert found() is None


def test_what_was_there_before_is_searched_again_afterwards() -> None:
    settings = gc.get_threshold()
    before = weakref.ref(Knot())
    with pytest.raises(LookupError), search_for_cycles_of_new_objects(2_000):
        raise LookupError(gc.get_freeze_count())
    assert gc.get_threshold() == settings
    assert gc.get_freeze_count() == 0
    gc.collect()
    assert before() is None
