"""Randomized Nystrom approximation of a positive semidefinite operator, and the preconditioner that it makes.

    A_nys = (A W) (W'A W)^+ (A W)' = U diag(lambda) U',    W (n, rank) orthonormal and random
    P^-1 v = (lambda_last + mu) U (diag(lambda) + mu)^-1 U'v + (I - U U') v            for  (A + mu I) x = b

(Frangella, Tropp, Udell, Randomized Nystrom preconditioning, SIMAX 2023, algorithm 2.1 and equation 1.3.) A is touched
by `rank` products alone. With k + p = rank, p >= 2 (their proposition 2.2),

    E ||A - A_nys|| <= min_p (1 + 2 k / (p - 1)) lambda_{k+1} + (2 e^2 rank / (p^2 - 1)) sum_{j > k} lambda_j
    cond(P^-1/2 (A + mu) P^-1/2) <= (lambda_last + mu + ||A - A_nys||) / mu

| here | paper | meaning |
|---|---|---|
| basis | U | orthonormal, (n, rank) |
| values | lambda-hat | eigenvalues of A_nys, decreasing, (rank,) |
| shift | mu | what is added to A in the system |
| raised | nu | the stable shift: A + nu I is factored, nu taken off the eigenvalues again |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from solverkit.operators.randomized.arrays import Array, epsilon, like, namespace, triangular_solve, upper_cholesky

TRIES = 8  # the stable shift is raised tenfold up to so many times


@dataclass(frozen=True, eq=False)
class Nystrom:
    """U diag(values) U'."""

    basis: Array  # (n, rank)
    values: Array  # (rank,)

    @property
    def rank(self) -> int:
        """Columns of the basis."""
        return int(self.basis.shape[1])

    def apply(self, v: Array) -> Array:
        """A_nys v."""
        return self.basis @ _scaled(self.values, self.basis.T @ v)

    def error(self, product: Callable[[Array], Array], rng: np.random.Generator, steps: int = 10) -> float:
        """||A - A_nys||, from below, by power iterations (their algorithm E.2)."""
        xp = namespace(self.basis)
        v = like(rng.standard_normal(self.basis.shape[0]), self.basis)
        size = 0.0
        for _ in range(steps):
            v = v / xp.linalg.norm(v)
            image = product(v) - self.apply(v)
            size = float(xp.linalg.norm(image))
            if size == 0.0:
                break
            v = image
        return size


@dataclass(frozen=True, eq=False)
class NystromPreconditioner:
    """P^-1 of the module's formula; a symmetric positive definite operator."""

    approximation: Nystrom
    shift: float

    def __post_init__(self) -> None:
        values = self.approximation.values
        least = float(values[-1]) + self.shift if len(values) else 1.0
        if least <= 0:
            raise ValueError(
                "a Nystrom preconditioner needs lambda_last + shift > 0: lower the rank or raise the shift"
            )

    @property
    def level(self) -> float:
        """lambda_last + mu: P stands for A + mu I divided by this."""
        values = self.approximation.values
        return float(values[-1]) + self.shift if len(values) else 1.0

    def solve(self, v: Array) -> Array:
        """P^-1 v, (n,) or (n, k)."""
        basis, values = self.approximation.basis, self.approximation.values
        inner = basis.T @ v
        return v + basis @ _scaled(self.level / (values + self.shift) - 1.0, inner)


def nystrom(product: Callable[[Array], Array], model: Array, rank: int, rng: np.random.Generator) -> Nystrom:
    """The approximation from `rank` products.

    product : V (n, k) -> A V (n, k), A symmetric positive semidefinite
    model : any (n,) array of the library, device and precision wanted
    rank : at most n

    Raises ValueError where A is so indefinite that no shift helps.
    """
    n = len(model)
    if not 0 <= rank <= n:
        raise ValueError(f"a Nystrom approximation of an operator on R^{n} needs 0 <= rank <= {n}, not {rank}")
    W = namespace(model).linalg.qr(like(rng.standard_normal((n, rank)), model))[0]
    return from_products(W, product(W))


def from_products(W: Array, Y: Array) -> Nystrom:
    """The approximation from test vectors W (n, rank), linearly independent, and their images Y = A W.

    Raises ValueError as `nystrom` does.
    """
    xp = namespace(W)
    length = float(xp.linalg.norm(W)) or 1.0
    raised = float(xp.linalg.norm(Y)) / length * sqrt(len(W)) * epsilon(W) or epsilon(W)
    for _ in range(TRIES):
        shifted = Y + raised * W
        core = W.T @ shifted
        R = upper_cholesky(0.5 * (core + core.T))
        if R is not None:
            half = triangular_solve(R, shifted.T, transposed=True).T  # (n, rank): A_nys + nu = half half'
            basis, sigma, _ = xp.linalg.svd(half, full_matrices=False)
            return Nystrom(basis, xp.clip(sigma**2 - raised, 0.0, None))
        raised *= 10
    raise ValueError("the operator is not positive semidefinite: a Nystrom approximation of it does not exist")


def _scaled(values: Array, v: Array) -> Array:
    return values * v if v.ndim == 1 else values[:, None] * v
