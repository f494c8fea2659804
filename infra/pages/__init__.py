"""Pages for a browser: one file each, which asks nobody for anything."""

from infra.pages.circles import circles_page
from infra.pages.network import network_page
from infra.pages.page import Page, write_page

__all__ = ["Page", "circles_page", "network_page", "write_page"]
