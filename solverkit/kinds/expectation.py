"""The `expect:` section of a problem file: what an answer should look like, with its numbers worked out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.kinds.base import Block, Source


def expected(source: Source, blocks: Sequence[Block]) -> dict[str, Any]:
    """The section with its numbers as floats and its point as arrays; defects go to `source`."""
    found: dict[str, Any] = {}
    for name, value in source.expect.items():
        if name != "point":
            found[name] = source.number(value, ("expect", name))
    shapes = {block.name: block.shape for block in blocks}
    point = {}
    for name, value in source.expect.get("point", {}).items():
        path = ("expect", "point", name)
        if name in shapes:
            point[name] = source.array(value, shapes[name], path)
        else:
            source.defect(path, f"no such variable (variables here: {', '.join(shapes)})", key=True)
    return {**found, "point": point} if point else found
