"""Sketches and Nystrom metrics: distortion of subspaces, condition after preconditioning, seconds to apply."""

from __future__ import annotations

import time

import numpy as np

from solverkit.operators.randomized.nystrom import NystromPreconditioner, nystrom
from solverkit.operators.randomized.sketch_qr import sketched_triangle
from solverkit.operators.randomized.sketches import sketch

KINDS = ("gaussian", "sparse-sign", "hadamard")


def main() -> None:
    rng = np.random.default_rng(0)
    n, d = 8192, 100
    spread = np.linalg.qr(rng.normal(size=(n, d)))[0]
    spiky = np.eye(n)[:, rng.choice(n, d, replace=False)]
    A = spread @ np.diag(10.0 ** np.linspace(0, -8, d)) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    print(f"n = {n}, d = {d}; theory: singular values of S U in 1 +- sqrt(d / rows), cond(A) = 1e8")
    print(f"{'sketch':<14}{'rows':>6}{'S U, spread':>20}{'S U, spiky':>20}{'cond(A R^-1)':>14}{'theory':>8}{'ms':>8}")
    for kind in KINDS:
        for gamma in (2, 4, 8):
            drawn = sketch(kind, gamma * d, n, rng)
            begin = time.process_time()
            values = np.linalg.svd(drawn.apply(spread), compute_uv=False)
            elapsed = time.process_time() - begin
            other = np.linalg.svd(drawn.apply(spiky), compute_uv=False)
            condition = np.linalg.cond(np.linalg.solve(sketched_triangle(A, drawn).T, A.T))
            theory = (1 + gamma**-0.5) / (1 - gamma**-0.5)
            print(
                f"{kind:<14}{gamma * d:>6}{values[-1]:>12.3f}{values[0]:>8.3f}{other[-1]:>12.3f}{other[0]:>8.3f}"
                f"{condition:>14.2f}{theory:>8.2f}{1e3 * elapsed:>8.1f}"
            )
    size, shift = 600, 1e-5
    Q = np.linalg.qr(rng.normal(size=(size, size)))[0]
    for decay in (1.0, 2.0):
        spectrum = np.arange(1, size + 1.0) ** -decay
        H = (Q * spectrum) @ Q.T
        before = spectrum[0] / (spectrum[-1] + shift)
        print(f"\nNystrom on a spectrum k^-{decay:g}, n = {size}, shift {shift:g}: condition {before:.0f}")
        for rank in (20, 60, 180):
            made = nystrom(lambda V, H=H: H @ V, np.zeros(size), rank, rng)
            error = np.linalg.norm(H - (made.basis * made.values) @ made.basis.T, 2)
            inverse = NystromPreconditioner(made, shift).solve(np.eye(size))
            values = np.linalg.eigvals(inverse @ (H + shift * np.eye(size))).real
            condition = values.max() / values.min()
            print(f"  rank {rank:>4}: error {error:.2e} (best {spectrum[rank]:.2e}), condition {condition:.1f}")
