"""Steps by compiled kernels: bilinear problems on simplices, boxes and whole spaces, dense or sparse.

A sample is a pair of a row and a column of A. By importance they are drawn apart, each by its squared norm, which gives
L_Q = ||A||_F; uniform ones share an index where A is square, as in the paper's experiments, and have

    L_Q^2 = max(rows max_i ||A_i:||^2, columns max_j ||A_:j||^2).

**Centring.** Where both strategies lie in simplices, A may be replaced by A - a 1' - 1 b' for any a and b: F changes
by a multiple of 1 in each block, which the projection does not see. With the means of rows and columns for a and b the
sampled differences lose their common part, and L_Q falls to the norm of the centred matrix. Only the kernels' copy of
A is centred: full evaluations are the problem's own, since g may be off by multiples of 1 as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import issparse

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.operators.proximal import Box, Free, ProximalMap, Simplex
from solverkit_halpern.kernels.extragradient import extragradient
from solverkit_halpern.kernels.page import page
from solverkit_halpern.kernels.reflected import reflected
from solverkit_halpern.kernels.rows import layout
from solverkit_halpern.kernels.sets import BOX, FREE, SIMPLEX, SetCode
from solverkit_halpern.sampling.alias import AliasTable
from solverkit_halpern.sampling.subsets import subsets

Charge = Callable[[str, int], None]
EMPTY = np.empty(0)


def code_of(part: ProximalMap, size: int) -> SetCode | None:
    """A set as the kernels take it; None for one that they do not know."""
    if type(part) is Free:
        return FREE, 0.0, EMPTY, EMPTY
    if type(part) is Simplex and part.total > 0:
        return SIMPLEX, part.total, EMPTY, EMPTY
    if isinstance(part, Box):
        lower, upper = (np.array(np.broadcast_to(side.host, size)) for side in (part.lower, part.upper))
        return BOX, 0.0, lower, upper
    return None


def compilable(problem: Inclusion) -> bool:
    """Whether the kernels can run this problem: bilinear, both sets known, arithmetic on the CPU in float64."""
    part = problem.bilinear
    if part is None or len(problem.sets) != 2:
        return False
    here = getattr(part, "device", "cpu") == "cpu" and part.matrix.dtype == np.float64
    return here and all(
        code_of(each, block.size) is not None for each, block in zip(problem.sets, problem.variables, strict=True)
    )


def centred(matrix: np.ndarray) -> np.ndarray:
    """A - a 1' - 1 b' with the means of rows and columns: every row and column sums to 0."""
    return matrix - matrix.mean(axis=1, keepdims=True) - matrix.mean(axis=0, keepdims=True) + matrix.mean()


class CompiledComponents:
    """See `base.Components`. Charges `ncomp` and `nprox` for what the kernels do."""

    def __init__(
        self, problem: Inclusion, charge: Charge, *, importance: bool = True, centre: bool = True, repeat: bool = True
    ) -> None:
        part = problem.bilinear
        assert part is not None
        codes = [code_of(s, block.size) for s, block in zip(problem.sets, problem.variables, strict=True)]
        assert codes[0] is not None
        assert codes[1] is not None
        self._sets: tuple[Any, Any] = (codes[0], codes[1])
        self.count = problem.count
        self._charge, self._repeat = charge, repeat
        matrix = part.matrix
        self.centred = centre and not issparse(matrix) and all(code[0] == SIMPLEX for code in self._sets)
        if self.centred:
            matrix = centred(matrix)
        self._p, self._q = matrix.shape
        self._rows, self._columns = layout(matrix)
        self._weigh(matrix, importance)

    def _weigh(self, matrix: Any, importance: bool) -> None:
        square = matrix.multiply(matrix) if issparse(matrix) else matrix**2
        rows, columns = (np.asarray(square.sum(axis=axis), dtype=float).ravel() for axis in (1, 0))
        total = rows.sum()
        self.frobenius = float(np.sqrt(total))
        self._tables = None
        if importance and total > 0:
            self._tables = AliasTable.of(rows), AliasTable.of(columns)
            self._scales = tuple(np.divide(total, w, out=np.zeros_like(w), where=w > 0) for w in (rows, columns))
            self.mean_lipschitz: float | None = self.frobenius
        else:
            self._scales = np.full(self._p, float(self._p)), np.full(self._q, float(self._q))
            self.mean_lipschitz = float(np.sqrt(max(self._p * rows.max(), self._q * columns.max())))

    def draw(self, rng: np.random.Generator, steps: int, batch: int) -> np.ndarray:
        """Pairs (steps, batch, 2)."""
        if self._tables is not None:
            return np.stack([table.draw(rng, (steps, batch)) for table in self._tables], axis=-1)
        sizes = (self._p,) if self._p == self._q else (self._p, self._q)
        drawn = [self._uniform(rng, steps, batch, size) for size in sizes]
        return np.stack([drawn[0], drawn[-1]], axis=-1)

    def _uniform(self, rng: np.random.Generator, steps: int, batch: int, size: int) -> np.ndarray:
        if self._repeat or batch > size:
            return rng.integers(0, size, (steps, batch))
        return subsets(rng, steps, batch, size)

    def page(
        self,
        u: np.ndarray,
        previous: np.ndarray,
        estimate: np.ndarray,
        anchor: np.ndarray,
        step: float,
        anchoring: np.ndarray,
        samples: np.ndarray,
    ) -> None:
        """Anchored steps with PAGE batches."""
        self._charge("ncomp", 2 * samples.shape[0] * samples.shape[1])
        self._charge("nprox", len(samples))
        page(
            self._rows, self._columns, *self._sets, u, previous, estimate, anchor, self._p, step, anchoring, samples,
            *self._scales,
        )  # fmt: skip

    def reflected(
        self,
        v: np.ndarray,
        w: np.ndarray,
        before: np.ndarray,
        base: np.ndarray,
        scale: float,
        pull: float,
        step: float,
        alpha: float,
        samples: np.ndarray,
    ) -> None:
        """Forward-reflected-backward steps."""
        self._charge("ncomp", 2 * len(samples))
        self._charge("nprox", len(samples))
        reflected(
            self._rows, self._columns, *self._sets, v, w, before, base, self._p, scale, pull, step, alpha,
            samples[:, 0], *self._scales,
        )  # fmt: skip

    def extragradient(
        self,
        v: np.ndarray,
        w: np.ndarray,
        base: np.ndarray,
        total: np.ndarray,
        step: float,
        alpha: float,
        samples: np.ndarray,
    ) -> None:
        """Extragradient steps."""
        self._charge("ncomp", 2 * len(samples))
        self._charge("nprox", 2 * len(samples))
        extragradient(
            self._rows, self._columns, *self._sets, v, w, base, total, self._p, step, alpha, samples[:, 0],
            *self._scales,
        )  # fmt: skip
