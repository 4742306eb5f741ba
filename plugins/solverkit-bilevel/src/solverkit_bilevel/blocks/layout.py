"""Where the lower problem of each block lives in z = (x, y).

Every lower variable has the block axis first: y of shape (m, k), b of shape (m,), ... A block's variables are row i of
each of them, `width` numbers in all.
"""

from __future__ import annotations

import numpy as np

from solverkit.errors import Unsuitable
from solverkit.kinds.bilevel.problem import Bilevel

NAME = "bsvrb"


class Layout:
    """The blocks of one problem. Raises Unsuitable where its lower level has none."""

    def __init__(self, problem: Bilevel) -> None:
        self.n, self.count = problem.n, problem.lower_samples
        if not self.count or problem.upper_samples != self.count:
            raise Unsuitable(
                f"method '{NAME}' samples lower problems: both objectives of {problem.name!r} must be means over the "
                f"same sample axis (upper {problem.upper_samples}, lower {problem.lower_samples}). "
                "Name the lower variables in `samples:` of both levels"
            )
        offsets, widths, first = [], [], self.n
        for block in problem.lower_blocks:
            if not block.shape or block.shape[0] != self.count:
                raise Unsuitable(
                    f"method '{NAME}' needs one row of every lower variable for each of the {self.count} blocks; "
                    f"{block.name!r} of {problem.name!r} has shape {block.shape}. A lower level that does not fall "
                    "apart is for the other bilevel methods"
                )
            offsets.append(first)
            widths.append(block.size // self.count)
            first += block.size
        self.width = sum(widths)
        self._offsets, self._widths = offsets, widths

    def rows(self, blocks: np.ndarray) -> np.ndarray:
        """Places in z of the variables of some blocks, (b, width)."""
        parts = [
            offset + blocks[:, None] * width + np.arange(width)
            for offset, width in zip(self._offsets, self._widths, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def check(self, problem: Bilevel, z: np.ndarray, rng: np.random.Generator) -> None:
        """That a block's objectives do not reach into the rows of others, looked at for one block at z."""
        block = rng.integers(self.count, size=1)
        mine = np.zeros(len(z), dtype=bool)
        mine[: self.n] = True
        mine[self.rows(block).ravel()] = True
        for level, gradient in (
            ("upper", problem.upper_batch_gradient(z, block)),
            ("lower", problem.lower_batch_gradient(z, block)),
        ):
            others = gradient[~mine]
            if np.any(np.isfinite(others) & (others != 0)):
                raise Unsuitable(
                    f"method '{NAME}' needs lower problems that share x alone; the {level} objective of block "
                    f"{block[0]} of {problem.name!r} depends on another block's variables. "
                    "Name every lower variable in `samples:`"
                )
