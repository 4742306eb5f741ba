"""Compiled sweeps against PyAMG's C++ and this machine's copy bandwidth; SSOR-CG against CG, per iteration.

One thread, CPU time of the thread, best of several. A sweep's bytes are the least it must move: 24 an unknown for
the stencil (x read and written, b read), 56 with variable coefficients, 12 nnz + 36 n for CSR. Bandwidth is that of a
copy of as many bytes in this run; a share above 1 means that data came from a nearer cache than the copy's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array, csr_matrix, eye_array

from solverkit_sor.generators.grid import laplacian, weighted_laplacian
from solverkit_sor.kernels import stencil
from solverkit_sor.kernels.cg import cg
from solverkit_sor.kernels.csr import sor, sor_sweep, ssor_sweep
from solverkit_sor.kernels.eisenstat import ssor_cg
from solverkit_sor.kernels.splitting import Splitting
from solverkit_sor.kernels.ssor_pcg import ssor_pcg
from solverkit_sor.kernels.stencil import Stencil, split
from solverkit_sor.solvers.base import Matrices

SIDES = (100, 316, 1000)
W, ALPHA = 1.5, 5.0
ROUNDS = 12  # in which the Krylov solvers take turns


def best(run: Callable[[int], object], seconds: float = 0.25, rounds: int = 7) -> float:
    """CPU seconds of one repetition: `run(count)` makes `count` of them. The least of `rounds` measurements."""
    run(1)
    count, spent = 1, 0.0
    while True:
        began = time.thread_time()
        run(count)
        spent = time.thread_time() - began
        if spent > seconds / rounds or count > 100_000:
            break
        count *= 2
    found = [spent / count]
    for _ in range(rounds - 1):
        began = time.thread_time()
        run(count)
        found.append((time.thread_time() - began) / count)
    return min(found)


def repeat(one: Callable[[], object]) -> Callable[[int], None]:
    def run(count: int) -> None:
        for _ in range(count):
            one()

    return run


def copy_bandwidth(size: float) -> float:
    """Bytes a second of a copy that reads and writes `size` bytes together."""
    source = np.zeros(max(int(size) // 16, 1))
    target = np.empty_like(source)
    return 2 * source.nbytes / best(repeat(lambda: np.copyto(target, source)))


def sweeps(m: int) -> None:
    """Times of one sweep of each kernel."""
    from pyamg.relaxation.relaxation import gauss_seidel
    from pyamg.relaxation.relaxation import sor as pyamg_sor

    n = m * m
    rng = np.random.default_rng(0)
    A = csr_array(eye_array(n) + ALPHA * laplacian(m))
    b, x = rng.standard_normal(n), np.zeros(n)
    theirs = csr_matrix(A)
    matrices = Matrices()
    pattern, inverse = matrices.pattern(A), 1 / A.diagonal()
    arrays = (pattern.indptr, pattern.indices, A.data, pattern.diagonal, inverse, b)
    constant = Stencil.of(A, (m, m))
    varying = Stencil.of(
        csr_array(eye_array(n) + weighted_laplacian(np.exp(rng.standard_normal((m + 2, m + 2))))), (m, m)
    )
    sparse, csr_bytes = x.copy(), 12 * A.nnz + 36 * n
    rows = {
        "PyAMG sor, C++": (best(lambda k: pyamg_sor(theirs, sparse, b, W, iterations=k)), csr_bytes),
        "PyAMG gauss_seidel, C++": (best(lambda k: gauss_seidel(theirs, sparse, b, iterations=k)), csr_bytes),
        "SciPy A @ x": (best(repeat(lambda: A @ x)), 12 * A.nnz + 20 * n),
        "CSR sweep": (best(repeat(lambda: sor_sweep(*arrays, sparse, W))), csr_bytes),
        "CSR symmetric sweep": (best(repeat(lambda: ssor_sweep(*arrays, sparse, W))), 2 * csr_bytes),
    }
    for name, one, size in (("stencil", constant, 24 * n), ("stencil, variable", varying, 56 * n)):
        colours, scaled = split(np.zeros((m, m))), split(b.reshape(m, m) / one.centre)
        for block in (1, stencil.BLOCK):
            blocked, stencil.BLOCK = stencil.BLOCK, block
            seconds = best(lambda k, one=one, c=colours, s=scaled, block=block: one.sweep(c, s, W, k * block)) / block
            rows[f"{name}, {block} sweep{'s' * (block > 1)} a pass"] = (seconds, size)
            stencil.BLOCK = blocked
    peer = rows["PyAMG sor, C++"][0]
    print(f"\nN = {n:,}                             ms    ns/unknown   copy bandwidth   share   PyAMG sor / this")
    for name, (seconds, size) in rows.items():
        copy = copy_bandwidth(size)
        print(
            f"{name:32s} {1e3 * seconds:9.4f} {1e9 * seconds / n:12.2f} {copy / 1e9:11.1f} GB/s"
            f" {size / seconds / copy:7.2f} {peer / seconds:12.1f}"
        )


def iterations(m: int) -> None:
    """Times of one iteration of the Krylov solvers, all compiled by numba, and SciPy's CG.

    Each is timed with eight iterations and with one, and the difference taken: start-up does not count. The solvers
    take turns, so that other load on the machine meets them all.
    """
    from scipy.sparse.linalg import cg as scipy_cg

    n = m * m
    A = csr_array(eye_array(n) + ALPHA * laplacian(m))
    b = np.random.default_rng(0).standard_normal(n)
    parts: Splitting = Matrices().split(A)
    pattern, none, start = parts.pattern, np.empty(0), float(np.linalg.norm(b))
    arrays, weight, scaled = (*parts.lower, *parts.upper), 1 / parts.left, parts.left * b
    plain = (pattern.indptr, pattern.indices, A.data, None, b)
    solvers: dict[str, Callable[[int], object]] = {
        "CG": lambda k: cg(*plain, np.zeros(n), 1e-300, k, none, none),
        "SSOR-CG, Eisenstat's form": lambda k: ssor_cg(
            *arrays, W, weight, scaled.copy(), np.zeros(n), start, 1e-300, k
        ),
        "SSOR-CG, textbook form": lambda k: ssor_pcg(*arrays, W, weight, scaled.copy(), np.zeros(n), start, 1e-300, k),
        "SOR with its residual": lambda k: sor(*arrays, W, weight, scaled.copy(), np.zeros(n), start, 1e-300, k),
        "SciPy CG": lambda k: scipy_cg(A, b, rtol=1e-300, maxiter=k),
    }
    count = max(1, 200_000 // n)
    least = {(name, k): float("inf") for name in solvers for k in (1, 8)}
    for _ in range(ROUNDS):
        for name, solve in solvers.items():
            for k in (8, 1):
                began = time.thread_time()
                for _ in range(count):
                    solve(k)
                least[name, k] = min(least[name, k], (time.thread_time() - began) / count)
    seconds = {name: (least[name, 8] - least[name, 1]) / 7 for name in solvers}
    seconds["splitting the matrix"] = best(repeat(lambda: Splitting.of(pattern, A.data)))
    print(f"\nN = {n:,}                     ms    over CG   over SciPy's CG")
    for name, value in seconds.items():
        print(f"{name:28s} {1e3 * value:9.4f} {value / seconds['CG']:8.2f} {value / seconds['SciPy CG']:12.2f}")


def main() -> None:
    print("One sweep, 5-point Laplacian of weight 5 plus 1:")
    for m in SIDES:
        sweeps(m)
    print("\nOne iteration, the same matrix:")
    for m in SIDES:
        iterations(m)
