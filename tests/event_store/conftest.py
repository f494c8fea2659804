"""Each test runs against both databases."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from infra.event_store.ledger import initialise, open_store
from tests.event_store.records import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.event_store.ledger import LedgerStore


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.cluster)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a ledger."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'ledger.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def url(empty_url: str) -> str:
    initialise(empty_url)
    return empty_url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[LedgerStore]:
    with closing(open_store(url, clock)) as opened:
        yield opened
