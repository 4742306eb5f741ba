"""Any point as a picture."""

from __future__ import annotations

from typing import Any

from solverkit.kinds.base import Point
from solverkit.text import clean

BLOCKS = 5
NUMBERS = 1000  # drawn of each block


def draw(point: Point, axes: Any) -> str:
    """The numbers of each block by their place, the first of many; the title."""
    for name, block in list(point.items())[:BLOCKS]:
        numbers = block.ravel()[:NUMBERS]
        axes.plot(numbers, "o" if len(numbers) <= 30 else "-", markersize=4, label=clean(name, 20))
    axes.set_xlabel("place in the block")
    axes.grid(alpha=0.3)
    if point:
        axes.legend(fontsize="small")
    return "the point"
