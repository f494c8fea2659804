"""What a person sees in the terminal: rich renderables of the answers.

They hold text, never markup, so an id may look like anything. Every colour only repeats what
a word says, and rich itself gives way where colours, width or glyphs are missing.
"""

from infra.rendering.circles import circles_view, loss_walk_view
from infra.rendering.commitment import commitment_view, commitments_view
from infra.rendering.leaders import leaders_view
from infra.rendering.network import network_view
from infra.rendering.relationship import relationship_view

__all__ = [
    "circles_view",
    "commitment_view",
    "commitments_view",
    "leaders_view",
    "loss_walk_view",
    "network_view",
    "relationship_view",
]
