"""What every solver of one system takes and returns, and the matrices prepared for it.

Work is deterministic: multiply-adds on stored entries and vector elements, so that one unit takes about the same time
in every solver. The constants come from `python -m tests.figures linear_sequence.arms`: work beside seconds.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from scipy.sparse import csr_array, issparse

from solverkit.errors import UsageError
from solverkit_sor.kernels.csr import BROKEN, CAPPED, CONVERGED, residual
from solverkit_sor.kernels.splitting import Pattern, PatternCache, Splitting

Parameters = Mapping[str, float | int | str]
Relative = Literal["rhs", "start"]  # the residual is measured against |b|, or against |b - A x_0|

ROUNDING = (
    1e-6  # part of the target by which a residual may exceed it: recurrences and true residuals differ by rounding
)
LOWEST, HIGHEST = 0.5, 1.99  # of w: outside it SOR and SSOR are slow on every problem, and at 0 and 2 they stand still


class Outcome(enum.Enum):
    """How a solve ended. The value is the sentence that the user reads."""

    CONVERGED = "the residual is within the tolerance"
    CAPPED = "the cap on iterations was reached"
    BROKEN = "broke down: the matrix is not positive definite, or the tolerance is below rounding"
    DIVERGED = "diverged: the residual grew without bound or became NaN"

    @staticmethod
    def of(code: int) -> Outcome:
        """From a kernel's return code."""
        return {CONVERGED: Outcome.CONVERGED, CAPPED: Outcome.CAPPED, BROKEN: Outcome.BROKEN}.get(
            code, Outcome.DIVERGED
        )


@dataclass(frozen=True)
class Solved:
    """An answer with what it cost. `converged` is about the true residual b - A x, computed from the answer."""

    x: np.ndarray  # (n,) the last iterate, converged or not
    iterations: int
    converged: bool
    work: float  # multiply-adds, preparation included
    residual: float  # |b - A x|_2
    outcome: Outcome
    ritz: float = float("nan")  # smallest Ritz value of D^{-1} A where the solver knows it, else NaN


class SolverArm(Protocol):
    """One way to solve A x = b, with parameters that a tuner may set."""

    name: ClassVar[str]
    defaults: ClassVar[Parameters]  # every parameter it has, and its value where none is given

    def solve(
        self,
        A: Any,
        b: np.ndarray,
        x0: np.ndarray | None = None,
        rtol: float = 1e-8,
        cap: int = 10_000,
        parameters: Parameters | None = None,
    ) -> Solved:
        """Solve A x = b from `x0` (zeros where None) until |b - A x| <= rtol times |b| (or as the arm was told).

        A : (n, n) sparse, b : (n,), x0 : (n,). Never raises for a numerical outcome: `Solved.converged` is False.
        Raises UsageError for shapes that do not fit, NaN, an unknown parameter, a zero diagonal where the solver
        divides by it, or a matrix that is not symmetric where it must be.
        """
        ...

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """Work of a solve with so many iterations, preparation included, by the same model as `Solved.work`."""
        ...


class Matrices:
    """The last matrix, checked and prepared; shared by all arms of a tuner, so that each is split once.

    A matrix counts as the same where its values are equal, whatever object they come in: a change in place is noticed.
    """

    def __init__(self) -> None:
        self._patterns = PatternCache()
        self._data = np.empty(0)  # a copy of the values that `_splitting` was made from
        self._splitting: Splitting | None = None

    def csr(self, A: Any) -> csr_array:
        """A as float64 CSR with sorted indices and no duplicates; A itself where it is that already."""
        sparse = issparse(A)
        plain = sparse and A.format == "csr" and A.data.dtype == np.float64
        if plain and A.shape[0] == A.shape[1] and self._patterns.knows(A.indptr, A.indices):
            return A
        if not sparse:
            A = np.asarray(A, np.float64)
            if A.ndim != 2:
                raise UsageError(f"the matrix has shape {A.shape}: give an (n, n) matrix, sparse or dense")
        if A.shape[0] != A.shape[1]:
            raise UsageError(f"the matrix has shape {A.shape}: a linear system needs a square one")
        if np.iscomplexobj(A):
            raise UsageError("the matrix is complex: only real systems are solved here")
        matrix = A if issparse(A) and A.format == "csr" else csr_array(A)
        if matrix.dtype != np.float64:
            matrix = matrix.astype(np.float64)
        if not matrix.has_canonical_format:
            matrix = matrix.copy()
            matrix.sum_duplicates()
        return matrix

    def pattern(self, matrix: csr_array) -> Pattern:
        """Its pattern, from the cache where it was met before."""
        return self._patterns.pattern(matrix.indptr, matrix.indices)

    def split(self, matrix: csr_array) -> Splitting:
        """Its triangles, scaled to unit diagonal; those of the last matrix where the values are the same."""
        pattern = self.pattern(matrix)
        known = self._splitting
        if known is not None and known.pattern is pattern and self._unchanged(matrix.data):
            return known
        self._splitting = None
        splitting = Splitting.of(pattern, matrix.data)
        self._data, self._splitting = matrix.data.copy(), splitting
        return splitting

    def _unchanged(self, data: np.ndarray) -> bool:
        """Whether `data` are the values of the last matrix; most others differ in the first or middle one."""
        middle = data.size // 2
        if not (self._data[0] == data[0] and self._data[middle] == data[middle]):
            return False
        return np.array_equal(self._data, data)


@dataclass(frozen=True)
class Start:
    """A system as a solver begins it: checked, with its first residual and the target that ends it."""

    matrix: csr_array
    b: np.ndarray  # (n,)
    x: np.ndarray  # (n,) the solver's own copy of x0
    r: np.ndarray  # (n,) b - A x
    norm: float  # |b - A x|
    target: float  # |b - A x| that counts as solved

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows and stored entries."""
        return len(self.b), len(self.matrix.data)

    @staticmethod
    def of(
        matrices: Matrices, A: Any, b: np.ndarray, x0: np.ndarray | None, rtol: float, relative: Relative = "rhs"
    ) -> Start:
        """Raises UsageError as `SolverArm.solve` says."""
        matrix = matrices.csr(A)
        n = matrix.shape[0]
        b = vector(b, n, "the right-hand side")
        if not 0 < rtol < 1:
            raise UsageError(f"rtol = {rtol:g}: give a number between 0 and 1")
        if x0 is None:
            x, r = np.zeros(n), b.copy()
            norm = size = float(np.linalg.norm(b))
        else:
            x, r = vector(x0, n, "x0").copy(), np.empty(n)
            pattern = matrices.pattern(matrix)
            norm = float(np.sqrt(residual(pattern.indptr, pattern.indices, matrix.data, b, x, r)))
            size = float(np.linalg.norm(b))
        total = norm + float(matrix.data.sum())
        if not np.isfinite(total) and not (np.isfinite(norm) and np.isfinite(matrix.data).all()):
            place = "b or x0" if x0 is not None else "b"
            raise UsageError(f"the system holds NaN or infinite values in A, {place}")
        return Start(matrix, b, x, r, norm, rtol * (size if relative == "rhs" else norm))


def vector(values: Any, n: int, name: str) -> np.ndarray:
    """`values` as a contiguous (n,) float64 array. Raises UsageError for another shape."""
    array = np.ascontiguousarray(values, np.float64)
    if array.shape != (n,):
        raise UsageError(f"{name} has shape {array.shape}, but the matrix has {n} rows: give {n} numbers")
    return array


def relaxation(parameters: Parameters) -> float:
    """w from `parameters`, held within [0.5, 1.99]. Raises UsageError for NaN."""
    w = float(parameters["w"])
    if not w == w:
        raise UsageError("the relaxation w is NaN: give a number between 0.5 and 1.99")
    return min(max(w, LOWEST), HIGHEST)


@dataclass(frozen=True)
class Run:
    """What an arm hands back to `Arm.solve`, which judges it."""

    x: np.ndarray  # (n,)
    iterations: int
    outcome: Outcome
    work: float
    ritz: float = float("nan")


class Arm(ABC):
    """A `SolverArm` but for its iteration: checks before, and the true residual after it."""

    name: ClassVar[str]
    defaults: ClassVar[Parameters]

    def __init__(self, matrices: Matrices | None = None, relative: Relative = "rhs") -> None:
        """`matrices` may be shared by arms; `relative`: the residual is measured against |b|, or |b - A x_0|."""
        self.matrices = matrices or Matrices()
        self.relative: Relative = relative

    @abstractmethod
    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """Iterate from `begin`, whose x and r may be overwritten; `parameters` holds all that `defaults` names."""

    @abstractmethod
    def work(self, n: int, nnz: int, iterations: int) -> float:
        """See `SolverArm.work`."""

    def solve(
        self,
        A: Any,
        b: np.ndarray,
        x0: np.ndarray | None = None,
        rtol: float = 1e-8,
        cap: int = 10_000,
        parameters: Parameters | None = None,
    ) -> Solved:
        """See `SolverArm.solve`."""
        given = dict(parameters or {})
        if unknown := sorted(given.keys() - self.defaults.keys()):
            known = ", ".join(self.defaults) or "none"
            raise UsageError(f"the solver {self.name!r} has no parameter {unknown[0]!r} (it has: {known})")
        if cap < 1:
            raise UsageError(f"cap = {cap}: give at least one iteration")
        begin = Start.of(self.matrices, A, b, x0, rtol, self.relative)
        run = self.run(begin, int(cap), {**self.defaults, **given})
        pattern = self.matrices.pattern(begin.matrix)
        last = np.empty(pattern.n)
        square = residual(pattern.indptr, pattern.indices, begin.matrix.data, begin.b, run.x, last)
        norm = float(np.sqrt(square))
        outcome = run.outcome
        if norm <= begin.target * (1 + ROUNDING):
            outcome = Outcome.CONVERGED
        elif outcome is Outcome.CONVERGED:
            outcome = Outcome.CAPPED if run.iterations >= cap else Outcome.BROKEN
        return Solved(run.x, run.iterations, outcome is Outcome.CONVERGED, run.work, norm, outcome, run.ritz)
