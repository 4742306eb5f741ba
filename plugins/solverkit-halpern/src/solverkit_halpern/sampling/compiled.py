"""Steps by compiled kernels: bilinear and affine operators on simplices, boxes and whole spaces, dense or sparse.

A sample of a bilinear operator is a pair of a row and a column of A. By importance they are drawn apart, each by its
squared norm, which gives L_Q = ||A||_F; uniform ones share an index where A is square, as in the paper's experiments,
and have

    L_Q^2 = max(rows max_i ||A_i:||^2, columns max_j ||A_:j||^2).

A sample of an affine operator F(u) = M u + q is a group of columns of M, by the problem's weights or uniformly, the
latter with L_Q^2 <= n max_i ||M_G||^2.

**Centring.** Where both strategies lie in simplices, A may be replaced by A - a 1' - 1 b' in every difference of F, for
any a and b: A (y - y') changes by a multiple of 1, which the projection does not see. With the means of rows and
columns for a and b the sampled differences lose their common part, and L_Q falls to the norm of the centred matrix.
Only the kernels' copy of A is centred: full evaluations are the problem's own, since g may be off by multiples of 1 as
well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import issparse

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.sums import ColumnSum
from solverkit.operators.proximal import Box, Free, ProximalMap, Simplex
from solverkit_halpern.kernels.components import Affine, Bilinear
from solverkit_halpern.kernels.extragradient import extragradient
from solverkit_halpern.kernels.page import page
from solverkit_halpern.kernels.reflected import reflected
from solverkit_halpern.kernels.rows import layout
from solverkit_halpern.kernels.sets import BOX, FREE, SIMPLEX, SetCode
from solverkit_halpern.sampling.alias import AliasTable
from solverkit_halpern.sampling.subsets import subsets

Charge = Callable[[str, int], None]
EMPTY = np.empty(0)
Array = np.ndarray


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


def codes_of(problem: Inclusion) -> list[SetCode] | None:
    """Of one or two blocks, the second one empty where there is none; None where the kernels cannot have them."""
    codes = [code_of(part, block.size) for part, block in zip(problem.sets, problem.variables, strict=True)]
    known = [code for code in codes if code is not None]
    if len(known) < len(codes) or len(codes) > 2:
        return None
    return known if len(known) == 2 else [*known, (FREE, 0.0, EMPTY, EMPTY)]


def compilable(problem: Inclusion) -> bool:
    """Whether the kernels can run this problem: bilinear or affine, sets known, arithmetic on the CPU in float64."""
    part = problem.part
    if codes_of(problem) is None:
        return False
    if problem.bilinear is not None:
        here = getattr(part, "device", "cpu") == "cpu" and problem.bilinear.matrix.dtype == np.float64
        return here and len(problem.sets) == 2
    return isinstance(part, ColumnSum)


def centred(matrix: Array) -> Array:
    """A - a 1' - 1 b' with the means of rows and columns: every row and column sums to 0."""
    return matrix - matrix.mean(axis=1, keepdims=True) - matrix.mean(axis=0, keepdims=True) + matrix.mean()


def squares(matrix: Any) -> tuple[Array, Array]:
    """Squared norms of rows and of columns."""
    square = matrix.multiply(matrix) if issparse(matrix) else matrix**2
    rows, columns = (np.asarray(square.sum(axis=axis), dtype=float).ravel() for axis in (1, 0))
    return rows, columns


class CompiledComponents:
    """See `base.Components`. Charges `ncomp` and `nprox` for what the kernels do."""

    compiled = True

    def __init__(
        self, problem: Inclusion, charge: Charge, *, importance: bool = True, centre: bool = True, repeat: bool = True
    ) -> None:
        codes = codes_of(problem)
        assert codes is not None
        self._sets = codes
        self._split = problem.variables[0].size
        self.count = problem.count
        self.mean_lipschitz: float | None = None
        self._charge, self._repeat = charge, repeat
        self._tables: tuple[AliasTable, ...] = ()
        self._sizes: tuple[int, ...] = ()  # of what a uniform sample draws
        self._scales: list[Array]
        part = problem.part
        self._matrix: Any = getattr(part, "matrix", None)
        self._centre = False
        self._columns = part if isinstance(part, ColumnSum) else None
        if self._columns is not None:
            self._affine(self._columns, importance)
            return
        self._centre = centre and all(code[0] == SIMPLEX for code in codes) and not issparse(self._matrix)
        self._bilinear(importance)

    @cached_property
    def _form(self) -> Bilinear | Affine:
        """Copies of the matrix by rows and by columns, made when the first step asks for them."""
        if self._columns is not None:
            return Affine(layout(self._columns.whole)[1], self.count, self._scales[0])
        matrix = centred(self._matrix) if self._centre else self._matrix
        by_rows, by_columns = layout(matrix)
        return Bilinear(by_rows, by_columns, matrix.shape[0], *self._scales)

    def _bilinear(self, importance: bool) -> None:
        (p, q), (rows, columns) = self._matrix.shape, squares(centred(self._matrix) if self._centre else self._matrix)
        total = float(rows.sum())
        if importance and total > 0:
            self._tables = AliasTable.of(rows), AliasTable.of(columns)
            self._scales = [np.divide(total, w, out=np.zeros_like(w), where=w > 0) for w in (rows, columns)]
            self.mean_lipschitz = float(np.sqrt(total))
        else:
            self._sizes = (p,) if p == q else (p, q)
            self._scales = [np.full(p, float(p)), np.full(q, float(q))]
            self.mean_lipschitz = float(np.sqrt(max(p * rows.max(), q * columns.max())))

    def _affine(self, part: ColumnSum, importance: bool) -> None:
        n = part.count
        if importance:
            self._tables = (AliasTable.of(part.weights),)
            scale = np.divide(1.0, part.weights, out=np.zeros(n), where=part.weights > 0)
            self.mean_lipschitz = part.mean_lipschitz
        else:
            self._sizes, scale = (n,), np.full(n, float(n))
            self.mean_lipschitz = float(np.sqrt(n * part.weights.max()) * part.mean_lipschitz)
        self._scales = [scale]

    def draw(self, rng: np.random.Generator, steps: int, batch: int) -> Array:
        """(steps, batch, 2) pairs, or (steps, batch, 1) components."""
        if self._tables:
            return np.stack([table.draw(rng, (steps, batch)) for table in self._tables], axis=-1)
        drawn = [self._uniform(rng, steps, batch, size) for size in self._sizes]
        if self._columns is None:
            drawn = [drawn[0], drawn[-1]]
        return np.stack(drawn, axis=-1)

    def _uniform(self, rng: np.random.Generator, steps: int, batch: int, size: int) -> Array:
        if self._repeat or batch > size:
            return rng.integers(0, size, (steps, batch))
        return subsets(rng, steps, batch, size)

    def page(
        self,
        u: Array,
        previous: Array,
        estimate: Array,
        anchor: Array,
        step: float,
        anchoring: Array,
        samples: Array,
    ) -> None:
        """Anchored steps with PAGE batches."""
        self._charge("ncomp", 2 * samples.shape[0] * samples.shape[1])
        self._charge("nprox", len(samples))
        place = self._form, self._split, *self._sets
        page(*place, u, previous, estimate, anchor, float(step), anchoring, samples)

    def reflected(
        self,
        v: Array,
        w: Array,
        before: Array,
        base: Array,
        scale: float,
        pull: float,
        step: float,
        alpha: float,
        samples: Array,
    ) -> None:
        """Forward-reflected-backward steps."""
        self._charge("ncomp", 2 * len(samples))
        self._charge("nprox", len(samples))
        place = self._form, self._split, *self._sets
        reflected(*place, v, w, before, base, float(scale), float(pull), float(step), alpha, samples[:, 0])

    def extragradient(
        self,
        v: Array,
        w: Array,
        base: Array,
        total: Array,
        step: float,
        alpha: float,
        samples: Array,
    ) -> None:
        """Extragradient steps."""
        self._charge("ncomp", 2 * len(samples))
        self._charge("nprox", 2 * len(samples))
        place = self._form, self._split, *self._sets
        extragradient(*place, v, w, base, total, float(step), alpha, samples[:, 0])
