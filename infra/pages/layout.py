"""Where nodes stand on a page: trees as rings, circles by their links, all side by side.

Deterministic, so that the same answer makes the same page. A unit is the room of one node.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from math import cos, dist, inf, pi, sin, sqrt
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Point: TypeAlias = tuple[float, float]

EXACT_MEMBERS_MAX = 150  # Kamada-Kawai takes time with the square of the members and more
ROUNDS = 300
WIDENED_MAX = 4.0  # by how much more than it needs a subtree may be spread
BREADTH = 1.4  # of the whole picture against its height: the room of a page beside its cards
TRIED = 13  # breadths of a packing, from the one without waste on


def ringed(parents: Sequence[int]) -> list[Point]:
    """Return the places of a tree's nodes: the root in the middle, each generation on a ring.

    A parent, by its place, comes before its children; the root has -1. Each node gets an angle
    by what lies below it, so that no two of a ring are closer than a unit. Linear.
    """
    depths, angles, below = [0] * len(parents), [0.0] * len(parents), [0.0] * len(parents)
    for node, parent in enumerate(parents[1:], 1):
        depths[node] = depths[parent] + 1
    for node in range(len(parents) - 1, 0, -1):
        angles[node] = max(1 / depths[node], below[node])
        below[parents[node]] += angles[node]
    widest = max(
        (angles[node] for node in range(1, len(parents)) if parents[node] == 0), default=1
    )
    stretch = min(2 * pi / max(below[0], 1e-9), pi / widest)  # no child takes more than half
    step = max(1.0, 1 / stretch)
    free = [0.0] * len(parents)  # where the angle of a node's next child begins
    room = [stretch] * len(parents)  # by which the angles of a node's children are widened
    places = [(0.0, 0.0)] * len(parents)
    for node, parent in enumerate(parents[1:], 1):
        own = angles[node] * room[parent]
        first = free[parent]
        free[parent] += own
        room[node] = min(WIDENED_MAX * stretch, own / max(below[node], angles[node] / WIDENED_MAX))
        free[node] = first + (own - below[node] * room[node]) / 2
        middle, far = first + own / 2, depths[node] * step
        places[node] = (far * cos(middle), far * sin(middle))
    return places


def linked(size: int, links: Sequence[tuple[int, int]]) -> list[Point]:
    """Return the places of nodes that all hang together; their links measure about a unit."""
    import igraph  # noqa: PLC0415 - 0.2 s that no other page should wait for

    pairs = sorted({(min(link), max(link)) for link in links})
    graph = igraph.Graph(n=size, edges=pairs)
    start = graph.layout_circle()
    if size <= EXACT_MEMBERS_MAX:
        start = graph.layout_kamada_kawai(seed=start)
    with _same_chances(igraph.set_random_number_generator):
        grid = size > EXACT_MEMBERS_MAX
        found = graph.layout_fruchterman_reingold(seed=start, niter=ROUNDS, grid=grid).coords
    unit = median(dist(found[a], found[b]) for a, b in pairs) or 1.0
    return [(x / unit, y / unit) for x, y in found]


@contextmanager
def _same_chances(draw_from: Callable[[object], None]) -> Iterator[None]:
    """Let igraph, which shakes nodes apart at random, do so the same way each time."""
    draw_from(random.Random(0))  # noqa: S311 - guards no secret
    try:
        yield
    finally:
        draw_from(random)


def side_by_side(pictures: Sequence[Sequence[Point]], margin: float) -> list[list[Point]]:
    """Return pictures moved apart, with a margin around each, together as broad as `BREADTH`."""
    boxes = [_box(picture) for picture in pictures]
    sizes = [(right - left + margin, bottom - top + margin) for left, top, right, bottom in boxes]
    widest = max((width for width, _ in sizes), default=0.0)
    even = sqrt(BREADTH * sum(width * height for width, height in sizes))
    tried = dict.fromkeys(max(widest, even * (1 + n / 20)) for n in range(TRIED))
    packed = [_packed(sizes, breadth, margin) for breadth in tried]
    corners = min(packed, key=lambda corners: _reach(corners, sizes, margin))
    return [
        [(x + left - box[0], y + top - box[1]) for x, y in picture]
        for picture, box, (left, top) in zip(pictures, boxes, corners, strict=True)
    ]


def _reach(corners: Iterable[Point], sizes: Iterable[Point], margin: float) -> float:
    """Return the height of the least page of the breadth wanted that holds all."""
    ends = [(x + wide, y + high) for (x, y), (wide, high) in zip(corners, sizes, strict=True)]
    right, bottom = (max((end[n] for end in ends), default=margin) - margin for n in (0, 1))
    return max(right / BREADTH, bottom)


def _packed(sizes: Sequence[Point], breadth: float, margin: float) -> list[Point]:
    """Return a corner for each size: the tallest first, rows in rows, none beyond the breadth."""
    corners = [(0.0, 0.0)] * len(sizes)
    free = [(0.0, 0.0, breadth, inf)]  # rectangles: left, top, width, height
    for place in sorted(range(len(sizes)), key=lambda each: (-sizes[each][1], each)):
        width, height = sizes[place]
        at = next(
            n for n in range(len(free) - 1, -1, -1) if width <= free[n][2] and height <= free[n][3]
        )
        left, top, wide, high = free.pop(at)
        below = (left, top + height, wide, high - height)
        beside = (left + width, top, wide - width, height)
        free[at:at] = [each for each in (below, beside) if min(each[2:]) >= margin]
        corners[place] = left, top
    return corners


def _box(picture: Sequence[Point]) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in picture], [y for _, y in picture]
    return min(xs), min(ys), max(xs), max(ys)
