"""Least squares with a tall matrix, preconditioned by the triangular factor of its sketch.

    S A = Q R,    min_x ||A x - b||_2    by conjugate gradients on    R'^-1 A'A R^-1 z = R'^-1 A'b,    x = R^-1 z

(Rokhlin, Tygert 2008; Avron, Maymounkov, Toledo, Blendenpik, 2010.) With gamma d rows in S, d the columns of A, the
singular values of A R^-1 lie between 1/(1 + 1/sqrt(gamma)) and 1/(1 - 1/sqrt(gamma)), whatever A: condition 3 for
gamma = 4.

One such run is not backward stable for an ill-conditioned A (Meier, Nakatsukasa, Townsend, Webb 2023). To start again
on the residual of its own answer is (Epperly, Meier, Nakatsukasa 2024, SPIR): `least_squares` starts from the sketched
solution R^-1 Q'S b and restarts once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.operators.randomized.arrays import Array, epsilon, namespace, triangular_solve
from solverkit.operators.randomized.sketches import Sketch, sketch

OVERSAMPLING = 4  # rows of the sketch for each column of A
PATIENCE = 6  # steps without a halving of the squared residual end a run: each should divide it by nine


@dataclass(frozen=True)
class LeastSquares:
    """What `least_squares` found."""

    x: Array  # (d,)
    iterations: int
    residual: float  # ||A'(A x - b)|| / (||A||_F ||A x - b||), 0 for an exact fit


def sketched_triangle(A: Array, drawn: Sketch, floor: float = 0.0) -> Array:
    """Upper triangular R (d, d) with R'R near A'A, from the QR factorization of S A.

    A : (n, d), n >= d
    floor : fraction of the largest column length added, as rows of a multiple of I, below S A; makes R invertible for
        a rank-deficient A
    """
    return triangle(drawn.apply(A), floor)


def triangle(sketched: Array, floor: float = 0.0) -> Array:
    """The factor R of the QR factorization of a matrix that is sketched already."""
    xp = namespace(sketched)
    if floor > 0:
        largest = float(xp.max(xp.linalg.norm(sketched, axis=0) if xp is np else xp.linalg.norm(sketched, dim=0)))
        extra = np.eye(sketched.shape[1]) * (floor * largest or floor)
        rows = [sketched, extra if xp is np else xp.as_tensor(extra, dtype=sketched.dtype, device=sketched.device)]
        sketched = np.vstack(rows) if xp is np else xp.cat(rows)
    return xp.linalg.qr(sketched, mode="r") if xp is np else xp.linalg.qr(sketched, mode="r")[1]


def least_squares(
    A: Array, b: Array, rng: np.random.Generator, kind: str = "sparse-sign", rtol: float = 1e-14, max_iter: int = 200
) -> LeastSquares:
    """x with ||A'(A x - b)|| small, A (n, d) of full column rank, n >= d; at most `max_iter` steps a run, two runs.

    kind : the sketch, as in `sketches.sketch`
    rtol : each run ends at ||R'^-1 A'(A x - b)|| <= rtol ||b||, or where that no longer falls
    """
    n, d = A.shape
    if n < d:
        raise ValueError(f"least squares by sketching needs a tall matrix, not {n} x {d}")
    xp = namespace(A)
    rows = min(OVERSAMPLING * d, n) if kind == "hadamard" else OVERSAMPLING * d
    both = sketch(kind, rows, n, rng).apply(xp.column_stack([A, b]))
    R = triangle(both)
    R, start = R[:d, :d], R[:d, d]  # the last column is Q'S b
    floor = epsilon(A) * float(xp.max(xp.abs(R)))
    if float(xp.min(xp.abs(xp.diagonal(R)))) <= floor:
        raise ValueError("the matrix has no full column rank in this precision: add a small multiple of I below it")
    x = triangular_solve(R, start)
    total, target = 0, max(rtol, epsilon(A)) * float(xp.linalg.norm(b))
    for _ in range(2):
        step, count = _preconditioned(A, b - A @ x, R, target, max_iter)
        x, total = x + step, total + count
    left = A @ x - b
    size = float(xp.linalg.norm(A)) * float(xp.linalg.norm(left))
    return LeastSquares(x, total, float(xp.linalg.norm(A.T @ left)) / size if size > 0 else 0.0)


def _preconditioned(A: Array, left: Array, R: Array, target: float, max_iter: int) -> tuple[Array, int]:
    """Conjugate gradients for the least-squares problem in z = R x, from z = 0: x and the number of steps."""
    xp = namespace(A)
    direction = triangular_solve(R, A.T @ left, transposed=True)
    z = xp.zeros_like(direction)
    square = least = float(direction @ direction)
    stale = count = 0
    while square > target**2 and stale < PATIENCE and count < max_iter:
        image = A @ triangular_solve(R, direction)
        length = square / float(image @ image)
        z = z + length * direction
        left = left - length * image
        gradient = triangular_solve(R, A.T @ left, transposed=True)
        before, square = square, float(gradient @ gradient)
        direction = gradient + (square / before) * direction
        stale = 0 if square < 0.5 * least else stale + 1
        least, count = min(least, square), count + 1
    return triangular_solve(R, z), count
