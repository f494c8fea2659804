"""Which adapter of the views goes with a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.databases import SQLiteDatabase
from infra.views.postgresql import PostgreSQLViews
from infra.views.sqlite import SQLiteViews

if TYPE_CHECKING:
    from infra.databases import Database
    from infra.views.sql import SQLViews


def open_views(database: Database) -> SQLViews:
    """Return the views in a database; the database stays the caller's to close."""
    if isinstance(database, SQLiteDatabase):
        return SQLiteViews(database)
    return PostgreSQLViews(database)
